use cozyscript::host::secrets::Secret;
use cozyscript::script::fault::{self, Fault, Kind};
use cozyscript::script::values::json;
use cozyscript::script::values::object::{self, Object};
use cozyscript::script::values::tree::Tree;
use rhai::{Dynamic, Engine, EvalAltResult, Scope};

const POD: &str = r#"{
    "metadata": {"name": "web-0", "labels": {"app.kubernetes.io/name": "web", "tier": "front"}},
    "spec": {"replicas": 2, "containers": [{"image": "nginx", "env": []}, {"image": "envoy"}]},
    "status": {"phase": "Running", "conditions": [], "big": 18446744073709551615, "load": 1.0, "unset": null}
}"#;

fn evaluate(script: &str) -> Result<Dynamic, Box<EvalAltResult>> {
    let mut engine = Engine::new();
    fault::register(&mut engine);
    object::register(&mut engine);
    let mut scope = Scope::new();
    scope.push("pod", json::read(POD, "pod.json").unwrap().to_dynamic());
    engine.eval_with_scope(&mut scope, script)
}

/// The value of the script as JSON.
fn value(script: &str) -> String {
    Tree::from_dynamic(&evaluate(script).unwrap_or_else(|error| panic!("{script}: {error}"))).unwrap().to_string()
}

/// The message of a usage fault, and where it is.
fn error(script: &str) -> String {
    let error = evaluate(script).expect_err(script);
    let fault = Fault::of(&error).unwrap_or_else(|| panic!("{script}: {error}"));
    assert_eq!(fault.kind, Kind::Usage, "{script}");
    let place = fault.place.expect("a fault of a call has a place");
    format!("{} ({}:{})", fault.message, place.line, place.column)
}

fn absent(script: &str) -> Fault {
    let error = evaluate(script).expect_err(script);
    assert!(!error.position().is_none(), "{script}");
    let fault = Fault::of(&error).unwrap_or_else(|| panic!("{script}: {error}"));
    assert_eq!(fault.kind, Kind::Absent, "{script}");
    fault
}

fn hint(script: &str) -> String {
    absent(script).hint.expect(script)
}

#[track_caller]
fn holds(script: &str) {
    assert_eq!(value(script), "true", "{script}");
}

#[test]
fn a_field_called_tag_is_the_objects_own_and_not_the_languages() {
    holds(r#"let chart = #{ image: #{ tag: "1.5.0" } }.to_object(); chart.image.tag == "1.5.0""#);
    holds(r#"pod.tag == () && pod.metadata.tag == ()"#);
    holds(r#"pod.metadata.tag = "v2"; pod.metadata.tag += "a"; pod.metadata["tag"] == "v2a""#);
    absent("pod.nope.tag");
}

#[test]
fn fields_are_read_by_dot_and_by_bracket() {
    assert_eq!(value("pod.metadata.name"), r#""web-0""#);
    assert_eq!(value(r#"pod["metadata"].name"#), r#""web-0""#);
    assert_eq!(value("pod.spec.containers[-1].image"), r#""envoy""#);
    assert_eq!(
        value("type_of(pod) + type_of(pod.spec.containers) + type_of(pod.spec.replicas)"),
        r#""Objectarrayi64""#
    );
}

#[test]
fn an_absent_field_is_unit_and_question_marks_guard_what_is_below() {
    assert_eq!(value("pod.nope"), "null");
    assert_eq!(value(r#"pod.status?.nope?.deeper ?? "default""#), r#""default""#);
    assert_eq!(value("pod.nope?.deeper.still"), "null");
    assert_eq!(value("pod.nope?[0]"), "null");
}

#[test]
fn a_field_is_set_in_place_at_any_depth() {
    assert_eq!(value("pod.spec.replicas = 3; pod.spec.replicas"), "3");
    assert_eq!(value("pod.spec.replicas += 3; pod.spec.replicas"), "5");
    assert_eq!(
        value(r#"pod.spec.containers[0].image = "x"; pod.spec.containers"#),
        r#"[{"env":[],"image":"x"},{"image":"envoy"}]"#
    );
    assert_eq!(value("pod.spec.containers[0].env.push(#{ a: 1 }); pod.spec.containers[0].env"), r#"[{"a":1}]"#);
    assert_eq!(value("pod.spec.extra = #{ b: 'c' }; pod.spec.extra.b"), r#""c""#);
}

#[test]
fn a_copy_is_independent_of_what_it_was_copied_from() {
    assert_eq!(value(r#"let q = pod; q.metadata.name = "z"; pod.metadata.name + q.metadata.name"#), r#""web-0z""#);
    assert_eq!(value("fn change(o) { o.spec.replicas = 9; } change(pod); pod.spec.replicas"), "2");
}

#[test]
fn reading_below_an_absent_field_names_it_and_what_is_there() {
    let absent = absent("pod.status.nope.deeper");
    assert_eq!(absent.to_string(), "`status.nope` is absent, so `deeper` cannot be read");
    assert_eq!(absent.hint.as_deref(), Some("use `?.` or `??`; the keys here: big, conditions, load, phase, unset"));
}

#[test]
fn a_misspelt_field_is_corrected() {
    let hint = hint("pod.status.condition.len");
    assert!(hint.starts_with("did you mean `conditions`? otherwise use `?.` or `??`; the keys"), "{hint}");
    assert_eq!(absent(r#"pod.statu["phase"]"#).to_string(), "`statu` is absent, so `phase` cannot be read");
    assert_eq!(absent("pod.metadata.owners[0]").to_string(), "`metadata.owners` is absent, so `[0]` cannot be read");
}

#[test]
fn an_absent_value_of_unknown_origin_is_not_explained_by_an_earlier_miss() {
    assert_eq!(
        absent("let u = (); pod.status.nope; u.deeper").to_string(),
        "`deeper` cannot be read: what it belongs to is absent"
    );
    assert_eq!(hint("let u = pod.nope; let v = (); v.deeper"), "use `?.` or `??`");
    assert_eq!(hint("let map = #{}; map.a.b"), "use `?.` or `??`");
}

#[test]
fn an_absent_field_can_be_caught() {
    assert_eq!(
        value("let told; try { pod.nope.deeper } catch (e) { told = e.message; } told"),
        r#""`nope` is absent, so `deeper` cannot be read""#
    );
    assert_eq!(
        value("let told; try { pod.nope.x } catch (e) { told = `${e}`; } told"),
        r#""`nope` is absent, so `x` cannot be read""#
    );
    holds("let told; try { pod.nope.x } catch (e) { told = e.hint; } told.contains(\"??\")");
    holds("let told; try { pod.nope.x } catch (e) { told = e.kind; } told == \"absent\"");
}

#[test]
fn setting_below_an_absent_field_makes_nothing_and_says_so() {
    let refused = absent("pod.spec.template.name = 1");
    assert_eq!(refused.to_string(), "`spec.template` is absent, so `name` cannot be set");
    let hint = refused.hint.expect("there is one");
    assert!(hint.starts_with("use `set`, which makes the objects on the way"), "{hint}");
    holds(r#"try { pod.nope.x = 1; } catch {} !("nope" in pod)"#);
}

#[test]
fn the_shape_of_an_object_can_be_asked_for() {
    assert_eq!(value("pod.keys()"), r#"["metadata","spec","status"]"#);
    assert_eq!(value("pod.metadata.labels.values()"), r#"["web","front"]"#);
    assert_eq!(value("pod.len()"), "3");
    holds("#{}.to_object().is_empty() && !pod.is_empty()");
    holds(r#""spec" in pod && !("nope" in pod) && pod.contains("spec.containers[1].image")"#);
    holds(r#""app.kubernetes.io/name" in pod.metadata.labels"#);
}

#[test]
fn a_loop_sees_keys_and_values_in_order() {
    assert_eq!(
        value("let all = []; for (field, i) in pod.metadata.labels { all += [i, field.key, field.value]; } all"),
        r#"[0,"app.kubernetes.io/name","web",1,"tier","front"]"#
    );
    assert_eq!(value("let all = []; for key in pod.keys() { all += key; } all"), r#"["metadata","spec","status"]"#);
}

#[test]
fn objects_equal_objects_and_maps_by_value() {
    holds("let q = pod; q == pod && !(q != pod)");
    holds("let q = pod; q.spec.replicas = 7; q != pod");
    holds(
        "let o = #{ a: 1, b: [#{ c: 2 }] }.to_object(); o == #{ a: 1.0, b: [#{ c: 2 }] } && #{ a: 1, b: [#{ c: 2 }] } == o",
    );
    holds("let o = #{ a: 1 }.to_object(); o != #{ a: 2 } && #{ a: 1, b: 2 } != o && o != ()");
    holds("pod != #{ a: || 1 }");
    holds("[pod, #{ x: pod }] == [pod, #{ x: pod }]");
}

#[test]
fn unsigned_integers_compare_with_what_scripts_write() {
    holds("pod.status.big > 5 && 5 < pod.status.big && pod.status.big != 5 && !(pod.status.big == -1)");
    holds("pod.status.big >= 1.5 && pod.status.big == pod.status.big");
    holds("pod.status.load == 1");
}

#[test]
fn adding_mixes_the_top_level_in() {
    assert_eq!(
        value("let o = #{ a: #{ x: 1 }, b: 1 }.to_object(); o += #{ a: #{ y: 2 } }; o"),
        r#"{"a":{"y":2},"b":1}"#
    );
    assert_eq!(
        value("let o = #{ a: 1 }.to_object(); [o + #{ b: 2 }, #{ a: 0, c: 3 } + o, o + o, o]"),
        r#"[{"a":1,"b":2},{"a":1,"c":3},{"a":1},{"a":1}]"#
    );
}

#[test]
fn paths_reach_through_lists_and_dotted_names() {
    assert_eq!(value(r#"pod.get("spec.containers.0.image")"#), r#""nginx""#);
    assert_eq!(value(r#"pod.get("spec.containers[-1].image")"#), r#""envoy""#);
    assert_eq!(value(r#"pod.get("metadata.labels.app.kubernetes.io/name")"#), r#""web""#);
    assert_eq!(value(r#"pod.get("metadata.labels[\"app.kubernetes.io/name\"]")"#), r#""web""#);
    assert_eq!(value(r#"pod.get("status.conditions.1.type", "none")"#), r#""none""#);
    assert_eq!(value(r#"[pod.get("nope"), pod.get("status.unset", 7), pod.get("status.unset")]"#), "[null,7,null]");
    assert_eq!(error(r#"pod.get("spec..x")"#), "`spec..x` is no path: a name is missing (1:5)");
    assert_eq!(error(r#"pod.get("a[0")"#), "`a[0` is no path: a `]` is missing (1:5)");
}

#[test]
fn maps_and_arrays_take_paths_too() {
    assert_eq!(
        value(r#"let m = #{ a: [#{ "b.c": 1 }] }; [m.get("a.0.b.c"), m.get("a.1", 2), m.get("a[0]")]"#),
        r#"[1,2,{"b.c":1}]"#
    );
    assert_eq!(value(r#"[[pod].get("0.metadata.name"), [1].get("3", "d"), [1, 2].get(1)]"#), r#"["web-0","d",2]"#);
    assert_eq!(value(r#"#{ pod: pod }.get("pod.spec.replicas", 0)"#), "2");
}

#[test]
fn set_makes_the_objects_on_the_way() {
    assert_eq!(
        value(r#"let o = #{}.to_object(); o.set("a.b.c", 1); o.set("a.b.d", [2]); o"#),
        r#"{"a":{"b":{"c":1,"d":[2]}}}"#
    );
    assert_eq!(value(r#"pod.set("spec.containers[1].image", "x"); pod.spec.containers[1].image"#), r#""x""#);
    assert_eq!(value(r#"pod.set("metadata.labels[\"a.b/c\"]", "x"); pod.metadata.labels["a.b/c"]"#), r#""x""#);
    assert_eq!(value(r#"pod.set("metadata.labels.app.kubernetes.io/name", "x"); pod.metadata.labels.len()"#), "2");
    assert_eq!(value(r#"pod.set("status.unset.x", 1); pod.status.unset"#), r#"{"x":1}"#);
}

#[test]
fn set_refuses_what_it_would_have_to_overwrite() {
    assert!(
        error(r#"pod.set("metadata.name.x.y", 1)"#).contains("`metadata.name` is a text, so `x.y` cannot be set in it")
    );
    assert!(
        error(r#"pod.set("spec.containers[2].image", 1)"#)
            .contains("`spec.containers` has 2 items, so `2.image` cannot be set")
    );
    assert_eq!(value(r#"let q = pod; try { q.set("new.deep[0]", 1); } catch {} q == pod"#), "true");
}

#[test]
fn remove_takes_out_and_returns() {
    assert_eq!(
        value(r#"[pod.remove("spec.containers[0]"), pod.spec.containers.len(), pod.remove("nope.x")]"#),
        r#"[{"env":[],"image":"nginx"},1,null]"#
    );
    assert_eq!(
        value(r#"let q = pod; q.remove("metadata.labels.tier"); [q.metadata.labels, pod.metadata.labels.len()]"#),
        r#"[{"app.kubernetes.io/name":"web"},2]"#
    );
}

#[test]
fn objects_are_shown_as_compact_json_with_sorted_keys() {
    assert_eq!(
        value(r#"let o = #{ b: 1, a: [#{ d: "x", c: () }] }.to_object(); `${o}`"#),
        r#""{\"a\":[{\"c\":null,\"d\":\"x\"}],\"b\":1}""#
    );
    assert_eq!(value("#{ b: 1.0, a: 'x' }.to_object().to_json()"), r#""{\"a\":\"x\",\"b\":1.0}""#);
    assert_eq!(value("#{ b: [1], a: #{}.to_object() }.to_yaml()"), r#""a: {}\nb:\n- 1\n""#);
    assert_eq!(
        value("[pod.metadata.labels].to_json()"),
        r#""[{\"app.kubernetes.io/name\":\"web\",\"tier\":\"front\"}]""#
    );
    assert_eq!(value("type_of(pod.to_map().spec.containers[0])"), r#""map""#);
}

#[test]
fn what_is_no_data_is_refused_by_its_path() {
    assert!(error("pod.spec.hook = || 1").contains("`hook` is a `Fn`, which neither JSON nor YAML can hold"));
    assert!(error("pod.set(\"a.b\", #{ c: [1, #{ d: || 1 }] })").contains("`a.b.c[1].d` is a `Fn`"));
    assert!(error("#{ a: 1.0 / 0.0 }.to_object()").contains("`a` is `inf`"));
    let deep = "let a = []; for i in 0..200 { a = [a]; } #{ a: a }.to_object()";
    assert!(error(deep).contains("is nested deeper than 128 levels"));
}

#[test]
fn an_error_stands_at_the_call_that_failed() {
    assert!(
        error("let a = 1;\n  pod.spec.hook = || 1").ends_with("(2:11)"),
        "{}",
        error("let a = 1;\n  pod.spec.hook = || 1")
    );
}

#[test]
fn values_of_scripts_and_trees_convert_without_loss() {
    let text = r#"{"big":18446744073709551615,"f":1.0,"i":9007199254740993,"l":[[],{},null,true],"n":-9223372036854775808,"s":"1e3"}"#;
    let tree = json::read(text, "text").unwrap();
    assert_eq!(Tree::from_dynamic(&tree.to_dynamic()).unwrap(), tree);
    assert_eq!(Tree::from_dynamic(&tree.to_native()).unwrap(), tree);
    assert_eq!(Tree::from_json(tree.wire_json()), tree);
    assert_eq!(tree.to_string(), text);
}

#[test]
fn secrets_go_to_the_wire_and_nowhere_else() {
    let secret = Secret::new("env:TOKEN", "hunter2".to_owned());
    let mut engine = Engine::new();
    object::register(&mut engine);
    let mut scope = Scope::new();
    scope.push("token", Dynamic::from(secret));
    let shown = "[`${o}`, o.to_json(), o.to_yaml(), o.to_map().to_json(), [o].to_json()]";
    let script = format!(
        "let o = #{{ data: #{{ token: token }} }}.to_object(); o.again = o.data.token; #{{ o: o, shown: {shown} }}"
    );
    let result: rhai::Map = engine.eval_with_scope(&mut scope, &script).unwrap();
    let object = result["o"].clone().cast::<Object>();
    let shown = format!("{} {:?} {object:?} {}", result["shown"], object.tree(), object.tree().shown_json());
    assert!(!shown.contains("hunter2") && shown.contains("[secret env:TOKEN]"), "{shown}");
    assert_eq!(object.tree().wire_json().to_string(), r#"{"again":"hunter2","data":{"token":"hunter2"}}"#);
}
