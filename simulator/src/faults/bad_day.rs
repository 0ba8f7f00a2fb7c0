//! Random faults, such as a runbook meets on a bad day and has to live with.

use std::time::Duration;

use tokio::time::Instant;

use super::{Choice, Matching, Rule, Trouble};
use crate::time::During;

/// How long the day is on which servers, certificates and machines may be away for a while.
const DAY: u64 = 10 * 60;

/// What goes wrong on the day of this seed, which begins at some moment. None of it lasts: each thing happens a few times, or for
/// some seconds.
pub fn bad_day(seed: u64, begins: Instant) -> Vec<Rule> {
    let mut lots = fastrand::Rng::with_seed(seed);
    let count = lots.usize(2..7);
    (0..count).map(|_| one(&mut lots, begins)).collect()
}

/// What befalls a machine on a bad day.
#[derive(Debug, Clone, Copy)]
pub struct Stroke {
    /// Which of them it is.
    pub machine: usize,
    /// What it is: one of as many sorts as there are of that machine's.
    pub sort: usize,
    pub during: During,
}

/// What befalls one of so many machines on that day, if anything does.
pub fn stroke(seed: u64, machines: usize, begins: Instant) -> Option<Stroke> {
    // Other lots than those of the rules.
    let mut lots = fastrand::Rng::with_seed(!seed);
    let is_lucky = lots.bool();
    (machines > 0 && !is_lucky).then(|| Stroke {
        machine: lots.usize(..machines),
        during: away(&mut lots, begins, 3 * 60),
        sort: lots.usize(..),
    })
}

/// Some seconds of the day.
fn away(lots: &mut fastrand::Rng, begins: Instant, most: u64) -> During {
    let from = begins + Duration::from_secs(lots.u64(0..DAY));
    During { from: Some(from), until: Some(from + seconds(lots, most)) }
}

fn seconds(lots: &mut fastrand::Rng, most: u64) -> Duration {
    Duration::from_secs(lots.u64(1..most))
}

fn one(lots: &mut fastrand::Rng, begins: Instant) -> Rule {
    const READS: &[&str] = &["get", "list", "watch"];
    const WRITES: &[&str] = &["create", "patch", "update", "delete"];
    const ALL: &[&str] = &["get", "list", "watch", "create", "patch", "update", "delete"];
    let status = |code: u16| Trouble::Status { code, message: None, retry_after: None };
    let (verbs, trouble): (&[&str], Trouble) = match lots.u8(0..13) {
        // What is created can't have been changed meanwhile.
        0 => (&WRITES[1..], status(409)),
        1 => (ALL, Trouble::Status { code: 429, message: None, retry_after: Some(seconds(lots, 5)) }),
        2 => (ALL, status(500)),
        3 => (ALL, status(503)),
        4 => (&["watch"], Trouble::Ends { after: seconds(lots, 40), code: Some(410) }),
        5 => (&["watch"], Trouble::Ends { after: seconds(lots, 40), code: None }),
        6 => (READS, Trouble::Reset),
        7 => (WRITES, Trouble::Lost),
        8 => (READS, Trouble::Truncated),
        9 => (&["get", "list"], Trouble::Slow(seconds(lots, 20))),
        10 => (&[""], Trouble::Refused),
        11 => (&[""], Trouble::Expired),
        _ => (&[""], Trouble::Missing),
    };
    let verb = verbs[lots.usize(..verbs.len())].to_owned();
    let mut choice = Choice::default();
    if matches!(trouble, Trouble::Refused | Trouble::Expired | Trouble::Missing) {
        choice.during = away(lots, begins, 15);
    } else {
        choice.times = Some(lots.u64(1..3));
        choice.chance = 0.1 + 0.4 * lots.f64();
    }
    Rule { matching: Matching { verb, ..Matching::default() }, choice, trouble }
}
