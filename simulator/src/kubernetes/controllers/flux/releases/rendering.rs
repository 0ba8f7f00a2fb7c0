//! What a chart comes to for one release: definitions, objects with where they go, and hooks.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        super::{
            Tools,
            fields::{self, Fields},
        },
        apply::{self, Target},
        progress::Work,
    },
    OWNER, Wanted, hooks, name_of,
    storage::Stored,
    target_of,
};
use crate::kubernetes::charts::fill::{Release, merged};

/// The order in which kinds are installed; those that are not here come last.
const ORDER: [&str; 26] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "Ingress",
];

/// What a chart comes to for one release.
pub struct Rendered {
    pub definitions: Vec<Value>,
    /// Objects, one part after the other, with how long each takes.
    pub parts: Vec<(Duration, Vec<(Target, Value)>)>,
    pub hooks: Vec<Value>,
}

impl Rendered {
    pub fn targets(&self) -> Vec<(Target, Value)> {
        let mut all: Vec<_> = self.parts.iter().flat_map(|(_, part)| part.iter().cloned()).collect();
        all.sort_by_key(|(target, _)| rank(&target.kind));
        all
    }
}

/// Renders the chart, and makes the kinds that it brings along.
///
/// # Errors
/// In Helm's words.
pub async fn render(work: &Work<'_>, wanted: &Wanted, stored: &Stored) -> Result<Rendered, String> {
    let values = merged(wanted.chart.values.clone(), &wanted.values);
    let release = Release { name: &stored.name, namespace: &stored.namespace, chart: &wanted.chart, values: &values };
    let mut rendered = Rendered { definitions: Vec::new(), parts: Vec::new(), hooks: Vec::new() };
    let mut parts = release.parts();
    for (_, objects) in &mut parts {
        rendered.definitions.extend(objects.extract_if(.., |object| object["kind"] == "CustomResourceDefinition"));
        rendered
            .hooks
            .extend(objects.extract_if(.., |object| hooks::is_hook(object)).map(|object| hooks::kept(&object)));
    }
    define(work, stored.version == 1, &rendered.definitions).await?;
    for (takes, objects) in parts {
        let objects: Vec<Value> = objects.into_iter().map(|object| owned(work, object)).collect();
        rendered.parts.push((takes, targets(work.tools, &objects, &stored.namespace)?));
    }
    Ok(rendered)
}

/// Objects with where they go.
///
/// # Errors
/// In Helm's words, if one is of a kind that is not there.
pub fn targets(tools: &Tools, objects: &[Value], namespace: &str) -> Result<Vec<(Target, Value)>, String> {
    let placed = objects.iter().map(|object| {
        let target = Target::of(tools, object, namespace).ok_or_else(|| {
            format!(
                "unable to build kubernetes objects from release manifest: resource mapping not found for name: {:?} namespace: \
                 {:?} from \"\": no matches for kind {:?} in version {:?}\nensure CRDs are installed first",
                object.name(), object.namespace(), object.text("/kind"), object.text("/apiVersion"),
            )
        })?;
        Ok((target, object.clone()))
    });
    placed.collect()
}

/// Makes the kinds that a chart brings along, as the release says: at an install, else only if it wants that.
async fn define(work: &Work<'_>, first: bool, definitions: &[Value]) -> Result<(), String> {
    let policy = match first {
        true => work.object.at("/spec/install/crds").as_str().unwrap_or("Create"),
        false => work.object.at("/spec/upgrade/crds").as_str().unwrap_or("Skip"),
    };
    if policy == "Skip" || definitions.is_empty() {
        return Ok(());
    }
    let targets = targets(work.tools, definitions, "")?;
    for (target, object) in &targets {
        if policy == "Create" && target.live(work.tools).is_some() {
            continue;
        }
        let query = format!("fieldManager={OWNER}&force=true");
        target.apply(work.tools, &query, object).await.map_err(|refusal| refusal.message)?;
    }
    let targets: Vec<Target> = targets.into_iter().map(|(target, _)| target).collect();
    apply::ready(work.tools, &targets, Duration::from_secs(60)).await
}

/// An object with whose it is.
pub fn owned(work: &Work<'_>, mut object: Value) -> Value {
    let labels = fields::map(&mut object["metadata"], "labels");
    for (key, value) in [
        ("app.kubernetes.io/managed-by", "Helm"),
        ("helm.toolkit.fluxcd.io/name", work.object.name()),
        ("helm.toolkit.fluxcd.io/namespace", work.object.namespace()),
    ] {
        labels.insert(key.to_owned(), json!(value));
    }
    let annotations = fields::map(&mut object["metadata"], "annotations");
    annotations.insert("meta.helm.sh/release-name".to_owned(), json!(name_of(&work.object)));
    annotations.insert("meta.helm.sh/release-namespace".to_owned(), json!(target_of(&work.object)));
    object
}

/// The same as it stands in the manifest that is stored.
pub fn unowned(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
        labels.remove("app.kubernetes.io/managed-by");
    }
    let metadata = fields::map(&mut object, "metadata");
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !key.starts_with("meta.helm.sh/"));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    object
}

/// Where a kind stands in the order of an install.
pub fn rank(kind: &str) -> usize {
    ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len())
}
