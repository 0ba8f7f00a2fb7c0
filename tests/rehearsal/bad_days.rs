//! Bad days: names, certificates, requests and machines fail by lot, and whoever meets it is told what it was.

use std::{path::Path, sync::Mutex};

use super::{all_runbooks, side_by_side};
use crate::support::rehearsal::Play;

const DAYS: u64 = 2;

/// Faults that are mistakes of the runbook, of this program or of the world, and of no day.
const NO_EXCUSE: [&str; 4] = ["error[absent]", "error[not_modelled]", "error[script]", "error[usage]"];

#[test]
fn a_bad_day_ends_well_or_with_a_reason() {
    let bad = Mutex::new(0);
    let has_a_world = |runbook: &String| Path::new(runbook).with_extension("world.yaml").exists();
    let runbooks = all_runbooks().into_iter().filter(has_a_world);
    let days = runbooks.flat_map(|runbook| (1..=DAYS).map(move |seed| (runbook.clone(), seed)));
    side_by_side(days.collect(), |(runbook, seed)| {
        let told = Play::on_a_bad_day(&runbook, seed).run();
        if told.status == 0 {
            return;
        }
        let reason = told.said.lines().find(|line| line.starts_with("error[")).unwrap_or_default();
        let is_good = !reason.is_empty() && !NO_EXCUSE.iter().any(|excuse| reason.starts_with(excuse));
        assert!(told.status == 1 && is_good, "{runbook} of seed {seed} ends with {}: {}", told.status, told.said);
        *bad.lock().unwrap() += 1;
    });
    assert!(bad.into_inner().unwrap() > 0, "none of these days was bad");
}

#[test]
fn a_bad_day_is_the_same_each_time() {
    for runbook in ["examples/rollout.rhai", "examples/talos-lab.rhai"] {
        let said = || Play::on_a_bad_day(runbook, 4).run().said;
        assert_eq!(said(), said(), "{runbook}");
    }
}
