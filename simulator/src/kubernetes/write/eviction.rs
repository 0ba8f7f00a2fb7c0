//! Asking a pod to go, if its budget allows it: `POST …/pods/NAME/eviction`.

use serde_json::{Value, json};

use super::Write;
use crate::kubernetes::{
    answer::{Cause, Refusal},
    decoding,
    request::{Request, Sent},
    selector::Labels,
    store::Key,
};

const BUDGETS: &str = "poddisruptionbudgets.policy";
const REFUSED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

impl Write<'_> {
    /// # Errors
    /// If the pod is not there, or its budget doesn't allow it.
    pub async fn evict(&self, name: &str) -> Result<(u16, Value), Refusal> {
        decoding::takes(self.request)?;
        self.request.check_options("CreateOptions")?;
        let eviction = self.in_its_place(self.given()?, None)?;
        if eviction["metadata"]["name"] != name {
            return Err(Refusal::bad_request("name in URL does not match name in Eviction object"));
        }
        let key = self.key(name);
        let there = self.cluster.store.get(&key).ok_or_else(|| self.not_found(name))?;
        let ended = matches!(there["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Pending"));
        if !ended && there["metadata"]["deletionTimestamp"].is_null() {
            self.spend(name, &there)?;
        }
        let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
        if self.dry_run() {
            return Ok((201, done));
        }
        let mut pod = (*there).clone();
        disrupted(&mut pod, &self.cluster.now());
        self.cluster.store.put(&key, Some(&there), pod).map_err(|_| self.modified(name))?;
        let options = match &eviction["deleteOptions"] {
            Value::Null => json!({}),
            options => options.clone(),
        };
        let sent = Sent {
            method: http::Method::DELETE,
            path: &self.request.path,
            query: "",
            headers: self.request.headers.clone(),
            body: options.to_string().into(),
        };
        let deletion = Request::new(sent, self.request.user.clone());
        Write { part: "", request: &deletion, ..*self }.delete(name).await?;
        Ok((201, done))
    }

    /// Takes one from what the pod's budget allows.
    fn spend(&self, name: &str, pod: &Value) -> Result<(), Refusal> {
        let (_, budgets) = self.cluster.store.list(&BUDGETS.into(), self.namespace);
        let mut own = budgets.into_iter().filter(|(_, budget)| {
            let selector = &budget["spec"]["selector"];
            selector.is_object() && Labels::of(selector).select(pod)
        });
        let Some((key, budget)) = own.next() else { return Ok(()) };
        if own.next().is_some() {
            return Err(Refusal::failed(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ));
        }
        let count = |name: &str| budget["status"][name].as_i64().unwrap_or_default();
        let (healthy, desired) = (count("currentHealthy"), count("desiredHealthy"));
        if !is_ready(pod) {
            let always = budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow";
            if always || healthy >= desired && desired > 0 {
                return Ok(());
            }
        }
        let called = &key.name;
        if count("observedGeneration") < budget["metadata"]["generation"].as_i64().unwrap_or_default() {
            let why = format!("The disruption budget {called} is still being processed by the server.");
            return Err(too_many(&why, Some(10)));
        }
        if count("disruptionsAllowed") <= 0 {
            let why = match healthy <= desired {
                true => {
                    format!("The disruption budget {called} needs {desired} healthy pods and has {healthy} currently")
                }
                false => format!("The disruption budget {called} does not allow evicting pods currently"),
            };
            return Err(too_many(&why, None));
        }
        if self.dry_run() {
            return Ok(());
        }
        self.take_one(&key, &budget, name)
    }

    fn take_one(&self, key: &Key, budget: &std::sync::Arc<Value>, pod: &str) -> Result<(), Refusal> {
        let mut spent = (**budget).clone();
        let left = budget["status"]["disruptionsAllowed"].as_i64().unwrap_or_default() - 1;
        spent["status"]["disruptionsAllowed"] = json!(left);
        spent["status"]["disruptedPods"][pod] = json!(self.cluster.now());
        let put = self.cluster.store.put(key, Some(budget), spent);
        put.map(drop).map_err(|_| {
            too_many(&format!("The disruption budget {} is still being processed by the server.", key.name), Some(10))
        })
    }
}

fn too_many(why: &str, after: Option<u64>) -> Refusal {
    let cause = Cause { reason: "DisruptionBudget", message: why.to_owned(), field: String::new() };
    Refusal::too_many_requests(REFUSED, after, vec![cause])
}

fn is_ready(pod: &Value) -> bool {
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Notes why a pod goes.
fn disrupted(pod: &mut Value, now: &str) {
    let condition = json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastProbeTime": null,
        "lastTransitionTime": now,
    });
    let conditions = &mut pod["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.retain(|known| known["type"] != "DisruptionTarget");
        conditions.push(condition);
    }
}
