//! Releases of charts.

use serde_json::{Value, json};

use super::{Lab, RELEASES, SOURCES};
use crate::arms::Arm;

bodies! {
    a_release_is_installed
    a_release_keeps_its_history
    a_release_goes_with_its_object
    a_suspended_release_waits_until_it_is_resumed
    a_release_is_forced
    a_release_is_tested
    a_release_makes_its_namespace
    a_release_comes_from_an_image
    a_chart_that_is_not_there
    a_version_that_no_chart_has
    a_chart_of_no_repository
    values_that_are_not_there
    values_without_the_key
    values_are_laid_over_each_other
    a_dependency_that_is_not_there
    a_dependency_that_is_not_ready
    pods_that_are_never_ready
    attempts_are_made_again
    attempts_are_given_back
    a_hook_that_does_not_end
    a_field_that_can_not_be_changed
    an_upgrade_is_taken_back
    an_upgrade_without_a_way_back
    a_namespace_that_is_not_there
    a_kind_that_is_not_there
    a_cluster_without_a_key
    drift_is_corrected
    drift_is_told
}

fn web() -> String {
    format!("{RELEASES}/web")
}

fn nowhere() -> Value {
    json!({"where": {"zone": "nowhere"}})
}

fn a_release_is_installed(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
    let chart = arm.look(&format!("{SOURCES}/helmcharts/SPACE-web")).body;
    lab.note(&format!("{SOURCES}/helmcharts/SPACE-web"), &chart);
    arm.note("its chart", json!([chart["metadata"]["labels"], chart["spec"]]));
    let marker = arm.look("/api/v1/namespaces/SPACE/configmaps/web-marker").body;
    arm.note("its object", json!([marker["metadata"]["labels"], marker["metadata"]["annotations"], marker["data"]]));
    arm.note("its owner", marker["metadata"]["managedFields"].clone());
    let secrets = arm.look("/api/v1/namespaces/SPACE/secrets?labelSelector=owner=helm").body;
    for secret in secrets["items"].as_array().unwrap() {
        let mut labels = secret["metadata"]["labels"].clone();
        labels["modifiedAt"] = json!("TIME");
        arm.note("its secret", json!([secret["metadata"]["name"], labels, secret["type"]]));
    }
}

fn a_release_keeps_its_history(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.change(&web(), json!({"spec": {"chart": {"spec": {"version": "1.1.0"}}}}));
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
    lab.change(&web(), json!({"spec": {"values": {"marker": "second"}}}));
    lab.arm.look_until("/api/v1/namespaces/SPACE/configmaps/web-marker", |answer| {
        answer.body["data"]["marker"] == "second"
    });
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
}

fn a_release_goes_with_its_object(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.sent("DELETE", &web(), "", &Value::Null);
    for left in [&web(), "/apis/apps/v1/namespaces/SPACE/deployments/web", &format!("{SOURCES}/helmcharts/SPACE-web")] {
        arm.look_until(left, |answer| answer.code == 404);
    }
    let secrets = arm.look("/api/v1/namespaces/SPACE/secrets?labelSelector=owner=helm").body;
    arm.note("secrets", json!(secrets["items"].as_array().unwrap().len()));
}

fn a_suspended_release_waits_until_it_is_resumed(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"suspend": true}));
    arm.look_until(&web(), |answer| answer.body["status"]["observedGeneration"] == 1);
    lab.note(&web(), &arm.look(&web()).body);
    lab.change(&web(), json!({"spec": {"suspend": false}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
}

fn a_release_is_forced(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.ask(&web(), "one", &[]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Ready", "InstallSucceeded");
    lab.ask(&web(), "two", &["forceAt"]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "two");
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
}

fn a_release_is_tested(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"test": {"enable": true}}));
    lab.tells(&web(), "Ready", "TestSucceeded");
}

fn a_release_makes_its_namespace(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"targetNamespace": "SPACE-else", "install": {"createNamespace": true}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
    let namespace = arm.look("/api/v1/namespaces/SPACE-else").body;
    arm.note("its namespace", namespace["metadata"]["labels"].clone());
}

fn a_release_comes_from_an_image(arm: &Arm) {
    let lab = Lab::new(arm);
    let media = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    lab.make(
        &format!("{SOURCES}/ocirepositories"),
        "app",
        json!({
            "insecure": true, "interval": "1h", "url": "oci://REGISTRY/charts/app", "ref": {"semver": ">=1.0.0"},
            "layerSelector": {"mediaType": media, "operation": "copy"},
        }),
    );
    lab.make(
        RELEASES,
        "web",
        json!({"interval": "1h", "timeout": "60s", "chartRef": {"kind": "OCIRepository", "name": "app"}}),
    );
    lab.make(
        RELEASES,
        "lost",
        json!({"interval": "1h", "timeout": "60s", "chartRef": {"kind": "OCIRepository", "name": "nobody"}}),
    );
    lab.tells(&format!("{SOURCES}/ocirepositories/app"), "Ready", "Succeeded");
    lab.tells(&web(), "Ready", "InstallSucceeded");
    lab.tells(&format!("{RELEASES}/lost"), "Ready", "ArtifactFailed");
}

fn a_chart_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"chart": {"spec": {"chart": "application"}}}));
    lab.tells(&format!("{SOURCES}/helmcharts/SPACE-web"), "Ready", "ChartPullError");
    arm.look_until(&web(), |answer| answer.body["status"].to_string().contains("chart pull error"));
    lab.tells(&web(), "Ready", "SourceNotReady");
    lab.change(&web(), json!({"spec": {"chart": {"spec": {"chart": "app"}}}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
}

fn a_version_that_no_chart_has(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"chart": {"spec": {"version": "9.x"}}}));
    lab.release("other", "60s", json!({"chart": {"spec": {"chart": "application", "version": "1.x"}}}));
    for name in ["web", "other"] {
        lab.tells(&format!("{SOURCES}/helmcharts/SPACE-{name}"), "Ready", "ChartPullError");
    }
}

fn a_chart_of_no_repository(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"chart": {"spec": {"sourceRef": {"name": "nobody"}}}}));
    lab.tells(&format!("{SOURCES}/helmcharts/SPACE-web"), "Ready", "SourceUnavailable");
}

fn values_that_are_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"valuesFrom": [{"kind": "ConfigMap", "name": "settings"}]}));
    lab.tells(&web(), "Ready", "ValuesError");
}

fn values_without_the_key(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.data("configmaps", "settings", json!({"other": "a: b"}));
    lab.release("web", "60s", json!({"valuesFrom": [{"kind": "ConfigMap", "name": "settings"}]}));
    lab.tells(&web(), "Ready", "ValuesError");
}

fn values_are_laid_over_each_other(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.data("configmaps", "settings", json!({"values.yaml": "marker: second\nimage: app:2"}));
    lab.data("secrets", "hidden", json!({"marker": "third"}));
    lab.release(
        "web",
        "60s",
        json!({
            "valuesFrom": [
                {"kind": "ConfigMap", "name": "settings"},
                {"kind": "Secret", "name": "hidden", "valuesKey": "marker", "targetPath": "marker"},
                {"kind": "Secret", "name": "nobody", "optional": true},
            ],
            "values": {"selector": "web"},
        }),
    );
    lab.tells(&web(), "Ready", "InstallSucceeded");
    let deployment = arm.look("/apis/apps/v1/namespaces/SPACE/deployments/web").body;
    let marker = arm.look("/api/v1/namespaces/SPACE/configmaps/web-marker").body;
    arm.note(
        "values",
        json!([
            deployment["spec"]["template"]["spec"]["containers"][0]["image"],
            deployment["spec"]["selector"],
            marker["data"]
        ]),
    );
}

fn a_dependency_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"dependsOn": [{"name": "database"}]}));
    lab.tells(&web(), "Ready", "DependencyNotReady");
    lab.release("database", "60s", json!({}));
    lab.until(&format!("{RELEASES}/database"), "Ready", "InstallSucceeded");
    lab.ask(&web(), "now", &[]);
    lab.until(&web(), "Ready", "InstallSucceeded");
}

fn a_dependency_that_is_not_ready(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("database", "60s", json!({"suspend": true}));
    lab.release("web", "60s", json!({"dependsOn": [{"name": "database"}]}));
    lab.tells(&web(), "Ready", "DependencyNotReady");
}

fn pods_that_are_never_ready(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "3s", json!({"values": nowhere()}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn attempts_are_made_again(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "2s", json!({"values": nowhere(), "install": {"remediation": {"retries": 1}}}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn attempts_are_given_back(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "3s", json!({"values": nowhere()}));
    lab.until(&web(), "Stalled", "RetriesExceeded");
    lab.ask(&web(), "one", &["resetAt"]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn a_hook_that_does_not_end(arm: &Arm) {
    let lab = Lab::new(arm);
    let mut values = nowhere();
    values["hook"] = json!(true);
    lab.release("web", "3s", json!({"values": values}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn a_field_that_can_not_be_changed(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.change(&web(), json!({"spec": {"values": {"selector": "other"}}}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn an_upgrade_is_taken_back(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "30s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    let upgrade = json!({"remediation": {"retries": 0, "remediateLastFailure": true}, "timeout": "3s"});
    let values = json!({"hook": true, "where": {"zone": "nowhere"}});
    lab.change(&web(), json!({"spec": {"upgrade": upgrade, "values": values}}));
    lab.tells(&web(), "Ready", "RollbackSucceeded");
    lab.change(&web(), json!({"spec": {"values": {"hook": null, "where": null, "marker": "second"}}}));
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
}

fn an_upgrade_without_a_way_back(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "3s", json!({"values": nowhere(), "upgrade": {"remediation": {"retries": 1}}}));
    lab.until(&web(), "Stalled", "RetriesExceeded");
    lab.change(&web(), json!({"spec": {"values": {"marker": "second"}}}));
    lab.tells(&web(), "Stalled", "MissingRollbackTarget");
}

fn a_namespace_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"targetNamespace": "SPACE-else"}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn a_kind_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"values": {"thing": true}}));
    lab.until(&web(), "Ready", "InstallFailed");
    let mut told = arm.look(&web()).body["status"].clone();
    told["conditions"].as_array_mut().unwrap().retain(|condition| condition["type"] == "Released");
    arm.note("conditions", lab.plain("", &json!(told["conditions"][0]["message"])));
    arm.note("history", told["history"].clone());
    arm.note("installFailures", told["installFailures"].clone());
}

fn a_cluster_without_a_key(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"kubeConfig": {"secretRef": {"name": "tenant"}}}));
    lab.tells(&web(), "Ready", "RESTClientError");
}

fn drift_is_corrected(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"driftDetection": {"mode": "enabled"}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
    lab.change("/apis/apps/v1/namespaces/SPACE/deployments/web", json!({"spec": {"replicas": 3}}));
    lab.ask(&web(), "one", &[]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Ready", "InstallSucceeded");
}

fn drift_is_told(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"driftDetection": {"mode": "warn"}}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.sent("DELETE", "/api/v1/namespaces/SPACE/configmaps/web-marker", "", &Value::Null);
    lab.ask(&web(), "one", &[]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Ready", "InstallSucceeded");
}
