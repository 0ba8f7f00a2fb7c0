//! Readers must survive whatever they are given: an answer or an error, in time.

use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use cozyscript::script::yaml;
use libtest_mimic::{Failed, Trial};

use super::mutate::mutated;
use super::trial;

pub fn trials(count: u64) -> Vec<Trial> {
    vec![trial("yaml_reader_survives_mutated_input", count, |seeds| {
        survives(seeds, |seed| mutated(&MANIFESTS, &YAML_TOKENS, seed), read_and_write_yaml)
    })]
}

/// Inputs between two signs of life, and how long that may take on a machine that has much else to do.
const BATCH: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives the reader one text a seed. A panic is told by its seed and text, a hang by the seeds of its batch.
pub fn survives(
    seeds: Range<u64>,
    text: fn(u64) -> String,
    read: fn(&str) -> Result<(), String>,
) -> Result<(), Failed> {
    let (alive, watch) = channel();
    let worker = {
        let seeds = seeds.clone();
        std::thread::spawn(move || {
            for seed in seeds {
                if seed % BATCH == 0 {
                    alive.send(seed).map_err(|_| "nobody watches any more".to_owned())?;
                }
                let text = text(seed);
                let outcome = catch_unwind(|| read(&text)).unwrap_or_else(|_| Err("the reader panicked".to_owned()));
                outcome.map_err(|message| format!("seed {seed}: {message}\n{text:?}"))?;
            }
            Ok::<(), String>(())
        })
    };
    let mut batch = seeds.start;
    loop {
        match watch.recv_timeout(PATIENCE) {
            Ok(seed) => batch = seed,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let last = (batch + BATCH).min(seeds.end);
                return Err(format!("a text of the seeds {batch}..{last} takes longer than {PATIENCE:?}").into());
            }
        }
    }
    worker.join().map_err(|_| "the trial itself panicked")?.map_err(Failed::from)
}

/// What is read must also be written and read back as it was; an error must have its place in the text.
fn read_and_write_yaml(text: &str) -> Result<(), String> {
    match yaml::read_all_linted(text, "fuzz.yaml") {
        Err(error) if error.line == 0 || error.column == 0 => Err(format!("an error without a place: {error}")),
        Err(error) if error.line > text.split(['\n', '\r']).count() => {
            Err(format!("an error behind the text: {error}"))
        }
        Err(_) => Ok(()),
        Ok((documents, _)) => {
            let written = yaml::write_all(&documents);
            match yaml::read_all(&written, "written.yaml") {
                Ok(again) if again == documents => Ok(()),
                Ok(again) => Err(format!("written:\n{written}\nread as {again:?} instead of {documents:?}")),
                Err(error) => Err(format!("written:\n{written}\nnot readable: {error}")),
            }
        }
    }
}

const YAML_TOKENS: [&str; 44] = [
    "---\n",
    "...\n",
    "- ",
    "? ",
    ": ",
    ":",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "!!binary ",
    "!x ",
    "|\n",
    "|+2\n",
    ">-\n",
    "\"",
    "'",
    "\\",
    "\\u263a",
    "#",
    " #",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "\t",
    "\r\n",
    "\n",
    "\n  ",
    "  ",
    "~",
    "null",
    "yes",
    "0x1F",
    "0644",
    "1e3",
    ".inf",
    "\u{feff}",
    "\u{2028}",
    "é",
    "🚀",
];

const MANIFESTS: [&str; 6] = [
    r#"# A service as it comes from a chart
apiVersion: v1
kind: Service
metadata:
  name: redis-test-external-lb
  namespace: tenant-root
  labels: {app.kubernetes.io/name: redis, tier: "back"}
  annotations:
    metallb.universe.tf/address-pool: 'cozystack'
spec:
  type: LoadBalancer
  ports:
  - {name: redis, port: 6379, targetPort: redis, protocol: TCP}
  externalTrafficPolicy: Local
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: scripts
data:
  start.sh: |
    #!/bin/sh
    set -e
      exec redis-server --port "$PORT"   # trailing

  folded: >-
    one line
    folded

    and another
  mode: "0644"
"#,
    r#"x-defaults: &defaults
  replicas: 2
  resources: &small {limits: {cpu: 500m, memory: 1Gi}, requests: {cpu: 0.5, memory: 1e3}}
web:
  <<: *defaults
  replicas: 3
jobs:
- <<: [*defaults, {schedule: "*/5 * * * *"}]
  enabled: yes
  resources: *small
"#,
    "{\"kind\": \"List\", \"items\": [{\"a\": 1, \"b\": [true, null, -1.5e3]}, {\"c\": \"\\u00e9\\n\"}]}",
    "%YAML 1.2\n%TAG !e! tag:example.com,2024:\n---\n!e!thing\n? complex\n: - - nested\n    - !!int \"5\"\n  - ~\n...\n# end\n",
    "machine:\n  type: controlplane\n  network:\n    interfaces:\n    - interface: eth0\n      addresses: [10.17.13.86/24]\n      vip: {ip: 10.17.13.253}\n  files:\n  - content: |+\n      [plugins]\n\n    permissions: 0o644\n    path: /etc/cri/conf.d/20.part\n    op: create\n",
    "a: 'it''s'\r\nb: \"two \\\r\n  lines\"\r\nc: plain over\r\n  two lines\r\n",
];
