//! Attempts, pauses between them, and time that runs out.

use std::time::{Duration, Instant};

use cozyscript::event::What;

use crate::support::program::Runbook;

fn pauses(book: &Runbook) -> Vec<Duration> {
    let ended = book.run().args(["--json", "--seed", "7"]).fails(1).stderr_has("no");
    let pauses = ended.events().into_iter().filter_map(|event| match event.what {
        What::StepRetried { pause, .. } => Some(pause),
        _ => None,
    });
    pauses.collect()
}

#[test]
fn a_step_is_tried_again_until_it_succeeds() {
    let book = Runbook::new("let n = 0; step \"a\" retry 2 { n += 1; if n < 2 { throw \"not yet\"; } print(n); }");
    book.run().done().stdout("2\n").stderr_has("attempt 1 of 3 failed").stderr_has("attempt 2 of 3");
}

#[test]
fn pauses_grow_jitter_and_come_from_the_seed() {
    let book = Runbook::new("step \"a\" retry 2 { throw \"no\"; }");
    let first = pauses(&book);
    assert_eq!(first.len(), 2);
    for (pause, base) in first.iter().zip([1.0, 2.0]) {
        let share = pause.as_secs_f64() / base;
        assert!((0.75..1.25).contains(&share), "{pause:?} is about {base} s");
    }
    assert_eq!(first, pauses(&Runbook::new("step \"a\" retry 2 { throw \"no\"; }")));
}

#[test]
fn a_mistake_of_the_script_is_not_tried_again() {
    let book = Runbook::new("let list = []; step \"a\" retry 5 { list[3] }");
    book.run().fails(1).stderr_has("error[").stderr_lacks("attempt");
}

#[test]
fn a_resumed_step_has_new_attempts() {
    let book = Runbook::new("step \"a\" retry 1 { throw \"no\"; }");
    book.run().fails(1).stderr_has("attempt 2 of 2");
    book.resume().fails(1).stderr_has("attempt 2 of 3").stderr_has("attempt 3 of 3");
}

#[test]
fn a_step_that_runs_out_of_time_fails_with_a_timeout() {
    let book = Runbook::new("step \"a\" timeout \"100ms\" { time::sleep(\"1h\"); }");
    let ended = book.run().fails(1);
    ended.stderr_has("error[timeout]: step `a` ran out of its 100ms").stderr_has("book.rhai:1:6");
}

#[test]
fn a_script_may_catch_a_timeout_of_a_step_inside_but_not_of_one_around_it() {
    let book = Runbook::new(
        r#"
        try { step "inner" timeout "50ms" { time::sleep("1h"); } } catch (fault) { print(fault.kind); }
        step "outer" timeout "100ms" { try { time::sleep("1h"); } catch { print("never"); } print("nor this"); }
        "#,
    );
    book.run().fails(1).stdout("timeout\n").stderr_has("step `outer` ran out of its 100ms");
}

#[test]
fn the_deadline_of_a_step_ends_a_busy_loop() {
    let book = Runbook::new("for i in 0..9 { try { step \"a\" timeout \"50ms\" { loop { } } } catch {} }");
    let ended = book.run().args(["--json"]).done();
    let late = ended.events().into_iter().filter_map(|event| match event.what {
        What::StepFinished { elapsed, .. } => Some(elapsed - Duration::from_millis(50)),
        _ => None,
    });
    let mut late: Vec<Duration> = late.collect();
    late.sort();
    assert_eq!(late.len(), 9);
    // The fastest ones: on a busy machine a loop waits for its turn before it can look at the clock.
    assert!(late[2] < Duration::from_millis(50), "{late:?} late");
}

#[test]
fn each_attempt_has_its_own_time() {
    let book = Runbook::new(
        "let n = 0; step \"a\" timeout \"80ms\" retry 1 { n += 1; if n == 1 { time::sleep(\"1h\"); } print(n); }",
    );
    let started = Instant::now();
    book.run().done().stdout("2\n").stderr_has("attempt 1 of 2 failed");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_steps_inside_one_that_is_tried_again_run_again() {
    let book = Runbook::new(
        "let n = 0; step \"a\" retry 1 { step \"b\" { print(\"b\"); } n += 1; if n == 1 { throw \"once\"; } }",
    );
    book.run().done().stdout("b\nb\n").stderr_has("once");
}
