//! How containers are asked whether they are well, and what is done when they start and end.

use serde_json::Value;

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, not_negative, one_of, port, port_or_name, required},
        form,
    },
};

/// The probes of a container, in the order of the server.
pub fn probes(container: &Field<'_>, grace: i64) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = container.at(name);
        if !probe.is_set() {
            continue;
        }
        wrong.extend(handler(&probe, &["exec", "httpGet", "tcpSocket", "grpc"], grace));
        let numbers =
            ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
        wrong.extend(numbers.iter().filter_map(|number| not_negative(&probe.at(number))));
        let (successes, patience) = (probe.at("successThreshold"), probe.at("terminationGracePeriodSeconds"));
        if patience.number().is_some_and(|seconds| seconds <= 0) {
            wrong.push(patience.invalid("must be greater than 0"));
        }
        if name == "readinessProbe" {
            if patience.is_set() {
                wrong.push(patience.invalid("must not be set for readinessProbes"));
            }
        } else if successes.number() != Some(1) {
            wrong.push(successes.invalid("must be 1"));
        }
    }
    wrong
}

/// The hooks of a container.
pub fn lifecycle(container: &Field<'_>, grace: i64) -> Vec<Cause> {
    let lifecycle = container.at("lifecycle");
    let mut wrong = Vec::new();
    for hook in ["postStart", "preStop"].map(|name| lifecycle.at(name)).iter().filter(|hook| hook.is_set()) {
        wrong.extend(handler(hook, &["exec", "httpGet", "tcpSocket", "sleep"], grace));
    }
    wrong
}

fn handler(handler: &Field<'_>, kinds: &[&str], grace: i64) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut found = 0;
    for name in kinds {
        let action = handler.at(name);
        if !action.is_set() {
            continue;
        }
        found += 1;
        if found > 1 {
            wrong.push(action.forbidden("may not specify more than 1 handler type"));
            continue;
        }
        wrong.extend(match *name {
            "exec" => required(&action.at("command"), "").into_iter().collect(),
            "httpGet" => get(&action),
            "tcpSocket" => port_or_name(&action.at("port")),
            "grpc" => port(&action.at("port")),
            _ => sleep(&action, grace),
        });
    }
    if found == 0 {
        wrong.push(handler.required("must specify a handler type"));
    }
    wrong
}

fn get(get: &Field<'_>) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = required(&get.at("path"), "").into_iter().collect();
    wrong.extend(port_or_name(&get.at("port")));
    wrong.extend(one_of(&get.at("scheme"), &["HTTP", "HTTPS"]));
    let headers = get.at("httpHeaders");
    for header in headers.items() {
        let name = header.at("name");
        wrong.extend(form::header_name(name.text()).iter().map(|why| Cause::invalid(&headers.path, name.value, why)));
    }
    wrong
}

fn sleep(sleep: &Field<'_>, grace: i64) -> Vec<Cause> {
    let seconds = sleep.at("seconds").number().unwrap_or_default();
    let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
    let outside = !(0..=grace).contains(&seconds);
    outside.then(|| Cause::invalid(&sleep.path, &Value::from(seconds), &why)).into_iter().collect()
}
