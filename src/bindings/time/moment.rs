//! Points in time: the type `Timestamp`.

use std::time::Duration;

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};
use rhai::{Engine, EvalAltResult, NativeCallContext, plugin::*};

use crate::duration::show;
use crate::script::{
    conductor::Outcome,
    context::Call,
    fault::{Fault, Kind},
};

#[export_module]
pub mod moments {
    /// Reads a point in time, such as the `creationTimestamp` of an object.
    ///
    /// # Parameters
    /// - `text` (text): in the form of RFC 3339
    ///
    /// # Returns
    /// A `Timestamp`.
    ///
    /// # Faults
    /// - `parse`: it is not a point in time
    ///
    /// # Example
    /// ```rhai
    /// let created = time::parse("2026-01-31T12:00:00Z");
    /// print(created + 90.minutes);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn parse(context: NativeCallContext, text: &str) -> Outcome<Timestamp> {
        text.parse().map_err(|error| {
            Fault::new(Kind::Parse, format!("`{text}` is not a point in time: {error}"))
                .hint("write it as `2026-01-31T12:00:00Z`")
                .raise(&context)
        })
    }

    /// Reads a point in time by a pattern as `date` takes it, such as the end of a certificate. Without a zone in it, it is UTC.
    ///
    /// # Parameters
    /// - `text` (text): the time
    /// - `pattern` (text): how it is written, such as `%d.%m.%Y %H:%M`
    ///
    /// # Returns
    /// A `Timestamp`.
    ///
    /// # Faults
    /// - `parse`: the text is not written so
    ///
    /// # Example
    /// ```rhai
    /// print(time::parse_as("Jan 31 12:00:00 2026", "%b %d %H:%M:%S %Y"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn parse_as(context: NativeCallContext, text: &str, pattern: &str) -> Outcome<Timestamp> {
        let read = strtime::parse(pattern, text).and_then(|read| match read.offset() {
            Some(_) => read.to_timestamp(),
            None => read.to_datetime()?.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()),
        });
        read.map_err(|error| {
            let message = format!("`{text}` is not a point in time written as `{pattern}`: {error}");
            context.raise(Fault::new(Kind::Parse, message).hint("the pattern has a day, a month, a year and a time"))
        })
    }

    /// The point in time so many seconds after the beginning of 1970.
    ///
    /// # Parameters
    /// - `seconds` (integer): the seconds
    ///
    /// # Returns
    /// A `Timestamp`.
    ///
    /// # Faults
    /// - `usage`: it is beyond what a clock can tell
    ///
    /// # Example
    /// ```rhai
    /// print(time::of_unix(1769860800));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn of_unix(context: NativeCallContext, seconds: i64) -> Outcome<Timestamp> {
        Timestamp::from_second(seconds).map_err(|_| {
            let message = format!("{seconds} seconds after 1970 is beyond what a clock can tell");
            context.raise(Fault::new(Kind::Usage, message))
        })
    }

    /// Writes a point in time, in UTC, by a pattern as `date` takes it.
    ///
    /// # Parameters
    /// - `pattern` (text): such as `%Y-%m-%d`
    ///
    /// # Returns
    /// The text.
    ///
    /// # Faults
    /// - `usage`: the pattern can't be used
    ///
    /// # Example
    /// ```rhai
    /// print(`backup-${now().format("%Y%m%d-%H%M")}`);
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn format(context: NativeCallContext, moment: &mut Timestamp, pattern: &str) -> Outcome<String> {
        strtime::format(pattern, *moment).map_err(|error| {
            Fault::new(Kind::Usage, format!("`{pattern}` is not a pattern for a time: {error}"))
                .hint("such as `%Y-%m-%d %H:%M:%S`")
                .raise(&context)
        })
    }

    /// Seconds since 1970.
    #[rhai_fn(get = "unix")]
    pub fn unix(moment: &mut Timestamp) -> i64 {
        moment.as_second()
    }
}

/// Names the type and gives it its operators.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Timestamp>("Timestamp")
        .register_fn("to_string", |moment: &mut Timestamp| seconds(*moment))
        .register_fn("to_debug", |moment: &mut Timestamp| seconds(*moment))
        .register_fn("==", |left: Timestamp, right: Timestamp| left == right)
        .register_fn("!=", |left: Timestamp, right: Timestamp| left != right)
        .register_fn("<", |left: Timestamp, right: Timestamp| left < right)
        .register_fn("<=", |left: Timestamp, right: Timestamp| left <= right)
        .register_fn(">", |left: Timestamp, right: Timestamp| left > right)
        .register_fn(">=", |left: Timestamp, right: Timestamp| left >= right)
        .register_fn("-", difference)
        .register_fn("+", |context: NativeCallContext, moment: Timestamp, by: Duration| {
            moment.checked_add(by).map_err(|_| out_of_reach(&context, moment, "+", by))
        })
        .register_fn("-", |context: NativeCallContext, moment: Timestamp, by: Duration| {
            moment.checked_sub(by).map_err(|_| out_of_reach(&context, moment, "-", by))
        });
}

/// To the second: nobody reads the rest.
fn seconds(moment: Timestamp) -> String {
    format!("{moment:.0}")
}

fn difference(context: NativeCallContext, later: Timestamp, earlier: Timestamp) -> Outcome<Duration> {
    Duration::try_from(later.duration_since(earlier)).map_err(|_| {
        let message = format!("{} is before {}, and a duration is never negative", seconds(later), seconds(earlier));
        Fault::new(Kind::Usage, message).hint("subtract the earlier time from the later one").raise(&context)
    })
}

fn out_of_reach(context: &NativeCallContext, moment: Timestamp, sign: &str, by: Duration) -> Box<EvalAltResult> {
    let message = format!("{} {sign} {} is beyond what a clock can tell", seconds(moment), show(by));
    context.raise(Fault::new(Kind::Usage, message))
}
