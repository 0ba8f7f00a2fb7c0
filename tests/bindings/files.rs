use cozyscript::event::What;
use cozyscript::script::fault::Kind;

use super::script;

#[test]
fn a_text_file_below_the_runbook_is_read() {
    let (script, _folder) = script(&[("deep/motd.txt", "hello\n")]);
    assert_eq!(script.value::<String>(r#"fs::read("deep/motd.txt")"#), "hello\n");
}

#[test]
fn nothing_outside_of_the_runbooks_folder_is_reached() {
    let (script, _folder) = script(&[]);
    for call in [
        r#"fs::read("../passwd")"#,
        r#"fs::read("/etc/passwd")"#,
        r#"fs::exists("a/../../b")"#,
        r#"fs::list("..")"#,
        r#"yaml("../values.yaml")"#,
        r#"json("/values.json")"#,
        r#"secret::file("../token")"#,
    ] {
        let fault = script.fault(call);
        assert_eq!(fault.kind, Kind::File, "{call}");
        assert!(fault.message.contains("outside of the runbook's folder"), "{call}: {fault}");
        assert!(fault.hint.is_some(), "{call}");
    }
}

#[test]
fn a_missing_file_says_where_it_was_looked_for() {
    let (script, folder) = script(&[]);
    let fault = script.fault("\nfs::read(\"motd.txt\")");
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::File, "file `motd.txt` is not there"));
    assert_eq!(fault.notes, [format!("looked in `{}`", folder.path().display())]);
    assert_eq!(fault.place.unwrap().line, 2);
}

#[test]
fn a_folder_is_listed_in_order_with_slashes_after_folders() {
    let (script, _folder) = script(&[("b.yaml", ""), ("a.yaml", ""), ("charts/x.yaml", "")]);
    let names: rhai::Array = script.value(r#"fs::list(".")"#);
    let names: Vec<String> = names.into_iter().map(|name| name.cast()).collect();
    assert_eq!(names, ["a.yaml", "b.yaml", "charts/"]);
    assert!(script.value::<bool>(r#"fs::exists("charts")"#));
    assert!(!script.value::<bool>(r#"fs::exists("templates")"#));
}

#[test]
fn a_pattern_in_place_of_a_folder_is_a_mistake_with_a_way_out() {
    let (script, _folder) = script(&[]);
    let fault = script.fault(r#"fs::list("*.yaml")"#);
    assert_eq!(fault.kind, Kind::Usage);
    assert!(fault.hint.unwrap().contains("filter"));
}

#[test]
fn one_yaml_document_is_an_object_and_several_are_a_list() {
    let (script, _folder) = script(&[
        ("one.yaml", "metadata: {name: web}"),
        ("two.yaml", "kind: A\n---\nkind: B\n"),
        ("none.yaml", "# nothing\n"),
    ]);
    assert_eq!(script.value::<String>(r#"yaml("one.yaml").metadata.name"#), "web");
    assert_eq!(script.value::<String>(r#"yaml("two.yaml")[1].kind"#), "B");
    assert_eq!(script.value::<i64>(r#"yaml::all("one.yaml").len()"#), 1);
    assert_eq!(script.value::<i64>(r#"yaml::all("none.yaml").len()"#), 0);
    script.value::<()>(r#"yaml("none.yaml")"#);
    assert_eq!(script.value::<i64>(r#"yaml::parse("a: 0644").a"#), 0o644);
}

#[test]
fn broken_yaml_and_json_name_file_line_and_column() {
    let (script, _folder) = script(&[("app.yaml", "a: 1\nb: [1, 2\n"), ("app.json", "{\n  \"a\": nope\n}")]);
    let fault = script.fault(r#"yaml("app.yaml")"#);
    assert_eq!(fault.kind, Kind::Parse);
    assert!(fault.message.starts_with("app.yaml:"), "{fault}");
    let fault = script.fault(r#"json("app.json")"#);
    assert_eq!(fault.kind, Kind::Parse);
    assert!(fault.message.starts_with("app.json:2:"), "{fault}");
    assert_eq!(fault.notes, ["line 2: `\"a\": nope`"]);
}

#[test]
fn yaml_that_kubectl_reads_otherwise_is_warned_of() {
    let (script, _folder) = script(&[("app.yaml", "enabled: yes\n")]);
    assert_eq!(script.value::<String>(r#"yaml("app.yaml").enabled"#), "yes");
    let warned = script.events().into_iter().find_map(|what| match what {
        What::Warned { text } => Some(text),
        _ => None,
    });
    assert!(warned.expect("it is warned of").starts_with("app.yaml:1:10: "));
}

#[test]
fn values_are_written_and_read_again() {
    let (script, _folder) = script(&[]);
    assert_eq!(script.value::<String>(r#"json::write(#{ b: [1, 2.5, ()], a: "x" })"#), r#"{"a":"x","b":[1,2.5,null]}"#);
    assert_eq!(script.value::<String>(r#"json::pretty(#{ a: 1 })"#), "{\n  \"a\": 1\n}");
    assert_eq!(script.value::<String>(r#"yaml::write(#{ on: "yes" })"#), "\"on\": \"yes\"\n");
    assert!(script.value::<bool>(r#"json::parse(json::write(#{ a: 1 })) == yaml::parse(yaml::write(#{ a: 1 }))"#));
}

#[test]
fn what_is_no_data_is_not_written() {
    let (script, _folder) = script(&[]);
    let fault = script.fault(r#"json::write(#{ spec: #{ when: || 1 } })"#);
    assert_eq!(fault.kind, Kind::Usage);
    assert!(fault.message.contains("`spec.when`"), "{fault}");
}
