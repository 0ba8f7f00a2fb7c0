//! What a script gives to the functions of this binding, read once and the same way.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{Array, Dynamic};

use crate::{
    kubernetes::{
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

/// What to list, with the bookkeeping of fields if that is asked for.
///
/// # Errors
/// `usage`, if a selector can't be read.
pub fn selection(options: &Options, cluster: &Cluster) -> Result<Selection, Fault> {
    let keep_managed_fields = options.flag("keep_managed_fields");
    Ok(Selection { keep_managed_fields, ..selected(options, cluster)? })
}

/// What is selected by labels, fields and namespaces.
///
/// # Errors
/// `usage`, if a selector can't be read.
pub fn selected(options: &Options, cluster: &Cluster) -> Result<Selection, Fault> {
    let everywhere = options.flag("all_namespaces");
    only_one_scope(options)?;
    Ok(Selection {
        namespace: (!everywhere).then(|| namespace(options, cluster)),
        labels: selector(options, "labels")?,
        fields: selector(options, "fields")?,
        keep_managed_fields: false,
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
    let mut documents = manifest::documents(manifest::given(value)?)?;
    if documents.len() != 1 {
        let message = format!("`{function}` takes one object, and was given {}", documents.len());
        return Err(Fault::new(Kind::Usage, message).hint("`apply` takes many"));
    }
    Ok(documents.remove(0))
}

/// A name, or a list of names.
///
/// # Errors
/// `usage`, if there is none, or something else.
pub fn object_names(given: &Dynamic) -> Result<Vec<String>, Fault> {
    let one = |name: &Dynamic| match name.as_immutable_string_ref() {
        Ok(name) => Ok(name.to_string()),
        Err(kind) => Err(Fault::new(Kind::Usage, format!("an object's name is a text, not `{kind}`"))),
    };
    let names = match given.read_lock::<Array>() {
        Some(names) => names.iter().map(one).collect::<Result<Vec<_>, _>>()?,
        None => vec![one(given)?],
    };
    if names.is_empty() {
        return Err(Fault::new(Kind::Usage, "the list of names is empty"));
    }
    Ok(names)
}

/// Objects by kind and namespace: texts such as `deployment/web`, or objects that say it themselves.
///
/// # Errors
/// `usage`, if the list is empty, or something in it is no object.
pub fn objects(given: &[Dynamic], namespace: &str) -> Result<BTreeMap<(String, String), BTreeSet<String>>, Fault> {
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for item in given {
        let (kind, namespace, name) = match item.clone().into_immutable_string() {
            Ok(text) => match text.rsplit_once('/') {
                Some((kind, name)) => (kind.to_owned(), namespace.to_owned(), name.to_owned()),
                None => {
                    let message = format!("`{text}` names no object");
                    return Err(Fault::new(Kind::Usage, message).hint("write `kind/name`, such as `deployment/web`"));
                }
            },
            Err(_) => {
                let tree = Tree::from_dynamic(item)?;
                let (kind, name) = (object::kind(&tree), object::name(&tree).to_owned());
                if kind.is_empty() || name.is_empty() {
                    let message = format!("this is {}, not an object with a kind and a name", tree.kind());
                    return Err(Fault::new(Kind::Usage, message).hint("write `kind/name`, or give an object"));
                }
                let kind = format!("{}/{kind}", object::api_version(&tree));
                (kind, object::namespace(&tree).unwrap_or(namespace).to_owned(), name)
            }
        };
        found.entry((kind, namespace)).or_default().insert(name);
    }
    match found.is_empty() {
        true => Err(Fault::new(Kind::Usage, "the list of objects is empty")),
        false => Ok(found),
    }
}
