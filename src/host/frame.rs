//! Where a script thread is: the step, its token and its deadline. Each thread has its own.

use std::{cell::RefCell, sync::Arc, time::Duration};

use super::cancel::Cancel;

/// The innermost step of a script thread.
#[derive(Clone)]
pub struct Frame {
    /// The step's path; empty outside of all steps.
    pub step: Arc<str>,
    pub cancel: Cancel,
    /// When its time is up, on [`Clock::elapsed`](super::clock::Clock::elapsed), and whose time it is.
    pub deadline: Option<Deadline>,
}

/// A point in time that a step (or one around it) must not pass.
#[derive(Clone)]
pub struct Deadline {
    pub at: Duration,
    pub step: Arc<str>,
}

impl Frame {
    pub fn root(cancel: Cancel) -> Self {
        Self { step: "".into(), cancel, deadline: None }
    }

    /// A frame inside this one. A deadline further out that comes sooner stays.
    pub fn inner(&self, step: Arc<str>, cancel: Cancel, deadline: Option<Deadline>) -> Self {
        let deadline = match (&self.deadline, deadline) {
            (Some(outer), Some(own)) if outer.at <= own.at => Some(outer.clone()),
            (_, Some(own)) => Some(own),
            (outer, None) => outer.clone(),
        };
        Self { step, cancel, deadline }
    }
}

thread_local! {
    static FRAME: RefCell<Option<Frame>> = const { RefCell::new(None) };
}

/// The frame of this script thread.
///
/// # Panics
/// On a thread that [`within`] was not called on: scripts run only inside a frame.
pub fn current() -> Frame {
    FRAME.with_borrow(|frame| frame.clone().expect("a script thread runs inside a frame"))
}

/// The path of this thread's step; empty on threads that run no script.
pub fn step() -> Arc<str> {
    FRAME.with_borrow(|frame| frame.as_ref().map_or_else(|| "".into(), |frame| frame.step.clone()))
}

/// Looks at this thread's frame without copying it; nothing on threads that run no script.
pub fn peek<T>(look: impl FnOnce(&Frame) -> T) -> Option<T> {
    FRAME.with_borrow(|frame| frame.as_ref().map(look))
}

/// Runs `body` with this thread in `frame`.
pub fn within<T>(frame: Frame, body: impl FnOnce() -> T) -> T {
    struct Restore(Option<Frame>);
    impl Drop for Restore {
        fn drop(&mut self) {
            FRAME.set(self.0.take());
        }
    }
    let _restore = Restore(FRAME.replace(Some(frame)));
    body()
}
