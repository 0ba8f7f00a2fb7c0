//! The command line: one file a subcommand. Everything may be named from here, and nobody names this.

mod beside;
mod chaos;
mod check;
mod completions;
mod docs;
mod evaluate;
mod help;
mod history;
mod outside;
mod page;
mod program;
mod record;
mod rehearse;
pub mod report;
mod resume;
mod run;
pub mod scenery;
mod signals;
mod splits;
mod status;
mod wire;
mod world;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use self::status::Status;

/// Narrated runbooks for operations, executable: `cozyscript FILE` runs one.
#[derive(Debug, Parser)]
#[command(name = "cozyscript", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(override_usage = "cozyscript FILE [OPTIONS]\n       cozyscript <COMMAND>")]
#[command(
    after_help = "Exit statuses: 0 done, 1 the runbook failed, 2 usage or check, 3 stopped and resumable, 4 refused."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks a runbook, then runs it: narrated, timed, journaled
    Run(run::Arguments),
    /// Runs a runbook on a simulated world, on virtual time
    Rehearse(rehearse::Arguments),
    /// Looks after the worlds of rehearsals
    World(world::Arguments),
    /// Finds what is wrong with runbooks without running them
    Check(check::Arguments),
    /// Goes on with a run where it stopped
    Resume(resume::Arguments),
    /// Lists the runs so far, or shows one of them
    History(history::Arguments),
    /// Shows how long each step of a runbook took, and how quick it ever was
    Splits(splits::Arguments),
    /// Prints a runbook as a document, or the reference of functions, faults, or world files
    Docs(docs::Arguments),
    /// Explains a function, a fault kind or a subcommand
    Help(help::Arguments),
    /// Prints a completion script for a shell
    Completions(completions::Arguments),
}

/// Runs the program with these arguments, the program's name first, and gives its exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = with_run(arguments.into_iter().collect());
    let parsed = match CommandLine::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are answers, and go to standard output; clap knows which is which.
            let status = if error.use_stderr() { Status::Usage } else { Status::Done };
            return match error.print() {
                Ok(()) => status.code(),
                Err(_) => Status::Failed.code(),
            };
        }
    };
    let status = match parsed.command {
        Command::Run(arguments) => run::main(arguments),
        Command::Rehearse(arguments) => rehearse::main(&arguments),
        Command::World(arguments) => world::main(&arguments),
        Command::Check(arguments) => check::main(&arguments),
        Command::Resume(arguments) => resume::main(arguments),
        Command::History(arguments) => history::main(&arguments),
        Command::Splits(arguments) => splits::main(&arguments),
        Command::Docs(arguments) => docs::main(&arguments),
        Command::Help(arguments) => help::main(&arguments, CommandLine::command()),
        Command::Completions(arguments) => completions::main(&arguments, CommandLine::command()),
    };
    status.code()
}

/// `cozyscript FILE` is `cozyscript run FILE`, and so is `cozyscript --option FILE`.
fn with_run(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let Some(first) = arguments.get(1).and_then(|first| first.to_str()) else {
        return arguments;
    };
    let is_path = first.contains(['.', '/']);
    let names_itself = || {
        ["-h", "--help", "-V", "--version"].contains(&first)
            || CommandLine::command().get_subcommands().any(|command| command.get_name() == first)
    };
    // The program has no options of its own: whoever begins with one means those of `run`.
    let means_run = || first.starts_with('-') || std::path::Path::new(first).is_file();
    if is_path || (means_run() && !names_itself()) {
        arguments.insert(1, "run".into());
    }
    arguments
}
