//! Every runbook, found by looking into the folders, three ways: it succeeds; it is stopped after each record of its journal
//! and resumed; each of its steps is run twice. In the end the world is the same.

use super::{all_runbooks, side_by_side};
use crate::support::rehearsal::{Cut, Play, Told};

const SEED: u64 = 1;

/// How many records a runbook may have that is always taken these ways; a longer one only if `LONG` is set, for that takes minutes.
const RECORDS: usize = 150;

fn is_too_long(runbook: &str, whole: &Told) -> bool {
    let records = whole.records().len();
    let too_long = records > RECORDS && std::env::var_os("LONG").is_none();
    if too_long {
        eprintln!("{runbook} has {records} records: it is taken three ways with LONG=1 only");
    }
    too_long
}

/// What a runbook says and leaves behind if nothing stops it.
fn model(runbook: &str) -> (Told, String) {
    let play = Play::of(runbook, SEED);
    let told = play.run();
    assert_eq!(told.status, 0, "{runbook}: {}", told.said);
    (told, play.holdings())
}

#[track_caller]
fn same(runbook: &str, how: &str, told: &Told, held: &str, expected: &str) {
    assert_eq!(told.status, 0, "{runbook}, {how}: {}", told.said);
    let difference = similar::TextDiff::from_lines(expected, held).unified_diff().context_radius(0).to_string();
    assert_eq!(difference, "", "{runbook}, {how}, left another world: {}", told.said);
}

#[test]
fn every_runbook_that_is_stopped_after_each_record_goes_on_to_the_same_end() {
    let stopped = |runbook: &str| {
        let (whole, expected) = model(runbook);
        if is_too_long(runbook, &whole) {
            return;
        }
        for cut in [Cut::AtOnce, Cut::BeforeTheNext] {
            let play = Play::of(runbook, SEED);
            let told = play.run_with_a_stop_after_each_record(cut);
            same(runbook, &format!("stopped {cut:?}"), &told, &play.holdings(), &expected);
        }
    };
    side_by_side(all_runbooks(), |runbook| stopped(&runbook));
}

#[test]
fn every_step_of_every_runbook_can_be_run_twice() {
    let twice = |runbook: &str| {
        let (whole, expected) = model(runbook);
        let steps = whole.steps();
        let Some(first) = steps.first().filter(|_| !is_too_long(runbook, &whole)) else { return };
        let play = Play::of(runbook, SEED);
        let mut told = play.run_to(first);
        for (index, step) in steps.iter().enumerate() {
            assert_eq!(told.status, 0, "{runbook}, before `{step}` for the second time: {}", told.said);
            told = play.run_again(&told, step, steps.get(index + 1).map(String::as_str));
        }
        same(runbook, "with each step twice", &told, &play.holdings(), &expected);
    };
    side_by_side(all_runbooks(), |runbook| twice(&runbook));
}
