//! The type `Duration`: `10.minutes`, `duration("1h30m")`, and what can be reckoned with them.

use std::time::Duration;

use rhai::{Engine, EvalAltResult, NativeCallContext, plugin::*};

use crate::duration::{read, show};
use crate::script::{
    conductor::Outcome,
    context::Call,
    fault::{Fault, Kind},
};

#[export_module]
pub mod durations {
    use rhai::Dynamic;

    /// Reads a duration.
    ///
    /// # Parameters
    /// - `value` (duration): a text such as `1h30m`, or a number of seconds
    ///
    /// # Returns
    /// A `Duration`, as `90.minutes` gives it, too.
    ///
    /// # Faults
    /// - `parse`: it is not a duration
    ///
    /// # Example
    /// ```rhai
    /// let window = duration("1h30m");
    /// if window > 45.minutes {
    ///     print(`there are ${window - 45.minutes} to spare`);
    /// }
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn duration(context: NativeCallContext, value: Dynamic) -> Outcome<Duration> {
        read(&value).map_err(|why| context.raise(Fault::new(Kind::Parse, why)))
    }
}

/// The words for a unit, and its length in seconds.
const UNITS: [(&[&str], f64); 5] = [
    (&["ms", "millisecond", "milliseconds"], 0.001),
    (&["s", "second", "seconds"], 1.0),
    (&["m", "minute", "minutes"], 60.0),
    (&["h", "hour", "hours"], 3600.0),
    (&["d", "day", "days"], 86400.0),
];

/// Names the type, gives it its operators, and lets numbers make it.
pub fn register(engine: &mut Engine) {
    for (words, length) in UNITS {
        for word in words {
            engine.register_get(word, move |context: NativeCallContext, count: &mut i64| {
                seconds(&context, *count as f64 * length)
            });
            engine.register_get(word, move |context: NativeCallContext, count: &mut f64| {
                seconds(&context, *count * length)
            });
            engine.register_get(word, move |duration: &mut Duration| duration.as_secs_f64() / length);
        }
    }
    engine
        .register_type_with_name::<Duration>("Duration")
        .register_fn("to_string", |duration: &mut Duration| show(*duration))
        .register_fn("to_debug", |duration: &mut Duration| show(*duration))
        .register_fn("==", |left: Duration, right: Duration| left == right)
        .register_fn("!=", |left: Duration, right: Duration| left != right)
        .register_fn("<", |left: Duration, right: Duration| left < right)
        .register_fn("<=", |left: Duration, right: Duration| left <= right)
        .register_fn(">", |left: Duration, right: Duration| left > right)
        .register_fn(">=", |left: Duration, right: Duration| left >= right)
        .register_fn("+", |left: Duration, right: Duration| left.saturating_add(right))
        .register_fn("-", |context: NativeCallContext, left: Duration, right: Duration| {
            seconds(&context, left.as_secs_f64() - right.as_secs_f64())
        })
        .register_fn("*", |context: NativeCallContext, left: Duration, right: i64| {
            seconds(&context, left.as_secs_f64() * right as f64)
        })
        .register_fn("*", |context: NativeCallContext, left: i64, right: Duration| {
            seconds(&context, left as f64 * right.as_secs_f64())
        })
        .register_fn("*", |context: NativeCallContext, left: Duration, right: f64| {
            seconds(&context, left.as_secs_f64() * right)
        })
        .register_fn("*", |context: NativeCallContext, left: f64, right: Duration| {
            seconds(&context, left * right.as_secs_f64())
        })
        .register_fn("/", |context: NativeCallContext, left: Duration, right: i64| {
            seconds(&context, left.as_secs_f64() / right as f64)
        })
        .register_fn("/", |context: NativeCallContext, left: Duration, right: f64| {
            seconds(&context, left.as_secs_f64() / right)
        })
        .register_fn("/", |left: Duration, right: Duration| left.as_secs_f64() / right.as_secs_f64());
}

/// To the microsecond, so that `0.1.s + 0.2.s` is `0.3.s`.
fn seconds(context: &NativeCallContext, seconds: f64) -> Result<Duration, Box<EvalAltResult>> {
    let micros = (seconds * 1e6).round();
    if (0.0..1e17).contains(&micros) {
        return Ok(Duration::from_micros(micros as u64));
    }
    let why = if seconds < 0.0 { "it is less than no time" } else { "it is longer than three thousand years" };
    Err(context.raise(Fault::new(Kind::Usage, format!("{seconds} seconds is not a duration: {why}"))))
}
