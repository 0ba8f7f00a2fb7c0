//! Volumes of the cluster.

use serde_json::{Value, json};

use super::ACCESS;
use crate::kubernetes::{
    answer::Cause,
    cluster::Cluster,
    rules::{
        Rules,
        field::{Field, formed, one_of, required, unchanged},
        fill::{default, keep},
        form, resources,
    },
};

pub struct Volumes;

pub static VOLUMES: Volumes = Volumes;

/// What keeps a volume from vanishing while a claim has it.
const PROTECTION: &str = "kubernetes.io/pv-protection";

/// The sources that a volume may have, in the order in which the real server looks at them, with the fields that each needs.
const SOURCES: [(&str, &[&str]); 21] = [
    ("hostPath", &["path"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("glusterfs", &["endpoints", "path"]),
    ("nfs", &["server", "path"]),
    ("flocker", &[]),
    ("rbd", &["monitors", "image"]),
    ("cephfs", &["monitors"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("cinder", &["volumeID"]),
    ("fc", &[]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("quobyte", &["registry", "volume"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("local", &["path"]),
    ("csi", &["driver", "volumeHandle"]),
];

impl Rules for Volumes {
    fn fill_in(&self, volume: &mut Value) {
        let spec = &mut volume["spec"];
        default(spec, "persistentVolumeReclaimPolicy", "Retain");
        default(spec, "volumeMode", "Filesystem");
        if let Some(path) = spec.get_mut("hostPath") {
            default(path, "type", "");
        }
        spec.get_mut("capacity").into_iter().for_each(resources::round);
    }

    fn prepare_new(&self, volume: &mut Value, cluster: &Cluster) {
        volume["status"] = json!({"phase": "Pending", "lastPhaseTransitionTime": cluster.now()});
        let finalizers = &mut volume["metadata"]["finalizers"];
        match finalizers.as_array_mut() {
            Some(finalizers) if finalizers.iter().any(|known| known == PROTECTION) => {}
            Some(finalizers) => finalizers.push(json!(PROTECTION)),
            None => *finalizers = json!([PROTECTION]),
        }
    }

    fn prepare_part(&self, _part: &str, volume: &mut Value, there: &Value, cluster: &Cluster) {
        if volume["status"]["phase"] != there["status"]["phase"] {
            volume["status"]["lastPhaseTransitionTime"] = json!(cluster.now());
        } else {
            keep(&mut volume["status"], "lastPhaseTransitionTime", &there["status"]);
        }
    }

    fn check(&self, volume: &Value) -> Vec<Cause> {
        let spec = Field::of(volume, "spec");
        let modes = spec.at("accessModes");
        let mut wrong = Vec::from_iter(required(&modes, ""));
        for mode in modes.items() {
            wrong.extend(one_of(&Field { path: modes.path.clone(), ..mode }, &ACCESS));
        }
        let alone = |mode: &Field<'_>| mode.text() == "ReadWriteOncePod";
        if modes.items().any(|mode| alone(&mode)) && modes.items().any(|mode| !alone(&mode)) {
            wrong.push(modes.forbidden("may not use ReadWriteOncePod with other access modes"));
        }
        wrong.extend(capacity(&spec.at("capacity")));
        wrong.extend(source(&spec));
        let policy = spec.at("persistentVolumeReclaimPolicy");
        wrong.extend(one_of(&policy, &["Delete", "Recycle", "Retain"]));
        if policy.text() == "Recycle" && spec.at("hostPath").at("path").text() == "/" {
            wrong.push(policy.forbidden("may not be 'recycle' for a hostPath mount of '/'"));
        }
        let class = spec.at("storageClassName");
        if !class.is_empty() {
            wrong.extend(formed(&class, form::subdomain));
        }
        wrong.extend(one_of(&spec.at("volumeMode"), &["Block", "Filesystem"]));
        wrong
    }

    fn check_change(&self, volume: &Value, there: &Value) -> Vec<Cause> {
        let mut wrong = Vec::new();
        let sources = |volume: &Value| -> Vec<Value> {
            SOURCES.iter().map(|(name, _)| volume["spec"].get(name).cloned().unwrap_or_default()).collect()
        };
        if sources(volume) != sources(there) {
            let why = "spec.persistentvolumesource is immutable after creation";
            wrong.push(Cause::forbidden("spec.persistentvolumesource", why));
        }
        wrong.extend(unchanged(&Field::of(volume, "spec.volumeMode"), &Field::of(there, "spec.volumeMode")));
        wrong
    }

    fn shows_deleted(&self) -> bool {
        true
    }
}

fn capacity(capacity: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::from_iter(required(capacity, ""));
    let amounts = capacity.value.as_object();
    if amounts.is_none_or(|amounts| amounts.len() != 1 || !amounts.contains_key("storage")) {
        let found = amounts.map_or_else(
            || json!({}),
            |amounts| {
                let mut sorted: Vec<_> = amounts.clone().into_iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(sorted.into_iter().collect())
            },
        );
        wrong.push(Cause::unsupported(&capacity.path, &found, &["storage"]));
    }
    for (name, amount) in capacity.entries() {
        match resources::check_positive(&amount) {
            Some(cause) => wrong.push(cause),
            None => wrong.extend(resources::check_value(name, &amount)),
        }
    }
    wrong
}

fn source(spec: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut found = false;
    for (name, needed) in SOURCES {
        let source = spec.at(name);
        if !source.is_set() {
            continue;
        }
        if found {
            wrong.push(source.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        found = true;
        let missing = needed.iter().filter_map(|field| required(&source.at(field), ""));
        wrong.extend(missing);
        let path = source.at("path");
        if path.text().split('/').any(|part| part == "..") {
            wrong.push(path.invalid("must not contain '..'"));
        }
        if name == "nfs" && !path.is_empty() && !path.text().starts_with('/') {
            wrong.push(path.invalid("must be an absolute path"));
        }
        if name == "local" && !spec.at("nodeAffinity").is_set() {
            wrong.push(spec.at("nodeAffinity").required("Local volume requires node affinity"));
        }
    }
    if !found {
        wrong.push(spec.required("must specify a volume type"));
    }
    wrong
}
