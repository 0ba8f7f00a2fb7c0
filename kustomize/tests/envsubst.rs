//! Texts with variables, each held against what the real `flux envsubst` makes of it.
//!
//! In `envsubst.txt` each text has two lines below it: what flux said, behind `= ` or, if it refused it, behind `! `; and the same where
//! all variables have to be known. `UPDATE=1` asks it again.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kustomize::flux::envsubst::{self, Unknown};

/// A text, what flux said, and what it said if all variables have to be known.
type Case = [String; 3];

const VARIABLES: [(&str, &str); 6] = [
    ("city", "Łódź"),
    ("empty", ""),
    ("file", "path/to/bash.string.txt"),
    ("letters", "abcdEFGH28ij"),
    ("name", "ada lovelace"),
    ("twice", "abcABC123ABCabc"),
];

pub fn check() -> Result<(), String> {
    let path = table();
    let mut cases = read(&path);
    if env::var_os("UPDATE").is_some() {
        let Some(tools) = testbed::programs() else { return Err("there is no testbed to ask".to_owned()) };
        let flux = tools.assets.join("flux");
        cases.iter_mut().for_each(|[text, told, strictly]| {
            *told = ask(&flux, text, &[]);
            *strictly = ask(&flux, text, &["--strict"]);
        });
        let lines: Vec<String> = cases.iter().map(|case| case.join("\n") + "\n").collect();
        fs::write(&path, lines.concat()).unwrap();
    }
    let variables = VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let wrong: Vec<String> = cases.iter().flat_map(|case| differences(case, &variables)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn differences([text, told, strictly]: &Case, variables: &BTreeMap<String, String>) -> Vec<String> {
    let ways = [(told, Unknown::Empty), (strictly, Unknown::Refused)];
    let wrong = ways.into_iter().filter_map(|(told, unknown)| {
        let ours = match envsubst::fill(text, variables, unknown) {
            Ok(filled) => format!("= {filled}"),
            Err(why) => format!("! {why}"),
        };
        (ours != *told).then(|| format!("{text}\n  flux: {told}\n  ours: {ours}"))
    });
    wrong.collect()
}

fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envsubst.txt")
}

fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.chunks(3).map(|lines| lines.to_vec().try_into().expect("each text has two lines below it")).collect()
}

fn ask(flux: &Path, text: &str, more: &[&str]) -> String {
    let mut asked = Command::new(flux)
        .arg("envsubst")
        .args(more)
        .env_clear()
        .envs(VARIABLES)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(asked.stdin.take().unwrap(), "{text}").unwrap();
    let told = asked.wait_with_output().unwrap();
    match told.status.success() {
        true => format!("= {}", String::from_utf8(told.stdout).unwrap().trim_end_matches('\n')),
        false => {
            let told = String::from_utf8(told.stderr).unwrap();
            format!("! {}", told.trim().trim_start_matches("✗ "))
        }
    }
}
