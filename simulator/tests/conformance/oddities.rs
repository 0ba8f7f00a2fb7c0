//! What requests by lot have found, that nobody would think of: one body a behaviour.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::arms::Arm;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/SPACE/leases";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/SPACE/leases/l";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/SPACE/endpointslices";
const SLICE: &str = "/apis/discovery.k8s.io/v1/namespaces/SPACE/endpointslices/s";
const SETS: &str = "/apis/apps/v1/namespaces/SPACE/statefulsets";
const SET: &str = "/apis/apps/v1/namespaces/SPACE/statefulsets/s";
const JOBS: &str = "/apis/batch/v1/namespaces/SPACE/jobs";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/rolebindings";
const ACCOUNT: &str = "/api/v1/namespaces/SPACE/serviceaccounts/a";
const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/SPACE/ingresses";
const SCALERS: &str = "/apis/autoscaling/v2/namespaces/SPACE/horizontalpodautoscalers";

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

bodies! {
    services_say_where_they_are_reached
    labels_of_slices_count_as_changes
    a_scale_that_says_no_number_changes_none
    a_scale_of_none_has_no_owner
    what_is_applied_to_parts_of_nothing_is_not_read
    scalars_of_a_form_take_any_scalar
    numbers_that_are_too_large_are_cut
    nothing_in_a_list_is_an_empty_item
    fields_that_come_twice_are_read_one_after_the_other
    patches_are_told_as_they_are_left
    words_that_are_torn
    a_version_that_is_none_is_told_before_the_rest
    what_is_empty_is_told_as_it_was_given
    labels_of_jobs_whose_names_are_found
    metrics_of_every_sort_are_checked
    parts_that_are_no_rows_of_tables
    one_object_by_its_name_is_one_page
}

fn services_say_where_they_are_reached(arm: &Arm) {
    const SERVICE: &str = "/api/v1/namespaces/SPACE/services/s";
    let service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}});
    arm.exchange("POST", &arm.placed("/api/v1/namespaces/SPACE/services"), JSON, &service);
    let say = |ingress: Value| {
        let status = json!({"status": {"loadBalancer": {"ingress": ingress}}});
        let status = arm.exchange("PATCH", &arm.placed(&format!("{SERVICE}/status?dryRun=All")), MERGE, &status);
        let shown = if status.code == 200 { &status.body["status"] } else { &status.body["message"] };
        arm.note("status", shown.clone());
    };
    say(json!([{}]));
    arm.exchange("PATCH", &arm.placed(SERVICE), MERGE, &json!({"spec": {"type": "LoadBalancer"}}));
    for ingress in [
        json!([{}]),
        json!([{"ip": "1.2.3.4"}]),
        json!([{"ip": "one"}]),
        json!([{"hostname": "a.example", "ipMode": "VIP"}]),
        json!([{"ip": "1.2.3.4", "ipMode": "Wrong"}]),
        json!([{"hostname": "1.2.3.4"}, {"hostname": "A_B"}]),
    ] {
        say(ingress);
    }
}

fn labels_of_slices_count_as_changes(arm: &Arm) {
    arm.create(SLICES, json!({"metadata": {"name": "s"}, "addressType": "IPv4", "endpoints": []}));
    arm.patch(SLICE, "merge", json!({"metadata": {"annotations": {"a": "1"}}}));
    arm.patch(SLICE, "merge", json!({"metadata": {"labels": {"a": "1"}}}));
    arm.patch(SLICE, "merge", json!({"metadata": {"labels": {"a": "not allowed!"}, "uid": "wrong"}}));
}

fn set() -> Value {
    let template = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}});
    let spec =
        json!({"replicas": 0, "serviceName": "s", "selector": {"matchLabels": {"app": "a"}}, "template": template});
    json!({"metadata": {"name": "s"}, "spec": spec})
}

fn scale(more: Value) -> Value {
    let mut scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale"});
    scale.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    scale
}

fn a_scale_that_says_no_number_changes_none(arm: &Arm) {
    let mut two = set();
    two["spec"]["replicas"] = json!(2);
    arm.create(&format!("{SETS}?dryRun=All"), two);
    arm.exchange("POST", &arm.placed(SETS), JSON, &set());
    arm.apply(&format!("{SET}/scale"), "ann", scale(json!({})));
    arm.apply(&format!("{SET}/scale"), "ann", scale(json!({"spec": {}})));
    arm.apply(&format!("{SET}/scale"), "ann", scale(json!({"metadata": {"annotations": {"a b": ""}}})));
    arm.apply(&format!("{SET}/scale"), "ann", scale(json!({"metadata": {"finalizers": ["x"]}})));
}

fn a_scale_of_none_has_no_owner(arm: &Arm) {
    arm.exchange("POST", &arm.placed(SETS), JSON, &set());
    arm.patch(&format!("{SET}/scale?dryRun=All"), "merge", json!({"spec": {"replicas": 1}}));
    arm.patch(&format!("{SET}/scale"), "merge", json!({"spec": {"replicas": 0}}));
    let owners = arm.look(SET).body["metadata"]["managedFields"].clone();
    let by_scale = |entry: &&Value| entry["subresource"] == "scale";
    arm.note("owners by scale", owners.as_array().unwrap().iter().filter(by_scale).cloned().collect());
}

fn what_is_applied_to_parts_of_nothing_is_not_read(arm: &Arm) {
    for part in ["status", "scale"] {
        for body in ["[]", "7", "a: [", "{}"] {
            let path = format!("{SET}/{part}?fieldManager=ann");
            arm.send_text("PATCH", &path, "application/apply-patch+yaml", body);
        }
    }
}

fn lease(spec: Value) -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": spec})
}

fn scalars_of_a_form_take_any_scalar(arm: &Arm) {
    for time in [json!({}), json!([1, {"a": 1}]), json!(7), json!(true), json!("yesterday"), Value::Null] {
        arm.apply(LEASE, "ann", lease(json!({"renewTime": time})));
    }
    for port in [json!({}), json!([1]), json!(true), json!(1.5)] {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [
            {"port": 1, "targetPort": port}
        ]}});
        arm.apply("/api/v1/namespaces/SPACE/services/s", "ann", service);
    }
    for amount in [json!({}), json!([]), json!(true)] {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": amount}}
        }});
        arm.apply("/api/v1/namespaces/SPACE/persistentvolumeclaims/c", "ann", claim);
    }
}

fn numbers_that_are_too_large_are_cut(arm: &Arm) {
    arm.create(LEASES, lease(json!({})));
    for number in ["2147483648", "4294967297", "9223372036854775808", "99999999999999999999", "1.5", "-0"] {
        let patch = format!("{{\"spec\": {{\"leaseDurationSeconds\": {number}}}}}");
        arm.send_text("PATCH", LEASE, "application/strategic-merge-patch+json", &patch);
        arm.send_text("PATCH", LEASE, MERGE, &patch);
        let config = lease(json!({"leaseTransitions": 7})).to_string().replace('7', number);
        arm.send_text("PATCH", &format!("{LEASE}?fieldManager=ann"), "application/apply-patch+yaml", &config);
    }
}

fn nothing_in_a_list_is_an_empty_item(arm: &Arm) {
    let config =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "imagePullSecrets": [null]});
    arm.apply(ACCOUNT, "ann", config.clone());
    arm.patch(ACCOUNT, "merge", json!({"imagePullSecrets": [null, {"name": "s"}]}));
    arm.replace(ACCOUNT, config);
}

fn fields_that_come_twice_are_read_one_after_the_other(arm: &Arm) {
    let role = r#""roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}"#;
    let whole = |more: &str| format!(r#"{{"metadata": {{"name": "r"}}, {role}, {more}}}"#);
    for more in [
        r#""roleRef": null"#,
        r#""roleRef": {"name": "edit"}"#,
        r#""roleRef": 7, "subjects": []"#,
        r#""subjects": "a", "subjects": []"#,
        r#""subjects": [{"kind": "User", "name": "a"}], "subjects": [{"kind": "Group"}, {"kind": "User", "name": "b"}]"#,
        r#""metadata": {"labels": {"a": "1"}}, "metadata": {"labels": {"b": "2"}}"#,
        r#""metadata": {"labels": {"a": "1"}}, "metadata": {"labels": null}"#,
        r#""kind": 7, "kind": "RoleBinding""#,
        r#""subjects": null, "subjects": null"#,
    ] {
        arm.send_text("POST", &format!("{ROLES}?dryRun=All"), JSON, &whole(more));
    }
    let lease = r#"{"metadata": {"name": "l"}, "spec": {"holderIdentity": "a", "holderIdentity": null, "leaseDurationSeconds": 1.5,
        "leaseDurationSeconds": 2}}"#;
    arm.send_text("POST", LEASES, JSON, lease);
    arm.create(LEASES, json!({"metadata": {"name": "l"}}));
    let twice = r#"{"metadata": {"annotations": {"a": "1"}}, "metadata": {}}"#;
    arm.send_text("PATCH", LEASE, MERGE, twice);
    arm.send_text("PATCH", LEASE, "application/strategic-merge-patch+json", twice);
}

fn patches_are_told_as_they_are_left(arm: &Arm) {
    arm.create(LEASES, json!({"metadata": {"name": "l", "labels": {"a": "1"}}, "spec": {"leaseTransitions": 1}}));
    for patch in [
        json!({"spec": {"leaseTransitions": []}, "$patch": "replace"}),
        json!({"spec": {"leaseTransitions": [], "$patch": "replace"}}),
        json!({"spec": {"leaseTransitions": [], "$retainKeys": ["leaseTransitions"]}}),
        json!({"spec": {"leaseTransitions": []}, "metadata": {"labels": {"a": null, "b": "1"}, "annotations": {"c": null}}}),
    ] {
        arm.patch(LEASE, "strategic-merge", patch);
    }
}

fn words_that_are_torn(arm: &Arm) {
    for body in [
        "tru",
        "fals",
        "nul",
        "{\"a\": tru",
        "[1, -",
        "1.",
        "1e",
        "1e+",
        "\"a\\",
        "\"\\u12",
        "\"a",
        "[1",
        "{\"a\"",
        "-",
    ] {
        arm.send_text("POST", LEASES, JSON, body);
    }
}

fn a_version_that_is_none_is_told_before_the_rest(arm: &Arm) {
    let wrong = json!({"metadata": {"name": "e", "resourceVersion": "text"}, "subsets": [{}]});
    arm.replace("/api/v1/namespaces/SPACE/endpoints/e", wrong);
    arm.send_text("POST", &format!("{ROLES}?dryRun=Some"), "text/plain", "{}");
    arm.send_text("PUT", &format!("{ROLES}/r?dryRun=Some"), "text/plain", "{}");
}

fn what_is_empty_is_told_as_it_was_given(arm: &Arm) {
    for labels in [json!({}), Value::Null, json!({"b": "1"})] {
        let mut wrong = set();
        wrong["spec"]["template"]["metadata"]["labels"] = labels;
        arm.create(SETS, wrong);
    }
    for spec in [json!({"rules": []}), json!({"rules": null}), json!({})] {
        arm.create(INGRESSES, json!({"metadata": {"name": "i"}, "spec": spec}));
    }
}

fn labels_of_jobs_whose_names_are_found(arm: &Arm) {
    let spec = json!({"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]});
    let spec = json!({"suspend": true, "template": {"metadata": {"labels": {"app": "a"}}, "spec": spec}});
    for metadata in [json!({"generateName": "g-"}), json!({"name": "j"}), json!({"name": "k", "generateName": "g-"})] {
        let job = arm.exchange(
            "POST",
            &arm.placed(&format!("{JOBS}?dryRun=All")),
            JSON,
            &json!({
                "metadata": metadata, "spec": spec
            }),
        );
        let labels: BTreeSet<&String> = job.body["metadata"]["labels"].as_object().unwrap().keys().collect();
        arm.note("labels", json!(labels));
    }
}

fn metrics_of_every_sort_are_checked(arm: &Arm) {
    let amount = json!({"type": "AverageValue", "averageValue": "1"});
    for metric in [
        json!({}),
        json!({"type": "Wrong"}),
        json!({"type": "Pods"}),
        json!({"type": "Pods", "pods": {}}),
        json!({"type": "Pods", "pods": {"metric": {"name": "a/b"}, "target": {"type": "Wrong", "averageValue": 0}}}),
        json!({"type": "Object", "object": {}}),
        json!({"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "s"}, "metric": {"name": "m"}, "target": amount}}),
        json!({"type": "External", "external": {"metric": {"name": "m"}, "target": {"type": "Value", "value": "1", "averageValue": "1"}}}),
        json!({"type": "External", "external": {}}),
        json!({"type": "Resource", "resource": {}}),
        json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 0}}}),
        json!({"type": "ContainerResource", "containerResource": {}}),
        json!({"type": "ContainerResource", "containerResource": {"name": "own", "container": "a b", "target": amount}}),
        json!({"type": "Resource", "resource": {"name": "cpu", "target": amount}, "pods": {"metric": {"name": "m"}, "target": amount}}),
    ] {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"});
        let spec = json!({"maxReplicas": 3, "scaleTargetRef": target, "metrics": [metric]});
        arm.create(&format!("{SCALERS}?dryRun=All"), json!({"metadata": {"name": "a"}, "spec": spec}));
    }
    let target = json!({"kind": "Deployment", "name": "a"});
    for most in [0, -1] {
        let spec = json!({"maxReplicas": most, "scaleTargetRef": target});
        arm.create(&format!("{SCALERS}?dryRun=All"), json!({"metadata": {"name": "a"}, "spec": spec}));
    }
}

fn parts_that_are_no_rows_of_tables(arm: &Arm) {
    const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    for part in ["resize", "ephemeralcontainers", "status"] {
        arm.get_as(&format!("/api/v1/namespaces/SPACE/pods/nobody/{part}"), TABLE);
    }
    arm.exchange("POST", &arm.placed(SETS), JSON, &set());
    arm.get_as(&format!("{SET}/scale"), LIST);
}

fn one_object_by_its_name_is_one_page(arm: &Arm) {
    for name in ["a", "b", "c"] {
        arm.create(LEASES, json!({"metadata": {"name": name}}));
    }
    for selector in ["metadata.name=a", "metadata.name=a,metadata.namespace=SPACE", "metadata.name!=c"] {
        arm.get(&format!("{LEASES}?limit=1&fieldSelector={selector}"));
    }
}
