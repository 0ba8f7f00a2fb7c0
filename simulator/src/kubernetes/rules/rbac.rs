//! Roles, and the bindings that give them to somebody.

use serde_json::{Value, json};

use super::{
    NameForm, Rules,
    field::{Field, formed, label_selector, required},
    fill::{default, items},
    form,
};
use crate::kubernetes::answer::Cause;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Roles of a namespace.
pub struct Roles;

/// Roles of the whole cluster.
pub struct ClusterRoles;

/// Bindings in a namespace.
pub struct RoleBindings;

/// Bindings for the whole cluster.
pub struct ClusterRoleBindings;

impl Rules for Roles {
    fn replacing_creates(&self) -> bool {
        true
    }

    fn check(&self, role: &Value) -> Vec<Cause> {
        Field::of(role, "rules").items().flat_map(|rule| policy(&rule, true)).collect()
    }

    fn name_form(&self) -> NameForm {
        NameForm::PathSegment
    }
}

impl Rules for ClusterRoles {
    fn replacing_creates(&self) -> bool {
        true
    }

    fn check(&self, role: &Value) -> Vec<Cause> {
        let mut wrong: Vec<Cause> = Field::of(role, "rules").items().flat_map(|rule| policy(&rule, false)).collect();
        let aggregation = Field::of(role, "aggregationRule");
        let selectors = aggregation.at("clusterRoleSelectors");
        if aggregation.is_set() && selectors.is_empty() {
            wrong.push(selectors.required("at least one clusterRoleSelector required if aggregationRule is non-nil"));
        }
        for selector in selectors.items() {
            let malformed = label_selector(&selector);
            let unusable = !malformed.is_empty();
            wrong.extend(malformed);
            if unusable {
                wrong.push(Cause::invalid(&selector.path, &Value::Null, "invalid label selector."));
            }
        }
        wrong
    }

    fn name_form(&self) -> NameForm {
        NameForm::PathSegment
    }
}

impl Rules for RoleBindings {
    fn replacing_creates(&self) -> bool {
        true
    }

    fn fill_in(&self, binding: &mut Value) {
        fill_in(binding);
    }

    fn check(&self, binding: &Value) -> Vec<Cause> {
        check(binding, &["Role", "ClusterRole"], true)
    }

    fn check_change(&self, binding: &Value, there: &Value) -> Vec<Cause> {
        Vec::from_iter(same_role(binding, there))
    }

    fn name_form(&self) -> NameForm {
        NameForm::PathSegment
    }
}

impl Rules for ClusterRoleBindings {
    fn replacing_creates(&self) -> bool {
        true
    }

    fn fill_in(&self, binding: &mut Value) {
        fill_in(binding);
    }

    fn check(&self, binding: &Value) -> Vec<Cause> {
        check(binding, &["ClusterRole"], false)
    }

    fn check_change(&self, binding: &Value, there: &Value) -> Vec<Cause> {
        Vec::from_iter(same_role(binding, there))
    }

    fn name_form(&self) -> NameForm {
        NameForm::PathSegment
    }
}

fn policy(rule: &Field<'_>, of_namespace: bool) -> Vec<Cause> {
    let mut wrong = Vec::from_iter(required(&rule.at("verbs"), "verbs must contain at least one value"));
    let [urls, groups, resources, names] =
        ["nonResourceURLs", "apiGroups", "resources", "resourceNames"].map(|name| rule.at(name));
    if urls.is_empty() {
        wrong.extend(required(&groups, "resource rules must supply at least one api group"));
        wrong.extend(required(&resources, "resource rules must supply at least one resource"));
        return wrong;
    }
    if of_namespace {
        wrong.push(urls.invalid("namespaced rules cannot apply to non-resource URLs"));
    }
    if [groups, resources, names].iter().any(|field| !field.is_empty()) {
        wrong.push(urls.invalid("rules cannot apply to both regular resources and non-resource URLs"));
    }
    wrong
}

fn fill_in(binding: &mut Value) {
    if binding["roleRef"]["apiGroup"].as_str().is_none_or(str::is_empty) {
        binding["roleRef"]["apiGroup"] = json!(GROUP);
    }
    for subject in items(binding, "subjects") {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            default(subject, "apiGroup", GROUP);
        }
    }
}

fn check(binding: &Value, roles: &[&str], in_namespace: bool) -> Vec<Cause> {
    let role = Field::of(binding, "roleRef");
    let (group, kind, name) = (role.at("apiGroup"), role.at("kind"), role.at("name"));
    let mut wrong = Vec::new();
    if group.text() != GROUP {
        wrong.push(group.unsupported(&[GROUP]));
    }
    if !roles.contains(&kind.text()) {
        wrong.push(kind.unsupported(roles));
    }
    wrong.extend(required(&name, ""));
    wrong.extend(formed(&name, form::path_segment));
    for subject in Field::of(binding, "subjects").items() {
        wrong.extend(check_subject(&subject, in_namespace));
    }
    wrong
}

fn check_subject(subject: &Field<'_>, in_namespace: bool) -> Vec<Cause> {
    let (kind, name, group) = (subject.at("kind"), subject.at("name"), subject.at("apiGroup"));
    let mut wrong = Vec::from_iter(required(&name, ""));
    match kind.text() {
        "ServiceAccount" => {
            if !name.is_empty() {
                wrong.extend(formed(&name, form::subdomain));
            }
            if !group.is_empty() {
                wrong.push(group.unsupported(&[""]));
            }
            if !in_namespace {
                wrong.extend(required(&subject.at("namespace"), ""));
            }
        }
        "User" | "Group" => {
            if group.text() != GROUP {
                wrong.push(group.unsupported(&[GROUP]));
            }
        }
        _ => wrong.push(kind.unsupported(&["ServiceAccount", "User", "Group"])),
    }
    wrong
}

fn same_role(binding: &Value, there: &Value) -> Option<Cause> {
    let role = &binding["roleRef"];
    let told = json!({"APIGroup": role["apiGroup"], "Kind": role["kind"], "Name": role["name"]});
    (*role != there["roleRef"]).then(|| Cause::invalid("roleRef", &told, "cannot change roleRef"))
}
