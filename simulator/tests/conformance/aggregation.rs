//! ClusterRoles that are made of others.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, fields},
};

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

bodies! {
    a_role_has_what_its_parts_have
    what_a_role_is_made_of_may_change
    a_role_that_is_made_of_others_has_nothing_of_its_own
}

fn part(arm: &Arm, name: &str, resources: &[&str]) {
    arm.make(
        ROLES,
        json!({
            "metadata": {"name": format!("SPACE-{name}"), "labels": {"part-of": "SPACE"}},
            "rules": [{"apiGroups": [""], "resources": resources, "verbs": ["get"]}],
        }),
    );
}

fn whole(arm: &Arm, rules: Value) {
    arm.make(
        ROLES,
        json!({
            "metadata": {"name": "SPACE"},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"part-of": "SPACE"}}]},
            "rules": rules,
        }),
    );
}

fn settled(arm: &Arm, count: usize) {
    arm.settle(&format!("{ROLES}/SPACE"), |role| {
        let rules = role["rules"].as_array().map_or(0, Vec::len);
        (rules == count).then(|| fields(role, &["/rules", "/metadata/managedFields"]))
    });
}

fn clean_up(arm: &Arm, names: &[&str]) {
    names.iter().for_each(|name| arm.drop(&format!("{ROLES}/{name}")));
}

fn a_role_has_what_its_parts_have(arm: &Arm) {
    part(arm, "b", &["pods"]);
    part(arm, "a", &["services"]);
    part(arm, "c", &["pods"]);
    whole(arm, json!([]));
    settled(arm, 2);
    clean_up(arm, &["SPACE", "SPACE-a", "SPACE-b", "SPACE-c"]);
}

fn what_a_role_is_made_of_may_change(arm: &Arm) {
    part(arm, "a", &["services"]);
    whole(arm, json!([]));
    settled(arm, 1);
    part(arm, "b", &["pods"]);
    settled(arm, 2);
    clean_up(arm, &["SPACE-a", "SPACE-b"]);
    settled(arm, 0);
    clean_up(arm, &["SPACE"]);
}

fn a_role_that_is_made_of_others_has_nothing_of_its_own(arm: &Arm) {
    part(arm, "a", &["services"]);
    part(arm, "b", &["pods"]);
    whole(arm, json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]));
    settled(arm, 2);
    clean_up(arm, &["SPACE", "SPACE-a", "SPACE-b"]);
}
