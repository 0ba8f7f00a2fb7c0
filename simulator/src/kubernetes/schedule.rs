//! The schedules of CronJobs: `*/5 * * * *`, `@daily`, `@every 1h30m`, and the moments that they mean.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned, civil::Date, tz::TimeZone};

/// The five fields of a schedule: their ranges, and the words that stand for numbers.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];
/// What some words stand for.
const WORDS: [(&str, &str); 7] = [
    ("yearly", "0 0 1 1 *"),
    ("annually", "0 0 1 1 *"),
    ("monthly", "0 0 1 * *"),
    ("weekly", "0 0 * * 0"),
    ("daily", "0 0 * * *"),
    ("midnight", "0 0 * * *"),
    ("hourly", "0 * * * *"),
];
/// A schedule that means no moment within so many years means none.
const YEARS: i16 = 5;

/// When something is due, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// After every pause.
    Every(Duration),
    /// Whenever the clock on the wall fits.
    At([Fitting; 5]),
}

/// The numbers that fit a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fitting {
    numbers: u64,
    /// It was given as `*`.
    is_any: bool,
}

impl Fitting {
    fn has(self, number: i8) -> bool {
        self.numbers & (1 << number) != 0
    }
}

impl Schedule {
    /// # Errors
    /// What is wrong with it, as the parser of the real server says it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let zoned = ["TZ=", "CRON_TZ="].iter().any(|mark| text.starts_with(mark));
        let text = if zoned { text.split_once(' ').map_or("", |(_, rest)| rest).trim() } else { text };
        if let Some(word) = text.strip_prefix('@') {
            if let Some((_, fields)) = WORDS.iter().find(|(known, _)| *known == word) {
                return Self::parse(fields);
            }
            let Some(pause) = word.strip_prefix("every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let parsed = duration(pause).map_err(|why| format!("failed to parse duration @every {pause}: {why}"))?;
            return Ok(Self::Every(Duration::from_secs(parsed.as_secs().max(1))));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
        };
        Ok(Self::At([
            field(minute, FIELDS[0])?,
            field(hour, FIELDS[1])?,
            field(day, FIELDS[2])?,
            field(month, FIELDS[3])?,
            field(weekday, FIELDS[4])?,
        ]))
    }

    /// The first moment after another at which something is due by the clocks of a time zone; nothing, if there is none for years.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let whole = Timestamp::from_second(after.as_second()).ok()?;
        let fitting = match self {
            Self::Every(pause) => return whole.checked_add(SignedDuration::try_from(*pause).ok()?).ok(),
            Self::At(fitting) => fitting,
        };
        let [minutes, hours, _, months, _] = fitting;
        let begin = whole.to_zoned(zone.clone());
        let mut at = begin.checked_add((60 - i64::from(begin.second())).seconds()).ok()?;
        while at.year() <= begin.year() + YEARS {
            at = if !months.has(at.month()) {
                start(at.date().last_of_month().tomorrow().ok()?, zone)?
            } else if !fits_day(fitting, at.date()) {
                start(at.date().tomorrow().ok()?, zone)?
            } else if !hours.has(at.hour()) {
                at.checked_add((60 - i64::from(at.minute())).minutes()).ok()?
            } else if !minutes.has(at.minute()) {
                at.checked_add(1.minute()).ok()?
            } else {
                return Some(at.timestamp());
            };
        }
        None
    }
}

/// The first moment of a day, which is not everywhere and always midnight.
fn start(date: Date, zone: &TimeZone) -> Option<Zoned> {
    date.to_zoned(zone.clone()).ok()
}

/// If both the day of the month and that of the week are limited, it is enough if one of them fits.
fn fits_day([_, _, days, _, weekdays]: &[Fitting; 5], date: Date) -> bool {
    let by_month = days.has(date.day());
    let by_week = weekdays.has(date.weekday().to_sunday_zero_offset());
    if days.is_any || weekdays.is_any { by_month && by_week } else { by_month || by_week }
}

fn field(text: &str, bounds: (u32, u32, &[&str])) -> Result<Fitting, String> {
    let mut fitting = Fitting { numbers: 0, is_any: false };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let of_part = range(part, bounds)?;
        fitting.numbers |= of_part.numbers;
        fitting.is_any |= of_part.is_any;
    }
    Ok(fitting)
}

/// `*`, `5`, `1-5`, `mon-fri`, with a step behind it.
fn range(part: &str, (least, most, words): (u32, u32, &[&str])) -> Result<Fitting, String> {
    let number = |text: &str| match words.iter().position(|word| *word == text.to_lowercase()) {
        Some(at) => Ok(u32::try_from(at).expect("there are few words") + least),
        None if text.starts_with('-') => Err(format!("negative number ({text}) not allowed: {part}")),
        None => text
            .parse::<u32>()
            .map_err(|_| format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax")),
    };
    let pieces: Vec<&str> = part.split('/').collect();
    let ends: Vec<&str> = pieces[0].split('-').collect();
    let (start, end) = match ends.as_slice() {
        ["*" | "?", ..] => (least, most),
        [only] => {
            let only = number(only)?;
            // With a step, a single number is where it begins.
            (only, if pieces.len() == 2 { most } else { only })
        }
        [start, end] => (number(start)?, number(end)?),
        _ => return Err(format!("too many hyphens: {part}")),
    };
    let step = match pieces.as_slice() {
        [_] => 1,
        [_, step] => step
            .parse::<u32>()
            .map_err(|_| format!("failed to parse int from {step}: strconv.Atoi: parsing {step:?}: invalid syntax"))?,
        _ => return Err(format!("too many slashes: {part}")),
    };
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {part}"));
    }
    if end > most {
        return Err(format!("end of range ({end}) above maximum ({most}): {part}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {part}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {part}"));
    }
    let numbers = (start..=end).step_by(step as usize).fold(0, |numbers, number| numbers | 1 << number);
    Ok(Fitting { numbers, is_any: matches!(ends[0], "*" | "?") && step == 1 })
}

/// A duration as Go writes it: `1h30m`, `1.5h`; none that is negative.
fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 8] =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let invalid = || format!("time: invalid duration {text:?}");
    let mut rest = text.trim_start_matches(['+', '-']);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| invalid())?;
        rest = &rest[end..];
        let end = rest.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(rest.len());
        let unit = &rest[..end];
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let known = UNITS.iter().find(|(known, _)| *known == unit);
        let (_, factor) = known.ok_or_else(|| format!("time: unknown unit {unit:?} in duration {text:?}"))?;
        seconds += number * factor;
        rest = &rest[end..];
    }
    if text.starts_with('-') {
        return Ok(Duration::ZERO);
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| invalid())
}
