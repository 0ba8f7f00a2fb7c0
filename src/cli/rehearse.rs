//! `cozyscript rehearse FILE`: as `run`, on a world that is played.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use clap::Args;
use tempfile::TempDir;

use super::{
    chaos,
    outside::Outside,
    run::{self, Look, Steps, Values},
    status::Status,
    wire::{self, Order},
    world,
};
use crate::{
    diagnostic::Diagnostic,
    host::{allowed::Allowed, ask::Ask},
    rehearsal::{NoPrograms, Pace, Rehearsal, SeededEntropy},
    run::ledger::Policy,
    script::{sources::Sources, values::tree::Tree},
    ui::{screen::Screen, style::Terminal},
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The runbook
    pub file: PathBuf,
    /// The world; NAME.world.yaml beside NAME.rhai, if there is one, or else a bare cluster
    #[arg(long, value_name = "FILE", help_heading = "World")]
    pub world: Option<PathBuf>,
    /// What everything random follows from: in the world, and in the run
    #[arg(long, value_name = "NUMBER", help_heading = "World")]
    pub seed: Option<u64>,
    /// Play it so many times as fast as real time, to be watched
    #[arg(long, value_name = "TIMES", help_heading = "World", value_parser = pace)]
    pace: Option<f64>,
    /// Rehearse so many bad days, on which more goes wrong by chance, one seed after another; one, to be looked at, if left out
    #[arg(long, value_name = "DAYS", help_heading = "World", num_args = 0..=1, default_missing_value = "1")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "pace")]
    chaos: Option<u64>,
    #[command(flatten)]
    steps: Steps,
    #[command(flatten)]
    values: Values,
    /// Also look for imported files here
    #[arg(long, value_name = "DIR", help_heading = "Places")]
    library: Vec<PathBuf>,
    #[command(flatten)]
    pub look: Look,
}

fn pace(text: &str) -> Result<f64, String> {
    let times = text.trim_end_matches('x').parse::<f64>().ok().filter(|times| *times > 0.0 && times.is_finite());
    times.ok_or_else(|| "write how many times as fast as real time, such as `60`".to_owned())
}

pub fn main(arguments: &Arguments) -> Status {
    let (screen, terminal) = arguments.look.open();
    match arguments.chaos {
        Some(days @ 2..) => chaos::survive(arguments, days, &screen),
        chaos => rehearse(arguments, arguments.seed, chaos.is_some(), &screen, terminal),
    }
}

/// Rehearses once; on a bad day more goes wrong than the world's file says.
pub fn rehearse(
    arguments: &Arguments,
    seed: Option<u64>,
    bad_day: bool,
    screen: &Screen,
    terminal: Terminal,
) -> Status {
    let Arguments { file, world, pace, steps, values, library, .. } = arguments;
    let program = match run::checked(screen, file, library) {
        Ok(program) => program,
        Err(status) => return status,
    };
    let refuse = |diagnostics: &[Diagnostic]| run::refuse(screen, diagnostics, &program.sources);
    let texts = Sources::default();
    let (name, mut description) = match world::find(world.as_deref(), Some(file), &texts) {
        Ok(found) => found,
        Err(diagnostics) => return run::refuse(screen, &diagnostics, &texts),
    };
    description.bad_day = bad_day;
    let mut given = match run::given(values) {
        Ok(given) => given,
        Err(diagnostics) => return refuse(&diagnostics),
    };
    let params = serde_json::Value::Object(description.answers.params.clone());
    if let Tree::Map(fields) = Tree::from_json(params) {
        let answers = fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect::<BTreeMap<_, _>>();
        given.files.insert(0, (name.clone(), answers));
    }
    let seed = seed.unwrap_or_else(|| description.seed());
    let pace = pace.map_or(Pace::Unbound, Pace::Times);
    let system = |error: std::io::Error| vec![Diagnostic::error("system", format!("no temporary folder: {error}"))];
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return refuse(&system(error)),
    };
    let rehearsal = match Rehearsal::begin(description, seed, pace) {
        Ok(rehearsal) => rehearsal,
        Err(why) => return refuse(&[Diagnostic::error("world", format!("{name} can't be: {why}"))]),
    };
    if let Err(error) = rehearsal.lay_out(&folder.path().join("machine")) {
        return refuse(&system(error));
    }
    let store = wire::store(Some(folder.path().join("runs")));
    let outside = outside(rehearsal, name, folder, screen.clone(), seed);
    wire::perform(Order {
        program,
        selection: steps.clone().into(),
        given,
        policy: Policy::All,
        allowed: Allowed::default(),
        outside,
        screen: screen.clone(),
        terminal,
        store,
        seed,
        secrets: Arc::default(),
        before: None,
    })
}

fn outside(rehearsal: Rehearsal, name: String, folder: TempDir, screen: Screen, seed: u64) -> Outside {
    let answers = rehearsal.answers(move |text| screen.say(text));
    Outside {
        clock: Arc::new(rehearsal.clock(seed)),
        dial: Arc::new(rehearsal.dial()),
        ask: Box::new(|_| Arc::new(answers) as Arc<dyn Ask>),
        environment: Arc::new(rehearsal.environment()),
        programs: Arc::new(NoPrograms),
        entropy: Arc::new(SeededEntropy::new(seed)),
        threads: Arc::new(rehearsal.threads()),
        elsewhere: Some(folder.path().join("machine")),
        ticks: false,
        world: Some(name),
        unnoticed: Box::new(move || {
            let unmodelled = rehearsal.unmodelled();
            drop((rehearsal, folder));
            unmodelled.into_iter().map(|what| unmodelled_request(&what)).collect()
        }),
        end: Box::new(|| ()),
    }
}

fn unmodelled_request(what: &str) -> Diagnostic {
    Diagnostic::error("not_modelled", what)
        .hint("what the runbook met here is not what a real server would have done: rehearse the rest without it")
}
