//! Flux: what waiting for many releases costs while nothing happens, and how soon a chain of them is explained.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    contest::contest,
    cozyscript,
    kubernetes::Testbed,
    memory::{mebibytes, most_so_far},
    peers,
    table::{Row, millis, ratio},
    write,
};

const RELEASES: usize = 500;
const CHAIN: usize = 12;
const ROUNDS: usize = 5;

/// How long either of them takes to begin.
const BEGIN: Duration = Duration::from_secs(10);

/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(20);

/// What the system counts a process's time in.
const TICKS: f64 = 100.0;

pub fn rows(folder: &Path) -> Vec<Row> {
    let subjects =
        ["500 releases waited for in one table", "… of a core while nothing happens", "a chain of 12 explained"];
    let [memory, load, explained] = subjects;
    let testbed = match Testbed::start(folder.join("cluster")).and_then(|testbed| stock(&testbed).map(|()| testbed)) {
        Ok(testbed) => testbed,
        Err(why) => {
            let row = |subject| Row::new(subject, String::new(), String::new()).without("flux", &why);
            return subjects.map(row).into();
        }
    };
    let (own_memory, own_load) = idle(ours(&testbed, folder));
    let (peers_memory, peers_load) = idle(theirs(&testbed));
    let [chain, events] = contest(ROUNDS, [&|| explain(&testbed, folder), &|| flux_events(&testbed)]);
    let percent = |load: f64| format!("{:.1} %", load * 100.0);
    vec![
        Row::new(memory, mebibytes(own_memory), String::new())
            .beside("flux get --watch", mebibytes(peers_memory), own_memory as f64 / peers_memory as f64)
            .target("<60 MB", own_memory * 1024 < 60_000_000),
        Row::new(load, percent(own_load), String::new())
            .beside(
                "flux get --watch",
                percent(peers_load),
                own_load / peers_load.max(1.0 / TICKS / IDLE.as_secs_f64()),
            )
            .target("<5 %", own_load < 0.05),
        Row::timed(explained, &chain)
            .beside("flux events", millis(events.median()), ratio(chain.median(), events.median()))
            .target("<300 ms", chain.median() < Duration::from_millis(300)),
    ]
}

/// Flux's definitions, releases that nobody looks after, and a chain that ends in a suspended one.
fn stock(testbed: &Testbed) -> Result<(), String> {
    let definitions = peers::testbed()?.join("../crds/flux");
    peers::output(testbed.kubectl().args(["apply", "--server-side", "-f"]).arg(definitions))?;
    peers::output(testbed.kubectl().args(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]))?;
    let release = |name: &str, more: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, labels: {{set: {}}}}}\nspec:\n  \
             interval: 1h\n  chart: {{spec: {{chart: app, sourceRef: {{kind: HelmRepository, name: charts}}}}}}\n{more}\n---\n",
            name.split('-').next().unwrap_or_default()
        )
    };
    let many = (0..RELEASES).map(|number| release(&format!("many-{number}"), ""));
    let chain = (0..CHAIN).map(|number| {
        let more = match number + 1 {
            CHAIN => "  suspend: true".to_owned(),
            next => format!("  dependsOn: [{{name: chain-{next}}}]"),
        };
        release(&format!("chain-{number}"), &more)
    });
    let manifest = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    std::fs::write(manifest.path(), many.chain(chain).collect::<String>()).map_err(|error| error.to_string())?;
    peers::output(testbed.kubectl().args(["apply", "--server-side", "-f"]).arg(manifest.path())).map(drop)
}

fn ours(testbed: &Testbed, folder: &Path) -> Command {
    let wait = "flux::wait(k8s::connect(), \"hr\", #{ labels: \"set=many\", at_least: 500, timeout: \"10m\" });\n";
    write(folder, "wait.rhai", wait);
    testbed.known_to(cozyscript(folder, &["wait.rhai"]))
}

fn theirs(testbed: &Testbed) -> Command {
    let mut command = Command::new(testbed.program("flux"));
    command.args(["get", "helmreleases", "--watch", "--namespace", "default"]);
    testbed.known_to(command)
}

/// The most memory of a command that waits, and the share of a core that it takes.
fn idle(mut command: Command) -> (u64, f64) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    thread::sleep(BEGIN);
    let before = ticks(&child);
    thread::sleep(IDLE);
    let (after, memory) = (ticks(&child), most_so_far(child.id()).expect("it waits"));
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
    (memory, (after - before) / TICKS / IDLE.as_secs_f64())
}

/// How long a process has been at work.
fn ticks(child: &Child) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
    let behind = stat.rsplit_once(')').expect("its name is in brackets").1;
    let numbers: Vec<f64> = behind.split_whitespace().skip(11).take(2).filter_map(|word| word.parse().ok()).collect();
    numbers.iter().sum()
}

fn explain(testbed: &Testbed, folder: &Path) -> Command {
    let explain =
        "let why = flux::explain(k8s::connect(), \"hr\", \"chain-0\");\nif why.chain.len() != 11 { throw why }\n";
    write(folder, "explain.rhai", explain);
    testbed.known_to(cozyscript(folder, &["explain.rhai", "--quiet"]))
}

fn flux_events(testbed: &Testbed) -> Command {
    let mut command = Command::new(testbed.program("flux"));
    command.args(["events", "--namespace", "default", "--for", "HelmRelease/chain-0"]);
    testbed.known_to(command)
}
