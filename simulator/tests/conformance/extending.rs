//! What extends the server: webhooks, policies of admission, services of APIs, requests for certificates, and flows.

use serde_json::{Value, json};

use super::arms::Arm;

bodies! {
    webhooks_are_filled_in
    webhooks_are_checked
    policies_of_admission_are_filled_in
    policies_of_admission_are_checked
    bindings_of_policies_are_checked
    policies_that_change_are_filled_in
    policies_that_change_are_checked
    bindings_of_policies_that_change_are_checked
    services_of_apis_are_checked
    flows_are_checked
    levels_of_priority_are_checked
}

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

fn webhook(more: Value) -> Value {
    let mut webhook = json!({
        "name": "check.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "clientConfig": {"url": "https://example.com/check"},
    });
    for (field, value) in more.as_object().unwrap() {
        webhook[field] = value.clone();
    }
    json!({"metadata": {"name": "SPACE"}, "webhooks": [webhook]})
}

fn webhooks_are_filled_in(arm: &Arm) {
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]);
    for kind in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
        for more in [
            json!({}),
            json!({"rules": rules, "clientConfig": {"service": {"name": "a", "namespace": "b"}}}),
            json!({"failurePolicy": "Ignore", "timeoutSeconds": 1, "matchPolicy": "Exact", "objectSelector": {"matchLabels": {"SPACE": "true"}}}),
        ] {
            arm.create(&format!("{ADMISSION}/{kind}?dryRun=All"), webhook(more));
        }
    }
}

fn webhooks_are_checked(arm: &Arm) {
    let rule = |field: &str, value: Value| {
        let mut rule =
            json!({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]});
        rule[field] = value;
        json!({"rules": [rule]})
    };
    for more in [
        json!({"name": ""}),
        json!({"name": "check"}),
        json!({"admissionReviewVersions": []}),
        json!({"admissionReviewVersions": ["v2"]}),
        json!({"sideEffects": null}),
        json!({"sideEffects": "Some"}),
        json!({"clientConfig": {}}),
        json!({"clientConfig": {"url": "http://example.com"}}),
        json!({"clientConfig": {"url": "https://example.com?a=b"}}),
        json!({"clientConfig": {"service": {"name": "", "namespace": ""}}}),
        json!({"clientConfig": {"service": {"name": "a", "namespace": "b", "port": 0, "path": "c"}}}),
        json!({"timeoutSeconds": 31}),
        json!({"failurePolicy": "Sometimes"}),
        json!({"matchPolicy": "Sometimes"}),
        json!({"namespaceSelector": {"matchLabels": {"a b": "c"}}}),
        rule("apiGroups", json!([])),
        rule("apiGroups", json!(["*", "a"])),
        rule("apiVersions", json!([""])),
        rule("operations", json!([])),
        rule("operations", json!(["*", "CREATE"])),
        rule("operations", json!(["LOOK"])),
        rule("resources", json!(["pods", "*"])),
        rule("resources", json!([])),
        rule("scope", json!("World")),
        json!({"matchConditions": [{"name": "a", "expression": "true"}, {"name": "a", "expression": ""}]}),
    ] {
        arm.create(&format!("{ADMISSION}/validatingwebhookconfigurations?dryRun=All"), webhook(more));
    }
}

fn policy(more: Value) -> Value {
    let mut spec = json!({
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]},
        "validations": [{"expression": "object.metadata.name != 'no'"}],
    });
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    json!({"metadata": {"name": "SPACE"}, "spec": spec})
}

fn policies_of_admission_are_filled_in(arm: &Arm) {
    for more in [
        json!({}),
        json!({"failurePolicy": "Ignore", "validations": [{"expression": "true", "message": "no", "reason": "Forbidden"}], "auditAnnotations": [{"key": "a", "valueExpression": "'b'"}]}),
        json!({"variables": [{"name": "a", "expression": "1"}], "matchConditions": [{"name": "b", "expression": "true"}]}),
    ] {
        arm.create(&format!("{ADMISSION}/validatingadmissionpolicies?dryRun=All"), policy(more));
    }
}

fn policies_of_admission_are_checked(arm: &Arm) {
    for more in [
        json!({"matchConstraints": null}),
        json!({"matchConstraints": {}}),
        json!({"validations": []}),
        json!({"validations": [{"expression": ""}]}),
        json!({"validations": [{"expression": "true", "reason": "Sometimes"}]}),
        json!({"validations": [{"expression": "true", "message": " a\nb"}]}),
        json!({"failurePolicy": "Sometimes"}),
        json!({"paramKind": {"apiVersion": "", "kind": ""}}),
    ] {
        arm.create(&format!("{ADMISSION}/validatingadmissionpolicies?dryRun=All"), policy(more));
    }
}

fn bindings_of_policies_are_checked(arm: &Arm) {
    for spec in [
        json!({"policyName": "SPACE", "validationActions": ["Deny"]}),
        json!({}),
        json!({"policyName": "SPACE", "validationActions": []}),
        json!({"policyName": "SPACE", "validationActions": ["Deny", "Warn"]}),
        json!({"policyName": "SPACE", "validationActions": ["Shout"]}),
        json!({"policyName": "SPACE", "validationActions": ["Deny", "Deny"]}),
        json!({"policyName": "SPACE", "validationActions": ["Deny"], "matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}),
        json!({"policyName": "SPACE", "validationActions": ["Deny"], "paramRef": {"name": "a"}}),
    ] {
        arm.create(
            &format!("{ADMISSION}/validatingadmissionpolicybindings?dryRun=All"),
            json!({"metadata": {"name": "SPACE"}, "spec": spec}),
        );
    }
}

fn changing(more: Value) -> Value {
    let mut policy = policy(json!({
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}],
    }));
    policy["spec"].as_object_mut().unwrap().remove("validations");
    for (field, value) in more.as_object().unwrap() {
        policy["spec"][field] = value.clone();
    }
    policy
}

fn policies_that_change_are_filled_in(arm: &Arm) {
    for more in [
        json!({}),
        json!({"failurePolicy": "Ignore", "reinvocationPolicy": "IfNeeded"}),
        json!({"mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{op: 'add', path: '/a', value: 1}]"}}]}),
        json!({"variables": [{"name": "a", "expression": "1"}], "matchConditions": [{"name": "b", "expression": "true"}]}),
    ] {
        arm.create(&format!("{ADMISSION}/mutatingadmissionpolicies?dryRun=All"), changing(more));
    }
}

fn policies_that_change_are_checked(arm: &Arm) {
    let mutation = |mutation: Value| json!({"mutations": [mutation]});
    let rule = |operations: Value| json!({"matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": operations}]}});
    for more in [
        json!({"matchConstraints": null}),
        json!({"matchConstraints": {}}),
        rule(json!(["DELETE"])),
        rule(json!(["CREATE", "CONNECT"])),
        rule(json!(["*"])),
        json!({"mutations": []}),
        json!({"reinvocationPolicy": null}),
        json!({"reinvocationPolicy": "Sometimes"}),
        json!({"failurePolicy": "Sometimes"}),
        json!({"paramKind": {"apiVersion": "", "kind": ""}}),
        json!({"matchConditions": [{"name": "a", "expression": "true"}, {"name": "a", "expression": ""}]}),
        json!({"variables": [{"name": "", "expression": ""}]}),
        json!({"variables": [{"name": "not a word", "expression": "1"}, {"name": "a", "expression": "1"}, {"name": "a", "expression": "2"}]}),
        mutation(json!({})),
        mutation(json!({"patchType": "Merge"})),
        mutation(json!({"patchType": "ApplyConfiguration"})),
        mutation(json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": ""}})),
        mutation(json!({"patchType": "ApplyConfiguration", "jsonPatch": {"expression": "[]"}})),
        mutation(json!({"patchType": "JSONPatch"})),
        mutation(json!({"patchType": "JSONPatch", "jsonPatch": {"expression": " "}})),
        mutation(
            json!({"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{op: 'add', path: '/a'}]"}, "applyConfiguration": {"expression": "Object{}"}}),
        ),
    ] {
        arm.create(&format!("{ADMISSION}/mutatingadmissionpolicies?dryRun=All"), changing(more));
    }
}

fn bindings_of_policies_that_change_are_checked(arm: &Arm) {
    for spec in [
        json!({"policyName": "SPACE"}),
        json!({}),
        json!({"policyName": "Not a name"}),
        json!({"policyName": "SPACE", "matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}),
        json!({"policyName": "SPACE", "matchResources": {"resourceRules": [{"apiGroups": [], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]}}),
        json!({"policyName": "SPACE", "paramRef": {"name": "a"}}),
        json!({"policyName": "SPACE", "paramRef": {"parameterNotFoundAction": "Allow"}}),
        json!({"policyName": "SPACE", "paramRef": {"name": "a", "selector": {}, "parameterNotFoundAction": "Sometimes"}}),
    ] {
        arm.create(
            &format!("{ADMISSION}/mutatingadmissionpolicybindings?dryRun=All"),
            json!({"metadata": {"name": "SPACE"}, "spec": spec}),
        );
    }
}

fn services_of_apis_are_checked(arm: &Arm) {
    let path = "/apis/apiregistration.k8s.io/v1/apiservices";
    for (name, spec) in [
        (
            "v1.own.example.com",
            json!({"group": "own.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10, "insecureSkipTLSVerify": true, "service": {"name": "a", "namespace": "b"}}),
        ),
        (
            "wrong",
            json!({"group": "own.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10}),
        ),
        (
            "v1.own.example.com",
            json!({"group": "own.example.com", "version": "v1", "groupPriorityMinimum": 0, "versionPriority": 0, "service": {"name": "", "namespace": ""}}),
        ),
    ] {
        arm.create(&format!("{path}?dryRun=All"), json!({"metadata": {"name": name}, "spec": spec}));
    }
}

fn flows_are_checked(arm: &Arm) {
    let path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas?dryRun=All";
    let rule = json!([{"subjects": [{"kind": "User", "user": {"name": "ada"}}], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["/healthz"]}]}]);
    for spec in [
        json!({"priorityLevelConfiguration": {"name": "exempt"}, "rules": rule}),
        json!({"priorityLevelConfiguration": {"name": ""}}),
        json!({"priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 10001}),
        json!({"priorityLevelConfiguration": {"name": "exempt"}, "distinguisherMethod": {"type": "ByFace"}}),
    ] {
        arm.create(path, json!({"metadata": {"name": "SPACE"}, "spec": spec}));
    }
    arm.look("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/catch-all");
}

fn levels_of_priority_are_checked(arm: &Arm) {
    let path = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations?dryRun=All";
    for spec in [
        json!({"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}),
        json!({"type": "Limited", "limited": {"limitResponse": {"type": "Queue"}}}),
        json!({"type": "Limited"}),
        json!({"type": "Sometimes"}),
    ] {
        arm.create(path, json!({"metadata": {"name": "SPACE"}, "spec": spec}));
    }
}
