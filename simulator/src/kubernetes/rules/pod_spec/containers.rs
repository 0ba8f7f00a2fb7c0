//! Containers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{environment, mounts, probes, resources, security, volumes::Volumes};
use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, formed, in_range, one_of, required},
        form,
    },
};

/// The containers that a pod is made of.
pub fn check(spec: &Field<'_>, volumes: &Volumes<'_>) -> Vec<Cause> {
    let containers = spec.at("containers");
    if containers.is_empty() {
        return vec![containers.required("")];
    }
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for container in containers.items() {
        wrong.extend(common(&container, spec, volumes));
        let name = container.at("name");
        if !names.insert(name.text()) {
            wrong.push(name.duplicate());
        }
        wrong.extend(probes::lifecycle(&container, grace(spec)));
        wrong.extend(probes::probes(&container, grace(spec)));
        wrong.extend(restarts(&container));
    }
    wrong.extend(host_ports(containers.items()));
    wrong
}

/// The containers that run before, or beside.
pub fn check_init(spec: &Field<'_>, volumes: &Volumes<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut names: BTreeSet<&str> =
        spec.at("containers").items().map(|container| container.at("name").text()).collect();
    for container in spec.at("initContainers").items() {
        wrong.extend(common(&container, spec, volumes));
        wrong.extend(restarts(&container));
        let name = container.at("name");
        if names.contains(name.text()) {
            wrong.push(name.duplicate());
        } else if !name.is_empty() {
            names.insert(name.text());
        }
        let beside = container.at("restartPolicy").text() == "Always";
        wrong.extend(host_ports_within(&spec.at("initContainers"), &container));
        if beside {
            wrong.extend(probes::lifecycle(&container, grace(spec)));
            wrong.extend(probes::probes(&container, grace(spec)));
            continue;
        }
        for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            let field = container.at(name);
            if field.is_set() {
                wrong.push(field.forbidden("may not be set for init containers without restartPolicy=Always"));
            }
        }
        for policy in container.at("resizePolicy").items().map(|policy| policy.at("restartPolicy")) {
            if policy.text() == "RestartContainer" {
                let why = "must not be set to 'RestartContainer' for non-sidecar initContainers";
                wrong.push(policy.invalid(why));
            }
        }
    }
    wrong
}

/// The containers that somebody looks at a pod with.
pub fn check_ephemeral(spec: &Field<'_>, volumes: &Volumes<'_>) -> Vec<Cause> {
    const REFUSED: [&str; 7] =
        ["ports", "resources", "resizePolicy", "restartPolicy", "livenessProbe", "readinessProbe", "startupProbe"];
    let own = ["containers", "initContainers"].into_iter().flat_map(|list| spec.at(list).items());
    let others: BTreeSet<&str> = own.map(|container| container.at("name").text()).collect();
    let mut names = others.clone();
    let mut wrong = Vec::new();
    for container in spec.at("ephemeralContainers").items() {
        wrong.extend(common(&container, spec, volumes));
        let (name, image) = (container.at("name"), container.at("image"));
        if image.text().trim() != image.text() {
            wrong.push(image.invalid("must not have leading or trailing whitespace"));
        }
        if !names.insert(name.text()) {
            wrong.push(name.duplicate());
        }
        let target = container.at("targetContainerName");
        if !target.is_empty() && !others.contains(target.text()) {
            wrong.push(target.not_found());
        }
        for field in REFUSED.iter().chain(&["lifecycle"]).map(|name| container.at(name)) {
            if !field.is_empty() {
                wrong.push(field.forbidden("cannot be set for an Ephemeral Container"));
            }
        }
        for mount in container.at("volumeMounts").items() {
            for path in ["subPath", "subPathExpr"].map(|name| mount.at(name)).iter().filter(|path| !path.is_empty()) {
                wrong.push(path.forbidden("cannot be set for an Ephemeral Container"));
            }
        }
    }
    wrong
}

fn grace(spec: &Field<'_>) -> i64 {
    spec.at("terminationGracePeriodSeconds").number().unwrap_or_default()
}

/// What all containers have.
fn common(container: &Field<'_>, spec: &Field<'_>, volumes: &Volumes<'_>) -> Vec<Cause> {
    let name = container.at("name");
    let mut wrong = match required(&name, "") {
        Some(missing) => vec![missing],
        None => formed(&name, form::label),
    };
    wrong.extend(required(&container.at("image"), ""));
    wrong.extend(one_of(&container.at("terminationMessagePolicy"), &["File", "FallbackToLogsOnError"]));
    wrong.extend(ports(&container.at("ports")));
    wrong.extend(environment::variables(&container.at("env")));
    wrong.extend(environment::sources(&container.at("envFrom")));
    wrong.extend(mounts::mounts(container, volumes));
    wrong.extend(mounts::devices(container, volumes));
    wrong.extend(one_of(&container.at("imagePullPolicy"), &["Always", "IfNotPresent", "Never"]));
    wrong.extend(resources::check(&container.at("resources"), resources::Of::Container));
    wrong.extend(resources::claims(&container.at("resources"), spec));
    wrong.extend(resizing(&container.at("resizePolicy"), spec));
    wrong.extend(security::check_container(container, spec));
    wrong
}

fn ports(ports: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let name = port.at("name");
        if !name.is_empty() {
            let found = formed(&name, form::port_name);
            if found.is_empty() && !names.insert(name.text()) {
                wrong.push(name.duplicate());
            }
            wrong.extend(found);
        }
        let (inside, outside) = (port.at("containerPort"), port.at("hostPort"));
        match inside.number() {
            None | Some(0) => wrong.push(inside.required("")),
            Some(_) => wrong.extend(in_range(&inside, 1..=65535)),
        }
        if outside.number().is_some_and(|number| number != 0) {
            wrong.extend(in_range(&outside, 1..=65535));
        }
        wrong.extend(one_of(&port.at("protocol"), &["SCTP", "TCP", "UDP"]));
    }
    wrong
}

/// Ports of the host that two want.
fn host_ports<'f>(containers: impl Iterator<Item = Field<'f>>) -> Vec<Cause> {
    let mut taken = BTreeSet::new();
    let mut wrong = Vec::new();
    for port in containers.flat_map(|container| container.at("ports").items()) {
        let number = port.at("hostPort").number().unwrap_or_default();
        let told = format!("{}/{}/{number}", port.at("protocol").text(), port.at("hostIP").text());
        if number != 0 && !taken.insert(told.clone()) {
            wrong.push(Cause::duplicate(&port.at("hostPort").path, &Value::from(told)));
        }
    }
    wrong
}

/// The same within one container, which the server then takes for the first of its list.
fn host_ports_within(containers: &Field<'_>, container: &Field<'_>) -> Vec<Cause> {
    let first = Field { path: format!("{}[0]", containers.path), value: container.value };
    host_ports(std::iter::once(first))
}

fn resizing(policies: &Field<'_>, spec: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for policy in policies.items() {
        let (resource, restart) = (policy.at("resourceName"), policy.at("restartPolicy"));
        if !known.insert(resource.text()) {
            wrong.push(Cause::duplicate(&policy.path, resource.value));
        }
        for (field, allowed) in [(&resource, ["cpu", "memory"]), (&restart, ["NotRequired", "RestartContainer"])] {
            let field = policies.with(field.value);
            wrong.extend(required(&field, "").or_else(|| one_of(&field, &allowed)));
        }
        if spec.at("restartPolicy").text() == "Never" && restart.text() != "NotRequired" {
            let why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            wrong.push(policies.with(restart.value).invalid(why));
        }
    }
    wrong
}

/// When a container is started again, if it has its own word on that.
fn restarts(container: &Field<'_>) -> Vec<Cause> {
    let (policy, rules) = (container.at("restartPolicy"), container.at("restartPolicyRules"));
    let mut wrong = Vec::new();
    if !policy.is_set() && !rules.is_empty() {
        wrong.push(policy.required("must specify restartPolicy when restart rules are used"));
    }
    wrong.extend(one_of(&policy, &["Always", "Never", "OnFailure"]));
    if rules.len() > 20 {
        wrong.push(Cause::too_many(&rules.path, rules.len(), 20));
    }
    for rule in rules.items() {
        wrong.extend(one_of(&rule.at("action"), &["Restart", "RestartAllContainers"]));
        let codes = rule.at("exitCodes");
        if !codes.is_set() {
            wrong.push(codes.required("must be specified"));
            continue;
        }
        wrong.extend(one_of(&codes.at("operator"), &["In", "NotIn"]));
        if codes.at("values").len() > 255 {
            wrong.push(Cause::too_many(&codes.at("values").path, codes.at("values").len(), 255));
        }
    }
    wrong
}
