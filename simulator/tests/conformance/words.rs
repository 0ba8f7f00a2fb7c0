//! What refusals and warnings say, word by word, where sequences of requests by lot have found it.

use serde_json::{Value, json};

use super::arms::Arm;

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const MAP: &str = "/api/v1/namespaces/SPACE/configmaps/m";
const SECRETS: &str = "/api/v1/namespaces/SPACE/secrets";
const SECRET: &str = "/api/v1/namespaces/SPACE/secrets/s";
const SERVICES: &str = "/api/v1/namespaces/SPACE/services";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/roles";
const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/roles/r";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/SPACE/deployments/d";
const SCALE: &str = "/apis/apps/v1/namespaces/SPACE/deployments/d/scale";

bodies! {
    selectors_of_labels_that_are_none
    selectors_of_fields_that_are_none
    conflicts_of_several_managers
    an_apply_that_changes_nothing_leaves_no_time
    an_apply_whose_items_nothing_tells_apart
    a_scale_that_says_it_is_something_else
    a_status_of_a_service_that_is_not_there
    an_empty_list_is_owned
    what_may_not_change_may_not_be_emptied
    what_may_not_change_is_told_first
    orders_of_lists_that_there_are_not
    a_name_that_is_still_ending
    templates_with_oddities
    headless_services_with_oddities
    keys_and_certificates_that_are_none
}

fn selectors_of_labels_that_are_none(arm: &Arm) {
    let wrong = [
        "x in (",
        "x in",
        "x in a",
        "x in (a",
        "x in (a b)",
        "x in ()",
        "x in (,a)",
        "x in (a,,b)",
        "x notin (a),y",
        "x=",
        "x=,y",
        "x==a",
        "x=a=b",
        "x!=a",
        "!x",
        "!x=a",
        "!",
        "!!x",
        "x y",
        ",",
        "x,",
        "x,,y",
        "x>1",
        "x<a",
        "x>",
        "=a",
        "in in (in)",
        "x in (not_ok!)",
        "-x",
        "x=-",
        "(x)",
        "a/b/c",
        "x in (a),y=b c",
    ];
    for selector in wrong {
        let escaped: String = selector.bytes().map(|byte| format!("%{byte:02X}")).collect();
        arm.get(&format!("{SERVICES}?labelSelector={escaped}"));
    }
}

fn selectors_of_fields_that_are_none(arm: &Arm) {
    let wrong = [
        "metadata.name",
        "=",
        "metadata.name=a=b",
        "metadata.name=a\\,b",
        "metadata.name=a\\b",
        "z=1,b=2",
        ",",
        "metadata.name==a",
    ];
    for selector in wrong {
        let escaped: String = selector.bytes().map(|byte| format!("%{byte:02X}")).collect();
        arm.get(&format!("{SERVICES}?fieldSelector={escaped}"));
    }
}

fn map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "labels": {"l": "1"}}, "data": data})
}

fn conflicts_of_several_managers(arm: &Arm) {
    arm.create(MAPS, map(json!({"a": "1"})));
    arm.apply(MAP, "bob", json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"b": "1", "c": "1"}}));
    arm.apply(MAP, "me", map(json!({"a": "2"})));
    arm.apply(MAP, "me", map(json!({"a": "2", "b": "2"})));
    let mut other = map(json!({"a": "2", "b": "2", "c": "2"}));
    other["metadata"]["labels"]["l"] = json!("2");
    arm.apply(MAP, "me", other);
}

fn an_apply_that_changes_nothing_leaves_no_time(arm: &Arm) {
    arm.create(MAPS, map(json!({"a": "1"})));
    arm.apply(MAP, "me", map(json!({"a": "1"})));
    arm.apply(MAP, "me", json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}));
}

fn an_apply_whose_items_nothing_tells_apart(arm: &Arm) {
    for containers in [json!([{"name": "a"}, {"name": "a"}]), json!(["a"]), json!([null])] {
        let spec = json!({"template": {"spec": {"containers": containers}}});
        arm.apply(DEPLOYMENT, "me", json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}));
    }
    for finalizers in [json!(["a/b", "a/b"]), json!([{}]), json!([null])] {
        let metadata = json!({"finalizers": finalizers});
        arm.apply(MAP, "me", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}));
    }
}

fn deployment(pod: Value) -> Value {
    let template = json!({"metadata": {"labels": {"app": "d"}}, "spec": pod});
    json!({"metadata": {"name": "d"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "d"}}, "template": template}})
}

fn a_scale_that_says_it_is_something_else(arm: &Arm) {
    let pod = json!({"containers": [{"name": "a", "image": "a"}]});
    arm.exchange("POST", &arm.placed(DEPLOYMENTS), "application/json", &deployment(pod));
    let metadata = json!({"name": "d"});
    for (version, kind) in [("apps/v1", "Deployment"), ("v1", "Scale"), ("apps/v1beta1", "Scale"), ("", "Deployment")] {
        arm.replace(SCALE, json!({"apiVersion": version, "kind": kind, "metadata": metadata}));
    }
    arm.replace(SCALE, json!({"metadata": metadata, "spec": {"replicas": "2"}}));
    arm.replace(&format!("{SCALE}?fieldValidation=Strict"), json!({"metadata": metadata, "spec": {"x": 1}}));
    arm.patch(SCALE, "merge", json!({"spec": {"replicas": 0, "x": 1}}));
    arm.patch(SCALE, "strategic-merge", json!({"spec": {"replicas": "2"}}));
    arm.apply(SCALE, "me", json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"x": 1}}));
}

fn a_status_of_a_service_that_is_not_there(arm: &Arm) {
    let one = format!("{SERVICES}/a");
    let status = format!("{one}/status");
    arm.replace(&status, json!({"metadata": {"name": "a"}}));
    arm.patch(&status, "merge", json!({"status": {}}));
    arm.apply(&status, "me", json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}));
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}});
    arm.apply(&status, "me", service);
    arm.get(&one);
    arm.patch(&one, "json", json!([]));
    arm.delete(&one);
}

fn an_empty_list_is_owned(arm: &Arm) {
    let role =
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": []});
    arm.create(&format!("{ROLES}?dryRun=All"), role.clone());
    arm.create(ROLES, role.clone());
    arm.patch(ROLE, "merge", json!({"rules": []}));
    arm.apply(ROLE, "me", role.clone());
    arm.apply(ROLE, "me&force=true", role);
}

fn what_may_not_change_may_not_be_emptied(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m"}, "immutable": true}));
    arm.patch(MAP, "merge", json!({"binaryData": {}}));
    arm.patch(MAP, "merge", json!({"data": null}));
    arm.apply(MAP, "me", json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}, "binaryData": {}}));
}

fn what_may_not_change_is_told_first(arm: &Arm) {
    arm.create(SECRETS, json!({"metadata": {"name": "s"}}));
    arm.patch(SECRET, "merge", json!({"type": "kubernetes.io/basic-auth"}));
    arm.create(SERVICES, json!({"metadata": {"name": "b"}, "spec": {"ports": [{"port": 80}]}}));
    arm.patch(
        &format!("{SERVICES}/b"),
        "merge",
        json!({"spec": {"clusterIP": "None", "externalTrafficPolicy": "Cluster"}}),
    );
    arm.dismiss("DELETE", &format!("{SERVICES}/b"), "", "");
}

fn orders_of_lists_that_there_are_not(arm: &Arm) {
    arm.create(MAPS, map(json!({"a": "1"})));
    arm.patch(MAP, "strategic-merge", json!({"$setElementOrder/ports": []}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"$setElementOrder/ports": []}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"labels": {"$setElementOrder/ports": []}}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"$setElementOrder/finalizers": []}}));
    arm.patch(MAP, "strategic-merge", json!({"binaryData": {"bin": "!"}}));
}

fn a_name_that_is_still_ending(arm: &Arm) {
    let object = json!({"metadata": {"name": "m", "finalizers": ["example.org/kept"]}});
    arm.create(MAPS, object.clone());
    arm.delete(MAP);
    arm.create(MAPS, object.clone());
    arm.create(&format!("{MAPS}?dryRun=All"), object);
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
}

fn templates_with_oddities(arm: &Arm) {
    let container = |more: Value| {
        let mut container = json!({"name": "a", "image": "a"});
        container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"containers": [container]})
    };
    let mut odd = vec![
        container(json!({"env": [{"name": "X", "value": "1"}, {"name": "X", "value": "2"}]})),
        container(json!({"env": [{"name": "X", "value": "1"}, {"name": "X", "value": "$(X)2"}]})),
        container(json!({"ports": [{"containerPort": 80, "name": "p"}, {"containerPort": 81, "name": "p"}]})),
        container(
            json!({"ports": [{"containerPort": 80}, {"containerPort": 80, "hostPort": 80}, {"containerPort": 80}]}),
        ),
        container(json!({"ports": [{"containerPort": 80, "hostIP": "1.2.3.4"}]})),
        container(json!({"resources": {"requests": {"memory": "100m"}, "limits": {"memory": "1500m"}}})),
    ];
    for (field, value) in [
        ("terminationGracePeriodSeconds", json!(-1)),
        ("nodeSelector", json!({"beta.kubernetes.io/os": "linux"})),
        ("imagePullSecrets", json!([{"name": "a"}, {"name": "a"}, {}])),
        ("hostAliases", json!([{"ip": "1.2.3.4"}, {"ip": "1.2.3.4"}])),
        (
            "topologySpreadConstraints",
            json!([{"maxSkew": 1, "topologyKey": "k", "whenUnsatisfiable": "DoNotSchedule"}]),
        ),
    ] {
        let mut pod = container(json!({}));
        pod[field] = value;
        odd.push(pod);
    }
    for pod in odd {
        arm.create(&format!("{DEPLOYMENTS}?dryRun=All"), deployment(pod.clone()));
        arm.create("/api/v1/namespaces/SPACE/pods?dryRun=All", json!({"metadata": {"name": "a.b"}, "spec": pod}));
    }
}

fn headless_services_with_oddities(arm: &Arm) {
    for more in [
        json!({"sessionAffinity": "ClientIP"}),
        json!({"externalIPs": ["1.2.3.4"]}),
        json!({"externalName": "example.org"}),
    ] {
        let mut spec = json!({"clusterIP": "None", "ports": [{"port": 80}]});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arm.create(&format!("{SERVICES}?dryRun=All"), json!({"metadata": {"name": "h"}, "spec": spec}));
    }
}

fn keys_and_certificates_that_are_none(arm: &Arm) {
    for (certificate, key) in [("c", "k"), ("", ""), ("-----BEGIN X-----", "k")] {
        let texts = json!({"tls.crt": certificate, "tls.key": key});
        let secret = json!({"metadata": {"name": "t"}, "type": "kubernetes.io/tls", "stringData": texts});
        arm.create(&format!("{SECRETS}?dryRun=All"), secret);
    }
}
