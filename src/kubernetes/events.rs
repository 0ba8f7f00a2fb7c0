//! Events: what the controllers of a cluster have to say about its objects.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::{
    client::{Cluster, Selection},
    explain::seen_at,
    object::{self, integer, text},
};
use crate::script::{fault::Fault, values::tree::Tree};

/// Which events are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Everywhere, if none is named.
    pub namespace: Option<String>,
    /// Only those about this object: its kind as objects have it, and its name.
    pub about: Option<(String, String)>,
    pub warnings: bool,
    pub reason: Option<String>,
    pub since: Option<Duration>,
}

/// What happened, oldest first, as scripts see it.
///
/// # Errors
/// The fault of listing the events.
pub async fn happened(cluster: &Cluster, wanted: &Wanted) -> Result<Vec<Tree>, Fault> {
    let mut fields = Vec::new();
    if let Some((kind, name)) = &wanted.about {
        fields.push(format!("involvedObject.kind={kind},involvedObject.name={name}"));
    }
    if wanted.warnings {
        fields.push("type=Warning".to_owned());
    }
    if let Some(reason) = &wanted.reason {
        fields.push(format!("reason={reason}"));
    }
    let selection = Selection {
        namespace: wanted.namespace.clone(),
        fields: (!fields.is_empty()).then(|| fields.join(",")),
        ..Selection::default()
    };
    let events = cluster.resolve("events").await?;
    let mut found = cluster.list(&events, &selection).await?.objects;
    if let Some(since) = wanted.since {
        let earliest = cluster.host().clock.now().checked_sub(since).unwrap_or(Timestamp::MIN);
        found.retain(|event| moment(event).is_some_and(|moment| moment >= earliest));
    }
    found.sort_by_cached_key(|event| (moment(event), object::name(event).to_owned()));
    Ok(found.iter().map(shown).collect())
}

/// When it was seen last. Some times have microseconds and others don't, so they are compared as times.
fn moment(event: &Tree) -> Option<Timestamp> {
    last_seen(event).parse().ok()
}

fn last_seen(event: &Tree) -> &str {
    match seen_at(event) {
        "" => text(event, &["metadata", "creationTimestamp"]).unwrap_or_default(),
        seen => seen,
    }
}

fn shown(event: &Tree) -> Tree {
    let part = |names: &[&str]| text(event, names).unwrap_or_default().trim().to_owned();
    let kind = part(&["involvedObject", "kind"]);
    let name = part(&["involvedObject", "name"]);
    let count = integer(event, &["series", "count"]).or(integer(event, &["count"])).unwrap_or(1).max(1);
    let first = text(event, &["firstTimestamp"]).or(text(event, &["eventTime"])).unwrap_or_else(|| last_seen(event));
    let source = match part(&["reportingComponent"]) {
        reporting if reporting.is_empty() => part(&["source", "component"]),
        reporting => reporting,
    };
    Tree::from_json(json!({
        "time": last_seen(event),
        "first": first,
        "count": count,
        "type": part(&["type"]),
        "reason": part(&["reason"]),
        "message": part(&["message"]),
        "about": format!("{}/{name}", kind.to_lowercase()),
        "kind": kind,
        "name": name,
        "namespace": part(&["involvedObject", "namespace"]),
        "source": source,
    }))
}
