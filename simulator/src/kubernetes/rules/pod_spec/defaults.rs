//! What a pod is if nobody says.

use serde_json::{Value, json};

use super::CONTAINERS;
use crate::kubernetes::rules::{
    fill::{fill, items},
    resources::round,
};

/// Owner and group may read and write, everybody else may read.
const FILE_MODE: u32 = 0o644;

/// The template of something that makes pods.
pub fn fill_in_template(template: &mut Value) {
    if let Some(spec) = template.get_mut("spec") {
        fill_in(spec);
    }
}

pub fn fill_in(spec: &mut Value) {
    // The account has two names, and the newer one counts.
    let account = ["serviceAccountName", "serviceAccount"].iter().find_map(|name| spec.get(*name)).cloned();
    if let Some(account) = account {
        spec["serviceAccountName"] = account.clone();
        spec["serviceAccount"] = account;
    }
    fill(
        spec,
        json!({
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        }),
    );
    for list in CONTAINERS {
        items(spec, list).for_each(container);
    }
    items(spec, "volumes").for_each(volume);
    if let Some(overhead) = spec.get_mut("overhead") {
        round(overhead);
    }
    if let Some(resources) = spec.get_mut("resources") {
        requirements(resources);
    }
}

fn container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default();
    let pull = json!(pull_policy(image));
    fill(
        container,
        json!({
            "imagePullPolicy": pull,
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }),
    );
    if let Some(resources) = container.get_mut("resources") {
        requirements(resources);
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(name) {
            fill(
                probe,
                json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}),
            );
            action(probe);
        }
    }
    for name in ["postStart", "preStop"] {
        if let Some(hook) = container.get_mut("lifecycle").and_then(|lifecycle| lifecycle.get_mut(name)) {
            action(hook);
        }
    }
    for variable in items(container, "env") {
        if let Some(from) = variable.get_mut("valueFrom") {
            reference(from);
        }
    }
}

/// What a probe or a hook does.
fn action(action: &mut Value) {
    if let Some(get) = action.get_mut("httpGet") {
        fill(get, json!({"path": "/", "scheme": "HTTP"}));
    }
    if let Some(call) = action.get_mut("grpc") {
        fill(call, json!({"service": ""}));
    }
}

/// Something of the pod itself that is told to its containers.
fn reference(from: &mut Value) {
    if let Some(field) = from.get_mut("fieldRef") {
        fill(field, json!({"apiVersion": "v1"}));
    }
    if let Some(resource) = from.get_mut("resourceFieldRef") {
        fill(resource, json!({"divisor": "0"}));
    }
}

fn volume(volume: &mut Value) {
    if volume.as_object().is_some_and(|fields| fields.keys().all(|name| name == "name")) {
        volume["emptyDir"] = json!({});
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = volume.get_mut(source) {
            fill(source, json!({"defaultMode": FILE_MODE}));
        }
    }
    if let Some(path) = volume.get_mut("hostPath") {
        fill(path, json!({"type": ""}));
    }
    if let Some(image) = volume.get_mut("image") {
        let pull = json!(pull_policy(image["reference"].as_str().unwrap_or_default()));
        fill(image, json!({"pullPolicy": pull}));
    }
    if let Some(claim) = volume.pointer_mut("/ephemeral/volumeClaimTemplate/spec") {
        fill_in_claim(claim);
    }
    if let Some(api) = volume.get_mut("downwardAPI") {
        items(api, "items").for_each(reference);
    }
    for source in volume.get_mut("projected").into_iter().flat_map(|projected| items(projected, "sources")) {
        if let Some(api) = source.get_mut("downwardAPI") {
            items(api, "items").for_each(reference);
        }
        if let Some(token) = source.get_mut("serviceAccountToken") {
            fill(token, json!({"expirationSeconds": 3600}));
        }
    }
}

/// What a claim to a volume wants, where pods or what makes them bring their claims along.
pub fn fill_in_claim(spec: &mut Value) {
    fill(spec, json!({"volumeMode": "Filesystem"}));
    if let Some(resources) = spec.get_mut("resources") {
        requirements(resources);
    }
}

fn requirements(resources: &mut Value) {
    for amounts in ["limits", "requests"] {
        if let Some(amounts) = resources.get_mut(amounts) {
            round(amounts);
        }
    }
}

/// What may change under its name is pulled each time.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        None if digest.is_none() && is_image(name) => "Always",
        _ => "IfNotPresent",
    }
}

/// True for what may name an image; of anything else it is not known whether it may change.
fn is_image(name: &str) -> bool {
    let inside = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter);
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" || host.contains(char::is_uppercase) => {
            (host, path)
        }
        _ => ("", name),
    };
    let edge = |letter: char| letter.is_ascii_alphanumeric();
    let part = |part: &str| part.starts_with(edge) && part.ends_with(edge) && part.chars().all(inside);
    !host.contains(char::is_whitespace) && path.split('/').all(part)
}
