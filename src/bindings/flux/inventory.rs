//! What a release or a Kustomization brought to the cluster, as its status lists it.

use std::fmt;

use crate::{
    kubernetes::{
        client::Cluster,
        object::{items, text},
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// One object of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub namespace: String,
    pub name: String,
    pub group: String,
    pub kind: String,
    pub version: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.namespace.is_empty() { String::new() } else { format!(" in {}", self.namespace) };
        write!(f, "{}/{}{place}", self.kind.to_lowercase(), self.name)
    }
}

impl Entry {
    /// Reads `namespace_name_group_kind`. A colon in a name is written as two underscores, and the group may be empty.
    fn read(id: &str, version: &str) -> Option<Self> {
        let (namespace, rest) = id.split_once('_')?;
        let (rest, kind) = rest.rsplit_once('_')?;
        let (name, group) = rest.rsplit_once('_')?;
        Some(Self {
            namespace: namespace.to_owned(),
            name: name.replace("__", ":"),
            group: group.to_owned(),
            kind: kind.to_owned(),
            version: version.to_owned(),
        })
    }

    /// The object, if it is there.
    ///
    /// # Errors
    /// `denied` and the like.
    pub async fn find(&self, cluster: &Cluster) -> Result<Option<Tree>, Fault> {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        match cluster.resolve(&format!("{group}{}/{}", self.version, self.kind)).await {
            Ok(resource) => cluster.find(&resource, &self.namespace, &self.name).await,
            Err(fault) if fault.kind == Kind::Unsupported => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

pub fn of(object: &Tree) -> Vec<Entry> {
    let entries = items(object, &["status", "inventory", "entries"]).iter();
    entries.filter_map(|entry| Entry::read(text(entry, &["id"])?, text(entry, &["v"])?)).collect()
}
