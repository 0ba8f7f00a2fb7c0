//! Durations as operators write them: `90s`, `1h30m`, `500ms`.

use std::time::Duration;

use rhai::Dynamic;

/// The units, longest word first where one begins another.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads `1h30m`, `1.5s`, `200ms`. Units go from large to small, each once.
///
/// # Errors
/// What is wrong with the text, lowercase.
pub fn parse(text: &str) -> Result<Duration, String> {
    let refuse = |why: &str| Err(format!("`{text}` is not a duration: {why}; write `90s`, `10m`, `1h30m` or `500ms`"));
    let mut rest = text.trim();
    let mut total = 0_f64;
    let mut above = u64::MAX;
    if rest.is_empty() {
        return refuse("it is empty");
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..digits].parse::<f64>() else {
            return refuse("it must begin with a number");
        };
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let Some((_, millis)) = UNITS.iter().find(|(unit, _)| *unit == &rest[..letters]) else {
            return refuse(match rest.chars().next() {
                None => "the unit is missing",
                Some(c) if c.is_whitespace() => "no blank stands before the unit",
                Some(_) => "the units are ms, s, m, h and d",
            });
        };
        if *millis >= above {
            return refuse("its units go from large to small");
        }
        above = *millis;
        total += number * *millis as f64;
        rest = &rest[letters..];
    }
    if total > 1e14 {
        return refuse("it is longer than three thousand years");
    }
    Ok(Duration::from_micros((total * 1000.0).round() as u64))
}

/// Reads what scripts give as a duration: `"5m"`, `5.minutes`, or a number of seconds.
///
/// # Errors
/// What is wrong with the value, lowercase.
pub fn read(value: &Dynamic) -> Result<Duration, String> {
    if let Some(duration) = value.read_lock::<Duration>() {
        return Ok(*duration);
    }
    if let Ok(seconds) = value.as_int() {
        return u64::try_from(seconds)
            .map(Duration::from_secs)
            .map_err(|_| format!("`{seconds}` is less than no time"));
    }
    if let Ok(seconds) = value.as_float() {
        let length = Duration::try_from_secs_f64(seconds);
        return length.map_err(|_| format!("`{seconds}` seconds is less than no time, or no time at all"));
    }
    match value.as_immutable_string_ref() {
        Ok(text) => parse(&text),
        Err(kind) => Err(format!("a duration is a text such as `90s` or a number of seconds, not `{kind}`")),
    }
}

/// Writes a duration the way a person says it: `850ms`, `4.2s`, `12m03s`, `1h05m`, `2h`, `1d06h`, `7d`.
pub fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        _ if millis < 1000 => format!("{millis}ms"),
        0..60 if millis.is_multiple_of(1000) => format!("{seconds}s"),
        0..60 => format!("{}.{}s", seconds, millis % 1000 / 100),
        60..3600 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 if seconds % 3600 < 60 => format!("{}h", seconds / 3600),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ if seconds % 86_400 < 3600 => format!("{}d", seconds / 86_400),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Writes how long something may take: what is left of `5m` after a moment is still `5m` to a person.
pub fn show_limit(limit: Duration) -> String {
    let unit = if limit < Duration::from_secs(60) { 1 } else { 60 };
    let whole = Duration::from_secs((limit.as_secs() + unit / 2) / unit * unit);
    if whole.abs_diff(limit) <= limit / 50 { show(whole) } else { show(limit) }
}
