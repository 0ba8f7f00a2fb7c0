//! How fast it is: each subject beside a peer, in the same run, in one table.
//!
//! A number is compared with what was measured a moment before, never with what another machine once did; a target that
//! is missed is said, and fails nothing.
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark watches the program from outside, with the system's own clock"
)]

mod applying;
mod bare;
mod binary_size;
mod check;
mod cold_start;
mod contest;
mod discovery;
mod flux;
mod kubernetes;
mod lists;
mod memory;
mod peers;
mod rehearsal;
mod resume;
mod steps;
mod stop;
mod table;
mod talos;
mod waits;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use table::Row;

/// The program that is measured: the one built with this, or another build that `COZYSCRIPT_PROGRAM` names.
pub fn program() -> PathBuf {
    std::env::var_os("COZYSCRIPT_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_cozyscript").into()).into()
}

/// Measures in a folder of its own.
type Subject = fn(&Path) -> Vec<Row>;

/// The subjects, by the names that choose them on the command line.
const SUBJECTS: [(&str, Subject); 14] = [
    ("cold_start", cold_start::rows),
    ("memory", memory::rows),
    ("steps", steps::rows),
    ("stop", stop::rows),
    ("check", check::rows),
    ("resume", resume::rows),
    ("rehearsal", rehearsal::rows),
    ("binary_size", binary_size::rows),
    ("kubernetes", kubernetes::rows),
    ("lists", lists::rows),
    ("waits", waits::rows),
    ("discovery", discovery::rows),
    ("flux", flux::rows),
    ("talos", talos::rows),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, namespace] = arguments.as_slice()
        && word == bare::WORD
    {
        return bare::apply(namespace);
    }
    // `cargo bench` hands on options of the standard harness.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let folder = tempfile::tempdir().expect("the system has a place for temporary files");
    let chosen =
        SUBJECTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted)));
    let mut rows = Vec::new();
    for (name, subject) in chosen {
        eprintln!("measuring {name}");
        let own = folder.path().join(name);
        std::fs::create_dir(&own).expect("the folder is empty");
        rows.extend(subject(&own));
    }
    println!("\n{}", table::table(&rows));
}

/// A run of the program in a folder, with its journals below it.
pub fn cozyscript(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.current_dir(folder).args(arguments).env("COZYSCRIPT_JOURNAL", folder.join("journals"));
    command
}

/// Writes a file that a subject needs.
pub fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("the folder can be written");
}
