//! `cozyscript completions SHELL`.

use clap::Args;
use clap_complete::Shell;

use super::status::Status;

#[derive(Debug, Args)]
pub struct Arguments {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

pub fn main(arguments: &Arguments, mut command: clap::Command) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "cozyscript", &mut script);
    super::report::data(String::from_utf8_lossy(&script).trim_end());
    Status::Done
}
