//! What is outside of a run: the real world, or one that is played. The run itself can't tell.

use std::{collections::BTreeMap, sync::Arc};

use super::signals::Stopper;
use crate::{
    diagnostic::Diagnostic,
    host::{
        ask::Ask,
        clock::Clock,
        dial::Dial,
        entropy::Entropy,
        environment::Environment,
        files::Machine,
        keys::Keys,
        programs::Programs,
        real::{Blocking, ProcessEnvironment, SystemClock, SystemEntropy, SystemKeys, Tcp, programs::LocalPrograms},
        threads::Threads,
    },
    ui::{
        prompt::{Prompt, TerminalKeyboard},
        screen::Screen,
    },
};

/// The ports of a run, and what else depends on what they lead to.
pub struct Outside {
    pub clock: Arc<dyn Clock>,
    pub dial: Arc<dyn Dial>,
    /// Whoever is asked may stop the run.
    pub ask: Box<dyn FnOnce(Stopper) -> Arc<dyn Ask> + Send>,
    pub environment: Arc<dyn Environment>,
    pub programs: Arc<dyn Programs>,
    pub entropy: Arc<dyn Entropy>,
    pub keys: Arc<dyn Keys>,
    pub threads: Arc<dyn Threads>,
    /// Whose files it changes, if they are not those of this machine.
    pub machine: Option<Arc<Machine>>,
    /// Its time goes by while nothing happens, and who reads along wants to hear of that.
    pub ticks: bool,
    /// What is said of it, if it is none but a world.
    pub world: Option<String>,
    /// What was wrong without the run noticing it, asked for in the end.
    pub unnoticed: Box<dyn FnOnce() -> Vec<Diagnostic> + Send>,
    /// Ends what still goes on in it.
    pub end: Box<dyn FnOnce() + Send>,
}

/// How a person is asked.
pub struct Asking {
    pub screen: Screen,
    /// Why nobody can be, if so.
    pub nobody: Option<String>,
    /// The questions answered ahead of time.
    pub yes: Vec<String>,
    /// What became of the changes in doubt, by their numbers.
    pub settled: BTreeMap<String, String>,
}

/// This machine, and all that can be reached from it.
pub fn real(seed: u64, asking: Asking) -> Outside {
    let Asking { screen, nobody, yes, settled } = asking;
    let ask = move |stopper: Stopper| {
        let interrupted = move || stopper.stop("Ctrl-C");
        let prompt = Prompt::new(screen, Box::new(TerminalKeyboard), nobody, yes, interrupted);
        Arc::new(prompt.settling(settled)) as Arc<dyn Ask>
    };
    let threads = Arc::new(Blocking::default());
    Outside {
        clock: Arc::new(SystemClock::new(seed)),
        dial: Arc::new(Tcp),
        ask: Box::new(ask),
        environment: Arc::new(ProcessEnvironment::default()),
        programs: Arc::new(LocalPrograms),
        entropy: Arc::new(SystemEntropy),
        keys: Arc::new(SystemKeys),
        threads: threads.clone(),
        machine: None,
        ticks: true,
        world: None,
        unnoticed: Box::new(Vec::new),
        end: Box::new(move || threads.end()),
    }
}
