//! Wrong scripts and what is said of them: `tests/wrong/SORT/NAME.rhai` with its report beside it in `NAME.report`.
//!
//! `UPDATE=1 cargo test` writes the reports anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cozyscript::{
    script::{binding::Binding, object},
    ui::diagnostic::{Look, render},
};

use crate::support::Script;

const FOLDER: &str = "tests/wrong";

/// The sorts whose reports are made so far; the rest waits for the program itself.
const DRIVEN: [&str; 3] = ["lexing", "parse", "run"];

/// What the program has to say before anything runs, or with its bindings.
const WAITING: [&str; 4] = ["check", "kubeconfig", "params", "yaml"];

/// What has no remedy: the script says itself what is wrong and stops.
const WITHOUT_REMEDY: [&str; 2] = ["run/thrown_text", "run/thrown_number"];

const OBJECT: Binding = Binding { name: "object", summary: "", functions: |_| {}, types: object::register };

/// What an operator is shown for a wrong script.
fn report_of(path: &Path) -> String {
    let name = path.to_str().expect("the names of wrong scripts are plain");
    let script = Script::new(&[OBJECT], path.parent().expect("a script lies in a folder"));
    let diagnostics: Vec<_> = script.diagnostic(name, &fs::read_to_string(path).unwrap()).into_iter().collect();
    let look = Look { colour: false, unicode: true, width: 80, links: false };
    render(&diagnostics, &|source| script.text(source), look).replace(&format!("{FOLDER}/"), "")
}

fn scripts() -> Vec<PathBuf> {
    let folders = DRIVEN.iter().map(|sort| Path::new(FOLDER).join(sort));
    let mut scripts: Vec<PathBuf> = folders
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rhai"))
        .collect();
    scripts.sort();
    scripts
}

#[test]
fn no_folder_is_forgotten() {
    let mut folders: Vec<String> =
        fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut known: Vec<&str> = DRIVEN.into_iter().chain(WAITING).collect();
    known.sort_unstable();
    assert_eq!(folders, known);
}

#[test]
fn no_report_is_left_without_its_script() {
    let reports = DRIVEN.iter().flat_map(|sort| fs::read_dir(Path::new(FOLDER).join(sort)).unwrap());
    let reports = reports.map(|entry| entry.unwrap().path()).filter(|path| path.extension() == Some("report".as_ref()));
    let orphans: Vec<PathBuf> = reports.filter(|report| !report.with_extension("rhai").exists()).collect();
    assert_eq!(orphans, Vec::<PathBuf>::new());
}

#[test]
fn every_wrong_script_gets_its_report() {
    let mut wrong = Vec::new();
    for path in scripts() {
        let report = report_of(&path);
        let file = path.with_extension("report");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, &report).unwrap();
        }
        let known = fs::read_to_string(&file).unwrap_or_default();
        if known != report {
            wrong.push(format!(
                "{}:\n{}",
                path.display(),
                similar::TextDiff::from_lines(&known, &report).unified_diff()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}\n`UPDATE=1 cargo test` takes these over", wrong.join("\n"));
}

#[test]
fn every_report_names_its_place_and_a_remedy() {
    let mut wrong = Vec::new();
    for path in scripts() {
        let report = report_of(&path);
        let script = path.strip_prefix(FOLDER).unwrap().with_extension("");
        let script = script.to_str().unwrap();
        if !names_place(&report, &format!("{script}.rhai:")) {
            wrong.push(format!("{script}: no `FILE:LINE:COLUMN`\n{report}"));
        }
        let remedy = report.lines().any(|line| line.starts_with("hint: "));
        if remedy == WITHOUT_REMEDY.contains(&script) {
            wrong.push(format!("{script}: a remedy is there: {remedy}\n{report}"));
        }
        if let Some(line) = report.lines().find(|line| line.chars().count() > 80) {
            wrong.push(format!("{script}: wider than a screen: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the file is named with a line and a column.
fn names_place(report: &str, file: &str) -> bool {
    let is_number = |text: &str| text.parse::<usize>().is_ok_and(|number| number > 0);
    report.match_indices(file).any(|(at, _)| {
        let numbers = &report[at + file.len()..];
        let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(numbers.len());
        numbers[..end].split_once(':').is_some_and(|(line, column)| is_number(line) && is_number(column))
    })
}
