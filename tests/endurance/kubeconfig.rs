//! The reader of kubeconfigs must survive whatever it is given, and name the file in what it says.

use std::path::PathBuf;

use cozyscript::{
    bindings::k8s::kubeconfig::merge,
    script::fault::{Fault, Kind},
};
use libtest_mimic::Trial;

use super::fuzz::survives;
use super::mutate::mutated;
use super::trial;

pub fn trials(count: u64) -> Vec<Trial> {
    vec![trial("kubeconfig_reader_survives_mutated_input", count, |seeds| {
        survives(seeds, |seed| mutated(&KUBECONFIGS, &TOKENS, seed), read_and_resolve)
    })]
}

/// Every context becomes a target or a fault that says in which file the mistake is.
fn read_and_resolve(text: &str) -> Result<(), String> {
    let telling = |fault: Fault| {
        let known = matches!(fault.kind, Kind::Parse | Kind::NotFound | Kind::Unsupported);
        match known && fault.message.contains("/lab/config") {
            true => Ok(()),
            false => Err(format!("a fault that does not tell: {fault:?}")),
        }
    };
    let files = vec![("/lab/config".into(), text.to_owned()), (PathBuf::from("/lab/other"), KUBECONFIGS[0].to_owned())];
    let config = match merge(files) {
        Ok(config) => config,
        Err(fault) => return telling(fault),
    };
    let contexts: Vec<Option<&str>> = config.contexts.keys().map(|name| Some(name.as_str())).chain([None]).collect();
    for context in contexts {
        match config.target(context) {
            Ok(target) if target.server.host().is_none_or(str::is_empty) => {
                return Err(format!("a target without a host: {target:?}"));
            }
            Ok(_) => {}
            // What the other file has alone is told of that file.
            Err(fault) if fault.message.contains("/lab/other") => {}
            Err(fault) => telling(fault)?,
        }
    }
    Ok(())
}

const KUBECONFIGS: [&str; 3] = [
    r#"apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: certs/ca.crt}
contexts:
- name: lab
  context: {cluster: lab, user: admin, namespace: tools}
users:
- name: admin
  user: {token: "0123", as: jane, as-groups: [ops], as-user-extra: {scope: [a]}}
"#,
    r#"current-context: admin@cozystack
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTg==
    server: https://[fd00::1]:6443/k8s/clusters/c-1
    tls-server-name: api.example.org
  name: cozystack
contexts:
- context:
    cluster: cozystack
    user: admin
  name: admin@cozystack
users:
- name: admin
  user:
    client-certificate-data: aGVsbG8=
    client-key: keys/admin.key
"#,
    r#"{"kind": "Config", "clusters": [{"name": "a", "cluster": {"server": "10.0.0.1:8080", "insecure-skip-tls-verify": true}}],
"users": [{"name": "a", "user": {"exec": {"command": "aws"}}}, {"name": "b", "user": {"username": "b", "password": "c"}}],
"contexts": [{"name": "a", "context": {"cluster": "a", "user": "b"}}], "current-context": "a"}"#,
];

const TOKENS: [&str; 20] = [
    "clusters:",
    "users: []\n",
    "contexts: {}\n",
    "- name: ",
    "name: lab",
    "server: ",
    "https://",
    "proxy-url: x",
    "exec: {}",
    "tokenFile: /t",
    "-data: ",
    "current-context: ",
    "null",
    "[",
    "}",
    "\"",
    "\n  ",
    ":",
    "\u{0}",
    "é",
];
