//! Machines: a hundred that are wiped at a time in a rehearsal, and one that is asked for its version beside `talosctl`.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    contest::contest,
    cozyscript, peers,
    table::{Row, millis, ratio},
    write,
};

const WIPES: usize = 3;
const QUESTIONS: usize = 20;
const MACHINES: usize = 100;

/// Ten minutes, most of which the machines need for their firmware.
const WIPE: &str = r#"//! # A hundred machines

let lab = talos::connect();
let first = lab.endpoints()[0].split(":")[0];
let nodes = lab.members(first).filter(|member| member.role == "worker").map(|member| member.addresses[0]);

step "wipe" {
    if nodes.len() != 100 { fail(`there are ${nodes.len()}`); }
    parallel for node in nodes {
        lab.reset(node, #{ graceful: false });
    }
}
"#;

/// The only machine of a world that others may look into.
const ADDRESS: &str = "127.50.0.2";

const ASK: &str = "talos::connect(\"talosconfig\").version(\"127.50.0.2\");\n";

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "wipe.rhai", WIPE);
    let mut world =
        "clusters: {lab: {server: 'lab.example.test:6443'}}\nmachines:\n  first: {cluster: lab}\n".to_owned();
    for number in 1..=MACHINES {
        writeln!(world, "  worker-{number}: {{cluster: lab, role: worker, takes: {{firmware: 580s}}}}")
            .expect("a text takes text");
    }
    write(folder, "wipe.world.yaml", &world);
    let wipe = || cozyscript(folder, &["rehearse", "wipe.rhai"]);
    let told = String::from_utf8_lossy(&wipe().output().expect("it starts").stderr).into_owned();
    assert!(told.contains("rehearsal done in 10m"), "it is about ten minutes: {told}");
    let [wiped] = contest(WIPES, [&wipe]);
    let quick = wiped.median() < Duration::from_secs(2);
    vec![Row::timed("a rehearsed reset of 100 machines at a time", &wiped).target("<2 s", quick), asked(folder)]
}

fn asked(folder: &Path) -> Row {
    let _world = World::up(folder);
    write(folder, "ask.rhai", ASK);
    let subject = "a node is connected to and asked for its version";
    let ask = || cozyscript(folder, &["ask.rhai", "--quiet"]);
    let talosctl = peers::programs().map(|programs| programs.join("talosctl"));
    let talosctl = talosctl.and_then(|path| if path.exists() { Ok(path) } else { Err("no talosctl".to_owned()) });
    let soon = |times: &crate::contest::Times| times.median() < Duration::from_millis(15);
    match talosctl {
        Ok(talosctl) => {
            let theirs = || {
                let mut command = Command::new(&talosctl);
                command.args(["--talosconfig", "talosconfig", "-n", ADDRESS, "version"]).current_dir(folder);
                command
            };
            let [ours, theirs] = contest(QUESTIONS, [&ask, &theirs]);
            let ratio = ratio(ours.median(), theirs.median());
            let row = Row::timed(subject, &ours).beside("talosctl version", millis(theirs.median()), ratio);
            row.target("<15 ms", soon(&ours))
        }
        Err(why) => {
            let [ours] = contest(QUESTIONS, [&ask]);
            Row::timed(subject, &ours).target("<15 ms", soon(&ours)).without("talosctl", &why)
        }
    }
}

/// A world on this machine, until this ends.
struct World(Child);

impl World {
    fn up(folder: &Path) -> Self {
        let machines = format!("machines: {{first: {{cluster: lab, address: {ADDRESS}}}}}\n");
        write(folder, "one.yaml", &format!("clusters: {{lab: {{server: '{ADDRESS}:6443'}}}}\n{machines}"));
        let mut up = cozyscript(folder, &["world", "up", "--world", "one.yaml", "--kubeconfig", "kubeconfig"]);
        let up = up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut up = up.spawn().expect("it starts");
        let said = BufReader::new(up.stdout.take().expect("it is piped"));
        let world = Self(up);
        let ready = said.lines().map_while(Result::ok).any(|line| line.starts_with("export TALOSCONFIG"));
        assert!(ready, "the world is up");
        world
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("what was started here can be ended");
    }
}
