//! Variables that closures have captured, in branches that run side by side.

use crate::support::transcript::{program, said};

/// What a runbook prints.
#[track_caller]
fn printed(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("branches.rhai");
    std::fs::write(&file, format!("//! # Branches\n{script}")).unwrap();
    let (status, told) = said(program(folder.path()).arg(&file).arg("--quiet"));
    assert_eq!(status, 0, "{told}");
    told.lines().filter(|line| !line.starts_with('[')).collect::<Vec<_>>().join("\n")
}

#[test]
fn racing_closures_can_use_one_variable_at_the_same_time() {
    let told = printed(
        r#"
        let items = [1, 2];
        print(race(#{
            slow: || { items.map(|item| { sleep("1m"); item }); "slow" },
            quick: || { sleep("50ms"); items.map(|item| item); "quick" },
        }));"#,
    );
    assert_eq!(told, "quick");
}

#[test]
fn what_the_winner_of_a_race_sets_is_kept_and_what_others_set_is_not() {
    let told = printed(
        r#"
        let who = "nobody";
        race([|| { who = "the slow one"; sleep("1m"); }, || { sleep("50ms"); who = "the quick one"; }]);
        print(who);"#,
    );
    assert_eq!(told, "the quick one");
}

#[test]
fn branches_can_use_a_variable_that_a_closure_has_captured() {
    let told = printed(
        r#"
        let items = [1, 2];
        let count = || items.len();
        parallel {
            items.map(|item| { sleep("100ms"); item });
            { sleep("20ms"); items.map(|item| item) }
        }
        print(count.call());"#,
    );
    assert_eq!(told, "2");
}

#[test]
fn what_a_branch_sets_is_seen_by_the_closure_that_captured_it() {
    let told = printed(
        r#"
        let total = 0;
        let tell = || total;
        parallel { total = 7; sleep("1ms"); }
        print(`${total} ${tell.call()}`);"#,
    );
    assert_eq!(told, "7 7");
}
