//! What a world's file keeps of a real cluster: what somebody put there, without what the cluster made of it, and without
//! what must not be known.

use serde_json::{Map, Value, json};

/// What stands in place of whatever must not be known.
const LEFT_OUT: &str = "left out";

/// The kinds that are looked for; of each, what belongs to something else comes back by itself.
pub const KINDS: [&str; 24] = [
    "namespaces",
    "storageclasses",
    "ingressclasses",
    "priorityclasses",
    "resourcequotas",
    "limitranges",
    "serviceaccounts",
    "roles",
    "rolebindings",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "services",
    "networkpolicies",
    "poddisruptionbudgets",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "jobs",
    "cronjobs",
    "pods",
    "ingresses",
    "horizontalpodautoscalers",
];

/// Labels that every node has.
const LABELS: [&str; 5] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
];

/// Labels by which a Job knows its pods, made by the cluster.
const LABELS_OF_JOBS: [&str; 4] =
    ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];

/// A node as a world's file has it, with its name.
pub fn node(node: &Value) -> (String, Value) {
    let mut kept = Map::new();
    let labels = node["metadata"]["labels"].as_object().into_iter().flatten();
    let labels: Map<String, Value> = labels
        .filter(|(name, _)| !LABELS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !labels.is_empty() {
        kept.insert("labels".to_owned(), Value::Object(labels));
    }
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    // What the state of a node has put on it comes with that state.
    let taints = taints.filter(|taint| !text(taint, "key").starts_with("node.kubernetes.io/"));
    let taints: Vec<String> = taints
        .map(|taint| match text(taint, "value") {
            "" => format!("{}:{}", text(taint, "key"), text(taint, "effect")),
            value => format!("{}={value}:{}", text(taint, "key"), text(taint, "effect")),
        })
        .collect();
    if !taints.is_empty() {
        kept.insert("taints".to_owned(), json!(taints));
    }
    for room in ["cpu", "memory"] {
        if let Some(amount) = node["status"]["allocatable"][room].as_str() {
            kept.insert(room.to_owned(), json!(amount));
        }
    }
    (text(&node["metadata"], "name").to_owned(), Value::Object(kept))
}

/// What is kept of an object; nothing of one that comes by itself.
pub fn object(mut object: Value) -> Option<Value> {
    if comes_by_itself(&object) {
        return None;
    }
    forget(&mut object, "", &["status"]);
    bare(&mut object["metadata"]);
    let kind = text(&object, "kind").to_owned();
    match kind.as_str() {
        "Namespace" => forget(&mut object, "", &["spec"]),
        "Secret" => closed(&mut object),
        "ServiceAccount" => forget(&mut object, "", &["secrets"]),
        "CustomResourceDefinition" => forget(&mut object, "/spec", &["conversion"]),
        "PersistentVolumeClaim" => forget(&mut object, "/spec", &["volumeName"]),
        "Pod" => forget(&mut object, "/spec", &["nodeName"]),
        "Service" => {
            forget(&mut object, "/spec", &["healthCheckNodePort"]);
            if object.pointer("/spec/clusterIP").is_some_and(|address| address != "None") {
                forget(&mut object, "/spec", &["clusterIP", "clusterIPs"]);
            }
        }
        "Job" if object.pointer("/spec/manualSelector") != Some(&json!(true)) => {
            forget(&mut object, "/spec", &["selector"]);
            forget(&mut object, "/spec/template/metadata/labels", &LABELS_OF_JOBS);
        }
        _ => {}
    }
    if kind != "CustomResourceDefinition" {
        hide(&mut object);
    }
    Some(object)
}

/// Takes fields away from the part of an object at that place.
fn forget(object: &mut Value, pointer: &str, names: &[&str]) {
    if let Some(Value::Object(fields)) = object.pointer_mut(pointer) {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// True for what another object or the cluster itself makes again.
fn comes_by_itself(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let name = text(metadata, "name");
    let owned = metadata["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty());
    let made = match text(object, "kind") {
        "Namespace" => name == "default" || name.starts_with("kube-"),
        "PriorityClass" => name.starts_with("system-"),
        "ConfigMap" => name == "kube-root-ca.crt",
        "ServiceAccount" => name == "default",
        "Service" => name == "kubernetes" && text(metadata, "namespace") == "default",
        "Secret" => text(object, "type") == "kubernetes.io/service-account-token",
        _ => false,
    };
    owned || made || metadata.get("deletionTimestamp").is_some()
}

/// Keeps only what somebody chose of an object's metadata.
fn bare(metadata: &mut Value) {
    const BY_CONTROLLERS: [&str; 5] = [
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "metallb.io/ip-allocated-from-pool",
    ];
    let Some(fields) = metadata.as_object_mut() else { return };
    fields.retain(|name, _| ["name", "namespace", "labels", "annotations"].contains(&name.as_str()));
    for (part, unwanted) in [("annotations", &BY_CONTROLLERS[..]), ("labels", &["kubernetes.io/metadata.name"])] {
        let Some(kept) = fields.get_mut(part).and_then(Value::as_object_mut) else { continue };
        kept.retain(|name, _| !unwanted.contains(&name.as_str()));
        if kept.is_empty() {
            fields.shift_remove(part);
        }
    }
}

/// A Secret with its keys, and nothing in them.
fn closed(secret: &mut Value) {
    let keys = secret["data"].as_object().into_iter().flatten().map(|(key, _)| {
        // A pull secret has to be of its form, whatever is in it.
        let value = if key == ".dockerconfigjson" { r#"{"auths":{}}"# } else { LEFT_OUT };
        (key.clone(), json!(value))
    });
    let keys: Map<String, Value> = keys.collect();
    if let Some(fields) = secret.as_object_mut() {
        fields.shift_remove("data");
        fields.shift_remove("immutable");
        fields.insert("stringData".to_owned(), Value::Object(keys));
    }
}

/// Takes out what looks as if nobody should know it: keys and certificates, tokens, and whatever a telling name has.
fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // An environment variable has its name beside it.
            let named = fields.get("name").and_then(Value::as_str).is_some_and(is_telling);
            for (name, value) in fields.iter_mut() {
                match value {
                    Value::String(text) if is_telling(name) || (named && name == "value") => LEFT_OUT.clone_into(text),
                    other => hide(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::String(text) if is_secret(text) => LEFT_OUT.clone_into(text),
        _ => {}
    }
}

/// True for a name of what nobody should know, and not of where it is.
fn is_telling(name: &str) -> bool {
    let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let tells = ["password", "passwd", "token", "secret", "apikey", "privatekey", "credential"];
    let points = ["name", "ref", "key", "path", "file", "type", "class", "policy"];
    let is_key = ["apikey", "privatekey", "accesskey", "secretkey"].iter().any(|word| plain.ends_with(word));
    tells.iter().any(|word| plain.contains(word)) && (is_key || !points.iter().any(|word| plain.ends_with(word)))
}

/// True for PEM, also in base64, and for tokens in the form of JWT.
fn is_secret(text: &str) -> bool {
    let is_token = text.starts_with("eyJ") && text.matches('.').count() == 2 && !text.contains(' ');
    text.contains("-----BEGIN ") || text.contains("LS0tLS1CRUdJTi") || is_token
}

/// The file of a world with one cluster.
pub fn world(context: &str, nodes: Vec<(String, Value)>, objects: Vec<Value>) -> Value {
    let nodes: Map<String, Value> = nodes.into_iter().collect();
    json!({"clusters": {context: {"context": context, "nodes": nodes, "objects": objects}}})
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}
