//! The most memory that a trivial run had at once.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{cozyscript, peers, table::Row, write};

/// How long a run stays for its memory to be read: nobody can ask a process that has ended.
const STAY: Duration = Duration::from_millis(600);

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "stay.rhai", "step \"stay\" { sleep(\"1s\"); }\n");
    write(folder, "justfile", "stay:\n\t@sleep 1\n");
    let ours = peak(cozyscript(folder, &["stay.rhai"]));
    let row = Row::new("peak memory of a trivial run", mebibytes(ours), String::new());
    vec![match peers::just() {
        Ok(just) => {
            let mut command = Command::new(just);
            command.current_dir(folder);
            let theirs = peak(command);
            row.beside("just", mebibytes(theirs), ours as f64 / theirs as f64)
        }
        Err(why) => row.without("just", &why),
    }]
}

/// What the system says was the most, in KiB.
fn peak(mut command: Command) -> u64 {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    thread::sleep(STAY);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("the run is still there");
    child.wait().expect("it is our child");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the system counts memory");
    line.trim().trim_end_matches(" kB").trim().parse().expect("it is a number of KiB")
}

fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}
