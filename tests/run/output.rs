//! Data on standard output, everything else on standard error; lines for people, events for machines.

use crate::{support::program::Runbook, ui::json::fields_of};

const BOOK: &str = r#"
//! # The run
//! What it is about.
let n = 0;
// Why this step.
step "a" { print("data"); show::table([#{ name: "x" }]); show::warn("careful"); }
step "b" retry 1 { n += 1; if n == 1 { throw "once"; } }
try { step "c" { throw #{ kind: "failed" }; } } catch {}
parallel for i in 1..=2 { step "side" { time::sleep("1ms"); } }
"#;

#[test]
fn data_goes_to_standard_output_and_the_rest_to_standard_error() {
    let ended = Runbook::new(BOOK).run().done().stdout_has("data\n").stdout_has("x");
    for said in
        ["The run", "What it is about.", "Why this step.", "step a: done", "careful", "side[1]", "run book.rhai: done"]
    {
        assert!(
            ended.stderr.contains(said) && !ended.stdout.contains(said),
            "`{said}`:\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
    }
    ended.stderr_has("once");
}

#[test]
fn json_is_one_object_a_line_and_every_one_is_in_the_schema() {
    let ended = Runbook::new(BOOK).run().args(["--json"]).done();
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines.len() > 15, "{}", ended.stdout);
    for line in &lines {
        fields_of(line);
    }
    assert!(lines[0].contains("\"run_started\"") && lines.last().unwrap().contains("\"run_finished\""));
    assert_eq!(ended.stderr, "");
    ended.stdout_has("data");
}

#[test]
fn a_failed_run_says_its_fault_once_in_full_and_ends_with_how_to_go_on() {
    let book = Runbook::new("step \"a\" timeout \"20ms\" { time::sleep(\"1h\"); }\n");
    let ended = book.run().fails(1).stderr_has("error[timeout]");
    assert_eq!(ended.stderr.matches("hint: ").count(), 1, "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap().to_owned();
    assert!(last.contains("go on with: cozyscript resume book-"), "{last}");
    assert!(!last.contains("ran out"), "{last}");
}

#[test]
fn quiet_shows_only_data_trouble_and_the_end() {
    let ended = Runbook::new(BOOK).run().args(["-q"]).done().stdout_has("data").stderr_has("careful");
    ended.stderr_has("run book.rhai: done").stderr_lacks("step a: done").stderr_lacks("Why this step");
}

#[test]
fn verbose_also_shows_what_changed_nothing() {
    let book = Runbook::new("step \"a\" { } step \"b\" { throw \"no\"; }");
    book.run().args(["-v"]).fails(1).stderr_has("step a: done");
    book.run().args(["-q", "-v"]).fails(2).stderr_has("cannot be used with");
}

#[test]
fn colours_are_as_asked_for() {
    let book = Runbook::new("step \"a\" { print(\"data\"); }");
    let plain = |ended: crate::support::program::Ended| {
        let ended = ended.stdout("data\n");
        !ended.stderr.contains('\x1b')
    };
    assert!(plain(book.run().done()), "off a terminal there are none");
    assert!(!plain(book.run().args(["--color", "always"]).done()));
    assert!(plain(book.run().args(["--color", "never"]).variable("CLICOLOR_FORCE", "1").done()));
    assert!(plain(book.run().variable("NO_COLOR", "1").done()));
    book.run().args(["--color", "sometimes"]).fails(2).stderr_has("is not one of auto, always, never");
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run_halfway() {
    let book = Runbook::new("step \"a\" { for i in 0..20000 { print(i); } } step \"b\" { time::sleep(\"10ms\"); }");
    let program = env!("CARGO_BIN_EXE_cozyscript");
    let mut child = std::process::Command::new(program)
        .arg("book.rhai")
        .current_dir(book.folder())
        .env_clear()
        .env("COZYSCRIPT_JOURNAL", book.folder().join("runs"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(book.records().pop().unwrap()["outcome"], "done");
}
