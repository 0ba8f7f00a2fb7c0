//! PodDisruptionBudgets: what is said of them.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, fields, is_observed, workload},
};

const BUDGETS: &str = "/apis/policy/v1/namespaces/SPACE/poddisruptionbudgets";
const WEB: &str = "/apis/policy/v1/namespaces/SPACE/poddisruptionbudgets/web";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";

bodies! {
    some_may_go_while_enough_are_left
    none_may_go_where_all_are_needed
    shares_are_of_what_is_wanted
    so_many_may_be_missing
    a_budget_without_pods_allows_nothing
    pods_that_come_later_count
}

fn budget(spec: Value) -> Value {
    let mut spec = spec;
    spec["selector"] = json!({"matchLabels": {"app": "web"}});
    json!({"metadata": {"name": "web"}, "spec": spec})
}

fn settled(arm: &Arm, healthy: u64) {
    arm.settle(WEB, |budget| {
        let is_so = is_observed(budget) && budget["status"]["currentHealthy"] == healthy;
        is_so.then(|| fields(budget, &["/status"]))
    });
}

fn with(arm: &Arm, replicas: u64, spec: Value) {
    arm.make(DEPLOYMENTS, workload("web", replicas));
    arm.look_until(&format!("{DEPLOYMENTS}/web"), |answer| answer.body["status"]["readyReplicas"] == replicas);
    arm.make(BUDGETS, budget(spec));
    settled(arm, replicas);
}

fn some_may_go_while_enough_are_left(arm: &Arm) {
    with(arm, 3, json!({"minAvailable": 1}));
}

fn none_may_go_where_all_are_needed(arm: &Arm) {
    with(arm, 2, json!({"minAvailable": "100%"}));
}

fn shares_are_of_what_is_wanted(arm: &Arm) {
    with(arm, 3, json!({"minAvailable": "50%"}));
}

fn so_many_may_be_missing(arm: &Arm) {
    with(arm, 3, json!({"maxUnavailable": 1}));
}

fn a_budget_without_pods_allows_nothing(arm: &Arm) {
    arm.make(BUDGETS, budget(json!({"maxUnavailable": "50%"})));
    settled(arm, 0);
}

fn pods_that_come_later_count(arm: &Arm) {
    arm.make(BUDGETS, budget(json!({"minAvailable": 1})));
    settled(arm, 0);
    arm.make(DEPLOYMENTS, workload("web", 2));
    settled(arm, 2);
}
