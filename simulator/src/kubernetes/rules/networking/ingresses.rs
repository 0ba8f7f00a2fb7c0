//! Ingresses and their classes.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{self, Field, formed, required},
        fill::default,
        form,
        simple::{PLAIN, Simple},
    },
};

pub static INGRESSES: Simple = Simple {
    check: check_ingress,
    check_new_given: leads_somewhere,
    check_given_change: |given, _there| leads_somewhere(given),
    counts_generations: true,
    ..PLAIN
};

pub static CLASSES: Simple = Simple { fill_in: fill_in_class, check: check_class, counts_generations: true, ..PLAIN };

/// What a path may not hold.
const INSIDE: [&str; 5] = ["//", "/./", "/../", "%2f", "%2F"];
const AT_THE_END: [&str; 2] = ["/..", "/."];

fn check_ingress(ingress: &Value) -> Vec<Cause> {
    let spec = Field::of(ingress, "spec");
    let (backend, rules) = (spec.at("defaultBackend"), spec.at("rules"));
    let mut wrong = Vec::new();
    if backend.is_set() {
        wrong.extend(check_backend(&backend));
    }
    for rule in rules.items() {
        wrong.extend(check_host(&rule.at("host")));
        if rule.at("http").is_set() {
            let paths = rule.at("http").at("paths");
            wrong.extend(required(&paths, ""));
            wrong.extend(paths.items().flat_map(|path| check_path(&path)));
        }
    }
    for secure in spec.at("tls").items() {
        for host in secure.at("hosts").items() {
            wrong.extend(match host.text().contains('*') {
                true => formed(&host, form::wildcard_subdomain),
                false => formed(&host, form::subdomain),
            });
        }
        let secret = secure.at("secretName");
        if !secret.is_empty() {
            wrong.extend(formed(&secret, form::subdomain));
        }
    }
    let class = spec.at("ingressClassName");
    if class.is_set() {
        wrong.extend(formed(&class, form::subdomain));
    }
    wrong
}

fn leads_somewhere(ingress: &Value) -> Vec<Cause> {
    let spec = Field::of(ingress, "spec");
    let (backend, rules) = (spec.at("defaultBackend"), spec.at("rules"));
    let nowhere = !backend.is_set() && rules.is_empty();
    let why = "either `defaultBackend` or `rules` must be specified";
    Vec::from_iter(nowhere.then(|| Cause::invalid("spec", rules.value, why)))
}

fn check_host(host: &Field<'_>) -> Vec<Cause> {
    match host.text() {
        "" => Vec::new(),
        text if text.parse::<IpAddr>().is_ok() => vec![host.invalid("must be a DNS name, not an IP address")],
        text if text.contains('*') => formed(host, form::wildcard_subdomain),
        _ => formed(host, form::subdomain),
    }
}

fn check_path(entry: &Field<'_>) -> Vec<Cause> {
    let (kind, path) = (entry.at("pathType"), entry.at("path"));
    let told = |why: &str| Cause::invalid(&path.path, &json!(path.text()), why);
    let mut wrong = Vec::new();
    match kind.text() {
        "" => wrong.push(kind.required("pathType must be specified")),
        "Exact" | "Prefix" => {
            if !path.text().starts_with('/') {
                wrong.push(told("must be an absolute path"));
            } else {
                let inside = INSIDE.iter().filter(|part| path.text().contains(*part));
                wrong.extend(inside.map(|part| told(&format!("must not contain '{part}'"))));
                let last = AT_THE_END.iter().filter(|part| path.text().ends_with(*part));
                wrong.extend(last.map(|part| told(&format!("cannot end with '{part}'"))));
            }
        }
        "ImplementationSpecific" => {
            if !path.is_empty() && !path.text().starts_with('/') {
                wrong.push(told("must be an absolute path"));
            }
        }
        _ => wrong.push(kind.unsupported(&["Exact", "ImplementationSpecific", "Prefix"])),
    }
    wrong.extend(check_backend(&entry.at("backend")));
    wrong
}

fn check_backend(backend: &Field<'_>) -> Vec<Cause> {
    let (service, resource) = (backend.at("service"), backend.at("resource"));
    let told = |why: &str| vec![Cause::invalid(&backend.path, &json!(""), why)];
    match (service.is_set(), resource.is_set()) {
        (true, true) => told("cannot set both resource and service backends"),
        (false, false) => told("resource or service backend is required"),
        (false, true) => {
            let parts = ["kind", "name"].map(|part| required(&resource.at(part), ""));
            parts.into_iter().flatten().collect()
        }
        (true, false) => {
            let name = service.at("name");
            let (number, port) = (service.at("port").at("number"), service.at("port").at("name"));
            let mut wrong = match required(&name, "") {
                Some(cause) => vec![cause],
                None => formed(&name, form::label),
            };
            let numbered = number.number().is_some_and(|number| number != 0);
            match (numbered, !port.is_empty()) {
                (true, true) => wrong.extend(told("cannot set both port name & port number")),
                (true, false) => wrong.extend(field::port(&number)),
                (false, true) => wrong.extend(formed(&port, form::port_name)),
                (false, false) => wrong.push(backend.required("port name or number is required")),
            }
            wrong
        }
    }
}

fn fill_in_class(class: &mut Value) {
    if let Some(parameters) = class["spec"].get_mut("parameters") {
        default(parameters, "scope", "Cluster");
    }
}

fn check_class(class: &Value) -> Vec<Cause> {
    let spec = Field::of(class, "spec");
    let mut wrong = check_controller(&spec.at("controller"));
    let parameters = spec.at("parameters");
    if !parameters.is_set() {
        return wrong;
    }
    let [kind, name, scope, namespace] = ["kind", "name", "scope", "namespace"].map(|part| parameters.at(part));
    wrong.extend(required(&kind, ""));
    wrong.extend(required(&name, ""));
    match scope.text() {
        "Namespace" => {
            wrong.extend(required(&namespace, "`parameters.scope` is set to 'Namespace'"));
            if !namespace.is_empty() {
                wrong.extend(formed(&namespace, form::label));
            }
        }
        "Cluster" if namespace.is_set() => {
            wrong.push(namespace.forbidden("`parameters.scope` is set to 'Cluster'"));
        }
        "Cluster" => {}
        _ => wrong.push(scope.unsupported(&["Cluster", "Namespace"])),
    }
    wrong
}

fn check_controller(controller: &Field<'_>) -> Vec<Cause> {
    match controller.text().split_once('/') {
        _ if controller.is_empty() => vec![controller.required("")],
        Some((domain, path)) if !domain.is_empty() && !path.is_empty() => {
            form::subdomain(domain).iter().map(|why| Cause::invalid(&controller.path, &json!(domain), why)).collect()
        }
        _ => vec![controller.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")")],
    }
}
