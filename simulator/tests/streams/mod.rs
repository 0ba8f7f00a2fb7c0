//! What pods write, run and listen to, as the world says.

mod logs;
mod proxies;

use std::sync::Arc;

use serde_json::{Value, json};
use simulator::{
    kubernetes::{behaviour::Rule, cluster::Cluster, control_plane},
    time::Calendar,
};

use super::arms::{Arm, simulated};

const PODS: &str = "/api/v1/namespaces/SPACE/pods";

/// What containers of these images do.
const RULES: &str = include_str!("rules.json");

fn begin(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = control_plane::begin(calendar, seed);
    cluster.machines.behave(serde_json::from_str::<Vec<Rule>>(RULES).unwrap());
    cluster
}

fn arm() -> Arm {
    let arm = simulated::arm_of("streams", begin);
    arm.look_until("/api/v1/namespaces/SPACE/serviceaccounts/default", |answer| answer.code == 200);
    arm
}

/// Makes a pod, and looks until what is said of it is so.
#[track_caller]
fn pod(arm: &Arm, name: &str, spec: Value, until: impl Fn(&Value) -> bool) {
    let created = arm.create(PODS, json!({"metadata": {"name": name}, "spec": spec}));
    assert_eq!(created.code, 201, "{}", created.body);
    arm.look_until(&format!("{PODS}/{name}"), |answer| until(&answer.body["status"]));
}

fn is_running(status: &Value) -> bool {
    status["phase"] == "Running"
}
