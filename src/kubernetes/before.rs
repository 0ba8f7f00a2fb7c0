//! What is there of objects before they are applied, in as few questions as that takes.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};

use super::{
    client::{Cluster, Selection},
    discovery::Resource,
    object,
};
use crate::script::{
    fault::{Fault, Kind},
    values::tree::Tree,
};

/// Fewer objects than this of one kind in one namespace are read one by one.
const FEW: usize = 8;

/// A list is worth it if it is at most so many times as long as what is looked for in it, or short anyway.
const TIMES: usize = 4;
const SHORT: usize = 500;

/// What is known of an object before it is applied.
#[derive(Debug, Clone)]
pub enum Before {
    /// Nobody has looked.
    Unread,
    /// This user may not look.
    Unreadable,
    Absent,
    Present(Tree),
}

impl Before {
    /// Looks, if nobody has.
    ///
    /// # Errors
    /// The fault of reading it; not that it is absent, or that this user may not.
    pub async fn read(
        self,
        cluster: &Cluster,
        resource: &Resource,
        namespace: &str,
        document: &Tree,
    ) -> Result<Self, Fault> {
        let Self::Unread = self else { return Ok(self) };
        match cluster.find(resource, namespace, object::name(document)).await {
            Ok(Some(object)) => Ok(Self::Present(object)),
            Ok(None) => Ok(Self::Absent),
            Err(fault) if fault.kind == Kind::Denied => Ok(Self::Unreadable),
            Err(fault) => Err(fault),
        }
    }
}

/// What is there of these documents, in their order. What can't be listed is left unread: whoever reads it one by one
/// meets the same fault, and tells it of the object that it concerns.
pub async fn look(cluster: &Cluster, documents: &[&Tree], namespace: &str) -> Vec<Before> {
    let mut groups: BTreeMap<(String, &str), Vec<usize>> = BTreeMap::new();
    for (place, document) in documents.iter().enumerate() {
        let kind = format!("{}/{}", object::api_version(document), object::kind(document));
        groups.entry((kind, object::namespace(document).unwrap_or(namespace))).or_default().push(place);
    }
    let mut found = vec![Before::Unread; documents.len()];
    let many = groups.into_iter().filter(|(_, places)| places.len() >= FEW);
    let lists = many.map(|((kind, namespace), places)| async move {
        (list(cluster, &kind, namespace, places.len()).await.unwrap_or_default(), places)
    });
    // Boxed, so that the compiler need not see through the borrow of each group.
    let lists: Vec<_> = lists.map(|list| -> futures::future::BoxFuture<'_, _> { Box::pin(list) }).collect();
    let mut lists = stream::iter(lists).buffer_unordered(FEW);
    while let Some((listed, places)) = lists.next().await {
        let Some(mut listed) = listed else { continue };
        for place in places {
            let there = listed.remove(object::name(documents[place]));
            found[place] = there.map_or(Before::Absent, Before::Present);
        }
    }
    found
}

/// All of a kind by name; none if there are too many to list for the sake of a few.
async fn list(
    cluster: &Cluster,
    kind: &str,
    namespace: &str,
    wanted: usize,
) -> Result<Option<BTreeMap<String, Tree>>, Fault> {
    let resource = cluster.resolve(kind).await?;
    let namespace = resource.namespaced.then(|| namespace.to_owned());
    let there = cluster.count(&resource, namespace.as_deref()).await?;
    if there > (wanted * TIMES).max(SHORT) as i64 {
        return Ok(None);
    }
    if there == 0 {
        return Ok(Some(BTreeMap::new()));
    }
    let selection = Selection { namespace, keep_managed_fields: true, ..Selection::default() };
    let objects = cluster.list(&resource, &selection).await?.objects;
    Ok(Some(objects.into_iter().map(|object| (object::name(&object).to_owned(), object)).collect()))
}
