//! Kubeconfigs that are changed: what is written is read again as it was meant, and nothing that was there is lost.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use cozyscript::{
    host::Host,
    kubeconfig::{Changing, Document, List, Source, Wish, read},
    script::values::tree::Tree,
};

use super::{settings, support::Script};

const LISTS: [List; 3] = [List::Clusters, List::Contexts, List::Users];

pub fn text(seed: u64) -> String {
    settings::kubeconfig(seed)
}

/// A host for what kubeconfigs name; there are no files.
fn host() -> &'static Host {
    static SCRIPT: OnceLock<(Arc<Script>, tempfile::TempDir)> = OnceLock::new();
    let (script, _) = SCRIPT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("the system has a place for temporary files");
        (Arc::new(Script::new(&[], folder.path())), folder)
    });
    &script.host
}

/// Every edit gives a text that says what the edit meant.
pub fn edit(text: &str) -> Result<(), String> {
    let source = Source::Text("fuzz".to_owned());
    let Ok(mut document) = Document::read(&source, text.to_owned()) else { return Ok(()) };
    let mut wanted = LISTS.map(|list| document.names(list).map(str::to_owned).collect::<Vec<_>>());
    let content: Tree = [("token".into(), Tree::Text("a: #b\n- c".into()))].into_iter().collect();
    for (list, names) in LISTS.into_iter().zip(&mut wanted) {
        let first = names.first().cloned();
        if let Some(first) = first.filter(|_| !names.contains(&"re: named".to_owned())) {
            document.rename(list, &first, "re: named");
            names[0] = "re: named".to_owned();
            says(&document, &source, list, names)?;
        }
        if !names.contains(&"added".to_owned()) {
            document.add(list, "added", &content);
            names.push("added".to_owned());
            says(&document, &source, list, names)?;
        }
        let first = names.remove(0);
        document.remove(list, &first);
        says(&document, &source, list, names)?;
    }
    document.set_current("# new");
    match Document::read(&source, document.text().to_owned()) {
        Ok(again) if again.current() == Some("# new") => Ok(()),
        Ok(again) => Err(format!("the current context is {:?} in\n{}", again.current(), document.text())),
        Err(fault) => Err(format!("{fault}\n{}", document.text())),
    }
}

fn says(document: &Document, source: &Source, list: List, names: &[String]) -> Result<(), String> {
    let again =
        Document::read(source, document.text().to_owned()).map_err(|fault| format!("{fault}\n{}", document.text()))?;
    match again.names(list).eq(names.iter().map(String::as_str)) {
        true => Ok(()),
        false => Err(format!("{} should be {names:?} in\n{}", list.name(), document.text())),
    }
}

const OWN: &str = r#"# my own
current-context: a
clusters:
- name: a
  cluster: {server: "https://a:6443"}
- name: lab
  cluster: {server: "https://mine:6443"}
contexts:
- name: a
  context: {cluster: a, user: admin}
- name: admin@lab
  context: {cluster: lab, user: admin}
users:
- name: admin
  user: {token: mine}
"#;

/// Whatever is laid into whatever: it means the same there, what was there means what it did, and twice is once.
pub fn merge(text: &str) -> Result<(), String> {
    lay_in(text, OWN)?;
    lay_in(OWN, text)
}

fn lay_in(text: &str, into: &str) -> Result<(), String> {
    let file = |name: &str, text: &str| (Source::File(PathBuf::from(name)), text.to_owned());
    let of = |text: &str| Changing::of(vec![("/own/config".into(), Some(text.to_owned()))]);
    let (Ok(incoming), Ok(mut changing)) = (read(vec![file("/new/config", text)]), of(into)) else { return Ok(()) };
    let whole = |changing: &Changing| changing.whole().map_err(|fault| format!("it can't be read again: {fault}"));
    let before = whole(&changing)?;
    let Ok(contexts) = changing.merge(host(), &incoming, &Wish::default()) else { return Ok(()) };
    let after = whole(&changing)?;
    for (old, new) in incoming.contexts.keys().zip(&contexts) {
        let meant = incoming.target(Some(old)).map_err(|fault| fault.message)?;
        let there = after.target(Some(new)).map_err(|fault| format!("`{new}` is broken there: {fault}"))?;
        if (&meant.server, &meant.namespace) != (&there.server, &there.namespace) {
            return Err(format!("`{old}` is {meant:?} and became {there:?}"));
        }
    }
    for name in before.contexts.keys() {
        // A context whose cluster or user was missing may find it now.
        let Ok(was) = before.target(Some(name)) else { continue };
        let is = after.target(Some(name));
        if is.as_ref() != Ok(&was) {
            return Err(format!("`{name}` was {was:?} and is {is:?}"));
        }
    }
    let written = changing.changed().map(|(_, _, text)| text.to_owned()).next().unwrap_or_else(|| into.to_owned());
    let mut again = of(&written).map_err(|fault| format!("what was written is no kubeconfig: {fault}\n{written}"))?;
    let same = again.merge(host(), &incoming, &Wish::default()).map_err(|fault| format!("the second time: {fault}"))?;
    match same == contexts && again.changed().next().is_none() {
        true => Ok(()),
        false => Err(format!("the second time changes it again: {contexts:?}, {same:?}\n{written}")),
    }
}
