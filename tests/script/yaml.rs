use cozyscript::script::values::tree::Tree;
use cozyscript::script::values::yaml::{self, Lint};

/// The documents as JSON, one a line.
fn read(text: &str) -> String {
    let documents = yaml::read_all(text, "t.yaml").unwrap_or_else(|error| panic!("{text}\n{error}"));
    documents.iter().map(Tree::to_string).collect::<Vec<_>>().join("\n")
}

fn error(text: &str) -> String {
    yaml::read_all(text, "t.yaml").map(|trees| format!("{trees:?}")).expect_err(text).to_string()
}

fn lints(text: &str) -> Vec<Lint> {
    yaml::read_all_linted(text, "t.yaml").unwrap().1
}

/// Values as `kubectl annotate --local` reads them, except that floats stay floats and large integers exact.
#[test]
fn scalars_mean_what_they_mean_to_kubectl() {
    let table = [
        ("true", "true"),
        ("TRUE", "true"),
        ("TrUe", r#""TrUe""#),
        ("~", "null"),
        ("Null", "null"),
        ("", "null"),
        ("0644", "420"),
        ("-0644", "-420"),
        ("0o644", "420"),
        ("0o7_7", "63"),
        ("0o8", r#""0o8""#),
        ("0x1F", "31"),
        ("-0x1F", "-31"),
        ("0x", r#""0x""#),
        ("0xG", r#""0xG""#),
        ("0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
        ("0x1FFFFFFFFFFFFFFFF", r#""0x1FFFFFFFFFFFFFFFF""#),
        ("0b11", "3"),
        ("0b", r#""0b""#),
        ("1_000", "1000"),
        ("_1", r#""_1""#),
        ("+1", "1"),
        ("-0", "0"),
        ("00", "0"),
        ("08", "8"),
        ("089", "89"),
        ("07.5", "7.5"),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("-9223372036854775809", "-9.223372036854776e+18"),
        ("1e3", "1000.0"),
        ("1.", "1.0"),
        (".5", "0.5"),
        ("-.5e1", "-5.0"),
        ("1.0", "1.0"),
        ("1e400", r#""1e400""#),
        (".", r#"".""#),
        ("+", r#""+""#),
        ("1e", r#""1e""#),
        ("1:30", r#""1:30""#),
        ("2024-01-01", r#""2024-01-01""#),
        ("1.2.3", r#""1.2.3""#),
        ("10.17.13.86", r#""10.17.13.86""#),
        ("1p3", r#""1p3""#),
        ("NaN", r#""NaN""#),
        ("inf", r#""inf""#),
        ("!!str 5", r#""5""#),
        ("!!str ~", r#""~""#),
        ("! 12", "12"),
        ("!!int \"5\"", "5"),
        ("!!float 1", "1.0"),
        ("!!bool yes", "true"),
        ("!!str", r#""""#),
        ("!!binary aGk=", r#""hi""#),
        ("!<tag:yaml.org,2002:str> 5", r#""5""#),
        ("\"yes\"", r#""yes""#),
        ("'0644'", r#""0644""#),
        ("!!timestamp 2024-01-01", r#""2024-01-01""#),
        ("!!set {a, b}", r#"{"a":null,"b":null}"#),
        ("|\n  5", r#""5""#),
    ];
    for (text, expected) in table {
        assert_eq!(read(&format!("z: {text}")), format!("{{\"z\":{expected}}}"), "{text}");
        assert!(lints(&format!("z: {text}")).is_empty(), "{text}");
    }
}

#[test]
fn a_block_ends_with_a_line_break_only_where_the_text_has_one() {
    let read = |text: &str| read(text).replace("\\n", "/");
    assert_eq!(read("z: |\n  5"), r#"{"z":"5"}"#);
    assert_eq!(read("z: |+\n  5"), r#"{"z":"5"}"#);
    assert_eq!(read("z: |\n  5\n"), r#"{"z":"5/"}"#);
    assert_eq!(read("z: |\n  5\n  "), r#"{"z":"5/"}"#);
    assert_eq!(read("z: |+\n  5\n\n"), r#"{"z":"5//"}"#);
    assert_eq!(read("z: >-\n  a\n  b\ny: |\n  5\nx: 1"), r#"{"x":1,"y":"5/","z":"a b"}"#);
}

#[test]
fn a_bare_word_that_kubectl_takes_for_a_boolean_is_a_text_with_a_warning() {
    assert_eq!(read("[yes, off, y, N]"), r#"["yes","off","y","N"]"#);
    let text = "spec:\n  paused: yes\n  'no': \"no\"\n";
    assert_eq!(
        lints(text),
        [Lint {
            line: 2,
            column: 11,
            message: "`yes` is the boolean `true` to kubectl, and a text here".to_owned(),
            hint: "write `true`, or `\"yes\"` for the text".to_owned(),
        }]
    );
}

#[test]
fn keys_are_the_text_as_written_and_a_warning_says_where_kubectl_makes_another() {
    assert_eq!(read("{80: a, 1.10: b, true: c, on: d}"), r#"{"1.10":"b","80":"a","on":"d","true":"c"}"#);
    let messages: Vec<_> = lints("{80: a, 1.10: b, on: c, 0644: d}").into_iter().map(|lint| lint.message).collect();
    assert_eq!(
        messages,
        [
            "the key `1.10` is `1.1` to kubectl",
            "the key `on` is `true` to kubectl",
            "the key `0644` is `420` to kubectl"
        ]
    );
    assert_eq!(error("a: 1\n~: x"), "t.yaml:2:1: a key must be a text, and `~` without quotes is none");
    assert_eq!(error("? [a]\n: x"), "t.yaml:1:3: a key must be a text, not a list");
}

#[test]
fn documents_are_told_apart_and_empty_ones_left_out() {
    assert_eq!(read("# nothing\n---\na: 1\n---\n# only a comment\n---\n---\nb: 2\n...\n"), "{\"a\":1}\n{\"b\":2}");
    assert_eq!(read(""), "");
    assert_eq!(read("# only a comment"), "");
    assert_eq!(read("---\n~\n"), "null");
    assert_eq!(yaml::read_one("# nothing", "t").unwrap(), Tree::Null);
    let error = yaml::read_one("a: 1\n---\n  b: 2\n", "t.yaml").unwrap_err();
    assert_eq!(error.to_string(), "t.yaml:3:3: one document is expected here, found 2");
}

#[test]
fn a_key_that_stands_twice_is_an_error_at_the_second() {
    assert_eq!(error("a: 1\nb: 2\na: 3\n"), "t.yaml:3:1: the key `a` stands twice in one map, first on line 1");
    assert_eq!(error("x: {\"a\": 1, a: 2}"), "t.yaml:1:13: the key `a` stands twice in one map, first on line 1");
}

#[test]
fn mistakes_are_told_by_line_and_column() {
    let error = yaml::read_all("spec:\n  имя: [a, b\n  c: d\n", "t.yaml").unwrap_err();
    assert_eq!((error.source.as_str(), error.line, error.column), ("t.yaml", 3, 4), "{error}");
    assert_eq!(error.snippet.as_deref(), Some("  c: d"));
    for text in [
        "a: b: c",
        "a: 'x",
        "a:\n\tb: 1\n\tc: 1",
        "a: *b",
        "- a\nb: c",
        "{a: 1",
        "a: \"\\q\"",
        "a: .inf",
        "a: !!int x",
        "%FOO",
        "a: @b",
    ] {
        let error = yaml::read_all(text, "t.yaml").expect_err(text);
        assert!(error.line >= 1 && error.column >= 1, "{error}");
        let first = error.message.chars().next().unwrap();
        assert!(!first.is_uppercase() && !error.message.ends_with('.'), "{error}");
        assert_eq!(yaml::read_all(text, "t.yaml"), Err(error));
    }
    assert_eq!(super::yaml::error("a: *b"), "t.yaml:1:4: while parsing node, found unknown anchor");
}

#[test]
fn anchors_and_merge_keys_are_resolved() {
    assert_eq!(read("a: &x {b: [1]}\nc: *x\nd: [*x]"), r#"{"a":{"b":[1]},"c":{"b":[1]},"d":[{"b":[1]}]}"#);
    assert_eq!(read("<<: {a: 1, b: 2}\na: 3"), r#"{"a":3,"b":2}"#);
    assert_eq!(read("{<<: [{a: 1}, {a: 2, b: 3}], c: 4}"), r#"{"a":1,"b":3,"c":4}"#);
    assert_eq!(read("\"<<\": {a: 1}"), r#"{"<<":{"a":1}}"#);
    assert_eq!(read("&k key: *k"), r#"{"key":"key"}"#);
    assert_eq!(error("<<: 5"), "t.yaml:1:5: `<<` merges a map or a list of maps, and this holds an integer");
    assert_eq!(error("a: &x 1\n---\nb: *x"), "t.yaml:3:4: while parsing node, found unknown anchor");
    assert_eq!(error("&a [*a]"), "t.yaml:1:5: the alias `*a` stands inside what it repeats");
}

#[test]
fn a_merge_that_kubectl_does_the_other_way_round_is_warned_about() {
    assert_eq!(read("{a: 3, <<: {a: 1}}"), r#"{"a":3}"#);
    assert_eq!(
        lints("{a: 3, <<: {a: 1}}")[0].message,
        "`<<` after `a` overrides it for kubectl, but not by the rules of YAML"
    );
    assert_eq!(lints("{<<: {a: 1}, a: 3}"), []);
}

#[test]
fn an_unknown_tag_is_ignored_with_a_warning() {
    assert_eq!(read("a: !vault x\nb: !x [1]"), r#"{"a":"x","b":[1]}"#);
    let found: Vec<_> =
        lints("a: !vault x\nb: !x [1]").into_iter().map(|lint| (lint.line, lint.column, lint.message)).collect();
    assert_eq!(found, [(1, 4, "the tag `!vault` is ignored".to_owned()), (2, 4, "the tag `!x` is ignored".to_owned())]);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let repeats = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{repeats}]\n"));
    }
    assert!(error(&bomb).ends_with("aliases repeat more than 1000000 values"), "{}", error(&bomb));
    let chain: String = (1..5_000).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect();
    assert!(error(&format!("a0: &a0 x\n{chain}")).ends_with("values are nested deeper than 128 levels"));
}

#[test]
fn a_bottomless_text_is_refused() {
    for text in ["[".repeat(100_000), "- ".repeat(100_000), "a: {".repeat(100_000)] {
        let message = error(&text);
        assert!(message.contains("nested deeper than 128 levels") || message.contains("exceeded"), "{message}");
    }
    let deepest = format!("{}{}", "[".repeat(128), "]".repeat(128));
    assert_eq!(read(&deepest), deepest);
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    let texts = [
        "yes",
        "no",
        "on",
        "y",
        "N",
        "true",
        "1e3",
        "0x1F",
        "0644",
        "null",
        "~",
        "",
        " ",
        "2024-01-01",
        "1:30",
        "<<",
        "=",
        "- a",
        "a: b",
        "#",
        "# x",
        "a #b",
        "trailing ",
        " leading",
        "two\nlines",
        "two\nlines\n",
        "three\n\n\n",
        "\n",
        "\nx",
        "  a\nb",
        "a\n  b\n",
        "tab\there",
        "\t",
        "a\r\nb",
        "ünïcödé ☺ 🚀",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "'",
        "\"",
        "it's \"so\"",
        "\\n",
        "%",
        "@",
        "`",
        "!x",
        "&a",
        "*a",
        "|",
        ">",
        "?",
        "? a",
        ":",
        "a:",
        "[a]",
        "{a}",
        ",",
        "---",
        "...",
        "--- a",
        "-",
        "-1",
        "+1",
        ".5",
        "1_000",
        "_1",
        "0o7",
        ".inf",
        ".nan",
        "1.0",
        "NaN",
        "1 ",
        "a\n b\n\n c \n",
    ];
    let mut checked = Vec::new();
    for text in texts {
        let long = format!("{text}{}", " word".repeat(60));
        for text in [text, &long] {
            let value = Tree::Text(text.into());
            let map: Tree =
                [(text.into(), value.clone()), ("list".into(), [value.clone(), value.clone()].into_iter().collect())]
                    .into_iter()
                    .collect();
            for tree in [value, map] {
                let written = yaml::write(&tree);
                assert_eq!(yaml::read_all_linted(&written, "written"), Ok((vec![tree.clone()], vec![])), "{written}");
                checked.push(tree);
            }
        }
    }
    assert_eq!(yaml::read_all(&yaml::write_all(&checked), "written").unwrap(), checked);
}

fn arbitrary(random: &mut fastrand::Rng, depth: usize) -> Tree {
    let words =
        ["yes", "0", "a b", "#", ": ", "- ", "\n", " ", "é", "'", "\"", "x", "1e3", "\t", "~", "🚀", "\\", "|", "0x1"];
    let text = |random: &mut fastrand::Rng| {
        (0..random.usize(0..5)).map(|_| *random.choice(words.iter()).unwrap()).collect::<String>()
    };
    match random.u8(0..if depth == 0 { 7 } else { 11 }) {
        0 => Tree::Null,
        1 => Tree::Bool(random.bool()),
        2 => Tree::Int(random.i64(..)),
        3 => Tree::from(random.u64(..)),
        4 => Tree::Float(Some(f64::from_bits(random.u64(..))).filter(|float| float.is_finite()).unwrap_or(1.0)),
        5 => Tree::Float(f64::from(random.i16(..))),
        6 => Tree::Text(text(random).into()),
        7 | 8 => (0..random.usize(0..4)).map(|_| arbitrary(random, depth - 1)).collect(),
        _ => (0..random.usize(0..4)).map(|_| (text(random).into(), arbitrary(random, depth - 1))).collect(),
    }
}

#[test]
fn any_tree_survives_yaml_and_json() {
    for seed in 0..3_000 {
        let tree = arbitrary(&mut fastrand::Rng::with_seed(seed), 4);
        let written = yaml::write(&tree);
        assert_eq!(
            yaml::read_all_linted(&written, "written"),
            Ok((vec![tree.clone()], vec![])),
            "seed {seed}:\n{written}"
        );
        assert_eq!(
            cozyscript::script::values::json::read(&tree.to_string(), "written"),
            Ok(tree.clone()),
            "seed {seed}: {tree}"
        );
        assert_eq!(Tree::from_dynamic(&tree.to_dynamic()), Ok(tree.clone()), "seed {seed}: {tree}");
    }
}

#[test]
fn yaml_is_written_in_the_manner_of_kubectl() {
    let text = "containers:\n- args:\n  - --yes\n  - \"yes\"\n  env: []\n  script: |\n    set -e\n    exit 0\nempty: {}\nnothing: null\n";
    assert_eq!(yaml::write(&yaml::read_one(text, "t").unwrap()), text);
}
