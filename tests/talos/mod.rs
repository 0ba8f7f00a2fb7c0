//! Machines of a rehearsed world, driven by scripts: what each function does and refuses, what goes wrong with machines, and
//! what a crash leaves behind.

mod crashes;
mod faults;
mod following;
mod functions;
mod guards;
mod talm;
mod versions;

use crate::support::rehearsal::Play;

/// Two clusters of machines could not be more alike: three control planes, and a worker with a disk of its own.
const LAB: &str = r#"
clusters: {lab: {server: "10.5.0.2:6443"}}
machines:
  cp-1: {address: 10.5.0.2, cluster: lab}
  cp-2: {address: 10.5.0.3, cluster: lab}
  cp-3: {address: 10.5.0.4, cluster: lab}
  worker: {address: 10.5.0.5, cluster: lab, role: worker, disks: {sda: 100G, sdb: 50G}}
"#;

/// One control plane, and a worker that is reached through it.
const PAIR: &str = r#"
clusters: {lab: {server: "10.5.0.2:6443"}}
machines:
  cp: {address: 10.5.0.2, cluster: lab}
  worker: {address: 10.5.0.3, cluster: lab, role: worker}
"#;

/// Two machines that have nothing on their disks.
const BLANK: &str = "machines: {one: {address: 10.5.0.2}, two: {address: 10.5.0.3}}\n";

/// What makes machines of that world a cluster.
const MADE: &str = r#"
let made = talos::gen_config("lab", "https://10.5.0.2:6443", talos::gen_secrets(), #{ endpoints: ["10.5.0.2", "10.5.0.3"] });
let lab = talos::connect(made.talosconfig);
"#;

/// A runbook beside its world.
fn play(world: &str, runbook: &str) -> (Play, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("book.world.yaml"), world).unwrap();
    std::fs::write(folder.path().join("book.rhai"), runbook).unwrap();
    (Play::of(folder.path().join("book.rhai"), 1), folder)
}

/// What each of these calls comes to, in a step of its own: its value, or its fault with all that is said of it.
#[track_caller]
fn told<const N: usize>(world: &str, before: &str, calls: [&str; N]) -> String {
    let steps: Vec<String> = (1..)
        .zip(calls)
        .map(|(number, call)| {
            format!(
                "step \"{number}\" {{\n    let value = try {{ {call} }} catch (fault) {{ words(fault) }};\n    \
                 print(`> ${{value}}`);\n}}\n"
            )
        })
        .collect();
    let runbook = format!("{before}\n{}{WORDS}", steps.concat());
    let (play, _folder) = play(world, &runbook);
    let told = play.run();
    assert_eq!(told.status, 0, "{}", told.said);
    let lines = told.said.lines().filter_map(|line| line.trim_start().strip_prefix("> "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// All that is said of a fault, in a line.
const WORDS: &str = r#"
fn words(fault) {
    let words = `${fault.kind}: ${fault.message}`;
    for note in fault.notes { words += ` | ${note}`; }
    if fault.hint != () && fault.hint != "" { words += ` | hint: ${fault.hint}`; }
    words.replace("\n", " / ");
    words
}
"#;

const CONNECTED: &str = "let lab = talos::connect();";
