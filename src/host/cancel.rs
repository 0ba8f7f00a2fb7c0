//! Stopping: a tree of tokens that waits and the language's progress callback look at.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Why something was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A person or the system asked the run to stop.
    Signal(String),
    /// The step at this path ran out of its time.
    Timeout(Arc<str>),
    /// A branch beside it failed.
    Sibling(String),
    /// Another branch of a race was first.
    Lost,
    /// The journal can't be written.
    Journal(String),
    /// A person has to decide something and nobody did; the text says what.
    Unanswered(String),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Signal(signal) => write!(f, "stopped by {signal}"),
            Reason::Timeout(step) => write!(f, "step `{step}` ran out of time"),
            Reason::Sibling(branch) => write!(f, "stopped because `{branch}` failed"),
            Reason::Lost => f.write_str("another branch was first"),
            Reason::Unanswered(what) | Reason::Journal(what) => f.write_str(what),
        }
    }
}

/// A token of the tree: cancelling it cancels all below it.
///
/// It has two strengths. `stop` ends waits and computations but lets a change that is on its way to the world come back,
/// so that the journal knows its outcome; `abort` ends everything.
#[derive(Clone)]
pub struct Cancel(Arc<Node>);

struct Node {
    parent: Option<Cancel>,
    reason: OnceLock<Reason>,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Cancel {
    /// The token of a whole run.
    pub fn root() -> Self {
        Self(Arc::new(Node {
            parent: None,
            reason: OnceLock::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
        }))
    }

    /// A token below this one.
    pub fn child(&self) -> Self {
        Self(Arc::new(Node {
            parent: Some(self.clone()),
            reason: OnceLock::new(),
            stop: self.0.stop.child_token(),
            abort: self.0.abort.child_token(),
        }))
    }

    /// Stops what can be stopped without leaving a change of the world in doubt. The first reason stays.
    pub fn stop(&self, reason: Reason) {
        self.0.reason.get_or_init(|| reason);
        self.0.stop.cancel();
    }

    /// Stops everything, also a change that is on its way.
    pub fn abort(&self, reason: Reason) {
        self.stop(reason);
        self.0.abort.cancel();
    }

    pub fn is_stopped(&self) -> bool {
        self.0.stop.is_cancelled()
    }

    /// Why it was stopped: the nearest reason on the way up.
    pub fn reason(&self) -> Option<Reason> {
        let mut node = Some(self);
        while let Some(cancel) = node {
            if let Some(reason) = cancel.0.reason.get() {
                return Some(reason.clone());
            }
            node = cancel.0.parent.as_ref();
        }
        None
    }

    /// Ends when it is stopped.
    pub async fn stopped(&self) {
        self.0.stop.cancelled().await;
    }

    /// Ends when it is aborted.
    pub async fn aborted(&self) {
        self.0.abort.cancelled().await;
    }
}
