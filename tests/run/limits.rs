//! The limits that every script has.

use cozyscript::script::{engine, sources::Sources};

use crate::support::program::Runbook;

#[track_caller]
fn ends(script: &str, said: &str) {
    let ended = Runbook::new(script).run().fails(1);
    ended.stderr_has(said).stderr_has("hint: ");
}

#[test]
fn calls_go_only_so_deep() {
    ends("fn f(n) { f(n + 1) } f(0);", "64");
}

#[test]
fn a_text_grows_only_so_long() {
    ends("let text = \"0123456789\"; loop { text += text; }", "64 MiB");
}

#[test]
fn a_list_grows_only_so_long() {
    ends("let list = [0, 1, 2, 3]; loop { list += list; }", "beyond 1,000,000 items");
}

#[test]
fn a_map_grows_only_so_large() {
    ends("let map = #{ x: 1 }; loop { map = #{ a: map, b: map }; }", "beyond 1,000,000 entries");
}

#[test]
fn expressions_nest_only_so_deep() {
    let deep = format!("let x = {}1{};", "(".repeat(200), ")".repeat(200));
    Runbook::new(&deep).run().fails(2).stderr_has("error[");
}

#[test]
fn there_are_only_so_many_variables() {
    let mut engine = engine::build(&[], &Sources::default());
    assert_eq!(engine.max_variables(), engine::limits::VARIABLES);
    // The parser takes time with the square of their number.
    engine.set_max_variables(100);
    let many = |count: usize| (0..count).map(|number| format!("let x{number} = 0;\n")).collect::<String>();
    engine.run(&many(100)).expect("so many are allowed");
    let error = engine.run(&many(101)).expect_err("one more is not");
    assert!(matches!(*error, rhai::EvalAltResult::ErrorTooManyVariables(_)), "{error}");
}

#[test]
fn operations_are_counted() {
    let mut engine = engine::build(&[], &Sources::default());
    assert_eq!(engine.max_operations(), engine::limits::OPERATIONS);
    engine.set_max_operations(10_000);
    let error = engine.run("loop { }").expect_err("a loop without end has an end");
    assert!(matches!(*error, rhai::EvalAltResult::ErrorTooManyOperations(_)), "{error}");
}

#[test]
fn modules_are_counted() {
    let imports: String =
        (0..engine::limits::MODULES + 1).map(|number| format!("import \"m{number}\" as m{number};\n")).collect();
    let mut book = Runbook::new(&imports);
    for number in 0..=engine::limits::MODULES {
        book = book.file(&format!("m{number}.rhai"), "");
    }
    book.run().fails(1).stderr_has("200");
}
