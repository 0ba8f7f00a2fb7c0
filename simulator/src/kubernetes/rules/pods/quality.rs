//! How sure a pod can be of what it asks for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kubernetes::quantity::Quantity;

/// The class of the quality of service that a pod gets.
pub fn of(spec: &Value) -> &'static str {
    let whole = spec.get("resources").filter(|resources| !resources.is_null());
    let containers = ["containers", "initContainers"].iter().flat_map(|list| spec[*list].as_array()).flatten();
    let asked: Vec<&Value> = match whole {
        Some(resources) => vec![resources],
        None => containers.map(|container| &container["resources"]).collect(),
    };
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let mut limited = true;
    for resources in asked {
        add(&mut requests, &resources["requests"]);
        let found = add(&mut limits, &resources["limits"]);
        limited &= found == 2 || whole.is_some() && found == 0 && resources["limits"].is_null();
    }
    match (requests.is_empty() && limits.is_empty(), limited && requests == limits) {
        (true, _) => "BestEffort",
        (false, true) => "Guaranteed",
        (false, false) => "Burstable",
    }
}

/// Adds what there is of CPU and memory; the answer is how many of the two there are.
fn add(to: &mut BTreeMap<&'static str, Quantity>, amounts: &Value) -> usize {
    let mut found = 0;
    for resource in ["cpu", "memory"] {
        if let Ok(amount) = Quantity::read(&amounts[resource])
            && amount > Quantity::ZERO
        {
            let sum = to.entry(resource).or_insert(Quantity::ZERO);
            *sum = *sum + amount;
            found += 1;
        }
    }
    found
}
