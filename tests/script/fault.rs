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

#[test]
fn errors_of_the_language_are_caught_as_faults() {
    let script = Script::new(&[OBJECT], ".");
    let caught = |failing: &str, field: &str| {
        let text = format!("let told; try {{\n  {failing} }} catch (e) {{ told = e.{field}; }} `${{told}}`");
        script.diagnostic("test.rhai", &text).map_or_else(|| script.value::<String>(&text), |told| told.message)
    };
    assert_eq!(caught("shuffel([1])", "message"), "there is no function `shuffel`");
    assert_eq!(caught("shuffel([1])", "line"), "2");
    assert_eq!(caught("shuffel([1])", "column"), "3");
    assert_eq!(caught("shuffel([1])", "file"), "test.rhai");
    assert_eq!(caught("shuffel([1])", "kind"), "script");
    assert_eq!(caught("1 / 0", "hint"), "ask first: `if divisor != 0 { … }`");
    assert_eq!(caught("parse_int(\"x\")", "kind"), "parse");
    assert_eq!(caught("[1][7]", "kind"), "script");
    assert_eq!(caught("\"5m\" - 1", "kind"), "usage");
    assert_eq!(caught("let x = #{}; x.pods.len()", "kind"), "absent");
    assert_eq!(caught("let x = #{}; x.pods.len()", "message"), "`x.pods` is absent, so `len` can't be called on it");
}

#[test]
fn what_a_script_throws_is_caught_as_it_was_thrown() {
    let script = Script::new(&[OBJECT], ".");
    assert_eq!(script.value::<String>("let told; try { throw \"no\" } catch (e) { told = e; } told"), "no");
    assert_eq!(script.value::<i64>("let told; try { throw #{ code: 7 } } catch (e) { told = e.code; } told"), 7);
}

#[test]
fn try_and_catch_are_the_languages_own() {
    let script = Script::new(&[OBJECT], ".");
    let value = |text: &str| script.value::<i64>(text);
    assert_eq!(value("let e = 1; let a = 2; try { let b = 3; nobody } catch (e) { let c = 4; a = c; } a + e"), 5);
    assert_eq!(value("let a = 1; try { throw 5 } catch (e) { let inner = |x| x + e + a; a = inner.call(1); } a"), 7);
    assert_eq!(value("fn f(x) { try { return x; } catch { return 0; } } f(3)"), 3);
    assert_eq!(value("fn f(x) { try { throw x; } catch (e) { return e + 1; } } f(3)"), 4);
    assert_eq!(
        value("let n = 0; for i in 0..9 { try { if i == 3 { break; } if i == 1 { continue; } n += 1; } catch {} } n"),
        2
    );
    assert_eq!(value("let n = 0; for i in 0..9 { try { throw i; } catch (e) { if e == 2 { break; } n += 1; } } n"), 2);
    assert_eq!(value("let a = 0; try { try { throw 1 } catch (e) { throw e + 1; } } catch (e) { a = e; } a"), 2);
    assert_eq!(value("let a = 0; try { try { throw 1 } catch (e) { throw; } } catch (e) { a = e; } a"), 1);
    assert_eq!(
        value("fn f() { try { this.n = 1; nobody } catch (e) { this.n += 1; } } let m = #{ n: 0 }; m.f(); m.n"),
        2
    );
    assert_eq!(value("const A = 1; try { const A = 2; nobody } catch { } fn f() { global::A } f()"), 1);
    assert_eq!(value("let a = #{ try: 1, catch: 2 }; a.try + a.catch"), 3);
    assert_eq!(value("try { 1 } catch { 2 } let a = 3; a"), 3);
}

#[test]
fn an_attempt_has_the_value_of_the_block_that_came_to_its_end() {
    let script = Script::new(&[OBJECT], ".");
    let value = |text: &str| script.value::<i64>(text);
    assert_eq!(value("let a = try { parse_int(\"3\") } catch { 4 }; a"), 3);
    assert_eq!(value("let a = try { parse_int(\"x\") } catch { 4 }; a"), 4);
    assert_eq!(value("fn read(text) { try { parse_int(text) } catch (e) { e.message.len() } } read(\"y\")"), 16);
}

#[test]
fn a_caught_fault_says_what_is_there_in_the_place_of_the_absent() {
    let script = Script::new(&[OBJECT], ".");
    let hint =
        |text: &str| script.value::<String>(&format!("let told; try {{ {text} }} catch (e) {{ told = e.hint; }} told"));
    assert_eq!(
        hint("let x = #{ spec: #{ replicas: 3 } }; x.spec.replicsa.max"),
        "did you mean `replicas`? otherwise use `?.` or `??`; the keys here: replicas"
    );
    assert_eq!(
        hint("let x = [#{ name: 1 }]; x[0].nope.len()"),
        "use `?.` to leave the call out, or `??` to put a value in its place; the keys here: name"
    );
    assert_eq!(hint("let x = #{ a: 1 }; let f = |x| x.nope.deep; f.call(x)"), "use `?.` or `??`");
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
