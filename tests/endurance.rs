//! What holds one time must hold a million times: trials that repeat, with a seed for each failure.
//!
//! `cargo test --test endurance -- --count 1000000 yaml` runs the trials named so, a million times each.
#![allow(clippy::disallowed_methods, reason = "tests watch the program from outside, with the system's own clock")]

#[path = "endurance/crash.rs"]
mod crash;
#[path = "endurance/fuzz.rs"]
mod fuzz;
#[path = "endurance/journals.rs"]
mod journals;
#[path = "endurance/kubeconfigs.rs"]
mod kubeconfigs;
#[path = "endurance/mutate.rs"]
mod mutate;
#[path = "endurance/networks.rs"]
mod networks;
#[path = "endurance/protocols.rs"]
mod protocols;
#[path = "endurance/runbooks.rs"]
mod runbooks;
#[path = "endurance/settings.rs"]
mod settings;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "the behaviour tests use the rest of it")]
mod support;
#[path = "endurance/texts.rs"]
mod texts;
#[path = "endurance/world.rs"]
mod world;
#[path = "endurance/yaml.rs"]
mod yaml;

use libtest_mimic::Arguments;

fn main() {
    let (count, arguments) = take_count(std::env::args().collect()).unwrap_or_else(|message| {
        eprintln!("error: {message}");
        std::process::exit(2);
    });
    let trials = crash::trials(count).into_iter().chain(fuzz::trials(count)).collect();
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
