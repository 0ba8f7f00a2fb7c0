//! Times as tables show them: how long ago.

use jiff::Timestamp;
use serde_json::Value;

const UNKNOWN: &str = "<unknown>";

/// How long ago a time of an object was.
pub fn since(time: Option<&Value>, now: Timestamp) -> String {
    match time.and_then(Value::as_str) {
        None | Some("") => UNKNOWN.to_owned(),
        Some(text) => text.parse().map_or_else(|_| "<invalid>".to_owned(), |time| between(time, now)),
    }
}

pub fn between(from: Timestamp, to: Timestamp) -> String {
    duration(to.duration_since(from).as_secs())
}

/// A number of seconds in the two greatest units that matter: `90s`, `3m12s`, `5d4h`.
pub fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let both = |great: i64, unit: char, small: i64, part: char| match small {
        0 => format!("{great}{unit}"),
        small => format!("{great}{unit}{small}{part}"),
    };
    match seconds {
        // Clocks differ a little.
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => both(minutes, 'm', seconds % 60, 's'),
        _ if hours < 3 => format!("{minutes}m"),
        _ if hours < 8 => both(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => both(days, 'd', hours % 24, 'h'),
        _ if days < 2 * 365 => format!("{days}d"),
        _ if days < 8 * 365 => both(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}
