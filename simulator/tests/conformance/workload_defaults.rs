//! What makers of pods are if nobody says.

use serde_json::{Value, json};

use super::arms::Arm;

bodies! {
    deployments_are_filled_in
    strategies_of_deployments_are_filled_in
    what_is_zero_in_a_deployment_stays
    replica_sets_are_filled_in
    stateful_sets_are_filled_in
    claims_of_stateful_sets_are_filled_in
    daemon_sets_are_filled_in
    jobs_are_filled_in
    jobs_select_their_pods
    cron_jobs_are_filled_in
    replication_controllers_are_filled_in
    pod_templates_are_filled_in
    controller_revisions_keep_anything
    defaults_belong_to_who_created_it
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments?dryRun=All";
const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/SPACE/replicasets?dryRun=All";
const STATEFUL_SETS: &str = "/apis/apps/v1/namespaces/SPACE/statefulsets?dryRun=All";
const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/SPACE/daemonsets?dryRun=All";
const JOBS: &str = "/apis/batch/v1/namespaces/SPACE/jobs?dryRun=All";
const CRON_JOBS: &str = "/apis/batch/v1/namespaces/SPACE/cronjobs?dryRun=All";
const CONTROLLERS: &str = "/api/v1/namespaces/SPACE/replicationcontrollers?dryRun=All";

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}})
}

/// Something with a selector and a template, and with this in its spec.
fn selecting(spec: Value) -> Value {
    let mut whole = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template()});
    for (name, value) in spec.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    json!({"metadata": {"name": "web"}, "spec": whole})
}

fn job(spec: Value) -> Value {
    let mut whole = json!({"template": template()});
    whole["template"]["spec"]["restartPolicy"] = json!("Never");
    for (name, value) in spec.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    json!({"metadata": {"name": "web"}, "spec": whole})
}

fn deployments_are_filled_in(arm: &Arm) {
    let created = arm.create(DEPLOYMENTS, selecting(json!({})));
    assert_eq!(created.code, 201, "{}", created.body);
    assert_eq!(created.body["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
}

fn strategies_of_deployments_are_filled_in(arm: &Arm) {
    arm.create(DEPLOYMENTS, selecting(json!({"strategy": {}})));
    arm.create(DEPLOYMENTS, selecting(json!({"strategy": {"type": "Recreate"}})));
    arm.create(DEPLOYMENTS, selecting(json!({"strategy": {"type": "RollingUpdate"}})));
    arm.create(DEPLOYMENTS, selecting(json!({"strategy": {"rollingUpdate": {"maxSurge": 0}}})));
    arm.create(DEPLOYMENTS, selecting(json!({"strategy": {"rollingUpdate": {"maxUnavailable": "50%"}}})));
}

fn what_is_zero_in_a_deployment_stays(arm: &Arm) {
    arm.create(
        DEPLOYMENTS,
        selecting(json!({
            "replicas": 0, "minReadySeconds": 0, "paused": false, "revisionHistoryLimit": 0, "progressDeadlineSeconds": 1,
        })),
    );
    let mut object = selecting(json!({"replicas": null, "paused": true, "minReadySeconds": 3}));
    object["status"] = json!({"replicas": 7, "conditions": []});
    object["metadata"]["generation"] = json!(7);
    arm.create(DEPLOYMENTS, object);
}

fn replica_sets_are_filled_in(arm: &Arm) {
    arm.create(REPLICA_SETS, selecting(json!({})));
    arm.create(REPLICA_SETS, selecting(json!({"replicas": 0, "minReadySeconds": 2})));
}

fn stateful_sets_are_filled_in(arm: &Arm) {
    arm.create(STATEFUL_SETS, selecting(json!({"serviceName": "web"})));
    arm.create(STATEFUL_SETS, selecting(json!({"updateStrategy": {"type": "OnDelete"}})));
    arm.create(STATEFUL_SETS, selecting(json!({"updateStrategy": {"type": "RollingUpdate"}})));
    arm.create(STATEFUL_SETS, selecting(json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}})));
    arm.create(
        STATEFUL_SETS,
        selecting(json!({
            "podManagementPolicy": "Parallel", "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
            "ordinals": {"start": 0},
        })),
    );
}

fn claims_of_stateful_sets_are_filled_in(arm: &Arm) {
    arm.create(
        STATEFUL_SETS,
        selecting(json!({"serviceName": "web", "volumeClaimTemplates": [{
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
        }]})),
    );
}

fn daemon_sets_are_filled_in(arm: &Arm) {
    arm.create(DAEMON_SETS, selecting(json!({})));
    arm.create(DAEMON_SETS, selecting(json!({"updateStrategy": {"type": "OnDelete"}})));
    arm.create(DAEMON_SETS, selecting(json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}}})));
    let mut object = selecting(json!({}));
    object["metadata"]["annotations"] = json!({"deprecated.daemonset.template.generation": "7"});
    arm.create(DAEMON_SETS, object);
}

fn jobs_are_filled_in(arm: &Arm) {
    arm.create(JOBS, job(json!({})));
    arm.create(JOBS, job(json!({"parallelism": 3})));
    arm.create(JOBS, job(json!({"completions": 3})));
    arm.create(JOBS, job(json!({"completions": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 1})));
    arm.create(
        JOBS,
        job(json!({"podFailurePolicy": {"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
        ]}})),
    );
    arm.create(JOBS, job(json!({"suspend": true, "ttlSecondsAfterFinished": 0})));
}

fn jobs_select_their_pods(arm: &Arm) {
    arm.create(JOBS, job(json!({"manualSelector": true, "selector": {"matchLabels": {"app": "web"}}})));
    let mut object = job(json!({}));
    object["metadata"]["labels"] = json!({"own": "label"});
    object["spec"]["template"]["metadata"] = json!({});
    arm.create(JOBS, object);
}

fn cron_jobs_are_filled_in(arm: &Arm) {
    let each = job(json!({}));
    let cron = |spec: Value| {
        let mut whole = json!({"schedule": "*/5 * * * *", "jobTemplate": {"spec": each["spec"]}});
        for (name, value) in spec.as_object().into_iter().flatten() {
            whole[name] = value.clone();
        }
        json!({"metadata": {"name": "web"}, "spec": whole})
    };
    arm.create(CRON_JOBS, cron(json!({})));
    arm.create(
        CRON_JOBS,
        cron(json!({
            "concurrencyPolicy": "Forbid", "suspend": true, "successfulJobsHistoryLimit": 0, "timeZone": "Europe/Berlin",
            "startingDeadlineSeconds": 60,
        })),
    );
}

fn replication_controllers_are_filled_in(arm: &Arm) {
    arm.create(CONTROLLERS, json!({"metadata": {"name": "web"}, "spec": {"template": template()}}));
    arm.create(
        CONTROLLERS,
        json!({
            "metadata": {"name": "web", "labels": {"own": "label"}},
            "spec": {"template": template(), "selector": {"app": "web"}, "replicas": 0},
        }),
    );
}

fn pod_templates_are_filled_in(arm: &Arm) {
    let place = "/api/v1/namespaces/SPACE/podtemplates";
    arm.create(place, json!({"metadata": {"name": "web"}, "template": template()}));
    arm.get(&format!("{place}/web"));
    arm.patch(&format!("{place}/web"), "merge", json!({"template": {"spec": {"hostNetwork": true}}}));
}

fn controller_revisions_keep_anything(arm: &Arm) {
    let place = "/apis/apps/v1/namespaces/SPACE/controllerrevisions";
    arm.create(place, json!({"metadata": {"name": "web"}, "revision": 1, "data": {"any": {"thing": [1, null]}}}));
    arm.get(&format!("{place}/web"));
    arm.patch(&format!("{place}/web"), "merge", json!({"revision": 2}));
    arm.patch(&format!("{place}/web"), "merge", json!({"data": {"any": "other"}}));
    arm.patch(&format!("{place}/web"), "merge", json!({"revision": -1}));
}

fn defaults_belong_to_who_created_it(arm: &Arm) {
    let web = DEPLOYMENTS.replace("deployments", "deployments/web");
    let mut object = selecting(json!({}));
    object["apiVersion"] = json!("apps/v1");
    object["kind"] = json!("Deployment");
    arm.apply(&web, "me", object);
}
