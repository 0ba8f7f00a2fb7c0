//! Putting a run together: the host, the engine, the journal and the screen. A rehearsal will differ from a run only here.

use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use rhai::{AST, Scope};

use super::{
    program::{Program, declared},
    report,
    signals::Stopper,
    status::Status,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    event::{EffectEnd, RunEnd, What},
    host::{
        Host,
        cancel::{Cancel, Reason},
        clock::Clock,
        effect::{Decision, Effect, Effects, Ticket},
        events::Events,
        files::Files,
        frame::{self, Frame},
        real::{Blocking, ProcessEnvironment, SystemClock, Tcp, http::Reqwest},
        secrets::Vault,
        threads,
    },
    run::{
        journal::{
            format::{self, Head, Record, Session},
            past::Past,
            read::Journal,
            store::Store,
            write::{OpenError, Writer},
        },
        ledger::{Ledger, Policy, Ports},
        params::{self, Given, Wrong},
        runner::{Parts, Run},
        select::{NoSuchStep, Selection},
    },
    script::{
        context::Context,
        diagnostic::{self, Script},
        engine,
        fault::Kind,
    },
    ui::{
        prompt::{Prompt, TerminalKeyboard},
        screen::Screen,
        style::Terminal,
        ticker::Ticker,
    },
};

/// Everything that was asked for.
pub struct Order {
    pub program: Program,
    pub selection: Selection,
    pub given: Given,
    pub policy: Policy,
    /// The questions answered ahead of time.
    pub yes: Vec<String>,
    pub screen: Screen,
    pub terminal: Terminal,
    pub store: Store,
    pub seed: u64,
    /// The journal to go on with.
    pub before: Option<(Writer, Journal, Past)>,
}

/// The folder of journals: `--journal`, or the system's place for a program's state.
pub fn store(folder: Option<PathBuf>) -> Store {
    use etcetera::BaseStrategy;
    let folder = folder.unwrap_or_else(|| {
        let base = etcetera::choose_base_strategy().ok();
        let state = base.and_then(|base| base.state_dir().or_else(|| Some(base.data_dir())));
        state.unwrap_or_default().join("cozyscript/runs")
    });
    Store::at(folder)
}

/// Runs a runbook that was checked.
pub fn perform(order: Order) -> Status {
    let screen = order.screen.clone();
    screen.restore_on_panic();
    let status = try_perform(order).unwrap_or_else(|(diagnostics, sources)| {
        report::show(&screen, &diagnostics, &sources);
        Status::Usage
    });
    match screen.close() {
        // Whoever read the output has gone; what was done is in the journal.
        Ok(()) | Err(_) => status,
    }
}

type Unfit = (Vec<Diagnostic>, crate::script::sources::Sources);

fn try_perform(order: Order) -> Result<Status, Unfit> {
    let Order { mut program, selection, given, policy, yes, screen, terminal, store, seed, before } = order;
    let sources = program.sources.clone();
    let unfit = |diagnostics: Vec<Diagnostic>| (diagnostics, sources.clone());
    let ast = program.compile().map_err(|diagnostic| unfit(vec![diagnostic]))?;
    let steps = program.steps();
    selection.check(&steps).map_err(|missing| unfit(missing.iter().map(no_such_step).collect()))?;

    // Two workers: one may be in a slow system call while the other keeps watches and timers alive.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| unfit(vec![Diagnostic::error("system", format!("no runtime: {error}"))]))?;
    let cancel = Cancel::root();
    let clock = Arc::new(SystemClock::new(seed));
    let secrets = Arc::new(Vault::default());
    let events = Arc::new(Events::new(clock.clone(), secrets.clone(), vec![screen.reporter()]));
    let stopper = Stopper::new(cancel.clone(), events.clone());
    let on_interrupt = stopper.clone();
    let ask = Prompt::new(screen.clone(), Box::new(TerminalKeyboard), terminal.nobody(), yes, move || {
        on_interrupt.stop("Ctrl-C");
    });
    let mut host = Host {
        clock: clock.clone(),
        dial: Arc::new(Tcp),
        http: Arc::new(Reqwest::default()),
        ask: Arc::new(ask),
        effects: Arc::new(Nothing),
        environment: Arc::new(ProcessEnvironment),
        files: Arc::new(Files::below(&program.folder)),
        secrets: secrets.clone(),
        threads: Arc::new(Blocking::on(runtime.handle().clone())),
        events: events.clone(),
    };
    {
        let _inside = runtime.enter();
        let refused = |error| unfit(vec![Diagnostic::error("system", format!("no signal handlers: {error}"))]);
        stopper.listen().map_err(refused)?;
    }

    let params = params::resolve(&declared(&ast), &given, &host)
        .map_err(|wrong| unfit(wrong.iter().map(|wrong| wrong_param(&program.name, wrong)).collect()))?;

    let opened = match before {
        Some(opened) => Ok(opened),
        None => begin(&store, &program, &clock, seed, secrets.clone()),
    };
    let (mut writer, journal, mut past) =
        opened.map_err(|error| unfit(vec![Diagnostic::error("journal", error.to_string())]))?;
    let session_before = past.session.clone();
    let session = Session {
        process: std::process::id(),
        host: gethostname(),
        user: host_user(&host),
        sources: sources.all().into_iter().map(|(name, text)| (name, text.to_string())).collect(),
        params: params.kept(),
    };
    let line = writer
        .write(clock.now(), Record::Session(session))
        .map_err(|error| unfit(vec![Diagnostic::error("journal", format!("the journal can't be written: {error}"))]))?;
    past.add(&line).expect("a session may follow anything");

    let ports = Ports {
        clock: clock.clone(),
        events: events.clone(),
        ask: host.ask.clone(),
        threads: host.threads.clone(),
        cancel: cancel.clone(),
    };
    let ledger = Arc::new(Ledger::new(ports, policy, writer, past));
    host.effects = ledger.clone();
    let run = Run::new(Parts {
        host: host.clone(),
        ledger: ledger.clone(),
        cancel: cancel.clone(),
        params,
        name: program.name.clone(),
        sources: sources.clone(),
        outline: program.outline().clone(),
        selection,
        before: session_before.clone(),
    });
    let context = Context::new(host, Arc::new(run), program.catalogue.clone());
    engine::attach(&mut program.engine, &context);

    let name = journal.head.run.clone();
    events.emit_in(
        "",
        What::RunStarted {
            run: name.clone(),
            runbook: program.name.clone(),
            resumed: session_before.is_some(),
            narration: program.outline().narration.clone(),
            steps: steps.iter().filter(|path| !path.contains('/')).count(),
        },
    );
    let ticker = Ticker::start(screen.clone(), clock.clone());
    let started = clock.elapsed();
    let end = evaluate(&program, &ast, &cancel);
    let elapsed = clock.elapsed().saturating_sub(started);
    drop(ticker);

    let End { outcome, diagnostic, because, fault } = end;
    ledger.record(Record::Ended { outcome, because, elapsed_ms: millis(elapsed) });
    let resume = (outcome != RunEnd::Done).then(|| format!("cozyscript resume {name}"));
    events.emit_in("", What::RunFinished { outcome, elapsed, fault, resume });
    if let Some(diagnostic) = diagnostic {
        let diagnostic = redacted(diagnostic, &secrets);
        report::show(&screen, &[diagnostic], &sources);
    }
    // Connections and timers that are still there have nothing left to do.
    runtime.shutdown_background();
    Ok(outcome.into())
}

/// What the evaluation of a runbook came to.
struct End {
    outcome: RunEnd,
    diagnostic: Option<Diagnostic>,
    because: Option<String>,
    fault: Option<crate::event::FaultShown>,
}

fn evaluate(program: &Program, ast: &AST, cancel: &Cancel) -> End {
    let result = thread::scope(|scope| {
        let script =
            thread::Builder::new().name("script".to_owned()).stack_size(threads::STACK).spawn_scoped(scope, || {
                frame::within(Frame::root(cancel.clone()), || program.engine.run_ast_with_scope(&mut Scope::new(), ast))
            });
        script.expect("the system gives a thread").join()
    });
    let script = Script { engine: &program.engine, sources: &program.sources, source: &program.name };
    match result {
        Ok(Ok(())) => match cancel.reason() {
            Some(reason) => stopped(reason),
            None => End { outcome: RunEnd::Done, diagnostic: None, because: None, fault: None },
        },
        Ok(Err(error)) => match diagnostic::reason_of(&error) {
            Some(reason) => stopped(reason),
            None => {
                let fault = diagnostic::fault_of(&error, script);
                let refused = fault.as_ref().is_some_and(|fault| fault.kind == Kind::Refused);
                // What was refused because the run was to stop has stopped, and has not failed.
                if let Some(reason) = cancel.reason() {
                    return stopped(reason);
                }
                End {
                    outcome: if refused { RunEnd::Refused } else { RunEnd::Failed },
                    diagnostic: diagnostic::of_error(&error, script),
                    because: fault.as_ref().map(|fault| fault.message.clone()),
                    fault: fault.map(|fault| fault.shown()),
                }
            }
        },
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let message =
                format!("this is a mistake in cozyscript: {}", text.unwrap_or_else(|| "it panicked".to_owned()));
            let hint = "please report it with the runbook; `cozyscript resume` goes on from the journal";
            End {
                outcome: RunEnd::Failed,
                because: Some(message.clone()),
                diagnostic: Some(Diagnostic::error("bug", message).hint(hint)),
                fault: None,
            }
        }
    }
}

fn stopped(reason: Reason) -> End {
    let diagnostic = match &reason {
        Reason::Unanswered(what) => {
            let hint = "resume on a terminal and answer, or give the answer ahead with `--yes STEP@TARGET`";
            Some(Diagnostic::warning("unanswered", what.clone()).hint(hint))
        }
        Reason::Journal(what) => {
            Some(Diagnostic::error("journal", what.clone()).hint("make room or mend the folder, then resume"))
        }
        Reason::Signal(_) | Reason::Timeout(_) | Reason::Sibling(_) | Reason::Lost => None,
    };
    End { outcome: RunEnd::Stopped, because: Some(reason.to_string()), diagnostic, fault: None }
}

fn begin(
    store: &Store,
    program: &Program,
    clock: &Arc<SystemClock>,
    seed: u64,
    secrets: Arc<Vault>,
) -> Result<(Writer, Journal, Past), OpenError> {
    let failed = |error| OpenError::Io { doing: "create", path: store.folder().to_owned(), error };
    let path = PathBuf::from(&program.name);
    let name = store.name(&path, clock.now()).map_err(failed)?;
    let title =
        program.outline().narration.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned();
    let head = Head {
        journal: format::VERSION,
        cozyscript: env!("CARGO_PKG_VERSION").to_owned(),
        run: name.clone(),
        runbook: std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned(),
        title,
        seed,
    };
    let mut writer = Writer::create(&store.file(&name), secrets)?;
    let line = writer.write(clock.now(), Record::Run(head.clone())).map_err(failed)?;
    let past = Past::of(std::slice::from_ref(&line)).expect("a journal begins with its head");
    Ok((writer, Journal { head, lines: vec![line], whole: 0 }, past))
}

/// Before the run begins, nothing is changed.
struct Nothing;

impl Effects for Nothing {
    fn announce(&self, _: Effect) -> Decision {
        Decision::Refused("the run has not begun".to_owned())
    }

    fn close(&self, _: Ticket, _: EffectEnd, _: serde_json::Value, _: Option<String>) {}
}

fn no_such_step(missing: &NoSuchStep) -> Diagnostic {
    let NoSuchStep { option, pattern, near, steps } = missing;
    let message = format!("`{option} {pattern}` names no step of the runbook");
    Diagnostic::error("unknown_step", message).hint(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if steps.is_empty() => "it has no steps".to_owned(),
        None => format!("its steps are {}", steps.join(", ")),
    })
}

fn wrong_param(runbook: &str, wrong: &Wrong) -> Diagnostic {
    let mut diagnostic = Diagnostic::error("param", wrong.message.clone());
    diagnostic.hint.clone_from(&wrong.hint);
    diagnostic.place =
        wrong.declared.map(|(line, column)| Span { source: runbook.to_owned(), line, column, length: "param".len() });
    diagnostic
}

fn redacted(mut diagnostic: Diagnostic, secrets: &Vault) -> Diagnostic {
    let clean = |text: &mut String| *text = secrets.redact(text).into_owned();
    clean(&mut diagnostic.message);
    diagnostic.notes.iter_mut().for_each(clean);
    diagnostic.hint.as_mut().map(clean);
    diagnostic.label.as_mut().map(clean);
    diagnostic
}

fn gethostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "this host".to_owned(), |name| name.trim().to_owned())
}

fn host_user(host: &Host) -> String {
    host.environment
        .variable("USER")
        .or_else(|| host.environment.variable("LOGNAME"))
        .unwrap_or_else(|| "an unnamed user".to_owned())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
