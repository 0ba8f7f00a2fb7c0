//! Which steps of a runbook are run.

use crate::support::program::Runbook;

const BOOK: &str = r#"
step "prepare" { print("prepare"); }
step "deploy" {
    print("deploy");
    step "web" { print("web"); }
    step "db" { print("db"); }
}
step "deploy-docs" { print("docs"); }
step "verify" { print("verify"); }
"#;

#[track_caller]
fn runs(book: &str, selection: &[&str], expected: &[&str]) {
    let book = Runbook::new(book);
    let mut call = book.run();
    for argument in selection {
        call = call.args([argument]);
    }
    let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
    call.done().stdout(&expected);
}

#[test]
fn everything_is_run_unless_said_otherwise() {
    runs(BOOK, &[], &["prepare", "deploy", "web", "db", "docs", "verify"]);
}

#[test]
fn from_skips_what_stands_before() {
    runs(BOOK, &["--from", "deploy-docs"], &["docs", "verify"]);
}

#[test]
fn from_a_nested_step_enters_the_steps_around_it_and_no_other() {
    runs(BOOK, &["--from", "deploy/db"], &["deploy", "db", "docs", "verify"]);
}

#[test]
fn until_runs_the_step_with_all_inside_it_and_nothing_after() {
    runs(BOOK, &["--until", "deploy"], &["prepare", "deploy", "web", "db"]);
    runs(BOOK, &["--until", "deploy/web"], &["prepare", "deploy", "web"]);
}

#[test]
fn only_runs_what_is_named_and_what_is_inside_it() {
    runs(BOOK, &["--only", "deploy"], &["deploy", "web", "db"]);
    runs(BOOK, &["--only", "deploy/db", "--only", "verify"], &["deploy", "db", "verify"]);
}

#[test]
fn a_pattern_without_a_slash_enters_only_steps_that_lead_to_what_it_names() {
    runs(BOOK, &["--only", "deploy-*"], &["docs"]);
    runs(BOOK, &["--only", "ver*"], &["verify"]);
    runs(BOOK, &["--only", "*/db"], &["deploy", "db"]);
}

#[test]
fn skip_leaves_a_step_out_with_all_inside_it() {
    runs(BOOK, &["--skip", "deploy"], &["prepare", "docs", "verify"]);
    runs(BOOK, &["--skip", "deploy*"], &["prepare", "verify"]);
    runs(BOOK, &["--skip", "deploy/web"], &["prepare", "deploy", "db", "docs", "verify"]);
}

#[test]
fn selections_add_up() {
    runs(BOOK, &["--from", "deploy", "--until", "deploy-docs", "--skip", "deploy/db"], &["deploy", "web", "docs"]);
}

const LOOP: &str = r#"
for node in ["a", "b", "x/y"] {
    step "drain" key node { print(`drain ${node}`); step "evict" { print(`evict ${node}`); } }
}
step "end" { print("end"); }
"#;

#[test]
fn one_round_of_a_loop_is_named_by_its_key() {
    runs(LOOP, &["--only", "drain[b]"], &["drain b", "evict b"]);
    runs(LOOP, &["--only", "drain[b]/evict"], &["drain b", "evict b"]);
    runs(LOOP, &["--only", "drain[x/y]/evict"], &["drain x/y", "evict x/y"]);
    runs(LOOP, &["--skip", "drain[a]", "--skip", "end"], &["drain b", "evict b", "drain x/y", "evict x/y"]);
}

#[test]
fn a_name_without_a_key_means_every_round() {
    let all = ["drain a", "evict a", "drain b", "evict b", "drain x/y", "evict x/y"];
    runs(LOOP, &["--only", "drain"], &all);
    runs(LOOP, &["--until", "drain"], &all);
    runs("for i in 0..3 { step \"tick\" { print(i); } } step \"tock\" {}", &["--until", "tick"], &["0", "1", "2"]);
}

#[test]
fn a_step_of_a_function_is_named_inside_the_step_that_calls_it() {
    let book = r#"
        fn check() { step "dns" { print("dns"); } step "tls" { print("tls"); } }
        step "site" { check(); }
        step "mail" { print("mail"); }
    "#;
    runs(book, &["--only", "site/tls"], &["tls"]);
    runs(book, &["--from", "site/tls"], &["tls", "mail"]);
}

#[test]
fn until_does_not_take_a_step_whose_name_only_begins_like_it() {
    runs("step \"a\" { print(1); } step \"ab\" { print(2); }", &["--until", "a"], &["1"]);
}

/// However long a branch takes, those beside it neither come before it nor after it.
#[test]
fn branches_beside_the_one_that_is_named_do_not_depend_on_timing() {
    let book = |slow: &str| {
        let pause = |name: &str| if name == slow { "time::sleep(\"120ms\");" } else { "" };
        let step =
            |name: &str, after: &str| format!("step \"{name}\" {after} {{ {} print(\"{name}\"); }}", pause(name));
        let branches = [step("a", ""), step("b", "after \"a\""), step("c", "after \"b\""), step("d", "")].join("\n");
        Runbook::new(&format!("step \"first\" {{}} parallel {{\n{branches}\n}} step \"last\" {{ print(\"last\"); }}"))
    };
    let ran = |slow: &str, selection: [&str; 2], expected: &[&str]| {
        let ended = book(slow).run().args(selection).done();
        let mut names: Vec<String> = ended.stdout.lines().map(str::to_owned).collect();
        names.sort();
        assert_eq!(names, expected, "{slow} is slow");
        ended.stdout_has(expected[0]);
    };
    for slow in ["a", "b", "c", "d"] {
        ran(slow, ["--from", "b"], &["b", "c", "last"]);
        ran(slow, ["--until", "b"], &["a", "b", "d"]);
    }
}

#[test]
fn an_unknown_name_is_an_error_with_a_suggestion_before_anything_runs() {
    let book = Runbook::new(BOOK);
    for option in ["--from", "--until", "--only", "--skip"] {
        let ended = book.run().args([option, "deplyo"]).fails(2);
        ended.stderr_has(&format!("`{option} deplyo` names no step")).stderr_has("did you mean `deploy`?");
    }
    book.run().args(["--skip", "nothing-of-the-kind-*"]).fails(2).stderr_has("its steps are prepare, deploy");
    assert!(!book.folder().join("runs").exists(), "no run was begun");
}

#[test]
fn all_unknown_names_are_told_at_once() {
    let book = Runbook::new(BOOK);
    let ended = book.run().args(["--from", "prepar", "--skip", "verifi"]).fails(2);
    ended.stderr_has("did you mean `prepare`?").stderr_has("did you mean `verify`?");
}

#[test]
fn what_was_asked_for_and_never_came_up_is_warned_of() {
    let book = Runbook::new(LOOP);
    book.run().args(["--only", "drain[z]"]).done().stderr_has("`--only drain[z]` named a step that the run did not");
}

#[test]
fn a_failure_names_the_variables_that_skipped_steps_might_have_set() {
    let book = Runbook::new(
        "let address = (); step \"find\" { address = \"10.0.0.1\"; }\nstep \"use\" { print(address.len()); }",
    );
    let ended = book.run().args(["--from", "use"]).fails(1);
    ended.stderr_has("`address` had no value, and these steps were left out: find");
}

#[test]
fn a_resumed_run_leaves_out_what_was_left_out_before() {
    let book = Runbook::new("step \"nuke\" { print(\"nuke\"); }\nstep \"b\" { print(\"b\"); throw \"no\"; }");
    book.run().args(["--from", "b"]).fails(1).stdout("b\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().done().stdout("b\n").stderr_has("leaves out what it left out before: --from b");
}

#[test]
fn a_resumed_run_takes_what_was_done_before_from_and_runs_the_rest_anew() {
    let book = Runbook::new(
        "let x = step \"a\" { print(\"a\"); 7 }; step \"b\" { print(`b ${x}`); } step \"c\" { print(\"c\"); throw \"no\"; }",
    );
    book.run().fails(1).stdout("a\nb 7\nc\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().args(["--from", "b"]).done().stdout("b 7\nc\n").stderr_has("step a: replayed");
}

#[test]
fn a_step_around_one_that_was_left_out_is_entered_again_once_it_is_not() {
    let book = Runbook::new(
        "step \"a\" { step \"one\" { print(1); } step \"two\" { print(2); } } step \"end\" { throw \"no\"; }",
    );
    book.run().args(["--skip", "a/one"]).fails(1).stdout("2\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    book.resume().args(["--skip", "end"]).done().stdout("1\n2\n");
}

#[test]
fn off_a_terminal_asking_before_each_step_stops_the_run() {
    let book = Runbook::new(BOOK);
    book.run().args(["--step"]).fails(3).stderr_has("`--step` asks before each step, and");
}
