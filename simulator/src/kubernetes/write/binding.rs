//! Putting a pod on a node: `POST …/pods/NAME/binding`.

use serde_json::{Value, json};

use super::Write;
use crate::kubernetes::{
    answer::Refusal,
    decoding,
    rules::field::{Field, required},
};

impl Write<'_> {
    /// # Errors
    /// If the pod is not there, on its way out, or on a node already.
    pub async fn bind(&self, name: &str) -> Result<(u16, Value), Refusal> {
        decoding::takes(self.request)?;
        self.request.check_options("CreateOptions")?;
        let binding = self.in_its_place(self.given()?, None)?;
        if binding["metadata"]["name"] != name {
            return Err(Refusal::bad_request("name in URL does not match name in Binding object"));
        }
        check(&binding)?;
        let key = self.key(name);
        let there = self.cluster.store.get(&key).ok_or_else(|| self.not_found(name))?;
        let refused = |why: &str| Err(Refusal::conflict("pods/binding", "", name, why));
        let metadata = &there["metadata"];
        if binding["metadata"]["uid"].as_str().is_some_and(|uid| !uid.is_empty() && metadata["uid"] != uid) {
            let (wanted, found) = (binding["metadata"]["uid"].as_str(), metadata["uid"].as_str());
            let (wanted, found) = (wanted.unwrap_or_default(), found.unwrap_or_default());
            return refused(&format!(
                "Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
            ));
        }
        if !metadata["deletionTimestamp"].is_null() {
            return refused(&format!("pod {name} is being deleted, cannot be assigned to a host"));
        }
        if let Some(node) = there["spec"]["nodeName"].as_str().filter(|node| !node.is_empty()) {
            return refused(&format!("pod {name} is already assigned to node \"{node}\""));
        }
        if there["spec"]["schedulingGates"].is_array() {
            return refused(&format!("pod {name} has non-empty .spec.schedulingGates"));
        }
        let mut pod = (*there).clone();
        pod["spec"]["nodeName"] = binding["target"]["name"].clone();
        for (key, value) in binding["metadata"]["labels"].as_object().into_iter().flatten() {
            pod["metadata"]["labels"][key] = value.clone();
        }
        let conditions = &mut pod["status"]["conditions"];
        if !conditions.is_array() {
            *conditions = json!([]);
        }
        if let Some(conditions) = conditions.as_array_mut() {
            let scheduled = json!({
                "type": "PodScheduled",
                "status": "True",
                "lastProbeTime": null,
                "lastTransitionTime": self.cluster.now(),
            });
            match conditions.iter_mut().find(|known| known["type"] == "PodScheduled") {
                Some(known) => *known = scheduled,
                None => conditions.push(scheduled),
            }
        }
        self.cluster.store.put(&key, Some(&there), pod).map_err(|_| self.modified(name))?;
        Ok((201, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
    }
}

/// The server tells what is wrong with a binding as if it had failed at it.
fn check(binding: &Value) -> Result<(), Refusal> {
    let (kind, name) = (Field::of(binding, "target.kind"), Field::of(binding, "target.name"));
    let mut wrong = Vec::new();
    if !matches!(kind.text(), "" | "Node") {
        wrong.push(kind.unsupported(&["Node", "<empty>"]));
    }
    wrong.extend(required(&name, ""));
    let told: Vec<String> = wrong.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    match told.as_slice() {
        [] => Ok(()),
        [one] => Err(Refusal::failed(one)),
        many => Err(Refusal::failed(format!("[{}]", many.join(", ")))),
    }
}
