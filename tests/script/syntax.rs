//! `step`, `parallel`, narration and reserved words, as the language host evaluates them.

use cozyscript::script::{engine, outline};

use crate::support::Script;

fn script() -> Script {
    Script::new(&[], ".")
}

#[test]
fn a_step_has_the_value_of_its_block() {
    assert_eq!(script().value::<i64>(r#"let x = 40; let v = step "add" { x + 2 }; v"#), 42);
}

#[test]
fn a_step_reads_and_writes_the_variables_around_it() {
    assert_eq!(script().value::<i64>(r#"let x = 1; step "set" { x = 7; let y = 2; } x"#), 7);
}

#[test]
fn clauses_come_in_any_order() {
    let text = r#"step "a" { 1 } step "b" retry 2 after "a" timeout 10m key "k" { 3 }"#;
    assert_eq!(script().value::<i64>(text), 3);
    assert_eq!(script().value::<i64>(r#"step "b" timeout "1h30m" key 1 + 1 retry 0 { 3 }"#), 3);
}

#[test]
fn a_wrong_clause_is_named_with_the_nearest_one() {
    let error = script().run(r#"step "o" tiemout 10m { }"#).unwrap_err().to_string();
    assert!(error.contains("found `tiemout`; did you mean `timeout`?"), "{error}");
    assert!(error.contains("line 1, position 10"), "{error}");
    let error = script().run(r#"step "o" timeout 10q { }"#).unwrap_err().to_string();
    assert!(error.contains("`10q` is not a duration"), "{error}");
}

#[test]
fn branches_run_with_the_variables_around_them_and_give_their_values_in_order() {
    assert_eq!(script().value::<i64>("let a = 2; let r = parallel { a + 1; { a * 5 } }; r[0] * 100 + r[1]"), 310);
    assert_eq!(script().value::<i64>("let r = parallel for x in [1, 2, 3] limit 2 { x * 10 }; r[0] + r[1] + r[2]"), 60);
}

#[test]
fn a_variable_set_by_one_branch_is_brought_back() {
    assert_eq!(script().value::<i64>("let a = 1; let b = 1; parallel { { a = 5; } { b = 6; } } a * 10 + b"), 56);
}

#[test]
fn two_branches_that_set_one_variable_are_refused() {
    let fault = script().fault("let a = 1; parallel { { a = 5; } { a = 6; } }");
    assert_eq!(fault.message, "branches `0` and `1` both set `a`");
}

#[test]
fn reserved_words_are_fields() {
    let text =
        r#"let o = #{ default: 1, match: 2, if: 3, for: 4, step: 5 }; o.default + o.match + o.if + o.for + o["step"]"#;
    assert_eq!(script().value::<i64>(text), 15);
}

#[test]
fn narration_with_three_slashes_may_stand_anywhere() {
    let text =
        "//! # Title\n/// Prose of the step.\nstep \"a\" {\n    /// inside\n    1\n}\n/// Doc.\nfn f() { 2 }\nf()";
    assert_eq!(script().value::<i64>(text), 2);
}

#[test]
fn a_slash_run_inside_a_text_is_left_alone() {
    assert_eq!(script().value::<String>("let x = 1; `a\n/// b ${x} \"/// c\"\n/// d`"), "a\n/// b 1 \"/// c\"\n/// d");
}

#[test]
fn the_language_has_no_clock_of_its_own() {
    assert_eq!(script().fault("timestamp()").hint.as_deref(), Some("`now()` is the run's clock"));
}

#[test]
fn a_comment_that_is_never_closed_ends_with_the_text() {
    let text = "/// Prose.\nstep \"a\" { 1 } /* the rest\nstep \"b\" { 2 }";
    let outline = outline::outline(&engine::lexer(), text);
    assert_eq!(outline.steps.iter().map(|step| step.path.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(script().value::<i64>(text), 1);
}

#[test]
fn a_step_may_stand_in_a_closure() {
    let text = "let f = |x| step \"a\" after \"b\" timeout 1h30m retry 3 key x { x + 1 }; f.call(1)";
    assert_eq!(script().value::<i64>(text), 2);
}

#[test]
fn a_keyword_after_a_dot_is_refused_whatever_follows() {
    for text in ["let o = #{}; o.step \"\" {}.x", "let o = #{}; o?.parallel { 1 }.y.z", "let o = #{}; o.step"] {
        let error = script().run(text).unwrap_err().to_string();
        assert!(error.contains("Expecting name of a property"), "{text}: {error}");
    }
}
