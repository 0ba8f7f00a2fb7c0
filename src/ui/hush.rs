//! What is typed while a run goes on is not shown: the terminal would write it into the lines that are drawn.

use std::io::stdin;

use rustix::{
    process::getpgrp,
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

/// A terminal that shows no keys until this is dropped. Ctrl-C and the like still do what they do.
pub struct Hush {
    before: Termios,
}

impl Hush {
    /// Nothing, if there is no terminal or it is somebody else's at the moment.
    pub fn begin() -> Option<Self> {
        let before = is_ours().then(|| tcgetattr(stdin()).ok())??;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Self { before })
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        if is_ours() {
            // A terminal that has gone needs nothing back.
            let (Ok(()) | Err(_)) = tcsetattr(stdin(), OptionalActions::Now, &self.before);
        }
    }
}

/// A program in the background that changes the terminal is stopped by it.
fn is_ours() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|foreground| foreground == getpgrp())
}
