//! Why something isn't so: what its pods, its events and their logs say. Asked only while something is waited for, or
//! after its time was up.

use super::{
    client::{Cluster, Selection},
    discovery::Resource,
    logs::LogOptions,
    object::{self, at, entries, integer, items, kind, text},
    trouble::{Trouble, worst},
    wait::shown_condition,
};
use crate::script::{fault::Fault, values::tree::Tree};

/// How many events, and lines of a log, are shown.
const EVENTS: usize = 5;
const LINES: usize = 10;

impl Cluster {
    /// The pods of a workload, or the pod itself; none for kinds that have none.
    ///
    /// # Errors
    /// The fault of listing them.
    pub async fn pods_of(&self, owner: &Tree) -> Result<Vec<Tree>, Fault> {
        if kind(owner) == "Pod" {
            return Ok(vec![owner.clone()]);
        }
        let Some(labels) = selector(owner) else { return Ok(Vec::new()) };
        let pods = self.resolve("pods").await?;
        let namespace = object::namespace(owner).map(str::to_owned);
        Ok(self.list(&pods, &Selection { namespace, labels: Some(labels), ..Selection::default() }).await?.objects)
    }
}

/// A workload's selector as a query.
pub fn selector(owner: &Tree) -> Option<String> {
    let spec = match kind(owner) {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => at(owner, &["spec", "selector"])?,
        _ => return None,
    };
    let value = |value: &Tree| match value {
        Tree::Text(text) => text.to_string(),
        other => other.to_string(),
    };
    let equal = entries(spec, &["matchLabels"]).map(|(key, label)| format!("{key}={}", value(label)));
    let expressions = items(spec, &["matchExpressions"]).iter().filter_map(|expression| {
        let key = text(expression, &["key"])?;
        let values: Vec<String> = items(expression, &["values"]).iter().map(value).collect();
        Some(match text(expression, &["operator"])? {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        })
    });
    let parts: Vec<String> = equal.chain(expressions).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

/// What keeps the pods of an object from being ready.
///
/// # Errors
/// The fault of listing them.
pub async fn look(cluster: &Cluster, object: &Tree) -> Result<Option<Trouble>, Fault> {
    Ok(worst(&cluster.pods_of(object).await?))
}

/// Whatever may say why an object isn't as it should be, a line each. What can't be read is left out: the reader waits for
/// an explanation, not for the faults of explaining.
pub async fn diagnose(cluster: &Cluster, object: &Tree) -> Vec<String> {
    let mut notes: Vec<String> = items(object, &["status", "conditions"])
        .iter()
        .map(|condition| format!("condition {}", shown_condition(condition)))
        .collect();
    let namespace = object::namespace(object).map(str::to_owned);
    notes.extend(warnings(cluster, object).await);
    let Ok(Some(trouble)) = look(cluster, object).await else { return notes };
    notes.push(trouble.to_string());
    let Some(namespace) = namespace else { return notes };
    if kind(object) != "Pod"
        && let Ok(pods) = cluster.resolve("pods").await
        && let Ok(pod) = cluster.read(&pods, &namespace, &trouble.pod).await
    {
        notes.extend(warnings(cluster, &pod).await);
    }
    let options = LogOptions {
        container: trouble.container.clone(),
        tail: Some(LINES as u64),
        previous: trouble.crashed,
        ..LogOptions::default()
    };
    if let Ok(log) = cluster.log(&namespace, &trouble.pod, &options).await {
        notes.extend(log.lines().map(|line| format!("log of {}: {line}", trouble.pod)));
    }
    notes
}

/// The last warnings about an object.
async fn warnings(cluster: &Cluster, about: &Tree) -> Vec<String> {
    let Some(uid) = object::uid(about) else { return Vec::new() };
    let Ok(events) = cluster.resolve("events").await else { return Vec::new() };
    let selection = Selection {
        namespace: Some(object::namespace(about).unwrap_or("default").to_owned()),
        fields: Some(format!("involvedObject.uid={uid},type=Warning")),
        ..Selection::default()
    };
    let Ok(listed) = cluster.list(&events, &selection).await else { return Vec::new() };
    let mut found = listed.objects;
    found.sort_by(|a, b| seen_at(a).cmp(seen_at(b)));
    let shown = |event: &Tree| {
        let count = integer(event, &["count"]).filter(|count| *count > 1);
        let times = count.map(|count| format!(" ({count} times)")).unwrap_or_default();
        format!("{}{times}", shown_warning(event))
    };
    found.iter().skip(found.len().saturating_sub(EVENTS)).map(shown).collect()
}

/// `warning about pod web-0: BackOff: Back-off restarting failed container`
pub fn shown_warning(event: &Tree) -> String {
    let part = |path: &[&str]| text(event, path).unwrap_or_default().trim().to_owned();
    let (kind, name) = (part(&["involvedObject", "kind"]).to_lowercase(), part(&["involvedObject", "name"]));
    format!("warning about {kind} {name}: {}: {}", part(&["reason"]), part(&["message"]))
}

/// When an event was seen last.
pub fn seen_at(event: &Tree) -> &str {
    [&["series", "lastObservedTime"][..], &["lastTimestamp"], &["eventTime"]]
        .into_iter()
        .find_map(|path| text(event, path))
        .unwrap_or_default()
}

/// The resource's name with the object's, for messages: `deployment/web in guestbook`.
pub fn shown(resource: &Resource, namespace: &str, name: &str) -> String {
    match resource.namespaced {
        true => format!("{}/{name} in {namespace}", resource.shown()),
        false => format!("{}/{name}", resource.shown()),
    }
}
