//! Where the values of parameters come from.

use crate::support::program::Runbook;

const BOOK: &str = "let version = param(\"version\", #{ help: \"which release\" }); step \"a\" { print(version); }";

#[test]
fn set_comes_before_values_before_the_environment_before_the_default() {
    let book = Runbook::new("print(param(\"v\", #{ default: \"d\" }));").file("v.yaml", "v: f");
    book.run().done().stdout("d\n");
    let environment = || book.run().variable("COZYSCRIPT_V", "e");
    environment().done().stdout("e\n");
    environment().args(["--values", "v.yaml"]).done().stdout("f\n");
    environment().args(["--values", "v.yaml", "--set", "v=s"]).done().stdout("s\n");
    book.run().args(["--set", "v=one", "--set", "v=two"]).done().stdout("two\n");
}

#[test]
fn a_text_is_read_as_the_type_that_is_declared() {
    let book = Runbook::new(
        r#"
        print(param("count", #{ default: 1 }) + 1);
        print(param("on", #{ default: false }) == true);
        print(param("list", #{ default: [] }));
        print(param("map", #{ type: "map" }).a);
        print(param("share", #{ type: "number" }) * 2.0);
        print(param("pause", #{ type: "duration" }));
        "#,
    );
    let given =
        ["--set", "count=4", "--set", "on=true", "--set", "list=a, b", "--set", "map={a: 7}", "--set", "share=0.5"];
    book.run().args(given).args(["--set", "pause=10m"]).done().stdout("5\ntrue\n[\"a\", \"b\"]\n7\n1.0\n10m\n");
    let ended = book.run().args(given).args(["--set", "pause=soon", "--set", "count=many"]).fails(2);
    ended
        .stderr_has("parameter `count` is of the type integer, and --set gives `many`")
        .stderr_has("`pause` is of the type duration");
}

#[test]
fn all_missing_values_are_one_error_before_the_first_step() {
    let book = Runbook::new(
        "let a = param(\"alpha\"); let b = param(\"beta\"); let c = param(\"gamma\", #{ secret: true }); step \"x\" { print(a); }",
    );
    let ended = book.run().fails(2).stderr_has("`alpha` has no value").stderr_has("`beta` has no value");
    ended.stderr_has("`gamma` has no value").stderr_has("--set alpha=").stderr_has("COZYSCRIPT_GAMMA");
    assert!(!book.folder().join("runs").exists(), "no run was begun");
}

#[test]
fn an_unknown_name_is_an_error_with_a_suggestion() {
    let book = Runbook::new(BOOK).file("more.yaml", "verson: 1");
    book.run().args(["--set", "versoin=1"]).fails(2).stderr_has("did you mean `version`?");
    book.run().args(["--values", "more.yaml"]).fails(2).stderr_has("`more.yaml` gives `verson`");
}

#[test]
fn a_value_that_is_no_choice_is_refused() {
    let book = Runbook::new("print(param(\"zone\", #{ choices: [\"east\", \"west\"], default: \"east\" }));");
    book.run().args(["--set", "zone=wset"]).fails(2).stderr_has("did you mean `west`?");
    book.run().args(["--set", "zone=west"]).done().stdout("west\n");
}

#[test]
fn a_values_file_that_is_wrong_names_its_place() {
    let book = Runbook::new(BOOK).file("list.yaml", "- 1").file("bad.yaml", "a: [1");
    book.run().args(["--values", "list.yaml"]).fails(2).stderr_has("list.yaml:1:1");
    book.run().args(["--values", "bad.yaml"]).fails(2).stderr_has("bad.yaml:");
    book.run().args(["--values", "none.yaml"]).fails(2).stderr_has("can't read `none.yaml`");
    book.run().args(["--set", "version"]).fails(2).stderr_has("`--set version` gives nothing a value");
}

#[test]
fn a_resumed_run_has_the_values_of_before_unless_it_is_given_others() {
    let book = Runbook::new("let v = param(\"v\"); step \"a\" { print(`a ${v}`); } step \"b\" { throw \"no\"; }");
    book.run().args(["--set", "v=one"]).fails(1).stdout("a one\n").stderr_has("no");
    book.edit("throw \"no\";", "print(`b ${v}`);");
    let ended = book.resume().done().stdout("b one\n");
    ended.stderr_has("step a: replayed");
}

#[test]
fn another_value_runs_the_steps_that_read_it_and_says_why() {
    let book = Runbook::new(
        "let v = param(\"v\"); step \"free\" { print(\"free\"); } step \"a\" { print(`a ${v}`); } step \"b\" { throw \"no\"; }",
    );
    book.run().args(["--set", "v=one"]).fails(1).stdout("free\na one\n").stderr_has("no");
    book.edit("throw \"no\";", "");
    let ended = book.resume().args(["--set", "v=two"]).done().stdout("a two\n");
    ended.stderr_has("`v`, which it reads, was `one` and is `two`");
}
