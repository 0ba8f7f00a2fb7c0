//! A control plane as it is right after its start.

use std::sync::Arc;

use serde_json::json;

use super::{access, cluster::Cluster, controllers, custom, fresh};
use crate::time::Calendar;

/// Starts a cluster with what every cluster has, and its controllers. To be called on the world's thread.
pub fn begin(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = without_controllers(calendar, seed);
    controllers::start(&cluster);
    cluster
}

/// The same without controllers, for those of somebody else. To be called on the world's thread.
pub fn without_controllers(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = Arc::new(Cluster::empty(calendar, seed));
    for namespace in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        cluster.begin_with("namespaces", "", namespace, json!({"apiVersion": "v1", "kind": "Namespace"}));
    }
    custom::start(&cluster);
    access::furnish(&cluster);
    fresh::furnish(&cluster);
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
        "status": {"loadBalancer": {}},
    });
    cluster.begin_with("services", "default", "kubernetes", service);
    cluster
}
