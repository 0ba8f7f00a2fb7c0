//! How a command line is read.

use crate::support::program::Runbook;

#[test]
fn a_file_alone_is_run_and_so_is_one_after_options() {
    let book = Runbook::new("print(\"ran\");");
    book.call(["book.rhai"]).done().stdout("ran\n");
    book.call(["run", "book.rhai"]).done().stdout("ran\n");
    book.call(["-q", "book.rhai"]).done().stdout("ran\n");
    book.call(["--color", "never", "./book.rhai"]).done().stdout("ran\n");
}

#[test]
fn a_file_named_like_a_subcommand_is_run_by_its_path() {
    let book = Runbook::new("").file("check", "print(\"ran\");");
    book.call(["./check"]).done().stdout("ran\n");
    book.call(["run", "check"]).done().stdout("ran\n");
}

#[test]
fn options_before_a_file_may_have_values_named_like_a_subcommand() {
    let book = Runbook::new("print(param(\"mode\"));");
    book.call(["--set", "mode=run", "book.rhai"]).done().stdout("run\n");
    book.call(["--skip", "check", "book.rhai"]).fails(2).stderr_has("`--skip check` names no step");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let book = Runbook::new("");
    book.call(["nothing.rhai"]).fails(2).stderr_has("runbook `nothing.rhai` is not there");
    book.call(["nothing"]).fails(2).stderr_has("nothing");
    book.call(["run"]).fails(2).stderr_has("<FILE>");
    book.call([]).fails(2).stderr_has("Usage:");
}

#[test]
fn a_runbook_that_is_wrong_is_checked_before_its_first_step() {
    let book = Runbook::new("step \"a\" { print(\"never\"); }\nstep \"b\" { prnt(1); }");
    book.run().fails(2).stderr_has("book.rhai:2:12").stderr_has("did you mean `print`?");
    book.call(["check", "book.rhai"]).fails(2).stderr_has("did you mean `print`?");
    let found = book.call(["check", "--json", "book.rhai"]).fails(2).json();
    assert_eq!([&found[0]["file"], &found[0]["severity"]], ["book.rhai", "error"]);
    assert_eq!([&found[0]["line"], &found[0]["column"]], [2, 12]);
}

#[test]
fn a_runbook_without_fault_is_said_to_have_none() {
    let book = Runbook::new("step \"a\" {}").file("other.rhai", "");
    book.call(["check", "book.rhai", "other.rhai"])
        .done()
        .stderr_has("book.rhai: nothing wrong")
        .stderr_has("other.rhai: nothing wrong");
    book.call(["check", "--json", "book.rhai"]).done();
}

#[test]
fn text_that_is_no_text_is_refused() {
    let book = Runbook::new("");
    std::fs::write(book.folder().join("bytes.rhai"), [0x70, 0xff, 0xfe]).unwrap();
    book.call(["bytes.rhai"]).fails(2).stderr_has("byte 1 is not UTF-8");
}

#[test]
fn a_runbook_may_begin_with_the_line_that_makes_it_a_program() {
    let book =
        Runbook::new("#!/usr/bin/env -S cozyscript run\n//! # Hello\nstep \"a\" { print(\"hi\"); }\nlet x = 1 / 0;\n");
    book.run().fails(1).stdout("hi\n").stderr_has("book.rhai:4:");
}
