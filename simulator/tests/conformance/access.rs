//! Who may do what, and what is said to those who may not.

use serde_json::{Value, json};

use super::arms::Arm;

const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/rolebindings";
const OWN_ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";

bodies! {
    whoever_has_no_role_may_do_nothing
    whoever_has_no_role_may_find_out_what_there_is
    paths_that_lead_to_no_resource_have_rules_of_their_own
    a_wrong_token_is_nobodys
    a_role_allows_what_it_says_and_no_more
    a_role_names_objects
    a_role_names_parts_of_a_resource
    a_cluster_role_can_be_bound_in_one_namespace
    a_binding_to_a_role_that_is_not_there_says_so
    a_group_can_be_bound
    a_service_account_can_be_bound
    anybody_may_ask_what_they_may_do
    an_administrator_may_ask_what_others_may_do
    a_question_inside_a_namespace_is_about_that_namespace
    a_question_that_is_none_is_refused
    everybody_may_ask_who_they_are
    the_rules_that_hold_for_somebody_can_be_listed
    an_administrator_may_act_for_others
    nobody_else_may_act_for_others
    groups_without_a_name_are_nobody
    a_token_is_made_for_an_account
    a_token_ends_with_its_account
    a_token_that_is_too_short_lived_is_refused
    a_token_can_be_bound_to_a_secret
    a_token_is_reviewed
    nobody_gives_away_more_than_they_have
    nobody_binds_a_role_that_gives_more_than_they_have
    what_somebody_has_they_may_give_away
}

/// Binds the viewer to a role with these rules.
fn let_viewer(arm: &Arm, name: &str, rules: Value) {
    arm.create(ROLES, json!({"metadata": {"name": name}, "rules": rules}));
    bind(arm, name, "Role", name, json!([{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]));
}

fn bind(arm: &Arm, name: &str, kind: &str, role: &str, subjects: Value) {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role});
    arm.create(BINDINGS, json!({"metadata": {"name": name}, "roleRef": role, "subjects": subjects}));
}

/// The question whether somebody may do this in the namespace.
fn whether(user: &str, verb: &str, resource: &str) -> Value {
    json!({"spec": {"user": user, "resourceAttributes": {"verb": verb, "resource": resource, "namespace": "SPACE"}}})
}

/// Waits until the server knows of it: roles come into force a moment after they are written.
fn until_allowed(arm: &Arm, question: &Value) {
    arm.ask_until(ACCESS, question, |answer| answer.body["status"]["allowed"] == true);
}

fn whoever_has_no_role_may_do_nothing(arm: &Arm) {
    arm.as_viewer(|| {
        arm.get(PODS);
        arm.get("/api/v1/pods");
        arm.get("/api/v1/nodes/node-1");
        arm.get("/api/v1/namespaces/SPACE");
        arm.get("/api/v1/namespaces/SPACE/pods/web/log");
        arm.get("/api/v1/namespaces/SPACE/pods?watch=1");
        arm.create(MAPS, json!({"metadata": {"name": "motd"}}));
        arm.create("/apis/apps/v1/namespaces/SPACE/deployments", json!({}));
        arm.replace("/apis/apps/v1/namespaces/SPACE/deployments/web/scale", json!({}));
        arm.patch("/api/v1/namespaces/SPACE/configmaps/motd", "merge", json!({}));
        arm.delete("/api/v1/namespaces/SPACE/configmaps/motd");
        arm.delete(MAPS);
        arm.get("/apis/nowhere.example.org/v1/foos");
    });
}

fn whoever_has_no_role_may_find_out_what_there_is(arm: &Arm) {
    arm.as_viewer(|| {
        for path in ["/version", "/healthz", "/readyz", "/livez"] {
            assert_eq!(arm.look(path).code, 200, "{path}");
        }
        assert_eq!(arm.look("/api").code, 200);
        assert_eq!(arm.look("/apis/apps/v1").code, 200);
    });
}

fn paths_that_lead_to_no_resource_have_rules_of_their_own(arm: &Arm) {
    arm.as_viewer(|| {
        arm.get("/metrics");
        arm.get("/nowhere");
        arm.create("/metrics", json!({}));
    });
}

fn a_wrong_token_is_nobodys(arm: &Arm) {
    arm.with_token("wrong", || {
        arm.get(PODS);
        arm.get("/version");
    });
}

fn a_role_allows_what_it_says_and_no_more(arm: &Arm) {
    let_viewer(arm, "reader", json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]));
    arm.create(MAPS, json!({"metadata": {"name": "motd"}}));
    until_allowed(arm, &whether("viewer", "list", "configmaps"));
    arm.as_viewer(|| {
        arm.get("/api/v1/namespaces/SPACE/configmaps/motd");
        arm.get("/api/v1/namespaces/SPACE/configmaps/motd?watch=1");
        arm.delete("/api/v1/namespaces/SPACE/configmaps/motd");
        arm.get("/api/v1/configmaps");
        arm.get("/api/v1/namespaces/SPACE/secrets");
    });
}

fn a_role_names_objects(arm: &Arm) {
    let rule = json!([{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["motd"], "verbs": ["*"]}]);
    let_viewer(arm, "one", rule);
    arm.create(MAPS, json!({"metadata": {"name": "motd"}}));
    arm.create(MAPS, json!({"metadata": {"name": "other"}}));
    let mut question = whether("viewer", "get", "configmaps");
    question["spec"]["resourceAttributes"]["name"] = json!("motd");
    until_allowed(arm, &question);
    arm.as_viewer(|| {
        arm.get("/api/v1/namespaces/SPACE/configmaps/motd");
        arm.get("/api/v1/namespaces/SPACE/configmaps/other");
        arm.get(MAPS);
    });
}

fn a_role_names_parts_of_a_resource(arm: &Arm) {
    let_viewer(arm, "logs", json!([{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}]));
    let question = |part: &str| {
        let mut question = whether("viewer", "get", "pods");
        question["spec"]["resourceAttributes"]["subresource"] = json!(part);
        question
    };
    until_allowed(arm, &question("log"));
    arm.create(ACCESS, question("log"));
    arm.create(ACCESS, question("status"));
    arm.create(ACCESS, question(""));
}

fn a_cluster_role_can_be_bound_in_one_namespace(arm: &Arm) {
    bind(arm, "viewers", "ClusterRole", "view", json!([{"kind": "User", "name": "viewer"}]));
    until_allowed(arm, &whether("viewer", "list", "configmaps"));
    arm.as_viewer(|| {
        assert_eq!(arm.look(MAPS).code, 200);
        arm.get("/api/v1/namespaces/SPACE/secrets");
        arm.get("/api/v1/configmaps");
    });
}

fn a_binding_to_a_role_that_is_not_there_says_so(arm: &Arm) {
    bind(arm, "lost", "Role", "nowhere", json!([{"kind": "User", "name": "viewer"}]));
    let question = whether("viewer", "get", "pods");
    arm.ask_until(ACCESS, &question, |answer| !answer.body["status"]["reason"].is_null());
    arm.create(ACCESS, question);
    arm.as_viewer(|| arm.get(PODS));
}

fn a_group_can_be_bound(arm: &Arm) {
    bind(arm, "team", "ClusterRole", "view", json!([{"kind": "Group", "name": "viewers"}]));
    let mut question = whether("somebody", "list", "pods");
    question["spec"]["groups"] = json!(["viewers"]);
    until_allowed(arm, &question);
    arm.create(ACCESS, question);
}

fn a_service_account_can_be_bound(arm: &Arm) {
    bind(arm, "robot", "ClusterRole", "edit", json!([{"kind": "ServiceAccount", "name": "robot"}]));
    let question = whether("system:serviceaccount:SPACE:robot", "delete", "pods");
    until_allowed(arm, &question);
    arm.create(ACCESS, question);
}

fn anybody_may_ask_what_they_may_do(arm: &Arm) {
    let questions = [
        json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": arm.space}}}),
        json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/api"}}}),
        json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}}),
    ];
    for question in &questions {
        arm.create(OWN_ACCESS, question.clone());
        arm.as_viewer(|| arm.create(OWN_ACCESS, question.clone()));
    }
}

fn an_administrator_may_ask_what_others_may_do(arm: &Arm) {
    let whether = |user: &str| whether(user, "get", "pods");
    arm.create(ACCESS, whether("viewer"));
    arm.create(ACCESS, whether("system:kube-scheduler"));
    arm.as_viewer(|| arm.create(ACCESS, whether("admin")));
}

fn a_question_inside_a_namespace_is_about_that_namespace(arm: &Arm) {
    let path = "/apis/authorization.k8s.io/v1/namespaces/SPACE/localsubjectaccessreviews";
    let of = |namespace: &str| json!({"spec": {"user": "viewer", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": namespace}}});
    arm.create(path, of(&arm.space));
    arm.create(path, of("default"));
}

fn a_question_that_is_none_is_refused(arm: &Arm) {
    arm.create(OWN_ACCESS, json!({"spec": {}}));
    let both = json!({
        "resourceAttributes": {"verb": "get", "resource": "pods"},
        "nonResourceAttributes": {"verb": "get", "path": "/x"},
    });
    arm.create(OWN_ACCESS, json!({"spec": both}));
    arm.create(ACCESS, json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}));
    arm.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json!({"spec": {}}));
    arm.create("/apis/authentication.k8s.io/v1/tokenreviews", json!({"spec": {}}));
}

fn everybody_may_ask_who_they_are(arm: &Arm) {
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    arm.create(path, json!({}));
    arm.as_viewer(|| arm.create(path, json!({})));
}

fn the_rules_that_hold_for_somebody_can_be_listed(arm: &Arm) {
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    arm.as_viewer(|| {
        let answer = arm.exchange("POST", path, "application/json", &json!({"spec": {"namespace": arm.space}}));
        let rules = answer.body["status"]["resourceRules"].to_string();
        assert!(rules.contains("selfsubjectaccessreviews"), "{rules}");
        let paths = answer.body["status"]["nonResourceRules"].to_string();
        assert!(paths.contains("/healthz"), "{paths}");
    });
}

fn an_administrator_may_act_for_others(arm: &Arm) {
    arm.with_headers(&[("Impersonate-User", "bob"), ("Impersonate-Group", "viewers")], || {
        arm.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({}));
        arm.get(PODS);
    });
}

fn nobody_else_may_act_for_others(arm: &Arm) {
    arm.as_viewer(|| arm.with_headers(&[("Impersonate-User", "bob")], || arm.get(PODS)));
}

fn groups_without_a_name_are_nobody(arm: &Arm) {
    arm.with_headers(&[("Impersonate-Group", "viewers")], || arm.get(PODS));
}

fn account(arm: &Arm, name: &str) {
    arm.create("/api/v1/namespaces/SPACE/serviceaccounts", json!({"metadata": {"name": name}}));
}

/// A token, which nobody writes down.
fn token(arm: &Arm, name: &str, spec: Value) -> String {
    let path = format!("/api/v1/namespaces/{}/serviceaccounts/{name}/token", arm.space);
    let answer = arm.exchange("POST", &path, "application/json", &json!({"spec": spec}));
    answer.body["status"]["token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

fn a_token_is_made_for_an_account(arm: &Arm) {
    account(arm, "robot");
    let token = token(arm, "robot", json!({}));
    arm.with_token(&token, || {
        arm.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({}));
        arm.get(PODS);
    });
    let path = "/api/v1/namespaces/SPACE/serviceaccounts/nobody/token";
    arm.create(path, json!({"spec": {}}));
}

fn a_token_ends_with_its_account(arm: &Arm) {
    account(arm, "robot");
    let token = token(arm, "robot", json!({}));
    arm.delete("/api/v1/namespaces/SPACE/serviceaccounts/robot");
    arm.with_token(&token, || {
        // The server may know its accounts from a moment ago.
        arm.look_until(PODS, |answer| answer.code == 401);
        arm.get(PODS);
    });
}

fn a_token_that_is_too_short_lived_is_refused(arm: &Arm) {
    account(arm, "robot");
    let path = "/api/v1/namespaces/SPACE/serviceaccounts/robot/token";
    arm.create(path, json!({"spec": {"expirationSeconds": 10}}));
}

fn a_token_can_be_bound_to_a_secret(arm: &Arm) {
    account(arm, "robot");
    arm.create("/api/v1/namespaces/SPACE/secrets", json!({"metadata": {"name": "leash"}}));
    let reference = json!({"kind": "Secret", "apiVersion": "v1", "name": "leash"});
    let token = token(arm, "robot", json!({"boundObjectRef": reference, "expirationSeconds": 7200}));
    arm.with_token(&token, || arm.get(PODS));
    arm.delete("/api/v1/namespaces/SPACE/secrets/leash");
    let gone = json!({"spec": {"boundObjectRef": reference}});
    arm.create("/api/v1/namespaces/SPACE/serviceaccounts/robot/token", gone);
}

fn a_token_is_reviewed(arm: &Arm) {
    account(arm, "robot");
    let token = token(arm, "robot", json!({}));
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let answer = arm.exchange("POST", path, "application/json", &json!({"spec": {"token": token}}));
    assert_eq!(answer.body["status"]["authenticated"], true);
    assert_eq!(answer.body["status"]["audiences"], json!(["https://kubernetes.default.svc"]));
    arm.create(path, json!({"spec": {"token": "wrong"}}));
}

/// Lets the viewer write roles and bindings.
fn let_viewer_write_roles(arm: &Arm) {
    let rule = json!([{
        "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"],
        "verbs": ["create", "update", "patch", "get"],
    }]);
    let_viewer(arm, "writer", rule);
    let mut question = whether("viewer", "create", "roles");
    question["spec"]["resourceAttributes"]["group"] = json!("rbac.authorization.k8s.io");
    until_allowed(arm, &question);
}

fn nobody_gives_away_more_than_they_have(arm: &Arm) {
    let_viewer_write_roles(arm);
    let rules = json!([
        {"apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["delete", "get"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["get"]},
    ]);
    arm.as_viewer(|| arm.create(ROLES, json!({"metadata": {"name": "more"}, "rules": rules})));
}

fn nobody_binds_a_role_that_gives_more_than_they_have(arm: &Arm) {
    let_viewer_write_roles(arm);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"});
    let binding =
        json!({"metadata": {"name": "more"}, "roleRef": role, "subjects": [{"kind": "User", "name": "viewer"}]});
    arm.as_viewer(|| arm.create(BINDINGS, binding));
}

fn what_somebody_has_they_may_give_away(arm: &Arm) {
    let_viewer_write_roles(arm);
    let rules = json!([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["get"]}]);
    arm.as_viewer(|| arm.create(ROLES, json!({"metadata": {"name": "less"}, "rules": rules})));
}
