//! `splits`: how long the steps took, run by run.

use serde_json::{Value, json};

use crate::support::program::Runbook;

/// Writes the journal of a run: what its records say beside who and when.
fn journal(book: &Runbook, day: u32, records: &[Value]) {
    let head = json!({ "record": "run", "journal": 1, "cozyscript": "0.1.0", "run": format!("book-{day}"),
        "runbook": book.folder().join("book.rhai"), "seed": 1 });
    let session = session();
    let lines = [&head, &session].into_iter().chain(records).enumerate().map(|(seq, record)| {
        let mut line = record.clone();
        line["seq"] = json!(seq);
        line["at"] = json!(format!("2026-01-{day:02}T10:00:00Z"));
        format!("{line}\n")
    });
    book.write(&format!("runs/book-{day}.jsonl"), &lines.collect::<String>());
}

fn session() -> Value {
    json!({ "record": "session", "process": 1, "host": "h", "user": "u", "sources": {}, "params": {} })
}

fn started(step: &str) -> Value {
    json!({ "record": "step_started", "step": step, "attempt": 1, "own": "" })
}

fn finished(step: &str, outcome: &str, seconds: u64) -> Value {
    json!({ "record": "step_finished", "step": step, "outcome": outcome, "elapsed_ms": seconds * 1000 })
}

fn ended(outcome: &str, seconds: u64) -> Value {
    json!({ "record": "ended", "outcome": outcome, "elapsed_ms": seconds * 1000 })
}

/// Three runs: whole, whole and slower in all but one step, and one that failed, was resumed, and was quick in that.
fn lived() -> Runbook {
    let book = Runbook::new("");
    let whole = |day, boot: u64, web: u64, db: u64| {
        let records = [
            started("boot"),
            finished("boot", "done", boot),
            started("web"),
            started("db"),
            started("db/fill"),
            finished("db/fill", "done", 1),
            finished("db", "done", db),
            finished("web", "done", web),
            ended("done", boot + web.max(db)),
        ];
        journal(&book, day, &records);
    };
    whole(1, 60, 20, 30);
    whole(2, 50, 40, 35);
    let resumed = [
        started("boot"),
        finished("boot", "done", 45),
        started("web"),
        finished("web", "failed", 1),
        ended("failed", 46),
        session(),
        started("boot"),
        finished("boot", "replayed", 0),
        started("web"),
        finished("web", "done", 2),
        started("late"),
        finished("late", "done", 9),
        ended("done", 11),
    ];
    journal(&book, 3, &resumed);
    book
}

#[test]
fn only_work_done_in_one_go_counts() {
    let book = lived();
    let shown = book.call(["splits", "book.rhai"]).done().stdout_has("boot").stdout.clone();
    insta::assert_snapshot!(shown, @"
    step                 last   behind  best   average  median  runs
    -------------------  -----  ------  -----  -------  ------  ----
    boot                 45s            45s    51.6s    50s        3
    web                  40s    +20s    20s    30s      30s        2
    db                   35s    +5s     30s    32.5s    32.5s      2
    db/fill              1s             1s     1s       1s         2
    the whole run        1m30s          1m30s  1m30s    1m30s      2
    the sum of the best                 1m15s
    ");
}

#[test]
fn what_only_a_resumed_run_did_has_no_time() {
    let book = lived();
    let splits = &book.call(["splits", "book.rhai", "--json"]).done().json()[0];
    let steps: Vec<&str> =
        splits["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["boot", "web", "db", "db/fill"]);
    assert_eq!(splits["steps"][1]["best_ms"], 20_000);
    assert_eq!([&splits["whole"]["runs"], &splits["sum_of_best_ms"]], [2, 75_000]);
}

#[test]
fn a_real_run_has_splits_and_one_that_never_was_has_none() {
    let book = Runbook::new("step \"a\" { sleep(\"20ms\"); }");
    book.call(["splits", "book.rhai"]).fails(2).stderr_has("`book.rhai` was never run");
    book.run().done();
    book.call(["splits", "book.rhai"]).done().stdout_has("a  ").stdout_has("the whole run");
}
