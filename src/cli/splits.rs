//! `cozyscript splits FILE`: how long each step of a runbook took, and how quick it ever was.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};

use super::{report, run::Look, status::Status, wire};
use crate::{
    diagnostic::Diagnostic,
    duration,
    run::{
        journal::store::Kept,
        splits::{self, Splits, Times},
    },
    script::sources::Sources,
    ui::table,
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The runbook
    file: PathBuf,
    /// Where the journals are
    #[arg(long, value_name = "DIR", env = "COZYSCRIPT_JOURNAL")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    look: Look,
}

pub fn main(arguments: &Arguments) -> Status {
    let (screen, terminal) = arguments.look.open();
    let failed = |finding: Diagnostic| {
        report::show(&screen, &[finding], &Sources::default());
        Status::Usage
    };
    let store = wire::store(arguments.journal.clone());
    let runs = match store.runs() {
        Ok((runs, _)) => runs,
        Err(error) => {
            let message = format!("can't list the runs in `{}`: {error}", store.folder().display());
            return failed(Diagnostic::error("splits", message).hint("name another folder with `--journal`"));
        }
    };
    let runs: Vec<&Kept> = runs.iter().filter(|run| is_of(run, &arguments.file)).collect();
    if runs.is_empty() {
        let message = format!("`{}` was never run", arguments.file.display());
        return failed(Diagnostic::error("splits", message).hint("`cozyscript history` lists the runs"));
    }
    let splits = splits::splits(&runs);
    if arguments.look.json {
        report::data(&summary(&splits).to_string());
        return Status::Done;
    }
    let columns = ["step", "last", "behind", "best", "average", "median", "runs"].map(str::to_owned);
    let width = terminal.output.then(|| screen.columns());
    for line in table::lines(&columns, &rows(&splits), width, screen.style()) {
        report::data(&line.styled(screen.style()));
    }
    Status::Done
}

fn is_of(run: &Kept, file: &Path) -> bool {
    std::path::absolute(file).is_ok_and(|path| path.as_os_str() == run.journal.head.runbook.as_str())
}

fn rows(splits: &Splits) -> Vec<Vec<String>> {
    let row = |name: &str, times: &Times| {
        let behind = times.last().zip(times.best()).map(|(last, best)| last.saturating_sub(best));
        let behind = behind.filter(|behind| !behind.is_zero()).map(|behind| format!("+{}", duration::show(behind)));
        vec![
            name.to_owned(),
            shown(times.last()),
            behind.unwrap_or_default(),
            shown(times.best()),
            shown(times.average()),
            shown(times.median()),
            times.count().to_string(),
        ]
    };
    let mut rows: Vec<Vec<String>> = splits.steps.iter().map(|(step, times)| row(step, times)).collect();
    rows.push(row("the whole run", &splits.whole));
    if splits.sum_of_best.is_some() {
        let mut sum = vec![String::new(); rows[0].len()];
        (sum[0], sum[3]) = ("the sum of the best".to_owned(), shown(splits.sum_of_best));
        rows.push(sum);
    }
    rows
}

fn shown(time: Option<Duration>) -> String {
    time.map(duration::show).unwrap_or_default()
}

fn summary(splits: &Splits) -> Value {
    let millis = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let entry = |times: &Times| {
        json!({
            "last_ms": millis(times.last()),
            "best_ms": millis(times.best()),
            "average_ms": millis(times.average()),
            "median_ms": millis(times.median()),
            "runs": times.count(),
        })
    };
    let steps = splits.steps.iter().map(|(step, times)| {
        let mut entry = entry(times);
        entry["step"] = json!(step);
        entry
    });
    json!({
        "steps": steps.collect::<Vec<_>>(),
        "whole": entry(&splits.whole),
        "sum_of_best_ms": millis(splits.sum_of_best),
    })
}
