//! `history`: which runs there were.

use crate::support::program::Runbook;

#[test]
fn runs_are_listed_with_outcome_steps_and_duration() {
    let book = Runbook::new("//! # The title\nstep \"a\" {}\nstep \"b\" { throw \"no\"; }");
    book.run().fails(1).stderr_has("no");
    book.edit("throw \"no\";", "");
    book.run().done();
    let ended = book.call(["history"]).done().stdout_has("run").stdout_has("book-").stdout_has("failed");
    assert_eq!(ended.stdout.lines().count(), 4, "{}", ended.stdout);
    let listed = book.call(["history", "--json"]).done().json();
    assert_eq!(listed.len(), 2);
    assert_eq!([&listed[0]["outcome"], &listed[1]["outcome"]], ["failed", "done"]);
    assert_eq!(listed[0]["title"], "The title");
    assert_eq!([&listed[0]["steps_done"], &listed[1]["steps_done"]], [1, 2]);
    assert!(listed[0]["elapsed_ms"].is_u64());
}

#[test]
fn one_run_is_shown_step_by_step() {
    let book = Runbook::new("step \"a\" { step \"inner\" {} }\nstep \"b\" { throw \"a reason\"; }");
    book.run().fails(1).stderr_has("a reason");
    let run = book.journal().file_stem().unwrap().to_string_lossy().into_owned();
    let ended = book.call(["history", &run]).done().stdout_has("a/inner").stdout_has("a reason");
    assert_eq!(ended.stdout.lines().count(), 5, "{}", ended.stdout);
    let records = book.call(["history", &run, "--json"]).done().json();
    assert_eq!(records, book.records());
    book.call(["history", "nothing"]).fails(2).stderr_has("there is no run `nothing`");
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let book = Runbook::new("step \"a\" { time::sleep(\"1h\"); }");
    book.run().start().until("step a: started").signal("KILL").ends(-1);
    book.call(["history"]).done().stdout_has("cut off");
}

#[test]
fn no_runs_are_no_error_and_a_damaged_journal_is_named() {
    let book = Runbook::new("step \"a\" {}");
    book.call(["history"]).done().stderr_has("no runs yet");
    book.run().done();
    book.write("runs/broken.jsonl", "not json\n{}\n");
    book.call(["history"]).done().stdout_has("done").stderr_has("broken.jsonl` can't be read: line 1 is damaged");
}
