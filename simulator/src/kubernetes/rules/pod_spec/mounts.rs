//! Where containers have their volumes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::volumes::{Volumes, descending, no_way_up};
use crate::kubernetes::{
    answer::Cause,
    rules::field::{Field, one_of, required},
};

pub fn mounts(container: &Field<'_>, volumes: &Volumes<'_>) -> Vec<Cause> {
    let (mounts, devices) = (container.at("volumeMounts"), container.at("volumeDevices"));
    let mut wrong = Vec::new();
    let mut paths = BTreeSet::new();
    for mount in mounts.items() {
        let (name, path) = (mount.at("name"), mount.at("mountPath"));
        wrong.extend(required(&name, ""));
        if !volumes.contains_key(name.text()) {
            wrong.push(name.not_found());
        }
        wrong.extend(required(&path, ""));
        if !paths.insert(path.text()) {
            wrong.push(path.invalid("must be unique"));
        }
        if devices.items().any(|device| device.at("name").text() == name.text()) {
            wrong.push(name.invalid("must not already exist in volumeDevices"));
        }
        if devices.items().any(|device| device.at("devicePath").text() == path.text()) {
            wrong.push(path.invalid("must not already exist as a path in volumeDevices"));
        }
        let (below, computed) = (mount.at("subPath"), mount.at("subPathExpr"));
        // Here the server names the list, not the item.
        wrong.extend(descending(&mounts.at("subPath").with(below.value)));
        if !computed.is_empty() {
            if !below.is_empty() {
                wrong.push(computed.invalid("subPathExpr and subPath are mutually exclusive"));
            }
            wrong.extend(descending(&mounts.at("subPathExpr").with(computed.value)));
        }
        wrong.extend(propagation(&mounts.at("mountPropagation").with(mount.at("mountPropagation").value), container));
        wrong.extend(recursive(&mounts.at("recursiveReadOnly").with(mount.at("recursiveReadOnly").value), &mount));
    }
    wrong
}

fn propagation(propagation: &Field<'_>, container: &Field<'_>) -> Vec<Cause> {
    let mut wrong: Vec<Cause> =
        one_of(propagation, &["Bidirectional", "HostToContainer", "None"]).into_iter().collect();
    if propagation.text() == "Bidirectional" && !container.at("securityContext").at("privileged").is_true() {
        wrong.push(propagation.forbidden("Bidirectional mount propagation is available only to privileged containers"));
    }
    wrong
}

fn recursive(recursive: &Field<'_>, mount: &Field<'_>) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = one_of(recursive, &["Disabled", "Enabled", "IfPossible"]).into_iter().collect();
    if matches!(recursive.text(), "Enabled" | "IfPossible") {
        if !mount.at("readOnly").is_true() {
            wrong.push(recursive.forbidden("may only be specified when readOnly is true"));
        }
        if !matches!(mount.at("mountPropagation").text(), "" | "None") {
            wrong.push(recursive.forbidden("may only be specified when mountPropagation is None or not specified"));
        }
    }
    wrong
}

/// Volumes that a container has as devices.
pub fn devices(container: &Field<'_>, volumes: &Volumes<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    let mounts = container.at("volumeMounts");
    for device in container.at("volumeDevices").items() {
        let (name, path) = (device.at("name"), device.at("devicePath"));
        let claimed =
            |volume: &&Value| volume.get("persistentVolumeClaim").or_else(|| volume.get("ephemeral")).is_some();
        wrong.extend(required(&name, ""));
        if names.contains(name.text()) {
            wrong.push(name.invalid("must be unique"));
        }
        match volumes.get(name.text()) {
            None => wrong.push(name.not_found()),
            Some(volume) if !claimed(volume) => wrong.push(
                name.invalid("can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"),
            ),
            Some(_) => {}
        }
        wrong.extend(required(&path, ""));
        if paths.contains(path.text()) {
            wrong.push(path.invalid("must be unique"));
        }
        match no_way_up(&path) {
            Some(_) => wrong.push(path.invalid("can not contain backsteps ('..')")),
            None => drop(paths.insert(path.text())),
        }
        if mounts.items().any(|mount| mount.at("name").text() == name.text()) {
            wrong.push(name.invalid("must not already exist in volumeMounts"));
        }
        if mounts.items().any(|mount| mount.at("mountPath").text() == path.text()) {
            wrong.push(path.invalid("must not already exist as a path in volumeMounts"));
        }
        names.insert(name.text());
    }
    wrong
}
