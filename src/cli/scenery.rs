//! A world in its place for a runbook, which is rehearsed on it once, or as often as one likes.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;

use super::{
    outside::Outside,
    program::Program,
    report,
    status::Status,
    wire::{self, Order},
    world,
};
use crate::{
    diagnostic::Diagnostic,
    host::{
        allowed::Allowed,
        ask::{Ask, Question},
        files::Machine,
        secrets::Vault,
    },
    rehearsal::{NoPrograms, Pace, Rehearsal, SeededEntropy, SeededKeys},
    run::{
        self,
        journal::{past::Past, read::Journal, write::Writer},
        ledger::Policy,
        params::Given,
        select::Selection,
    },
    script::{sources::Sources, values::tree::Tree},
    ui::{prompt, screen::Screen, style::Terminal},
};

/// A world that waits for its runbook.
pub struct Scenery {
    runbook: PathBuf,
    /// What is said of the world.
    name: String,
    seed: u64,
    /// The values that the world's file gives for the runbook's parameters.
    params: BTreeMap<String, Tree>,
    rehearsal: Rehearsal,
    machine: Arc<Machine>,
    /// Holds the journals, and the files of the machine.
    folder: TempDir,
}

/// What the world is like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions {
    /// What everything random follows from; the one of the world's file, if it is not given.
    pub seed: Option<u64>,
    pub pace: Pace,
    /// More goes wrong than the world's file says.
    pub bad_day: bool,
}

/// How a runbook is rehearsed.
pub struct Take {
    pub selection: Selection,
    pub given: Given,
    pub screen: Screen,
    pub terminal: Terminal,
    /// What must not be shown; the journal to go on with knows it, too.
    pub secrets: Arc<Vault>,
    /// The journal to go on with.
    pub before: Option<(Writer, Journal, Past)>,
    /// What became of the changes in doubt, by their numbers.
    pub settled: BTreeMap<String, String>,
}

impl Take {
    /// From the beginning to the end.
    pub fn whole(screen: Screen, terminal: Terminal) -> Self {
        let (selection, given) = (Selection::default(), Given::default());
        Self { selection, given, screen, terminal, secrets: Arc::default(), before: None, settled: BTreeMap::new() }
    }
}

impl Scenery {
    /// Puts the world that is named, or the one beside the runbook, in its place.
    ///
    /// # Errors
    /// Why it can't be; `texts` has what was read then.
    pub fn of(
        runbook: &Path,
        named: Option<&Path>,
        conditions: Conditions,
        texts: &Sources,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (name, mut description) = world::find(named, Some(runbook), texts)?;
        let params = match Tree::from_json(serde_json::Value::Object(description.answers.params.clone())) {
            Tree::Map(fields) => fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
            _ => BTreeMap::new(),
        };
        description.bad_day = conditions.bad_day;
        let seed = conditions.seed.unwrap_or_else(|| description.seed());
        let system = |error: io::Error| vec![Diagnostic::error("system", format!("no temporary folder: {error}"))];
        let folder = tempfile::tempdir().map_err(system)?;
        let rehearsal = Rehearsal::begin(description, seed, conditions.pace)
            .map_err(|why| vec![Diagnostic::error("world", format!("{name} can't be: {why}"))])?;
        rehearsal.lay_out(&machine(&folder)).map_err(system)?;
        let machine = Arc::new(Machine::new(machine(&folder), run::params::folder_of(runbook)));
        Ok(Self { runbook: runbook.to_owned(), name, seed, params, rehearsal, machine, folder })
    }

    /// Runs its runbook, or another one that looks at it, on a script thread of its own, without anybody beside it who hears
    /// signals; gives the exit status.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn rehearse(&self, runbook: &Path, take: Take) -> Result<u8, Diagnostic> {
        let program = Program::read(runbook, &[])?;
        let mut order = self.order(program, take);
        if runbook == self.runbook {
            self.answer(&mut order);
        }
        Ok(wire::perform_alone(order).code())
    }

    /// As a process does it, with a person at the terminal.
    pub(super) fn perform(&self, program: Program, take: Take) -> Status {
        let mut order = self.order(program, take);
        self.answer(&mut order);
        wire::perform(order)
    }

    fn answer(&self, order: &mut Order) {
        order.given.files.insert(0, (self.name.clone(), self.params.clone()));
    }

    /// The folder that stands for the root of the machine that is played: with what was changed below the runbook's folder.
    pub fn files(&self) -> PathBuf {
        machine(&self.folder)
    }

    fn order(&self, program: Program, take: Take) -> Order {
        let Take { selection, given, screen, terminal, secrets, before, settled } = take;
        let seed = if before.is_some() { wire::seed(before.as_ref()) } else { self.seed };
        Order {
            program,
            selection,
            given,
            policy: Policy::All,
            allowed: Allowed::default(),
            outside: self.outside(seed, screen.clone(), settled),
            screen,
            terminal,
            store: wire::store(Some(self.folder.path().join("runs"))),
            seed,
            secrets,
            before,
        }
    }

    fn outside(&self, seed: u64, screen: Screen, settled: BTreeMap<String, String>) -> Outside {
        let show = move |question: &Question| screen.say(&prompt::shown_above(question, &screen));
        let answers = self.rehearsal.answers(show).settling(settled);
        let unmodelled = self.rehearsal.unmodelled();
        Outside {
            clock: Arc::new(self.rehearsal.clock(seed)),
            dial: Arc::new(self.rehearsal.dial()),
            ask: Box::new(|_| Arc::new(answers) as Arc<dyn Ask>),
            environment: Arc::new(self.rehearsal.environment()),
            programs: Arc::new(NoPrograms),
            entropy: Arc::new(SeededEntropy::new(seed)),
            keys: Arc::new(SeededKeys::new(seed)),
            threads: Arc::new(self.rehearsal.threads()),
            machine: Some(self.machine.clone()),
            ticks: false,
            world: Some(self.name.clone()),
            unnoticed: Box::new(move || unmodelled.all().iter().map(|what| report::unmodelled(what)).collect()),
            end: Box::new(|| ()),
        }
    }
}

fn machine(folder: &TempDir) -> PathBuf {
    folder.path().join("machine")
}
