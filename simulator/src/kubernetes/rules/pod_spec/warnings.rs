//! What is odd about a pod or a template, although it is taken: whoever writes it is warned.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::CONTAINERS;
use crate::kubernetes::{
    quantity::Quantity,
    rules::{field::Field, form},
};

/// Labels of nodes that have newer names.
const OLD_LABELS: [(&str, &str, &str); 5] = [
    ("beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "v1.17", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "v1.17", "topology.kubernetes.io/zone"),
    ("beta.kubernetes.io/instance-type", "v1.17", "node.kubernetes.io/instance-type"),
];

/// Annotations that do nothing any more.
const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
    ),
    ("security.alpha.kubernetes.io/sysctls", r#"non-functional in v1.11+; use the "sysctls" field instead"#),
    ("security.alpha.kubernetes.io/unsafe-sysctls", r#"non-functional in v1.11+; use the "sysctls" field instead"#),
];

/// Volumes that nothing provides any more.
const OLD_VOLUMES: [(&str, &str); 9] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

/// Of a name that is no label; `of` says whose names and hostnames begin with it.
pub fn of_name(object: &Value, of: &str) -> Option<String> {
    let wrong = form::label(object["metadata"]["name"].as_str().unwrap_or_default());
    let told = "which can result in surprising behavior; a DNS label is recommended";
    (!wrong.is_empty()).then(|| format!("metadata.name: this is used in {of}, {told}: [{}]", wrong.join(" ")))
}

/// Of what makes pods: of its name, and of its template.
pub fn of_maker(object: &Value, template: &str) -> Vec<String> {
    let name = of_name(object, "Pod names and hostnames");
    name.into_iter().chain(of(&Field::of(object, template))).collect()
}

/// Of the template of what somebody changes, if it counts as another one.
pub fn of_changed(object: &Value, there: &Value, template: &str) -> Vec<String> {
    match object["metadata"]["generation"] == there["metadata"]["generation"] {
        true => Vec::new(),
        false => of(&Field::of(object, template)),
    }
}

/// Of a pod, or of a template.
pub fn of(pod: &Field<'_>) -> Vec<String> {
    let spec = pod.at("spec");
    let mut warnings: Vec<String> = Vec::new();
    let mut warn = |field: &Field<'_>, what: &str| warnings.push(format!("{}: {what}", field.path));
    for (key, field) in spec.at("nodeSelector").entries() {
        old_label(key).iter().for_each(|what| warn(&field, what));
    }
    for constraint in spec.at("topologySpreadConstraints").items() {
        let key = constraint.at("topologyKey");
        old_label(key.text()).iter().for_each(|what| warn(&key, &format!("{} is {what}", key.text())));
        without_selector(&constraint, &mut warn);
    }
    for (key, what) in OLD_ANNOTATIONS {
        let annotation = pod.at("metadata").at("annotations").key(key);
        if annotation.is_set() {
            warn(&annotation, what);
        }
    }
    for volume in spec.at("volumes").items() {
        for (kind, what) in OLD_VOLUMES {
            if volume.at(kind).is_set() {
                warn(&volume.at(kind), what);
            }
        }
    }
    for (list, name) in [("hostAliases", "ip"), ("imagePullSecrets", "name")] {
        let mut known = BTreeSet::new();
        for field in spec.at(list).items().map(|item| item.at(name)) {
            if !known.insert(field.text()) {
                warn(&field, &format!("duplicate {name} {:?}", field.text()));
            }
        }
    }
    for name in spec.at("imagePullSecrets").items().map(|item| item.at("name")) {
        if name.text().is_empty() {
            warn(&name, r#"invalid empty name """#);
        }
    }
    fractions(&spec.at("overhead"), &mut warn);
    let containers: Vec<Field<'_>> = CONTAINERS.iter().flat_map(|list| spec.at(list).items()).collect();
    for container in &containers {
        for resource in ["memory", "ephemeral-storage"] {
            for list in ["limits", "requests"] {
                fraction(&container.at("resources").at(list).key(resource), &mut warn);
            }
        }
        hidden_variables(container, &mut warn);
    }
    ports(&containers, &mut warn);
    port_names(&containers, &mut warn);
    let grace = spec.at("terminationGracePeriodSeconds");
    if grace.number().is_some_and(|seconds| seconds < 0) {
        warn(&grace, "must be >= 0; negative values are invalid and will be treated as 1");
    }
    for affinity in ["podAffinity", "podAntiAffinity"].map(|name| spec.at("affinity").at(name)) {
        for term in affinity.at("requiredDuringSchedulingIgnoredDuringExecution").items() {
            without_selector(&term, &mut warn);
        }
        for term in affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items() {
            without_selector(&term.at("podAffinityTerm"), &mut warn);
        }
    }
    warnings
}

fn old_label(key: &str) -> Option<String> {
    let (_, since, instead) = OLD_LABELS.iter().find(|(old, ..)| *old == key)?;
    Some(format!("deprecated since {since}; use \"{instead}\" instead"))
}

fn without_selector(term: &Field<'_>, warn: &mut impl FnMut(&Field<'_>, &str)) {
    if !term.at("labelSelector").is_set() {
        warn(&term.at("labelSelector"), "a null labelSelector results in matching no pod");
    }
}

fn fractions(amounts: &Field<'_>, warn: &mut impl FnMut(&Field<'_>, &str)) {
    ["memory", "ephemeral-storage"].iter().for_each(|resource| fraction(&amounts.key(resource), warn));
}

/// Bytes come whole.
fn fraction(amount: &Field<'_>, warn: &mut impl FnMut(&Field<'_>, &str)) {
    if Quantity::read(amount.value).is_ok_and(|amount| amount.milli() % 1000 != 0) {
        warn(amount, &format!("fractional byte value {:?} is invalid, must be an integer", amount.text()));
    }
}

/// A variable may be given twice only where the second builds on the first.
fn hidden_variables(container: &Field<'_>, warn: &mut impl FnMut(&Field<'_>, &str)) {
    let mut known = BTreeSet::new();
    for variable in container.at("env").items() {
        let (name, value) = (variable.at("name").text(), variable.at("value").text());
        let reference = format!("$({name})");
        let hides = variable.at("valueFrom").is_set() || value == reference || !value.contains(&reference);
        if !known.insert(name) && hides {
            warn(&variable, &format!("hides previous definition of {name:?}, which may be dropped when using apply"));
        }
    }
}

fn ports(containers: &[Field<'_>], warn: &mut impl FnMut(&Field<'_>, &str)) {
    let mut known: BTreeMap<(i64, &str), Vec<Field<'_>>> = BTreeMap::new();
    for port in containers.iter().flat_map(|container| container.at("ports").items()) {
        let number = |port: &Field<'_>, name: &str| port.at(name).number().unwrap_or_default();
        let (ip, host) = (port.at("hostIP").text(), number(&port, "hostPort"));
        let (inner, protocol) = (number(&port, "containerPort"), port.at("protocol").text());
        if !ip.is_empty() && host == 0 {
            let name = port.at("name").text();
            let shown =
                format!("{{Name:{name} HostPort:{host} ContainerPort:{inner} Protocol:{protocol} HostIP:{ip}}}");
            warn(&port, &format!("hostIP set without hostPort: {shown}"));
        }
        let others = known.entry((inner, protocol)).or_default();
        for other in others.iter() {
            let (other_ip, other_host) = (other.at("hostIP").text(), number(other, "hostPort"));
            let what = if (ip, host) == (other_ip, other_host) {
                "duplicate"
            } else if host == 0 || other_host == 0 {
                "overlapping"
            } else if host == other_host && ip.is_empty() != other_ip.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            warn(&port, &format!("{what} port definition with {}", other.path));
        }
        others.push(port);
    }
}

fn port_names(containers: &[Field<'_>], warn: &mut impl FnMut(&Field<'_>, &str)) {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    for port in containers.iter().flat_map(|container| container.at("ports").items()) {
        let name = port.at("name").text();
        match known.get(name) {
            _ if name.is_empty() => {}
            Some(first) => {
                let which = "services and probes that select ports by name will use";
                warn(&port, &format!("duplicate port name {name:?} with {first}, {which} {first}"));
            }
            None => drop(known.insert(name, port.path.clone())),
        }
    }
}
