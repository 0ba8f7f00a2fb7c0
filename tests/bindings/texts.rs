use cozyscript::script::fault::Kind;
use rhai::{Array, Map};

use super::{run, script};

fn text(code: &str) -> String {
    let (script, _folder) = script(&[("motd.txt", "hello"), ("app.yaml", "a: ${A}\nb: $B\n")]);
    script.value::<String>(code)
}

fn fault(code: &str) -> cozyscript::script::fault::Fault {
    let (script, _folder) = script(&[("app.yaml", "a: ${A}\nb: ${\n")]);
    script.fault(code)
}

#[test]
fn values_are_put_in_for_names() {
    assert_eq!(text(r#"template::file("app.yaml", #{ A: 1, B: true })"#), "a: 1\nb: true\n");
    let fill = |template: &str, rest: &str| text(&format!("template::fill({template:?}, {rest})"));
    assert_eq!(fill("${A}-$A-$A.x-${NO:-d}-${E:=e}-${A:-no}", r#"#{ A: "a", E: "" }"#), "a-a-a.x-d-e-a");
    assert_eq!(fill("$$A $${A} $$$$ $ $1 a$", r#"#{ A: "a" }"#), "$A ${A} $$ $ $1 a$");
    assert_eq!(fill("${NO:-${A}/${NO:-$A}}", r#"#{ A: "a" }"#), "a/a");
    assert_eq!(fill("$A ${B} ${C:-$A}", r#"#{ B: "b" }, #{ only: ["B"] }"#), "$A b ${C:-$A}");
    assert_eq!(fill("$A ${A}", r#"#{ A: "a" }, #{ style: "flux" }"#), "$A a");
    assert_eq!(fill("$A ${A:-b} $$A", r#"#{ A: "a" }, #{ style: "envsubst" }"#), "a ${A:-b} $a");
}

#[test]
fn all_names_without_a_value_are_told_at_once() {
    let fault = fault(r#"template::fill("${B} $A ${A} ${C:-$D} ${E:-x} ${F:-$G}", #{ E: "", F: "f" })"#);
    assert_eq!(fault.kind, Kind::Absent);
    assert_eq!(fault.message, "text needs a value for `A`, `B`, `D`");
    assert!(fault.hint.unwrap().contains("given are E, F"));
}

#[test]
fn what_is_wrongly_written_in_a_template_has_its_place() {
    let fault = fault(r#"template::file("app.yaml", #{ A: 1 })"#);
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::Parse, "app.yaml:2:4: a name is expected behind `${`"));
    let wrong = |template: &str| self::fault(&format!("template::fill({template:?}, #{{ A: 1 }})")).message;
    assert!(wrong("a\n b ${A:-x").starts_with("text:2:4: no `}` closes this"));
    assert!(wrong("${A.B}").contains("neither `}` nor `:-`"));
    assert!(wrong(&"${A:-".repeat(40)).contains("too deep"));
    assert_eq!(self::fault(r#"template::fill("", #{ A: [] })"#).kind, Kind::Usage);
    assert_eq!(self::fault(r#"template::fill("", #{}, #{ style: "bash" })"#).kind, Kind::Usage);
}

#[test]
fn a_secret_in_a_template_makes_a_secret_of_it() {
    let (script, _folder) = script(&[]);
    run(&script, r#"print(template::fill("token: ${T}", #{ T: secret::of("8d7f-11c2", "token") }))"#);
    assert_eq!(script.printed(), ["[secret text with token]"]);
    assert_eq!(text(r#"template::fill("t: ${T}", #{ T: secret::of("8d7f-11c2", "token") }).expose()"#), "t: 8d7f-11c2");
}

#[test]
fn base64_is_read_in_all_its_forms() {
    assert_eq!(text(r#"base64::encode("hello?>")"#), "aGVsbG8/Pg==");
    assert_eq!(text(r#"base64::encode("hello?>", #{ url_safe: true })"#), "aGVsbG8_Pg");
    for form in ["aGVsbG8/Pg==", "aGVsbG8_Pg", "aGVs\\nbG8/\\nPg", " aGVsbG8_Pg== "] {
        assert_eq!(text(&format!("base64::decode(\"{form}\")")), "hello?>", "{form}");
    }
    assert_eq!(text(r#"base64::encode(base64::decode_bytes("/+8="))"#), "/+8=");
    assert_eq!(fault(r#"base64::decode("/+8=")"#).kind, Kind::Parse);
    assert_eq!(fault(r#"base64::decode("a!")"#).kind, Kind::Parse);
    assert_eq!(
        text(r#"let s = base64::decode(base64::encode(secret::of("8d7f-11c2", "t"))); s.expose()"#),
        "8d7f-11c2"
    );
}

#[test]
fn checksums_are_those_that_everybody_else_makes() {
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(text(r#"hash::sha256("hello")"#), hello);
    assert_eq!(text(r#"hash::sha256_file("motd.txt")"#), hello);
    assert_eq!(text(r#"hash::sha256(fs::read_bytes("motd.txt"))"#), hello);
    assert!(text(r#"hash::sha512("hello")"#).starts_with("9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caada"));
    assert_eq!(text(r#"hash::sha512_file("motd.txt")"#), text(r#"hash::sha512("hello")"#));
    assert_eq!(fault(r#"hash::sha256(secret::of("8d7f-11c2", "t"))"#).kind, Kind::Usage);
    assert_eq!(fault(r#"hash::sha256_file("no.txt")"#).kind, Kind::File);
}

#[test]
fn equal_seeds_draw_equally_and_secrets_are_never_equal() {
    let (one, _folder) = script(&[]);
    let (other, _folder) = script(&[]);
    let drawn =
        r#"[random::text(12), random::uuid(), random::integer(1, 6), random::shuffle([1, 2, 3, 4, 5, 6, 7, 8])]"#;
    let (first, second): (Array, Array) = (one.value(drawn), other.value(drawn));
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    let next: Array = one.value(drawn);
    assert_ne!(format!("{first:?}"), format!("{next:?}"));
    let secret = r#"random::secret("p").expose()"#;
    assert_ne!(one.value::<String>(secret), other.value::<String>(secret));
}

#[test]
fn what_is_drawn_is_of_the_form_that_was_asked_for() {
    let (script, _folder) = script(&[]);
    let all = r#"
        for round in 0..500 {
            let number = random::integer(-3, 3);
            if number < -3 || number > 3 { throw number }
            if !["a", "b"].contains(random::choice(["a", "b"])) { throw "choice" }
        }
        random::integer(-9223372036854775808 + 1, 9223372036854775807);
        random::integer(5, 5)
    "#;
    assert_eq!(script.value::<i64>(&all.replace("-9223372036854775808 + 1", "-9223372036854775807")), 5);
    let uuid = script.value::<String>("random::uuid()");
    let parts: Vec<&str> = uuid.split('-').collect();
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{uuid}");
    assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{uuid}");
    assert_eq!(script.value::<String>(r#"random::text(3, #{ alphabet: "é" })"#), "ééé");
    assert_eq!(script.value::<i64>(r#"random::secret("p", #{ length: 64 }).expose().len()"#), 64);
    for wrong in [
        "random::choice([])",
        "random::integer(2, 1)",
        "random::text(-1)",
        r#"random::text(1, #{ alphabet: "" })"#,
        r#"random::secret("p", #{ length: 4 })"#,
    ] {
        assert_eq!(script.fault(wrong).kind, Kind::Usage, "{wrong}");
    }
}

#[test]
fn a_json_patch_is_merged_as_its_rfc_has_it() {
    let merge = |value: &str, patch: &str| {
        let code = format!("json::write(json::merge(json::parse({value:?}), json::parse({patch:?})))");
        text(&code)
    };
    for (value, patch, merged) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
        (r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ] {
        assert_eq!(merge(value, patch), merged, "{value} and {patch}");
    }
}

#[test]
fn several_documents_are_written_and_read_again() {
    assert_eq!(text(r#"yaml::write_all([#{ a: 1 }, [2]])"#), "a: 1\n---\n- 2\n");
    assert_eq!(text(r#"yaml::write_all(yaml::parse_all("a: 1\n---\n- 2\n"))"#), "a: 1\n---\n- 2\n");
}

#[test]
fn a_yaml_text_is_edited_in_place() {
    assert_eq!(text(r#"yaml::set("a: 1 # c\n", "a", 2)"#), "a: 2 # c\n");
    assert_eq!(text(r#"yaml::remove("a: 1\nb: 2\n", "a")"#), "b: 2\n");
    assert_eq!(
        text(r#"yaml::append("a: 1\n---\nb: [2]\n", "b", #{ c: 3 }, #{ document: 1 })"#),
        "a: 1\n---\nb: [2, {c: 3}]\n"
    );
    let fault = fault(r#"yaml::set("a: 1\n---\nb: 2\n", "a", 2)"#);
    assert_eq!(fault.hint.as_deref(), Some("say which: `#{ document: 0 }` to `#{ document: 1 }`"));
    assert_eq!(self::fault(r#"yaml::set("a: 1", "a", secret::of("8d7f-11c2", "t"))"#).kind, Kind::Usage);
    assert_eq!(self::fault(r#"yaml::set("a: [", "a", 1)"#).kind, Kind::Parse);
}

#[test]
fn times_are_read_by_a_pattern_and_by_their_seconds() {
    assert_eq!(text(r#"`${time::parse_as("31.01.2026 12:00", "%d.%m.%Y %H:%M")}`"#), "2026-01-31T12:00:00Z");
    assert_eq!(text(r#"`${time::parse_as("2026-01-31 12:00 +0200", "%Y-%m-%d %H:%M %z")}`"#), "2026-01-31T10:00:00Z");
    assert_eq!(text(r#"`${time::of_unix(1769860800)} ${time::of_unix(0).unix}`"#), "2026-01-31T12:00:00Z 0");
    assert_eq!(fault(r#"time::parse_as("tomorrow", "%d.%m.%Y")"#).kind, Kind::Parse);
}

#[test]
fn a_manifest_holds_its_secrets_without_showing_them() {
    let (script, _folder) = script(&[]);
    let code = r#"secret::manifest("registry", #{ token: secret::of("8d7f-11c2", "t") }, #{ namespace: "shop", type: "a/b" })"#;
    let object: Map = script.value(code);
    assert_eq!((object["kind"].to_string(), object["type"].to_string()), ("Secret".into(), "a/b".into()));
    run(&script, &format!("print(json::write({code}))"));
    let shown = &script.printed()[0];
    assert!(
        shown.contains(r#""namespace":"shop""#) && shown.contains("[secret t]") && !shown.contains("8d7f"),
        "{shown}"
    );
}
