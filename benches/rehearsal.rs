//! Rehearsals: how soon one is over that does nothing, and how long an hour takes in which much happens.

use std::{path::Path, process::Command, time::Duration};

use crate::{cold_start, contest::contest, cozyscript, table::Row, write};

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

const WORLD: &str = "clusters: {lab: {nodes: 3}}\nsites: {'https://shop.example.test': {answers: [{body: fine}]}}\n";

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "hello.rhai", cold_start::RUNBOOK);
    write(folder, "hour.rhai", HOUR);
    write(folder, "hour.world.yaml", WORLD);
    let told = String::from_utf8_lossy(&rehearse(folder, "hour.rhai").output().expect("it starts").stderr).into_owned();
    assert!(told.contains("rehearsal done in 1h"), "it is about an hour: {told}");
    let [trivial, hour] = contest(ROUNDS, [&|| rehearse(folder, "hello.rhai"), &|| rehearse(folder, "hour.rhai")]);
    let (soon, quick) = (trivial.median() < Duration::from_millis(30), hour.median() < Duration::from_secs(1));
    vec![
        Row::timed("`rehearse` of a trivial runbook", &trivial).target("<30 ms", soon),
        Row::timed("… of an hour with 18 rollouts of 5 pods", &hour).target("<1 s", quick),
    ]
}

fn rehearse(folder: &Path, runbook: &str) -> Command {
    cozyscript(folder, &["rehearse", runbook])
}
