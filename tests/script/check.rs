//! What `check` finds before a runbook is run, and what it leaves alone.

use std::path::Path;

use cozyscript::{
    diagnostic::{Diagnostic, Severity},
    script::{
        binding::Binding,
        catalogue::Catalogue,
        check::{CheckOptions, check},
        engine,
        sources::Sources,
    },
};
use rhai::{combine_with_exported_module, plugin::*};

/// Bindings with everything that a check reads from documentation.
#[export_module]
mod cluster {
    use rhai::{Dynamic, FnPtr, ImmutableString, Map};

    /// Reads an object.
    ///
    /// # Parameters
    ///
    /// - `kind` (text): what it is.
    /// - `name` (text): what it is called.
    ///
    /// # Options
    ///
    /// - `namespace` (text, `"default"`): where it is.
    /// - `timeout` (duration, `"1m"`): how long to wait for an answer.
    /// - `retry` (integer): how often to try again.
    /// - `limits` (map): what it may use up.
    /// - `limits.memory` (text): how much memory.
    pub fn get(kind: &str, name: &str) -> Dynamic {
        format!("{kind}/{name}").into()
    }

    #[rhai_fn(name = "get")]
    pub fn get_with(kind: &str, name: &str, options: Map) -> Dynamic {
        format!("{kind}/{name}{options:?}").into()
    }

    /// Takes an object away.
    ///
    /// # Effect
    ///
    /// The object is deleted.
    pub fn delete(name: &str) {
        drop(name.to_owned());
    }

    /// Sends a command.
    ///
    /// # Options
    ///
    /// - `looks` (boolean, `false`): it only looks.
    ///
    /// # Effect
    ///
    /// What the command does, unless it only looks:
    ///
    /// - `argv`: `GET`, `KEYS`
    /// - `looks`: `true`
    pub fn send(argv: rhai::Array) {
        drop(argv);
    }

    #[rhai_fn(name = "send")]
    pub fn send_with(argv: rhai::Array, options: Map) {
        drop((argv, options));
    }

    /// Reads a file as YAML.
    ///
    /// # Parameters
    ///
    /// - `path` (file): relative to the runbook.
    #[rhai_fn(global)]
    pub fn yaml(path: &str) -> Dynamic {
        path.into()
    }

    /// Writes a file.
    ///
    /// # Effect
    ///
    /// The file is there afterwards.
    #[rhai_fn(global)]
    pub fn write_file(path: &str, text: &str) {
        drop(format!("{path}{text}"));
    }

    /// Waits.
    ///
    /// # Parameters
    ///
    /// - `time` (duration): how long.
    #[rhai_fn(global)]
    pub fn sleep(time: ImmutableString) {
        drop(time);
    }

    /// Calls what it is given until it succeeds.
    #[rhai_fn(global)]
    pub fn eventually(attempt: FnPtr) {
        drop(attempt);
    }

    /// Asks the operator for a value.
    #[rhai_fn(global)]
    pub fn param(name: &str) -> Dynamic {
        name.into()
    }

    #[rhai_fn(global, name = "param")]
    pub fn param_with(name: &str, options: Map) -> Dynamic {
        format!("{name}{options:?}").into()
    }
}

#[export_module]
mod events {
    /// Lists what happened.
    pub fn recent(count: i64) -> i64 {
        count
    }
}

const BINDING: Binding = Binding {
    name: "k8s",
    summary: "Objects for tests.",
    functions: |module| {
        combine_with_exported_module!(module, "cluster", cluster);
        module.set_sub_module("events", rhai::exported_module!(events));
    },
    types: |_| {},
};

/// The findings of a text beside these files.
fn findings_with(files: &[(&str, &str)], text: &str, is_runbook: bool) -> Vec<Diagnostic> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let sources = Sources::default();
    let engine = engine::build(&[BINDING], &sources);
    let runbook = folder.path().join("runbook.rhai");
    let options = CheckOptions { root: folder.path().to_owned(), is_runbook, given: vec!["session".to_owned()] };
    let mut findings = check(&engine, &Catalogue::default(), &sources, &runbook.to_string_lossy(), text, &options);
    let prefix = format!("{}/", folder.path().to_string_lossy());
    for finding in &mut findings {
        let texts = [Some(&mut finding.message), finding.hint.as_mut()];
        texts.into_iter().flatten().for_each(|text| *text = text.replace(&prefix, ""));
        finding.notes.iter_mut().for_each(|note| *note = note.replace(&prefix, ""));
    }
    findings
}

/// One line a finding: `line:column+length code message; hint`, a warning with `?` before its code.
fn shown(findings: &[Diagnostic]) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let place = finding.place.as_ref().unwrap();
        let file = Path::new(&place.source).file_name().unwrap().to_string_lossy();
        let file = if file == "runbook.rhai" { String::new() } else { format!("{file}:") };
        let doubt = if finding.severity == Severity::Warning { "?" } else { "" };
        let hint = finding.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
        let Diagnostic { code, message, .. } = finding;
        lines.push(format!("{file}{}:{}+{} {doubt}{code} {message}{hint}", place.line, place.column, place.length));
        for (span, text) in &finding.related {
            let file = Path::new(&span.source).file_name().unwrap().to_string_lossy();
            lines.push(format!("    {file}:{}:{}+{} {text}", span.line, span.column, span.length));
        }
        lines.extend(finding.notes.iter().map(|note| format!("    {note}")));
    }
    lines.join("\n")
}

fn found(text: &str) -> String {
    shown(&findings_with(&[], text, true))
}

#[test]
fn a_function_that_is_not_there_is_named_with_the_nearest_one() {
    let text = r#"let pod = k8s::gte("pod", "web");
let n = evntually(|| pod);
let l = parse_itn("4");
zork(pod, n, l);"#;
    insta::assert_snapshot!(found(text), @r"
    1:16+3 unknown_function there is no function `k8s::gte`; did you mean `k8s::get`?
    2:9+9 unknown_function there is no function `evntually`; did you mean `eventually`?
    3:9+9 unknown_function there is no function `parse_itn`; did you mean `parse_int`?
    4:1+4 unknown_function there is no function `zork`; declare it: `fn zork(…) { … }`, or import the file that does
    ");
}

#[test]
fn a_function_of_another_module_is_pointed_at() {
    let text = r#"recent(3);
events::recent(3);
k8s::recent(3);"#;
    insta::assert_snapshot!(found(text), @r"
    1:1+6 unknown_function there is no function `recent`; did you mean `k8s::events::recent`?
    2:1+6 unknown_module there is no module `events`; did you mean `k8s::events::recent`?
    3:6+6 unknown_function there is no function `k8s::recent`; did you mean `k8s::events::recent`?
    ");
}

#[test]
fn a_module_that_is_not_there_is_named_with_the_nearest_one() {
    let text = r#"k9s::get("pod", "web");
zork::get("pod");
let x = k9s::LIMIT;
print(x);"#;
    insta::assert_snapshot!(found(text), @r#"
    1:1+3 unknown_module there is no module `k9s`; did you mean `k8s`?
    2:1+4 unknown_module there is no module `zork`; import it first: `import "…" as zork;`
    3:9+3 unknown_module there is no module `k9s`; did you mean `k8s`?
    "#);
}

#[test]
fn a_method_is_certainly_wrong_only_if_it_is_nearly_right() {
    let text = r#"let list = [3, 1];
list.pussh(2);
list.frobnicate(2);"#;
    insta::assert_snapshot!(found(text), @r"
    2:6+5 unknown_method there is no method `pussh`; did you mean `push`?
    3:6+10 ?unknown_method there is no method `frobnicate`; if it is a closure in a map, nothing here puts one there: `#{ frobnicate: || … }`
    ");
}

#[test]
fn a_closure_in_a_map_is_called_like_a_method() {
    let text = r#"let m = #{ run: |x| x + 1 };
m.frob = || 2;
m["zork"] = || 3;
print(m.run(1) + m.frob() + m.zork());"#;
    insta::assert_snapshot!(found(text), @"");
}

#[test]
fn a_variable_that_is_not_there_is_named_with_the_nearest_one() {
    let text = r#"let nodes = [1];
print(nods);
nodez = [2];
zork += 1;"#;
    insta::assert_snapshot!(found(text), @r"
    2:7+4 unknown_variable there is no variable `nods`; did you mean `nodes`?
    3:1+5 unknown_variable there is no variable `nodez`; did you mean `nodes`?
    4:1+4 unknown_variable there is no variable `zork`; declare it first: `let zork = …`
    ");
}

#[test]
fn a_variable_is_not_known_before_its_line() {
    let text = r#"print(late);
let late = 1;"#;
    insta::assert_snapshot!(found(text), @r"1:7+4 unknown_variable there is no variable `late`; it is declared further down, in line 2");
}

#[test]
fn a_variable_ends_with_its_step() {
    let text = r#"step "a" {
    let pod = 1;
}
print(pod);"#;
    insta::assert_snapshot!(found(text), @r"4:7+3 unknown_variable there is no variable `pod`; the `pod` of line 2 ends with its step; declare it before the step, or let the step give it: `let pod = step … { … }`");
}

#[test]
fn a_variable_ends_with_its_block() {
    let text = r#"if type_of(1) == "i64" {
    let pod = 1;
}
print(pod);"#;
    insta::assert_snapshot!(found(text), @r"4:7+3 unknown_variable there is no variable `pod`; the `pod` of line 2 ends with its block; declare it before the block");
}

#[test]
fn a_variable_ends_with_its_branch() {
    let text = r#"parallel {
    let pod = 1;
    print(pod);
}
print(pod);"#;
    insta::assert_snapshot!(found(text), @r"
    3:11+3 unknown_variable there is no variable `pod`; the `pod` of line 2 ends with its branch; each statement of `parallel` is a branch of its own, so declare it before
    5:7+3 unknown_variable there is no variable `pod`; the `pod` of line 2 ends with its branch; each statement of `parallel` is a branch of its own, so declare it before
    ");
}

#[test]
fn a_variable_in_an_interpolation_is_judged() {
    let text = r#"print(`pod ${nmae} is ${1 + zork}`);"#;
    insta::assert_snapshot!(found(text), @r"
    1:14+4 unknown_variable there is no variable `nmae`; declare it first: `let nmae = …`
    1:29+4 unknown_variable there is no variable `zork`; declare it first: `let zork = …`
    ");
}

#[test]
fn an_option_that_is_not_there_is_named_with_the_nearest_one() {
    let text = r#"k8s::get("pod", "web", #{ timeot: "5m", zork: 1, namespace: "x" });"#;
    insta::assert_snapshot!(found(text), @r"
    1:27+6 unknown_option `k8s::get` has no option `timeot`; did you mean `timeout`?
    1:41+4 unknown_option `k8s::get` has no option `zork`; its options are namespace, timeout, retry, limits, limits.memory
    ");
}

#[test]
fn an_entry_of_an_option_is_judged_where_it_is_documented() {
    let text = r#"k8s::get("pod", "web", #{ limits: #{ memry: "1Gi" } });
k8s::get("pod", "web", #{ limits: #{ memory: 5 } });"#;
    insta::assert_snapshot!(found(text), @r"
    1:38+5 unknown_option `k8s::get` has no option `limits.memry`; did you mean `memory`?
    2:46+1 wrong_type option `limits.memory` of `k8s::get` takes text, and was given `5`; how much memory.
    ");
}

#[test]
fn a_function_shows_its_forms_if_it_is_given_too_many_arguments() {
    let text = r#"k8s::get("pod");
fn add(a, b) { a + b }
add(1);
let s = "x";
s.split(1, 2, 3);
yaml();"#;
    insta::assert_snapshot!(found(text), @r"
    1:6+3 wrong_arity `k8s::get` can't be called with one argument; write `k8s::get(kind: text, name: text)` or `k8s::get(kind: text, name: text, options: map)`
    3:1+3 wrong_arity `add` can't be called with one argument; write `add(a, b)`
    5:3+5 wrong_arity `split` can't be called with 3 arguments; it takes 0 or 1 or 2
    6:1+4 wrong_arity `yaml` can't be called with no arguments; write `yaml(path: text)`
    ");
}

#[test]
fn a_literal_of_the_wrong_type_is_named() {
    let text = r#"k8s::get("pod", 5);
k8s::get(`pod`, "web", [1]);
k8s::events::recent("three");
eventually("later");"#;
    insta::assert_snapshot!(found(text), @r#"
    1:17+1 wrong_type `name` of `k8s::get` takes text, and was given `5`; write `k8s::get(kind: text, name: text)`
    2:24+1 wrong_type `options` of `k8s::get` takes a map, and was given a list; write `k8s::get(kind: text, name: text, options: map)`
    3:21+7 wrong_type `count` of `k8s::events::recent` takes an integer, and was given the text "three"; write `k8s::events::recent(count: integer)`
    4:12+7 wrong_type `attempt` of `eventually` takes a function, and was given the text "later"; write `eventually(attempt: function)`
    "#);
}

#[test]
fn an_option_of_the_wrong_type_is_named() {
    let text = r#"k8s::get("pod", "web", #{ retry: "often", namespace: true });"#;
    insta::assert_snapshot!(found(text), @r#"
    1:34+7 wrong_type option `retry` of `k8s::get` takes an integer, and was given the text "often"; how often to try again.
    1:54+4 wrong_type option `namespace` of `k8s::get` takes text, and was given `true`; where it is.
    "#);
}

#[test]
fn a_duration_that_cannot_be_read_is_named() {
    let text = r#"k8s::get("pod", "web", #{ timeout: "5 min" });
sleep("soon");"#;
    insta::assert_snapshot!(found(text), @r"
    1:36+7 wrong_type option `timeout` of `k8s::get`: `5 min` is not a duration: no blank stands before the unit; write `90s`, `10m`, `1h30m` or `500ms`; how long to wait for an answer.
    2:7+6 wrong_type `time` of `sleep`: `soon` is not a duration: it must begin with a number; write `90s`, `10m`, `1h30m` or `500ms`; how long.
    ");
}

#[test]
fn a_step_that_is_not_there_is_named_in_after() {
    let text = r#"step "drain nodes" {
    print("x");
}
step "b" after "drain node" { }
step "c" after "zork" { }"#;
    insta::assert_snapshot!(found(text), @r#"
    4:16+12 unknown_step there is no step `drain node`; did you mean `drain nodes`?
    5:16+6 unknown_step there is no step `zork`; name a step as it is written: `step "name"`
    "#);
}

#[test]
fn branches_that_wait_for_each_other_are_shown_as_a_circle() {
    let text = r#"parallel {
    step "a" after "c" { }
    step "b" after "a" { }
    step "c" after "b" { }
    step "d" after "c" { }
    step "e" after "e" { }
}"#;
    insta::assert_snapshot!(found(text), @r"
    2:20+3 step_cycle these steps wait for each other: `a` after `c` after `b` after `a`; take one of the `after` clauses out
    6:20+3 step_cycle the step `e` comes after itself; take one of the `after` clauses out
    ");
}

#[test]
fn a_step_cannot_come_after_one_that_stands_further_down() {
    let text = r#"step "a" after "b" { }
step "b" { }
step "c" after "c" { }"#;
    insta::assert_snapshot!(found(text), @r"
    1:16+3 step_cycle `a` comes after `b`, and stands before it; put them in the order in which they run, or side by side in `parallel { … }`
    3:16+3 step_cycle the step `c` comes after itself; put them in the order in which they run, or side by side in `parallel { … }`
    ");
}

#[test]
fn two_steps_of_one_block_need_two_names() {
    let text = r#"step "a" { }
let x = step "a" { 1 };
print(x);"#;
    insta::assert_snapshot!(found(text), @r"
    2:14+3 duplicate_step two steps of one block are named `a`; give each a name of its own: a step is known by its name in the journal and in `after`
        runbook.rhai:1:6+3 named first here
    ");
}

#[test]
fn steps_may_share_a_name_in_branches_and_with_keys() {
    let text = r#"if is_def_var("x") {
    step "a" { }
} else {
    step "a" { }
}
for node in [1, 2] {
    step "b" key node { }
}
step "c" key 1 { }
step "c" key 2 { }"#;
    insta::assert_snapshot!(found(text), @"");
}

#[test]
fn what_follows_a_leaving_is_never_reached() {
    let text = r#"fn f(x) {
    return x;
    print(x);
    print(2);
}
for x in 0..3 {
    if x == 1 { continue; } else { break; }
    f(x);
}
step "a" {
    throw "no";
}
step "b" { }"#;
    insta::assert_snapshot!(found(text), @r"
    3:5+5 ?unreachable this is never reached: line 2 leaves with `return`; take it out, or make the leaving conditional
    8:5+1 ?unreachable this is never reached: line 7 leaves with `break`; take it out, or make the leaving conditional
    13:1+4 ?unreachable this is never reached: line 11 leaves with `throw`; take it out, or make the leaving conditional
    ");
}

#[test]
fn a_condition_written_as_false_is_never_run() {
    let text = r#"if false {
    print(1);
}
while false { print(2); }
if true { print(3); } else { print(4); }"#;
    insta::assert_snapshot!(found(text), @r"
    1:1+2 ?unreachable the block of this `if` is never run: its condition is `false`; take it out, or write the condition
    4:1+5 ?unreachable this loop is never run: its condition is `false`; take it out, or write the condition
    5:1+2 ?unreachable the `else` of this `if` is never run: its condition is `true`; take it out, or write the condition
    ");
}

#[test]
fn an_effect_needs_a_step_around_it() {
    let text = r#"k8s::delete("web");
step "a" {
    k8s::delete("web");
}
[1].for_each(|x| k8s::delete("web"));"#;
    insta::assert_snapshot!(found(text), @r#"
    1:6+6 effect_outside_step `k8s::delete` changes the world, and is called outside of a step; put it in a step: `step "…" { … }`
    5:23+6 effect_outside_step `k8s::delete` changes the world, and is called outside of a step; put it in a step: `step "…" { … }`
    "#);
}

#[test]
fn a_call_that_only_looks_needs_no_step() {
    let text = r#"k8s::send(["get", "a"]);
k8s::send(["SET", "a"], #{ looks: true });
k8s::send(["SET", "a"], #{ looks: false });
let verb = "GET";
k8s::send([verb, "a"]);"#;
    insta::assert_snapshot!(found(text), @r#"
    3:6+4 effect_outside_step `k8s::send` changes the world, and is called outside of a step; put it in a step: `step "…" { … }`
    5:6+4 effect_outside_step `k8s::send` changes the world, and is called outside of a step; put it in a step: `step "…" { … }`
    "#);
}

#[test]
fn an_effect_is_found_through_functions() {
    let text = r#"fn clean() { sweep(); }
fn sweep() {
    print(1);
    k8s::delete("web");
}
fn unused() { k8s::delete("web"); }
fn stepped() { step "b" { sweep(); } }
step "a" { clean(); }
stepped();
clean();"#;
    insta::assert_snapshot!(found(text), @r#"
    10:1+5 effect_outside_step `clean` calls `k8s::delete`, which changes the world, and is called outside of a step; put it in a step: `step "…" { … }`
        runbook.rhai:4:10+6 `k8s::delete` is called here
    "#);
}

#[test]
fn a_closure_that_is_only_kept_has_no_effect_yet() {
    let text = r#"let clean = || k8s::delete("web");
let all = [];
all.push(|| k8s::delete("db"));
let m = #{ clean: || k8s::delete("db") };
step "a" {
    clean.call();
    m.clean();
    all[0].call();
}"#;
    insta::assert_snapshot!(found(text), @"");
}

#[test]
fn a_parameter_stands_at_the_top_level() {
    let text = r#"if type_of(1) == "i64" {
    let a = param("a");
    print(a);
}
fn ask() { param("b") }
step "x" {
    print(param("c") + ask());
}"#;
    insta::assert_snapshot!(found(text), @r"
    2:13+5 param_not_top_level `param` is called inside of a block or a function; declare it at the top of the runbook: `let x = param(…);`
    5:12+5 param_not_top_level `param` is called inside of a block or a function; declare it at the top of the runbook: `let x = param(…);`
    7:11+5 param_not_top_level `param` is called inside of a block or a function; declare it at the top of the runbook: `let x = param(…);`
    ");
}

#[test]
fn the_name_of_a_parameter_is_written_as_a_text() {
    let text = r#"let name = "a";
let x = param(name);
let y = param(`${name}`, #{ default: 1 });
print(x + y);"#;
    insta::assert_snapshot!(found(text), @r#"
    2:15+4 param_name_not_literal the name of a parameter is not written as a text; write it as it is: `param("name", …)`; it is read before the runbook is run
    3:15+9 param_name_not_literal the name of a parameter is not written as a text; write it as it is: `param("name", …)`; it is read before the runbook is run
    "#);
}

#[test]
fn a_parameter_is_declared_once() {
    let text = r#"let a = param("replicas");
let b = param("replicas", #{ default: 2 });
print(a + b);"#;
    insta::assert_snapshot!(found(text), @r"
    2:15+10 duplicate_param the parameter `replicas` is declared twice; give one of them another name, or use the variable of the first
        runbook.rhai:1:15+10 declared first here
    ");
}

#[test]
fn a_parameter_that_is_never_read_is_pointed_at() {
    let text = r#"let a = param("a");
let b = param("b").to_string();
const C = param("c");
const D = param("d");
fn f() { global::C }
print(b + f());"#;
    insta::assert_snapshot!(found(text), @r"
    1:5+1 ?unused_param the parameter `a` is never read; read it, or take it out
    4:7+1 ?unused_param the parameter `D` is never read; read it, or take it out
    ");
}

#[test]
fn a_function_sees_no_variables_outside_of_it() {
    let text = r#"let nodes = [1];
const LIMIT = 3;
fn f() { nodes.len() + LIMIT + global::LIMIT }
fn g() { global::LIMITS + global::nodes }
print(f() + g());"#;
    insta::assert_snapshot!(found(text), @r"
    3:10+5 variable_in_function the function `f` can't see the variable `nodes` outside of it; pass it as an argument, or make it a `const` and write `global::nodes`
    3:24+5 variable_in_function the function `f` can't see the variable `LIMIT` outside of it; write `global::LIMIT`: of what is outside, functions see constants alone
    4:18+6 unknown_variable there is no constant `LIMITS`; did you mean `global::LIMIT`?
    4:35+5 unknown_variable `nodes` is a variable, and `global::` reaches constants alone; declare it with `const nodes`
    ");
}

#[test]
fn a_constant_is_not_assigned() {
    let text = r#"const LIMIT = #{ a: 1 };
LIMIT.a = 2;
print(LIMIT);"#;
    insta::assert_snapshot!(found(text), @r"2:1+5 constant_assigned `LIMIT` is a constant, and is assigned; declare it with `let LIMIT`, or give the new value a name of its own");
}

#[test]
fn the_parser_explains_a_statement_without_its_semicolon() {
    let text = r#"let x = 1
let y = 2;"#;
    insta::assert_snapshot!(found(text), @r"1:10+1 syntax expected `;` before `let`; end the statement with `;`");
}

#[test]
fn the_parser_explains_a_word_that_is_nearly_a_keyword() {
    let text = r#"setp "drain" { }"#;
    insta::assert_snapshot!(found(text), @r"1:1+4 syntax `setp` is no word of the language; did you mean `step`?");
}

#[test]
fn the_parser_explains_a_brace_that_is_never_closed() {
    let text = r#"step "a" {
    if type_of(1) == "i64" {
        print(1);
}
step "b" { }"#;
    insta::assert_snapshot!(found(text), @r"2:28+1 syntax the `{` of line 2 is never closed; close it with `}`");
}

#[test]
fn the_parser_explains_a_call_that_is_never_closed() {
    let text = r#"if type_of(1) == "i64" {
    print(1;
}"#;
    insta::assert_snapshot!(found(text), @r"2:12+1 syntax expected `)` or `,`, found `;`; close the call with `)`");
}

#[test]
fn the_parser_explains_a_brace_that_closes_nothing() {
    let text = r#"let x = 1;
}"#;
    insta::assert_snapshot!(found(text), @r"2:1+1 syntax `}` closes nothing; take it out, or look for a bracket that was closed too early");
}

#[test]
fn the_parser_explains_a_keyword_as_a_field() {
    let text = r#"let o = #{};
print(o.step);"#;
    insta::assert_snapshot!(found(text), @r#"2:9+4 syntax `step` is a word of the language, and can't stand after a `.`; write `o["step"]`"#);
}

#[test]
fn the_parser_explains_another_keyword_as_a_field() {
    let text = r#"let o = #{};
o.parallel.x = 1;"#;
    insta::assert_snapshot!(found(text), @r#"2:3+8 syntax `parallel` is a word of the language, and can't stand after a `.`; write `o["parallel"]`"#);
}

#[test]
fn the_parser_explains_a_text_that_is_never_closed() {
    let text = r#"let x = "abc;
let y = 1;"#;
    insta::assert_snapshot!(found(text), @r"1:9+5 syntax the text is never closed; close it with its quote; a text over several lines stands between backticks");
}

#[test]
fn the_parser_explains_an_assignment_for_a_comparison() {
    let text = r#"let x = 1;
if x = 1 { }"#;
    insta::assert_snapshot!(found(text), @r"2:6+1 syntax `=` assigns, where a comparison is expected; compare with `==`");
}

#[test]
fn the_parser_explains_a_kept_word_as_a_variable() {
    let text = r#"let default = 1;"#;
    insta::assert_snapshot!(found(text), @r"1:5+7 syntax `default` is kept by the language, and can't be a name; choose another name; as a field it may stand after a `.`");
}

#[test]
fn the_parser_explains_a_keyword_as_a_name() {
    let text = r#"let if = 1;"#;
    insta::assert_snapshot!(found(text), @r"1:5+2 syntax `if` is a word of the language, and can't be a name; choose another name");
}

#[test]
fn the_parser_explains_a_field_twice() {
    let text = r#"let m = #{ a: 1, a: 2 };"#;
    insta::assert_snapshot!(found(text), @r"1:18+1 syntax the map has `a` twice; take one of them out");
}

#[test]
fn the_parser_explains_a_block_for_a_map() {
    let text = r#"let m = { a: 1 };"#;
    insta::assert_snapshot!(found(text), @r"1:9+1 syntax a block is opened where a map was meant; write `#{ a: … }`");
}

#[test]
fn the_parser_explains_an_entry_with_an_equals_sign() {
    let text = r#"let m = #{ a = 1 };"#;
    insta::assert_snapshot!(found(text), @r"1:14+1 syntax expected `:` after the field `a`, found `=`; write `a: …`");
}

#[test]
fn the_parser_explains_a_missing_comma() {
    let text = r#"let m = [1 2];"#;
    insta::assert_snapshot!(found(text), @r"1:11+1 syntax expected `,` before `2`; put a `,` between them");
}

#[test]
fn the_parser_explains_a_step_without_quotes() {
    let text = r#"step drain { }"#;
    insta::assert_snapshot!(found(text), @r#"1:6+5 syntax expected the name of the step, found `drain`; write it in double quotes: `step "name" { … }`"#);
}

#[test]
fn the_parser_explains_a_wrong_clause() {
    let text = r#"step "a" tiemout 10m { }"#;
    insta::assert_snapshot!(found(text), @r"1:10+7 syntax expected `{` or `after`, `timeout`, `retry`, `key` after `step`, found `tiemout`; did you mean `timeout`?");
}

#[test]
fn the_parser_explains_a_retry_without_a_number() {
    let text = r#"step "a" retry often { }"#;
    insta::assert_snapshot!(found(text), @r"1:16+5 syntax expected a number, found `often`; write `retry 3`");
}

#[test]
fn the_parser_explains_words_of_other_languages() {
    let text = r#"let a = 1;
if a == 1 and a == 2 { }"#;
    insta::assert_snapshot!(found(text), @r"2:11+3 syntax `and` is no word of the language; write `&&`");
}

#[test]
fn the_parser_explains_the_question_mark_of_other_languages() {
    let text = r#"let x = true ? 1 : 2;"#;
    insta::assert_snapshot!(found(text), @r"1:14+1 syntax `?` is no operator; write `if a { b } else { c }`");
}

#[test]
fn the_parser_explains_a_plus_plus() {
    let text = r#"let x = 1;
x++;"#;
    insta::assert_snapshot!(found(text), @r"2:2+1 syntax `++` is no operator; write `x += 1`");
}

#[test]
fn the_parser_explains_single_quotes() {
    let text = r#"let x = 'ab';"#;
    insta::assert_snapshot!(found(text), @r#"1:9+4 syntax single quotes hold one character; write a text in double quotes: `"ab"`"#);
}

#[test]
fn the_parser_explains_a_condition_that_is_a_number() {
    let text = r#"if 1 { }"#;
    insta::assert_snapshot!(found(text), @r#"1:4+1 wrong_type a condition is `true` or `false`, and this is a number; compare it: `x > 0`, `text != ""`"#);
}

#[test]
fn the_parser_explains_a_function_inside_a_step() {
    let text = r#"step "a" {
    fn f() { }
}"#;
    insta::assert_snapshot!(found(text), @r"2:5+2 syntax a function is declared inside of a block; declare functions outside of all blocks, or write a closure: `let f = |x| …`");
}

#[test]
fn the_parser_explains_a_constant_assigned_by_name() {
    let text = r#"const X = 1;
X = 2;"#;
    insta::assert_snapshot!(found(text), @r"2:1+1 constant_assigned `X` is a constant, and is assigned; declare it with `let X`, or give the new value a name of its own");
}

#[test]
fn the_parser_explains_a_break_outside_of_a_loop() {
    let text = r#"break;"#;
    insta::assert_snapshot!(found(text), @r"1:1+5 syntax `break` stands outside of a loop; write `return` to leave the runbook or a function");
}

#[test]
fn the_parser_explains_an_expression_that_is_missing() {
    let text = r#"let x = ;"#;
    insta::assert_snapshot!(found(text), @r"1:9+1 syntax expected an expression, found `;`; write what is to be evaluated here");
}

#[test]
fn the_parser_explains_a_text_that_ends_too_early() {
    let text = r#"let x = 1 +"#;
    insta::assert_snapshot!(found(text), @r"1:12+1 syntax the text ends in the middle of a statement; finish the statement");
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_nearest_one() {
    let text = r#"yaml("values.yaml");
yaml("valeus.yaml");
yaml("zork/none.yaml");
step "write" { write_file("made.yaml", "a: 1"); }
yaml("made.yaml");"#;
    insta::assert_snapshot!(shown(&findings_with(&[("values.yaml", "a: 1")], text, true)), @r"
    2:6+13 missing_file there is no file `valeus.yaml`; did you mean `values.yaml`?
    3:6+16 missing_file there is no file `zork/none.yaml`; names of files are read from the folder of the runbook
    ");
}

#[test]
fn an_import_that_is_not_there_says_where_it_was_looked_for() {
    let text = r#"import "nodes" as nodes;
nodes::drain(1, 2);"#;
    insta::assert_snapshot!(found(text), @r"
    1:8+7 missing_import there is nothing to import as `nodes`; name a module of the standard library, or a file beside this one
        looked in the standard library, nodes.rhai
    ");
}

#[test]
fn imported_files_are_checked_and_calls_of_their_functions_too() {
    let nodes = r#"import "more" as more;
export const LIMIT = 3;
fn drain(node) { zork(node) }
private fn hidden() { 1 }
fn all() { more::one() + more::two() }"#;
    let more = "fn one() { 1 }";
    let text = r#"import "nodes" as nodes;
nodes::drain(1);
nodes::drain(1, 2);
nodes::drian(1);
nodes::hidden();
print(nodes::LIMIT + nodes::LIMITS);
nodes::more::one();
nodes::less::one();
nodes::all();"#;
    let files = [("nodes.rhai", nodes), ("more.rhai", more)];
    insta::assert_snapshot!(shown(&findings_with(&files, text, true)), @r"
    nodes.rhai:3:18+4 unknown_function there is no function `zork`; declare it: `fn zork(…) { … }`, or import the file that does
    nodes.rhai:5:32+3 unknown_function there is no function `more::two`; declare it in `more.rhai`: `fn two(…) { … }`
    3:8+5 wrong_arity `nodes::drain` can't be called with 2 arguments; write `nodes::drain(node)`
    4:8+5 unknown_function there is no function `nodes::drian`; did you mean `nodes::drain`?
    5:8+6 unknown_function `hidden` is private in `nodes.rhai`; take its `private` out, or call a public function
    6:29+6 unknown_variable `nodes` exports no variable `LIMITS`; did you mean `nodes::LIMIT`?
    8:14+3 unknown_module `nodes.rhai` imports nothing as `less`; import it here, under a name of its own
    ");
}

#[test]
fn a_syntax_error_in_one_file_leaves_the_others_checked() {
    let files = [("broken.rhai", "fn f( { }"), ("good.rhai", "fn f() { zork() }")];
    let text = r#"import "broken" as broken;
import "good" as good;
broken::anything(1);
good::g();"#;
    insta::assert_snapshot!(shown(&findings_with(&files, text, true)), @r"
    broken.rhai:1:7+1 syntax expected `)` to close the parameters list of function `f`, found `{`; write `)`
    good.rhai:1:10+4 unknown_function there is no function `zork`; declare it: `fn zork(…) { … }`, or import the file that does
    4:7+1 unknown_function there is no function `good::g`; declare it in `good.rhai`: `fn g(…) { … }`
    ");
}

#[test]
fn a_file_that_is_imported_twice_is_checked_once() {
    let files = [("a.rhai", "import \"b\" as b; fn f() { b::f() + zork }"), ("b.rhai", "fn f() { 1 }")];
    let text = r#"import "a" as a; import "b" as b; import "a" as again; a::f() + b::f() + again::f()"#;
    insta::assert_snapshot!(shown(&findings_with(&files, text, true)), @r"a.rhai:1:36+4 unknown_variable there is no variable `zork`; declare it first: `let zork = …`");
}

#[test]
fn files_that_import_each_other_in_a_circle_are_named() {
    let files =
        [("a.rhai", "import \"b\" as b;\nfn f() { b::f() }"), ("b.rhai", "import \"a\" as a;\nfn f() { a::f() }")];
    let text = r#"import "a" as a; a::f()"#;
    insta::assert_snapshot!(shown(&findings_with(&files, text, true)), @r"b.rhai:1:8+3 import_cycle this import goes round in a circle: `a.rhai` imports `b.rhai` imports `a.rhai`; move what both need into a file that imports neither");
}

#[test]
fn an_effect_is_found_through_imports() {
    let clean = r#"fn clean() { k8s::delete("web"); } fn inside(f) { step "inside" { f.call(); } }"#;
    let files = [("nodes.rhai", clean), ("loud.rhai", "k8s::delete(\"db\");")];
    let text = r#"import "nodes" as nodes;
import "loud" as loud;
step "a" { nodes::clean(); }
nodes::clean();
nodes::inside(|| k8s::delete("web"));"#;
    insta::assert_snapshot!(shown(&findings_with(&files, text, true)), @r#"
    2:1+6 effect_outside_step this import calls `k8s::delete`, which changes the world, and is called outside of a step; put it in a step: `step "…" { … }`
        loud.rhai:1:6+6 `k8s::delete` is called here
    4:8+5 effect_outside_step `clean` calls `k8s::delete`, which changes the world, and is called outside of a step; put it in a step: `step "…" { … }`
        nodes.rhai:1:19+6 `k8s::delete` is called here
    "#);
}

#[test]
fn a_variable_that_is_given_is_known_outside_of_functions() {
    let text = "fn f() { session }\nprint(session + f());";
    insta::assert_snapshot!(found(text), @r"1:10+7 variable_in_function the function `f` can't see the variable `session` outside of it; pass it as an argument, or make it a `const` and write `global::session`");
}

#[test]
fn a_text_longer_than_positions_reach_is_checked() {
    let text = format!("{}zork();", "\n".repeat(70_000));
    assert_eq!(findings_with(&[], &text, true)[0].code, "unknown_function");
}

#[test]
fn a_function_named_by_a_text_must_be_there() {
    let text = r#"let f = Fn("pirnt_all");
fn print_all() { f }
let g = Fn("to_upper");
print(f.call() + g.call("x"));
f(1);"#;
    insta::assert_snapshot!(found(text), @r"
    1:12+11 unknown_function there is no function `pirnt_all`; did you mean `print_all`?
    2:18+1 variable_in_function the function `print_all` can't see the variable `f` outside of it; pass it as an argument, or make it a `const` and write `global::f`
    5:1+1 unknown_function there is no function `f`; `f` is a variable: call what it holds with `f.call(…)`
    ");
}

#[test]
fn an_example_may_change_the_world_anywhere() {
    assert_eq!(findings_with(&[], "k8s::delete(\"web\");", false), []);
}

#[test]
fn nothing_is_wrong_with_what_the_language_allows() {
    let helpers =
        "export const LIMIT = 3;\nfn twice(x) { x * 2 }\nfn inner() { twice(LIMIT_OF()) }\nfn LIMIT_OF() { 2 }";
    let text = include_str!("check_torture.rhai");
    assert!(text.lines().count() >= 150);
    let files = [("helpers.rhai", helpers), ("values.yaml", "a: 1")];
    assert_eq!(shown(&findings_with(&files, text, true)), "");
}

#[test]
fn ten_thousand_lines_are_checked_without_a_wrong_word() {
    let text = long_runbook(1_000);
    assert_eq!(shown(&findings_with(&[], &text, true)), "");
}

/// Lines as runbooks have them, ten to a round.
fn long_runbook(rounds: usize) -> String {
    let mut text = String::from("let nodes = [\"a\", \"b\"];\n");
    for round in 0..rounds {
        text.push_str(&format!(
            r##"// Round {round}: look, then act.
let pod{round} = k8s::get("pod", "web-{round}", #{{ timeout: "5m", namespace: "x" }});
fn name_of_{round}(pod) {{
    let name = pod.metadata.name ?? "none";
    `${{name}}-{round}`
}}
step "act {round}" timeout 10m {{
    let names = nodes.filter(|node| node != pod{round}.status).map(|node| name_of_{round}(node));
    for name in names {{ print(name); }}
}}
"##
        ));
    }
    text
}

#[test]
fn a_lone_carriage_return_moves_no_finding_behind_the_text() {
    let engine = cozyscript::script::engine::build(&[], &Default::default());
    let text = "step \"x\" {ome\n//!\n// oft\ren it is\rkilled";
    let error = engine.compile(text).unwrap_err();
    let place = cozyscript::script::check::parse_diagnostic("book.rhai", text, &error).place.unwrap();
    assert!(place.line <= text.lines().count(), "{place:?}");
}
