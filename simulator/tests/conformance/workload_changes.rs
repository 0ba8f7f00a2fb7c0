//! What may change about what makes pods.

use serde_json::{Value, json};

use super::arms::Arm;

bodies! {
    selectors_do_not_change
    the_generation_counts_what_is_wanted
    stateful_sets_change_in_few_fields
    the_template_of_a_job_does_not_change
    a_suspended_job_may_ask_for_more
    what_a_job_is_does_not_change
    completions_change_with_parallelism
    schedules_may_change
    templates_of_daemon_sets_are_numbered
    both_bounds_of_a_pace_are_kept
    a_status_says_no_more_than_there_is
    the_status_of_a_job_is_consistent
    scales_are_read_and_written
    numbers_below_zero_are_refused_on_change
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";
const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/SPACE/replicasets";
const STATEFUL_SETS: &str = "/apis/apps/v1/namespaces/SPACE/statefulsets";
const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/SPACE/daemonsets";
const JOBS: &str = "/apis/batch/v1/namespaces/SPACE/jobs";
const CRON_JOBS: &str = "/apis/batch/v1/namespaces/SPACE/cronjobs";

/// One that no controller has anything to do for: nothing runs on such nodes, and nothing is to run at all.
fn create(arm: &Arm, place: &str, more: Value) {
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx:1"}], "nodeSelector": {"no": "where"}},
    });
    let mut spec = json!({"template": template});
    if ![JOBS, CRON_JOBS].contains(&place) {
        spec["selector"] = json!({"matchLabels": {"app": "web"}});
    } else {
        spec["template"]["spec"]["restartPolicy"] = json!("Never");
    }
    if ![JOBS, CRON_JOBS, DAEMON_SETS].contains(&place) {
        spec["replicas"] = json!(0);
    }
    if place == JOBS {
        spec["suspend"] = json!(true);
    }
    if place == CRON_JOBS {
        spec = json!({"schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": {"spec": spec}});
    }
    for (name, value) in more.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    let object = json!({"metadata": {"name": "web"}, "spec": spec});
    let path = place.replace("SPACE", &arm.space);
    let created = arm.exchange("POST", &path, "application/json", &object);
    assert_eq!(created.code, 201, "{}", created.body);
}

/// Sends changes that are refused.
fn refused(arm: &Arm, place: &str, changes: impl IntoIterator<Item = Value>) {
    for change in changes {
        let answer = arm.patch(&format!("{place}/web"), "merge", change);
        assert_eq!(answer.code, 422, "{}", answer.body);
    }
}

/// Sends a change that is taken; what others did to the object meanwhile is not written down.
fn taken(arm: &Arm, place: &str, change: Value) -> Value {
    let path = format!("{place}/web").replace("SPACE", &arm.space);
    let answer = arm.exchange("PATCH", &path, "application/merge-patch+json", &change);
    assert_eq!(answer.code, 200, "{}", answer.body);
    answer.body
}

fn selectors_do_not_change(arm: &Arm) {
    for place in [DEPLOYMENTS, REPLICA_SETS, DAEMON_SETS] {
        create(arm, place, json!({}));
        let labels = json!({"metadata": {"labels": {"app": "web", "tier": "a"}}});
        refused(
            arm,
            place,
            [
                json!({"spec": {"selector": {"matchLabels": {"tier": "a"}}, "template": labels}}),
                json!({"spec": {"selector": {"matchLabels": {"app": "other"}}}}),
                json!({"spec": {"selector": null}}),
            ],
        );
    }
}

fn the_generation_counts_what_is_wanted(arm: &Arm) {
    create(arm, DEPLOYMENTS, json!({}));
    let generation = |object: &Value| object["metadata"]["generation"].as_i64();
    assert_eq!(generation(&taken(arm, DEPLOYMENTS, json!({"metadata": {"labels": {"a": "b"}}}))), Some(1));
    assert_eq!(generation(&taken(arm, DEPLOYMENTS, json!({"spec": {"minReadySeconds": 1}}))), Some(2));
    assert_eq!(generation(&taken(arm, DEPLOYMENTS, json!({"spec": {"minReadySeconds": 1}}))), Some(2));
    assert_eq!(generation(&taken(arm, DEPLOYMENTS, json!({"metadata": {"annotations": {"a": "b"}}}))), Some(3));
    create(arm, REPLICA_SETS, json!({}));
    assert_eq!(generation(&taken(arm, REPLICA_SETS, json!({"metadata": {"annotations": {"a": "b"}}}))), Some(1));
    assert_eq!(generation(&taken(arm, REPLICA_SETS, json!({"spec": {"minReadySeconds": 1}}))), Some(2));
}

fn stateful_sets_change_in_few_fields(arm: &Arm) {
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    create(arm, STATEFUL_SETS, json!({"serviceName": "web", "volumeClaimTemplates": [claim]}));
    refused(
        arm,
        STATEFUL_SETS,
        [
            json!({"spec": {"serviceName": "other"}}),
            json!({"spec": {"podManagementPolicy": "Parallel"}}),
            json!({"spec": {"volumeClaimTemplates": null}}),
            json!({"spec": {"selector": {"matchLabels": {"app": "other"}}}}),
            json!({"spec": {"podManagementPolicy": "Any"}}),
        ],
    );
    taken(
        arm,
        STATEFUL_SETS,
        json!({"spec": {"template": {"spec": {"hostNetwork": true}}, "minReadySeconds": 1, "updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}}),
    );
    taken(
        arm,
        STATEFUL_SETS,
        json!({"spec": {"ordinals": {"start": 1}, "revisionHistoryLimit": 1, "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}}),
    );
}

fn the_template_of_a_job_does_not_change(arm: &Arm) {
    create(arm, JOBS, json!({}));
    taken(arm, JOBS, json!({"spec": {"suspend": false, "parallelism": 0}}));
    refused(
        arm,
        JOBS,
        [
            json!({"spec": {"template": {"spec": {"hostNetwork": true}}}}),
            json!({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}),
            json!({"spec": {"template": {"spec": {"nodeSelector": {"no": "way"}}}}}),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}}}),
        ],
    );
}

fn a_suspended_job_may_ask_for_more(arm: &Arm) {
    create(arm, JOBS, json!({}));
    taken(
        arm,
        JOBS,
        json!({"spec": {"template": {"spec": {"nodeSelector": {"no": "way"}, "tolerations": [{"operator": "Exists"}]}}}}),
    );
    taken(
        arm,
        JOBS,
        json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1", "resources": {"requests": {"cpu": "1"}}}]}}}}),
    );
    refused(
        arm,
        JOBS,
        [
            json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}}}),
            json!({"spec": {"template": {"spec": {"hostname": "web"}}}}),
        ],
    );
}

fn what_a_job_is_does_not_change(arm: &Arm) {
    create(arm, JOBS, json!({"completions": 3}));
    refused(
        arm,
        JOBS,
        [
            json!({"spec": {"completions": 4}}),
            json!({"spec": {"completionMode": "Indexed"}}),
            json!({"spec": {"managedBy": "example.com/me"}}),
            json!({"spec": {"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]}, "podReplacementPolicy": "Failed"}}),
            json!({"spec": {"parallelism": -1}}),
        ],
    );
    taken(
        arm,
        JOBS,
        json!({"spec": {"parallelism": 2, "backoffLimit": 3, "activeDeadlineSeconds": 5, "ttlSecondsAfterFinished": 7}}),
    );
}

fn completions_change_with_parallelism(arm: &Arm) {
    create(arm, JOBS, json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"}));
    refused(arm, JOBS, [json!({"spec": {"completions": 4}}), json!({"spec": {"completions": null}})]);
    taken(arm, JOBS, json!({"spec": {"completions": 4, "parallelism": 4}}));
}

fn schedules_may_change(arm: &Arm) {
    create(arm, CRON_JOBS, json!({}));
    let changed = taken(arm, CRON_JOBS, json!({"spec": {"schedule": "@daily", "timeZone": "Europe/Berlin"}}));
    assert_eq!(changed["metadata"]["generation"], 2);
    refused(arm, CRON_JOBS, [json!({"spec": {"schedule": "never"}}), json!({"spec": {"timeZone": "Nowhere/Else"}})]);
}

fn templates_of_daemon_sets_are_numbered(arm: &Arm) {
    create(arm, DAEMON_SETS, json!({}));
    let number = |set: &Value| set["metadata"]["annotations"]["deprecated.daemonset.template.generation"].clone();
    assert_eq!(number(&taken(arm, DAEMON_SETS, json!({"spec": {"minReadySeconds": 1}}))), "1");
    assert_eq!(number(&taken(arm, DAEMON_SETS, json!({"spec": {"template": {"spec": {"hostNetwork": true}}}}))), "2");
    let changed = taken(
        arm,
        DAEMON_SETS,
        json!({"metadata": {"annotations": {"deprecated.daemonset.template.generation": "9"}}}),
    );
    assert_eq!(number(&changed), "2");
}

fn a_status_says_no_more_than_there_is(arm: &Arm) {
    let refused = |place: &str, statuses: &[Value]| {
        create(arm, place, json!({}));
        for status in statuses {
            let answer = arm.patch(&format!("{place}/web/status"), "merge", json!({"status": status}));
            assert_eq!(answer.code, 422, "{}", answer.body);
        }
    };
    let counts = [
        json!({"replicas": -1}),
        json!({"readyReplicas": 3, "replicas": 2}),
        json!({"availableReplicas": 2, "readyReplicas": 1, "replicas": 2}),
    ];
    for place in [DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS] {
        refused(place, &counts);
    }
    refused(DAEMON_SETS, &[json!({"numberReady": -1}), json!({"numberAvailable": -1, "currentNumberScheduled": -1})]);
}

fn the_status_of_a_job_is_consistent(arm: &Arm) {
    create(arm, JOBS, json!({"managedBy": "example.com/nobody"}));
    let status = format!("{JOBS}/web/status");
    let is = |kind: &str| json!({"type": kind, "status": "True"});
    for wrong in [
        json!({"active": -1}),
        json!({"conditions": [is("Complete")]}),
        json!({"conditions": [is("Failed")], "startTime": "2026-01-01T00:00:00Z"}),
        json!({"completionTime": "2026-01-01T00:00:00Z"}),
        json!({"conditions": [is("Complete"), is("SuccessCriteriaMet"), is("Failed"), is("FailureTarget")], "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:00Z"}),
        json!({"ready": 3, "active": 2}),
    ] {
        let answer = arm.patch(&status, "merge", json!({"status": wrong}));
        assert_eq!(answer.code, 422, "{}", answer.body);
    }
    arm.patch(&status, "merge", json!({"status": {"succeeded": 1, "failed": 1, "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z", "conditions": [is("SuccessCriteriaMet"), is("Complete")]}}));
    arm.patch(&status, "merge", json!({"status": {"succeeded": 0, "failed": 0}}));
    arm.patch(&status, "merge", json!({"status": {"conditions": []}}));
    arm.get(&format!("{JOBS}?fieldSelector=status.successful=1"));
}

fn scales_are_read_and_written(arm: &Arm) {
    for place in [REPLICA_SETS, STATEFUL_SETS] {
        create(arm, place, json!({}));
        arm.get(&format!("{place}/web/scale"));
        let answer = arm.patch(&format!("{place}/web/scale"), "merge", json!({"spec": {"replicas": -1}}));
        assert_eq!(answer.code, 422, "{}", answer.body);
    }
    arm.get(&format!("{DAEMON_SETS}/web/scale"));
    arm.get(&format!("{JOBS}/web/scale"));
}

fn numbers_below_zero_are_refused_on_change(arm: &Arm) {
    create(arm, DEPLOYMENTS, json!({}));
    refused(
        arm,
        DEPLOYMENTS,
        [
            json!({"spec": {"replicas": -1}}),
            json!({"spec": {"strategy": {"type": "Recreate"}}}),
            json!({"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}}),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "web"}]}}}}),
        ],
    );
    taken(arm, DEPLOYMENTS, json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}));
}

fn both_bounds_of_a_pace_are_kept(arm: &Arm) {
    create(arm, DAEMON_SETS, json!({"updateStrategy": {"type": "OnDelete"}}));
    arm.until(&format!("{DAEMON_SETS}/web"), |set| set["status"]["observedGeneration"] == 1);
    for pace in
        [json!({"maxUnavailable": 1}), json!({"maxSurge": 1, "maxUnavailable": null}), json!({"maxSurge": null})]
    {
        arm.patch(
            &format!("{DAEMON_SETS}/web?dryRun=All"),
            "merge",
            json!({"spec": {"updateStrategy": {"rollingUpdate": pace}}}),
        );
    }
}
