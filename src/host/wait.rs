//! The one place where a script waits: with a deadline, stoppable, and saying why it isn't so yet.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;

use super::{Host, cancel::Reason, events::Events, frame};
use crate::event::{WaitEnd, What};

/// What is waited for, and for how long at most.
#[derive(Debug, Clone)]
pub struct Waiting {
    what: String,
    deadline: Duration,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Condition,
    Request,
    Change,
    Pause,
}

impl Waiting {
    /// Something that becomes true: shown with its reasons while it isn't.
    pub fn until(what: impl Into<String>, deadline: Duration) -> Self {
        Self { what: what.into(), deadline, kind: Kind::Condition }
    }

    /// A question to a server: shown only if the answer takes its time.
    pub fn request(what: impl Into<String>, deadline: Duration) -> Self {
        Self { what: what.into(), deadline, kind: Kind::Request }
    }

    /// Time that has to go by: not shown, whoever asked for it says so.
    pub fn pause(deadline: Duration) -> Self {
        Self { what: "time to go by".to_owned(), deadline, kind: Kind::Pause }
    }

    /// A change of the world: the first Ctrl-C lets it come back, so that its outcome is known.
    pub fn change(what: impl Into<String>, deadline: Duration) -> Self {
        Self { what: what.into(), deadline, kind: Kind::Change }
    }
}

/// Why a wait ended without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interrupted {
    /// The run, the step or the branch was stopped.
    Stopped(Reason),
    /// Its own deadline passed; with the last reason why it wasn't so.
    TimedOut { what: String, after: Duration, because: Option<String> },
}

/// How the work of a wait says why it isn't so yet. Saying the same twice is saying it once.
#[derive(Clone)]
pub struct Progress(Arc<Telling>);

struct Telling {
    events: Arc<Events>,
    step: Arc<str>,
    wait: u64,
    waiting: Waiting,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    shown: bool,
    because: Option<String>,
}

impl Progress {
    /// Says why it isn't so yet.
    pub fn because(&self, reason: impl Into<String>) {
        let reason = reason.into();
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.because.as_deref() == Some(&reason) {
            return;
        }
        if told.shown {
            self.0.emit(What::WaitChanged { wait: self.0.wait, because: reason.clone() });
        }
        told.because = Some(reason);
    }

    /// The last reason given.
    pub fn last(&self) -> Option<String> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).because.clone()
    }

    /// Tells of the wait, which has gone on for so long.
    fn show(&self, elapsed: Duration) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut told.shown, true) {
            return;
        }
        let Waiting { what, deadline, .. } = self.0.waiting.clone();
        self.0.emit(What::WaitStarted { wait: self.0.wait, what, deadline, elapsed });
        if let Some(because) = told.because.clone() {
            self.0.emit(What::WaitChanged { wait: self.0.wait, because });
        }
    }

    fn is_shown(&self) -> bool {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).shown
    }
}

impl Telling {
    fn emit(&self, what: What) {
        self.events.emit_in(&self.step, what);
    }
}

/// How long a request may take before it is shown like a wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// A wait that is going on: it may take several pieces of work, with the script thinking in between.
pub struct Wait<'h> {
    host: &'h Host,
    progress: Progress,
    started: Duration,
    ended: WaitEnd,
}

impl Host {
    /// Begins a wait; its deadline counts from now.
    pub fn begin(&self, waiting: Waiting) -> Wait<'_> {
        let condition = waiting.kind == Kind::Condition;
        let progress = Progress(Arc::new(Telling {
            events: self.events.clone(),
            step: frame::step(),
            wait: self.events.next_wait(),
            waiting,
            told: Mutex::default(),
        }));
        if condition {
            progress.show(Duration::ZERO);
        }
        Wait { host: self, progress, started: self.clock.elapsed(), ended: WaitEnd::Failed }
    }

    /// Runs `work` while this script thread waits for it.
    ///
    /// `work` is given a [`Progress`]. It ends early when the thread's step is stopped, or when the wait's deadline or
    /// the step's own passes, whichever is first.
    ///
    /// # Errors
    /// [`Interrupted`], if it ended early.
    pub fn wait<T, F>(&self, waiting: Waiting, work: impl FnOnce(Progress) -> F) -> Result<T, Interrupted>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut wait = self.begin(waiting);
        let work = work(wait.progress());
        let value = wait.drive(work)?;
        wait.end(WaitEnd::Met);
        Ok(value)
    }
}

impl Wait<'_> {
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Says how it ended; without this it has failed.
    pub fn end(&mut self, ended: WaitEnd) {
        self.ended = ended;
    }

    /// Runs a piece of work while this script thread waits for it.
    ///
    /// # Errors
    /// [`Interrupted`], if the wait was stopped or its time was up.
    pub fn drive<T, F>(&mut self, work: F) -> Result<T, Interrupted>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let value = Arc::new(Mutex::new(None));
        let came = value.clone();
        self.see_to_its_end(Box::pin(async move {
            let value = work.await;
            *came.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        }))?;
        let value = value.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(value.expect("the work was driven to its end"))
    }

    /// What is the same for all work, and so is built once.
    fn see_to_its_end(&mut self, work: BoxFuture<'static, ()>) -> Result<(), Interrupted> {
        let frame = frame::current();
        let clock = &self.host.clock;
        let now = clock.elapsed();
        let Waiting { deadline, kind, .. } = self.progress.0.waiting;
        let own = clock.sleep((self.started + deadline).saturating_sub(now));
        let outer = frame.deadline.map(|deadline| (clock.sleep(deadline.at.saturating_sub(now)), deadline.step));
        let patience =
            (kind != Kind::Pause && !self.progress.is_shown()).then(|| (clock.sleep(PATIENCE), self.progress.clone()));
        let waited = now.saturating_sub(self.started);
        let cancel = frame.cancel;

        let slot = Arc::new(Mutex::new(None));
        let result = slot.clone();
        self.host.threads.drive(Box::pin(async move {
            let stopped = async {
                if kind == Kind::Change {
                    cancel.aborted().await
                } else {
                    cancel.stopped().await
                };
                cancel.reason().expect("a token is stopped with a reason")
            };
            let out_of_time = async {
                match outer {
                    Some((pause, step)) => {
                        pause.await;
                        Reason::Timeout(step)
                    }
                    None => std::future::pending().await,
                }
            };
            let shown_late = async {
                if let Some((patience, progress)) = patience {
                    patience.await;
                    progress.show(waited + PATIENCE);
                }
                std::future::pending::<Result<(), End>>().await
            };
            let end = tokio::select! {
                biased;
                reason = stopped => Err(End::Stopped(reason)),
                () = work => Ok(()),
                reason = out_of_time => Err(End::Stopped(reason)),
                () = own => Err(End::TimedOut),
                never = shown_late => never,
            };
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        }));

        let end = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        end.expect("the work was driven to its end").map_err(|end| match end {
            End::Stopped(reason) => {
                self.ended = if matches!(reason, Reason::Timeout(_)) { WaitEnd::TimedOut } else { WaitEnd::Stopped };
                Interrupted::Stopped(reason)
            }
            End::TimedOut => {
                self.ended = WaitEnd::TimedOut;
                let what = self.progress.0.waiting.what.clone();
                Interrupted::TimedOut { what, after: deadline, because: self.progress.last() }
            }
        })
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.progress.is_shown() {
            let elapsed = self.host.clock.elapsed().saturating_sub(self.started);
            self.progress.0.emit(What::WaitFinished { wait: self.progress.0.wait, ended: self.ended, elapsed });
        }
    }
}

enum End {
    Stopped(Reason),
    TimedOut,
}
