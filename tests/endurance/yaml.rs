//! YAML, as manifests and charts have it.

use cozyscript::script::values::yaml;

use super::mutate::mutated;

pub fn text(seed: u64) -> String {
    mutated(&MANIFESTS, &TOKENS, seed)
}

/// What is read must also be written and read back as it was; an error must have its place in the text.
pub fn read_and_write(text: &str) -> Result<(), String> {
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

const TOKENS: [&str; 44] = [
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
