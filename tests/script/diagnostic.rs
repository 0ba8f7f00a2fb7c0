use cozyscript::{
    diagnostic::{Diagnostic, Severity},
    host::cancel::Reason,
    script::{binding::Binding, fault::Kind, values::object},
};

use crate::support::Script;

const OBJECT: Binding = Binding { name: "object", summary: "", functions: |_| {}, types: object::register };

fn told(text: &str) -> Diagnostic {
    Script::new(&[OBJECT], ".").diagnostic("test.rhai", text).unwrap_or_else(|| panic!("it does not fail: {text}"))
}

fn hint(text: &str) -> String {
    told(text).hint.expect("there is a hint")
}

/// Where it is: source, line, column and length.
fn place(text: &str) -> (usize, usize, usize) {
    let place = told(text).place.expect("there is a place");
    assert_eq!(place.source, "test.rhai");
    (place.line, place.column, place.length)
}

#[test]
fn the_place_is_the_innermost_and_the_calls_lead_outwards() {
    let told = told("fn inner(x) { x.zork() }\nfn outer(x) { inner(x) }\nouter(1);");
    assert_eq!(told.severity, Severity::Error);
    assert_eq!(told.message, "an integer has no function `zork`");
    assert_eq!(told.place.map(|place| (place.line, place.column)), Some((1, 17)));
    let calls: Vec<_> = told.related.iter().map(|(place, label)| (place.line, place.column, label.as_str())).collect();
    assert_eq!(calls, [(2, 15, "called from here: `inner`"), (3, 1, "called from here: `outer`")]);
}

#[test]
fn a_closure_and_the_function_it_was_given_to_are_one_call() {
    let told = told("[1, 2].map(|x| x.zork())");
    assert_eq!(told.related.len(), 1);
    assert_eq!(told.related[0].1, "called from here: `map`");
}

#[test]
fn of_many_calls_the_middle_is_left_out() {
    let told = told("fn tick(x) { tock(x - 1) }\nfn tock(x) { if x < 0 { nobody } else { tick(x) } }\ntick(10);");
    assert_eq!(told.related.len(), 8);
    assert_eq!(told.notes, ["14 calls in between are left out"]);
    assert_eq!(told.related.last().map(|(place, _)| place.line), Some(3));
}

#[test]
fn the_calls_of_a_function_by_itself_are_counted() {
    let told = told("fn down(x) { if x == 0 { nobody } else { down(x - 1) } }\ndown(20);");
    let labels: Vec<&str> = told.related.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["called from here: `down`, 20 times", "called from here: `down`"]);
}

#[test]
fn absent_expressions_are_quoted_from_the_source() {
    let absent = |text: &str| {
        let told = told(&format!("let m = #{{ list: [#{{}}] }};\n{text}"));
        assert_eq!((told.code.as_str(), told.label.as_deref()), ("absent", Some("absent")), "{text}");
        let place = told.place.unwrap();
        let line: Vec<char> = text.chars().collect();
        line[place.column - 1..place.column - 1 + place.length].iter().collect::<String>()
    };
    assert_eq!(absent("print(m.pods.len())"), "m.pods");
    assert_eq!(absent("m.list[0].name.to_upper()"), "m.list[0].name");
    assert_eq!(absent("m.get(\"a.b\").len()"), "m.get(\"a.b\")");
    assert_eq!(absent("let x = 2 * m[\"pods\"];"), "m[\"pods\"]");
    assert_eq!(absent("1 - m.list[0].count * 2"), "m.list[0].count");
    assert_eq!(absent("-m.pods"), "m.pods");
    assert_eq!(absent("m.pods += 1;"), "m.pods");
    assert_eq!(absent("1 in m.pods"), "m.pods");
    assert_eq!(absent("if m.pods { 1 }"), "m.pods");
    assert_eq!(absent("`${m.pods.len()}`"), "m.pods");
}

#[test]
fn the_whole_name_is_pointed_at() {
    assert_eq!(place("let a = 1;\n  shuffel(a);"), (2, 3, 7));
    assert_eq!(place("pods::all(1)"), (1, 1, 9));
    assert_eq!(place("let a = 1; a.field"), (1, 14, 5));
    assert_eq!(place("let a = nobody;"), (1, 9, 6));
    assert_eq!(place("[1, 2][ 1 + 6 ]"), (1, 11, 1));
}

#[test]
fn types_are_named_in_the_operators_words() {
    assert_eq!(told("shuffel(1)").message, "there is no function `shuffel`");
    assert_eq!(told("#{}.to_object().zork()").message, "`Object` has no function `zork`");
    assert_eq!(told("1.5.zork()").message, "a float has no function `zork`");
    assert_eq!(told("[].zork()").message, "a list has no function `zork`");
    assert_eq!(
        told("fn f(a) { a } f(1, \"x\", ())").message,
        "`f` can't be called with an integer, a text and nothing `()`"
    );
    assert_eq!(told("true - [1]").message, "`-` can't be applied to a boolean and a list");
}

#[test]
fn hints_name_what_is_there() {
    assert_eq!(hint("fn restart(name) {} restrat(\"a\")"), "did you mean `restart`?");
    assert_eq!(hint("\"a\".lenght()"), "did you mean `len`?");
    assert_eq!(hint("fn f(a, b) { a } f(1)"), "it takes `f(a, b)`");
    assert_eq!(
        hint("let check = || 1; check()"),
        "`check` is a variable; a closure in it is called with `check.call(…)`"
    );
    assert_eq!(
        hint("let x = #{ a: 1 }.to_object(); x.keys().map(|name| x[name])"),
        "give what it is asked for a name of its own first: `let names = it.keys(); names.map(|name| it[name])`"
    );
    assert_eq!(hint("let a = parse_int;"), "`parse_int` is a function: call it with `parse_int(…)`");
    assert_eq!(
        hint("let a = 1; fn f() { a } f()"),
        "a function sees only its parameters and `global::NAME` of constants: make it a parameter"
    );
}

#[test]
fn limits_are_named_with_their_numbers() {
    assert_eq!(told("fn f(x) { f(x) } f(1)").message, "functions call each other deeper than 64 levels");
    assert_eq!(told("let a = [1]; loop { a += a }").message, "a list grew beyond 1,000,000 items");
    assert_eq!(told("let a = \"0123456789abcdef\"; loop { a += a }").message, "a text grew longer than 64 MiB");
}

#[test]
fn a_thrown_map_is_taken_at_its_word() {
    let told = told("throw #{ kind: \"conflict\", message: \"taken\", hint: \"wait\" }");
    assert_eq!((told.code.as_str(), told.message.as_str(), told.hint.as_deref()), ("conflict", "taken", Some("wait")));
    assert_eq!(self::told("throw #{ kind: \"my_own\", message: \"odd\" }").code, "my_own");
    assert_eq!(self::told("throw \"plain\"").message, "plain");
    assert_eq!(self::told("throw").message, "the script threw nothing");
    assert_eq!(self::told("throw #{ message: \"m\" }.to_object()").message, "m");
}

#[test]
fn what_does_not_parse_is_told_in_the_same_way() {
    let told = told("let a = [1, 2;");
    assert_eq!(told.code, "syntax");
    assert_eq!(told.message, "expected `]` or `,`, found `;`");
}

#[test]
fn messages_are_lowercase_and_without_a_final_period() {
    let wrong = [
        "1 / 0",
        "1 % 0",
        "nobody",
        "zork()",
        "1.zork()",
        "[1][2]",
        "\"a\"[5]",
        "let a = 5; a.b = 1",
        "for x in nobody {}",
        "let a = 1; for x in a {}",
        "const A = [1]; A.push(1)",
        "eval(\"1 +\")",
        "import \"no/where\" as x;",
        "this.x",
        "9223372036854775807 * 2",
        "let x = [1]; x[\"a\"]",
        "call(1)",
        "parse_float(\"x\")",
        "\"a\" in 5",
    ];
    for text in wrong {
        let told = told(text);
        assert!(
            !told.message.starts_with(char::is_uppercase) && !told.message.ends_with('.'),
            "{text}: {}",
            told.message
        );
        let hint = told.hint.unwrap_or_else(|| panic!("{text}: no hint: {}", told.message));
        assert!(!hint.starts_with(char::is_uppercase) && !hint.ends_with('.'), "{text}: {hint}");
        assert!(told.place.is_some(), "{text}");
    }
}

#[test]
fn the_fault_of_an_error_is_known_whoever_raised_it() {
    let script = Script::new(&[OBJECT], ".");
    let (fault, reason) = script.end("fn f(x) { x.pods.len() }\nf(#{})");
    let fault = fault.expect("it is a fault");
    assert_eq!((fault.kind, reason), (Kind::Absent, None));
    assert_eq!(fault.message, "`x.pods` is absent, so `len` can't be called on it");
    assert_eq!(fault.place.map(|place| place.to_string()).as_deref(), Some("test.rhai:1:18"));
    assert_eq!(script.end("let o = #{}.to_object(); o.hook = || 1").0.map(|fault| fault.kind), Some(Kind::Usage));
}

#[test]
fn why_a_run_was_stopped_is_found_through_the_calls() {
    let script = Script::new(&[OBJECT], ".");
    script.stop_after(std::time::Duration::ZERO);
    let (fault, reason) = script.end("fn f() { loop {} }\n[1].map(|x| f())");
    assert_eq!((fault, reason), (None, Some(Reason::Signal("test".to_owned()))));
}
