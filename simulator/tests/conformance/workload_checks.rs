//! What is wrong with what makes pods.

use serde_json::{Value, json};

use super::arms::Arm;

bodies! {
    selectors_have_to_select_the_template
    deployments_need_selectors
    numbers_of_deployments_are_none_below_zero
    strategies_of_deployments_are_checked
    templates_are_checked_like_pods
    templates_run_for_good
    replica_sets_are_checked
    stateful_sets_are_checked
    strategies_of_stateful_sets_are_checked
    claims_of_stateful_sets_are_checked
    daemon_sets_are_checked
    jobs_come_to_an_end
    numbers_of_jobs_are_none_below_zero
    indexed_jobs_know_how_many
    selectors_of_jobs_are_generated
    failure_policies_are_checked
    success_policies_are_checked
    schedules_are_read
    cron_jobs_are_checked
    replication_controllers_are_checked
    pod_templates_are_checked
    controller_revisions_have_data
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

/// Sends a good one with these fields of its spec changed, one after the other.
fn each(arm: &Arm, place: &str, good: &Value, changes: impl IntoIterator<Item = Value>) {
    for change in changes {
        let mut spec = good.clone();
        merge(&mut spec, &change);
        arm.create(place, json!({"metadata": {"name": "web"}, "spec": spec}));
    }
}

fn merge(to: &mut Value, change: &Value) {
    match change {
        Value::Object(fields) if to.is_object() => {
            fields.iter().for_each(|(name, value)| merge(&mut to[name], value));
        }
        other => *to = other.clone(),
    }
}

fn selecting() -> Value {
    json!({"selector": {"matchLabels": {"app": "web"}}, "template": template()})
}

fn job() -> Value {
    let mut spec = json!({"template": template()});
    spec["template"]["spec"]["restartPolicy"] = json!("Never");
    spec
}

fn selectors_have_to_select_the_template(arm: &Arm) {
    for place in [DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS] {
        each(
            arm,
            place,
            &selecting(),
            [json!({"template": {"metadata": {"labels": {"app": "other"}}}}), json!({"template": {"metadata": null}})],
        );
    }
}

fn deployments_need_selectors(arm: &Arm) {
    each(
        arm,
        DEPLOYMENTS,
        &selecting(),
        [
            json!({"selector": null}),
            json!({"selector": {"matchLabels": null}}),
            json!({"selector": {"matchLabels": {"app": "not a value"}}}),
            json!({"selector": {"matchExpressions": [{"key": "app", "operator": "Any"}]}}),
            json!({"selector": {"matchExpressions": [{"key": "app", "operator": "In"}]}}),
            json!({"selector": {"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["a"]}]}}),
            json!({"selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}),
        ],
    );
}

fn numbers_of_deployments_are_none_below_zero(arm: &Arm) {
    each(
        arm,
        DEPLOYMENTS,
        &selecting(),
        [
            json!({"replicas": -1}),
            json!({"minReadySeconds": -1}),
            json!({"revisionHistoryLimit": -1}),
            json!({"progressDeadlineSeconds": -1}),
            json!({"progressDeadlineSeconds": 10, "minReadySeconds": 10}),
            json!({"progressDeadlineSeconds": 0}),
        ],
    );
}

fn strategies_of_deployments_are_checked(arm: &Arm) {
    each(
        arm,
        DEPLOYMENTS,
        &selecting(),
        [
            json!({"strategy": {"type": "Any"}}),
            json!({"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}),
            json!({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}),
            json!({"strategy": {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "0%"}}}),
            json!({"strategy": {"rollingUpdate": {"maxSurge": -1}}}),
            json!({"strategy": {"rollingUpdate": {"maxSurge": "many"}}}),
            json!({"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}}),
            json!({"strategy": {"rollingUpdate": {"maxSurge": "200%"}}}),
        ],
    );
}

fn templates_are_checked_like_pods(arm: &Arm) {
    each(
        arm,
        DEPLOYMENTS,
        &selecting(),
        [
            json!({"template": {"spec": {"containers": []}}}),
            json!({"template": {"spec": {"containers": [{"name": "A", "image": ""}]}}}),
            json!({"template": {"spec": {"volumes": [{"name": "a", "secret": {}}]}}}),
            json!({"template": {"metadata": {"labels": {"app": "web", "not a key": "a"}}}}),
            json!({"template": {"metadata": {"annotations": {"not a key": "a"}}}}),
            json!({"template": {"spec": {"containers": [{"name": "a", "image": " a "}]}}}),
            json!({"template": {"spec": {"ephemeralContainers": [{"name": "look", "image": "a"}]}}}),
            json!({"template": null}),
        ],
    );
}

fn templates_run_for_good(arm: &Arm) {
    for place in [DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS] {
        each(
            arm,
            place,
            &selecting(),
            [
                json!({"template": {"spec": {"restartPolicy": "Never"}}}),
                json!({"template": {"spec": {"activeDeadlineSeconds": 5}}}),
            ],
        );
    }
}

fn replica_sets_are_checked(arm: &Arm) {
    each(
        arm,
        REPLICA_SETS,
        &selecting(),
        [
            json!({"replicas": -1, "minReadySeconds": -1}),
            json!({"selector": null}),
            json!({"selector": {"matchLabels": null}}),
            json!({"selector": {"matchExpressions": [{"key": "app", "operator": "Any"}]}}),
        ],
    );
}

fn stateful_sets_are_checked(arm: &Arm) {
    each(
        arm,
        STATEFUL_SETS,
        &selecting(),
        [
            json!({"podManagementPolicy": "Any"}),
            json!({"replicas": -1}),
            json!({"minReadySeconds": -1}),
            json!({"ordinals": {"start": -1}}),
            json!({"serviceName": "A"}),
            json!({"selector": null}),
            json!({"selector": {"matchLabels": null}}),
            json!({"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Any"}}),
            json!({"template": {"spec": {"hostname": "A", "subdomain": "B"}}}),
        ],
    );
    arm.create(STATEFUL_SETS, json!({"metadata": {"name": "a.b"}, "spec": selecting()}));
}

fn strategies_of_stateful_sets_are_checked(arm: &Arm) {
    each(
        arm,
        STATEFUL_SETS,
        &selecting(),
        [
            json!({"updateStrategy": {"type": "Any"}}),
            json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}),
            json!({"updateStrategy": {"rollingUpdate": {"partition": -1}}}),
        ],
    );
}

fn claims_of_stateful_sets_are_checked(arm: &Arm) {
    let mount = json!([{"name": "web", "image": "a", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]);
    let good = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    each(
        arm,
        STATEFUL_SETS,
        &selecting(),
        [
            json!({"template": {"spec": {"containers": mount}}}),
            json!({"template": {"spec": {"containers": mount}}, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": good}]}),
            json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}),
            json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["Any"], "resources": {"requests": {"storage": "-1"}}}}]}),
            json!({"volumeClaimTemplates": [{"metadata": {"name": "Data"}, "spec": good}]}),
        ],
    );
}

fn daemon_sets_are_checked(arm: &Arm) {
    each(
        arm,
        DAEMON_SETS,
        &selecting(),
        [
            json!({"selector": null}),
            json!({"selector": {"matchLabels": null}}),
            json!({"minReadySeconds": -1}),
            json!({"revisionHistoryLimit": -1}),
            json!({"updateStrategy": {"type": "Any"}}),
            json!({"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}}),
            json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}}),
            json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": "101%"}}}),
            json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "10%"}}}),
        ],
    );
}

fn jobs_come_to_an_end(arm: &Arm) {
    each(
        arm,
        JOBS,
        &job(),
        [
            json!({"template": {"spec": {"restartPolicy": "Always"}}}),
            json!({"template": {"spec": {"restartPolicy": null}}}),
            json!({"template": {"spec": {"restartPolicy": "Any"}}}),
            json!({"template": {"spec": {"restartPolicy": "OnFailure"}}}),
        ],
    );
}

fn numbers_of_jobs_are_none_below_zero(arm: &Arm) {
    each(
        arm,
        JOBS,
        &job(),
        [
            json!({"parallelism": -1}),
            json!({"completions": -1}),
            json!({"activeDeadlineSeconds": -1}),
            json!({"backoffLimit": -1}),
            json!({"ttlSecondsAfterFinished": -1}),
            json!({"completionMode": "Any"}),
            json!({"podReplacementPolicy": "Any"}),
            json!({"managedBy": "me"}),
        ],
    );
}

fn indexed_jobs_know_how_many(arm: &Arm) {
    each(
        arm,
        JOBS,
        &job(),
        [
            json!({"completionMode": "Indexed", "parallelism": 1}),
            json!({"backoffLimitPerIndex": 1}),
            json!({"maxFailedIndexes": 1}),
            json!({"completionMode": "Indexed", "completions": 3, "maxFailedIndexes": 1}),
            json!({"completionMode": "Indexed", "completions": 3, "maxFailedIndexes": 4, "backoffLimitPerIndex": 1}),
            json!({"completionMode": "Indexed", "completions": 3, "parallelism": 200000}),
        ],
    );
    let mut spec = job();
    spec["completionMode"] = json!("Indexed");
    spec["completions"] = json!(3);
    arm.create(JOBS, json!({"metadata": {"name": "a".repeat(62)}, "spec": spec}));
}

fn selectors_of_jobs_are_generated(arm: &Arm) {
    each(
        arm,
        JOBS,
        &job(),
        [
            json!({"selector": {"matchLabels": {"app": "web"}}}),
            json!({"manualSelector": true}),
            json!({"manualSelector": true, "selector": {"matchLabels": {"app": "other"}}}),
            json!({"template": {"metadata": {"labels": {"job-name": "other"}}}}),
        ],
    );
}

fn failure_policies_are_checked(arm: &Arm) {
    let rules = [
        json!([{}]),
        json!([{"action": "Any", "onExitCodes": {"operator": "In", "values": [1]}}]),
        json!([{"action": "FailJob"}]),
        json!([{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [0]}}]),
        json!([{"action": "FailJob", "onExitCodes": {"operator": "Any", "values": [2, 1]}}]),
        json!([{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 1]}}]),
        json!([{"action": "FailJob", "onExitCodes": {"containerName": "nobody", "operator": "In", "values": [1]}}]),
        json!([{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [1]}}]),
        json!([{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "Any"}]}]),
        json!([{"action": "Ignore", "onPodConditions": [{"type": "a b"}]}]),
    ];
    each(arm, JOBS, &job(), rules.map(|rules| json!({"podFailurePolicy": {"rules": rules}})));
    each(
        arm,
        JOBS,
        &job(),
        [json!({
            "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]},
            "podReplacementPolicy": "TerminatingOrFailed", "template": {"spec": {"restartPolicy": "OnFailure"}},
        })],
    );
}

fn success_policies_are_checked(arm: &Arm) {
    let mut indexed = job();
    indexed["completionMode"] = json!("Indexed");
    indexed["completions"] = json!(5);
    let rules = [
        json!([]),
        json!([{}]),
        json!([{"succeededCount": 6}]),
        json!([{"succeededCount": 3, "succeededIndexes": "0,1"}]),
        json!([{"succeededIndexes": "0,7"}]),
        json!([{"succeededIndexes": "3-1"}]),
        json!([{"succeededIndexes": "a"}]),
        json!([{"succeededIndexes": "1-2-3"}]),
        json!([{"succeededIndexes": "2,1"}]),
    ];
    each(arm, JOBS, &indexed, rules.map(|rules| json!({"successPolicy": {"rules": rules}})));
}

fn cron() -> Value {
    json!({"schedule": "* * * * *", "jobTemplate": {"spec": job()}})
}

fn schedules_are_read(arm: &Arm) {
    let schedules = [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "a * * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "1-2-3 * * * *",
        "1/2/3 * * * *",
        "*/15 0-6,12 1 jan,JUL mon-fri",
        "@daily",
        "@sometimes",
        "@every 5m",
        "@every day",
        "TZ=UTC * * * * *",
    ];
    each(arm, CRON_JOBS, &cron(), schedules.map(|schedule| json!({"schedule": schedule})));
}

fn cron_jobs_are_checked(arm: &Arm) {
    each(
        arm,
        CRON_JOBS,
        &cron(),
        [
            json!({"startingDeadlineSeconds": -1}),
            json!({"concurrencyPolicy": "Any"}),
            json!({"successfulJobsHistoryLimit": -1}),
            json!({"failedJobsHistoryLimit": -1}),
            json!({"timeZone": "Nowhere/Else"}),
            json!({"timeZone": ""}),
            json!({"timeZone": "local"}),
            json!({"timeZone": "not a zone"}),
            json!({"jobTemplate": {"spec": {"selector": {"matchLabels": {"a": "b"}}}}}),
            json!({"jobTemplate": {"spec": {"manualSelector": true}}}),
            json!({"jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Always"}}}}}),
        ],
    );
    arm.create(CRON_JOBS, json!({"metadata": {"name": "a".repeat(53)}, "spec": cron()}));
}

fn replication_controllers_are_checked(arm: &Arm) {
    let good = json!({"selector": {"app": "web"}, "template": template()});
    each(
        arm,
        CONTROLLERS,
        &good,
        [
            json!({"replicas": -1}),
            json!({"minReadySeconds": -1}),
            json!({"selector": {"app": "other"}}),
            json!({"template": null}),
            json!({"template": {"spec": {"restartPolicy": "Never"}}}),
            json!({"selector": null, "template": {"metadata": null}}),
        ],
    );
}

fn pod_templates_are_checked(arm: &Arm) {
    let place = "/api/v1/namespaces/SPACE/podtemplates?dryRun=All";
    arm.create(place, json!({"metadata": {"name": "web"}, "template": {"spec": {"containers": []}}}));
    arm.create(place, json!({"metadata": {"name": "web"}}));
}

fn controller_revisions_have_data(arm: &Arm) {
    let place = "/apis/apps/v1/namespaces/SPACE/controllerrevisions?dryRun=All";
    arm.create(place, json!({"metadata": {"name": "web"}, "revision": 1}));
    arm.create(place, json!({"metadata": {"name": "web"}, "revision": 1, "data": null}));
    arm.create(place, json!({"metadata": {"name": "web"}, "revision": -1, "data": {}}));
}
