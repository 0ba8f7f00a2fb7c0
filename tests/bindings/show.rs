use cozyscript::event::What;
use cozyscript::script::fault::Kind;

use super::script;

#[track_caller]
fn table(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let (script, _folder) = script(&[]);
    script.value::<()>(text);
    match script.events().as_slice() {
        [What::Tabled { columns, rows }] => (columns.clone(), rows.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_of_maps_and_objects_become_columns() {
    let (columns, rows) =
        table(r#"table([#{ name: "web-0", ready: true }, yaml::parse("{name: web-1, restarts: 2, since: null}")])"#);
    assert_eq!(columns, ["name", "ready", "restarts", "since"]);
    assert_eq!(rows, [["web-0", "true", "", ""], ["web-1", "", "2", ""]]);
}

#[test]
fn columns_are_chosen_and_put_in_order() {
    let (columns, rows) = table(r#"table([#{ a: 1, b: 90.s, c: 3 }], #{ columns: ["c", "b"] })"#);
    assert_eq!(columns, ["c", "b"]);
    assert_eq!(rows, [["3", "1m30s"]]);
}

#[test]
fn rows_of_lists_are_numbered_or_named() {
    let (columns, rows) = table(r#"table([["api", 1], ["web"]])"#);
    assert_eq!(columns, ["1", "2"]);
    assert_eq!(rows, [["api", "1"], ["web", ""]]);
    assert_eq!(table(r#"table([["api", 1]], #{ columns: ["service", "count"] })"#).0, ["service", "count"]);
    assert_eq!(table(r#"table([], #{ columns: ["service"] })"#).0, ["service"]);
}

#[test]
fn a_column_that_no_row_has_and_a_row_that_is_none_are_mistakes() {
    let (script, _folder) = script(&[]);
    let fault = script.fault(r#"table([#{ name: 1 }], #{ columns: ["nmae"] })"#);
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::Usage, Some("did you mean `name`?")));
    assert_eq!(script.fault("table([1])").message, "row 1 of the table is a `i64`, not a map or a list");
}

#[test]
fn a_warning_is_told_and_the_script_goes_on() {
    let (script, _folder) = script(&[]);
    assert_eq!(script.value::<i64>(r#"warn("old snapshot"); 7"#), 7);
    assert_eq!(script.events(), [What::Warned { text: "old snapshot".into() }]);
}

#[test]
fn failing_raises_a_fault_with_its_place_kind_and_hint() {
    let (script, _folder) = script(&[]);
    let fault = script.fault("\n  fail(\"no address\")");
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::Failed, "no address"));
    let place = fault.place.unwrap();
    assert_eq!((place.line, place.column), (2, 3));
    let fault = script.fault(r#"fail("no address", #{ kind: "not_found", hint: "look at the pools" })"#);
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::NotFound, Some("look at the pools")));
    let fault = script.fault(r#"fail("no address", #{ kind: "notfound" })"#);
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::Usage, Some("did you mean `not_found`?")));
    assert_eq!(script.fault(r#"fail("x", #{ hnt: "y" })"#).hint.as_deref(), Some("did you mean `hint`?"));
}
