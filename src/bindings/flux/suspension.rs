//! Suspending, and going on. What somebody else suspended stays so.

use std::fmt;

use serde_json::json;

use super::{kind::Reference, standing::is_suspended};
use crate::{
    kubernetes::{
        client::{Cluster, MANAGER},
        object::{at, items, text},
    },
    script::{fault::Fault, values::tree::Tree},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Suspend,
    Resume,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        })
    }
}

/// What came of it for one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    Now,
    /// It was so, and it was us.
    Before,
    /// It was so by somebody else's hand.
    ByAnother,
}

/// Suspends an object, or lets it go on.
///
/// # Errors
/// `not_found`, `denied` and the like.
pub async fn switch(cluster: &Cluster, reference: &Reference, way: Way) -> Result<Switched, Fault> {
    let suspend = way == Way::Suspend;
    let resource = reference.kind.resolve(cluster).await?;
    let object = cluster.read(&resource, &reference.namespace, &reference.name).await?;
    if is_suspended(&object) == suspend {
        return Ok(if is_ours(&object) { Switched::Before } else { Switched::ByAnother });
    }
    let change = json!({ "spec": { "suspend": suspend } });
    cluster.merge_patch(&resource, &reference.namespace, &reference.name, None, &change).await?;
    Ok(Switched::Now)
}

/// True if we wrote the field last, by the server's own record of who owns which.
pub fn is_ours(object: &Tree) -> bool {
    items(object, &["metadata", "managedFields"]).iter().any(|entry| {
        text(entry, &["manager"]) == Some(MANAGER) && at(entry, &["fieldsV1", "f:spec", "f:suspend"]).is_some()
    })
}
