//! Removing several objects: in the opposite order of their making, and waiting until all are gone.

use futures::{StreamExt, future::BoxFuture, stream};

use super::{
    change::{Deleted, Deletion},
    client::{Cluster, Selection},
    discovery::Resource,
    explain::shown,
    object::{self, text},
    order,
    wait::{Until, Verdict},
    watch::{Observer, Seen},
};
use crate::{
    host::wait::Progress,
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// How many requests, or watches, are under way at once.
const AT_ONCE: usize = 16;

/// An object that is to go.
#[derive(Debug, Clone)]
pub struct Doomed {
    pub resource: Resource,
    pub namespace: String,
    pub name: String,
    /// Only this very object, if that is known.
    pub uid: Option<String>,
}

impl Doomed {
    pub fn of(resource: &Resource, object: &Tree) -> Self {
        Self {
            resource: resource.clone(),
            namespace: object::namespace(object).unwrap_or_default().to_owned(),
            name: object::name(object).to_owned(),
            uid: object::uid(object).map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Doomed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shown(&self.resource, &self.namespace, &self.name))
    }
}

/// Deletes them, what was made last first, and gives those that were there, each with the identity of what was deleted.
///
/// # Errors
/// The fault of one that could not be deleted, or one for all of them: it names each.
pub async fn remove(cluster: &Cluster, doomed: &[Doomed], deletion: &Deletion) -> Result<Vec<Doomed>, Fault> {
    let mut stages: Vec<&Doomed> = doomed.iter().collect();
    stages.sort_by_key(|one| std::cmp::Reverse(order::stage(&one.resource.kind)));
    let mut removed = Vec::new();
    let mut failed = Vec::new();
    for stage in stages.chunk_by(|a, b| order::stage(&a.resource.kind) == order::stage(&b.resource.kind)) {
        let each = stage.iter().map(|one| -> BoxFuture<'_, _> {
            Box::pin(async move { (*one, remove_one(cluster, one, deletion).await) })
        });
        let each: Vec<_> = each.collect();
        let mut each = stream::iter(each).buffered(AT_ONCE);
        while let Some((one, result)) = each.next().await {
            match result {
                Ok(None) => {}
                Ok(Some(uid)) => removed.push(Doomed { uid: Some(uid), ..one.clone() }),
                Err(fault) => failed.push((one, fault)),
            }
        }
    }
    match failed.as_slice() {
        [] => Ok(removed),
        [(_, fault)] if doomed.len() == 1 => Err(fault.clone()),
        [(_, first), ..] => {
            let message = format!("{} of {} objects were not deleted", failed.len(), doomed.len());
            let mut fault =
                Fault::new(first.kind, message).notes(failed.iter().map(|(one, fault)| format!("{one}: {fault}")));
            fault.status = first.status;
            fault.hint = first.hint.clone();
            Err(fault)
        }
    }
}

/// Deletes one, and gives the identity of what was deleted; none if it was not there.
async fn remove_one(cluster: &Cluster, one: &Doomed, deletion: &Deletion) -> Result<Option<String>, Fault> {
    let deletion = Deletion { uid: one.uid.clone(), ..deletion.clone() };
    match cluster.delete(&one.resource, &one.namespace, &one.name, &deletion).await {
        Ok(Deleted::Missing) => Ok(None),
        Ok(Deleted::Accepted(tree)) => {
            Ok(Some(object::uid(&tree).or(text(&tree, &["details", "uid"])).unwrap_or_default().to_owned()))
        }
        // Another object has the name now: the one that was meant is gone.
        Err(fault) if fault.kind == Kind::Conflict && deletion.uid.is_some() => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Waits until these very objects are gone, and says meanwhile what holds them.
///
/// # Errors
/// What no waiting helps with.
pub async fn gone(cluster: &Cluster, removed: &[Doomed], progress: &Progress) -> Result<(), Fault> {
    let each =
        removed.iter().map(|one| -> BoxFuture<'_, _> { Box::pin(one_gone(cluster, one, progress, removed.len())) });
    let each: Vec<_> = each.collect();
    let mut each = stream::iter(each).buffer_unordered(AT_ONCE);
    while let Some(result) = each.next().await {
        result?;
    }
    Ok(())
}

async fn one_gone(cluster: &Cluster, one: &Doomed, progress: &Progress, of: usize) -> Result<(), Fault> {
    let kind = format!("{}/{}", one.resource.api_version(), one.resource.kind);
    let selection = Selection {
        namespace: one.resource.namespaced.then(|| one.namespace.clone()),
        fields: Some(format!("metadata.name={}", one.name)),
        ..Selection::default()
    };
    let because = |why: String| progress.because(if of == 1 { why } else { format!("{one}: {why}") });
    let mut observer = Observer::new(cluster.clone(), kind, selection);
    loop {
        match observer.next().await? {
            Seen::Absent => return Ok(()),
            Seen::Object(object) if object::uid(&object) != one.uid.as_deref() => return Ok(()),
            Seen::Object(object) => {
                if let Verdict::Waiting(why) = Until::Deleted.judge(&object) {
                    because(why);
                }
            }
            // With the definition of its kind it is gone as well.
            Seen::Gone(_) | Seen::NoKind(_) => return Ok(()),
            Seen::Current => {}
            Seen::NotYet(why) => because(why),
        }
    }
}
