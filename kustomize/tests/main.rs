//! Trees of kustomizations, each held against what the real `kubectl kustomize` makes of it, and what Flux does besides.
//!
//! What kubectl said is kept in the trees' files; `UPDATE=1` asks it again.
#![allow(clippy::disallowed_methods, reason = "tests read their settings from the environment")]

mod envsubst;
mod tree;

use std::{env, path::Path, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

use self::tree::Tree;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trees");
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let topic = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut trees = Tree::read_all(&std::fs::read_to_string(&path).unwrap());
        if env::var_os("UPDATE").is_some() {
            trees.iter_mut().for_each(Tree::ask_kubectl);
            std::fs::write(&path, Tree::write_all(&trees)).unwrap();
        }
        trials.extend(trees.into_iter().map(|tree| {
            let name = format!("{topic}::{}", tree.name.replace(' ', "_"));
            Trial::test(name, move || tree.check().map_err(Into::into))
        }));
    }
    trials.push(Trial::test("envsubst", || envsubst::check().map_err(Into::into)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
