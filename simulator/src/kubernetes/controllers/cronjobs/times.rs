//! When the next job of a CronJob is due, and which ones were missed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::kubernetes::{controllers::fields::Fields, schedule::Schedule};

/// It looks a little after something is due.
const AFTERWARDS: SignedDuration = SignedDuration::from_millis(100);
/// So many may be missed before it is told.
const MANY: i64 = 100;

/// The schedule of a CronJob, seen from a moment.
pub struct Times {
    schedule: Schedule,
    pub zone: TimeZone,
    now: Timestamp,
}

/// What was due since some moment.
struct Missed {
    since: Timestamp,
    latest: Option<Timestamp>,
    count: i64,
}

impl Times {
    /// Nothing, if there is no making sense of its schedule, which the server rules out.
    pub fn of(cron: &Value, now: Timestamp) -> Option<Self> {
        let schedule = Schedule::parse(cron.text("/spec/schedule")).ok()?;
        let zone = match cron.text("/spec/timeZone") {
            "" => TimeZone::UTC,
            zone => TimeZone::get(zone).ok()?,
        };
        Some(Self { schedule, zone, now })
    }

    /// The latest moment at which a job was due and not begun, if there is one, and whether too many others were before it.
    ///
    /// # Errors
    /// Why the schedule means no moments.
    pub fn due(&self, cron: &Value) -> Result<(Option<Timestamp>, bool), &'static str> {
        let Missed { latest, count, .. } = self.missed(cron, true)?;
        Ok((latest, latest.is_some() && count > MANY))
    }

    /// How long it is until the next job is due.
    pub fn pause(&self, cron: &Value) -> Option<Duration> {
        let from = match self.missed(cron, false) {
            Ok(Missed { latest: Some(latest), .. }) => latest,
            Ok(Missed { since, count: 0, .. }) => since,
            _ => self.now,
        };
        let next = self.next(from)? + AFTERWARDS;
        Some(Duration::try_from(next.duration_since(self.now)).unwrap_or_default())
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after, &self.zone)
    }

    fn missed(&self, cron: &Value, is_limited: bool) -> Result<Missed, &'static str> {
        const NEVER: &str = "time difference between two schedules is less than 1 second";
        let time = |field: &str| cron.text(field).parse::<Timestamp>().ok();
        let mut since =
            time("/status/lastScheduleTime").or_else(|| time("/metadata/creationTimestamp")).unwrap_or(self.now);
        if let Some(seconds) = cron.at("/spec/startingDeadlineSeconds").as_i64().filter(|_| is_limited) {
            since = since.max(self.now - SignedDuration::from_secs(seconds));
        }
        let first = self.next(since).ok_or(NEVER)?;
        if self.now < first {
            return Ok(Missed { since, latest: None, count: 0 });
        }
        let second = self.next(first).ok_or(NEVER)?;
        if self.now < second {
            return Ok(Missed { since, latest: Some(first), count: 0 });
        }
        // Roughly so many, for not all schedules are regular; the last of them are looked at one by one.
        let between = second.duration_since(first).as_secs();
        let count = self.now.duration_since(first).as_secs() / between + 1;
        let near = first + SignedDuration::from_secs((count - 2) * between);
        let mut latest = None;
        let mut next = self.next(near);
        while let Some(due) = next.filter(|due| *due <= self.now) {
            latest = Some(due);
            next = self.next(due);
        }
        Ok(Missed { since, latest, count })
    }
}
