//! Hooks of a chart: objects that are made at a moment of a release's life, one after the other, and waited for.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    super::{super::fields::Fields, apply, progress::Work},
    OWNER,
    rendering::targets,
    storage::Stored,
};

/// What marks a hook, and says when it is run.
const MARK: &str = "helm.sh/hook";

/// Whether an object is a hook.
pub fn is_hook(object: &Value) -> bool {
    object.annotation(MARK).is_some()
}

/// Runs the hooks of a moment, one after the other by their weights.
pub async fn run(work: &Work<'_>, stored: &mut Stored, when: &str, until: Instant) -> Result<(), String> {
    let tools = work.tools;
    let mut due: Vec<usize> = (0..stored.hooks.len())
        .filter(|at| stored.hooks[*at].list("/events").iter().any(|event| event == when))
        .collect();
    due.sort_by_key(|at| stored.hooks[*at].number("/weight"));
    for at in due {
        let object = serde_saphyr::from_str::<Value>(stored.hooks[at].text("/manifest")).unwrap_or_default();
        let (target, object) = targets(tools, &[object], &stored.namespace)?.remove(0);
        target.delete(tools).await.map_err(|refusal| refusal.message)?;
        apply::gone(tools, std::slice::from_ref(&target), until.saturating_duration_since(Instant::now())).await;
        let began = tools.now().to_string();
        let result = match target.apply(tools, &format!("fieldManager={OWNER}"), &object).await {
            Ok(_) => {
                apply::ready(tools, std::slice::from_ref(&target), until.saturating_duration_since(Instant::now()))
                    .await
            }
            Err(refusal) => {
                let place = format!("{}/{} {}", target.namespace, target.name, target.full_kind());
                Err(format!("server-side apply failed for object {place}: {}", refusal.message))
            }
        };
        let phase = if result.is_ok() { "Succeeded" } else { "Failed" };
        let ended = tools.now().to_string();
        stored.hooks[at]["last_run"] = json!({"started_at": began, "completed_at": ended, "phase": phase});
        let policy = object.annotation("helm.sh/hook-delete-policy").unwrap_or_default();
        let spent = if result.is_ok() { "hook-succeeded" } else { "hook-failed" };
        if policy.contains(spent) {
            target.delete(tools).await.map_err(|refusal| refusal.message)?;
        }
        result?;
    }
    Ok(())
}

/// A hook, as Helm keeps it.
pub fn kept(object: &Value) -> Value {
    let events: Vec<&str> = object.annotation(MARK).unwrap_or_default().split(',').map(str::trim).collect();
    let weight: i64 =
        object.annotation("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or_default();
    json!({
        "name": object.name(), "kind": object["kind"], "path": "templates/objects.yaml", "events": events, "weight": weight,
        "manifest": crate::kubernetes::representation::yaml::written(object), "last_run": {"phase": ""},
    })
}
