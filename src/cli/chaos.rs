//! Bad days: a runbook rehearsed again and again, each time with other faults.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;

use super::{
    rehearse::{Arguments, rehearse},
    report,
    status::Status,
};
use crate::{
    duration,
    event::{Event, RunEnd, What},
    ui::{
        Shown, Size, View,
        line::Line,
        screen::{Screen, Stream},
        style::Terminal,
        table,
    },
};

/// How a day ended.
#[derive(Debug, Clone)]
struct Evening {
    seed: u64,
    outcome: RunEnd,
    elapsed: Duration,
    because: String,
}

/// Sees nothing but how a run ends.
struct Watch {
    seed: u64,
    evening: Arc<Mutex<Option<Evening>>>,
}

impl View for Watch {
    fn told(&mut self, event: &Event, _: Size) -> Vec<Shown> {
        if let What::RunFinished { outcome, elapsed, fault, .. } = &event.what {
            let because = fault.as_ref().map(|fault| fault.message.clone()).unwrap_or_default();
            let evening = Evening { seed: self.seed, outcome: *outcome, elapsed: *elapsed, because };
            *self.evening.lock().unwrap_or_else(PoisonError::into_inner) = Some(evening);
        }
        Vec::new()
    }

    fn tick(&mut self, _: Duration) -> Vec<Shown> {
        Vec::new()
    }

    fn region(&self, _: Duration, _: Size) -> Vec<Line> {
        Vec::new()
    }
}

/// Rehearses so many bad days, and tells which ended badly and how to live through each of them again.
pub fn survive(arguments: &Arguments, days: u64, screen: &Screen) -> Status {
    let first = arguments.seed.unwrap_or(1);
    let mut bad = Vec::new();
    let mut lived = 0;
    for seed in first..first.saturating_add(days) {
        let evening = Arc::default();
        let unseen = || Stream::new(io::sink(), false);
        let watch = Watch { seed, evening: Arc::clone(&evening) };
        let quiet = Screen::new(Box::new(watch), screen.style(), unseen(), unseen(), Box::new(|| None));
        let status = rehearse(arguments, Some(seed), true, &quiet, Terminal::default());
        lived += 1;
        match status {
            Status::Done => continue,
            // It is no fault of the day: it can't even begin, and says why where it can be seen.
            Status::Usage => return rehearse(arguments, Some(seed), true, screen, Terminal::default()),
            Status::Failed | Status::Stopped | Status::Refused => {}
        }
        bad.extend(evening.lock().unwrap_or_else(PoisonError::into_inner).take());
        if status == Status::Stopped {
            break;
        }
    }
    match arguments.look.json {
        true => bad.iter().for_each(|evening| report::data(&as_json(arguments, evening))),
        false => show(arguments, &bad, screen),
    }
    screen.say(&format!("{} of {lived} bad days ended well", lived - bad.len()));
    if screen.close().is_ok() && bad.is_empty() { Status::Done } else { Status::Failed }
}

fn show(arguments: &Arguments, bad: &[Evening], screen: &Screen) {
    if bad.is_empty() {
        return;
    }
    let columns = ["seed", "ended", "after", "live through it with", "because"].map(str::to_owned);
    let row = |evening: &Evening| {
        let Evening { seed, outcome, elapsed, because } = evening;
        vec![
            seed.to_string(),
            word(*outcome).to_owned(),
            duration::show(*elapsed),
            again(arguments, *seed),
            because.clone(),
        ]
    };
    // Not cut to the window: the commands are to be copied.
    for line in table::lines(&columns, &bad.iter().map(row).collect::<Vec<_>>(), None, screen.style()) {
        screen.say(&line.styled(screen.style()));
    }
}

fn as_json(arguments: &Arguments, evening: &Evening) -> String {
    let Evening { seed, outcome, elapsed, because } = evening;
    json!({
        "seed": seed,
        "outcome": outcome,
        "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "because": because,
        "command": again(arguments, *seed),
    })
    .to_string()
}

fn word(outcome: RunEnd) -> &'static str {
    match outcome {
        RunEnd::Stopped => "stopped",
        RunEnd::Refused => "refused",
        RunEnd::Done | RunEnd::Failed => "failed",
    }
}

/// The command that repeats a day.
fn again(arguments: &Arguments, seed: u64) -> String {
    let world = arguments.world.as_ref().map(|world| format!(" --world {}", world.display())).unwrap_or_default();
    format!("cozyscript rehearse {}{world} --seed {seed} --chaos", arguments.file.display())
}
