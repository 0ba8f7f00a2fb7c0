//! What may change about a pod: hardly anything.

use serde_json::{Value, json};

use super::addresses;
use crate::kubernetes::{
    answer::Cause,
    rules::{
        difference::difference,
        field::{self, Field, formed, in_range, unchanged},
        form, pod_spec, structures,
    },
};

const CHANGEABLE: &str = "pod updates may not change fields other than \
     `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
     existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub fn check(pod: &Value, there: &Value) -> Vec<Cause> {
    let (spec, before) = (Field::of(pod, "spec"), Field::of(there, "spec"));
    // The server looks at these, at images and at tolerations twice.
    let mut wrong = Vec::from_iter(pod_spec::cost(&Field::of(pod, "metadata.annotations")));
    for list in ["containers", "initContainers"] {
        let containers = spec.at(list);
        if containers.len() != before.at(list).len() {
            wrong.push(containers.forbidden("pod updates may not add or remove containers"));
            return wrong;
        }
        for image in containers.items().map(|container| container.at("image")) {
            wrong.extend(field::required(&image, ""));
            if image.text().trim() != image.text() {
                wrong.push(image.invalid("must not have leading or trailing whitespace"));
            }
        }
    }
    let late = deadline(&spec, &before);
    let is_number = spec.at("activeDeadlineSeconds").is_set();
    wrong.extend(late.first().cloned());
    // Of a number that is wrong nothing more is looked at.
    if is_number && !late.is_empty() {
        return wrong;
    }
    wrong.extend(tolerations(&spec.at("tolerations"), &before.at("tolerations")));
    wrong.extend(gates(&spec.at("schedulingGates"), &before.at("schedulingGates")));
    if spec.value == before.value {
        return wrong;
    }
    let mut rest = as_before(spec.value, before.value);
    if before.at("schedulingGates").is_set() {
        wrong.extend(pickier(&mut rest, &before));
    }
    if rest != *before.value {
        let [before, rest] = [before.value, &rest].map(|spec| structures::shown(spec, "PodSpec"));
        wrong.push(spec.forbidden(&format!("{CHANGEABLE}\n{}", difference(&before, &rest))));
    }
    wrong
}

/// The spec with everything that may change as it was before.
fn as_before(spec: &Value, before: &Value) -> Value {
    let mut rest = spec.clone();
    for list in ["containers", "initContainers"] {
        let old = before[list].as_array().into_iter().flatten();
        let containers = rest.get_mut(list).and_then(Value::as_array_mut);
        for (container, old) in containers.into_iter().flatten().zip(old) {
            container["image"] = old["image"].clone();
        }
    }
    for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        put(&mut rest, name, before.get(name));
    }
    let grace = "terminationGracePeriodSeconds";
    if before[grace].as_i64().is_some_and(|seconds| seconds < 0) && rest[grace] == 1 {
        put(&mut rest, grace, before.get(grace));
    }
    rest
}

pub fn put(object: &mut Value, name: &str, value: Option<&Value>) {
    match (object.as_object_mut(), value) {
        (Some(fields), Some(value)) => drop(fields.insert(name.to_owned(), value.clone())),
        (Some(fields), None) => drop(fields.shift_remove(name)),
        (None, _) => {}
    }
}

fn deadline(spec: &Field<'_>, before: &Field<'_>) -> Vec<Cause> {
    let [now, then] = [spec, before].map(|spec| spec.at("activeDeadlineSeconds"));
    let mut wrong: Vec<Cause> = in_range(&now, 0..=i64::from(i32::MAX)).into_iter().collect();
    if !now.is_set() && then.is_set() {
        wrong.push(now.invalid("must not update from a positive integer to nil value"));
    } else if then.is_set() && then.number() < now.number() {
        wrong.push(now.invalid("must be less than or equal to previous value"));
    }
    wrong
}

fn tolerations(now: &Field<'_>, then: &Field<'_>) -> Vec<Cause> {
    let lasting = |toleration: &Value| {
        let mut toleration = toleration.clone();
        put(&mut toleration, "tolerationSeconds", None);
        toleration
    };
    let kept: Vec<Value> = now.items().map(|toleration| lasting(toleration.value)).collect();
    let lost = then.items().any(|toleration| !kept.contains(&lasting(toleration.value)));
    match lost {
        true => vec![now.forbidden("existing toleration can not be modified except its tolerationSeconds")],
        false => pod_spec::tolerations(now),
    }
}

fn gates(now: &Field<'_>, then: &Field<'_>) -> Vec<Cause> {
    let known: Vec<&str> = then.items().map(|gate| gate.at("name").text()).collect();
    let names: Vec<Field<'_>> = now.items().map(|gate| gate.at("name")).collect();
    // Of one that comes twice, the last is told.
    let is_last = |at: usize| names[at + 1..].iter().all(|other| other.text() != names[at].text());
    let new = names.iter().enumerate().filter(|(at, name)| is_last(*at) && !known.contains(&name.text()));
    let why = |name: &str| format!("only deletion is allowed, but found new scheduling gate '{name}'");
    new.map(|(_, name)| name.forbidden(&why(name.text()))).collect()
}

/// A pod that waits for gates may be told where it can run, in more detail than before. What of that is taken is as it was in
/// `rest` then.
fn pickier(rest: &mut Value, before: &Field<'_>) -> Vec<Cause> {
    const TERMS: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    let mut wrong = Vec::new();
    let selector = before.at("nodeSelector");
    let now = rest["nodeSelector"].clone();
    if selector.entries().any(|(key, value)| now.get(key) != Some(value.value)) {
        let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        wrong.push(selector.with(&structures::sorted(&now)).invalid(why));
    }
    put(rest, "nodeSelector", before.value.get("nodeSelector"));
    let old = before.at("affinity").at("nodeAffinity").at(TERMS).at("nodeSelectorTerms");
    let terms = rest.pointer(&format!("/affinity/nodeAffinity/{TERMS}/nodeSelectorTerms")).cloned().unwrap_or_default();
    let now = old.with(&terms);
    if !old.is_empty() && old.len() != now.len() {
        let why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        wrong.push(now.invalid(why));
    } else {
        for (old, now) in old.items().zip(now.items()) {
            let only_more = |list: &str| {
                let now: Vec<&Value> = now.at(list).items().map(|expression| expression.value).collect();
                old.at(list).items().zip(now.iter()).all(|(old, now)| old.value == *now)
                    && old.at(list).len() <= now.len()
            };
            if !only_more("matchExpressions") || !only_more("matchFields") {
                let shown = structures::shown(now.value, "NodeSelectorTerm");
                wrong.push(now.with(&shown).invalid("only additions are allowed (no mutations or deletions)"));
            }
        }
    }
    let pods = ["podAffinity", "podAntiAffinity"].iter().any(|name| rest["affinity"].get(*name).is_some());
    match before.value.pointer("/affinity/nodeAffinity") {
        Some(old) if rest["affinity"].is_object() => rest["affinity"]["nodeAffinity"] = old.clone(),
        Some(old) => put(rest, "affinity", Some(&json!({"nodeAffinity": old}))),
        None if !pods && before.value.get("affinity").is_none() => put(rest, "affinity", None),
        None => {
            if let Some(affinity) = rest.get_mut("affinity") {
                put(affinity, "nodeAffinity", None);
            }
        }
    }
    wrong
}

/// What is wrong with how a pod says it fares.
pub fn status(pod: &Value, there: &Value) -> Vec<Cause> {
    let (status, before) = (Field::of(pod, "status"), Field::of(there, "status"));
    let mut wrong = Vec::new();
    for condition in status.at("conditions").items() {
        if !matches!(condition.at("type").text(), "PodScheduled" | "Ready" | "Initialized") {
            wrong.extend(formed(&condition.at("Type").with(condition.at("type").value), form::qualified_name));
        }
    }
    let nominated = status.at("nominatedNodeName");
    if !nominated.is_empty() && nominated.value != before.at("nominatedNodeName").value {
        wrong.extend(formed(&nominated, form::subdomain));
    }
    wrong.extend(unchanged(&status.at("qosClass"), &before.at("qosClass")));
    wrong.extend(restarted(pod, there));
    wrong.extend(addresses::check(&status.at("podIPs"), &before.at("podIPs")));
    let (host, hosts) = (status.at("hostIP"), status.at("hostIPs"));
    if let Some(first) = hosts.items().next().map(|host| host.at("ip")).filter(|first| first.text() != host.text()) {
        wrong.push(first.invalid("must be equal to `hostIP`"));
    }
    wrong.extend(addresses::check(&hosts, &before.at("hostIPs")));
    wrong
}

/// What ended for good doesn't run again.
fn restarted(pod: &Value, there: &Value) -> Vec<Cause> {
    let policy = Field::of(there, "spec.restartPolicy");
    let statuses = Field::of(there, "status.containerStatuses");
    let mut wrong = Vec::new();
    if policy.text() == "Always" {
        return wrong;
    }
    for (at, old) in statuses.items().enumerate() {
        let ended = old.at("state").at("terminated");
        let failed = ended.at("exitCode").number().unwrap_or_default() != 0;
        if !ended.is_set() || failed && policy.text() == "OnFailure" {
            continue;
        }
        let runs = |new: &Field<'_>| {
            new.at("name").value == old.at("name").value && !new.at("state").at("terminated").is_set()
        };
        if Field::of(pod, "status.containerStatuses").items().any(|new| runs(&new)) {
            let path = format!("{}[{at}].state", statuses.path);
            wrong.push(Cause::forbidden(path, "may not be transitioned to non-terminated state"));
        }
    }
    wrong
}

/// Leaves nothing of a write but the containers that somebody looks at the pod with.
pub fn only_ephemeral(pod: &mut Value, there: &Value) {
    let looking = pod["spec"].get("ephemeralContainers").cloned();
    pod["spec"] = there["spec"].clone();
    put(&mut pod["spec"], "ephemeralContainers", looking.as_ref());
    put(pod, "status", there.get("status"));
    keep_metadata(pod, there);
}

/// Such containers stay, and stay what they are.
pub fn ephemeral(pod: &Value, there: &Value) -> Vec<Cause> {
    let (now, then) = (Field::of(pod, "spec.ephemeralContainers"), Field::of(there, "spec.ephemeralContainers"));
    let mut wrong = Vec::new();
    for old in then.items() {
        let name = old.at("name").text();
        match now.items().find(|new| new.at("name").text() == name) {
            None => wrong.push(now.forbidden(&format!("existing ephemeral containers {name:?} may not be removed\n"))),
            Some(new) if new.value != old.value => {
                let [old, new] = [old.value, new.value].map(|it| structures::shown(it, "EphemeralContainer"));
                let told = difference(&old, &new);
                wrong
                    .push(now.forbidden(&format!("existing ephemeral containers {name:?} may not be changed\n{told}")));
            }
            Some(_) => {}
        }
    }
    wrong
}

pub fn keep_metadata(pod: &mut Value, there: &Value) {
    for name in ["labels", "annotations", "finalizers", "ownerReferences"] {
        put(&mut pod["metadata"], name, there["metadata"].get(name));
    }
}
