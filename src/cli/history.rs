//! `cozyscript history [RUN]`: which runs there were, and how they ended.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde_json::{Value, json};

use super::{report, run::Look, status::Status, wire};
use crate::{
    diagnostic::Diagnostic,
    duration,
    event::{Outcome, RunEnd},
    run::journal::{
        format::Record,
        past::Past,
        store::{Kept, Store},
    },
    script::sources::Sources,
    ui::table,
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Show the steps of this run
    run: Option<String>,
    /// Where the journals are
    #[arg(long, value_name = "DIR", env = "COZYSCRIPT_JOURNAL")]
    journal: Option<PathBuf>,
    /// How many runs at most, the newest ones
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    look: Look,
}

pub fn main(arguments: &Arguments) -> Status {
    let (screen, terminal) = arguments.look.open();
    let store = wire::store(arguments.journal.clone());
    let (runs, unreadable) = match store.runs() {
        Ok(found) => found,
        Err(error) => {
            let message = format!("can't list the runs in `{}`: {error}", store.folder().display());
            let finding = Diagnostic::error("history", message).hint("name another folder with `--journal`");
            report::show(&screen, &[finding], &Sources::default());
            return Status::Usage;
        }
    };
    let width = terminal.output.then(|| screen.columns());
    let style = screen.style();
    let print = |columns: &[&str], rows: &[Vec<String>]| {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        for line in table::lines(&columns, rows, width, style) {
            report::data(&line.styled(style));
        }
    };
    if let Some(name) = &arguments.run {
        let Some(run) = runs.iter().find(|run| run.journal.head.run == *name) else {
            let finding = Diagnostic::error("history", format!("there is no run `{name}`"));
            report::show(&screen, &[finding.hint("`cozyscript history` lists all runs")], &Sources::default());
            return Status::Usage;
        };
        if arguments.look.json {
            run.journal.lines.iter().for_each(|line| report::data(&json!(line).to_string()));
        } else {
            print(&["step", "outcome", "took", "why"], &steps(run));
        }
        return Status::Done;
    }
    for file in &unreadable {
        let message = format!("`{}` can't be read: {}", file.path.display(), file.reason);
        report::show(&screen, &[Diagnostic::warning("journal", message)], &Sources::default());
    }
    let newest = &runs[runs.len().saturating_sub(arguments.limit)..];
    if arguments.look.json {
        newest.iter().for_each(|run| report::data(&summary(&store, run).to_string()));
    } else if newest.is_empty() {
        screen.say("no runs yet: `cozyscript FILE` makes the first");
    } else {
        let rows: Vec<Vec<String>> = newest.iter().map(row).collect();
        print(&["run", "began", "outcome", "steps", "changes", "took"], &rows);
    }
    Status::Done
}

fn outcome(run: &Kept) -> &'static str {
    match run.past.ended {
        Some(RunEnd::Done) => "done",
        Some(RunEnd::Failed) => "failed",
        Some(RunEnd::Stopped) => "stopped",
        Some(RunEnd::Refused) => "refused",
        None => "cut off",
    }
}

fn began(run: &Kept) -> String {
    run.journal.lines.first().map_or_else(String::new, |line| line.at.clone())
}

fn changes(past: &Past) -> usize {
    past.effects().iter().filter(|effect| effect.was_done()).count()
}

fn row(run: &Kept) -> Vec<String> {
    let head = &run.journal.head;
    let began = began(run);
    let began = began.get(..19).unwrap_or(&began).replace('T', " ");
    vec![
        // It begins with the runbook's name.
        head.run.clone(),
        began,
        outcome(run).to_owned(),
        run.past.done().len().to_string(),
        changes(&run.past).to_string(),
        duration::show(Duration::from_millis(run.past.elapsed_ms)),
    ]
}

fn summary(store: &Store, run: &Kept) -> Value {
    let head = &run.journal.head;
    json!({
        "run": head.run,
        "runbook": head.runbook,
        "title": head.title,
        "began": began(run),
        "outcome": outcome(run),
        "sessions": run.past.sessions,
        "steps_done": run.past.done().len(),
        "changes": changes(&run.past),
        "elapsed_ms": run.past.elapsed_ms,
        "journal": store.file(&head.run),
    })
}

/// The last word of the journal on each step, in the order in which they were begun.
fn steps(run: &Kept) -> Vec<Vec<String>> {
    let mut order: Vec<&str> = Vec::new();
    for line in &run.journal.lines {
        if let Record::StepStarted { step, .. } = &line.record
            && !order.contains(&step.as_str())
        {
            order.push(step);
        }
    }
    let rows = order.into_iter().filter_map(|path| {
        let step = run.past.step(path)?;
        let (outcome, took, why) = match &step.finished {
            Some(finished) => {
                let outcome = match finished.outcome {
                    Outcome::Done => "done",
                    Outcome::Failed => "failed",
                    Outcome::Skipped => "skipped",
                    Outcome::Replayed => "replayed",
                    Outcome::Stopped => "stopped",
                };
                let took = duration::show(Duration::from_millis(finished.elapsed_ms));
                (outcome, took, finished.fault.clone().unwrap_or_default())
            }
            None => ("cut off", String::new(), String::new()),
        };
        Some(vec![path.to_owned(), outcome.to_owned(), took, why])
    });
    rows.collect()
}
