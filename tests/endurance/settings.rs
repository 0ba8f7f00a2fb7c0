//! What an operator hands over beside the runbook: kubeconfigs, values for parameters, durations.

use std::time::Duration;

use cozyscript::{
    duration,
    kubeconfig::{Source, read},
    run::params,
};

use super::mutate::mutated;

pub fn kubeconfig(seed: u64) -> String {
    mutated(&KUBECONFIGS, &KUBECONFIG_TOKENS, seed)
}

/// Each context can be connected to, or says why not; two equal files are one.
pub fn read_kubeconfig(text: &str) -> Result<(), String> {
    let file = || (Source::File("/srv/lab/.kube/config".into()), text.to_owned());
    let Ok(config) = read(vec![file()]) else { return Ok(()) };
    let twice = read(vec![file(), file()]).map_err(|fault| format!("twice it is wrong: {}", fault.message))?;
    for context in [None].into_iter().chain(config.contexts.keys().map(|name| Some(name.as_str()))) {
        let (once, twice) = (config.target(context), twice.target(context));
        if once.as_ref().ok() != twice.as_ref().ok() {
            return Err(format!("{context:?} is {once:?} once and {twice:?} twice"));
        }
    }
    Ok(())
}

pub fn values(seed: u64) -> String {
    mutated(&VALUES, &VALUES_TOKENS, seed)
}

pub fn read_values(text: &str) -> Result<(), String> {
    match params::read_values("values.yaml", text) {
        Ok(_) => Ok(()),
        Err(message) if message.starts_with("values.yaml:") => Ok(()),
        Err(message) => Err(format!("an error without a place: {message}")),
    }
}

pub fn duration(seed: u64) -> String {
    mutated(&DURATIONS, &DURATION_TOKENS, seed)
}

/// What is read is within reason, and what is shown of it is no longer than a line.
pub fn read_duration(text: &str) -> Result<(), String> {
    const LONGEST: Duration = Duration::from_millis(100_000_000_000_000);
    match duration::parse(text) {
        Ok(read) if read > LONGEST => Err(format!("it is {read:?}")),
        Ok(read) if duration::show(read).len() > 24 => Err(format!("it is shown as `{}`", duration::show(read))),
        Ok(_) => Ok(()),
        Err(message) if message.is_empty() => Err("an error without a reason".to_owned()),
        Err(_) => Ok(()),
    }
}

const KUBECONFIG_TOKENS: [&str; 24] = [
    "- name: lab\n",
    "  cluster: {server: 'https://10.0.0.1:6443'}\n",
    "  user: {token: t}\n",
    "  context: {cluster: lab, user: lab}\n",
    "current-context: lab\n",
    "certificate-authority-data: ",
    "certificate-authority: ../ca.crt\n",
    "insecure-skip-tls-verify: true\n",
    "tls-server-name: x\n",
    "proxy-url: socks5://x\n",
    "exec: {command: aws, args: [x]}\n",
    "auth-provider: {name: oidc}\n",
    "tokenFile: t\n",
    "username: u\n",
    "password: p\n",
    "https://[::1]:6443/k8s?x#y",
    "http://",
    "unix:///x",
    "=",
    "~",
    "[]",
    "{}",
    ":",
    "\n",
];

const KUBECONFIGS: [&str; 2] = [
    r#"apiVersion: v1
kind: Config
current-context: admin@lab
clusters:
- name: lab
  cluster:
    certificate-authority-data: LS0tLS1CRUdJTg==
    server: https://10.17.13.253:6443
- name: other
  cluster: {server: "https://other.example.org/path", certificate-authority: ca.crt, tls-server-name: other}
contexts:
- name: admin@lab
  context: {cluster: lab, namespace: tenant-root, user: admin}
- name: other
  context: {cluster: other, user: exec}
users:
- name: admin
  user:
    client-certificate-data: LS0tLS1CRUdJTg==
    client-key-data: LS0tLS1CRUdJTg==
- name: exec
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: kubelogin, args: [get-token], interactiveMode: IfAvailable}}
"#,
    "{\"clusters\": [{\"name\": \"a\", \"cluster\": {\"server\": \"http://127.0.0.1:8080\"}}], \"users\": [{\"name\": \"a\", \"user\": {\"token\": \"t\"}}], \"contexts\": [{\"name\": \"a\", \"context\": {\"cluster\": \"a\", \"user\": \"a\"}}], \"current-context\": \"a\"}",
];

const VALUES_TOKENS: [&str; 12] =
    ["nodes: ", "- ", "[", "]", "{", "}", "~", "0x1F", "\"", "---\n", "\n  ", "!!binary "];

const VALUES: [&str; 2] = [
    "# the lab\nnodes: [10.17.13.86, 10.17.13.101]\nversion: v0.38.3\nreplicas: 3\nratio: 0.5\ndry: yes\nlabels:\n  tier: back\n",
    "text: |\n  one\n  two\ntimeout: 1h30m\n",
];

const DURATION_TOKENS: [&str; 16] =
    ["1", "9999999999999999999999", ".", "-", "+", "e", "ms", "s", "m", "h", "d", " ", "inf", "NaN", "é", "\u{661}"];

const DURATIONS: [&str; 6] = ["1h30m", "500ms", "1.5s", "90d", "10m", "3600"];
