//! Pods.

mod addresses;
mod admission;
mod change;
mod quality;
mod resize;
mod whole;

use serde_json::{Value, json};

use super::{
    Rules,
    field::Field,
    fill::{fill, items, keep},
    pod_spec,
};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    cluster::Cluster,
};

pub struct Pods;

impl Rules for Pods {
    fn warnings(&self, pod: &Value) -> Vec<String> {
        let name = pod_spec::warnings::of_name(pod, "the Pod's hostname");
        name.into_iter().chain(pod_spec::warnings::of(&Field::whole(pod))).collect()
    }

    fn warnings_of_change(&self, _pod: &Value, _there: &Value) -> Vec<String> {
        Vec::new()
    }

    fn shows_deleted(&self) -> bool {
        true
    }

    /// As long as the pod itself says, unless it doesn't run anyway.
    fn grace(&self, pod: &Value, asked: Option<i64>) -> Option<i64> {
        let scheduled = pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
        let over = matches!(pod["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
        let seconds = asked.or_else(|| pod["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or_default();
        match scheduled && !over {
            true if seconds < 0 => Some(1),
            true => Some(seconds),
            false => Some(0),
        }
    }

    fn fill_in(&self, pod: &mut Value) {
        let spec = &mut pod["spec"];
        pod_spec::fill_in(spec);
        fill(spec, json!({"enableServiceLinks": true}));
        // Templates may say less than nothing.
        if spec["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
            spec["terminationGracePeriodSeconds"] = json!(1);
        }
        let on_host = spec["hostNetwork"] == true;
        for list in ["initContainers", "containers"] {
            for container in items(spec, list) {
                let limits = container["resources"]["limits"].clone();
                if limits.is_object() {
                    fill(&mut container["resources"], json!({"requests": limits}));
                }
                for port in items(container, "ports").filter(|_| on_host) {
                    let number = port["containerPort"].clone();
                    fill(port, json!({"hostPort": number}));
                }
            }
        }
        whole::fill_in(spec);
        pod.get_mut("status").into_iter().for_each(addresses::fill_in);
    }

    fn admit_new(&self, pod: &mut Value, given: &Value, cluster: &Cluster) -> Result<(), Refusal> {
        admission::admit(pod, given, cluster)
    }

    fn prepare_new(&self, pod: &mut Value, _cluster: &Cluster) {
        let mut status = json!({"phase": "Pending", "qosClass": quality::of(&pod["spec"])});
        if pod["spec"]["schedulingGates"].is_array() {
            status["conditions"] = json!([{
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": null,
                "lastTransitionTime": pod["metadata"]["creationTimestamp"],
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
            }]);
        }
        pod["status"] = status;
    }

    fn check(&self, pod: &Value) -> Vec<Cause> {
        let name = pod["metadata"]["name"].as_str();
        let spec = Field::of(pod, "spec");
        let mut wrong = Vec::from_iter(pod_spec::cost(&Field::of(pod, "metadata.annotations")));
        wrong.extend(pod_spec::check(&spec, Some(name.unwrap_or_default())));
        wrong.extend(pod_spec::check_images(&spec));
        wrong
    }

    fn prepare_change(&self, pod: &mut Value, there: &Value, _cluster: &Cluster) {
        let spec = &mut pod["spec"];
        admission::give_patience(spec);
        for field in ["priority", "preemptionPolicy"] {
            if spec[field].is_null() {
                keep(spec, field, &there["spec"]);
            }
        }
    }

    fn check_change(&self, pod: &Value, there: &Value) -> Vec<Cause> {
        change::check(pod, there)
    }

    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "status" => vec!["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
            "" => vec!["status"],
            // Such a write leaves almost all alone, and who makes it owns what it brings all the same.
            _ => Vec::new(),
        }
    }

    fn prepare_part(&self, part: &str, pod: &mut Value, there: &Value, _cluster: &Cluster) {
        match part {
            "ephemeralcontainers" => change::only_ephemeral(pod, there),
            "resize" => resize::only_resources(pod, there),
            _ if pod["status"]["qosClass"].is_null() => keep(&mut pod["status"], "qosClass", &there["status"]),
            _ => {}
        }
    }

    fn check_part(&self, part: &str, pod: &Value, there: &Value) -> Vec<Cause> {
        match part {
            "ephemeralcontainers" => [self.check(pod), change::ephemeral(pod, there)].concat(),
            "resize" => resize::check(pod, there, self.check(pod)),
            _ => change::status(pod, there),
        }
    }

    fn check_new(&self, pod: &Value) -> Vec<Cause> {
        let spec = Field::of(pod, "spec");
        let (ephemeral, node) = (spec.at("ephemeralContainers"), spec.at("nodeName"));
        let mut wrong = Vec::new();
        if ephemeral.is_set() {
            wrong.push(ephemeral.forbidden("cannot be set on create"));
        }
        if !node.is_empty() && spec.at("schedulingGates").is_set() {
            wrong.push(node.forbidden("cannot be set until all schedulingGates have been cleared"));
        }
        wrong
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn selectable(&self) -> Vec<&str> {
        vec![
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ]
    }
}
