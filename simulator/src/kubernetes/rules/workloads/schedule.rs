//! What is wrong with the schedules of CronJobs.

use crate::kubernetes::{answer::Cause, rules::field::Field, schedule::Schedule};

pub fn check(schedule: &Field<'_>) -> Vec<Cause> {
    let text = schedule.text();
    let mut wrong: Vec<Cause> = Schedule::parse(text).err().map(|why| schedule.invalid(&why)).into_iter().collect();
    if text.contains("TZ") {
        wrong.push(schedule.invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
    }
    wrong
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
