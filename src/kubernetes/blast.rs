//! The blast radius of a deletion: what dies with an object.

use super::{
    client::Cluster,
    discovery::Resource,
    object::{at, items, text},
};
use crate::script::{fault::Fault, values::tree::Tree};

/// Kinds of which it is worth saying how many die with their namespace.
const COUNTED: &[&str] =
    &["pods", "deployments", "statefulsets", "services", "persistentvolumeclaims", "secrets", "configmaps"];

/// What a deletion takes away for good, a line each; none for what can be made again from its manifest.
pub async fn radius(
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<Option<Vec<String>>, Fault> {
    if resource.is_core("persistentvolumeclaims") || resource.is_core("persistentvolumes") {
        return Ok(Some(vec!["its data".to_owned()]));
    }
    if resource.is_core("namespaces") {
        let mut lines = Vec::new();
        for kind in COUNTED {
            let counted = cluster.resolve(kind).await?;
            match (kind, cluster.count(&counted, Some(name)).await) {
                (_, Ok(0)) => {}
                (_, Ok(1)) => lines.push(format!("1 {}", counted.shown())),
                (kind, Ok(count)) => lines.push(format!("{count} {kind}")),
                (kind, Err(_)) => lines.push(format!("{kind}, which this user may not count")),
            }
        }
        return Ok(Some(lines));
    }
    if resource.plural == "customresourcedefinitions" {
        let Some(definition) = cluster.find(resource, namespace, name).await? else { return Ok(None) };
        let mut lines = Vec::new();
        let kind = text(&definition, &["spec", "names", "kind"]).unwrap_or_default();
        let group = text(&definition, &["spec", "group"]).unwrap_or_default();
        let served = items(&definition, &["spec", "versions"])
            .iter()
            .find(|version| matches!(at(version, &["served"]), Some(Tree::Bool(true))));
        let version = served.and_then(|version| text(version, &["name"])).unwrap_or_default();
        if let Ok(instances) = cluster.resolve(&format!("{group}/{version}/{kind}")).await {
            match cluster.count(&instances, None).await {
                Ok(0) | Err(_) => {}
                Ok(1) => lines.push(format!("the only {}", instances.shown())),
                Ok(count) => lines.push(format!("all {count} {}", instances.full_name())),
            }
        }
        return Ok(Some(lines));
    }
    Ok(None)
}
