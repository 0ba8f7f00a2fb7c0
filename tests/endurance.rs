//! What holds one time must hold a million times: trials that repeat, with a seed for each failure.
//!
//! `cargo test --test endurance -- --count 1000000 yaml` runs the trials named so, a million times each.
#![allow(clippy::disallowed_methods, reason = "tests watch the program from outside, with the system's own clock")]

#[path = "endurance/fuzz.rs"]
mod fuzz;
#[path = "endurance/kubeconfig.rs"]
mod kubeconfig;
#[path = "endurance/mutate.rs"]
mod mutate;

use libtest_mimic::{Arguments, Trial};

/// What a plain `cargo test` spends on each trial.
const FEW: u64 = 20_000;

fn main() {
    let (count, arguments) = take_count(std::env::args().collect()).unwrap_or_else(|message| {
        eprintln!("error: {message}");
        std::process::exit(2);
    });
    let count = count.unwrap_or(FEW);
    let trials = fuzz::trials(count).into_iter().chain(kubeconfig::trials(count)).collect();
    libtest_mimic::run(&Arguments::from_iter(arguments), trials).exit()
}

/// Takes `--count N` out of the arguments, the rest are those of every test binary.
fn take_count(mut arguments: Vec<String>) -> Result<(Option<u64>, Vec<String>), String> {
    let Some(at) = arguments.iter().position(|argument| argument == "--count") else { return Ok((None, arguments)) };
    let number = arguments.get(at + 1).ok_or("`--count` needs a number")?;
    let count = number.parse().map_err(|_| format!("`--count` needs a number, not `{number}`"))?;
    arguments.drain(at..at + 2);
    Ok((Some(count), arguments))
}

/// A trial that runs its body once for each seed below the count.
pub fn trial(
    name: &str,
    count: u64,
    body: fn(seeds: std::ops::Range<u64>) -> Result<(), libtest_mimic::Failed>,
) -> Trial {
    Trial::test(name, move || body(0..count))
}
