//! What a HelmRelease remembers of its release: `status.history`, the newest revision first, and `status.inventory`.

use serde_json::{Value, json};

use super::{
    super::{super::fields, apply::Target, progress::Work},
    Wanted,
    storage::Stored,
    values,
};
use crate::kubernetes::controllers::fields::Fields;

/// The newest revision that it knows of.
pub fn latest<'w>(work: &'w Work<'_>) -> Option<&'w Value> {
    work.object.list("/status/history").first()
}

/// The good revision before the newest, that one can go back to.
pub fn previous(work: &Work<'_>) -> Option<Value> {
    let older = work.object.list("/status/history").iter().skip(1);
    let mut good = older.filter(|snapshot| matches!(snapshot.text("/status"), "deployed" | "superseded"));
    good.find(|snapshot| !has_failed_test(snapshot)).cloned()
}

pub fn has_failed_test(snapshot: &Value) -> bool {
    let tests = snapshot.at("/testHooks").as_object();
    tests.is_some_and(|tests| tests.values().any(|test| test.text("/phase") == "Failed"))
}

/// Takes note of a revision as it is stored now; `action` is what made it so, if that is known.
pub fn note(work: &mut Work<'_>, stored: &Stored, action: &str, digest: Option<&str>) {
    let second = |time: &str| {
        let (whole, _) = time.split_once('.').unwrap_or((time.trim_end_matches('Z'), ""));
        format!("{whole}Z")
    };
    let mut snapshot = json!({
        "apiVersion": "v2",
        "chartName": stored.chart_name(),
        "chartVersion": stored.chart_version(),
        "configDigest": values::sum(&stored.config),
        "digest": stored.digest(),
        "firstDeployed": second(&stored.first_deployed),
        "lastDeployed": second(&stored.last_deployed),
        "name": stored.name,
        "namespace": stored.namespace,
        "status": stored.status,
        "version": stored.version,
    });
    if let Some(app) = stored.chart.at("/metadata/appVersion").as_str() {
        snapshot["appVersion"] = json!(app);
    }
    if !action.is_empty() {
        snapshot["action"] = json!(action);
    }
    let history = fields::list(&mut work.object["status"], "history");
    let known = history.iter().position(|known| known["version"] == stored.version && known["name"] == stored.name);
    if let Some(digest) = digest {
        snapshot["ociDigest"] = json!(digest);
    }
    match known {
        Some(at) => {
            for kept in ["ociDigest", "testHooks"] {
                if let Some(value) = history[at].get(kept).cloned() {
                    snapshot[kept] = value;
                }
            }
            history[at] = snapshot;
        }
        None => history.insert(0, snapshot),
    }
}

/// Forgets what is older than the last good revision before the newest.
pub fn truncate(work: &mut Work<'_>) {
    const FAILED: [&str; 4] = ["failed", "pending-install", "pending-upgrade", "pending-rollback"];
    let history = fields::list(&mut work.object["status"], "history");
    let good =
        history.iter().skip(1).position(|known| !FAILED.contains(&known.text("/status")) && !has_failed_test(known));
    match good {
        Some(at) => history.truncate(at + 2),
        None => history.truncate(if history.first().is_some_and(|first| first["status"] == "deployed") {
            1
        } else {
            usize::MAX
        }),
    }
}

/// Lists what the release brought.
pub fn list(work: &mut Work<'_>, targets: &[Target]) {
    let entries: Vec<Value> = targets.iter().map(Target::entry).collect();
    work.status().insert("inventory".to_owned(), json!({ "entries": entries }));
}

/// What its events are marked with.
pub fn marks(wanted: &Wanted) -> Value {
    let mut marks = json!({
        "helm.toolkit.fluxcd.io/revision": wanted.version,
        "helm.toolkit.fluxcd.io/token": wanted.sum,
    });
    if let Some(digest) = &wanted.digest {
        marks["helm.toolkit.fluxcd.io/oci-digest"] = json!(digest);
    }
    marks
}
