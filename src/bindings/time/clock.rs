//! The clock, pauses and the bell.

use rhai::{Dynamic, Engine, NativeCallContext, plugin::*};

use crate::{
    duration,
    event::{WaitEnd, What},
    host::wait::{Interrupted, Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod clock {
    use jiff::Timestamp;

    /// Tells the time.
    ///
    /// # Returns
    /// A `Timestamp`, which prints as `2027-03-01T08:15:00Z`. The difference of two is a `Duration`.
    ///
    /// # Example
    /// ```rhai
    /// let begun = now();
    /// sleep("10ms");
    /// print(`that took ${now() - begun}`);
    /// ```
    #[rhai_fn(global)]
    pub fn now(context: NativeCallContext) -> Timestamp {
        context.host().clock.now()
    }

    /// Pauses the script. Prefer a wait for what the pause is meant to give time to.
    ///
    /// # Parameters
    /// - `pause` (duration): how long
    ///
    /// # Faults
    /// - `usage`: it is not a duration
    ///
    /// # Example
    /// ```rhai
    /// sleep("20ms");
    /// sleep(20.ms);
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn sleep(context: NativeCallContext, pause: Dynamic) -> Outcome<()> {
        super::pause(&context, &pause)
    }

    #[rhai_fn(global)]
    pub fn bell(context: NativeCallContext) {
        context.host().events.emit(What::BellRang { text: String::new() });
    }

    /// Rings the bell, and says why.
    ///
    /// # Parameters
    /// - `text` (text): what a person should come and look at
    ///
    /// # Example
    /// ```rhai
    /// bell();
    /// bell("the nodes are up: over to you");
    /// ```
    #[rhai_fn(global, name = "bell")]
    pub fn bell_with_text(context: NativeCallContext, text: &str) {
        context.host().events.emit(What::BellRang { text: text.to_owned() });
    }
}

/// Puts the pause in the place of Rhai's own `sleep`, which would hold the thread and couldn't be stopped.
pub fn register(engine: &mut Engine) {
    engine
        .register_fn("sleep", |context: NativeCallContext, seconds: i64| pause(&context, &seconds.into()))
        .register_fn("sleep", |context: NativeCallContext, seconds: f64| pause(&context, &seconds.into()));
}

fn pause(context: &NativeCallContext, pause: &Dynamic) -> Outcome<()> {
    let pause =
        duration::read(pause).map_err(|why| Fault::new(Kind::Usage, format!("`sleep`: {why}")).raise(context))?;
    let host = context.host();
    let slept = host.clock.sleep(pause);
    let mut wait = host.begin(Waiting::request(format!("{} to pass", duration::show(pause)), pause));
    match wait.drive(slept) {
        // It is over when the time is up, whichever of the two clocks strikes first.
        Ok(()) | Err(Interrupted::TimedOut { .. }) => {
            wait.end(WaitEnd::Met);
            Ok(())
        }
        Err(stopped) => Err(context.interrupted(stopped)),
    }
}
