//! The schedules of CronJobs: `*/5 * * * *`, `@daily`.

use crate::kubernetes::{answer::Cause, rules::field::Field};

/// The five fields of a schedule: their names, their ranges, and the words that stand for numbers.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

pub fn check(schedule: &Field<'_>) -> Vec<Cause> {
    let text = schedule.text();
    let mut wrong: Vec<Cause> = parse(text).err().map(|why| schedule.invalid(&why)).into_iter().collect();
    if text.contains("TZ") {
        wrong.push(schedule.invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
    }
    wrong
}

/// What is wrong with a schedule, as its parser says it.
fn parse(text: &str) -> Result<(), String> {
    let zoned = ["TZ=", "CRON_TZ="].iter().any(|mark| text.starts_with(mark));
    let text = if zoned { text.split_once(' ').map_or("", |(_, rest)| rest).trim() } else { text };
    if let Some(word) = text.strip_prefix('@') {
        let known = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
        return match word.strip_prefix("every ") {
            _ if known.contains(&word) => Ok(()),
            Some(pause) if is_duration(pause) => Ok(()),
            Some(pause) => Err(format!("failed to parse duration @every {pause}: time: invalid duration {pause:?}")),
            None => Err(format!("unrecognized descriptor: {text}")),
        };
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    }
    for (field, bounds) in fields.iter().zip(FIELDS) {
        for part in field.split(',').filter(|part| !part.is_empty()) {
            range(part, bounds)?;
        }
    }
    Ok(())
}

fn is_duration(text: &str) -> bool {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    number.len() < text.len() && number.starts_with(|letter: char| letter.is_ascii_digit())
}

/// `*`, `5`, `1-5`, `mon-fri`, with a step behind it.
fn range(part: &str, (least, most, words): (u32, u32, &[&str])) -> Result<(), String> {
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
    Ok(())
}

pub fn time_zone(zone: &Field<'_>) -> Vec<Cause> {
    if !zone.is_set() {
        return Vec::new();
    }
    let text = zone.text();
    let mut wrong = Vec::new();
    if text.is_empty() {
        return vec![zone.invalid("timeZone must be nil or non-empty string")];
    }
    let unknown = format!("unknown time zone {text}");
    let formed = |part: &str| {
        (1..=14).contains(&part.len())
            && !part.starts_with('-')
            && !matches!(part, "." | "..")
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_+".contains(letter))
    };
    if !text.split('/').all(formed) {
        return vec![zone.invalid(&unknown)];
    }
    if text.eq_ignore_ascii_case("local") {
        wrong
            .push(zone.invalid("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
    }
    if text != "Local" && jiff::tz::TimeZone::get(text).is_err() {
        wrong.push(zone.invalid(&unknown));
    }
    wrong
}
