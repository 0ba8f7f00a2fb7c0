//! How fast the simulator is, and how much it takes: one table, beside the real API server where that is there.
//!
//! A target that is missed is said, and fails nothing.
#![allow(clippy::disallowed_methods, reason = "a benchmark watches from outside, with the system's own clock")]

mod applying;
#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/arms/mod.rs"]
mod arms;
mod growing;
mod memory;
mod watching;

/// A line of the table.
pub struct Row {
    pub subject: String,
    pub measured: String,
    /// What it is held against, and whether that is met; nothing, if it is only told.
    pub target: Option<(String, bool)>,
}

impl Row {
    pub fn told(subject: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { subject: subject.into(), measured: measured.into(), target: None }
    }

    pub fn held(self, target: &str, met: bool) -> Self {
        Self { target: Some((target.to_owned(), met)), ..self }
    }
}

type Subject = fn() -> Vec<Row>;

/// The subjects by the names that choose them on the command line; what is measured by memory comes first, in a fresh process.
const SUBJECTS: [(&str, Subject); 4] =
    [("memory", memory::rows), ("applying", applying::rows), ("watching", watching::rows), ("growing", growing::rows)];

fn main() {
    // `cargo bench` hands on options of the standard harness.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str()));
    let mut rows = Vec::new();
    for (name, subject) in SUBJECTS.iter().filter(|(name, _)| is_wanted(name)) {
        eprintln!("measuring {name}");
        rows.extend(subject());
    }
    println!("| {:<60} | {:>12} | {:<18} | {:<3} |", "subject", "measured", "target", "met");
    println!("|{}|{}|{}|{}|", "-".repeat(62), "-".repeat(14), "-".repeat(20), "-".repeat(5));
    for Row { subject, measured, target } in rows {
        let (target, met) =
            target.map_or_else(Default::default, |(target, met)| (target, if met { "yes" } else { "no" }));
        println!("| {subject:<60} | {measured:>12} | {target:<18} | {met:<3} |");
    }
}
