//! `cozyscript world`: looking after the worlds of rehearsals.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use tokio::sync::Notify;

use super::{record, report, run::Look, status::Status};
use crate::{
    diagnostic::{Diagnostic, Span},
    host::{
        clock::Clock,
        real::{Blocking, SystemClock},
        threads::Threads,
    },
    rehearsal::{self, Description, Problem, Up},
    script::sources::Sources,
    ui::screen::Screen,
};

#[derive(Debug, Args)]
#[command(after_help = "`cozyscript docs --world` says what may stand in world files.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lets other programs look into a world: its servers on this machine, in real time, until Ctrl-C
    Up(UpArguments),
    /// Finds what is wrong with world files
    Check(CheckArguments),
    /// Writes the world file of a real cluster: its nodes, kinds and objects, without what is secret
    Record(record::Arguments),
}

#[derive(Debug, Args)]
struct UpArguments {
    /// The world; a bare cluster, if left out
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Write the kubeconfig here, and the talosconfig of its nodes beside it; they stay there
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// What everything random in the world follows from
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// The world files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    look: Look,
}

pub fn main(arguments: &Arguments) -> Status {
    match &arguments.command {
        Command::Up(arguments) => up(arguments),
        Command::Check(arguments) => check(arguments),
        Command::Record(arguments) => record::main(arguments),
    }
}

fn up(arguments: &UpArguments) -> Status {
    let (screen, _) = arguments.look.open();
    let texts = Sources::default();
    let shown = find(arguments.world.as_deref(), None, &texts)
        .and_then(|(name, world)| show(arguments, &screen, &name, &world).map_err(|diagnostic| vec![diagnostic]));
    let status = match shown {
        Ok(()) => Status::Done,
        Err(diagnostics) => {
            report::show(&screen, &diagnostics, &texts);
            Status::Usage
        }
    };
    if screen.close().is_ok() { status } else { Status::Failed }
}

/// Shows a world until somebody ends it.
fn show(arguments: &UpArguments, screen: &Screen, name: &str, world: &Description) -> Result<(), Diagnostic> {
    let system = |error: std::io::Error| Diagnostic::error("system", error.to_string());
    let threads = Blocking::default();
    let folder = tempfile::tempdir().map_err(system)?;
    let seed = arguments.seed.unwrap_or_else(|| world.seed());
    let now = SystemClock::new(seed).now();
    let up = blocking(&threads, Up::begin(world.clone(), now, seed));
    let up = up.map_err(|why| Diagnostic::error("world", format!("{name} can't be: {why}")))?;
    let kubeconfig = arguments.kubeconfig.clone().unwrap_or_else(|| folder.path().join("kubeconfig"));
    std::fs::write(&kubeconfig, &up.kubeconfig).map_err(|error| {
        Diagnostic::error("file", format!("can't write the kubeconfig `{}`: {error}", kubeconfig.display()))
    })?;
    let talosconfig = kubeconfig.with_file_name("talosconfig");
    if let Some(text) = &up.talosconfig {
        std::fs::write(&talosconfig, text).map_err(|error| {
            Diagnostic::error("file", format!("can't write the talosconfig `{}`: {error}", talosconfig.display()))
        })?;
    }
    for (server, at) in &up.servers {
        screen.say(&format!("{server} is at {at}"));
    }
    screen.say("Ctrl-C ends the world");
    report::data(&format!("export KUBECONFIG={}", kubeconfig.display()));
    if up.talosconfig.is_some() {
        report::data(&format!("export TALOSCONFIG={}", talosconfig.display()));
    }
    blocking(&threads, ended()).map_err(system)?;
    for what in up.unmodelled() {
        screen.say(&format!("warning: {what}"));
    }
    threads.end();
    Ok(())
}

async fn ended() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = Arc::new(Notify::new());
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signals, asked) = (signal(kind)?, asked.clone());
        tokio::spawn(async move {
            signals.recv().await;
            asked.notify_one();
        });
    }
    asked.notified().await;
    Ok(())
}

/// Waits for the work on this thread.
fn blocking<T: Send + 'static>(threads: &Blocking, work: impl Future<Output = T> + Send + 'static) -> T {
    let (tell, told) = std::sync::mpsc::channel();
    threads.drive(Box::pin(async move {
        drop(tell.send(work.await));
    }));
    told.recv().expect("the work was driven to its end")
}

fn check(arguments: &CheckArguments) -> Status {
    let (screen, _) = arguments.look.open();
    let mut failed = false;
    for file in &arguments.files {
        let sources = Sources::default();
        match read(file, &sources) {
            Ok(_) => screen.say(&format!("{}: nothing wrong", file.display())),
            Err(diagnostics) => {
                failed = true;
                report::show(&screen, &diagnostics, &sources);
            }
        }
    }
    let written = screen.close();
    if failed || written.is_err() { Status::Usage } else { Status::Done }
}

/// The world that is meant, and what it is called: the one named, the one beside the runbook, or a bare one.
///
/// # Errors
/// What is wrong with it.
pub fn find(
    named: Option<&Path>,
    runbook: Option<&Path>,
    sources: &Sources,
) -> Result<(String, Description), Vec<Diagnostic>> {
    let beside = runbook.map(|runbook| runbook.with_extension("world.yaml")).filter(|path| path.exists());
    match named.map(Path::to_owned).or(beside) {
        Some(path) => Ok((path.to_string_lossy().into_owned(), read(&path, sources)?)),
        None => Ok(("a bare world".to_owned(), Description::default())),
    }
}

fn read(path: &Path, sources: &Sources) -> Result<Description, Vec<Diagnostic>> {
    let name = path.to_string_lossy();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => format!("world `{name}` is not there"),
            _ => format!("can't read the world `{name}`: {error}"),
        };
        vec![Diagnostic::error("file", message)]
    })?;
    sources.remember(&name, &text);
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let beside = |path: &Path| texts(&folder.join(path)).map_err(|error| error.to_string());
    rehearsal::read(&text, &beside).map_err(|problems| {
        problems
            .into_iter()
            .map(|Problem { message, hint, place }| {
                let span =
                    Span { source: name.to_string(), line: place.line, column: place.column, length: place.length };
                Diagnostic { hint, ..Diagnostic::error("world", message).at(span) }
            })
            .collect()
    })
}

/// The text of a file, or those of the manifests in a folder, by their names.
fn texts(path: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        paths = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|form| form == "yaml" || form == "yml" || form == "json"));
        paths.sort();
    }
    let named = |path: PathBuf| Ok((path.to_string_lossy().into_owned(), std::fs::read_to_string(&path)?));
    paths.into_iter().map(named).collect()
}
