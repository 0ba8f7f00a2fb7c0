//! Timers: they measure a stretch of the run and tell when they start and stop.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use rhai::{Engine, NativeCallContext, plugin::*};

use crate::{event::What, script::context::Call};

/// A timer that was started; stopped once, it stays so.
#[derive(Clone)]
pub struct Timer(Arc<Running>);

struct Running {
    name: String,
    started: Duration,
    took: OnceLock<Duration>,
}

impl Timer {
    fn elapsed(&self, context: &NativeCallContext) -> Duration {
        let now = context.host().clock.elapsed();
        self.0.took.get().copied().unwrap_or(now.saturating_sub(self.0.started))
    }
}

#[export_module]
pub mod timers {
    /// Starts a timer.
    ///
    /// # Parameters
    /// - `name` (text): what it measures
    ///
    /// # Returns
    /// A `Timer`: `.elapsed` is the time so far, `.stop()` ends it.
    ///
    /// # Example
    /// ```rhai
    /// let boot = timer("boot");
    /// sleep("10ms");
    /// print(boot.elapsed);
    /// boot.stop();
    /// ```
    #[rhai_fn(global)]
    pub fn timer(context: NativeCallContext, name: &str) -> Timer {
        let host = context.host();
        host.events.emit(What::TimerStarted { timer: name.to_owned() });
        Timer(Arc::new(Running { name: name.to_owned(), started: host.clock.elapsed(), took: OnceLock::new() }))
    }

    /// Stops a timer; a second time changes nothing.
    ///
    /// # Returns
    /// The `Duration` from its start to its stop.
    ///
    /// # Example
    /// ```rhai
    /// let boot = timer("boot");
    /// print(`booted in ${boot.stop()}`);
    /// ```
    #[rhai_fn(global, pure)]
    pub fn stop(context: NativeCallContext, timer: &mut Timer) -> Duration {
        let elapsed = timer.elapsed(&context);
        if timer.0.took.set(elapsed).is_ok() {
            context.host().events.emit(What::TimerStopped { timer: timer.0.name.clone(), elapsed });
        }
        timer.elapsed(&context)
    }

    /// The time since the start, or from the start to the stop.
    #[rhai_fn(get = "elapsed")]
    pub fn elapsed(context: NativeCallContext, timer: &mut Timer) -> Duration {
        timer.elapsed(&context)
    }

    /// What it measures.
    #[rhai_fn(get = "name")]
    pub fn name(timer: &mut Timer) -> String {
        timer.0.name.clone()
    }
}

/// Names the type.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Timer>("Timer")
        .register_fn("to_string", |timer: &mut Timer| format!("timer `{}`", timer.0.name))
        .register_fn("to_debug", |timer: &mut Timer| format!("timer `{}`", timer.0.name));
}
