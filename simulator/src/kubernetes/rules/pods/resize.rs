//! What a write to `resize` may change of a pod: what its containers ask for, and what it asks for as a whole.

use serde_json::{Value, json};

use super::{
    change::{keep_metadata, put},
    quality,
};
use crate::kubernetes::{answer::Cause, rules::field::Field};

const CONTAINERS: [&str; 2] = ["initContainers", "containers"];
/// What may be more or less than before.
const RESIZED: [&str; 2] = ["cpu", "memory"];
const AMOUNTS: [&str; 2] = ["requests", "limits"];
const ONLY: &str = "only cpu and memory resources are mutable";
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Leaves nothing of a write but what is asked for. One that brings other containers stays as it is, and is refused for them.
pub fn only_resources(pod: &mut Value, there: &Value) {
    let count = |pod: &Value, list: &str| pod["spec"][list].as_array().map_or(0, Vec::len);
    if CONTAINERS.iter().any(|list| count(pod, list) != count(there, list)) {
        return;
    }
    let given = pod["spec"].take();
    let mut spec = there["spec"].clone();
    put(&mut spec, "resources", given.get("resources"));
    for list in CONTAINERS {
        let given: Vec<&Value> = given[list].as_array().into_iter().flatten().collect();
        let Some(containers) = spec.get_mut(list).and_then(Value::as_array_mut) else { continue };
        if containers.iter().zip(&given).any(|(container, given)| container["name"] != given["name"]) {
            *containers = given.into_iter().cloned().collect();
            continue;
        }
        for (container, given) in containers.iter_mut().zip(given) {
            ["resources", "resizePolicy"].iter().for_each(|name| put(container, name, given.get(*name)));
        }
    }
    pod["spec"] = spec;
    put(pod, "status", there.get("status"));
    keep_metadata(pod, there);
}

/// What is wrong with a pod of another size, besides what is `wrong` with it as with any.
pub fn check(pod: &Value, there: &Value, mut wrong: Vec<Cause>) -> Vec<Cause> {
    if there["metadata"]["annotations"].get(MIRROR).is_some() {
        return vec![Cause::forbidden("", "static pods cannot be resized")];
    }
    let (spec, before) = (Field::of(pod, "spec"), Field::of(there, "spec"));
    let was = there["status"]["qosClass"].as_str().unwrap_or_else(|| quality::of(before.value));
    if quality::of(spec.value) != was {
        let told = json!(pod["status"]["qosClass"].as_str().unwrap_or_default());
        wrong.push(spec.with(&told).invalid("Pod QOS Class may not change as a result of resizing"));
    }
    let mut statuses = Field::of(there, "status.containerStatuses").items();
    let running = statuses.find(|status| status.at("state").at("running").is_set());
    if running.is_some_and(|status| !status.at("resources").is_set()) {
        wrong.push(spec.forbidden("Pod running on node without support for resize"));
    }
    wrong.extend(of_the_whole(&spec, &before));
    let others: Vec<Cause> =
        ["containers", "initContainers"].iter().flat_map(|list| other_containers(list, &spec, &before)).collect();
    if !others.is_empty() {
        return [wrong, others].concat();
    }
    let pairs = |list: &str| spec.at(list).items().zip(before.at(list).items()).collect::<Vec<_>>();
    for (new, old) in CONTAINERS.iter().flat_map(|list| pairs(list)) {
        wrong.extend(lost(&new.at("resources"), &old.at("resources"), "resource"));
    }
    let (containers, first) = (pairs("containers"), pairs("initContainers"));
    let changed = containers.iter().filter(|(new, old)| is_another(new, old));
    wrong.extend(changed.map(|_| spec.forbidden(ONLY)));
    for (new, old) in &first {
        if is_another(new, old) {
            wrong.push(new.forbidden("only cpu and memory resources for init or sidecar containers are mutable"));
        }
        let restarts =
            new.at("resizePolicy").items().filter(|policy| policy.at("restartPolicy").text() == "RestartContainer");
        if new.value != old.value && new.at("restartPolicy").text() != "Always" {
            let why = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
            wrong.extend(restarts.map(|_| new.forbidden(why)));
        }
    }
    if wrong.is_empty() && !asks(&spec) && !asks(&before) && spec.at("resources").value != before.at("resources").value
    {
        wrong.push(spec.forbidden(ONLY));
    }
    wrong
}

/// True if a pod asks for something as a whole.
fn asks(spec: &Field<'_>) -> bool {
    AMOUNTS.iter().any(|what| !spec.at("resources").at(what).is_empty())
}

fn of_the_whole(spec: &Field<'_>, before: &Field<'_>) -> Vec<Cause> {
    let (new, old) = (spec.at("resources"), before.at("resources"));
    if !asks(spec) && !asks(before) {
        return Vec::new();
    }
    if old.is_set() && !new.is_set() {
        return vec![new.forbidden("pod-level resources cannot be removed")];
    }
    let mut wrong = lost(&new, &old, "pod-level resource");
    if fixed(&new) != fixed(&old) {
        wrong.push(spec.forbidden("only cpu and memory resources are mutable at pod-level"));
    }
    wrong
}

/// Containers stay who and where they are.
fn other_containers(list: &str, spec: &Field<'_>, before: &Field<'_>) -> Vec<Cause> {
    let (new, old) = (spec.at(list), before.at(list));
    if new.len() != old.len() {
        return vec![new.forbidden(&format!("{list} may not be added or removed on resize"))];
    }
    let names = new.items().zip(old.items()).map(|(new, old)| (new.at("name"), old.at("name")));
    let renamed = names.filter(|(new, old)| new.value != old.value);
    renamed.map(|(new, _)| new.forbidden(&format!("{list} may not be renamed or reordered on resize"))).collect()
}

/// What was asked for may not go.
fn lost(new: &Field<'_>, old: &Field<'_>, what: &str) -> Vec<Cause> {
    let gone = AMOUNTS.iter().filter(|amounts| {
        let now = new.at(amounts);
        old.at(amounts).entries().any(|(name, _)| now.value.get(name).is_none())
    });
    gone.map(|amounts| new.at(amounts).forbidden(&format!("{what} {amounts} cannot be removed"))).collect()
}

/// True if more of a container is different than may be.
fn is_another(new: &Field<'_>, old: &Field<'_>) -> bool {
    let rest = |container: &Field<'_>| {
        let mut rest = container.value.clone();
        put(&mut rest, "resources", None);
        rest
    };
    fixed(&new.at("resources")) != fixed(&old.at("resources")) || rest(new) != rest(old)
}

/// What is asked for and can be neither more nor less.
fn fixed(resources: &Field<'_>) -> Vec<(String, Value)> {
    let amounts = AMOUNTS.iter().flat_map(|what| resources.at(what).entries());
    let fixed = amounts.filter(|(name, _)| !RESIZED.contains(name));
    fixed.map(|(_, amount)| (amount.path, amount.value.clone())).collect()
}
