//! The pods behind a name: a pod's own, or `kind/name` of a workload.

use super::{
    client::Cluster,
    explain::selector,
    object::{condition, name, text},
};
use crate::script::{
    fault::{Fault, Kind},
    values::tree::Tree,
};

impl Cluster {
    /// The pods that `target` stands for.
    ///
    /// # Errors
    /// `not_found`, if there is no such thing or it has no pods.
    pub async fn pods_behind(&self, namespace: &str, target: &str) -> Result<Vec<Tree>, Fault> {
        let (kind, name) = target.rsplit_once('/').unwrap_or(("pods", target));
        let resource = self.resolve(kind).await?;
        let pods = self.pods_of(&self.read(&resource, namespace, name).await?).await?;
        match pods.is_empty() {
            true => Err(Fault::new(Kind::NotFound, format!("`{target}` in `{namespace}` has no pods"))),
            false => Ok(pods),
        }
    }

    /// What selects the pods that `target` stands for; nothing if it selects none, as a pod itself.
    ///
    /// # Errors
    /// `not_found`, if there is no such thing.
    pub async fn selector_of(&self, namespace: &str, target: &str) -> Result<Option<String>, Fault> {
        let (kind, name) = target.rsplit_once('/').unwrap_or(("pods", target));
        Ok(selector(&self.read(&self.resolve(kind).await?, namespace, name).await?))
    }

    /// The name of a pod behind `target` that is ready. A pod that is named itself needn't be.
    ///
    /// # Errors
    /// `not_found`, or `unavailable` if none is ready.
    pub async fn ready_pod(&self, namespace: &str, target: &str) -> Result<String, Fault> {
        if let Some(pod) = Some(target.strip_prefix("pod/").unwrap_or(target)).filter(|pod| !pod.contains('/')) {
            return Ok(pod.to_owned());
        }
        let pods = self.pods_behind(namespace, target).await?;
        let ready = pods.iter().find(|pod| is_ready(pod));
        ready.map(|pod| name(pod).to_owned()).ok_or_else(|| none_ready(namespace, target))
    }
}

/// The fault for something of which no pod is ready.
pub fn none_ready(namespace: &str, target: &str) -> Fault {
    Fault::new(Kind::Unavailable, format!("no pod behind `{target}` in `{namespace}` is ready"))
        .hint("`wait` for it to be ready first")
}

/// True if the pod is ready, and to stay.
pub fn is_ready(pod: &Tree) -> bool {
    text(pod, &["metadata", "deletionTimestamp"]).is_none()
        && condition(pod, "Ready").is_some_and(|ready| text(ready, &["status"]) == Some("True"))
}
