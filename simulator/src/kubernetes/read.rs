//! Getting and listing.

use serde_json::{Value, json};

use super::{
    answer::Refusal,
    cluster::Cluster,
    kinds::Kind,
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
    /// # Errors
    /// If a selector is malformed, or asks for a field that this kind can't be selected by.
    pub fn read(request: &Request, kind: &Kind, namespace: Option<String>) -> Result<Self, Refusal> {
        let labels = Labels::read(request.parameter("labelSelector").unwrap_or_default());
        let fields = Fields::read(request.parameter("fieldSelector").unwrap_or_default());
        let labels = labels.map_err(Refusal::bad_request)?;
        let fields = fields.map_err(Refusal::bad_request)?;
        let words = kind.rules().and_then(|rules| rules.words_of(&kind.group));
        let known = match words {
            Some(words) => words.iter().map(|(word, _)| *word).collect(),
            None => selectable(kind),
        };
        if let Some(path) = fields.paths().find(|path| !known.contains(path)) {
            return Err(Refusal::bad_request(unknown_field(kind, path, &known)));
        }
        let fields = fields.in_other_words(words.unwrap_or_default());
        Ok(Self { namespace, name: None, labels, fields })
    }

    /// True if it leaves nothing out.
    fn is_all(&self) -> bool {
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
/// If it is not there.
pub fn get(cluster: &Cluster, kind: &Kind, namespace: Option<&str>, name: &str) -> Result<Value, Refusal> {
    match cluster.store.get(&key(kind, namespace, name)) {
        Some(object) => Ok(kind.seen(&object).into_owned()),
        None => Err(Refusal::not_found(&kind.resource, &kind.group, name)),
    }
}

/// The objects selected, page by page if there is a `limit`.
///
/// # Errors
/// If the page asked for can't be had.
pub fn list(cluster: &Cluster, kind: &Kind, selection: &Selection, request: &Request) -> Result<Value, Refusal> {
    let (revision, all) = cluster.store.list(&kind.stored, selection.namespace.as_deref());
    let after =
        match request.parameter("continue") {
            None => None,
            Some(token) => Some(token.split_once('/').ok_or_else(|| {
                Refusal::bad_request("continue key is not valid: encoded continue token is malformed")
            })?),
        };
    let limit = request.parameter("limit").and_then(|limit| limit.parse::<usize>().ok()).filter(|limit| *limit > 0);
    let mut selected = all.into_iter().filter(|(key, object)| {
        let behind =
            after.is_none_or(|(namespace, name)| (key.namespace.as_str(), key.name.as_str()) > (namespace, name));
        behind && selection.selects(key, object)
    });
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    let mut items = Vec::new();
    for (key, object) in selected.by_ref().take(limit.unwrap_or(usize::MAX)) {
        items.push(kind.listed(&object));
        if Some(items.len()) == limit {
            metadata["continue"] = json!(format!("{}/{}", key.namespace, key.name));
        }
    }
    let left = selected.count();
    match (left, metadata.as_object_mut()) {
        // Lists of defined kinds have no type that would leave it out.
        (0, Some(metadata)) if kind.defined.is_some() => drop(metadata.insert("continue".to_owned(), json!(""))),
        (0, Some(metadata)) => drop(metadata.remove("continue")),
        // Of what is selected, the real server doesn't know how much there is.
        (left, Some(metadata)) if selection.is_all() => {
            metadata.insert("remainingItemCount".to_owned(), json!(left));
        }
        _ => {}
    }
    Ok(json!({
        "kind": kind.list_kind(),
        "apiVersion": kind.api_version(),
        "metadata": metadata,
        "items": items,
    }))
}
