//! What a release or a Kustomization brought, and what that brought in turn; and the way back from an object to its source.

use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use serde_json::{Value, json};

use super::{
    inventory::{self, Entry},
    kind::{FluxKind, HELM_RELEASE, KUSTOMIZATION, Reference},
    source, standing,
};
use crate::{
    kubernetes::{
        client::Cluster,
        explain::shown,
        object::{at, items, text},
        wait::{Until, Verdict},
    },
    script::{fault::Fault, values::tree::Tree},
};

/// How many objects are read at once, and how far down and up it goes.
const AT_ONCE: usize = 8;
const DEEPEST: usize = 10;

/// An object with all that came from it, as scripts see it.
///
/// # Errors
/// The fault of reading one of them.
pub fn below<'f>(
    cluster: &'f Cluster,
    reference: &'f Reference,
    object: &'f Tree,
    depth: usize,
) -> BoxFuture<'f, Result<Value, Fault>> {
    Box::pin(async move {
        // What is brought to another cluster is not to be found here.
        let here = at(object, &["spec", "kubeConfig"]).is_none() && depth < DEEPEST;
        let entries = if here { inventory::of(object) } else { Vec::new() };
        let children = stream::iter(entries).map(|entry| async move {
            let found = entry.find(cluster).await?;
            match (applier(&entry), found) {
                (Some(next), Some(found)) => below(cluster, &next, &found, depth + 1).await,
                (_, found) => Ok(leaf(&entry.to_string(), found.as_ref())),
            }
        });
        let children: Vec<Value> = children.buffered(AT_ONCE).try_collect().await?;
        let (ready, because) = told(standing::judge(object));
        let named =
            json!({ "object": reference.to_string(), "ready": ready, "because": because, "children": children });
        Ok(named)
    })
}

/// The entry as something that brings objects itself.
fn applier(entry: &Entry) -> Option<Reference> {
    let kind = FluxKind::exactly(&entry.kind).filter(|kind| [HELM_RELEASE, KUSTOMIZATION].contains(kind))?;
    (kind.group() == entry.group).then(|| Reference::new(kind, entry.namespace.clone(), entry.name.clone()))
}

fn leaf(shown: &str, found: Option<&Tree>) -> Value {
    let (ready, because) = match found {
        None => (false, "it is not there".to_owned()),
        Some(found) => told(Until::Ready.judge(found)),
    };
    json!({ "object": shown, "ready": ready, "because": because, "children": [] })
}

fn told(verdict: Verdict) -> (bool, String) {
    match verdict {
        Verdict::Met => (true, String::new()),
        Verdict::Waiting(because) | Verdict::Hopeless(because) => (false, because),
    }
}

/// The way from an object up to whoever brought it, and to the source: each with how it stands.
///
/// # Errors
/// The fault of reading one of them.
pub async fn above(cluster: &Cluster, kind: &str, namespace: &str, name: &str) -> Result<Vec<Value>, Fault> {
    let resource = cluster.resolve(kind).await?;
    let mut object = cluster.read(&resource, namespace, name).await?;
    let mut way = vec![leaf(&shown(&resource, namespace, name), Some(&object))];
    for _ in 0..DEEPEST {
        if let Some(brought_by) = owner(&object) {
            way.extend(to_the_source(cluster, brought_by).await?);
            break;
        }
        let Some(above) = items(&object, &["metadata", "ownerReferences"]).first() else { break };
        let part = |name: &str| text(above, &[name]).unwrap_or_default();
        let resource = cluster.resolve(&format!("{}/{}", part("apiVersion"), part("kind"))).await?;
        let Some(found) = cluster.find(&resource, namespace, part("name")).await? else { break };
        way.push(leaf(&shown(&resource, namespace, part("name")), Some(&found)));
        object = found;
    }
    Ok(way.into_iter().map(without_children).collect())
}

/// Who brought an object, by the labels that controllers leave.
fn owner(object: &Tree) -> Option<Reference> {
    [&HELM_RELEASE, &KUSTOMIZATION].into_iter().find_map(|kind| {
        let label = |part: &str| text(object, &["metadata", "labels", &format!("{}/{part}", kind.group())]);
        Some(Reference::new(kind, label("namespace")?, label("name")?))
    })
}

async fn to_the_source(cluster: &Cluster, first: Reference) -> Result<Vec<Value>, Fault> {
    let mut way = Vec::new();
    let mut next = Some(first);
    while let Some(reference) = next.take() {
        let found = reference.find(cluster).await?;
        let Some(found) = found else {
            way.push(leaf(&reference.to_string(), None));
            break;
        };
        let (ready, because) = told(standing::judge(&found));
        let revision = standing::revision(&found);
        way.push(json!({ "object": reference.to_string(), "ready": ready, "because": because, "revision": revision }));
        next = source::of(&reference, &found);
    }
    Ok(way)
}

fn without_children(mut told: Value) -> Value {
    if let Value::Object(fields) = &mut told {
        fields.remove("children");
    }
    told
}

/// The object of that name, as something to look at from above.
///
/// # Errors
/// `not_found` and the like.
pub async fn of(cluster: &Cluster, reference: &Reference) -> Result<Tree, Fault> {
    let object = reference.read(cluster).await?;
    Ok(Tree::from_json(below(cluster, reference, &object, 0).await?))
}
