//! What a Kustomization puts into its cluster, in an order, and takes away again.

use serde_json::{Value, json};

use super::{
    super::{
        super::fields::Fields,
        apply::{self, Target},
        progress::Work,
    },
    Build, Failed, LEAST,
};
use crate::kubernetes::answer::Refusal;

const OWNER: &str = "kustomize-controller";
/// The order in which kinds are applied, all others between the last two of these groups.
const EARLY: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LATE: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Applies it all, and takes away what was there before and is no more.
pub async fn applied(work: &mut Work<'_>, build: &Build) -> Result<Vec<Target>, Failed> {
    let tools = work.tools;
    let wrong = |what: String| ("ReconciliationFailed", format!("{what}\n"));
    let default = work.object.namespace().to_owned();
    let (mut targets, mut lines) = (Vec::new(), Vec::new());
    for object in &build.objects {
        let shown_as = match object.namespace() {
            "" => format!("{}/{}", object.text("/kind"), object.name()),
            namespace => format!("{}/{namespace}/{}", object.text("/kind"), object.name()),
        };
        let Some(target) = Target::of(tools, object, &default) else {
            let missing =
                format!("no matches for kind {:?} in version {:?}", object.text("/kind"), object.text("/apiVersion"));
            return Err(wrong(format!("{shown_as} dry-run failed: {missing}")));
        };
        targets.push(target.clone());
        if let Some(line) = apply_one(work, &target, object).await.map_err(wrong)? {
            lines.push(line);
        }
        // What is of a kind that was only just made waits for it.
        if target.kind == "CustomResourceDefinition" {
            apply::ready(tools, std::slice::from_ref(&target), LEAST).await.map_err(wrong)?;
        }
    }
    if !lines.is_empty() {
        work.tell("Normal", "Progressing", &lines.join("\n"), &build.marks()).await;
    }
    let entries: Vec<Value> = targets.iter().map(Target::entry).collect();
    let old = work.object.list("/status/inventory/entries").to_vec();
    work.status().insert("inventory".to_owned(), json!({ "entries": entries }));
    if work.object.flag("/spec/prune") {
        let left: Vec<&Value> =
            old.iter().filter(|entry| !entries.iter().any(|new| new["id"] == entry["id"])).collect();
        let lines = pruned(work, &left).await.map_err(|refusal| ("PruneFailed", refusal.message))?;
        if !lines.is_empty() {
            work.tell("Normal", "Progressing", &lines.join("\n"), &build.marks()).await;
        }
    }
    Ok(targets)
}

/// Applies one object; what that did, if anything.
async fn apply_one(work: &Work<'_>, target: &Target, object: &Value) -> Result<Option<String>, String> {
    let tools = work.tools;
    let annotation =
        |key: &str| object.annotation(&format!("kustomize.toolkit.fluxcd.io/{key}")).unwrap_or_default().to_lowercase();
    let live = target.live(tools);
    let ssa = annotation("ssa");
    let off =
        live.as_deref().and_then(|live| live.annotation("kustomize.toolkit.fluxcd.io/reconcile")) == Some("disabled");
    if off || ssa == "ignore" || (ssa == "ifnotpresent" && live.is_some()) {
        return Ok(None);
    }
    let shown = target.shown();
    let query = format!("fieldManager={OWNER}&force=true");
    let refused = |refusal: &Refusal| match refusal.reason {
        "NotFound" => format!("{shown} not found: {}", refusal.message),
        "" => format!("{shown} dry-run failed: {}", refusal.message),
        reason => format!("{shown} dry-run failed ({reason}): {}", refusal.message),
    };
    let changed = match target.apply(tools, &format!("{query}&dryRun=All"), object).await {
        Ok(dry) => live.as_deref().is_none_or(|live| apply::plain(live) != apply::plain(&dry)),
        Err(refusal)
            if refusal.message.contains("immutable")
                && (work.object.flag("/spec/force") || annotation("force") == "enabled") =>
        {
            target.delete(tools).await.map_err(|refusal| refused(&refusal))?;
            apply::gone(tools, std::slice::from_ref(target), LEAST).await;
            target.apply(tools, &query, object).await.map_err(|refusal| refused(&refusal))?;
            return Ok(Some(format!("{shown} created")));
        }
        Err(refusal) => return Err(refused(&refusal)),
    };
    if !changed {
        return Ok(None);
    }
    target.apply(tools, &query, object).await.map_err(|refusal| refused(&refusal))?;
    Ok(Some(format!("{shown} {}", if live.is_some() { "configured" } else { "created" })))
}

pub async fn pruned(work: &Work<'_>, entries: &[&Value]) -> Result<Vec<String>, Refusal> {
    let mut lines = Vec::new();
    for entry in entries {
        let Some(target) = Target::of_entry(work.tools, entry) else { continue };
        let Some(live) = target.live(work.tools) else { continue };
        let own = live.label("kustomize.toolkit.fluxcd.io/name") == Some(work.object.name());
        let kept = ["prune", "reconcile"].iter().any(|key| {
            live.annotation(&format!("kustomize.toolkit.fluxcd.io/{key}"))
                .is_some_and(|set| set.eq_ignore_ascii_case("disabled"))
        });
        if own && !kept && target.delete(work.tools).await? {
            lines.push(format!("{} deleted", target.shown()));
        }
    }
    Ok(lines)
}

pub fn rank(kind: &str) -> usize {
    let late = LATE.iter().position(|known| *known == kind).map(|at| EARLY.len() + 1 + at);
    late.or_else(|| EARLY.iter().position(|known| *known == kind)).unwrap_or(EARLY.len())
}
