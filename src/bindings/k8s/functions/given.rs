//! What a script gives to the functions of this binding, read once and the same way.

use rhai::Dynamic;

use crate::{
    bindings::k8s::{
        client::{Cluster, Selection},
        manifest, object, secrets,
    },
    script::{
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
};

/// The namespace that an option names, or the context's own.
pub fn namespace(options: &Options, cluster: &Cluster) -> String {
    options.text("namespace").unwrap_or_else(|| cluster.namespace().to_owned())
}

/// What to list.
///
/// # Errors
/// `usage`, if a selector can't be read.
pub fn selection(options: &Options, cluster: &Cluster) -> Result<Selection, Fault> {
    let everywhere = options.flag("all_namespaces");
    only_one_scope(options)?;
    Ok(Selection {
        namespace: (!everywhere).then(|| namespace(options, cluster)),
        labels: selector(options, "labels")?,
        fields: selector(options, "fields")?,
        keep_managed_fields: options.flag("keep_managed_fields"),
    })
}

/// Refuses a namespace beside all of them.
///
/// # Errors
/// `usage`.
pub fn only_one_scope(options: &Options) -> Result<(), Fault> {
    match options.flag("all_namespaces") && options.value("namespace").is_some() {
        true => {
            Err(Fault::new(Kind::Usage, "both `namespace` and `all_namespaces` are given").hint("keep one of them"))
        }
        false => Ok(()),
    }
}

/// A selector as a text (`app=web,tier!=db`) or as a map of what must be equal.
///
/// # Errors
/// `usage`, if the map holds anything but texts, numbers and booleans.
pub fn selector(options: &Options, name: &str) -> Result<Option<String>, Fault> {
    let Some(value) = options.value(name) else { return Ok(None) };
    let Tree::Map(fields) = Tree::from_dynamic(&value)? else { return Ok(Some(value.to_string())) };
    let pairs = fields.iter().map(|(key, value)| match value {
        Tree::Text(text) => Ok(format!("{key}={text}")),
        Tree::Int(_) | Tree::Bool(_) => Ok(format!("{key}={value}")),
        other => Err(Fault::new(Kind::Usage, format!("`{key}` in the selector is {}, not a text", other.kind()))),
    });
    Ok(Some(pairs.collect::<Result<Vec<_>, _>>()?.join(",")))
}

/// A list of names.
///
/// # Errors
/// `usage`, if something in it is no text.
pub fn names(options: &Options, name: &str) -> Result<Vec<String>, Fault> {
    let Some(value) = options.value(name) else { return Ok(Vec::new()) };
    let items = value.into_array().unwrap_or_default();
    let text = |item: Dynamic| {
        item.into_immutable_string().map(|text| text.to_string()).map_err(|kind| {
            Fault::new(Kind::Usage, format!("`{name}` is a list of texts, and there is a {kind} in it"))
        })
    };
    items.into_iter().map(text).collect()
}

/// What is sent in Secrets is as secret as what is read from them.
pub fn remember(cluster: &Cluster, documents: &[Tree]) {
    let is_secret = |document: &&Tree| object::kind(document) == "Secret" && object::api_version(document) == "v1";
    for document in documents.iter().filter(is_secret) {
        secrets::remember(&cluster.host().secrets, std::slice::from_ref(document));
    }
}

/// One object, for functions that take no more.
///
/// # Errors
/// `usage`, if it is none, or several.
pub fn one(value: &Dynamic, function: &str) -> Result<Tree, Fault> {
    let mut documents = manifest::documents(trees(value)?)?;
    if documents.len() != 1 {
        let message = format!("`{function}` takes one object, and was given {}", documents.len());
        return Err(Fault::new(Kind::Usage, message).hint("`apply` takes many"));
    }
    Ok(documents.remove(0))
}

/// Objects: one as a map or an `Object`, YAML text with any number of documents, or a list of these.
///
/// # Errors
/// `parse` for a text that is no YAML, `usage` for what is no object.
pub fn trees(value: &Dynamic) -> Result<Vec<Tree>, Fault> {
    if let Ok(text) = value.clone().into_immutable_string() {
        return manifest::read(&text);
    }
    if let Some(items) = value.read_lock::<rhai::Array>() {
        let trees = items.iter().map(trees).collect::<Result<Vec<_>, _>>()?;
        return Ok(trees.into_iter().flatten().collect());
    }
    match Tree::from_dynamic(value)? {
        tree @ Tree::Map(_) => Ok(vec![tree]),
        other => Err(Fault::new(Kind::Usage, format!("this is {}, not a Kubernetes object", other.kind()))
            .hint("give a map, an object, YAML text, or a list of them")),
    }
}
