//! The outline of a runbook: its prose, its steps, and what an edit changes.

use cozyscript::script::{
    engine,
    outline::{Outline, outline, paths},
    sources::Sources,
};

fn outlined(text: &str) -> Outline {
    outline(&engine::lexer(), text)
}

fn whole(text: &str, path: &str) -> String {
    let outline = outlined(text);
    let step = outline.steps.iter().find(|step| step.path == path).expect("the step is there");
    outline.digests(step, "test.rhai", &engine::lexer(), &Sources::default()).whole
}

#[test]
fn the_lines_at_the_top_introduce_the_runbook() {
    let outline = outlined("#!/usr/bin/env cozyscript\n//! # Title\n//!\n//! Prose.\n\n//! not this\nstep \"a\" { }");
    assert_eq!(outline.narration, "# Title\n\nProse.");
}

#[test]
fn the_comments_right_above_a_step_are_its_prose() {
    let outline = outlined("// Far.\n\n// ## Near\n// it goes on\nlet v = step \"a\" { 1 };\nstep \"b\" { }");
    let prose: Vec<&str> = outline.steps.iter().map(|step| step.narration.as_str()).collect();
    assert_eq!(prose, ["## Near\nit goes on", ""]);
}

#[test]
fn steps_inside_steps_are_known_by_their_path() {
    let outline = outlined("step \"a\" { if true { step \"b\" key `x${1}` { let o = #{ c: `}` }; } } step \"d\" { } }");
    let paths: Vec<&str> = outline.steps.iter().map(|step| step.path.as_str()).collect();
    assert_eq!(paths, ["a", "a/b", "a/d"]);
}

#[test]
fn comments_and_white_space_change_nothing() {
    let before = whole("step \"a\" { let x = 1; x + 2 }", "a");
    assert_eq!(before, whole("// prose\nstep  \"a\" {\n  let x = 1; // why\n  x + 2\n}", "a"));
    assert_ne!(before, whole("step \"a\" { let x = 1; x + 3 }", "a"));
}

#[test]
fn what_a_step_calls_is_part_of_it() {
    let text =
        |number| format!("fn deep() {{ {number} }} fn near() {{ deep() }} step \"a\" {{ near() }} step \"b\" {{ 1 }}");
    assert_ne!(whole(&text(1), "a"), whole(&text(2), "a"));
    assert_eq!(whole(&text(1), "b"), whole(&text(2), "b"));
}

#[test]
fn a_constant_that_a_function_reads_is_part_of_the_step_that_calls_it() {
    let text = |number| format!("const LIMIT = {number};\nfn limit() {{ global::LIMIT }}\nstep \"a\" {{ limit() }}");
    assert_ne!(whole(&text(1), "a"), whole(&text(2), "a"));
}

#[test]
fn functions_that_call_themselves_have_only_so_many_paths() {
    let steps: String = (0..20).map(|number| format!("step \"s{number}\" {{ again() }} ")).collect();
    let outline = outlined(&format!("fn again() {{ {steps} }} again();"));
    assert!(paths(&[outline.into()]).len() < 20_000);
}
