//! What is typed while a run goes on is not shown: the terminal would write it into the lines that are drawn.

use std::{
    io::stdin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::{
    process::getpgrp,
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

/// A terminal that shows no keys, from [`Hush::begin`] to [`Hush::end`]. Ctrl-C and the like still do what they do.
#[derive(Default)]
pub struct Hush {
    before: Mutex<Option<Termios>>,
}

impl Hush {
    /// Does nothing if there is no terminal or it is somebody else's at the moment.
    pub fn begin(&self) {
        let Some(before) = is_ours().then(|| tcgetattr(stdin()).ok()).flatten() else { return };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        if tcsetattr(stdin(), OptionalActions::Now, &quiet).is_ok() {
            *self.lock() = Some(before);
        }
    }

    /// The terminal is as it was before.
    pub fn end(&self) {
        if let Some(before) = self.lock().take().filter(|_| is_ours()) {
            // A terminal that has gone needs nothing back.
            let (Ok(()) | Err(_)) = tcsetattr(stdin(), OptionalActions::Now, &before);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Termios>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        self.end();
    }
}

/// A program in the background that changes the terminal is stopped by it.
fn is_ours() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|foreground| foreground == getpgrp())
}
