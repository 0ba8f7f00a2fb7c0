//! Signals: the first one stops the run at the next safe point, the second one now.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    event::What,
    host::{
        cancel::{Cancel, Reason},
        events::Events,
    },
};

/// What a signal, or Ctrl-C in a question, does to a run.
#[derive(Clone)]
pub struct Stopper {
    cancel: Cancel,
    events: Arc<Events>,
    count: Arc<AtomicU32>,
    leave: Arc<dyn Fn() + Send + Sync>,
}

impl Stopper {
    /// `leave` is called before the process ends at once.
    pub fn new(cancel: Cancel, events: Arc<Events>, leave: impl Fn() + Send + Sync + 'static) -> Self {
        Self { cancel, events, count: Arc::default(), leave: Arc::new(leave) }
    }

    pub fn stop(&self, signal: &str) {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        let reason = Reason::Signal(signal.to_owned());
        // The third one may come because the run can't even end: the process goes, the journal is whole all the same.
        if before >= 2 {
            (self.leave)();
            std::process::abort();
        }
        self.events.emit_in("", What::StopRequested { signal: signal.to_owned(), now: before > 0 });
        if before == 0 { self.cancel.stop(reason) } else { self.cancel.abort(reason) }
    }

    /// Listens from now on. To be called inside a runtime, before any line editor takes the terminal.
    ///
    /// # Errors
    /// If the system gives no handler.
    pub fn listen(&self) -> std::io::Result<()> {
        let kinds = [
            (SignalKind::interrupt(), "Ctrl-C"),
            (SignalKind::terminate(), "SIGTERM"),
            (SignalKind::hangup(), "SIGHUP"),
        ];
        for (kind, name) in kinds {
            let mut signals = signal(kind)?;
            let stopper = self.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    stopper.stop(name);
                }
            });
        }
        Ok(())
    }
}
