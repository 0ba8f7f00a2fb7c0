//! Volumes: their names, sizes and encryption.

use serde_json::Value;

use super::{Findings, items, number, on, selectors, text};
use crate::configuration::{Configuration, Document, size};

/// The label of a partition has so many letters, of which two say what it is for.
const LONGEST_NAME: usize = 36 - 2;

const OF_THE_SYSTEM: [&str; 3] = ["STATE", "EPHEMERAL", "IMAGECACHE"];

pub fn check_system(volume: &Value, found: &mut Findings) {
    let name = text(&volume["name"]);
    if !OF_THE_SYSTEM.contains(&name) {
        return found.error("only [\"STATE\" \"EPHEMERAL\" \"IMAGECACHE\"] volumes are supported");
    }
    let mut wrong = Vec::new();
    if name == "STATE" {
        let provisioning = &volume["provisioning"];
        if ["grow", "minSize", "maxSize"].iter().any(|field| !provisioning[field].is_null())
            || !provisioning["diskSelector"]["match"].is_null()
        {
            wrong.push(format!("provisioning config is not allowed for the {name:?} volume"));
        }
        for _ in items(&volume["encryption"]["keys"]).iter().filter(|key| on(&key["lockToState"])) {
            wrong.push(format!("state-locked key is not allowed for the {name:?} volume"));
        }
    }
    provisioning(&volume["provisioning"], false, &mut wrong);
    encryption(&volume["encryption"], &mut wrong);
    tell(wrong, found);
}

/// A volume that people made: of user data, raw, or for swapping.
pub fn check_own(volume: &Value, found: &mut Findings) {
    let mut wrong = Vec::new();
    named(volume, &mut wrong);
    let name = text(&volume["name"]);
    if !(1..=LONGEST_NAME).contains(&name.len()) {
        wrong.push(format!("name must be between 1 and {LONGEST_NAME} characters long"));
    }
    letters(name, &mut wrong);
    provisioning(&volume["provisioning"], true, &mut wrong);
    filesystem(&volume["filesystem"], &mut wrong);
    encryption(&volume["encryption"], &mut wrong);
    tell(wrong, found);
}

pub fn check_existing(volume: &Value, found: &mut Findings) {
    let mut wrong = Vec::new();
    named(volume, &mut wrong);
    letters(text(&volume["name"]), &mut wrong);
    match text(&volume["discovery"]["volumeSelector"]["match"]) {
        "" => wrong.push("volume selector is required".to_owned()),
        selector => {
            let why = selectors::check_of_volumes(selector).err();
            wrong.extend(why.map(|why| format!("volume selector is invalid: {why}")));
        }
    }
    tell(wrong, found);
}

/// The encryption of a volume is said in one place.
pub fn check_once(configuration: &Configuration, found: &mut Findings) {
    let Some(original) = configuration.original() else { return };
    let original = original.fields.get("machine").unwrap_or(&Value::Null);
    for (part, label) in [("state", "STATE"), ("ephemeral", "EPHEMERAL")] {
        let here = |document: &&Document| {
            document.kind.kind == "VolumeConfig" && document.fields.get("name").is_some_and(|name| name == label)
        };
        let document = configuration.documents().iter().find(here);
        let encrypted = |document: &Document| {
            let encryption = document.fields.get("encryption").unwrap_or(&Value::Null);
            !["", "none"].contains(&text(&encryption["provider"]))
        };
        if !original["systemDiskEncryption"][part].is_null() && document.is_some_and(encrypted) {
            found.error(format!(
                "system disk encryption for {label:?} is configured in both v1alpha1.Config and VolumeConfig"
            ));
        }
    }
}

/// What is wrong with one volume is one message of several lines.
fn tell(wrong: Vec<String>, found: &mut Findings) {
    if !wrong.is_empty() {
        found.error(wrong.join("\n"));
    }
}

fn named(volume: &Value, wrong: &mut Vec<String>) {
    if text(&volume["name"]).is_empty() {
        wrong.push("name is required".to_owned());
    }
}

fn letters(name: &str, wrong: &mut Vec<String>) {
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        wrong.push("name can only contain lowercase and uppercase ASCII letters, digits, and hyphens".to_owned());
    }
}

fn provisioning(provisioning: &Value, required: bool, wrong: &mut Vec<String>) {
    match text(&provisioning["diskSelector"]["match"]) {
        "" if required => wrong.push("disk selector is required".to_owned()),
        "" => {}
        selector => {
            let why = selectors::check_of_disks(selector).err();
            wrong.extend(why.map(|why| format!("disk selector is invalid: {why}")));
        }
    }
    let bytes = |field: &str| provisioning[field].as_str().and_then(|text| size(text).ok());
    match (bytes("minSize"), bytes("maxSize")) {
        (Some(least), Some(most)) if least > most => wrong.push("min size is greater than max size".to_owned()),
        (None, None) if required => wrong.push("min size or max size is required".to_owned()),
        _ => {}
    }
}

fn filesystem(filesystem: &Value, wrong: &mut Vec<String>) {
    match text(&filesystem["type"]) {
        "" | "none" | "xfs" => {}
        "ext4" if !on(&filesystem["projectQuotaSupport"]) => {}
        "ext4" => wrong.push("project quota support is only available for xfs filesystem".to_owned()),
        other => wrong.push(format!("unsupported filesystem type: {other}")),
    }
}

fn encryption(encryption: &Value, wrong: &mut Vec<String>) {
    let (provider, keys) = (text(&encryption["provider"]), items(&encryption["keys"]));
    if provider != "luks2" {
        if keys.is_empty() {
            return;
        }
        wrong.push("unsupported encryption provider: none".to_owned());
    }
    if keys.is_empty() {
        wrong.push("encryption keys are required".to_owned());
    }
    for (index, key) in keys.iter().enumerate() {
        let slot = number(&key["slot"]);
        if keys[..index].iter().any(|other| number(&other["slot"]) == slot) {
            wrong.push(format!("duplicate key slot {slot}"));
        }
        if ["static", "nodeID", "kms", "tpm"].iter().all(|kind| key[kind].is_null()) {
            wrong.push(format!("at least one encryption key type must be specified for slot {slot}"));
        }
    }
}
