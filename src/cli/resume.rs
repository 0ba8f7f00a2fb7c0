//! `cozyscript resume [RUN]`: goes on with a run where it stopped.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    report,
    run::{self, Running},
    status::Status,
    wire,
};
use crate::{
    diagnostic::Diagnostic,
    event::RunEnd,
    host::secrets::Vault,
    run::journal::{
        store::{Kept, Store},
        write::{OpenError, Writer},
    },
    script::{context::VERDICTS, options::nearest, sources::Sources},
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The run, as `history` names it; the newest that is not done, if left out
    run: Option<String>,
    /// The runbook's new place, if it was moved
    #[arg(long, value_name = "FILE")]
    runbook: Option<PathBuf>,
    /// Say what became of a change in doubt: happened, or repeat (it did not)
    #[arg(long, value_name = "CHANGE=WORD", value_parser = verdict)]
    settle: Vec<(String, String)>,
    #[command(flatten)]
    running: Running,
}

/// Reads `17=happened`.
fn verdict(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((number, word)) if number.parse::<u64>().is_ok() && VERDICTS.contains(&word) => {
            Ok((number.to_owned(), word.to_owned()))
        }
        _ => Err(format!("write it as `17={}`, with the change's number", VERDICTS.join("` or `17="))),
    }
}

pub fn main(arguments: Arguments) -> Status {
    let Arguments { run, runbook, settle, running } = arguments;
    let (screen, _) = running.look.open();
    let refuse = |diagnostic: Diagnostic| {
        report::show(&screen, &[diagnostic], &Sources::default());
        match screen.close() {
            Ok(()) | Err(_) => Status::Usage,
        }
    };
    let store = wire::store(running.journal.clone());
    let kept = match find(&store, run.as_deref()) {
        Ok(kept) => kept,
        Err(diagnostic) => return refuse(diagnostic),
    };
    // The vault fills as secrets are read again: nothing of the run is written before that.
    let secrets = Arc::new(Vault::default());
    match Writer::open(&kept.path, secrets.clone()) {
        Ok(before) => {
            let runbook = runbook.unwrap_or_else(|| relative(PathBuf::from(&kept.journal.head.runbook)));
            run::start(&runbook, running, secrets, Some(before), settle.into_iter().collect())
        }
        Err(error) => {
            let hint = match &error {
                OpenError::Running { process, .. } => format!("wait for it, or end it: `kill {process}`"),
                OpenError::Newer { .. } => "resume it with the newer cozyscript that wrote it".to_owned(),
                OpenError::Damaged { .. } | OpenError::Illegal { .. } => {
                    "look at the line; the runbook can always be run anew, with `--from`".to_owned()
                }
                OpenError::Io { .. } => "see that the folder can be written".to_owned(),
            };
            refuse(Diagnostic::error("journal", error.to_string()).hint(hint))
        }
    }
}

fn find(store: &Store, name: Option<&str>) -> Result<Kept, Diagnostic> {
    let failed = |message: String, hint: &str| Diagnostic::error("resume", message).hint(hint);
    let (runs, unreadable) = store.runs().map_err(|error| {
        failed(
            format!("can't list the runs in `{}`: {error}", store.folder().display()),
            "name another with `--journal`",
        )
    })?;
    let Some(name) = name else {
        let newest = runs.into_iter().rev().find(|run| run.past.ended != Some(RunEnd::Done));
        return newest.ok_or_else(|| {
            failed(
                format!("there is no unfinished run in `{}`", store.folder().display()),
                "`cozyscript history` lists all runs",
            )
        });
    };
    if let Some(unreadable) = unreadable.iter().find(|run| run.path == store.file(name)) {
        let message = format!("the journal `{}` can't be read: {}", unreadable.path.display(), unreadable.reason);
        return Err(failed(message, "run the runbook anew, with `--from`"));
    }
    let names: Vec<String> = runs.iter().map(|run| run.journal.head.run.clone()).collect();
    let Some(run) = runs.into_iter().find(|run| run.journal.head.run == name) else {
        let near = nearest(name, names.iter().map(String::as_str));
        let hint =
            near.map_or("`cozyscript history` lists all runs".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(failed(format!("there is no run `{name}` in `{}`", store.folder().display()), &hint));
    };
    match run.past.ended {
        Some(RunEnd::Done) => Err(failed(format!("run `{name}` is done"), "run the runbook again to begin anew")),
        _ => Ok(run),
    }
}

/// The path from here, if it lies below: positions in reports are shorter then, and equal to those of the first run.
fn relative(path: PathBuf) -> PathBuf {
    let below = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(PathBuf::from));
    below.unwrap_or(path)
}
