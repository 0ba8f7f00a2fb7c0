//! Deployments: what their controller makes of them.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{each, events, fields, is_observed, reason, workload},
};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/SPACE/deployments/web";
const SETS: &str = "/apis/apps/v1/namespaces/SPACE/replicasets";

bodies! {
    it_makes_a_replica_set_that_makes_pods
    a_new_image_rolls_from_one_replica_set_to_another
    going_back_takes_the_old_replica_set_again
    more_and_fewer_pods_are_no_new_revision
    a_paused_one_scales_and_does_not_roll
    recreate_stops_the_old_pods_first
    old_replica_sets_are_kept_as_far_as_the_limit_says
    pods_that_are_ready_for_too_short_a_time_are_not_available
    a_surge_is_as_large_as_it_may_be
    without_a_surge_old_pods_go_first
    shares_of_pods_are_rounded_up_for_a_surge_and_down_for_what_may_be_missing
    what_does_not_progress_in_time_says_so
    annotations_come_to_the_replica_set
    scaling_while_it_rolls_is_shared_out
    nothing_wanted_is_complete_at_once
}

fn create(arm: &Arm, more: Value) -> Value {
    let mut object = workload("web", 3);
    for (field, value) in more.as_object().into_iter().flatten() {
        object["spec"][field] = value.clone();
    }
    let created = arm.exchange("POST", &placed(arm, DEPLOYMENTS), "application/json", &object);
    assert_eq!(created.code, 201, "{:#}", created.body);
    created.body
}

fn placed(arm: &Arm, path: &str) -> String {
    path.replace("SPACE", &arm.space)
}

fn patch(arm: &Arm, patch: Value) {
    let patched = arm.exchange("PATCH", &placed(arm, WEB), "application/merge-patch+json", &patch);
    assert_eq!(patched.code, 200, "{:#}", patched.body);
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
}

fn told(deployment: &Value) -> Value {
    let mut told = fields(deployment, &["/metadata/annotations", "/metadata/generation", "/status"]);
    // They come in the order in which they last changed, which is a matter of moments.
    if let Some(conditions) = told["/status"]["conditions"].as_array_mut() {
        conditions.sort_by_key(|condition| condition["type"].to_string());
    }
    told
}

fn settled(arm: &Arm, is_so: impl Fn(&Value) -> bool) {
    arm.settle(WEB, |deployment| (is_observed(deployment) && is_so(deployment)).then(|| told(deployment)));
}

fn is_complete(deployment: &Value) -> bool {
    reason(deployment, "Progressing") == "NewReplicaSetAvailable" && is_steady(deployment)
}

/// No pod is on its way out.
fn is_steady(deployment: &Value) -> bool {
    deployment["status"]["terminatingReplicas"] == 0
}

fn rolled(arm: &Arm, replicas: u64, revision: &str) {
    settled(arm, |deployment| {
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == revision
            && deployment["status"]["updatedReplicas"].as_u64().unwrap_or_default() == replicas
            && deployment["status"]["replicas"].as_u64().unwrap_or_default() == replicas
            && deployment["status"]["availableReplicas"].as_u64().unwrap_or_default() == replicas
            && is_complete(deployment)
    });
}

/// The sets, by revision.
fn sets(arm: &Arm, is_so: impl Fn(&[Value]) -> bool) {
    arm.settle(SETS, |list| {
        let mut all = list["items"].as_array()?.clone();
        all.sort_by_key(|set| set["metadata"]["annotations"]["deployment.kubernetes.io/revision"].to_string());
        let steady = all.iter().all(|set| is_observed(set) && set["status"]["terminatingReplicas"] == 0);
        let told = |set: &Value| {
            fields(
                set,
                &[
                    "/metadata/annotations",
                    "/metadata/generation",
                    "/spec/replicas",
                    "/spec/minReadySeconds",
                    "/status",
                ],
            )
        };
        (steady && is_so(&all)).then(|| all.iter().map(told).collect())
    });
}

fn counts(all: &[Value], wanted: &[u64]) -> bool {
    let counts: Vec<u64> = all.iter().map(|set| set["status"]["replicas"].as_u64().unwrap_or_default()).collect();
    counts == wanted
}

fn it_makes_a_replica_set_that_makes_pods(arm: &Arm) {
    create(arm, json!({}));
    rolled(arm, 3, "1");
    sets(arm, |all| counts(all, &[3]));
    arm.settle(SETS, |list| {
        Some(each(list, |set| {
            let own = set["metadata"]["labels"]["pod-template-hash"].as_str().unwrap_or_default();
            assert_eq!(set["metadata"]["name"], format!("web-{own}"));
            assert_eq!(set["spec"]["selector"]["matchLabels"]["pod-template-hash"], own);
            assert_eq!(set["spec"]["template"]["metadata"]["labels"]["pod-template-hash"], own);
            fields(set, &["/metadata/ownerReferences", "/spec/template/spec"])
        }))
    });
    arm.settle("/api/v1/namespaces/SPACE/pods", |list| {
        Some(each(list, |pod| {
            fields(
                pod,
                &["/metadata/name", "/metadata/generateName", "/metadata/labels/app", "/metadata/ownerReferences"],
            )
        }))
    });
    events(arm, "Deployment", 1);
    events(arm, "ReplicaSet", 3);
}

fn a_new_image_rolls_from_one_replica_set_to_another(arm: &Arm) {
    create(arm, json!({"replicas": 2}));
    rolled(arm, 2, "1");
    patch(arm, image("image:2"));
    rolled(arm, 2, "2");
    sets(arm, |all| counts(all, &[0, 2]));
    events(arm, "Deployment", 5);
}

fn going_back_takes_the_old_replica_set_again(arm: &Arm) {
    create(arm, json!({"replicas": 1}));
    rolled(arm, 1, "1");
    for (name, revision) in [("image:2", "2"), ("image:1", "3"), ("image:2", "4")] {
        patch(arm, image(name));
        rolled(arm, 1, revision);
    }
    sets(arm, |all| counts(all, &[0, 1]));
}

fn more_and_fewer_pods_are_no_new_revision(arm: &Arm) {
    create(arm, json!({"replicas": 1}));
    rolled(arm, 1, "1");
    for replicas in [4, 2, 0] {
        patch(arm, json!({"spec": {"replicas": replicas}}));
        rolled(arm, replicas, "1");
        sets(arm, |all| counts(all, &[replicas]));
    }
    events(arm, "Deployment", 4);
}

fn a_paused_one_scales_and_does_not_roll(arm: &Arm) {
    create(arm, json!({"replicas": 1}));
    rolled(arm, 1, "1");
    patch(arm, json!({"spec": {"paused": true}}));
    settled(arm, |deployment| reason(deployment, "Progressing") == "DeploymentPaused");
    patch(arm, image("image:2"));
    patch(arm, json!({"spec": {"replicas": 2}}));
    settled(arm, |deployment| deployment["status"]["availableReplicas"] == 2);
    sets(arm, |all| counts(all, &[2]));
    patch(arm, json!({"spec": {"paused": false}}));
    rolled(arm, 2, "2");
}

fn recreate_stops_the_old_pods_first(arm: &Arm) {
    create(arm, json!({"replicas": 2, "strategy": {"type": "Recreate"}}));
    rolled(arm, 2, "1");
    patch(arm, image("image:2"));
    rolled(arm, 2, "2");
    sets(arm, |all| counts(all, &[0, 2]));
    events(arm, "Deployment", 3);
}

fn old_replica_sets_are_kept_as_far_as_the_limit_says(arm: &Arm) {
    create(arm, json!({"replicas": 1, "revisionHistoryLimit": 1}));
    rolled(arm, 1, "1");
    for (name, revision) in [("image:2", "2"), ("image:3", "3")] {
        patch(arm, image(name));
        rolled(arm, 1, revision);
    }
    sets(arm, |all| counts(all, &[0, 1]));
}

fn pods_that_are_ready_for_too_short_a_time_are_not_available(arm: &Arm) {
    create(arm, json!({"minReadySeconds": 500}));
    settled(arm, |deployment| deployment["status"]["readyReplicas"] == 3);
    sets(arm, |all| all[0]["status"]["readyReplicas"] == 3);
}

/// A roll that stops where pods would have to be available.
fn stuck(arm: &Arm, replicas: u64, strategy: Value, wanted: &[u64]) {
    create(arm, json!({"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": strategy}}));
    rolled(arm, replicas, "1");
    let mut change = image("image:2");
    change["spec"]["minReadySeconds"] = json!(500);
    patch(arm, change);
    sets(arm, |all| {
        let ready: Vec<u64> =
            all.iter().map(|set| set["status"]["readyReplicas"].as_u64().unwrap_or_default()).collect();
        ready == wanted
    });
    let all: u64 = wanted.iter().sum();
    settled(arm, |deployment| deployment["status"]["readyReplicas"] == all && is_steady(deployment));
}

fn a_surge_is_as_large_as_it_may_be(arm: &Arm) {
    stuck(arm, 3, json!({"maxSurge": 2, "maxUnavailable": 0}), &[3, 2]);
}

fn without_a_surge_old_pods_go_first(arm: &Arm) {
    stuck(arm, 4, json!({"maxSurge": 0, "maxUnavailable": 2}), &[2, 2]);
}

fn shares_of_pods_are_rounded_up_for_a_surge_and_down_for_what_may_be_missing(arm: &Arm) {
    stuck(arm, 5, json!({"maxSurge": "30%", "maxUnavailable": "30%"}), &[4, 3]);
}

fn what_does_not_progress_in_time_says_so(arm: &Arm) {
    let mut pod = workload("web", 1)["spec"]["template"].clone();
    pod["spec"]["nodeSelector"] = json!({"disk": "golden"});
    create(arm, json!({"replicas": 1, "progressDeadlineSeconds": 1, "template": pod}));
    settled(arm, |deployment| {
        reason(deployment, "Progressing") == "ProgressDeadlineExceeded" && deployment["status"]["updatedReplicas"] == 1
    });
}

fn annotations_come_to_the_replica_set(arm: &Arm) {
    create(arm, json!({"replicas": 1}));
    rolled(arm, 1, "1");
    patch(
        arm,
        json!({"metadata": {"annotations": {
            "kubernetes.io/change-cause": "for a change",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        }}}),
    );
    sets(arm, |all| all[0]["metadata"]["annotations"]["kubernetes.io/change-cause"] == "for a change");
}

fn scaling_while_it_rolls_is_shared_out(arm: &Arm) {
    stuck(arm, 4, json!({"maxSurge": 2, "maxUnavailable": 1}), &[3, 3]);
    patch(arm, json!({"spec": {"replicas": 8}}));
    sets(arm, |all| {
        all.iter().map(|set| set["status"]["readyReplicas"].as_u64().unwrap_or_default()).sum::<u64>() == 10
    });
}

fn nothing_wanted_is_complete_at_once(arm: &Arm) {
    create(arm, json!({"replicas": 0}));
    rolled(arm, 0, "1");
    sets(arm, |all| counts(all, &[0]));
}
