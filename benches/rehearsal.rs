//! Rehearsals: how soon one is over that does nothing, how long an hour takes in which much happens, and how both grow with the world.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    cold_start,
    contest::contest,
    cozyscript,
    memory::{mebibytes, peak},
    table::Row,
    write,
};

const ROUNDS: usize = 20;

/// An hour of three teams: each rolls out version after version, watches its site, and takes notes.
const HOUR: &str = r#"//! # An hour

let cluster = k8s::connect();

step "prepare" {
    parallel for team in ["blue", "green", "red"] {
        cluster.apply([
            #{ apiVersion: "v1", kind: "Namespace", metadata: #{ name: team } },
            deployment(team, 1),
        ]);
        cluster.rollout_status("deployment", "web", #{ namespace: team });
    }
}

step "work" timeout 2h {
    parallel for team in ["blue", "green", "red"] {
        for version in 2..8 {
            cluster.apply(deployment(team, version));
            cluster.rollout_status("deployment", "web", #{ namespace: team });
            cluster.apply(#{
                apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: `note-${version}`, namespace: team },
                data: #{ at: `${time::now()}` },
            });
            http::wait("https://shop.example.test/health", #{ status: 200, successes: 2, interval: "10s" });
            sleep(10.minutes);
        }
    }
}

step "look" {
    for team in ["blue", "green", "red"] {
        if cluster.list("pods", #{ namespace: team }).len() != 5 { fail(`${team} has lost pods`); }
    }
}

fn deployment(team, version) {
    #{
        apiVersion: "apps/v1", kind: "Deployment", metadata: #{ name: "web", namespace: team },
        spec: #{
            replicas: 5, selector: #{ matchLabels: #{ app: "web" } },
            template: #{
                metadata: #{ labels: #{ app: "web" } },
                spec: #{ containers: [#{ name: "web", image: `registry.example.test/web:${version}` }] },
            },
        },
    }
}
"#;

/// Looks, and comes back ten minutes later.
const LOOK_TWICE: &str = r#"
let cluster = k8s::connect();
step "look" {
    cluster.list("nodes");
    sleep(10.minutes);
    cluster.list("nodes");
}
"#;

/// How many nodes, or clusters of a node each, a world has.
const SIZES: [u32; 3] = [10, 100, 1_000];
const ROUNDS_OF_GROWTH: usize = 3;

const WORLD: &str = "clusters: {lab: {nodes: 3}}\nsites: {'https://shop.example.test': {answers: [{body: fine}]}}\n";

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "hello.rhai", cold_start::RUNBOOK);
    write(folder, "hour.rhai", HOUR);
    write(folder, "hour.world.yaml", WORLD);
    let told = String::from_utf8_lossy(&rehearse(folder, "hour.rhai").output().expect("it starts").stderr).into_owned();
    assert!(told.contains("rehearsal done in 1h"), "it is about an hour: {told}");
    let [trivial, hour] = contest(ROUNDS, [&|| rehearse(folder, "hello.rhai"), &|| rehearse(folder, "hour.rhai")]);
    let (soon, quick) = (trivial.median() < Duration::from_millis(30), hour.median() < Duration::from_secs(1));
    let mut rows = vec![
        Row::timed("`rehearse` of a trivial runbook", &trivial).target("<30 ms", soon),
        Row::timed("a rehearsed hour with 18 rollouts of 5 pods", &hour).target("<1 s", quick),
    ];
    rows.extend(growth(folder, "nodes", |count| format!("clusters: {{lab: {{nodes: {count}}}}}\n")));
    rows.extend(growth(folder, "clusters", |count| {
        let clusters: String = (0..count).map(|number| format!("  lab-{number}: {{nodes: 1}}\n")).collect();
        format!("clusters:\n{clusters}")
    }));
    rows
}

/// Ten minutes of worlds of each size, and what one of the things that there are more of costs in the largest beside the one before it.
fn growth(folder: &Path, what: &str, world: impl Fn(u32) -> String) -> Vec<Row> {
    let names = SIZES.map(|size| format!("{what}-{size}.rhai"));
    for (size, name) in SIZES.iter().zip(&names) {
        write(folder, name, LOOK_TWICE);
        write(folder, &name.replace(".rhai", ".world.yaml"), &world(*size));
    }
    let [few, more, many] = [&names[0], &names[1], &names[2]];
    let times =
        contest(ROUNDS_OF_GROWTH, [&|| rehearse(folder, few), &|| rehearse(folder, more), &|| rehearse(folder, many)]);
    let each = |size: u32, value: f64| value / f64::from(size);
    let memory = SIZES.iter().zip(&names).map(|(_, name)| peak(rehearse(folder, name)));
    let memory: Vec<u64> = memory.collect();
    let mut rows: Vec<Row> = SIZES
        .iter()
        .zip(&times)
        .zip(&memory)
        .map(|((size, times), memory)| {
            Row::timed(&format!("ten minutes of a world of {size} {what}, {}", mebibytes(*memory)), times)
        })
        .collect();
    let grown = each(SIZES[2], times[2].median().as_secs_f64()) / each(SIZES[1], times[1].median().as_secs_f64());
    let row = Row::new(
        &format!("… each of {} {what} beside each of {}", SIZES[2], SIZES[1]),
        format!("{grown:.2}×"),
        String::new(),
    );
    rows.push(row.target("≤2×", grown <= 2.0));
    rows
}

fn rehearse(folder: &Path, runbook: &str) -> Command {
    cozyscript(folder, &["rehearse", runbook])
}
