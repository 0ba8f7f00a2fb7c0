use std::sync::Arc;

use cozyscript::script::values::json;
use cozyscript::script::values::tree::Tree;

fn error(text: &str) -> String {
    json::read(text, "values.json").expect_err(text).to_string()
}

#[test]
fn numbers_keep_their_kind() {
    let tree = json::read("[1, 1.0, 18446744073709551615, 9007199254740993, -9223372036854775808, 1e2]", "t").unwrap();
    let Tree::List(items) = &tree else { panic!("{tree}") };
    assert_eq!(
        items.as_slice(),
        [
            Tree::Int(1),
            Tree::Float(1.0),
            Tree::UInt(u64::MAX),
            Tree::Int(9_007_199_254_740_993),
            Tree::Int(i64::MIN),
            Tree::Float(100.0)
        ]
    );
    assert_eq!(json::read(&json::write(&tree), "t").unwrap(), tree);
}

#[test]
fn a_mistake_is_told_by_line_and_character() {
    assert_eq!(error("{\n  \"ключ\": nope\n}"), "values.json:2:12: expected ident");
    assert_eq!(error("{\"a\": 1} x"), "values.json:1:10: trailing characters");
    assert!(error("{\"a\": [1,").contains("the end of the text while parsing a value"), "{}", error("{\"a\": [1,"));
    assert!(error("").starts_with("values.json:1:1: "));
    assert!(error("{\"a\": 1, \"b\": 2, \"a\": 3}").contains("the field `a` stands twice in one object"));
    assert_eq!(json::read("{\n  \"a\": nope\n}", "t").unwrap_err().snippet.as_deref(), Some("  \"a\": nope"));
}

#[test]
fn a_bottomless_text_is_refused() {
    assert!(error(&"[".repeat(100_000)).contains("recursion limit"));
}

#[test]
fn pretty_json_is_indented_and_sorted() {
    let tree = json::read(r#"{"b": [], "a": {"c": 1}}"#, "t").unwrap();
    assert_eq!(json::write_pretty(&tree), "{\n  \"a\": {\n    \"c\": 1\n  },\n  \"b\": []\n}");
    assert_eq!(json::wire(&tree), br#"{"a":{"c":1},"b":[]}"#);
}

#[test]
fn equal_parts_of_a_text_are_kept_once_and_change_apart() {
    let tree = json::read(r#"[{"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}, {"a": {"b": [1.0, 2]}}]"#, "t").unwrap();
    let Tree::List(items) = &tree else { panic!("{tree}") };
    let [Tree::Map(first), Tree::Map(second), Tree::Map(third)] = items.as_slice() else { panic!("{tree}") };
    assert!(Arc::ptr_eq(first, second) && !Arc::ptr_eq(first, third));
    let mut first = first.clone();
    Arc::make_mut(&mut first).insert("a".into(), Tree::Null);
    assert_eq!(tree.to_string(), r#"[{"a":{"b":[1,2]}},{"a":{"b":[1,2]}},{"a":{"b":[1.0,2]}}]"#);
}
