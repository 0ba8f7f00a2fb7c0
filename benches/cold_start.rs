//! From the shell's prompt to the end of a trivial runbook.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    contest::contest,
    cozyscript, peers,
    table::{Row, millis, ratio},
    write,
};

const ROUNDS: usize = 40;

pub const RUNBOOK: &str = "//! # Greeting\n\n// Says hello.\nstep \"greet\" { print(\"hello\"); }\n";

pub const JUSTFILE: &str = "greet:\n\t@echo hello\n";

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "hello.rhai", RUNBOOK);
    write(folder, "justfile", JUSTFILE);
    let ours = || cozyscript(folder, &["hello.rhai"]);
    let fast_enough = |median: Duration| median <= Duration::from_millis(10);
    let target = "≤10 ms, ≤2× just";
    let mut rows = Vec::new();
    match peers::just() {
        Ok(just) => {
            let theirs = || {
                let mut command = Command::new(&just);
                command.current_dir(folder);
                command
            };
            let [ours, theirs] = contest(ROUNDS, [&ours, &theirs]);
            let ratio = ratio(ours.median(), theirs.median());
            let met = fast_enough(ours.median()) && ratio <= 2.0;
            let row = Row::timed("cold start of a trivial runbook", &ours).target(target, met);
            rows.push(row.beside("just", millis(theirs.median()), ratio));
        }
        Err(why) => {
            let [ours] = contest(ROUNDS, [&ours]);
            let row = Row::timed("cold start of a trivial runbook", &ours);
            rows.push(row.target(target, fast_enough(ours.median())).without("just", &why));
        }
    }
    let [version, check] =
        contest(ROUNDS, [&|| cozyscript(folder, &["--version"]), &|| cozyscript(folder, &["check", "hello.rhai"])]);
    rows.push(Row::timed("`--version`", &version));
    rows.push(Row::timed("`check` of a trivial runbook", &check));
    rows
}
