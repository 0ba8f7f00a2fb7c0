//! `cozyscript run FILE`, which is also `cozyscript FILE`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};

use super::{
    outside::{self, Asking},
    program::{self, Program},
    report,
    status::Status,
    wire::{self, Before, Order},
};
use crate::{
    diagnostic::Diagnostic,
    host::{
        allowed::{Allowed, AllowedPrograms},
        real::ProcessEnvironment,
        secrets::Vault,
    },
    run::{
        ledger::Policy,
        params::{self, Given},
        select::Selection,
    },
    ui::{
        self, Options, Verbosity,
        screen::Screen,
        style::{Color, Terminal},
    },
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The runbook
    file: PathBuf,
    #[command(flatten)]
    running: Running,
}

/// What `run` and `resume` have in common.
#[derive(Debug, Args)]
pub struct Running {
    #[command(flatten)]
    steps: Steps,
    #[command(flatten)]
    values: Values,
    /// Refuse every change of the world
    #[arg(long, help_heading = "Changes", conflicts_with = "ask")]
    read_only: bool,
    /// Ask a person before a change
    #[arg(long, value_name = "WHEN", help_heading = "Changes", num_args = 0..=1, default_missing_value = "destroying")]
    ask: Option<AskWhen>,
    /// Answer one question with yes ahead of time: STEP@TARGET
    #[arg(long, value_name = "STEP@TARGET", help_heading = "Changes")]
    yes: Vec<String>,
    /// Let the script run programs of this machine: any, or these
    #[arg(long, value_name = "PROGRAM,…", help_heading = "Changes", num_args = 0..=1, require_equals = true)]
    #[arg(value_delimiter = ',', default_missing_value = "")]
    allow_exec: Option<Vec<String>>,
    /// Let the script read and change files here, too
    #[arg(long, value_name = "DIR", help_heading = "Places")]
    allow_path: Vec<PathBuf>,
    /// Also look for imported files here, those of the standard library included
    #[arg(long, value_name = "DIR", help_heading = "Places")]
    library: Vec<PathBuf>,
    /// Keep journals here instead of in the XDG state folder
    #[arg(long, value_name = "DIR", help_heading = "Places", env = "COZYSCRIPT_JOURNAL")]
    pub journal: Option<PathBuf>,
    #[command(flatten)]
    pub look: Look,
    /// The seed of everything random, so that a run can be repeated
    #[arg(long, value_name = "NUMBER", hide = true)]
    seed: Option<u64>,
}

/// Which steps are run.
#[derive(Debug, Clone, Args)]
pub struct Steps {
    /// Skip all steps before this one (a step's path, or a pattern with * and ?)
    #[arg(long, value_name = "STEP", help_heading = "Steps")]
    from: Option<String>,
    /// Skip all steps after this one
    #[arg(long, value_name = "STEP", help_heading = "Steps")]
    until: Option<String>,
    /// Run only these steps, and what is inside them
    #[arg(long, value_name = "STEP", help_heading = "Steps")]
    only: Vec<String>,
    /// Leave these steps out
    #[arg(long, value_name = "STEP", help_heading = "Steps")]
    skip: Vec<String>,
    /// Ask before each step
    #[arg(long, help_heading = "Steps")]
    step: bool,
}

impl From<Steps> for Selection {
    fn from(Steps { from, until, only, skip, step }: Steps) -> Self {
        Self { from, until, only, skip, ask: step }
    }
}

/// The values of parameters.
#[derive(Debug, Args)]
pub struct Values {
    /// Give a parameter a value
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Parameters")]
    set: Vec<String>,
    /// Read parameters from a YAML file
    #[arg(long, value_name = "FILE", help_heading = "Parameters")]
    values: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AskWhen {
    /// Before something is destroyed
    Destroying,
    /// Before every change
    Each,
}

/// How things are shown.
#[derive(Debug, Clone, Copy, Args)]
pub struct Look {
    /// One JSON object an event, on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Show only data, warnings, failures and the end
    #[arg(long, short, help_heading = "Output", conflicts_with = "verbose")]
    quiet: bool,
    /// Also show what changed nothing
    #[arg(long, short, help_heading = "Output")]
    verbose: bool,
    /// Colours: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    color: Color,
}

impl Look {
    pub fn open(self) -> (Screen, Terminal) {
        let terminal = Terminal::of(&ProcessEnvironment::default());
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        (ui::open(Options { color: self.color, verbosity, json: self.json }, &terminal), terminal)
    }
}

pub fn main(arguments: Arguments) -> Status {
    start(&arguments.file, arguments.running, Arc::default(), None, BTreeMap::new())
}

/// Checks the runbook and runs it, from the beginning or on from a journal. `settled` says what became of the changes in
/// doubt, by their numbers.
pub fn start(
    file: &Path,
    running: Running,
    secrets: Arc<Vault>,
    before: Option<Before>,
    settled: BTreeMap<String, String>,
) -> Status {
    let (screen, terminal) = running.look.open();
    let program = match checked(&screen, file, &running.library) {
        Ok(program) => program,
        Err(status) => return status,
    };
    let mut given = match given(&running.values) {
        Ok(given) => given,
        Err(diagnostics) => return refuse(&screen, &diagnostics, &program.sources),
    };
    if let Some((_, _, past)) = &before {
        given.before = past.session.as_ref().map(|session| session.params.clone()).unwrap_or_default();
    }
    let policy = match (running.read_only, running.ask) {
        (true, _) => Policy::ReadOnly,
        (_, Some(AskWhen::Destroying)) => Policy::AskBeforeDestroying,
        (_, Some(AskWhen::Each)) => Policy::AskBeforeEach,
        (_, None) => Policy::All,
    };
    let allowed = allowed(&running);
    let Running { steps, yes, journal, seed, .. } = running;
    let asking = Asking { screen: screen.clone(), nobody: terminal.nobody(), yes, settled };
    let seed = seed.unwrap_or_else(|| wire::seed(before.as_ref()));
    wire::perform(Order {
        program,
        selection: steps.into(),
        given,
        policy,
        allowed,
        outside: outside::real(seed, asking),
        screen,
        terminal,
        store: wire::store(journal),
        seed,
        secrets,
        before,
    })
}

/// Reads a runbook and shows what is wrong with it.
///
/// # Errors
/// If it can't be run like that.
pub fn checked(screen: &Screen, file: &Path, library: &[PathBuf]) -> Result<Program, Status> {
    let program = Program::read(file, library)
        .map_err(|diagnostic| refuse(screen, &[diagnostic], &crate::script::sources::Sources::default()))?;
    let findings = program.check();
    if program::has_errors(&findings) {
        return Err(refuse(screen, &findings, &program.sources));
    }
    report::show(screen, &findings, &program.sources);
    Ok(program)
}

/// Folders are written down as they are seen from anywhere.
fn allowed(running: &Running) -> Allowed {
    let named = |programs: &Vec<String>| match programs.iter().all(String::is_empty) {
        true => AllowedPrograms::All,
        false => AllowedPrograms::Only(programs.iter().filter(|name| !name.is_empty()).cloned().collect()),
    };
    let whole = |folder: &PathBuf| std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    Allowed {
        programs: running.allow_exec.as_ref().map(named).unwrap_or_default(),
        folders: running.allow_path.iter().map(|folder| whole(folder).to_string_lossy().into_owned()).collect(),
    }
}

/// Says why nothing is run.
pub fn refuse(screen: &Screen, diagnostics: &[Diagnostic], sources: &crate::script::sources::Sources) -> Status {
    report::show(screen, diagnostics, sources);
    // Nobody reads any more: the status says it all the same.
    match screen.close() {
        Ok(()) | Err(_) => Status::Usage,
    }
}

/// Reads the values of parameters.
///
/// # Errors
/// What is wrong with how they are given.
pub fn given(values: &Values) -> Result<Given, Vec<Diagnostic>> {
    let mut given = Given::default();
    let mut wrong = Vec::new();
    for pair in &values.set {
        match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => given.set.push((name.to_owned(), value.to_owned())),
            _ => wrong.push(
                Diagnostic::error("usage", format!("`--set {pair}` gives nothing a value"))
                    .hint("write it as `--set name=value`"),
            ),
        }
    }
    for path in &values.values {
        let name = path.to_string_lossy();
        let read = std::fs::read_to_string(path).map_err(|error| format!("can't read `{name}`: {error}"));
        match read.and_then(|text| params::read_values(&name, &text)) {
            Ok(values) => given.files.push((name.into_owned(), values)),
            Err(message) => wrong.push(
                Diagnostic::error("usage", message)
                    .hint("a `--values` file is a YAML map of parameters to their values"),
            ),
        }
    }
    if wrong.is_empty() { Ok(given) } else { Err(wrong) }
}
