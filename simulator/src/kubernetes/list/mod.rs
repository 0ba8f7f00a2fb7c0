//! Lists: what is selected of a kind, of which revision, and page by page.

pub mod options;
mod token;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use self::{options::Options, token::Token};
use super::{answer::Refusal, cluster::Cluster, kinds::Kind, read::Selection, store::Objects};

/// How long a revision that is still to come is waited for.
pub const PATIENCE: Duration = Duration::from_secs(3);

const EXPIRED: &str = "The resourceVersion for the provided list is too old.";

const CONTINUE_EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can start a \
     new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
     results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
     deleted between the time the first chunk was returned and now may show up in the list.";

/// What was selected, of one revision.
pub struct List {
    pub metadata: Value,
    pub objects: Vec<Arc<Value>>,
}

impl List {
    /// The list as the real server writes it.
    pub fn written(&self, kind: &Kind) -> Value {
        json!({
            "kind": kind.list_kind(),
            "apiVersion": kind.api_version(),
            "metadata": self.metadata,
            "items": self.objects.iter().map(|object| kind.listed(object)).collect::<Vec<_>>(),
        })
    }
}

/// The objects selected, page by page if there is a `limit`.
///
/// # Errors
/// If the page asked for can't be had.
pub async fn list(cluster: &Cluster, kind: &Kind, selection: &Selection, options: &Options) -> Result<List, Refusal> {
    let namespace = selection.namespace.as_deref();
    let token = options.continues.as_deref().map(Token::read).transpose()?;
    if token.is_some() && options.version.as_deref().is_some_and(|version| version != "0") {
        return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
    }
    let wrong_version = |why: String| Refusal::bad_request(format!("invalid resource version: {why}"));
    let revision = options.revision().map_err(wrong_version)?;
    // What is there already comes in one go.
    let limit = options.limit.filter(|_| options.version.as_deref() != Some("0"));
    let exactly = match &token {
        Some(token) => token.revision,
        None => revision.filter(|_| options.exactly || limit.is_some() && !options.not_older),
    };
    if let Some(wanted) = exactly.or(revision) {
        let latest = cluster.store.reach(wanted, PATIENCE).await;
        if latest < wanted {
            return Err(Refusal::ahead(wanted, latest));
        }
    }
    let (revision, all) = match exactly {
        None => cluster.store.list(&kind.stored, namespace),
        Some(revision) => {
            let expired = |_| match &token {
                None => Refusal::expired(EXPIRED),
                Some(token) => {
                    let onwards = Token { revision: None, ..token.clone() };
                    Refusal::expired(CONTINUE_EXPIRED).continuing(onwards.written())
                }
            };
            (revision, cluster.store.list_at(&kind.stored, namespace, revision).map_err(expired)?)
        }
    };
    Ok(page(all, revision, limit, token.as_ref(), selection, kind))
}

fn page(
    all: Objects,
    revision: u64,
    limit: Option<usize>,
    token: Option<&Token>,
    selection: &Selection,
    kind: &Kind,
) -> List {
    let namespace = selection.namespace.as_deref();
    let mut there = all.into_iter().filter(|(key, _)| {
        let inside = selection.namespace.as_ref().is_none_or(|namespace| key.namespace == *namespace);
        inside && token.is_none_or(|token| token.is_before(key, namespace))
    });
    let selected = there.by_ref().filter(|(key, object)| selection.selects(key, object));
    let found: Objects = selected.take(limit.unwrap_or(usize::MAX)).collect();
    // Whether any of it is selected is looked at when it is asked for. Of one object by its name there is no next page.
    let one = token.is_none()
        && selection.fields.exactly("metadata.name").is_some()
        && (namespace.is_some() || !kind.namespaced);
    let left = if one { 0 } else { there.count() };
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    match found.last() {
        Some((last, _)) if left > 0 => {
            metadata["continue"] = json!(Token::after(revision, last, namespace).written());
            // Of what is selected, the real server doesn't know how much there is.
            if selection.is_all() {
                metadata["remainingItemCount"] = json!(left);
            }
        }
        // Lists of defined kinds have no type that would leave it out.
        _ if kind.defined.is_some() => metadata["continue"] = json!(""),
        _ => {}
    }
    List { metadata, objects: found.into_iter().map(|(_, object)| object).collect() }
}
