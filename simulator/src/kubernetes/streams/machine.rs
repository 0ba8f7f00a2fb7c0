//! The machine of a pod, as far as the API server can reach it.

use serde_json::Value;

use crate::kubernetes::{answer::Refusal, cluster::Cluster, controllers::fields::Fields as _, store::Key};

/// Where a kubelet listens if its machine doesn't say.
const KUBELET: i64 = 10250;

/// Why a kubelet can't be reached.
pub struct Unreachable {
    /// `10.0.0.7:10250`.
    pub address: String,
}

impl Unreachable {
    pub fn why(&self) -> String {
        format!("dial tcp {}: connect: no route to host", self.address)
    }
}

/// Looks whether the kubelet of a pod answers.
///
/// # Errors
/// If its machine is not there any more.
pub fn reach(cluster: &Cluster, pod: &Value) -> Result<Result<(), Unreachable>, Refusal> {
    let name = pod.text("/spec/nodeName");
    let key = Key { resource: "nodes".into(), namespace: String::new(), name: name.to_owned() };
    let node = cluster.store.get(&key).ok_or_else(|| Refusal::not_found("nodes", "", name))?;
    if !cluster.machines.is_off(name) {
        return Ok(Ok(()));
    }
    let addresses = node.list("/status/addresses");
    let own = addresses.iter().find(|address| address["type"] == "InternalIP").or(addresses.first());
    let port = match node.number("/status/daemonEndpoints/kubeletEndpoint/Port") {
        0 => KUBELET,
        port => port,
    };
    Ok(Err(Unreachable { address: format!("{}:{port}", own.map_or(name, |address| address.text("/address"))) }))
}
