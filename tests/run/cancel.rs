//! Stopping a run: at the next safe point, then at once.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use cozyscript::{
    host::{cancel::Reason, frame},
    script::binding::Binding,
};
use rhai::{FuncRegistration, Module};

use crate::support::{
    Script,
    program::{Runbook, Running},
    server::{Reply, Server},
};

const BUSY: &str = "step \"a\" { print(\"go\"); loop { } }";

/// How long from the signal to the end of the process.
fn stops(running: Running, signal: &str) -> Duration {
    let running = running.until("go");
    let started = Instant::now();
    let ended = running.signal(signal).ends(3).stdout("go\n");
    let took = started.elapsed();
    ended.stderr_has("go on with: cozyscript resume book-");
    took
}

/// The fastest one shows what is ours: on a busy machine a loop waits for its turn before it can see that it is to end.
/// `cargo bench -- stop` measures the slowest of many.
#[test]
fn ctrl_c_ends_a_busy_loop_within_50_ms() {
    let took = (0..5).map(|_| stops(Runbook::new(BUSY).run().start(), "INT")).min().unwrap();
    assert!(took < Duration::from_millis(50), "{took:?}");
}

/// What no clock can tell on a busy machine: how much a loop still does once the run is to stop.
#[test]
fn a_busy_loop_ends_a_few_operations_after_the_run_is_to_stop() {
    static ROUNDS: AtomicUsize = AtomicUsize::new(0);
    fn functions(module: &mut Module) {
        FuncRegistration::new("stop").set_into_module(module, || {
            frame::current().cancel.stop(Reason::Signal("test".to_owned()));
        });
        FuncRegistration::new("round").set_into_module(module, || {
            ROUNDS.fetch_add(1, Ordering::Relaxed);
        });
    }
    let binding = Binding { name: "test", summary: "", functions, types: |_| {} };
    let (_, reason) = Script::new(&[binding], ".").end("test::stop(); loop { test::round(); }");
    assert_eq!(reason, Some(Reason::Signal("test".to_owned())));
    assert!(ROUNDS.load(Ordering::Relaxed) <= 64, "{} rounds", ROUNDS.load(Ordering::Relaxed));
}

#[test]
fn every_signal_to_end_stops_the_run_resumably() {
    for (signal, name) in [("INT", "Ctrl-C"), ("TERM", "SIGTERM"), ("HUP", "SIGHUP")] {
        let book = Runbook::new("step \"a\" { print(\"go\"); time::sleep(\"1h\"); }");
        stops(book.run().start(), signal);
        let ended = book.records().pop().unwrap();
        assert_eq!(ended["record"], "ended", "the journal is closed");
        assert_eq!(ended["outcome"], "stopped");
        assert!(ended["because"].as_str().unwrap().contains(name), "{ended}");
        book.edit("time::sleep(\"1h\");", "");
        book.resume().done().stdout("go\n");
    }
}

#[test]
fn ctrl_c_reaches_branches_and_retries_and_can_not_be_caught() {
    let scripts = [
        "step \"a\" { print(\"go\"); parallel for i in 0..3 { loop { } } }",
        "step \"a\" retry 5 { print(\"go\"); throw \"once\"; }",
        "step \"a\" { print(\"go\"); while true { try { time::sleep(\"1h\"); } catch { } } }",
        "print(\"go\"); race([|| time::sleep(\"1h\"), || time::sleep(\"1h\")]);",
    ];
    for script in scripts {
        stops(Runbook::new(script).run().start(), "INT");
    }
}

#[test]
fn the_first_ctrl_c_lets_a_change_come_back_and_the_second_does_not() {
    let server = Server::start(|_| Reply::new(200, "ok").after(Duration::from_millis(600)));
    let script = format!("step \"a\" {{ http::post(\"{}\", \"x\"); print(\"after\"); }}", server.url("/"));

    let book = Runbook::new(&script);
    let posted = || server.seen().len();
    book.run().start().once(|| posted() == 1).signal("INT").ends(3).stderr_has("as soon as what is under way");
    let records = book.records();
    assert!(records.iter().any(|record| record["record"] == "outcome" && record["end"] == "done"), "{records:?}");
    book.resume().done().stdout("after\n");
    assert_eq!(posted(), 1, "it was not posted again");

    let book = Runbook::new(&script);
    let running = book.run().start().once(|| posted() == 2).signal("INT").until("as soon as");
    let started = Instant::now();
    running.signal("INT").ends(3).stderr_has("stop: now").stderr_has("resume");
    assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
    let records = book.records();
    assert!(records.iter().any(|record| record["record"] == "outcome" && record["end"] == "in_doubt"), "{records:?}");
}
