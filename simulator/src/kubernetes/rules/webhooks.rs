//! Configurations of webhooks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    field::{Field, formed, label_selector, one_of, required},
    fill::{fill, items},
    form,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static VALIDATING: Simple = Simple {
    fill_in: |configuration| items(configuration, "webhooks").for_each(fill_in),
    check,
    counts_generations: true,
    counts_what_is_empty: Some("webhooks"),
    ..PLAIN
};

pub static MUTATING: Simple = Simple {
    fill_in: |configuration| {
        for webhook in items(configuration, "webhooks") {
            fill_in(webhook);
            fill(webhook, json!({"reinvocationPolicy": "Never"}));
        }
    },
    check,
    counts_generations: true,
    counts_what_is_empty: Some("webhooks"),
    ..PLAIN
};

fn fill_in(webhook: &mut Value) {
    let given = json!({
        "failurePolicy": "Fail", "matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}, "timeoutSeconds": 10,
    });
    fill(webhook, given);
    items(webhook, "rules").for_each(|rule| fill(rule, json!({"scope": "*"})));
    if let Some(service) = webhook["clientConfig"].get_mut("service") {
        fill(service, json!({"port": 443}));
    }
}

fn check(configuration: &Value) -> Vec<Cause> {
    Field::of(configuration, "webhooks").items().flat_map(|webhook| check_webhook(&webhook)).collect()
}

fn check_webhook(webhook: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let versions = webhook.at("admissionReviewVersions");
    if versions.is_empty() {
        wrong.push(versions.required("must specify one of v1, v1beta1"));
    } else if !versions.items().any(|version| matches!(version.text(), "v1" | "v1beta1")) {
        wrong.push(versions.invalid("must include at least one of v1, v1beta1"));
    }
    wrong.extend(full_name(&webhook.at("name")));
    for rule in webhook.at("rules").items() {
        wrong.extend(check_rule(&rule));
    }
    wrong.extend(one_of(&webhook.at("failurePolicy"), &["Fail", "Ignore"]));
    wrong.extend(one_of(&webhook.at("matchPolicy"), &["Equivalent", "Exact"]));
    let effects = webhook.at("sideEffects");
    if effects.is_empty() {
        wrong.push(effects.required("must specify one of None, NoneOnDryRun"));
    }
    wrong.extend(one_of(&effects, &["None", "NoneOnDryRun"]));
    let timeout = webhook.at("timeoutSeconds");
    if timeout.number().is_some_and(|seconds| !(1..=30).contains(&seconds)) {
        wrong.push(timeout.invalid("the timeout value must be between 1 and 30 seconds"));
    }
    wrong.extend(label_selector(&webhook.at("namespaceSelector")));
    wrong.extend(label_selector(&webhook.at("objectSelector")));
    wrong.extend(check_client(&webhook.at("clientConfig")));
    wrong.extend(conditions(&webhook.at("matchConditions")));
    wrong
}

/// A name of at least three parts: `check.example.com`.
fn full_name(name: &Field<'_>) -> Vec<Cause> {
    if name.is_empty() {
        return vec![name.required("")];
    }
    let malformed = formed(name, form::subdomain);
    if malformed.is_empty() && name.text().split('.').count() < 3 {
        return vec![name.invalid("should be a domain with at least three segments separated by dots")];
    }
    malformed
}

/// The resources and operations that a webhook or a policy is about.
pub fn check_rule(rule: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let [groups, versions, operations, resources] =
        ["apiGroups", "apiVersions", "operations", "resources"].map(|name| rule.at(name));
    for (list, what) in [(&groups, "API groups"), (&versions, "API versions")] {
        wrong.extend(required(list, ""));
        wrong.extend(alone(list, what));
    }
    wrong.extend(versions.items().filter_map(|version| required(&version, "")));
    wrong.extend(required(&resources, ""));
    wrong.extend(resources.items().filter_map(|resource| required(&resource, "")));
    wrong.extend(one_of(&rule.at("scope"), &["*", "Cluster", "Namespaced"]));
    wrong.extend(required(&operations, ""));
    wrong.extend(alone(&operations, "operations"));
    let known = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
    wrong.extend(operations.items().filter_map(|operation| one_of(&operation, &known)));
    wrong
}

fn alone(list: &Field<'_>, what: &str) -> Option<Cause> {
    let all = list.len() > 1 && list.items().any(|item| item.text() == "*");
    all.then(|| list.invalid(&format!("if '*' is present, must not specify other {what}")))
}

fn check_client(client: &Field<'_>) -> Vec<Cause> {
    let (url, service) = (client.at("url"), client.at("service"));
    match (url.is_set(), service.is_set()) {
        (true, false) => check_url(&url),
        (false, true) => check_service(&service),
        _ => vec![client.required("exactly one of url or service is required")],
    }
}

fn check_url(url: &Field<'_>) -> Vec<Cause> {
    const FORM: &str = "; desired format: https://host[/path]";
    let Ok(parsed) = url.text().parse::<http::Uri>() else {
        return vec![url.required(&format!("url must be a valid URL{FORM}"))];
    };
    let told = |value: &str, why: &str| Cause::invalid(&url.path, &json!(value), why);
    let mut wrong = Vec::new();
    let scheme = parsed.scheme_str().unwrap_or_default();
    if scheme != "https" {
        wrong.push(told(scheme, &format!("'https' is the only allowed URL scheme{FORM}")));
    }
    if parsed.host().is_none_or(str::is_empty) {
        wrong.push(told("", &format!("host must be specified{FORM}")));
    }
    if let Some(query) = parsed.query() {
        wrong.push(told(query, "query parameters are not permitted in the URL"));
    }
    wrong
}

fn check_service(service: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::from_iter(required(&service.at("name"), ""));
    wrong.extend(required(&service.at("namespace"), ""));
    let (port, path) = (service.at("port"), service.at("path"));
    if port.number().is_some_and(|port| !(1..=65535).contains(&port)) {
        wrong.push(port.invalid("port is not valid: must be between 1 and 65535, inclusive"));
    }
    if path.is_set() && path.text() != "/" {
        if !path.text().starts_with('/') {
            wrong.push(path.invalid("must start with a '/'"));
        }
        // What is in front of the first slash is no part of the path.
        let cut = path.text().get(1..).unwrap_or_default();
        for (index, part) in cut.trim_end_matches('/').split('/').enumerate() {
            match part {
                "" => wrong.push(path.invalid(&format!("segment[{index}] may not be empty"))),
                part => wrong
                    .extend(form::subdomain(part).iter().map(|why| path.invalid(&format!("segment[{index}]: {why}")))),
            }
        }
    }
    wrong
}

/// Conditions on requests, each with a name of its own.
pub fn conditions(conditions: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for condition in conditions.items() {
        let (name, expression) = (condition.at("name"), condition.at("expression"));
        if expression.text().trim().is_empty() {
            wrong.push(expression.required(""));
        }
        if name.is_empty() {
            wrong.push(name.required(""));
        } else {
            wrong.extend(formed(&name, form::qualified_name));
            if !names.insert(name.text()) {
                wrong.push(name.duplicate());
            }
        }
    }
    wrong
}
