//! What a script gives to the functions of this binding, read once and the same way.

use rhai::Dynamic;

use crate::{
    bindings::k8s::client::{Cluster, Selection},
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

/// Objects: one as a map or an `Object`, YAML text with any number of documents, or a list of these.
///
/// # Errors
/// `parse` for a text that is no YAML, `usage` for what is no object.
pub fn trees(value: &Dynamic) -> Result<Vec<Tree>, Fault> {
    if let Ok(text) = value.clone().into_immutable_string() {
        return super::super::apply::read(&text);
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
