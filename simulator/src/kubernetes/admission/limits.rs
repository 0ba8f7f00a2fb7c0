//! Limit ranges: what containers get if nobody says, and how much they may ask for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Attempt, Operation};
use crate::kubernetes::{answer::Refusal, quantity::Quantity};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

type Amounts = BTreeMap<String, Quantity>;

pub fn change(attempt: &Attempt<'_>, pod: &mut Value) -> Result<(), Refusal> {
    if !attempt.is_of("pods") || attempt.operation != Operation::Create {
        return Ok(());
    }
    for range in attempt.all("limitranges", Some(attempt.namespace)) {
        let mut told = Vec::new();
        for (list, word) in [("containers", "container"), ("initContainers", "init container")] {
            for container in pod["spec"].get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                told.extend(give(container, &range, word));
            }
        }
        if !told.is_empty() {
            pod["metadata"]["annotations"][ANNOTATION] = json!(format!("LimitRanger plugin set: {}", told.join("; ")));
        }
    }
    Ok(())
}

/// Gives a container what it doesn't say, and tells what.
fn give(container: &mut Value, range: &Value, word: &str) -> Vec<String> {
    let limits = range["spec"]["limits"].as_array().into_iter().flatten();
    let of_containers: Vec<&Value> = limits.filter(|limit| limit["type"] == "Container").collect();
    let name = container["name"].as_str().unwrap_or_default().to_owned();
    let mut told = Vec::new();
    for (list, default, what) in [("requests", "defaultRequest", "request"), ("limits", "default", "limit")] {
        let mut given: Map<String, Value> = container["resources"][list].as_object().cloned().unwrap_or_default();
        let mut set = Vec::new();
        for limit in &of_containers {
            for (resource, amount) in limit[default].as_object().into_iter().flatten() {
                if !given.contains_key(resource) {
                    given.insert(resource.clone(), amount.clone());
                    set.push(resource.as_str());
                }
            }
        }
        set.sort_unstable();
        if !set.is_empty() {
            container["resources"][list] = Value::Object(given);
            told.push(format!("{} {what} for {word} {name}", set.join(", ")));
        }
    }
    told
}

pub fn check(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    if attempt.operation == Operation::Delete {
        return Ok(());
    }
    let of_pods = attempt.is_of("pods") && attempt.operation == Operation::Create;
    if !of_pods && !attempt.is_of("persistentvolumeclaims") {
        return Ok(());
    }
    for range in attempt.all("limitranges", Some(attempt.namespace)) {
        let limits = range["spec"]["limits"].as_array().into_iter().flatten();
        let wrong: Vec<String> = limits.flat_map(|limit| beyond(limit, object, of_pods)).collect();
        match wrong.as_slice() {
            [] => {}
            [one] => return Err(attempt.forbidden(one)),
            many => return Err(attempt.forbidden(&format!("[{}]", many.join(", ")))),
        }
    }
    Ok(())
}

/// Where an object is beyond a limit.
fn beyond(limit: &Value, object: &Value, of_pods: bool) -> Vec<String> {
    let kind = limit["type"].as_str().unwrap_or_default();
    match kind {
        "Container" if of_pods => {
            let lists = ["containers", "initContainers"].into_iter();
            let containers = lists.flat_map(|list| object["spec"][list].as_array().into_iter().flatten());
            containers
                .flat_map(|container| {
                    let resources = &container["resources"];
                    compare(limit, kind, &amounts(&resources["requests"]), &amounts(&resources["limits"]))
                })
                .collect()
        }
        "Pod" if of_pods => compare(limit, kind, &whole(object, "requests"), &whole(object, "limits")),
        "PersistentVolumeClaim" if !of_pods => {
            let requests = amounts(&object["spec"]["resources"]["requests"]);
            let mut wrong = Vec::new();
            for (resource, least) in amounts(&limit["min"]) {
                wrong.extend(below(kind, &resource, least, requests.get(&resource), None));
            }
            for (resource, most) in amounts(&limit["max"]) {
                let told = format!("maximum {resource} usage per {kind} is {most}");
                match requests.get(&resource) {
                    None => wrong.push(format!("{told}.  No request is specified")),
                    Some(request) if *request > most => wrong.push(format!("{told}, but request is {request}")),
                    Some(_) => {}
                }
            }
            wrong
        }
        _ => Vec::new(),
    }
}

fn amounts(value: &Value) -> Amounts {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(name, amount)| Some((name.clone(), Quantity::read(amount).ok()?))).collect()
}

/// What a pod asks for as a whole: its containers together, or more if one that runs before them needs more.
pub fn whole(pod: &Value, list: &str) -> Amounts {
    let mut sum = Amounts::new();
    let containers = |list: &str| pod["spec"][list].as_array().into_iter().flatten().cloned().collect::<Vec<_>>();
    let add = |sum: &mut Amounts, more: Amounts| {
        for (name, amount) in more {
            let known = sum.get(&name).copied().unwrap_or(Quantity::ZERO);
            sum.insert(name, known + amount);
        }
    };
    for container in containers("containers") {
        add(&mut sum, amounts(&container["resources"][list]));
    }
    let mut beside = Amounts::new();
    let mut before = Amounts::new();
    for container in containers("initContainers") {
        let own = amounts(&container["resources"][list]);
        let needed = if container["restartPolicy"] == "Always" {
            add(&mut sum, own.clone());
            add(&mut beside, own);
            beside.clone()
        } else {
            let mut needed = own;
            add(&mut needed, beside.clone());
            needed
        };
        for (name, amount) in needed {
            let known = before.get(&name).copied().unwrap_or(Quantity::ZERO);
            before.insert(name, known.max(amount));
        }
    }
    for (name, amount) in before {
        let known = sum.get(&name).copied().unwrap_or(Quantity::ZERO);
        sum.insert(name, known.max(amount));
    }
    add(&mut sum, amounts(&pod["spec"]["overhead"]));
    sum
}

fn compare(limit: &Value, kind: &str, requests: &Amounts, limits: &Amounts) -> Vec<String> {
    let mut wrong = Vec::new();
    for (resource, least) in amounts(&limit["min"]) {
        wrong.extend(below(kind, &resource, least, requests.get(&resource), limits.get(&resource)));
    }
    for (resource, most) in amounts(&limit["max"]) {
        let told = format!("maximum {resource} usage per {kind} is {most}");
        match (limits.get(&resource), requests.get(&resource)) {
            (None, _) => wrong.push(format!("{told}.  No limit is specified")),
            (Some(limit), _) if *limit > most => wrong.push(format!("{told}, but limit is {limit}")),
            (_, Some(request)) if *request > most => wrong.push(format!("{told}, but request is {request}")),
            _ => {}
        }
    }
    for (resource, most) in amounts(&limit["maxLimitRequestRatio"]) {
        let told = format!("{resource} max limit to request ratio per {kind} is {most}");
        let given = |amount: Option<&Quantity>| amount.copied().filter(|amount| *amount != Quantity::ZERO);
        match (given(requests.get(&resource)), given(limits.get(&resource))) {
            (None, _) => wrong.push(format!("{told}, but no request is specified or request is 0")),
            (_, None) => wrong.push(format!("{told}, but no limit is specified or limit is 0")),
            (Some(request), Some(limit)) => {
                let ratio = limit.milli() as f64 / request.milli() as f64;
                if ratio * 1000.0 > most.milli() as f64 {
                    wrong.push(format!("{told}, but provided ratio is {ratio:.6}"));
                }
            }
        }
    }
    wrong
}

fn below(
    kind: &str,
    resource: &str,
    least: Quantity,
    request: Option<&Quantity>,
    limit: Option<&Quantity>,
) -> Option<String> {
    let told = format!("minimum {resource} usage per {kind} is {least}");
    match (request, limit) {
        (None, _) => Some(format!("{told}.  No request is specified")),
        (Some(request), _) if *request < least => Some(format!("{told}, but request is {request}")),
        (_, Some(limit)) if *limit < least => Some(format!("{told}, but limit is {limit}")),
        _ => None,
    }
}
