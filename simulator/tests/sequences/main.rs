//! Differential sequences: requests by lot are played against the simulator and against a real control plane without
//! controllers, and answered the same. A difference is shrunk to what it takes, and told with its seed.
//!
//! `SEED=… COUNT=…` says which are played; else it is some from a seed that is told.

#![allow(clippy::disallowed_methods, reason = "tests read their settings from the environment")]

#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "../arms/mod.rs"]
mod arms;
mod generate;
mod kinds;
mod play;
mod shrink;

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use libtest_mimic::{Arguments, Failed, Trial};

/// How many sequences are played at a time.
const PLAYERS: usize = 4;

fn main() {
    let trial = Trial::test("requests_by_lot_are_answered_the_same", requests_by_lot);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit()
}

fn requests_by_lot() -> Result<(), Failed> {
    let Some(bed) = testbed::without_controllers() else { return Ok(()) };
    let setting = |name| std::env::var(name).ok().map(|number| number.parse::<u64>().expect("it is a number"));
    let from = setting("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    let count = setting("COUNT").unwrap_or(200);
    let differences_wanted = setting("DIFFERENCES").unwrap_or(1) as usize;
    testbed::say(&format!("sequences: SEED={from} COUNT={count}"));
    let (next, requests) = (AtomicU64::new(0), AtomicU64::new(0));
    let (differences, sorts) = (AtomicU64::new(0), Mutex::new(BTreeSet::new()));
    thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                loop {
                    let seed = from + next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count || sorts.lock().unwrap().len() >= differences_wanted {
                        return;
                    }
                    let sequence = generate::sequence(seed);
                    requests.fetch_add(sequence.len() as u64, Ordering::Relaxed);
                    let play = play::Play { bed: &bed, seed };
                    if let Some(difference) = play.difference(&sequence, 0) {
                        differences.fetch_add(1, Ordering::Relaxed);
                        // Each sort of difference is told once.
                        if sorts.lock().unwrap().insert(difference.sort()) {
                            testbed::say(&shrink::smallest(&play, sequence, &difference));
                        }
                    }
                }
            });
        }
    });
    let played = next.into_inner().min(count);
    testbed::say(&format!("sequences: {played} from SEED={from} on, {} requests", requests.into_inner()));
    match differences.into_inner() {
        0 => Ok(()),
        different => Err(format!("{different} sequences are answered otherwise").into()),
    }
}
