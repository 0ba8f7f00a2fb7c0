//! What a cluster has from its start: classes of priority, flows of requests, and who answers for which group.

use serde_json::{Value, json};

use super::{cluster::Cluster, store::Key};
use crate::packed;

/// What a real server of this version has right after its start, without what it draws by lot and without times.
const OBJECTS: &[u8] = include_bytes!("data/fresh-1.36.json.gz");

/// Where the objects of a kind are kept.
const KEPT: [(&str, &str); 4] = [
    ("APIService", "apiservices.apiregistration.k8s.io"),
    ("FlowSchema", "flowschemas.flowcontrol.apiserver.k8s.io"),
    ("PriorityClass", "priorityclasses.scheduling.k8s.io"),
    ("PriorityLevelConfiguration", "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"),
];

/// Puts into a new cluster what every cluster has.
///
/// # Panics
/// If the data in this program is damaged.
pub fn furnish(cluster: &Cluster) {
    for mut object in packed::read::<Vec<Value>>(OBJECTS) {
        let kept = KEPT.iter().find(|(kind, _)| object["kind"] == *kind).expect("each of its kinds is known");
        let now = cluster.now();
        let lists = [("/metadata/managedFields", "time"), ("/status/conditions", "lastTransitionTime")];
        for (list, time) in lists {
            let entries = object.pointer_mut(list).and_then(Value::as_array_mut);
            entries.into_iter().flatten().for_each(|entry| entry[time] = json!(now));
        }
        object["metadata"]["uid"] = json!(cluster.uid());
        object["metadata"]["creationTimestamp"] = json!(now);
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let key = Key { resource: kept.1.into(), namespace: String::new(), name };
        cluster.store.put(&key, None, object).expect("each object is in the data once");
    }
}
