//! What goes on beside a script, on the thread that has nothing to do but to wait for its end.

use std::{io, thread};

use futures::channel::oneshot;
use tokio::runtime;

use super::signals::Stopper;
use crate::{
    host::{clock::Clock, threads::STACK},
    ui::{screen::Screen, ticker},
};

/// Runs `script` on a script thread of its own. Signals are heard until it ends, and the screen is redrawn if
/// there is a clock.
///
/// A trivial run has no thread but these two: each one more would have to get a processor first.
///
/// # Errors
/// If the system gives no handler of signals.
pub fn run<T: Send>(
    screen: &Screen,
    clock: Option<&dyn Clock>,
    stopper: &Stopper,
    script: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    stopper.listen()?;
    drop(inside);
    thread::scope(|around| {
        let (going_on, end) = oneshot::channel::<()>();
        let script = move || {
            // Dropped at the end, however that comes.
            let _going_on = going_on;
            script()
        };
        let thread = thread::Builder::new().name("script".to_owned()).stack_size(STACK).spawn_scoped(around, script);
        let thread = thread.expect("the system gives a thread");
        #[expect(clippy::disallowed_methods, reason = "this thread runs no script")]
        runtime.block_on(async {
            match clock {
                Some(clock) => ticker::tick_until(end, screen, clock).await,
                // Sent or dropped, it is the end.
                None => drop(end.await),
            }
        });
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
