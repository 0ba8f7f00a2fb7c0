//! Getting, and what a list or a watch selects.

use serde_json::Value;

use super::{
    answer::Refusal,
    cluster::Cluster,
    kinds::Kind,
    list::{
        PATIENCE,
        options::{Options, read_revision},
    },
    request::Request,
    rules::Rules,
    selector::{Fields, Labels},
    store::Key,
};

/// What a list or a watch is about.
pub struct Selection {
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub labels: Labels,
    pub fields: Fields,
}

impl Selection {
    /// Reads what is selected, and with it the options, of a list or a watch: what is wrong is told in the order of both.
    ///
    /// # Errors
    /// If a selector is malformed, or asks for a field that this kind can't be selected by, or the options make no sense.
    pub fn read(
        request: &Request,
        kind: &Kind,
        namespace: Option<String>,
        sensible: fn(Options, &Request) -> Result<Options, Refusal>,
    ) -> Result<(Self, Options), Refusal> {
        let options = Options::read(request)?;
        let labels = Labels::read(request.parameter("labelSelector").unwrap_or_default());
        let fields = Fields::read(request.parameter("fieldSelector").unwrap_or_default());
        let labels = labels.map_err(Refusal::bad_request)?;
        let fields = fields.map_err(Refusal::bad_request)?;
        let options = sensible(options, request)?;
        let words = kind.rules().and_then(|rules| rules.words_of(&kind.group));
        let known = match words {
            Some(words) => words.iter().map(|(word, _)| *word).collect(),
            None => selectable(kind),
        };
        if let Some(path) = fields.paths().find(|path| !known.contains(path)) {
            return Err(Refusal::bad_request(unknown_field(kind, path, &known)));
        }
        let fields = fields.in_other_words(words.unwrap_or_default());
        Ok((Self { namespace, name: None, labels, fields }, options))
    }

    /// True if it leaves nothing out.
    pub fn is_all(&self) -> bool {
        self.labels == Labels::default() && self.fields == Fields::default()
    }

    pub fn selects(&self, key: &Key, object: &Value) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| key.namespace == *namespace)
            && self.name.as_ref().is_none_or(|name| key.name == *name)
            && self.labels.select(object)
            && self.fields.select(object)
    }
}

/// The fields that objects of a kind can be selected by.
fn selectable(kind: &Kind) -> Vec<&str> {
    let mut known = vec!["metadata.name"];
    if kind.namespaced {
        known.push("metadata.namespace");
    }
    known.extend(kind.rules().map(Rules::selectable).unwrap_or_default());
    known
}

/// Kinds that know more fields than every kind say it in words of their own.
fn unknown_field(kind: &Kind, path: &str, known: &[&str]) -> String {
    let own = kind.rules().is_some_and(|rules| !rules.selectable().is_empty());
    match kind.group.as_str() {
        _ if kind.defined.is_some() => format!("field label not supported: {path}"),
        "" | "certificates.k8s.io" | "events.k8s.io" if own => format!("field label not supported: {path}"),
        "batch" if own => format!("field label \"{path}\" not supported for {}", kind.kind),
        _ => {
            let known: Vec<String> = known.iter().map(|path| format!("\"{path}\"")).collect();
            format!("\"{path}\" is not a known field selector: only {}", known.join(", "))
        }
    }
}

pub fn key(kind: &Kind, namespace: Option<&str>, name: &str) -> Key {
    Key {
        resource: kind.stored.clone(),
        namespace: namespace.filter(|_| kind.namespaced).unwrap_or_default().to_owned(),
        name: name.to_owned(),
    }
}

/// # Errors
/// If it is not there, or what is there is older than what was asked for.
pub async fn get(
    cluster: &Cluster,
    kind: &Kind,
    namespace: Option<&str>,
    name: &str,
    request: &Request,
) -> Result<Value, Refusal> {
    if let Some(wanted) = request.parameter("resourceVersion") {
        let wanted = read_revision(wanted).map_err(Refusal::failed)?;
        let latest = cluster.store.reach(wanted, PATIENCE).await;
        if latest < wanted {
            return Err(Refusal::ahead(wanted, latest));
        }
    }
    match cluster.store.get(&key(kind, namespace, name)) {
        Some(object) => Ok(kind.seen(&object).into_owned()),
        None => Err(Refusal::not_found(&kind.resource, &kind.group, name)),
    }
}
