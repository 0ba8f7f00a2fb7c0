//! A tree: files by their names, and what is made of them.

use std::{collections::BTreeMap, process::Command};

use documents::yaml::{self, Node};
use kustomize::Unread;
use serde_json::Value;

/// In a text a tree begins with `== name`, and each of its files with `-- path`. Built is the folder `overlay`, if there is one.
#[derive(Debug, Default)]
pub struct Tree {
    pub name: String,
    files: BTreeMap<String, String>,
    /// What kubectl prints.
    kubectl: String,
    /// Why we refuse it, if we do.
    refusal: Option<String>,
}

impl Tree {
    pub fn read_all(text: &str) -> Vec<Self> {
        text.split("\n== ").map(|part| Self::read(part.trim_start_matches("== "))).collect()
    }

    fn read(text: &str) -> Self {
        let (name, rest) = text.split_once('\n').expect("a tree has a name");
        let mut tree = Self { name: name.to_owned(), ..Self::default() };
        for part in format!("\n{rest}").split("\n-- ").skip(1) {
            let (path, contents) = part.split_once('\n').expect("a file has a name");
            let contents = format!("{}\n", contents.trim_end_matches('\n'));
            match path {
                "kubectl" => tree.kubectl = contents,
                "refusal" => tree.refusal = Some(contents.trim_end().to_owned()),
                path => {
                    tree.files.insert(path.to_owned(), contents);
                }
            }
        }
        tree
    }

    pub fn write_all(trees: &[Self]) -> String {
        trees.iter().map(Self::write).collect::<Vec<_>>().join("\n")
    }

    fn write(&self) -> String {
        let mut text = format!("== {}\n", self.name);
        for (path, contents) in &self.files {
            text += &format!("-- {path}\n{contents}");
        }
        if let Some(refusal) = &self.refusal {
            text += &format!("-- refusal\n{refusal}\n");
        }
        text + &format!("-- kubectl\n{}", self.kubectl)
    }

    pub fn ask_kubectl(&mut self) {
        let programs = testbed::programs().expect("the real kubectl is needed to ask it");
        let folder = tempfile::tempdir().unwrap();
        for (path, contents) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, contents).unwrap();
        }
        let kubectl = Command::new(programs.assets.join("kubectl"))
            .args(["kustomize", self.folder()])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = if kubectl.status.success() { kubectl.stdout } else { kubectl.stderr };
        let said = String::from_utf8(said).unwrap().replace(&*folder.path().to_string_lossy(), "…");
        self.kubectl = said.lines().map(|line| format!("{line}\n")).collect();
    }

    fn folder(&self) -> &'static str {
        if self.files.keys().any(|path| path.starts_with("overlay/")) { "overlay" } else { "." }
    }

    pub fn check(&self) -> Result<(), String> {
        let read = |path: &str| self.files.get(path).map(|text| text.clone().into_bytes()).ok_or(Unread::Absent);
        let built = kustomize::build(self.folder(), &read);
        match (built, &self.refusal) {
            (Ok(objects), None) => self.compare(&objects),
            (Err(refusal), Some(expected)) if refusal.to_string() == *expected => Ok(()),
            (Err(refusal), expected) => Err(format!("refused: {refusal}\nexpected: {expected:?}")),
            (Ok(_), Some(expected)) => Err(format!("it is built, and was expected to be refused: {expected}")),
        }
    }

    fn compare(&self, objects: &[Value]) -> Result<(), String> {
        if self.kubectl.starts_with("error:") {
            return Err(format!("kubectl refuses it: {}", self.kubectl));
        }
        let expected: Vec<Value> = yaml::read(&self.kubectl).unwrap().iter().map(Node::value).collect();
        match objects == expected {
            true => Ok(()),
            false => Err(format!(
                "is:\n{}\nkubectl:\n{}",
                yaml::write(&objects.iter().cloned().map(sorted).collect::<Vec<_>>()),
                self.kubectl
            )),
        }
    }
}

/// As kubectl writes it.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        value => value,
    }
}
