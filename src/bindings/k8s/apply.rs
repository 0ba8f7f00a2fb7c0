//! Applying many documents: what others need first, then all at once, and a failed one hides no other.

use std::time::Duration;

use futures::{StreamExt, stream};

use super::{
    client::{Cluster, Selection},
    discovery::Resource,
    object::{self, items, name, namespace, text},
    watch::{Observer, Seen},
};
use crate::script::{
    fault::{Fault, Kind},
    values::tree::Tree,
    values::yaml,
};

/// How many requests are under way at once.
const AT_ONCE: usize = 32;

/// How often, and after what pause, something is tried again that another part of the cluster needs a moment for.
const PATIENCE: usize = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// How long a definition may take until it is served.
const ESTABLISHED: Duration = Duration::from_secs(30);

/// How one document ended.
#[derive(Debug, Clone)]
pub struct Applied {
    pub object: Tree,
    pub created: bool,
}

/// How documents are applied.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Takes over fields that others own.
    pub force: bool,
    /// For documents that name none.
    pub namespace: String,
}

/// The documents in a text, or the objects given as trees; lists are taken apart and empty documents left out.
///
/// # Errors
/// `parse` with the place in the text, or `usage` with the number of the document and what it lacks.
pub fn documents(trees: Vec<Tree>) -> Result<Vec<Tree>, Fault> {
    let mut documents = Vec::new();
    for tree in trees {
        unwrap(tree, &mut documents);
    }
    for (index, document) in documents.iter().enumerate() {
        check(document, index + 1, documents.len())?;
    }
    Ok(documents)
}

/// The documents of a YAML text.
///
/// # Errors
/// `parse` with the place.
pub fn read(text: &str) -> Result<Vec<Tree>, Fault> {
    Ok(yaml::read_all(text, "the text")?)
}

fn unwrap(tree: Tree, into: &mut Vec<Tree>) {
    match &tree {
        Tree::Null => {}
        Tree::List(trees) => trees.iter().for_each(|tree| unwrap(tree.clone(), into)),
        Tree::Map(_)
            if object::kind(&tree).ends_with("List")
                && matches!(object::at(&tree, &["items"]), Some(Tree::List(_))) =>
        {
            items(&tree, &["items"]).iter().for_each(|tree| unwrap(tree.clone(), into));
        }
        _ => into.push(tree),
    }
}

fn check(document: &Tree, number: usize, of: usize) -> Result<(), Fault> {
    let which = if of == 1 { "the document".to_owned() } else { format!("document {number} of {of}") };
    if !matches!(document, Tree::Map(_)) {
        let message = format!("{which} is {}, not a Kubernetes object", document.kind());
        return Err(
            Fault::new(Kind::Usage, message).hint("an object is a map with `apiVersion`, `kind` and `metadata`")
        );
    }
    let lacks = |path: &[&str]| text(document, path).unwrap_or_default().is_empty();
    for path in [&["apiVersion"][..], &["kind"]] {
        if lacks(path) {
            let message = format!("{which} has no `{}`", path.join("."));
            return Err(Fault::new(Kind::Usage, message).hint("every Kubernetes object has `apiVersion` and `kind`"));
        }
    }
    if lacks(&["metadata", "name"]) && lacks(&["metadata", "generateName"]) {
        let message = format!("{which}, a {}, has no `metadata.name`", object::kind(document));
        return Err(Fault::new(Kind::Usage, message).hint("give it a name"));
    }
    Ok(())
}

/// The stages, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// What others are made in or of.
    Foundations,
    Rest,
    /// What has a say in all that comes after it, and may not be up yet.
    Webhooks,
}

fn stage(document: &Tree) -> Stage {
    match object::kind(document) {
        "Namespace" | "CustomResourceDefinition" => Stage::Foundations,
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => Stage::Webhooks,
        _ => Stage::Rest,
    }
}

/// Applies the documents, and says of each how it ended.
pub async fn apply(cluster: &Cluster, documents: &[Tree], manner: &Manner) -> Vec<Result<Applied, Fault>> {
    let mut ended: Vec<Option<Result<Applied, Fault>>> = vec![None; documents.len()];
    for wanted in [Stage::Foundations, Stage::Rest, Stage::Webhooks] {
        let batch = documents.iter().enumerate().filter(|(_, document)| stage(document) == wanted);
        let work = batch.map(|(index, document)| async move { (index, apply_one(cluster, document, manner).await) });
        // Boxed, so that the compiler need not see through the borrow of each document.
        let work: Vec<_> = work.map(|work| -> futures::future::BoxFuture<'_, _> { Box::pin(work) }).collect();
        let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some((index, result)) = work.next().await {
            ended[index] = Some(result);
        }
        if wanted == Stage::Foundations {
            establish(cluster, &mut ended).await;
        }
    }
    ended.into_iter().map(|result| result.expect("each document is in one stage")).collect()
}

async fn apply_one(cluster: &Cluster, document: &Tree, manner: &Manner) -> Result<Applied, Fault> {
    let kind = format!("{}/{}", object::api_version(document), object::kind(document));
    let place = namespace(document).unwrap_or(&manner.namespace);
    let mut document = document.clone();
    object::strip_managed_fields(&mut document);
    let mut attempt = 0;
    loop {
        let applied = match cluster.resolve(&kind).await {
            Ok(resource) => send(cluster, &resource, place, &document, manner.force).await,
            Err(fault) => Err(fault),
        };
        attempt += 1;
        match applied {
            Err(fault) if attempt < PATIENCE && needs_a_moment(&fault, attempt) => {
                if fault.kind == Kind::Unsupported {
                    cluster.kinds().forget();
                }
                cluster.host().clock.sleep(PAUSE).await;
            }
            ended => return ended,
        }
    }
}

async fn send(
    cluster: &Cluster,
    resource: &Resource,
    place: &str,
    document: &Tree,
    force: bool,
) -> Result<Applied, Fault> {
    let (mut object, created) = cluster.apply(resource, place, document, force).await?;
    object::strip_managed_fields(&mut object);
    Ok(Applied { object, created })
}

/// True for what goes away by itself soon after a definition or a namespace was made.
fn needs_a_moment(fault: &Fault, attempt: usize) -> bool {
    match fault.kind {
        // A server lists a new kind up to a second late; one that was never defined need not be waited for long.
        Kind::Unsupported => attempt < 4,
        // A new namespace has no service account at first.
        Kind::Denied => fault.notes.iter().any(|note| note.contains("error looking up service account")),
        _ => false,
    }
}

/// Waits until the definitions among what was applied are served.
async fn establish(cluster: &Cluster, ended: &mut [Option<Result<Applied, Fault>>]) {
    let mut any = false;
    for slot in ended.iter_mut() {
        let Some(Ok(applied)) = slot else { continue };
        if object::kind(&applied.object) != "CustomResourceDefinition" {
            continue;
        }
        any = true;
        match established(cluster, &applied.object).await {
            Ok(object) => applied.object = object,
            Err(fault) => *slot = Some(Err(fault)),
        }
    }
    if any {
        cluster.kinds().forget();
    }
}

async fn established(cluster: &Cluster, definition: &Tree) -> Result<Tree, Fault> {
    let is = |object: &Tree, kind: &str, value: &str| {
        object::condition(object, kind).is_some_and(|condition| text(condition, &["status"]) == Some(value))
    };
    if is(definition, "Established", "True") {
        return Ok(definition.clone());
    }
    let name = name(definition);
    let selection = Selection { fields: Some(format!("metadata.name={name}")), ..Selection::default() };
    let mut observer = Observer::new(cluster.clone(), "customresourcedefinitions".to_owned(), selection);
    let served = async {
        loop {
            match observer.next().await? {
                Seen::Object(object) if is(&object, "Established", "True") => return Ok(object),
                Seen::Object(object) if is(&object, "NamesAccepted", "False") => {
                    let condition = object::condition(&object, "NamesAccepted").unwrap_or(&Tree::Null);
                    let why = text(condition, &["message"]).unwrap_or_default();
                    return Err(Fault::new(Kind::Failed, format!("definition `{name}` is not served: {why}"))
                        .hint("another definition has one of its names already"));
                }
                Seen::Object(_) | Seen::Absent | Seen::NotYet(_) => {}
            }
        }
    };
    let too_long = cluster.host().clock.sleep(ESTABLISHED);
    tokio::select! {
        biased;
        served = served => served,
        () = too_long => {
            let after = crate::duration::show(ESTABLISHED);
            Err(Fault::new(Kind::Timeout, format!("definition `{name}` is not served after {after}")))
        }
    }
}

/// What came of all documents together: the objects, or one fault that names each that failed.
pub fn together(documents: &[Tree], ended: Vec<Result<Applied, Fault>>) -> Result<Vec<Applied>, Fault> {
    let all = ended.len();
    let (applied, failed): (Vec<_>, Vec<_>) = ended.into_iter().enumerate().partition(|(_, result)| result.is_ok());
    if failed.is_empty() {
        return Ok(applied.into_iter().filter_map(|(_, result)| result.ok()).collect());
    }
    let mut faults: Vec<(usize, Fault)> =
        failed.into_iter().filter_map(|(index, result)| result.err().map(|fault| (index, fault))).collect();
    if all == 1 {
        return Err(faults.remove(0).1);
    }
    let (_, first) = &faults[0];
    let mut fault = Fault::new(first.kind, format!("{} of {all} objects were not applied", faults.len()));
    fault.status = first.status;
    fault.hint = first.hint.clone();
    for (index, one) in &faults {
        let document = &documents[*index];
        fault = fault.note(format!("{} {}: {}", object::kind(document), name(document), one.message));
        fault = fault.notes(one.notes.iter().map(|note| format!("  {note}")));
    }
    Err(fault)
}
