//! Networks, and pools of addresses in them as MetalLB's objects have them.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{
    description::{Description, Named, Pool},
    sets,
};
use crate::kubernetes::controllers::load_balancers::range;

/// Where MetalLB looks for its pools.
const NAMESPACE: &str = "metallb-system";

/// From its first address to its last.
pub type Range = (IpAddr, IpAddr);

/// The addresses of a network.
pub fn network(described: &Description, name: Option<&str>) -> Option<Range> {
    described.networks.get(name?).and_then(|text| range(text))
}

/// What is there of MetalLB in a cluster with these pools: nothing, if there are none.
pub fn objects(Named(pools): &Named<Pool>) -> Vec<Value> {
    if pools.is_empty() {
        return Vec::new();
    }
    let mut objects = sets::of("metallb").expect("it is one of the sets");
    objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}));
    for (name, pool) in pools {
        objects.push(object("IPAddressPool", "v1beta1", name, spec(pool)));
        objects.push(object("L2Advertisement", "v1beta1", name, json!({"ipAddressPools": [name]})));
    }
    objects
}

fn object(kind: &str, version: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": format!("metallb.io/{version}"),
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    })
}

fn spec(pool: &Pool) -> Value {
    let mut spec = json!({"addresses": pool.addresses()});
    let Pool::Described(described) = pool else { return spec };
    if let Some(automatic) = described.auto_assign {
        spec["autoAssign"] = json!(automatic);
    }
    if let Some(avoids) = described.avoid_buggy_ips {
        spec["avoidBuggyIPs"] = json!(avoids);
    }
    if !described.namespaces.is_empty() {
        spec["serviceAllocation"]["namespaces"] = json!(described.namespaces);
    }
    if let Some(priority) = described.priority {
        spec["serviceAllocation"]["priority"] = json!(priority);
    }
    spec
}

/// What doesn't fit together: for each, the pool, the number of its range, and why.
pub fn disagreements(Named(pools): &Named<Pool>, network: Option<Range>) -> Vec<(String, usize, String)> {
    let each = pools.iter().flat_map(|(name, pool)| {
        let ranges = pool.addresses().iter().enumerate();
        ranges.filter_map(move |(index, text)| Some((name, index, text, range(text)?)))
    });
    let mut before: Vec<(&String, &String, Range)> = Vec::new();
    let mut wrong = Vec::new();
    for (name, index, text, own) in each {
        if let Some((first, last)) = network
            && !(first <= own.0 && own.1 <= last)
        {
            wrong.push((name.clone(), index, format!("`{text}` is not in the cluster's network")));
        }
        if let Some((other, taken, _)) = before.iter().find(|(_, _, (first, last))| *first <= own.1 && own.0 <= *last) {
            wrong.push((name.clone(), index, format!("`{text}` overlaps `{taken}` of the pool `{other}`")));
        }
        before.push((name, text, own));
    }
    wrong
}
