//! Runs with a person at a terminal: questions, answers, and Ctrl-C.

use std::time::Duration;

use crate::support::{
    program::Runbook,
    server::{Reply, Server},
};

const CTRL_C: &str = "\x03";

#[test]
fn missing_parameters_are_asked_for_and_secrets_are_not_shown() {
    let book = Runbook::new(
        r#"
        let version = param("version", #{ help: "which release" });
        let token = param("token", #{ secret: true });
        step "a" { print(`${version} ${token.expose().len()}`); }
        "#,
    );
    let running = book.run().start_on_terminal().until("version:").types("v1.2\r");
    let ended = running.until("(not shown)").types("hunter2secret\r").ends(0);
    ended.stderr_has("which release").stderr_has("v1.2 13").stderr_lacks("hunter2secret");
}

#[test]
fn what_is_destroyed_has_to_be_typed() {
    let book =
        Runbook::new("step \"nuke\" { confirm_destroy(\"lab\", [\"node one\"]); print(\"it is \" + \"gone\"); }");
    let running = book.run().start_on_terminal().until("to go on:").types("lob\r");
    running.until("that is not `lab`").types("lab\r").ends(0).stderr_has("node one").stderr_has("it is gone");
    let running = book.run().start_on_terminal().until("to go on:").types("\r");
    running.ends(4).stderr_has("`lab` is not destroyed").stderr_lacks("it is gone");
}

#[test]
fn each_step_is_run_skipped_or_the_run_ended_as_the_person_says() {
    let book =
        Runbook::new("step \"a\" { print(\"in a\"); } step \"b\" { print(\"in b\"); } step \"c\" { print(\"in c\"); }");
    let running = book.run().args(["--step"]).start_on_terminal();
    let running = running.until("step `a`").types("run\r").until("step `b`").types("skip\r");
    let ended = running.until("step `c`").types("quit\r").ends(3);
    let ended = ended.stderr_has("in a").stderr_lacks("in b").stderr_lacks("in c").stderr_lacks("unanswered");
    ended.stderr_has("cozyscript resume book-");
    let running = book.run().args(["--step"]).start_on_terminal().until("step `a`").types("all\r");
    running.ends(0).stderr_has("in a").stderr_has("in b").stderr_has("in c");
}

#[test]
fn ctrl_c_stops_a_wait_and_a_question_alike() {
    for script in ["step \"a\" { print(\"go\"); time::sleep(\"1h\"); }", "step \"a\" { print(confirm(\"go?\")); }"] {
        let book = Runbook::new(script);
        let running = book.run().start_on_terminal().until("go").types(CTRL_C);
        running.ends(3).stderr_has("cozyscript resume book-");
        assert_eq!(book.records().pop().unwrap()["outcome"], "stopped");
    }
}

#[test]
fn ctrl_c_in_the_question_for_a_parameter_ends_the_program_before_any_run() {
    let book = Runbook::new("print(param(\"version\"));");
    let running = book.run().start_on_terminal().until("version:").types(CTRL_C);
    running.ends(2).stderr_has("`version` has no value");
    assert!(!book.folder().join("runs").exists());
}

#[test]
fn what_is_typed_while_a_run_goes_on_is_not_shown_and_answers_nothing() {
    let book = Runbook::new("step \"a\" { print(\"go\"); time::sleep(\"300ms\"); } print(confirm(\"sure?\"));");
    let running = book.run().start_on_terminal().until("go").types("ahead of time\r").until("sure?").types("no\r");
    running.ends(0).stderr_has("false").stderr_lacks("ahead");
}

#[test]
fn a_person_settles_a_change_in_doubt() {
    for (answer, posts) in [("happened", 1), ("repeat", 2)] {
        let late = |before| Duration::from_millis(if before == 0 { 5000 } else { 0 });
        let server = Server::start(move |seen| Reply::new(200, "ok").after(late(seen.before)));
        let book =
            Runbook::new(&format!("step \"a\" {{ http::post(\"{}\", \"x\"); print(\"after\"); }}", server.url("/")));
        book.run().start().once(|| server.seen().len() == 1).signal("KILL").ends(-1);
        let resumed = book.resume().start_on_terminal().until("did `POST").types(&format!("{answer}\r"));
        resumed.ends(0).stderr_has("after").stderr_has("Look at the other side");
        assert_eq!(server.seen().len(), posts, "{answer}");
    }
}

/// Twice the same change in one step: each answer is about the one at that place.
#[test]
fn what_is_kept_is_what_came_of_the_change_at_that_place() {
    let server = Server::start(|seen| Reply::new(200, format!("answer {}", seen.before)));
    let book = Runbook::new(&format!(
        r#"
        step "a" {{ let answers = []; for i in 0..2 {{ answers.push(http::post("{}", "x").text); }} print(answers); }}
        step "b" {{ throw "broken"; }}
        "#,
        server.url("/")
    ));
    let told = book.run().fails(1).stdout_has("[\"answer 0\", \"answer 1\"]");
    told.stderr_has("broken");
    let mut more = 0;
    // The question is drawn anew with each letter of its answer.
    let mut resume = |first: &str, second: &str, expected: &str| {
        book.edit("print(answers);", "print(answers); print();");
        more += 1;
        let asked = book.resume().start_on_terminal().until("again?").types(&format!("{first}\r"));
        let asked = asked.until_times(first.len() + 2, "again?").types(&format!("{second}\r"));
        asked.ends(1).stderr_has(expected);
    };
    resume("keep", "again", "[\"answer 0\", \"answer 2\"]");
    resume("again", "keep", "[\"answer 3\", \"answer 2\"]");
    resume("keep", "keep", "[\"answer 3\", \"answer 2\"]");
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn a_person_keeps_or_repeats_what_was_done_before() {
    for (answer, posts) in [("keep", 1), ("again", 2)] {
        let server = Server::start(|_| Reply::new(200, "ok"));
        let book = Runbook::new(&format!(
            "step \"a\" {{ http::post(\"{}\", \"x\"); }} step \"b\" {{ throw \"broken\"; }}",
            server.url("/")
        ));
        book.run().fails(1).stderr_has("broken");
        book.edit("throw \"broken\";", "");
        book.edit("\"x\");", "\"x\"); print(\"more\");");
        let resumed = book.resume().start_on_terminal().until("again?").types(&format!("{answer}\r"));
        resumed.ends(0).stderr_has("more");
        assert_eq!(server.seen().len(), posts, "{answer}");
    }
}
