//! Volumes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::environment;
use crate::kubernetes::{
    answer::Cause,
    quantity::Quantity,
    rules::{
        field::{Check, Field, formed, label_selector, one_of, required},
        form,
    },
};

/// The volumes that are there to be mounted, by name.
pub type Volumes<'v> = BTreeMap<&'v str, &'v Value>;

/// The kinds of volumes, in the order in which they are gone through.
const SOURCES: [(&str, Check); 30] = [
    ("emptyDir", empty_dir),
    ("hostPath", host_path),
    ("gitRepo", |source| required(&source.at("repository"), "").into_iter().collect()),
    ("gcePersistentDisk", |source| needs(source, &["pdName"])),
    ("awsElasticBlockStore", |source| needs(source, &["volumeID"])),
    ("secret", secret),
    ("nfs", nfs),
    ("iscsi", |source| needs(source, &["targetPortal", "iqn"])),
    ("glusterfs", |source| needs(source, &["endpoints", "path"])),
    ("flocker", |_| Vec::new()),
    ("persistentVolumeClaim", |source| needs(source, &["claimName"])),
    ("rbd", |source| needs(source, &["monitors", "image"])),
    ("cinder", |source| needs(source, &["volumeID"])),
    ("cephfs", |source| needs(source, &["monitors"])),
    ("quobyte", |source| needs(source, &["registry", "volume"])),
    ("downwardAPI", downward_api),
    ("fc", |_| Vec::new()),
    ("flexVolume", |source| needs(source, &["driver"])),
    ("configMap", config_map),
    ("azureFile", |source| needs(source, &["secretName", "shareName"])),
    ("vsphereVolume", |source| needs(source, &["volumePath"])),
    ("photonPersistentDisk", |source| needs(source, &["pdID"])),
    ("portworxVolume", |source| needs(source, &["volumeID"])),
    ("azureDisk", |source| needs(source, &["diskName", "diskURI"])),
    ("storageos", |_| Vec::new()),
    ("projected", projected),
    ("scaleIO", |source| needs(source, &["gateway", "system", "volumeName"])),
    ("csi", csi),
    ("ephemeral", ephemeral),
    ("image", |source| one_of(&source.at("pullPolicy"), &["Always", "IfNotPresent", "Never"]).into_iter().collect()),
];

pub fn check<'v>(volumes: &Field<'v>, pod: Option<&str>) -> (Vec<Cause>, Volumes<'v>) {
    let mut wrong = Vec::new();
    let mut known = Volumes::new();
    let brought: Vec<String> = volumes
        .items()
        .filter(|volume| volume.at("ephemeral").is_set())
        .filter_map(|volume| Some(format!("{}-{}", pod?, volume.at("name").text())))
        .collect();
    for volume in volumes.items() {
        let name = volume.at("name");
        let mut found = source(&volume, pod);
        if name.is_empty() {
            found.push(name.required(""));
        } else {
            found.extend(formed(&name, form::label));
        }
        if known.contains_key(name.text()) {
            found.push(name.duplicate());
        }
        if found.is_empty() {
            known.insert(name.text(), volume.value);
        }
        wrong.extend(found);
        let claim = volume.at("persistentVolumeClaim").at("claimName");
        if brought.iter().any(|brought| brought == claim.text()) {
            wrong.push(claim.invalid("must not reference a PVC that gets created for an ephemeral volume"));
        }
    }
    (wrong, known)
}

fn source(volume: &Field<'_>, pod: Option<&str>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut sources = 0;
    for (name, check) in SOURCES {
        let source = volume.at(name);
        if !source.is_set() {
            continue;
        }
        sources += 1;
        if sources > 1 {
            wrong.push(source.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        wrong.extend(check(&source));
        if name == "image" && pod.is_some() {
            wrong.extend(required(&source.at("reference"), ""));
        }
    }
    if sources == 0 {
        wrong.push(volume.required("must specify a volume type"));
    }
    wrong
}

fn needs(source: &Field<'_>, fields: &[&str]) -> Vec<Cause> {
    fields.iter().filter_map(|name| required(&source.at(name), "")).collect()
}

fn empty_dir(source: &Field<'_>) -> Vec<Cause> {
    let limit = source.at("sizeLimit");
    let negative = Quantity::read(limit.value).is_ok_and(Quantity::is_negative);
    negative.then(|| limit.forbidden("SizeLimit field must be a valid resource quantity")).into_iter().collect()
}

fn host_path(source: &Field<'_>) -> Vec<Cause> {
    let mut wrong = needs(source, &["path"]);
    wrong.extend(no_way_up(&source.at("path")));
    let kinds = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    wrong.extend(one_of(&source.at("type"), &kinds));
    wrong
}

fn nfs(source: &Field<'_>) -> Vec<Cause> {
    let mut wrong = needs(source, &["server", "path"]);
    let path = source.at("path");
    if !path.text().starts_with('/') {
        wrong.push(path.invalid("must be an absolute path"));
    }
    wrong
}

fn secret(source: &Field<'_>) -> Vec<Cause> {
    let mut wrong = needs(source, &["secretName"]);
    wrong.extend(mode(&source.at("defaultMode")));
    wrong.extend(source.at("items").items().flat_map(|item| key_to_path(&item)));
    wrong
}

fn config_map(source: &Field<'_>) -> Vec<Cause> {
    let mut wrong = needs(source, &["name"]);
    wrong.extend(mode(&source.at("defaultMode")));
    wrong.extend(source.at("items").items().flat_map(|item| key_to_path(&item)));
    wrong
}

fn key_to_path(item: &Field<'_>) -> Vec<Cause> {
    let mut wrong = needs(item, &["key", "path"]);
    wrong.extend(own_path(&item.at("path")));
    wrong.extend(mode(&item.at("mode")));
    wrong
}

fn mode(mode: &Field<'_>) -> Option<Cause> {
    let outside = mode.number().is_some_and(|number| !(0..=0o777).contains(&number));
    outside.then(|| mode.invalid("must be a number between 0 and 0777 (octal), both inclusive"))
}

fn downward_api(source: &Field<'_>) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = mode(&source.at("defaultMode")).into_iter().collect();
    // The server names the volume here, not the file.
    wrong.extend(source.at("items").items().flat_map(|file| downward_file(&source.with(file.value))));
    wrong
}

fn downward_file(file: &Field<'_>) -> Vec<Cause> {
    let mut wrong = needs(file, &["path"]);
    wrong.extend(own_path(&file.at("path")));
    let (own, resource) = (file.at("fieldRef"), file.at("resourceFieldRef"));
    if own.is_set() {
        let known = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
        wrong.extend(environment::own_field(&own, &known));
        if resource.is_set() {
            let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
            wrong.push(Cause::invalid(&file.path, &Value::from("resource"), why));
        }
    } else if resource.is_set() {
        wrong.extend(environment::resource_field(&resource, true));
    } else {
        wrong.push(file.required("one of fieldRef and resourceFieldRef is required"));
    }
    wrong.extend(mode(&file.at("mode")));
    wrong
}

fn projected(source: &Field<'_>) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = mode(&source.at("defaultMode")).into_iter().collect();
    let mut paths = BTreeSet::new();
    for part in source.at("sources").items() {
        let mut parts = 0;
        for name in ["secret", "configMap"] {
            let object = part.at(name);
            if object.is_set() {
                parts += 1;
                wrong.extend(needs(&object, &["name"]));
                for item in object.at("items").items() {
                    wrong.extend(key_to_path(&item));
                    let path = item.at("path");
                    if !path.is_empty() && !paths.insert(path.text()) {
                        let name = object.at("name");
                        wrong.push(Cause::invalid(&source.path, name.value, "conflicting duplicate paths"));
                    }
                }
            }
        }
        let api = part.at("downwardAPI");
        if api.is_set() {
            parts += 1;
            for file in api.at("items").items() {
                wrong.extend(downward_file(&api.with(file.value)));
                let path = file.at("path");
                if !path.is_empty() && !paths.insert(path.text()) {
                    wrong.push(Cause::invalid(&source.path, path.value, "conflicting duplicate paths"));
                }
            }
        }
        let token = part.at("serviceAccountToken");
        if token.is_set() {
            parts += 1;
            wrong.extend(service_account_token(source, &token));
        }
        parts += ["clusterTrustBundle", "podCertificate"].iter().filter(|name| part.at(name).is_set()).count();
        if parts > 1 {
            wrong.push(part.forbidden("may not specify more than 1 volume type per source"));
        }
    }
    wrong
}

fn service_account_token(source: &Field<'_>, token: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let lasts = token.at("expirationSeconds");
    let seconds = lasts.number().unwrap_or_default();
    if seconds < 600 {
        wrong.push(lasts.invalid("may not specify a duration less than 10 minutes"));
    }
    if seconds > 1 << 32 {
        wrong.push(lasts.invalid("may not specify a duration larger than 2^32 seconds"));
    }
    let path = source.at("path").with(token.at("path").value);
    match required(&path, "") {
        Some(missing) => wrong.push(missing),
        None => wrong.extend(own_path(&path)),
    }
    wrong
}

fn csi(source: &Field<'_>) -> Vec<Cause> {
    let driver = source.at("driver");
    let mut wrong: Vec<Cause> = required(&driver, "").into_iter().collect();
    if wrong.is_empty() {
        wrong.extend(formed(&driver, form::lowered_subdomain));
    }
    let secret = source.at("nodePublishSecretRef");
    if secret.is_set() {
        wrong.extend(required(&secret.at("name"), ""));
    }
    wrong
}

fn ephemeral(source: &Field<'_>) -> Vec<Cause> {
    let template = source.at("volumeClaimTemplate");
    if !template.is_set() {
        return vec![template.required("")];
    }
    claim(&template.at("spec"))
}

/// What is wrong with a claim that pods or their makers bring along.
pub fn claim(spec: &Field<'_>) -> Vec<Cause> {
    const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    let modes = spec.at("accessModes");
    let mut wrong: Vec<Cause> = required(&modes, "at least 1 access mode is required").into_iter().collect();
    wrong.extend(label_selector(&spec.at("selector")));
    let given: Vec<Field<'_>> = modes.items().collect();
    wrong.extend(given.iter().filter_map(|mode| one_of(&modes.with(mode.value), &MODES)));
    let alone = given.iter().filter(|mode| mode.text() == "ReadWriteOncePod").count();
    if alone > 0 && alone < given.len() {
        wrong.push(modes.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
    let storage = spec.at("resources").key("storage").with(spec.at("resources").at("requests").at("storage").value);
    match Quantity::read(storage.value) {
        Err(_) => wrong.push(storage.required("")),
        Ok(amount) if amount <= Quantity::ZERO => wrong.push(storage.invalid("must be greater than zero")),
        Ok(amount) if !amount.is_whole() => wrong.push(storage.invalid("must be an integer")),
        Ok(_) => {}
    }
    let class = spec.at("storageClassName");
    if !class.is_empty() {
        wrong.extend(formed(&class, form::subdomain));
    }
    wrong.extend(one_of(&spec.at("volumeMode"), &["Block", "Filesystem"]));
    wrong
}

/// A path that leads somewhere below, and not by a reserved name.
fn own_path(path: &Field<'_>) -> Vec<Cause> {
    let mut wrong = descending(path);
    if path.text().starts_with("..") && !path.text().starts_with("../") {
        wrong.push(path.invalid("must not start with '..'"));
    }
    wrong
}

pub fn descending(path: &Field<'_>) -> Vec<Cause> {
    let absolute = path.text().starts_with('/').then(|| path.invalid("must be a relative path"));
    absolute.into_iter().chain(no_way_up(path)).collect()
}

pub fn no_way_up(path: &Field<'_>) -> Option<Cause> {
    path.text().split('/').any(|part| part == "..").then(|| path.invalid("must not contain '..'"))
}
