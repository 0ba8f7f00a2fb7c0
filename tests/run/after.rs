//! `after`: what a step comes after is done before it runs, wherever it stands.

use crate::support::program::Runbook;

#[test]
fn a_step_after_one_in_a_branch_not_taken_does_not_run() {
    let book = Runbook::new(
        "let fresh = false;\nif fresh { step \"bootstrap\" {} }\nstep \"join\" after \"bootstrap\" { print(\"joined\"); }",
    );
    let ended = book.run().fails(1);
    ended.stderr_has("step `join` comes after `bootstrap`, which is not done").stderr_has("book.rhai:3:");
}

#[test]
fn a_step_after_one_that_failed_and_was_caught_does_not_run() {
    let book = Runbook::new("try { step \"a\" { throw \"no\"; } } catch {}\nstep \"b\" after \"a\" { print(\"b\"); }");
    book.run().fails(1).stderr_has("step `b` comes after `a`, which is not done");
}

#[test]
fn a_step_that_a_person_left_out_counts_as_done() {
    let book = Runbook::new("step \"a\" { print(\"a\"); } step \"b\" after \"a\" { print(\"b\"); }");
    book.run().args(["--from", "b"]).done().stdout("b\n");
    book.run().args(["--skip", "a"]).done().stdout("b\n");
}

#[test]
fn a_step_that_was_replayed_counts_as_done() {
    let book = Runbook::new("step \"a\" { } step \"b\" after \"a\" { throw \"no\"; }");
    book.run().fails(1).stderr_has("no");
    book.edit("throw \"no\";", "print(\"b\");");
    book.resume().done().stdout("b\n");
}

#[test]
fn branches_may_come_after_steps_outside_of_their_block() {
    let book = Runbook::new(
        "step \"a\" { print(\"a\"); } parallel { step \"b\" after \"a\" after \"c\" { print(\"b\"); } step \"c\" { print(\"c\"); } }",
    );
    book.run().done().stdout("a\nc\nb\n");
}
