//! Kubeconfigs changed beside `kubectl config`: the same files, the same end.

use std::{fs, path::Path, process::Command};

use rhai::Array;

use super::{Bed, shared};
use crate::support::Script;

const LAB: &str = r#"apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: aGVsbG8=}
- name: far
  cluster:
    server: https://far:6443
    tls-server-name: far.example.org
    extensions:
    - {name: x, extension: {kept: [1, two]}}
contexts:
- {name: lab, context: {cluster: lab, user: admin, namespace: tools}}
- {name: far, context: {cluster: far, user: admin}}
- {name: other, context: {cluster: far, user: viewer}}
users:
- {name: admin, user: {token: one}}
- name: viewer
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: login, args: [a], interactiveMode: Never}
"#;

const MORE: &str = r#"apiVersion: v1
kind: Config
clusters:
- {name: new, cluster: {server: "https://new:6443", proxy-url: "http://proxy:3128"}}
contexts:
- {name: new, context: {cluster: new, user: new}}
users:
- {name: new, user: {username: a, password: b}}
"#;

/// The same file twice: for kubectl, and for us.
struct Pair {
    bed: Bed,
    script: Script,
    folder: tempfile::TempDir,
}

impl Pair {
    fn of(files: &[(&str, &str)]) -> Option<Self> {
        let bed = shared()?;
        let folder = tempfile::tempdir().unwrap();
        for side in ["theirs", "ours"] {
            fs::create_dir(folder.path().join(side)).unwrap();
            for (name, text) in files {
                fs::write(folder.path().join(side).join(name), text).unwrap();
            }
        }
        let script = Script::new(&cozyscript::bindings::all(), folder.path());
        let list = Self::list(folder.path(), "ours", files);
        script.recorded.variables.lock().unwrap().insert("KUBECONFIG".into(), list);
        Some(Self { bed, script, folder })
    }

    fn list(folder: &Path, side: &str, files: &[(&str, &str)]) -> String {
        let paths = files.iter().map(|(name, _)| folder.join(side).join(name).display().to_string());
        paths.collect::<Vec<_>>().join(":")
    }

    #[track_caller]
    fn kubectl(&self, list: &str, arguments: &[&str]) -> String {
        let output =
            Command::new(self.bed.programs().join("kubectl")).env("KUBECONFIG", list).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn ours(&self, code: &str) {
        drop(self.script.run(code).unwrap_or_else(|error| panic!("{code}: {error}")));
    }

    /// What kubectl reads from both sides, which must be the same, file by file.
    #[track_caller]
    fn end_the_same(&self, files: &[(&str, &str)]) {
        for (name, _) in files {
            let side = |side: &str| {
                let path = self.folder.path().join(side).join(name);
                let view = self.kubectl(path.to_str().unwrap(), &["config", "view", "--raw", "-o", "json"]);
                let mut view: serde_json::Value = serde_json::from_str(&view).unwrap();
                for list in ["clusters", "contexts", "users"] {
                    if let Some(items) = view[list].as_array_mut() {
                        items.sort_by_key(|item| item["name"].to_string());
                    }
                }
                view
            };
            assert_eq!(side("ours"), side("theirs"), "{name}");
        }
    }
}

#[test]
fn contexts_are_chosen_renamed_and_removed_as_kubectl_does() {
    let files = [("a", "apiVersion: v1\nkind: Config\n"), ("b", LAB), ("c", MORE)];
    let Some(pair) = Pair::of(&files) else { return };
    let theirs = Pair::list(pair.folder.path(), "theirs", &files);
    for (kubectl, ours) in [
        (&["config", "use-context", "other"][..], r#"kubeconfig::use("other")"#),
        (&["config", "rename-context", "other", "another"], r#"kubeconfig::rename("other", "another")"#),
        (&["config", "rename-context", "new", "newer"], r#"kubeconfig::rename("new", "newer")"#),
        (&["config", "use-context", "newer"], r#"kubeconfig::use("newer")"#),
        (&["config", "delete-context", "far"], r#"kubeconfig::remove("far")"#),
    ] {
        pair.kubectl(&theirs, kubectl);
        pair.ours(ours);
        pair.end_the_same(&files);
    }
    // kubectl leaves what only this context meant; we don't.
    pair.kubectl(&theirs, &["config", "delete-context", "another"]);
    pair.kubectl(&theirs, &["config", "delete-cluster", "far"]);
    pair.kubectl(&theirs, &["config", "delete-user", "viewer"]);
    pair.ours(r#"kubeconfig::remove("another")"#);
    pair.end_the_same(&files);
}

#[test]
fn what_is_merged_is_what_kubectl_makes_of_both_files() {
    let files = [("b", LAB)];
    let Some(pair) = Pair::of(&files) else { return };
    let more = pair.folder.path().join("more");
    fs::write(&more, MORE).unwrap();
    let theirs = pair.folder.path().join("theirs/b");
    let both = format!("{}:{}", theirs.display(), more.display());
    let merged = pair.kubectl(&both, &["config", "view", "--raw", "--flatten"]);
    fs::write(&theirs, merged).unwrap();
    let contexts: Array = pair.script.value(r#"kubeconfig::merge("more").contexts"#);
    assert_eq!(contexts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["new"]);
    pair.end_the_same(&files);
}
