//! YAML in scripts.

use rhai::{Array, Dynamic, NativeCallContext, plugin::*};

use super::text;
use crate::{
    event::What,
    script::{conductor::Outcome, context::Call, values::tree::Tree, values::yaml},
};

#[export_module]
pub mod functions {
    /// Reads a YAML file.
    ///
    /// What reads well and means something else to kubectl, such as a bare `yes`, is warned of.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// Its document, or a list of its documents if it has several.
    ///
    /// # Faults
    /// - `file`: it is missing, not text, or outside of the runbook's folder
    /// - `parse`: it is not YAML; the message has the place
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("app.yaml") {
    ///     let app = yaml("app.yaml");
    ///     print(app.metadata.name);
    /// }
    /// ```
    #[rhai_fn(global, name = "yaml", return_raw)]
    pub fn read(context: NativeCallContext, path: &str) -> Outcome<Dynamic> {
        let source = text::file(&context, path)?;
        documents(&context, &source, path).map(one_or_all)
    }

    /// Reads all documents of a YAML file, however many there are.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// A list of documents.
    ///
    /// # Faults
    /// - `file`: it is missing, not text, or outside of the runbook's folder
    /// - `parse`: it is not YAML; the message has the place
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("app.yaml") {
    ///     for document in yaml::all("app.yaml") {
    ///         print(document.kind);
    ///     }
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn all(context: NativeCallContext, path: &str) -> Outcome<Array> {
        let source = text::file(&context, path)?;
        Ok(documents(&context, &source, path)?.iter().map(Tree::to_dynamic).collect())
    }

    /// Reads a text that is YAML.
    ///
    /// # Parameters
    /// - `text` (text): one or more documents
    ///
    /// # Returns
    /// Its document, or a list of its documents if it has several.
    ///
    /// # Faults
    /// - `parse`: it is not YAML; the message has the place
    ///
    /// # Example
    /// ```rhai
    /// let settings = yaml::parse("replicas: 3\nhosts: [a, b]");
    /// print(settings.hosts[0]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn parse(context: NativeCallContext, text: &str) -> Outcome<Dynamic> {
        documents(&context, text, "text").map(one_or_all)
    }

    /// Reads all documents of a text that is YAML, however many there are.
    ///
    /// # Parameters
    /// - `text` (text): any number of documents
    ///
    /// # Returns
    /// A list of documents.
    ///
    /// # Faults
    /// - `parse`: it is not YAML; the message has the place
    ///
    /// # Example
    /// ```rhai
    /// for document in yaml::parse_all("kind: A\n---\nkind: B\n") {
    ///     print(document.kind);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn parse_all(context: NativeCallContext, text: &str) -> Outcome<Array> {
        Ok(documents(&context, text, "text")?.iter().map(Tree::to_dynamic).collect())
    }

    /// Writes a list of values as YAML, a document each. Secrets in them are written by reference.
    ///
    /// # Parameters
    /// - `values` (list): maps, objects, lists, or plain values
    ///
    /// # Returns
    /// The text.
    ///
    /// # Faults
    /// - `usage`: something in it is neither data nor a secret
    ///
    /// # Example
    /// ```rhai
    /// print(yaml::write_all([#{ kind: "A" }, #{ kind: "B" }]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn write_all(context: NativeCallContext, values: Array) -> Outcome<String> {
        let trees = values.iter().map(|value| text::tree(&context, value)).collect::<Outcome<Vec<Tree>>>()?;
        Ok(yaml::write_all(&trees))
    }

    /// Writes a value as YAML. Secrets in it are written by reference.
    ///
    /// # Parameters
    /// - `value` (anything): a map, an object, a list, or a plain value
    ///
    /// # Returns
    /// The text.
    ///
    /// # Faults
    /// - `usage`: something in it is neither data nor a secret
    ///
    /// # Example
    /// ```rhai
    /// print(yaml::write(#{ replicas: 3, hosts: ["a", "b"] }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn write(context: NativeCallContext, value: Dynamic) -> Outcome<String> {
        Ok(yaml::write(&text::tree(&context, &value)?))
    }
}

fn documents(context: &NativeCallContext, source: &str, name: &str) -> Outcome<Vec<Tree>> {
    let (documents, lints) = yaml::read_all_linted(source, name).map_err(|misread| text::misread(context, misread))?;
    for lint in lints {
        let text = format!("{name}:{}:{}: {}; {}", lint.line, lint.column, lint.message, lint.hint);
        context.host().events.emit(What::Warned { text });
    }
    Ok(documents)
}

fn one_or_all(documents: Vec<Tree>) -> Dynamic {
    match documents.as_slice() {
        [] => Dynamic::UNIT,
        [document] => document.to_dynamic(),
        several => several.iter().map(Tree::to_dynamic).collect::<Array>().into(),
    }
}
