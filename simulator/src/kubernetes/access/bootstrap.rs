//! The roles that every cluster begins with, as a real server makes them at its first start.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::{kubernetes::cluster::Cluster, packed};

const ROLES: &[u8] = include_bytes!("../data/roles-1.36.json.gz");

/// Puts the roles and bindings of a fresh server into a cluster.
pub fn furnish(cluster: &Cluster) {
    for (resource, objects) in read() {
        let resource = format!("{resource}.rbac.authorization.k8s.io");
        for object in objects.as_array().into_iter().flatten() {
            let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut object = object.clone();
            let now = json!(cluster.now());
            for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
                entry["time"] = now.clone();
            }
            cluster.begin_with(&resource, &text("/metadata/namespace"), &text("/metadata/name"), object);
        }
    }
}

/// By the plural.
fn read() -> &'static Map<String, Value> {
    static READ: OnceLock<Map<String, Value>> = OnceLock::new();
    READ.get_or_init(|| packed::read(ROLES))
}
