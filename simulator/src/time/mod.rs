//! Virtual time: an hour passes as soon as nobody has anything left to do in it.
//!
//! The world and everything that scripts wait for run on one thread, with a clock that stands still while anything computes
//! and jumps to the next timer when nothing does. Script threads take turns with it: at any moment either the world or exactly
//! one of them runs, so that the order of everything is the order of one thread. It never waits for real time and opens no
//! real socket: tokio's paused clock would run ahead of both.

mod calendar;
mod during;
mod pace;
mod turns;

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle, ThreadId},
    time::Duration,
};

use self::turns::{Seat, World};
pub use self::{
    calendar::Calendar,
    during::During,
    pace::Pace,
    turns::{Branch, Turns},
};

/// Lets time pass. To be waited for on the world's thread: elsewhere time is real.
pub async fn pass(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// The thread that the world runs on. Dropping it ends the world.
pub struct Time {
    elapsed: Arc<Elapsed>,
    say: mpsc::Sender<turns::Said>,
    seat: Arc<Seat>,
    thread: Option<JoinHandle<()>>,
}

/// Virtual time as script threads see it: brought up to date whenever one of them gets its turn.
pub struct Elapsed {
    nanoseconds: AtomicU64,
    world: ThreadId,
}

impl Time {
    /// Starts a world. On its thread, and before anybody's first turn, `furnish` starts servers; the time that it takes is
    /// over when the world begins.
    ///
    /// # Panics
    /// If the system gives no thread.
    pub fn begin<F: Future<Output = ()>>(pace: Pace, furnish: impl FnOnce() -> F + Send + 'static) -> Self {
        let (say, hear) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let seat = Seat::new(None);
        let thread = thread::Builder::new().name("world".to_owned()).spawn(move || {
            let elapsed = Arc::new(Elapsed { nanoseconds: AtomicU64::new(0), world: thread::current().id() });
            // Without an I/O driver: there is nothing real to wait for.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let runtime = runtime.expect("a runtime without sockets needs nothing of the system");
            if tell.send(elapsed.clone()).is_err() {
                return;
            }
            runtime.block_on(async {
                furnish().await;
                let world = World::new(hear, elapsed);
                pace.keep();
                world.turn_by_turn().await;
            });
        });
        let thread = thread.expect("the system gives a thread");
        let elapsed = told.recv().expect("the world says its thread before anything can fail");
        Self { elapsed, say, seat, thread: Some(thread) }
    }

    /// How long the world has been there, for script threads.
    pub fn elapsed(&self) -> Arc<Elapsed> {
        self.elapsed.clone()
    }

    /// How script threads take their turns.
    pub fn turns(&self) -> Turns {
        Turns::new(self.say.clone(), self.seat.clone())
    }
}

impl Drop for Time {
    fn drop(&mut self) {
        // If it doesn't hear, it has ended already.
        if self.say.send(turns::Said::Over).is_ok()
            && let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Elapsed {
    /// The time since the world began.
    pub fn get(&self) -> Duration {
        if thread::current().id() == self.world {
            // A paused clock begins at the runtime's start.
            return tokio::time::Instant::now().duration_since(turns::beginning());
        }
        Duration::from_nanos(self.nanoseconds.load(Ordering::Acquire))
    }

    fn set(&self, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).expect("a rehearsal ends within 500 years");
        self.nanoseconds.store(nanoseconds, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
