//! What containers and pods ask for, and what they are limited to.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kubernetes::{
    answer::Cause,
    quantity::Quantity,
    rules::{
        field::{Field, formed},
        form,
    },
};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Container,
    Pod,
}

pub fn check(resources: &Field<'_>, of: Of) -> Vec<Cause> {
    let (limits, requests) = (resources.at("limits"), resources.at("requests"));
    let mut wrong = Vec::new();
    for (name, limit) in limits.entries() {
        wrong.extend(resource_name(name, &limit, of));
        wrong.extend(amount(name, &limit));
    }
    for (name, request) in requests.entries() {
        wrong.extend(resource_name(name, &request, of));
        wrong.extend(amount(name, &request));
        let Ok(wanted) = Quantity::read(request.value) else { continue };
        match Quantity::read(limits.key(name).value) {
            Ok(limit) if !is_divisible(name) && wanted != limit => {
                let why = format!("must be equal to {name} limit of {limit}");
                wrong.push(requests.with(request.value).invalid(&why));
            }
            Ok(limit) if wanted > limit => {
                let why = format!("must be less than or equal to {name} limit of {limit}");
                wrong.push(requests.with(request.value).invalid(&why));
            }
            Err(_) if !is_divisible(name) => {
                wrong.push(limits.required("Limit must be set for non overcommitable resources"));
            }
            _ => {}
        }
    }
    let names: Vec<&str> = limits.entries().chain(requests.entries()).map(|(name, _)| name).collect();
    let some = names.iter().any(|name| matches!(*name, "cpu" | "memory"));
    if !some && names.iter().any(|name| name.starts_with("hugepages-")) {
        wrong.push(resources.forbidden("HugePages require cpu or memory"));
    }
    wrong
}

/// The claims of the pod that a container has a part in.
pub fn claims(resources: &Field<'_>, spec: &Field<'_>) -> Vec<Cause> {
    let known: BTreeSet<&str> = spec.at("resourceClaims").items().map(|claim| claim.at("name").text()).collect();
    let mut named = BTreeSet::new();
    let mut wrong = Vec::new();
    for claim in resources.at("claims").items() {
        let name = claim.at("name");
        let shown = claim.with(name.value);
        if name.is_empty() {
            wrong.push(shown.required(""));
            continue;
        }
        if !named.insert((name.text(), claim.at("request").text())) {
            wrong.push(shown.duplicate());
        }
        if !known.contains(name.text()) {
            let known: Vec<&str> = known.iter().copied().collect();
            let which = if known.is_empty() { " which is empty".to_owned() } else { format!(": {}", known.join(", ")) };
            let mut missing = shown.not_found();
            missing.message.push_str(&format!(": must be one of the names in pod.spec.resourceClaims{which}"));
            wrong.push(missing);
        }
    }
    wrong
}

/// What a pod asks for as a whole.
pub fn check_whole(spec: &Field<'_>) -> Vec<Cause> {
    let resources = spec.at("resources");
    if !resources.is_set() {
        return Vec::new();
    }
    let mut wrong = check(&resources, Of::Pod);
    wrong.extend(consistent(spec, &resources));
    wrong
}

/// A pod asks for no less than its containers, and lets none of them have more than itself.
fn consistent(spec: &Field<'_>, resources: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let containers = spec.at("containers");
    for (name, request) in resources.at("requests").entries() {
        let asked = containers.items().map(|container| container.at("resources").at("requests").at(name));
        let sum = asked.filter_map(|asked| Quantity::read(asked.value).ok()).reduce(|sum, asked| sum + asked);
        if let (Some(sum), Ok(whole)) = (sum, Quantity::read(request.value))
            && sum > whole
        {
            let why = format!("must be greater than or equal to aggregate container requests of {sum}");
            wrong.push(request.invalid(&why));
        }
    }
    for (name, limit) in resources.at("limits").entries() {
        let Ok(whole) = Quantity::read(limit.value) else { continue };
        for container in containers.items() {
            let own = container.at("resources").at("limits").key(name);
            if Quantity::read(own.value).is_ok_and(|own| own > whole) {
                // The server names such a place, though there is none.
                let place = container.path.rsplit('.').next().unwrap_or_default();
                let path = format!("{}.{place}[{name}].limits", resources.path);
                wrong.push(
                    Field { path, value: own.value }
                        .invalid(&format!("must be less than or equal to pod limits of {whole}")),
                );
            }
        }
    }
    wrong
}

/// True for what may be promised more than once.
fn is_divisible(name: &str) -> bool {
    !name.contains('/') && !name.starts_with("hugepages-") || is_native(name)
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// What is wrong with the name of a resource that containers are to have.
pub fn name_for_containers(name: &Field<'_>) -> Vec<Cause> {
    resource_name(name.text(), name, Of::Container)
}

fn resource_name(name: &str, amount: &Field<'_>, of: Of) -> Vec<Cause> {
    let given = Value::from(name);
    let field = amount.with(&given);
    let mut wrong = formed(&field, form::qualified_name);
    let standard = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    match of {
        Of::Pod if !standard || name == "ephemeral-storage" => {
            wrong.push(field.unsupported(&["cpu", "hugepages-", "memory"]));
        }
        Of::Container if !name.contains('/') && !standard => {
            if wrong.is_empty() && !is_standard_anywhere(name) {
                wrong.push(field.invalid("must be a standard resource type or fully qualified"));
            }
            wrong.push(field.invalid("must be a standard resource for containers"));
        }
        Of::Container if !is_native(name) && name.starts_with("requests.") => {
            wrong.push(field.invalid("doesn't follow extended resource name standard"));
        }
        _ => {}
    }
    wrong
}

/// Resources that the server knows, if not of containers: of quotas and volumes.
fn is_standard_anywhere(name: &str) -> bool {
    const KNOWN: [&str; 16] = [
        "storage",
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
    ];
    KNOWN.contains(&name) || name == "limits.ephemeral-storage"
}

fn amount(name: &str, amount: &Field<'_>) -> Vec<Cause> {
    let Ok(quantity) = Quantity::read(amount.value) else { return Vec::new() };
    let mut wrong = Vec::new();
    if quantity.is_negative() {
        wrong.push(amount.invalid("must be greater than or equal to 0"));
    }
    if !is_native(name) && !quantity.is_whole() {
        wrong.push(amount.invalid("must be an integer"));
    }
    wrong
}
