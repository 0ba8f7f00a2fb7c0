//! Differential sequences: requests by lot are played against the simulator and against a real control plane without
//! controllers, and answered the same. A difference is shrunk to what it takes, and told with its seed.
//!
//! `SEED=… COUNT=…` says which are played; else it is 200 from a seed that is told. `DIFFERENCES=…` says after how many
//! sorts of differences to stop.

#![allow(clippy::disallowed_methods, reason = "tests read their settings from the environment")]

#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "../arms/mod.rs"]
mod arms;
mod bodies;
mod comparable;
mod dice;
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
    time::Instant,
};

use libtest_mimic::{Arguments, Failed, Trial};

/// How many sequences are played at a time.
const PLAYERS: usize = 4;

/// After how many sequences it is said how far it is.
const OFTEN: u64 = 500;

fn main() {
    let trial = Trial::test("requests_by_lot_are_answered_the_same", requests_by_lot);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit()
}

fn requests_by_lot() -> Result<(), Failed> {
    let Some(bed) = testbed::without_controllers() else { return Ok(()) };
    let setting = |name| std::env::var(name).ok().map(|number| number.parse::<u64>().expect("it is a number"));
    let from = setting("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    let count = setting("COUNT").unwrap_or(200);
    let sorts_wanted = setting("DIFFERENCES").unwrap_or(1) as usize;
    testbed::say(&format!("sequences: SEED={from} COUNT={count}"));
    let begun = Instant::now();
    let (next, played, requests) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (differences, sorts) = (AtomicU64::new(0), Mutex::new(BTreeSet::new()));
    let say = || {
        let (played, requests) = (played.load(Ordering::Relaxed), requests.load(Ordering::Relaxed));
        let (different, rate) = (differences.load(Ordering::Relaxed), played as f64 / begun.elapsed().as_secs_f64());
        let far = format!("{played} from SEED={from} on, {requests} requests, {rate:.1} a second");
        testbed::say(&format!("sequences: {far}, {different} answered otherwise"));
    };
    thread::scope(|scope| {
        for number in 0..PLAYERS {
            let (bed, next, played, requests, differences, sorts) =
                (&bed, &next, &played, &requests, &differences, &sorts);
            scope.spawn(move || {
                let mut player = play::Player::new(bed, &format!("player-{number}"));
                loop {
                    let seed = from + next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count || sorts.lock().unwrap().len() >= sorts_wanted {
                        return;
                    }
                    let sequence = generate::sequence(seed);
                    requests.fetch_add(sequence.len() as u64, Ordering::Relaxed);
                    if let Some(difference) = player.difference(&format!("seq-{seed}"), &sequence) {
                        differences.fetch_add(1, Ordering::Relaxed);
                        // Each sort of difference is told once.
                        if sorts.lock().unwrap().insert(difference.sort()) {
                            testbed::say(&shrink::smallest(&mut player, seed, sequence, &difference));
                        }
                    }
                    if (played.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(OFTEN) {
                        say();
                    }
                }
            });
        }
    });
    say();
    match differences.into_inner() {
        0 => Ok(()),
        different => Err(format!("{different} sequences are answered otherwise").into()),
    }
}
