//! A host that records, for tests that run a script on its own, without the run engine.

pub mod certificates;
pub mod daemon;
pub mod git_server;
pub mod nameserver;
pub mod node;
pub mod pipe;
pub mod played;
pub mod program;
pub mod proxy;
pub mod rehearsal;
pub mod server;
pub mod transcript;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use cozyscript::{
    diagnostic::Diagnostic,
    event::{EffectEnd, Event, What},
    host::{
        Host,
        allowed::{Allowed, AllowedPrograms},
        ask::{Answer, Ask, Question},
        cancel::{Cancel, Reason},
        clock::Clock,
        dial::Dial,
        effect::{Decision, Effect, Effects, Ticket},
        entropy::Entropy,
        environment::Environment,
        events::{Events, Reporter},
        files::Files,
        frame::{self, Frame},
        keys::Keys,
        programs::Programs,
        real::{Blocking, SystemClock, SystemEntropy, SystemKeys, Tcp, programs::LocalPrograms},
        secrets::Vault,
        threads::Threads,
    },
    script::{
        binding::Binding,
        catalogue::Catalogue,
        check,
        conductor::{Branch, Conductor, Fork, Outcome, ParamOptions, Stage, Step},
        context::Context,
        diagnostic, engine,
        fault::{Fault, Place},
        sources::{self, Sources},
    },
};
use futures::future::BoxFuture;
use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Scope};
use serde_json::Value;

/// The runtime that scripts of all tests block on.
pub fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        // `main` does this; whoever is second is told so, and it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts")
    })
}

/// A script on a recording host: bindings without the run engine.
pub struct Script {
    pub host: Host,
    pub recorded: Arc<Recorded>,
    engine: Engine,
    sources: Sources,
    cancel: Cancel,
}

/// What is outside of a script and its recorder.
pub struct Outside {
    pub clock: Arc<dyn Clock>,
    pub dial: Arc<dyn Dial>,
    pub entropy: Arc<dyn Entropy>,
    pub keys: Arc<dyn Keys>,
    pub programs: Arc<dyn Programs>,
    pub threads: Arc<dyn Threads>,
}

/// Everything that a script did to its host.
#[derive(Default)]
pub struct Recorded {
    pub events: Mutex<Vec<Event>>,
    pub effects: Mutex<Vec<(Effect, Option<Closed>)>>,
    pub questions: Mutex<Vec<Question>>,
    pub answers: Mutex<Vec<Answer>>,
    pub variables: Mutex<BTreeMap<String, String>>,
    /// What the journal is said to know of the effects to come.
    pub decisions: Mutex<Vec<Planned>>,
}

/// How an effect ended, what was kept of it, and what was shown.
pub type Closed = (EffectEnd, Value, Option<String>);

/// A decision for the next effect, other than to go ahead.
pub enum Planned {
    Done(Value),
    Doubt,
    Refused(String),
}

struct Recorder(Arc<Recorded>);

impl Reporter for Recorder {
    fn report(&mut self, event: &Event) {
        self.0.events.lock().unwrap().push(event.clone());
    }
}

struct Recording(Arc<Recorded>);

impl Effects for Recording {
    fn announce(&self, effect: Effect) -> Decision {
        let mut effects = self.0.effects.lock().unwrap();
        effects.push((effect, None));
        let ticket = Ticket(effects.len() as u64 - 1);
        let mut planned = self.0.decisions.lock().unwrap();
        match if planned.is_empty() { None } else { Some(planned.remove(0)) } {
            None => Decision::Go(ticket),
            Some(Planned::Done(kept)) => Decision::Done(kept),
            Some(Planned::Doubt) => Decision::Doubt(ticket),
            Some(Planned::Refused(why)) => Decision::Refused(why),
        }
    }

    fn close(&self, ticket: Ticket, end: EffectEnd, kept: Value, detail: Option<String>) {
        self.0.effects.lock().unwrap()[ticket.0 as usize].1 = Some((end, kept, detail));
    }
}

impl Ask for Recording {
    fn ask(&self, question: Question) -> BoxFuture<'static, Answer> {
        self.0.questions.lock().unwrap().push(question);
        let mut answers = self.0.answers.lock().unwrap();
        let answer = if answers.is_empty() { Answer::Nobody("this is a test".into()) } else { answers.remove(0) };
        Box::pin(async move { answer })
    }
}

impl Environment for Recording {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.variables.lock().unwrap().get(name).cloned()
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.0.variables.lock().unwrap().clone().into_iter().collect()
    }

    fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }
}

/// A clock whose hands stand, on a host whose time goes on.
struct Standing {
    now: jiff::Timestamp,
    running: Arc<dyn Clock>,
}

impl Clock for Standing {
    fn now(&self) -> jiff::Timestamp {
        self.now
    }

    fn elapsed(&self) -> Duration {
        self.running.elapsed()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        self.running.sleep(pause)
    }

    fn chance(&self) -> f64 {
        self.running.chance()
    }
}

/// Runs each step as it comes.
struct Straight(Host);

impl Conductor for Straight {
    fn step(&self, step: &Step, stage: &mut dyn Stage) -> Outcome<Dynamic> {
        let frame = frame::current();
        frame::within(frame.inner(step.name.as_str().into(), frame.cancel.clone(), None), || stage.run())
    }

    fn fork(&self, fork: Fork, branches: Vec<Branch<'_>>, _place: Place) -> Outcome<Vec<(usize, Dynamic)>> {
        assert!(!fork.race, "races are the run engine's");
        branches.into_iter().enumerate().map(|(index, branch)| Ok((index, (branch.body)()?))).collect()
    }

    fn param(&self, _: &NativeCallContext, name: &str, _: ParamOptions) -> Outcome<Dynamic> {
        panic!("`param(\"{name}\")` needs the run engine")
    }

    fn ask(&self, _: &NativeCallContext, question: Question) -> Outcome<Answer> {
        Ok(runtime().block_on(self.0.ask.ask(question)))
    }
}

impl Script {
    /// A script with these bindings, in the folder `root`.
    pub fn new(bindings: &[Binding], root: impl Into<PathBuf>) -> Self {
        let outside = Outside {
            clock: Arc::new(SystemClock::new(1)),
            dial: Arc::new(Tcp),
            entropy: Arc::new(SystemEntropy),
            keys: Arc::new(SystemKeys),
            programs: Arc::new(LocalPrograms),
            threads: Arc::new(Blocking::default()),
        };
        Self::on(outside, bindings, root)
    }

    /// The same on another outside world.
    pub fn on(outside: Outside, bindings: &[Binding], root: impl Into<PathBuf>) -> Self {
        let recorded = Arc::new(Recorded::default());
        let Outside { clock, dial, entropy, keys, programs, threads } = outside;
        let secrets = Arc::new(Vault::default());
        let host = Host {
            events: Arc::new(Events::new(clock.clone(), secrets.clone(), vec![Box::new(Recorder(recorded.clone()))])),
            ask: Arc::new(Recording(recorded.clone())),
            effects: Arc::new(Recording(recorded.clone())),
            environment: Arc::new(Recording(recorded.clone())),
            files: Arc::new(Files::below(root)),
            programs,
            entropy,
            allowed: Arc::new(Allowed { programs: AllowedPrograms::All, folders: Vec::new() }),
            threads,
            dial,
            keys,
            clock,
            secrets,
        };
        let sources = Sources::default();
        let mut engine = engine::build(bindings, &sources);
        let conductor = Arc::new(Straight(host.clone()));
        let context = Context::new(host.clone(), conductor, Arc::new(Catalogue::default()), sources.clone());
        engine::attach(&mut engine, &context);
        Self { host, recorded, engine, sources, cancel: Cancel::root() }
    }

    /// Runs the text and gives its value.
    pub fn run(&self, text: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        self.sources.remember("test.rhai", text);
        let ast = sources::compile(&self.engine, "test.rhai", text)?;
        frame::within(Frame::root(self.cancel.clone()), || self.engine.eval_ast_with_scope(&mut Scope::new(), &ast))
    }

    /// Runs the text with these variables and gives its value.
    pub fn run_with(&self, variables: &[(&str, Dynamic)], text: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        let mut scope = Scope::new();
        for (name, value) in variables {
            scope.push_dynamic(*name, value.clone());
        }
        let ast = self.engine.compile_with_scope(&scope, text)?;
        frame::within(Frame::root(self.cancel.clone()), || self.engine.eval_ast_with_scope(&mut scope, &ast))
    }

    /// From now on the wall clock shows this, and stands.
    pub fn set_clock(&mut self, now: &str) {
        let now = now.parse().unwrap();
        self.host.clock = Arc::new(Standing { now, running: self.host.clock.clone() });
        let conductor = Arc::new(Straight(self.host.clone()));
        let catalogue = Arc::new(Catalogue::default());
        let context = Context::new(self.host.clone(), conductor, catalogue, self.sources.clone());
        engine::attach(&mut self.engine, &context);
    }

    /// Runs the text as the file of that name and gives what its failure says, if it fails.
    pub fn diagnostic(&self, name: &str, text: &str) -> Option<Diagnostic> {
        self.sources.remember(name, text);
        let ast = match sources::compile(&self.engine, name, text) {
            Ok(ast) => ast,
            Err(error) => return Some(check::parse_diagnostic(name, text, &error)),
        };
        let mut scope = Scope::new();
        let run = || self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast);
        let error = frame::within(Frame::root(self.cancel.clone()), run).err()?;
        let scope = Some(&scope);
        diagnostic::of_error(
            &error,
            diagnostic::Script { engine: &self.engine, sources: &self.sources, source: name, scope },
        )
    }

    /// Runs the text, which must fail, and gives what ended it: a fault, or why it was stopped.
    pub fn end(&self, text: &str) -> (Option<Fault>, Option<Reason>) {
        let (engine, sources) = (&self.engine, &self.sources);
        let script = diagnostic::Script { engine, sources, source: "test.rhai", scope: None };
        let error = self.run(text).expect_err("it should have failed");
        (diagnostic::fault_of(&error, script), diagnostic::reason_of(&error))
    }

    /// The text of a source that was read.
    pub fn text(&self, source: &str) -> Option<Arc<str>> {
        self.sources.text(source)
    }

    /// Runs the text, which must give a value of this type.
    #[track_caller]
    pub fn value<T: Clone + Send + Sync + 'static>(&self, text: &str) -> T {
        let value = self.run(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let kind = value.type_name();
        value.try_cast().unwrap_or_else(|| panic!("{text}: the value is a {kind}"))
    }

    /// Runs the text, which must fail with a fault.
    #[track_caller]
    pub fn fault(&self, text: &str) -> Fault {
        let error = *self.run(text).expect_err("it should have failed");
        Fault::of(&innermost(&error)).unwrap_or_else(|| panic!("not a fault: {error:?}"))
    }

    /// What happened so far.
    pub fn events(&self) -> Vec<What> {
        self.recorded.events.lock().unwrap().iter().map(|event| event.what.clone()).collect()
    }

    /// What was printed so far.
    pub fn printed(&self) -> Vec<String> {
        let printed = |what| match what {
            What::Printed { text } => Some(text),
            _ => None,
        };
        self.events().into_iter().filter_map(printed).collect()
    }

    /// Stops the script after `pause`.
    pub fn stop_after(&self, pause: Duration) {
        let cancel = self.cancel.clone();
        runtime().spawn(async move {
            tokio::time::sleep(pause).await;
            cancel.stop(Reason::Signal("test".into()));
        });
    }
}

fn innermost(error: &EvalAltResult) -> EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            innermost(inner)
        }
        EvalAltResult::ErrorRuntime(value, position) => EvalAltResult::ErrorRuntime(value.clone(), *position),
        EvalAltResult::ErrorTerminated(value, position) => EvalAltResult::ErrorTerminated(value.clone(), *position),
        other => EvalAltResult::ErrorRuntime(other.to_string().into(), other.position()),
    }
}
