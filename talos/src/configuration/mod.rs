//! The configuration of a machine: documents, each of a kind, with the shapes that Talos gives them. It is read, written and looked
//! into here; what is wrong in it is for [`crate::validate`] to say, and nothing is filled in that isn't written.

mod contract;
mod read;
mod scalars;
pub mod shapes;
mod size;
mod url;
mod write;

use serde_json::{Map, Value};

use self::shapes::{Kind, ORIGINAL};
pub use self::{
    contract::{Contract, Unknown},
    url::Url,
};
pub(crate) use self::{
    read::document as read_document,
    scalars::{base64, duration, is_nothing, network},
    size::parse as size,
};
use crate::yaml;

/// Why a text is no configuration, or can't be made of what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// In the words of Talos, with what stands there.
    message: String,
    /// Without it, for what stands there may be secret.
    discreet: Option<String>,
}

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), discreet: None }
    }

    pub(crate) fn telling(message: String, discreet: String) -> Self {
        Self { message, discreet: Some(discreet) }
    }

    /// What is wrong, without what stands there.
    #[must_use]
    pub fn discreet(&self) -> &str {
        self.discreet.as_deref().unwrap_or(&self.message)
    }

    /// The same, with what it was about before it.
    #[must_use]
    pub(crate) fn about(self, what: &str) -> Self {
        let said = |text: String| format!("{what}: {text}");
        Self { message: said(self.message), discreet: self.discreet.map(said) }
    }
}

impl From<yaml::Malformed> for Invalid {
    fn from(malformed: yaml::Malformed) -> Self {
        Self::new(format!("decode error: yaml: {malformed}"))
    }
}

#[derive(Debug, Clone)]
pub struct Document {
    pub kind: &'static Kind,
    pub fields: Map<String, Value>,
}

/// What tells documents apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub kind: String,
    pub name: String,
}

/// The documents of one machine; the original one, if it is there, comes first.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    documents: Vec<Document>,
}

impl Document {
    /// # Panics
    /// There is no such kind.
    #[must_use]
    pub fn new(kind: &str, fields: Map<String, Value>) -> Self {
        Self { kind: read::kind_of(kind), fields }
    }

    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { kind: self.kind.kind.clone(), name: self.name().to_owned() }
    }

    fn name(&self) -> &str {
        let named = self.kind.is_named().then(|| self.fields.get("name")).flatten();
        named.and_then(Value::as_str).unwrap_or_default()
    }

    #[must_use]
    pub fn is_original(&self) -> bool {
        self.kind.kind == ORIGINAL
    }

    /// As it is written.
    #[must_use]
    pub fn value(&self) -> Value {
        write::document(self)
    }
}

impl Configuration {
    /// Reads what Talos of that version reads.
    ///
    /// # Errors
    /// What is malformed, unknown, or of the wrong kind.
    pub fn read(text: &str, contract: Contract) -> Result<Self, Invalid> {
        let nodes = yaml::read(text)?;
        let mut documents: Vec<Document> = Vec::new();
        for node in &nodes {
            let document = read_document(node, contract)?;
            let Identity { kind, name } = document.identity();
            if documents.iter().any(|known| known.identity() == document.identity()) {
                let version = node.get("apiVersion").and_then(yaml::Node::text).unwrap_or_default();
                return Err(Invalid::new(format!("duplicate document {version}/{kind}/{name} is not allowed")));
            }
            documents.push(document);
        }
        match documents.is_empty() {
            true => Err(Invalid::new("config not found")),
            false => Self::of(documents),
        }
    }

    /// Puts documents together.
    ///
    /// # Errors
    /// Two of them can't be in one configuration.
    pub fn of(mut documents: Vec<Document>) -> Result<Self, Invalid> {
        documents.sort_by_key(|document| !document.is_original());
        for (index, document) in documents.iter().enumerate() {
            let Identity { kind, name } = document.identity();
            let before = &documents[..index];
            if before.iter().any(|known| known.identity() == document.identity()) {
                return Err(Invalid::new(match document.is_original() {
                    true => "duplicate v1alpha1.Config".to_owned(),
                    false => format!("duplicate document: {kind}/{name}"),
                }));
            }
            let rival = match kind.as_str() {
                "ExistingVolumeConfig" => "UserVolumeConfig",
                "UserVolumeConfig" => "ExistingVolumeConfig",
                _ => continue,
            };
            if before.iter().any(|known| known.kind.kind == rival && known.name() == name) {
                return Err(Invalid::new(format!("conflicting documents: {rival}/{name} and {kind}/{name}")));
            }
        }
        Ok(Self { documents })
    }

    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    #[must_use]
    pub fn into_documents(self) -> Vec<Document> {
        self.documents
    }

    /// The document with `machine` and `cluster`.
    #[must_use]
    pub fn original(&self) -> Option<&Document> {
        self.documents.first().filter(|document| document.is_original())
    }

    #[must_use]
    pub fn text(&self) -> String {
        yaml::write(&self.documents.iter().map(Document::value).collect::<Vec<_>>())
    }
}
