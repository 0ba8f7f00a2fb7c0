//! Inventories: the label that all objects of a set carry, and what carries it though it is no longer in the set.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    client::{Cluster, Selection},
    discovery::Resource,
    object::{self, items},
    removal::Doomed,
};
use crate::script::{
    fault::{Fault, Kind},
    values::{fields::Fields, tree::Tree},
};

/// The label of an inventory that is given by its name only.
const LABEL: &str = "app.kubernetes.io/managed-set";

/// A set of objects, known by a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    label: String,
    name: String,
}

impl std::fmt::Display for Inventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.label, self.name)
    }
}

impl Inventory {
    /// Reads `web`, or `example.org/set=web` with a label of its own.
    ///
    /// # Errors
    /// `usage`, if it names nothing, or more than one.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let (label, name) = text.split_once('=').unwrap_or((LABEL, text));
        let is_plain = |part: &str| {
            part.starts_with(|letter: char| letter.is_ascii_alphanumeric())
                && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter))
        };
        match is_plain(label) && is_plain(name) {
            true => Ok(Self { label: label.to_owned(), name: name.to_owned() }),
            false => Err(Fault::new(Kind::Usage, format!("`{text}` is no inventory"))
                .hint("write a name, such as `web`, or a label with its value, such as `example.org/set=web`")),
        }
    }

    /// The document with the label.
    #[must_use]
    pub fn mark(&self, document: &Tree) -> Tree {
        let mut marked = document.clone();
        let labels = below(below(&mut marked, "metadata"), "labels");
        if let Tree::Map(labels) = labels {
            Arc::make_mut(labels).insert(self.label.as_str().into(), Tree::Text(self.name.as_str().into()));
        }
        marked
    }

    /// What has the label and is not kept. What belongs to another object goes with that one and is left out.
    ///
    /// # Errors
    /// The fault of a list.
    pub async fn leftovers(
        &self,
        cluster: &Cluster,
        kinds: &[Resource],
        namespaces: &BTreeSet<String>,
        kept: &BTreeSet<Identity>,
    ) -> Result<Vec<Doomed>, Fault> {
        let mut found = Vec::new();
        for resource in kinds {
            for object in self.list(cluster, resource, namespaces).await? {
                let is_owned = !items(&object, &["metadata", "ownerReferences"]).is_empty();
                let is_going = object::at(&object, &["metadata", "deletionTimestamp"]).is_some();
                if !is_owned && !is_going && !kept.contains(&identity(resource, &object)) {
                    found.push(Doomed::of(resource, &object));
                }
            }
        }
        Ok(found)
    }

    /// All that has the label: everywhere, or in these namespaces if this user may not look everywhere.
    async fn list(
        &self,
        cluster: &Cluster,
        resource: &Resource,
        namespaces: &BTreeSet<String>,
    ) -> Result<Vec<Tree>, Fault> {
        let select = |namespace| Selection { namespace, labels: Some(self.to_string()), ..Selection::default() };
        match cluster.list(resource, &select(None)).await {
            Ok(listed) => Ok(listed.objects),
            Err(fault) if fault.kind == Kind::Denied && resource.namespaced => {
                let mut found = Vec::new();
                for namespace in namespaces {
                    found.extend(cluster.list(resource, &select(Some(namespace.clone()))).await?.objects);
                }
                Ok(found)
            }
            Err(fault) => Err(fault),
        }
    }
}

/// What makes two objects the same, whatever their version: group, kind, namespace and name.
pub type Identity = (String, String, String, String);

pub fn identity(resource: &Resource, object: &Tree) -> Identity {
    let namespace = object::namespace(object).filter(|_| resource.namespaced).unwrap_or_default();
    (resource.group.clone(), resource.kind.clone(), namespace.to_owned(), object::name(object).to_owned())
}

/// The map below a name, made if there is none.
fn below<'t>(tree: &'t mut Tree, name: &str) -> &'t mut Tree {
    let Tree::Map(fields) = tree else { unreachable!("documents are maps, and so is what is put into them here") };
    let fields = Arc::make_mut(fields);
    if !matches!(fields.get(name), Some(Tree::Map(_))) {
        fields.insert(name.into(), Tree::Map(Arc::new(Fields::default())));
    }
    fields.get_mut(name).expect("it was just put there")
}
