//! Kubernetes' own conformance tests.
//!
//! `passing.txt` names those that the simulator passes, of those that pass on a real control plane. Without more said, one of each
//! group runs. `SUITE=REGEX` runs those that it matches, whether they are known to pass or not; all of them with
//!
//!     SUITE=. SUITE_LOG=/tmp/suite.log cargo test -p simulator --test e2e -- conformance_tests --nocapture
//!
//! which takes about half an hour.

use std::{collections::BTreeSet, path::Path, process::Command};

use simulator::kubernetes::control_plane;

use super::arms::loopback;

/// The names of those that pass, one a line.
const PASSING: &str = include_str!("passing.txt");

#[test]
fn conformance_tests_of_kubernetes_pass() {
    let Some(tools) = testbed::programs() else { return };
    let selection = selection();
    let given = std::env::var("SUITE").ok();
    let wanted = given.clone().unwrap_or_else(|| {
        let names: Vec<String> = selection.iter().map(|name| quoted(name)).collect();
        names.join("|")
    });
    let served = loopback::serve(control_plane::begin);
    let mut run = Command::new(&tools.conformance);
    run.arg("run").arg(served.kubeconfig()).arg(&wanted).env("KUBEBUILDER_ASSETS", &tools.assets);
    let output = run.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    testbed::say(&format!("conformance tests: {}", told.trim()));
    if !output.status.success() {
        keep(&served.folder().join("conformance/log"));
        panic!("{told}\nnot modelled: {:#?}", served.unmodelled.lock().unwrap());
    }
    let passed = told.lines().find_map(|line| line.split_once(" passed, 0 failed"));
    let passed: usize = passed.expect("the tests told how many passed").0.parse().unwrap();
    if given.is_none() {
        assert_eq!(passed, selection.len(), "not all of them ran");
    }
}

/// The first of each group: `[sig-apps] Deployment`, `[sig-node] Lease` …
fn selection() -> Vec<&'static str> {
    let mut groups = BTreeSet::new();
    let group = |name: &'static str| name.splitn(3, ' ').take(2).collect::<Vec<_>>();
    PASSING.lines().filter(|name| !name.is_empty() && groups.insert(group(name))).collect()
}

/// The log outlasts the folder of the server if `SUITE_LOG` says where.
fn keep(log: &Path) {
    if let Some(place) = std::env::var_os("SUITE_LOG") {
        std::fs::copy(log, place).unwrap();
    }
}

/// The name as an extended regular expression.
fn quoted(name: &str) -> String {
    let mut quoted = String::new();
    for letter in name.chars() {
        if "[](){}.*+?^$|\\".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

/// Serves a cluster for trying things by hand, until the file is gone that `KUBECONFIG_AT` names.
#[test]
fn a_cluster_is_served_for_as_long_as_its_kubeconfig_is_there() {
    let Some(file) = std::env::var_os("KUBECONFIG_AT") else { return };
    let served = loopback::serve(control_plane::begin);
    std::fs::copy(served.kubeconfig(), &file).unwrap();
    while Path::new(&file).exists() {
        std::thread::sleep(std::time::Duration::from_millis(500));
        for what in served.unmodelled.lock().unwrap().drain(..) {
            testbed::say(&format!("501 {what}"));
        }
    }
}
