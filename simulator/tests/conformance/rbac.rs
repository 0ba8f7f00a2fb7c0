//! Roles and who has them.

use serde_json::{Value, json};

use super::arms::Arm;

const GROUP: &str = "/apis/rbac.authorization.k8s.io/v1";

bodies! {
    a_role_is_created_and_changed
    rules_of_roles_are_checked
    rules_of_cluster_roles_are_checked
    cluster_roles_may_be_made_of_others
    a_binding_is_created_and_changed
    bindings_that_are_wrong_are_refused
    a_binding_keeps_its_role
    names_of_roles_may_hold_colons
}

fn roles() -> String {
    format!("{GROUP}/namespaces/SPACE/roles")
}

fn bindings() -> String {
    format!("{GROUP}/namespaces/SPACE/rolebindings")
}

fn role(rules: Value) -> Value {
    json!({"metadata": {"name": "reader"}, "rules": rules})
}

fn binding(role: Value, subjects: Value) -> Value {
    json!({"metadata": {"name": "readers"}, "roleRef": role, "subjects": subjects})
}

fn a_role_is_created_and_changed(arm: &Arm) {
    arm.create(&roles(), role(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])));
    arm.patch(&format!("{}/reader", roles()), "merge", json!({"rules": []}));
    arm.patch(
        &format!("{}/reader", roles()),
        "merge",
        json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
    );
    arm.get(&format!("{}/reader", roles()));
    arm.get(&roles());
    arm.delete(&format!("{}/reader", roles()));
    arm.create(&roles(), json!({"metadata": {"name": "nothing"}}));
}

fn rules_of_roles_are_checked(arm: &Arm) {
    for rules in [
        json!([{}]),
        json!([{"verbs": ["get"]}]),
        json!([{"verbs": ["get"], "apiGroups": [""]}]),
        json!([{"verbs": ["get"], "resources": ["pods"]}]),
        json!([{"verbs": [], "apiGroups": [""], "resources": ["pods"]}]),
        json!([{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}]),
        json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]}]),
    ] {
        arm.create(&roles(), role(rules));
    }
}

fn rules_of_cluster_roles_are_checked(arm: &Arm) {
    for rules in [
        json!([{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/metrics/*", "*"]}]),
        json!([{"verbs": ["get"], "nonResourceURLs": ["/a/*/b"]}]),
        json!([{"verbs": ["get"], "nonResourceURLs": ["/healthz"], "apiGroups": [""], "resources": ["pods"]}]),
        json!([{"verbs": ["get"], "apiGroups": [""]}]),
    ] {
        arm.create(&format!("{GROUP}/clusterroles?dryRun=All"), json!({"metadata": {"name": "SPACE"}, "rules": rules}));
    }
}

fn cluster_roles_may_be_made_of_others(arm: &Arm) {
    for aggregation in [
        json!({"clusterRoleSelectors": [{"matchLabels": {"SPACE": "true"}}]}),
        json!({"clusterRoleSelectors": []}),
        json!({}),
        json!({"clusterRoleSelectors": [{"matchLabels": {"a b": "true"}}]}),
    ] {
        let role = json!({"metadata": {"name": "SPACE"}, "aggregationRule": aggregation});
        arm.create(&format!("{GROUP}/clusterroles?dryRun=All"), role);
    }
}

fn a_binding_is_created_and_changed(arm: &Arm) {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"});
    arm.create(
        &bindings(),
        binding(role, json!([{"kind": "ServiceAccount", "name": "builder", "namespace": "SPACE"}])),
    );
    let subjects = json!([{"kind": "User", "name": "ada"}, {"kind": "Group", "name": "admins"}, {"kind": "ServiceAccount", "name": "builder", "namespace": "SPACE"}]);
    arm.patch(&format!("{}/readers", bindings()), "merge", json!({"subjects": subjects}));
    arm.patch(&format!("{}/readers", bindings()), "merge", json!({"subjects": []}));
    arm.get(&format!("{}/readers", bindings()));
}

fn bindings_that_are_wrong_are_refused(arm: &Arm) {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"});
    for subjects in [
        json!([{}]),
        json!([{"kind": "Robot", "name": "ada"}]),
        json!([{"kind": "User"}]),
        json!([{"kind": "ServiceAccount", "name": "Bad Name"}]),
        json!([{"kind": "ServiceAccount", "name": "builder"}]),
        json!([{"kind": "ServiceAccount", "name": "builder", "namespace": "SPACE", "apiGroup": "apps"}]),
        json!([{"kind": "User", "name": "ada", "apiGroup": "apps"}]),
        json!([{"kind": "Group", "name": "ada", "apiGroup": ""}]),
    ] {
        arm.create(&bindings(), binding(role.clone(), subjects));
    }
    for role in [
        json!({}),
        json!({"kind": "Role", "name": "reader"}),
        json!({"apiGroup": "apps", "kind": "Role", "name": "reader"}),
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Pod", "name": "reader"}),
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role"}),
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a/b"}),
    ] {
        arm.create(&format!("{}?dryRun=All", bindings()), binding(role, json!([])));
    }
    let cluster = json!({"metadata": {"name": "SPACE"}, "roleRef": role, "subjects": []});
    arm.create(&format!("{GROUP}/clusterrolebindings?dryRun=All"), cluster);
}

fn a_binding_keeps_its_role(arm: &Arm) {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"});
    arm.create(&bindings(), binding(role, json!([])));
    arm.patch(&format!("{}/readers", bindings()), "merge", json!({"roleRef": {"name": "writer"}}));
}

fn names_of_roles_may_hold_colons(arm: &Arm) {
    for name in ["system:Reader", "a b", "a/b", "a%b", "..", ""] {
        arm.create(&roles(), json!({"metadata": {"name": name}}));
    }
}
