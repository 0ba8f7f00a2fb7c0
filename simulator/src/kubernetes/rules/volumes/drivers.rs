//! What the drivers of storage say of themselves, and of nodes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, formed, not_negative, one_of, required},
        fill::fill,
        form,
        simple::{PLAIN, Simple},
    },
};

pub static DRIVERS: Simple = Simple {
    fill_in: fill_in_driver,
    check: check_driver,
    shows_deleted: true,
    replacing_needs_version: true,
    ..PLAIN
};

pub static NODES: Simple = Simple { check: check_node, shows_deleted: true, replacing_needs_version: true, ..PLAIN };

pub static ATTACHMENTS: Simple =
    Simple { check: check_attachment, shows_deleted: true, replacing_needs_version: true, ..PLAIN };

fn fill_in_driver(driver: &mut Value) {
    let spec = json!({
        "attachRequired": true, "podInfoOnMount": false, "storageCapacity": false, "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "volumeLifecycleModes": ["Persistent"], "requiresRepublish": false, "seLinuxMount": false,
    });
    fill(&mut driver["spec"], spec);
}

fn check_driver(driver: &Value) -> Vec<Cause> {
    let spec = Field::of(driver, "spec");
    let modes = spec.at("volumeLifecycleModes");
    let mut wrong: Vec<Cause> = modes
        .items()
        .filter_map(|mode| one_of(&Field { path: modes.path.clone(), ..mode }, &["Persistent", "Ephemeral"]))
        .collect();
    wrong.extend(one_of(&spec.at("fsGroupPolicy"), &["File", "None", "ReadWriteOnceWithFSType"]));
    let mut audiences = BTreeSet::new();
    for request in spec.at("tokenRequests").items() {
        let audience = request.at("audience");
        if !audiences.insert(audience.text()) {
            wrong.push(audience.duplicate());
        }
    }
    wrong
}

fn check_node(node: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for driver in Field::of(node, "spec.drivers").items() {
        let (name, id) = (driver.at("name"), driver.at("nodeID"));
        wrong.extend(required(&name, ""));
        wrong.extend(required(&id, ""));
        wrong.extend(not_negative(&driver.at("allocatable").at("count")));
        if !names.insert(name.text()) {
            wrong.push(name.duplicate());
        }
    }
    wrong
}

fn check_attachment(attachment: &Value) -> Vec<Cause> {
    let spec = Field::of(attachment, "spec");
    let source = spec.at("source");
    let mut wrong = Vec::from_iter(required(&spec.at("attacher"), ""));
    if source.at("persistentVolumeName").is_set() == source.at("inlineVolumeSpec").is_set() {
        wrong.push(source.required("must specify exactly one of inlineVolumeSpec and persistentVolumeName"));
    }
    wrong.extend(formed(&spec.at("nodeName"), form::subdomain));
    wrong
}
