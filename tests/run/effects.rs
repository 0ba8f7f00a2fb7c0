//! Changes of the world: recorded, asked for, refused, never blindly repeated.

use std::time::Duration;

use crate::support::{
    program::Runbook,
    server::{Reply, Server},
};

fn server() -> Server {
    Server::start(|_| Reply::new(200, "ok"))
}

/// A server that answers the first request too late for a run that is killed.
fn slow_first() -> Server {
    Server::start(|seen| Reply::new(200, "ok").after(Duration::from_millis(if seen.before == 0 { 5000 } else { 0 })))
}

#[test]
fn the_intent_is_on_disk_before_the_request_is_sent() {
    let server = slow_first();
    let book = Runbook::new(&format!("step \"a\" {{ http::post(\"{}\", \"x\"); }}", server.url("/")));
    let running = book.run().start().once(|| server.seen().len() == 1);
    let intent = book.records().pop().unwrap();
    assert_eq!(intent["record"], "intent");
    assert_eq!(intent["step"], "a");
    running.signal("KILL").ends(-1);
}

#[test]
fn read_only_refuses_every_change() {
    let server = server();
    let book =
        Runbook::new(&format!("step \"a\" {{ http::get(\"{0}\"); http::post(\"{0}\", \"x\"); }}", server.url("/")));
    book.run().args(["--read-only"]).fails(4).stderr_has("`--read-only` was given");
    let methods: Vec<String> = server.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["GET"]);
}

#[test]
fn a_change_outside_of_a_step_is_refused() {
    let server = server();
    let book = Runbook::new(&format!("http::post(\"{}\", \"x\");", server.url("/")));
    book.run().fails(2).stderr_has("error[effect_outside_step]");
    // What `check` can't see, the run does.
    let book = Runbook::new(&format!("let f = |url| http::post(url, \"x\"); f.call(\"{}\");", server.url("/")));
    book.run().fails(4).stderr_has("stands outside of a step");
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn asking_before_each_change_needs_somebody_to_answer() {
    let server = server();
    let book = Runbook::new(&format!("step \"a\" {{ http::post(\"{}\", \"x\"); }}", server.url("/")));
    book.run().args(["--ask", "each"]).fails(4).stderr_has("nobody could be asked");
    assert_eq!(server.seen().len(), 0);
    let object = server.url("/");
    book.run().args(["--ask", "each", "--yes", &format!("a@{object}")]).done();
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn yes_answers_exactly_the_one_question() {
    let book = Runbook::new("step \"nuke\" { confirm_destroy(\"lab\"); print(\"nuked\"); }");
    book.run().fails(4).stderr_has("`lab` is not destroyed").stderr_has("`--yes nuke@lab`");
    book.run().args(["--yes", "nuke@production"]).fails(4).stderr_has("`lab` is not destroyed");
    book.run().args(["--yes", "other@lab"]).fails(4).stderr_has("`lab` is not destroyed");
    book.run().args(["--yes", "nuke@lab"]).done().stdout("nuked\n");
}

#[test]
fn a_question_that_nobody_answers_is_a_no() {
    let book = Runbook::new("step \"a\" { print(confirm(\"restart?\")); }");
    book.run().done().stdout("false\n");
    book.run().args(["--yes", "a@restart?"]).done().stdout("true\n");
}

#[test]
fn a_yes_is_kept_for_the_resumed_run() {
    let book = Runbook::new("step \"a\" { print(confirm(\"restart?\")); throw \"no\"; }");
    book.run().args(["--yes", "a@restart?"]).fails(1).stdout("true\n").stderr_has("no");
    book.resume().fails(1).stdout("true\n").stderr_has("no");
}

#[test]
fn what_a_failed_step_has_done_is_not_done_again() {
    let server = server();
    let book = Runbook::new(&format!(
        "step \"a\" {{ print(http::post(\"{0}\", \"x\").text); http::post(\"{0}\", \"y\"); throw \"no\"; }}",
        server.url("/")
    ));
    book.run().fails(1).stdout("ok\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().done().stdout("ok\n");
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["x", "y"]);
}

#[test]
fn equal_changes_of_one_step_are_counted() {
    let server = server();
    let book = Runbook::new(&format!(
        "step \"a\" {{ for i in 0..3 {{ http::post(\"{}\", \"x\"); if i == 1 {{ throw \"no\"; }} }} }}",
        server.url("/")
    ));
    book.run().fails(1).stderr_has("no");
    book.edit("if i == 1 { throw \"no\"; }", "");
    book.resume().done();
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_change_that_the_edit_changed_is_another_change() {
    let server = server();
    let book = Runbook::new(&format!("step \"a\" {{ http::post(\"{}\", \"x\"); throw \"no\"; }}", server.url("/")));
    book.run().fails(1).stderr_has("no");
    book.edit("throw \"no\";", "");
    book.edit("\"x\"", "\"z\"");
    book.resume().done();
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_change_in_doubt_is_never_blindly_repeated() {
    let server = slow_first();
    let book = Runbook::new(&format!(
        "step \"a\" retry 3 {{ http::post(\"{}\", \"x\"); print(\"after\"); }}",
        server.url("/")
    ));
    book.run().start().once(|| server.seen().len() == 1).signal("KILL").ends(-1);
    let ended = book.resume().fails(3).stderr_has("nobody knows whether `POST").stderr_has("happened");
    ended.stderr_has("hint: ");
    book.resume().fails(3).stderr_has("nobody knows whether");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_change_in_doubt_that_may_be_repeated_is() {
    let server = slow_first();
    let book = Runbook::new(&format!(
        "step \"a\" {{ http::post(\"{}\", \"x\", #{{ repeat_safe: true }}); print(\"after\"); }}",
        server.url("/")
    ));
    book.run().start().once(|| server.seen().len() == 1).signal("KILL").ends(-1);
    book.resume().done().stdout("after\n");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_connection_that_breaks_leaves_a_change_in_doubt_and_is_not_retried() {
    let server = Server::start(|_| Reply::reset());
    let book = Runbook::new(&format!("step \"a\" retry 3 {{ http::post(\"{}\", \"x\"); }}", server.url("/")));
    book.run().fails(1).stderr_has("error[in_doubt]");
    assert_eq!(server.seen().len(), 1);
    book.resume().fails(3).stderr_has("nobody knows whether");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_change_of_another_round_in_doubt_stays_so_when_an_earlier_round_runs_anew() {
    let server = Server::start(|seen| {
        Reply::new(200, "ok").after(Duration::from_millis(if seen.body == "1" { 5000 } else { 0 }))
    });
    let book = Runbook::new(&format!(
        "let greeting = 1; for i in 0..2 {{ step \"a\" {{ print(greeting); http::post(\"{}\", `${{i}}`, #{{ repeat_safe: i == 0 }}); }} }}",
        server.url("/")
    ));
    book.run().start().once(|| server.seen().len() == 2).signal("KILL").ends(-1).stdout("1\n1\n");
    book.edit("let greeting = 1", "let greeting = 2");
    book.resume().fails(3).stdout("2\n2\n").stderr_has("nobody knows whether");
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["0", "1", "0"]);
}

#[test]
fn a_finished_step_that_runs_anew_asks_before_it_repeats_a_change() {
    let server = server();
    let book = Runbook::new(&format!(
        "step \"a\" {{ http::post(\"{}\", \"x\"); }} step \"b\" {{ throw \"no\"; }}",
        server.url("/")
    ));
    book.run().fails(1).stderr_has("no");
    book.edit("\"x\");", "\"x\"); print(\"more\");");
    book.resume().fails(3).stderr_has("was done in this run already");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_change_with_a_secret_in_its_name_is_known_again() {
    let server = server();
    let book = Runbook::new(&format!(
        "let t = param(\"t\", #{{ secret: true }}); step \"a\" {{ http::post(`{}${{t.expose()}}`, \"x\"); throw \"no\"; }}",
        server.url("/")
    ));
    book.run().variable("COZYSCRIPT_T", "a-secret-path").fails(1).stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().variable("COZYSCRIPT_T", "a-secret-path").done();
    assert_eq!(server.seen().len(), 1);
}
