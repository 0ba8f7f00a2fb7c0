//! Quotas: how much a namespace may have, counted in objects and in what they ask for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{Attempt, Operation, limits};
use crate::kubernetes::{
    answer::Refusal,
    client::{Client, Place},
    cluster::Cluster,
    quantity::Quantity,
    user::User,
};

type Amounts = BTreeMap<String, Quantity>;

/// Kinds that are counted by their plural alone, too.
const COUNTED: [&str; 7] =
    ["pods", "services", "secrets", "configmaps", "resourcequotas", "replicationcontrollers", "persistentvolumeclaims"];
const QUOTAS: &str = "resourcequotas";

/// # Errors
/// If a quota has less left than the object needs.
pub fn check(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    charges(attempt, object).map(drop)
}

/// Writes down what the object takes, before it is there: so no two can take the last of something.
///
/// # Errors
/// As for [`check`].
pub async fn charge(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    let client = Client::new(attempt.cluster, User::api_server(), "kube-apiserver");
    let place = Place { api_version: "v1", resource: QUOTAS, namespace: attempt.namespace };
    for (quota, used) in charges(attempt, object)? {
        let mut charged = (*quota).clone();
        for (name, amount) in used {
            charged["status"]["used"][name] = json!(amount.to_string());
        }
        // The writes that this write makes are none that it makes again.
        Box::pin(client.update(place, "status", &charged)).await?;
    }
    Ok(())
}

/// The quotas that an object takes something of, with what will be used then.
fn charges(attempt: &Attempt<'_>, object: &Value) -> Result<Vec<(Arc<Value>, Amounts)>, Refusal> {
    let Attempt { operation, namespace, part, .. } = attempt;
    let mut charges = Vec::new();
    if *operation == Operation::Delete || namespace.is_empty() || !part.is_empty() {
        return Ok(charges);
    }
    let stored = &*attempt.kind.stored;
    for quota in attempt.all(QUOTAS, Some(namespace)).into_iter().filter(|quota| covers(quota, stored, object)) {
        let name = quota["metadata"]["name"].as_str().unwrap_or_default();
        let hard = amounts(&quota["spec"]["hard"]);
        if stored == "pods" && *operation == Operation::Create {
            says_what_it_needs(&hard, object)
                .map_err(|missing| attempt.forbidden(&format!("failed quota: {name}: must specify {missing}")))?;
        }
        let mut wanted = usage(stored, object);
        if let Some(there) = attempt.there.filter(|there| covers(&quota, stored, there)) {
            let had = usage(stored, there);
            wanted.retain(|resource, amount| had.get(resource).is_none_or(|had| *amount > *had));
            for (resource, amount) in &mut wanted {
                if let Some(had) = had.get(resource) {
                    *amount = *amount + -*had;
                }
            }
        }
        wanted.retain(|resource, amount| hard.contains_key(resource) && *amount != Quantity::ZERO);
        let used = used(attempt.cluster, &quota);
        let of = |known: &Amounts, resource: &String| known.get(resource).copied().unwrap_or(Quantity::ZERO);
        let after: Amounts = wanted.keys().map(|name| (name.clone(), of(&used, name) + wanted[name])).collect();
        let beyond: Vec<&String> =
            after.iter().filter(|(name, after)| **after > of(&hard, name)).map(|(name, _)| name).collect();
        if !beyond.is_empty() {
            let told = |known: &Amounts| {
                let amounts: Vec<String> = beyond.iter().map(|name| format!("{name}={}", of(known, name))).collect();
                amounts.join(",")
            };
            let (wanted, used, hard) = (told(&wanted), told(&used), told(&hard));
            let why = format!("exceeded quota: {name}, requested: {wanted}, used: {used}, limited: {hard}");
            return Err(attempt.forbidden(&why));
        }
        if !after.is_empty() {
            charges.push((quota, after));
        }
    }
    Ok(charges)
}

/// What a namespace has of everything that a quota limits.
pub fn used(cluster: &Arc<Cluster>, quota: &Value) -> Amounts {
    let hard = amounts(&quota["spec"]["hard"]);
    let namespace = quota["metadata"]["namespace"].as_str().unwrap_or_default();
    let mut used: Amounts = hard.keys().map(|name| (name.clone(), Quantity::ZERO)).collect();
    let kinds: BTreeSet<&str> = hard.keys().map(|resource| counted_kind(resource)).collect();
    for kind in kinds {
        for (_, object) in cluster.store.list(&kind.into(), Some(namespace)).1 {
            if !covers(quota, kind, &object) {
                continue;
            }
            for (resource, amount) in usage(kind, &object) {
                if let Some(known) = used.get_mut(&resource) {
                    *known = *known + amount;
                }
            }
        }
    }
    used
}

/// What a quota says of itself.
pub fn status(cluster: &Arc<Cluster>, quota: &Value) -> Value {
    let used: BTreeMap<String, String> =
        used(cluster, quota).into_iter().map(|(name, amount)| (name, amount.to_string())).collect();
    match quota["spec"].get("hard") {
        Some(hard) => json!({"hard": hard, "used": used}),
        None => json!({}),
    }
}

/// The kind whose objects have a resource.
fn counted_kind(resource: &str) -> &str {
    match resource {
        _ if resource.starts_with("count/") => &resource["count/".len()..],
        _ if resource.starts_with("services.") => "services",
        _ if COUNTED.contains(&resource) => resource,
        _ if resource.ends_with("requests.storage") || resource.contains(".storageclass.storage.k8s.io/") => {
            "persistentvolumeclaims"
        }
        _ => "pods",
    }
}

/// What one object takes of a quota.
fn usage(stored: &str, object: &Value) -> Amounts {
    let one: Quantity = "1".parse().expect("one is a number");
    let mut usage = Amounts::from([(format!("count/{stored}"), one)]);
    if COUNTED.contains(&stored) && !(stored == "pods" && is_over(object)) {
        usage.insert(stored.to_owned(), one);
    }
    let spec = &object["spec"];
    match stored {
        "pods" if !is_over(object) => {
            for (list, prefix) in [("requests", "requests."), ("limits", "limits.")] {
                for (name, amount) in limits::whole(object, list) {
                    if list == "requests" && matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
                        usage.insert(name.clone(), amount);
                    }
                    usage.insert(format!("{prefix}{name}"), amount);
                }
            }
        }
        "services" => {
            let ports = spec["ports"].as_array().map_or(0, Vec::len);
            let (nodes, balancers) = match spec["type"].as_str() {
                Some("NodePort") => (ports, 0),
                Some("LoadBalancer") if spec["allocateLoadBalancerNodePorts"] == false => (0, 1),
                Some("LoadBalancer") => (ports, 1),
                _ => (0, 0),
            };
            for (name, count) in [("services.nodeports", nodes), ("services.loadbalancers", balancers)] {
                usage.insert(name.to_owned(), count.to_string().parse().expect("a count is a number"));
            }
        }
        "persistentvolumeclaims" => {
            let storage = Quantity::read(&spec["resources"]["requests"]["storage"]).unwrap_or(Quantity::ZERO);
            usage.insert("requests.storage".to_owned(), storage);
            if let Some(class) = spec["storageClassName"].as_str().filter(|class| !class.is_empty()) {
                let prefix = format!("{class}.storageclass.storage.k8s.io");
                usage.insert(format!("{prefix}/requests.storage"), storage);
                usage.insert(format!("{prefix}/persistentvolumeclaims"), one);
            }
        }
        _ => {}
    }
    usage
}

/// A pod that has come to its end takes nothing any longer.
fn is_over(pod: &Value) -> bool {
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// True if a quota counts an object at all.
fn covers(quota: &Value, stored: &str, object: &Value) -> bool {
    let hard = quota["spec"]["hard"].as_object().into_iter().flatten();
    let counts = hard.map(|(resource, _)| resource).any(|resource| counted_kind(resource) == stored);
    let scopes = quota["spec"]["scopes"].as_array().into_iter().flatten();
    let plain = scopes.filter_map(Value::as_str).all(|scope| stored == "pods" && is_in_scope(scope, object, &[]));
    let selectors = quota.pointer("/spec/scopeSelector/matchExpressions").and_then(Value::as_array);
    let selected = selectors.into_iter().flatten().all(|selector| {
        let values: Vec<&str> = selector["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let inside = is_in_scope(selector["scopeName"].as_str().unwrap_or_default(), object, &values);
        stored == "pods" && inside == !matches!(selector["operator"].as_str(), Some("NotIn" | "DoesNotExist"))
    });
    counts && plain && selected
}

fn is_in_scope(scope: &str, pod: &Value, values: &[&str]) -> bool {
    let spec = &pod["spec"];
    let ends = spec["activeDeadlineSeconds"].is_number();
    let best_effort = [limits::whole(pod, "requests"), limits::whole(pod, "limits")].iter().all(BTreeMap::is_empty);
    match scope {
        "Terminating" => ends,
        "NotTerminating" => !ends,
        "BestEffort" => best_effort,
        "NotBestEffort" => !best_effort,
        "PriorityClass" => {
            let class = spec["priorityClassName"].as_str();
            class.is_some_and(|class| values.is_empty() || values.contains(&class))
        }
        _ => false,
    }
}

/// Every container has to say how much it needs of what is limited.
fn says_what_it_needs(hard: &Amounts, pod: &Value) -> Result<(), String> {
    let limited: BTreeSet<&str> = hard
        .keys()
        .map(String::as_str)
        .filter(|name| {
            matches!(*name, "cpu" | "memory" | "requests.cpu" | "requests.memory" | "limits.cpu" | "limits.memory")
        })
        .collect();
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for list in ["containers", "initContainers"] {
        for container in pod["spec"][list].as_array().into_iter().flatten() {
            for resource in &limited {
                let (of, name) = resource.split_once('.').unwrap_or(("requests", resource));
                if container["resources"][of].get(name).is_none() {
                    missing.entry(*resource).or_default().insert(container["name"].as_str().unwrap_or_default());
                }
            }
        }
    }
    let told = missing.iter().map(|(resource, containers)| {
        let names: Vec<&str> = containers.iter().copied().collect();
        format!("{resource} for: {}", names.join(","))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("; ")) }
}

fn amounts(value: &Value) -> Amounts {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(name, amount)| Some((name.clone(), Quantity::read(amount).ok()?))).collect()
}
