//! The pulse of a screen.

use std::{
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::screen::Screen;
use crate::host::clock::Clock;

/// Twenty frames a second: of the wall, since eyes don't live on a rehearsal's virtual time.
const BEAT: Duration = Duration::from_millis(50);

/// Redraws a screen until it is dropped. What it shows is the time of the run's own clock.
pub struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub fn start(screen: Screen, clock: Arc<dyn Clock>) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("ticker".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    screen.tick(clock.elapsed());
                }
            })
            .expect("the system gives another thread");
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the ticker only draws");
        }
    }
}
