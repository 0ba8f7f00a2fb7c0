//! Readers must survive whatever they are given: an answer or an error, in time.

use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::{RecvTimeoutError, channel},
};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use super::{journals, kubeconfigs, networks, protocols, runbooks, settings, texts, yaml};

/// Each reader, with what a plain `cargo test` spends on it.
pub fn trials(count: Option<u64>) -> Vec<Trial> {
    let reader = |name: &str, few: u64, text: fn(u64) -> String, read: fn(&str) -> Result<(), String>| {
        Trial::test(format!("{name}_reader_survives_mutated_input"), move || {
            survives(0..count.unwrap_or(few), text, read)
        })
    };
    vec![
        reader("yaml", 20_000, yaml::text, yaml::read_and_write),
        reader("runbook", 1_000, runbooks::text, runbooks::read_and_check),
        reader("journal", 5_000, journals::text, journals::read_and_add_up),
        reader("kubeconfig", 10_000, settings::kubeconfig, settings::read_kubeconfig),
        reader("kubeconfig_edit", 3_000, kubeconfigs::text, kubeconfigs::edit),
        reader("kubeconfig_merge", 1_000, kubeconfigs::text, kubeconfigs::merge),
        reader("values", 10_000, settings::values, settings::read_values),
        reader("network", 20_000, networks::text, networks::read_and_compute),
        reader("template", 50_000, texts::template, texts::fill_template),
        reader("yaml_edit", 5_000, texts::manifest, texts::edit_yaml),
        reader("dns", 20_000, protocols::dns, protocols::read_dns),
        reader("frame", 20_000, protocols::frames, protocols::read_frames),
        reader("redis", 20_000, protocols::redis, protocols::read_redis),
        reader("log", 200, protocols::log, protocols::follow_log),
        reader("duration", 50_000, settings::duration, settings::read_duration),
    ]
}

/// How long one text may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the main thread has, which reads them all.
const STACK: usize = 8 << 20;

/// Gives the reader one text a seed. A panic and a hang are told by their seed and text.
fn survives(seeds: Range<u64>, text: fn(u64) -> String, read: fn(&str) -> Result<(), String>) -> Result<(), Failed> {
    let (working, watch) = channel::<()>();
    let at = Arc::new(AtomicU64::new(seeds.start));
    let reached = at.clone();
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let _working = working;
        for seed in seeds {
            reached.store(seed, Ordering::Relaxed);
            let text = text(seed);
            let outcome = catch_unwind(|| read(&text)).unwrap_or_else(|_| Err("the reader panicked".to_owned()));
            outcome.map_err(|message| format!("seed {seed}: {message}\n{text:?}"))?;
        }
        Ok::<(), String>(())
    })?;
    let mut before = None;
    while watch.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        let now = at.load(Ordering::Relaxed);
        if before.replace(now) == Some(now) {
            return Err(format!("seed {now} takes longer than {PATIENCE:?}\n{:?}", text(now)).into());
        }
    }
    worker.join().map_err(|_| "the trial itself panicked")?.map_err(Failed::from)
}
