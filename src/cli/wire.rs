//! Putting a run together: the host, the engine, the journal and the screen, whatever is outside.

use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use rhai::AST;

use super::{
    beside,
    evaluate::{End, evaluate},
    outside::Outside,
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
        allowed::Allowed,
        cancel::Cancel,
        clock::Clock,
        effect::{Decision, Effect, Effects, Ticket},
        entropy::Entropy,
        events::Events,
        files::Files,
        real::SystemEntropy,
        secrets::Vault,
        threads::STACK,
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
    script::{context::Context, engine, sources::Sources},
    ui::{hush::Hush, screen::Screen, style::Terminal},
};

/// Everything that was asked for.
pub struct Order {
    pub program: Program,
    pub selection: Selection,
    pub given: Given,
    pub policy: Policy,
    /// What a person allowed beyond what every run may do.
    pub allowed: Allowed,
    pub outside: Outside,
    pub screen: Screen,
    pub terminal: Terminal,
    pub store: Store,
    /// Of everything random.
    pub seed: u64,
    /// What must not be shown; the journal to go on with knows it, too.
    pub secrets: Arc<Vault>,
    /// The journal to go on with.
    pub before: Option<Before>,
}

/// A journal that was opened to go on with it.
pub type Before = (Writer, Journal, Past);

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

/// The seed of a run, if nobody gave one: drawn by the operating system.
pub fn seed(before: Option<&Before>) -> u64 {
    match before {
        // What a run draws after it was resumed must not be what it drew before.
        Some((_, journal, past)) => journal.head.seed.wrapping_add(past.sessions as u64),
        None => drawn(),
    }
}

/// Runs a runbook that was checked, on a script thread; this one hears signals meanwhile and redraws the screen.
pub fn perform(order: Order) -> Status {
    let screen = order.screen.clone();
    report::mistakes(&screen, order.secrets.clone());
    let shared = Shared::of(&order);
    let ticks = order.outside.ticks || order.terminal.errors;
    let clock = ticks.then_some(&*shared.clock);
    let result = beside::run(&screen, clock, &shared.stopper, || {
        try_perform(order, &shared).map(|(status, played)| {
            // The process ends, and takes its memory with it faster than piece by piece.
            std::mem::forget(played);
            status
        })
    });
    let status = match result {
        Ok(Ok(status)) => status,
        Ok(Err((diagnostics, sources))) => refuse(&screen, &diagnostics, &sources),
        Err(error) => {
            let diagnostic = Diagnostic::error("system", format!("no signal handlers: {error}"));
            refuse(&screen, &[diagnostic], &Sources::default())
        }
    };
    match screen.close() {
        // Whoever read the output has gone; what was done is in the journal.
        Ok(()) | Err(_) => status,
    }
}

/// Runs one on a script thread, with nobody beside it: no signal is heard, and nothing is drawn but what is said.
pub fn perform_alone(order: Order) -> Status {
    let screen = order.screen.clone();
    let shared = Shared::of(&order);
    let result = thread::scope(|around| {
        let script = thread::Builder::new().name("script".to_owned()).stack_size(STACK);
        let script = script.spawn_scoped(around, || try_perform(order, &shared).map(|(status, _)| status));
        script.expect("the system gives a thread").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let status = result.unwrap_or_else(|(diagnostics, sources)| refuse(&screen, &diagnostics, &sources));
    match screen.close() {
        Ok(()) | Err(_) => status,
    }
}

fn refuse(screen: &Screen, diagnostics: &[Diagnostic], sources: &Sources) -> Status {
    report::show(screen, diagnostics, sources);
    Status::Usage
}

type Unfit = (Vec<Diagnostic>, Sources);

/// What the script's thread and the one beside it share.
struct Shared {
    clock: Arc<dyn Clock>,
    events: Arc<Events>,
    cancel: Cancel,
    stopper: Stopper,
    hush: Arc<Hush>,
}

impl Shared {
    fn of(order: &Order) -> Self {
        let clock = order.outside.clock.clone();
        let events = Arc::new(Events::new(clock.clone(), order.secrets.clone(), vec![order.screen.reporter()]));
        let cancel = Cancel::root();
        let hush = Arc::new(Hush::default());
        let (screen, typing) = (order.screen.clone(), hush.clone());
        let stopper = Stopper::new(cancel.clone(), events.clone(), move || {
            screen.restore();
            typing.end();
        });
        Self { clock, events, cancel, stopper, hush }
    }
}

/// Runs it to its end; what it was made of comes back, for it takes a while to take apart.
fn try_perform(order: Order, shared: &Shared) -> Result<(Status, (Program, AST)), Unfit> {
    let Order {
        mut program,
        selection,
        given,
        policy,
        allowed,
        outside,
        screen,
        terminal,
        store,
        seed,
        secrets,
        before,
    } = order;
    let Shared { clock, events, cancel, stopper, hush } = shared;
    let Outside { dial, ask, environment, programs, entropy, keys, threads, machine, world, unnoticed, end, .. } =
        outside;
    let sources = program.sources.clone();
    let unfit = |diagnostics: Vec<Diagnostic>| (diagnostics, sources.clone());
    let ast = program.compile().map_err(|diagnostic| unfit(vec![diagnostic]))?;
    let steps = program.steps();
    selection.check(&steps).map_err(|missing| unfit(missing.iter().map(no_such_step).collect()))?;

    let files = Files::below(&program.folder).allowing(allowed.folders.iter().map(PathBuf::from));
    let mut host = Host {
        clock: clock.clone(),
        dial,
        ask: ask(stopper.clone()),
        effects: Arc::new(Nothing),
        environment,
        files: Arc::new(files.played_on(machine)),
        programs,
        keys,
        entropy,
        allowed: Arc::new(allowed.clone()),
        secrets: secrets.clone(),
        threads,
        events: events.clone(),
    };
    let params = params::resolve(&declared(&ast), &given, &host)
        .map_err(|wrong| unfit(wrong.iter().map(|wrong| wrong_param(&program.name, wrong)).collect()))?;

    let opened = match before {
        Some(opened) => Ok(opened),
        None => begin(&store, &program, &**clock, seed, secrets.clone()),
    };
    let (mut writer, journal, mut past) =
        opened.map_err(|error| unfit(vec![Diagnostic::error("journal", error.to_string())]))?;
    let session_before = past.session.clone();
    let before = session_before.as_ref().map(|session| session.selection.clone()).unwrap_or_default();
    let anew = session_before.is_some() && selection.from.is_some();
    let selection = if selection.is_everything() { Selection { ask: selection.ask, ..before } } else { selection };
    if session_before.is_some() && !anew && !selection.is_everything() {
        screen.say(&format!("the run leaves out what it left out before: {selection}"));
    }
    let session = Session {
        process: std::process::id(),
        host: gethostname(),
        user: host_user(&host),
        sources: sources.all().into_iter().map(|(name, text)| (name, text.to_string())).collect(),
        params: params.kept(),
        selection: selection.clone(),
        allowed,
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
        secrets: secrets.clone(),
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
        steps: steps.clone(),
        anew,
        before: session_before.clone(),
    });
    let run = Arc::new(run);
    let context = Context::new(host, run.clone(), program.catalogue.clone(), sources.clone());
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
            rehearsed_on: world.clone(),
        },
    );
    if terminal.errors {
        hush.begin();
    }
    let started = clock.elapsed();
    let ended = evaluate(&program, &ast, cancel);
    let elapsed = clock.elapsed().saturating_sub(started);
    hush.end();

    let End { mut outcome, diagnostic, because, fault } = ended;
    let unnoticed = unnoticed();
    if !unnoticed.is_empty() && outcome == RunEnd::Done {
        outcome = RunEnd::Failed;
    }
    if outcome == RunEnd::Done {
        run.tell_unmet();
    }
    ledger.record(Record::Ended { outcome, because, elapsed_ms: millis(elapsed) });
    let diagnostics: Vec<Diagnostic> = diagnostic.into_iter().chain(unnoticed).collect();
    let diagnostics = diagnostics.into_iter().map(|diagnostic| report::redacted(diagnostic, &secrets));
    report::show(&screen, &diagnostics.collect::<Vec<_>>(), &sources);
    // The journal of a rehearsal goes with its world.
    let resume = (outcome != RunEnd::Done && world.is_none()).then(|| format!("cozyscript resume {name}"));
    events.emit_in("", What::RunFinished { outcome, elapsed, fault, resume });
    // Connections and timers that are still there have nothing left to do.
    end();
    Ok((outcome.into(), (program, ast)))
}

fn drawn() -> u64 {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn begin(
    store: &Store,
    program: &Program,
    clock: &dyn Clock,
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
pub struct Nothing;

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
