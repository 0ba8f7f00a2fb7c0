//! The most memory that a run had at once; of a trivial one, to begin with.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{cozyscript, peers, table::Row, write};

/// How often a process is asked for its memory: nobody can ask one that has ended.
const LOOK: Duration = Duration::from_millis(2);

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

/// The most memory that a command had at once, in KiB.
pub fn peak(mut command: Command) -> u64 {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut most = None;
    while child.try_wait().expect("it is our child").is_none() {
        most = most_so_far(child.id()).or(most);
        thread::sleep(LOOK);
    }
    most.expect("it runs long enough to be looked at")
}

/// What the system says was the most up to now, in KiB; nothing of a process that has ended.
pub fn most_so_far(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse().expect("it is a number of KiB"))
}

pub fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}
