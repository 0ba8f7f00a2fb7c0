//! Branches side by side.

use std::time::{Duration, Instant};

use crate::support::program::Runbook;

#[test]
fn branches_run_at_the_same_time() {
    let book = Runbook::new(
        "step \"a\" { parallel for i in 0..8 { time::sleep(\"300ms\"); } } parallel { time::sleep(\"300ms\"); time::sleep(\"300ms\"); }",
    );
    let started = Instant::now();
    book.run().done();
    assert!(started.elapsed() < Duration::from_millis(1800), "{:?}", started.elapsed());
}

#[test]
fn the_values_come_in_the_order_of_the_items() {
    let book = Runbook::new(
        "let all = parallel for i in [3, 1, 2] { time::sleep(`${i * 30}ms`); i * 10 }; print(all); print(parallel { 1 + 1; \"two\" });",
    );
    book.run().done().stdout("[30, 10, 20]\n[2, \"two\"]\n");
}

#[test]
fn a_limit_is_how_many_run_at_once() {
    let book = Runbook::new("parallel for i in 0..6 limit 2 { print(`begin`); time::sleep(\"100ms\"); print(`end`); }");
    let ended = book.run().done().stdout_has("begin\nbegin\n");
    let mut running = 0;
    for line in ended.stdout.lines() {
        running += if line == "begin" { 1 } else { -1 };
        assert!((0..=2).contains(&running), "{}", ended.stdout);
    }
    assert_eq!(ended.stdout.lines().count(), 12);
}

#[test]
fn after_makes_a_graph_of_the_branches() {
    let book = Runbook::new(
        r#"
        parallel {
            step "top" after "left" after "right" { print("top"); }
            step "right" after "base" { time::sleep("60ms"); print("right"); }
            step "left" after "base" { print("left"); }
            step "base" { print("base"); }
        }
        "#,
    );
    book.run().done().stdout("base\nleft\nright\ntop\n");
}

#[test]
fn the_failure_of_one_branch_stops_the_others_and_all_outcomes_are_shown() {
    let book = Runbook::new(
        r#"
        parallel {
            step "quick" { }
            step "slow" { time::sleep("1h"); }
            step "busy" { loop { } }
            step "never" after "slow" { print("never"); }
            step "bad" after "quick" { time::sleep("100ms"); throw "no"; }
        }
        "#,
    );
    let started = Instant::now();
    let ended = book
        .run()
        .fails(1)
        .stderr_has("the branches beside it")
        .stderr_has("quick: done")
        .stderr_has("bad: failed: no");
    ended
        .stderr_has("slow: stopped because `bad` failed")
        .stderr_has("busy: stopped because `bad` failed")
        .stderr_has("never: stopped because");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_mistake_in_a_branch_is_shown_with_all_outcomes_too() {
    let book = Runbook::new(
        r#"parallel {
            step "good" { }
            step "bad" after "good" { let found = #{ ports: [80] }; print(found.port.len()); }
        }"#,
    );
    let ended = book.run().fails(1).stderr_has("good: done").stderr_has("bad: failed: `found.port` is absent");
    ended.stderr_has("did you mean `ports`?").stderr_has("the keys here: ports").stderr_has("book.rhai:3:");
}

#[test]
fn a_failure_that_was_caught_leaves_the_rest_of_the_run_alone() {
    let book = Runbook::new(
        "try { parallel for i in 0..3 { if i == 1 { throw \"one\"; } time::sleep(\"1h\"); } } catch (e) { print(e); } print(\"on\");",
    );
    book.run().done().stdout_has("one").stdout_has("on\n");
}

#[test]
fn a_race_keeps_the_winner_and_stops_the_others() {
    let book = Runbook::new("print(race([|| { time::sleep(\"1h\"); 1 }, || 2, || { loop { } }]));");
    let started = Instant::now();
    book.run().done().stdout("2\n");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn who_fails_has_lost_a_race_and_if_all_fail_it_fails() {
    let book = Runbook::new("print(race(#{ bad: || throw \"bad\", good: || { time::sleep(\"50ms\"); \"good\" } }));");
    book.run().done().stdout("good\n");
    let book = Runbook::new("race(#{ one: || throw \"first\", two: || throw \"second\" });");
    book.run().fails(1).stderr_has("none of the 2 branches").stderr_has("first").stderr_has("second");
}

#[test]
fn two_branches_that_set_one_variable_are_an_error() {
    let book = Runbook::new("let x = 0; parallel { x = 1; x = 2; }");
    book.run().fails(1).stderr_has("both set `x`");
}

#[test]
fn a_variable_that_one_branch_sets_is_set_afterwards() {
    let book =
        Runbook::new("let x = 0; let y = 0; parallel { step \"a\" { x = 1; } step \"b\" { y = 2; } } print(x + y);");
    book.run().done().stdout("3\n");
}
