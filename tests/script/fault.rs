use std::collections::BTreeSet;

use cozyscript::script::{binding::Binding, fault::Kind, values::object};

use crate::support::Script;

const OBJECT: Binding = Binding { name: "object", summary: "", functions: |_| {}, types: object::register };

#[test]
fn the_words_for_kinds_never_change() {
    let words: Vec<&str> = Kind::ALL.iter().map(|(_, word, _)| *word).collect();
    insta::assert_snapshot!(words.join(" "), @"absent already_exists conflict denied failed file in_doubt invalid not_found parse refused script status timeout tls unauthenticated unavailable unreachable unsupported usage");
}

#[test]
fn every_kind_has_one_word_of_its_own_and_a_meaning() {
    let words: BTreeSet<&str> = Kind::ALL.iter().map(|(_, word, _)| *word).collect();
    let kinds: BTreeSet<Kind> = Kind::ALL.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(words.len(), Kind::ALL.len());
    assert_eq!(kinds.len(), Kind::ALL.len());
    for (kind, word, meaning) in Kind::ALL {
        assert_eq!(kind.word(), *word);
        assert_eq!(Kind::of_word(word), Some(*kind));
        assert!(word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{word}");
        assert!(!meaning.is_empty() && !meaning.ends_with('.'), "{word}: {meaning}");
    }
    assert_eq!(Kind::of_word("no_such_kind"), None);
}

/// The variants in the source: a kind that is not in the list would only show when its word is asked for.
#[test]
fn every_kind_is_in_the_list() {
    let source = include_str!("../../src/script/fault.rs");
    let body = source.split_once("pub enum Kind {").unwrap().1.split_once('}').unwrap().0;
    let declared: Vec<&str> =
        body.lines().map(|line| line.trim().trim_end_matches(',')).filter(|line| !line.is_empty()).collect();
    let listed: Vec<String> = Kind::ALL.iter().map(|(kind, ..)| format!("{kind:?}")).collect();
    assert_eq!(declared, listed);
}

/// Rhai makes the map itself; a report of it, caught or not, has the kind.
#[test]
fn errors_of_the_language_are_caught_with_a_message_and_a_place_but_without_a_kind() {
    let script = Script::new(&[OBJECT], ".");
    let caught = |field: &str| {
        let text = format!("let told; try {{\n  shuffel([1]) }} catch (e) {{ told = e.{field}; }} `${{told}}`");
        script.value::<String>(&text)
    };
    assert_eq!(caught("message"), "Function not found: shuffel (array)");
    assert_eq!(caught("line"), "2");
    assert_eq!(caught("source"), "test.rhai");
    assert_eq!(caught("kind"), "");
}

#[test]
fn what_cozyscript_raises_is_caught_with_its_kind() {
    let script = Script::new(&[OBJECT], ".");
    let kind = |failing: &str| {
        script.value::<String>(&format!("let told; try {{ {failing} }} catch (e) {{ told = e.kind; }} told"))
    };
    assert_eq!(kind("let x = #{}; x.pods.first"), "absent");
    assert_eq!(kind("let x = #{}.to_object(); x.hook = || 1"), "usage");
    assert_eq!(kind("let x = #{}.to_object(); x.get(\"a..b\")"), "usage");
    assert_eq!(kind("parallel for x in 5 {}"), "usage");
}

fn code(text: &str) -> String {
    Script::new(&[OBJECT], ".").diagnostic("test.rhai", text).expect("it fails").code
}

#[test]
fn uncaught_errors_of_the_language_have_a_kind() {
    assert_eq!(code("shuffel([1])"), "script");
    assert_eq!(code("let x = #{}; x.pods.len()"), "absent");
    assert_eq!(code("let x = #{}; x.pods + 1"), "absent");
    assert_eq!(code("\"5m\" - 1"), "usage");
    assert_eq!(code("parse_int(\"x\")"), "parse");
    assert_eq!(code("[1][7]"), "script");
    assert_eq!(code("1 / 0"), "script");
    assert_eq!(code("let n = 5; for i in n {}"), "usage");
    assert_eq!(code("let n = [1]; if n.len() {}"), "usage");
}

#[test]
fn an_error_that_was_caught_and_thrown_again_keeps_its_kind_and_first_place() {
    let script = Script::new(&[OBJECT], ".");
    for (body, kind) in [("x.len()", "absent"), ("\"5m\" - 1", "usage"), ("[1][7]", "script"), ("nobody", "script")] {
        let text = format!("fn inner(x) {{\n{body} }}\ntry {{\n inner(()) }} catch (e) {{\n throw e; }}");
        let told = script.diagnostic("test.rhai", &text).expect("it fails");
        assert_eq!(told.code, kind, "{body}");
        assert_eq!(told.place.expect(body).line, 2, "{body}");
        assert_eq!(told.related.last().expect(body).0.line, 5, "{body}");
    }
}

#[test]
fn a_stopped_run_is_no_diagnostic() {
    let script = Script::new(&[OBJECT], ".");
    script.stop_after(std::time::Duration::ZERO);
    assert_eq!(script.diagnostic("test.rhai", "loop {}"), None);
    assert_eq!(script.diagnostic("test.rhai", "try { loop {} } catch {}"), None);
}
