//! What a step costs that does nothing, with the journal on.

use std::{path::Path, time::Duration};

use crate::{
    cold_start,
    contest::contest,
    cozyscript,
    table::{Row, millis},
    write,
};

const STEPS: u32 = 100;

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "one.rhai", cold_start::RUNBOOK);
    write(folder, "steps.rhai", &runbook(STEPS));
    let [one, all] = contest(20, [&|| cozyscript(folder, &["one.rhai"]), &|| cozyscript(folder, &["steps.rhai"])]);
    let each = |all: Duration, one: Duration| all.saturating_sub(one) / STEPS;
    let (median, min) = (each(all.median(), one.median()), each(all.min(), one.min()));
    vec![
        Row::timed("a run of 100 steps that do nothing", &all),
        Row::new("… a step", millis(median), millis(min)).target("<1 ms", median < Duration::from_millis(1)),
    ]
}

fn runbook(steps: u32) -> String {
    (1..=steps)
        .map(|number| format!("// Does nothing, for the {number}. time.\nstep \"step {number}\" {{ }}\n\n"))
        .collect()
}
