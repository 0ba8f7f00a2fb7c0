//! What the program says of itself and of its functions.

use std::fs;

use crate::support::program::Runbook;

const SUBCOMMANDS: [&str; 10] =
    ["run", "rehearse", "world", "check", "resume", "history", "splits", "docs", "help", "completions"];

#[test]
fn help_is_as_it_was() {
    let book = Runbook::new("");
    let mut help = book.call(["--help"]).done().stdout_has("Usage").stdout.clone();
    for subcommand in SUBCOMMANDS {
        let ended = book.call([subcommand, "--help"]).done().stdout_has("Usage");
        let same = book.call(["help", subcommand]).done().stdout_has("Usage");
        assert_eq!(same.stdout.trim_end().len(), ended.stdout.trim_end().len(), "help {subcommand}");
        help.push_str(&format!("\n# {subcommand}\n\n{}", ended.stdout));
    }
    let folder = book.folder().to_string_lossy();
    let help: Vec<String> = help.replace(&*folder, "~").lines().map(|line| line.trim_end().to_owned()).collect();
    let help = help.join("\n") + "\n";
    let file = "tests/cli/help.txt";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, &help).unwrap();
    }
    let known = fs::read_to_string(file).unwrap_or_default();
    let diff = similar::TextDiff::from_lines(&known, &help).unified_diff().to_string();
    assert!(known == help, "{diff}\n`UPDATE=1 cargo test` takes this over");
}

#[test]
fn every_subcommand_is_in_the_help_test() {
    let ended = Runbook::new("").call(["--help"]).done().stdout_has("Commands:");
    let listed: Vec<&str> = ended
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(listed, SUBCOMMANDS);
}

#[test]
fn the_reference_names_every_function_and_every_fault() {
    let book = Runbook::new("");
    let ended = book.call(["docs", "--functions"]).done().stdout_has("### k8s::apply").stdout_has("### run::param");
    let ended = ended.stdout_has("### http::post").stdout_has("**Options**").stdout_has("cluster.apply(objects)");
    ended.stdout_has("flux::unstick(cluster, kind, name)");
    book.call(["docs", "--faults"]).done().stdout_has("| `not_found` |").stdout_has("| `timeout` |");
    book.call(["docs"]).fails(2).stderr_has("--functions");
}

#[test]
fn help_explains_a_function_a_fault_and_a_subcommand() {
    let book = Runbook::new("");
    book.call(["help", "k8s::apply"]).done().stdout_has("k8s::apply").stdout_has("Example");
    book.call(["help", "apply"]).done().stdout_has("k8s::apply");
    book.call(["help", "confirm_destroy()"]).done().stdout_has("run::confirm_destroy");
    book.call(["help", "not_found"]).done().stdout_has("A kind of fault");
    book.call(["help", "run"]).done().stdout_has("--until");
    book.call(["help"]).done().stdout_has("Exit statuses");
    book.call(["help", "k8s::aply"]).fails(2).stderr_has("did you mean `k8s::apply`?");
}

#[test]
fn there_are_completions_for_every_shell() {
    let book = Runbook::new("");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        book.call(["completions", shell]).done().stdout_has("cozyscript").stdout_has("history");
    }
    book.call(["completions", "tcsh"]).fails(2).stderr_has("possible values");
}

#[test]
fn the_version_is_that_of_the_package() {
    let expected = format!("cozyscript {}\n", env!("CARGO_PKG_VERSION"));
    Runbook::new("").call(["--version"]).done().stdout(&expected);
}
