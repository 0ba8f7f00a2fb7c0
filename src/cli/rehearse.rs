//! `cozyscript rehearse FILE`: as `run`, on a world that is played.

use std::path::PathBuf;

use clap::Args;

use super::{
    chaos,
    run::{self, Look, Steps, Values},
    scenery::{Conditions, Scenery, Take},
    status::Status,
};
use crate::{
    rehearsal::Pace,
    script::sources::Sources,
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
    /// Also look for imported files here, those of the standard library included
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
    let given = match run::given(values) {
        Ok(given) => given,
        Err(diagnostics) => return run::refuse(screen, &diagnostics, &program.sources),
    };
    let conditions = Conditions { seed, pace: pace.map_or(Pace::Unbound, Pace::Times), bad_day };
    let texts = Sources::default();
    let scenery = match Scenery::of(file, world.as_deref(), conditions, &texts) {
        Ok(scenery) => scenery,
        Err(diagnostics) => return run::refuse(screen, &diagnostics, &texts),
    };
    scenery.perform(program, Take { selection: steps.clone().into(), given, ..Take::whole(screen.clone(), terminal) })
}
