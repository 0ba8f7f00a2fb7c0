//! The variables of containers.

use serde_json::Value;

use crate::kubernetes::{
    answer::Cause,
    quantity::Quantity,
    rules::{
        field::{Check, Field, Form, formed, required},
        form,
    },
};

/// Of the pod itself, what variables can have.
const OWN: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

pub fn variables(variables: &Field<'_>) -> Vec<Cause> {
    variables.items().flat_map(|variable| self::variable(&variable)).collect()
}

fn variable(variable: &Field<'_>) -> Vec<Cause> {
    let name = variable.at("name");
    let mut wrong = match required(&name, "") {
        Some(missing) => vec![missing],
        None => formed(&name, form::variable_name),
    };
    let from = variable.at("valueFrom");
    if !from.is_set() {
        return wrong;
    }
    let mut sources = 0;
    let checks: [(&str, Check); 5] = [
        ("fieldRef", |field| own_field(field, &OWN)),
        ("resourceFieldRef", |field| resource_field(field, false)),
        ("configMapKeyRef", key),
        ("secretKeyRef", key),
        ("fileKeyRef", file_key),
    ];
    for (name, check) in checks {
        if from.at(name).is_set() {
            sources += 1;
            wrong.extend(check(&from.at(name)));
        }
    }
    let invalid = |why: &str| Cause::invalid(&from.path, &Value::from(""), why);
    if sources == 0 {
        wrong.push(invalid(
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ));
    } else if !variable.at("value").is_empty() {
        wrong.push(invalid("may not be specified when `value` is not empty"));
    } else if sources > 1 {
        wrong.push(invalid("may not have more than one field specified at a time"));
    }
    wrong
}

/// Something that the pod itself has.
pub fn own_field(from: &Field<'_>, known: &[&str]) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = required(&from.at("apiVersion"), "").into_iter().collect();
    let path = from.at("fieldPath");
    if let Some(missing) = required(&path, "") {
        wrong.push(missing);
        return wrong;
    }
    let text = path.text();
    let labelled = |path: &str| matches!(path, "metadata.annotations" | "metadata.labels");
    let (whole, key) = match text.strip_suffix("']").and_then(|text| text.split_once("['")) {
        Some((whole, key)) => (whole, Some(key)),
        None => (text, None),
    };
    let convertible = OWN.contains(&whole)
        || labelled(whole)
        || matches!(whole, "spec.restartPolicy" | "spec.schedulerName" | "status.phase" | "status.nominatedNodeName")
        || whole == "spec.host";
    match key {
        _ if !convertible => {
            wrong.push(path.invalid(&format!("error converting fieldPath: field label not supported: {whole}")));
        }
        Some(key) if labelled(whole) => {
            let key = if whole == "metadata.labels" { key.to_owned() } else { key.to_lowercase() };
            let given = Value::from(key.as_str());
            wrong.extend(form::qualified_name(&key).iter().map(|why| Cause::invalid(&from.path, &given, why)));
        }
        Some(_) => {
            let why = format!("error converting fieldPath: field label does not support subscript: {text}");
            wrong.push(path.invalid(&why));
        }
        None if !known.contains(&whole) => wrong.push(path.unsupported(known)),
        None => {}
    }
    wrong
}

/// An amount that a container asks for, or is limited to.
pub fn resource_field(from: &Field<'_>, elsewhere: bool) -> Vec<Cause> {
    let (container, resource) = (from.at("containerName"), from.at("resource"));
    let pages = ["limits.hugepages-", "requests.hugepages-"].iter().any(|stem| resource.text().starts_with(stem));
    let mut wrong = Vec::new();
    if elsewhere && container.is_empty() {
        wrong.push(container.required(""));
    } else if resource.is_empty() {
        wrong.push(resource.required(""));
    } else if !RESOURCES.contains(&resource.text()) && !pages {
        wrong.push(resource.unsupported(&RESOURCES));
    }
    wrong.extend(divisor(from, resource.text()));
    wrong
}

fn divisor(from: &Field<'_>, resource: &str) -> Option<Cause> {
    const BYTES: &str = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
    let divisor = from.at("divisor");
    let amount = Quantity::read(divisor.value).ok().filter(|amount| *amount != Quantity::ZERO)?;
    let (_, kind) = resource.split_once('.')?;
    let (allowed, what) = match kind {
        "cpu" => ("1m, 1", "cpu resource"),
        "memory" => (BYTES, "memory resource"),
        "ephemeral-storage" => (BYTES, "local ephemeral storage resource"),
        _ if kind.starts_with("hugepages-") => (BYTES, "hugepages resource"),
        _ => return None,
    };
    if allowed.split(", ").any(|allowed| allowed == amount.to_string()) {
        return None;
    }
    let allowed = if kind == "cpu" { "1m and 1" } else { allowed };
    let why = format!("only divisor's values {allowed} are supported with the {what}");
    Some(Cause::invalid(&divisor.path, &Value::from(resource), &why))
}

fn key(from: &Field<'_>) -> Vec<Cause> {
    let (name, key) = (from.at("name"), from.at("key"));
    let none = Value::from("");
    let mut wrong = formed(&if name.is_set() { name } else { name.with(&none) }, form::subdomain);
    match required(&key, "") {
        Some(missing) => wrong.push(missing),
        None => wrong.extend(formed(&key, form::config_key)),
    }
    wrong
}

fn file_key(from: &Field<'_>) -> Vec<Cause> {
    let checks: [(&str, Form); 2] = [("key", form::variable_name), ("volumeName", form::label)];
    let mut wrong = Vec::new();
    for (name, wrongly) in checks {
        let field = from.at(name);
        match required(&field, "") {
            Some(missing) => wrong.push(missing),
            None => wrong.extend(formed(&field, wrongly)),
        }
    }
    let path = from.at("path");
    wrong.extend(required(&path, "").or_else(|| super::volumes::no_way_up(&path)));
    wrong
}

/// ConfigMaps and Secrets of which each key becomes a variable.
pub fn sources(sources: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for source in sources.items() {
        let prefix = source.at("prefix");
        if !prefix.is_empty() {
            wrong.extend(formed(&prefix, form::variable_name));
        }
        let mut count = 0;
        for object in ["configMapRef", "secretRef"].map(|name| source.at(name)).iter().filter(|object| object.is_set())
        {
            count += 1;
            let name = object.at("name");
            match required(&name, "") {
                Some(missing) => wrong.push(missing),
                None => wrong.extend(formed(&name, form::subdomain)),
            }
        }
        let invalid = |why: &str| Cause::invalid(&sources.path, &Value::from(""), why);
        match count {
            0 => wrong.push(invalid("must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => wrong.push(invalid("may not have more than one field specified at a time")),
        }
    }
    wrong
}
