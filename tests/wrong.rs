//! Wrong scripts and what is said of them: `tests/wrong/SORT/NAME.rhai` with its report beside it in `NAME.report`.
//!
//! `UPDATE=1 cargo test` writes the reports anew.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use cozyscript::{
    script::{binding::Binding, values::object},
    ui::diagnostic::{Look, render},
};

use unicode_width::UnicodeWidthStr;

use crate::support::Script;

const FOLDER: &str = "tests/wrong";

const SORTS: [&str; 7] = ["check", "kubeconfig", "lexing", "params", "parse", "run", "yaml"];

/// What has no remedy: the script says itself what is wrong and stops.
const WITHOUT_REMEDY: [&str; 2] = ["run/thrown_text", "run/thrown_number"];

const OBJECT: Binding = Binding { name: "object", summary: "", functions: |_| {}, types: object::register };

/// What an operator is shown for a wrong script.
fn report_of(path: &Path) -> String {
    match path.parent().and_then(Path::file_name).and_then(|sort| sort.to_str()) {
        Some("run") => evaluated(path),
        Some("params" | "yaml" | "kubeconfig") => said_by_program("run", path),
        _ => said_by_program("check", path),
    }
}

/// What the evaluation alone says: the program would refuse many of these scripts before it ran them.
fn evaluated(path: &Path) -> String {
    let name = path.to_str().expect("the names of wrong scripts are plain");
    let script = Script::new(&[OBJECT], path.parent().expect("a script lies in a folder"));
    let diagnostics: Vec<_> = script.diagnostic(name, &fs::read_to_string(path).unwrap()).into_iter().collect();
    let look = Look { colour: false, unicode: true, width: 80, links: false };
    render(&diagnostics, &|source| script.text(source), look).replace(&format!("{FOLDER}/"), "")
}

/// The report of the real program, without the log of the run.
fn said_by_program(command: &str, path: &Path) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cozyscript"))
        .arg(command)
        .arg(path.strip_prefix(FOLDER).unwrap())
        .current_dir(FOLDER)
        .env_clear()
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let report = said.lines().filter(|line| !line.starts_with('['));
    report.map(|line| line.to_owned() + "\n").collect()
}

/// Every wrong script by its name (`yaml/key_twice`) with what is said of it: made once for all tests.
fn reports() -> &'static BTreeMap<String, String> {
    static REPORTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    REPORTS.get_or_init(|| {
        let named = |path: &PathBuf| path.strip_prefix(FOLDER).unwrap().with_extension("").display().to_string();
        let scripts = scripts();
        let (first, second) = scripts.split_at(scripts.len() / 2);
        let made = |paths: &[PathBuf]| paths.iter().map(|path| (named(path), report_of(path))).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| made(first));
            made(second).into_iter().chain(first.join().unwrap()).collect()
        })
    })
}

fn scripts() -> Vec<PathBuf> {
    let folders = SORTS.iter().map(|sort| Path::new(FOLDER).join(sort));
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rhai")).collect()
}

#[test]
fn no_folder_is_forgotten() {
    let folders = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut folders: Vec<String> = folders.collect();
    folders.sort();
    assert_eq!(folders, SORTS);
}

#[test]
fn no_report_is_left_without_its_script() {
    let reports = SORTS.iter().flat_map(|sort| fs::read_dir(Path::new(FOLDER).join(sort)).unwrap());
    let reports = reports.map(|entry| entry.unwrap().path()).filter(|path| path.extension() == Some("report".as_ref()));
    let orphans: Vec<PathBuf> = reports.filter(|report| !report.with_extension("rhai").exists()).collect();
    assert_eq!(orphans, Vec::<PathBuf>::new());
}

#[test]
fn every_wrong_script_gets_its_report() {
    let mut wrong = Vec::new();
    for (script, report) in reports() {
        let file = Path::new(FOLDER).join(format!("{script}.report"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, report).unwrap();
        }
        let known = fs::read_to_string(&file).unwrap_or_default();
        if known != *report {
            wrong.push(format!("{script}:\n{}", similar::TextDiff::from_lines(&known, report).unified_diff()));
        }
    }
    assert!(wrong.is_empty(), "{}\n`UPDATE=1 cargo test` takes these over", wrong.join("\n"));
}

#[test]
fn every_report_names_its_place_and_a_remedy() {
    let mut wrong = Vec::new();
    for (script, report) in reports() {
        if !names_place(report, &format!("{script}.rhai:")) {
            wrong.push(format!("{script}: no `FILE:LINE:COLUMN`\n{report}"));
        }
        let remedy = report.lines().any(|line| line.starts_with("hint: "));
        if remedy == WITHOUT_REMEDY.contains(&script.as_str()) {
            wrong.push(format!("{script}: a remedy is there: {remedy}\n{report}"));
        }
        if let Some(line) = report.lines().find(|line| line.width() > 80) {
            wrong.push(format!("{script}: wider than a screen: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_goes_unnoticed() {
    let is_noticed =
        |report: &str| report.lines().any(|line| line.starts_with("error[") || line.starts_with("warning["));
    let silent = reports().iter().filter(|(_, report)| !is_noticed(report)).map(|(script, _)| script.as_str());
    let silent: Vec<&str> = silent.collect();
    assert_eq!(silent, Vec::<&str>::new());
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
