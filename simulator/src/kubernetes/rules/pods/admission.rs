//! What is given to every new pod on its way in: an account with its token, a priority, and patience with nodes.

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Refusal,
    cluster::Cluster,
    rules::fill::{fill, items},
    store::Key,
};

const TOKEN: &str = "kube-api-access-";
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Until then a pod stays on a node that is not well.
const PATIENCE: u32 = 300;

/// # Errors
/// If the pod names a class that is not there, or contradicts it.
pub fn admit(pod: &mut Value, given: &Value, cluster: &Cluster) -> Result<(), Refusal> {
    let (priority, preemption) = priority(pod, given, cluster)?;
    let mirrored = pod["metadata"]["annotations"].get("kubernetes.io/config.mirror").is_some();
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    let spec = &mut pod["spec"];
    if !mirrored {
        give_account(spec, &namespace, cluster);
    }
    spec["priority"] = json!(priority);
    fill(spec, json!({"preemptionPolicy": preemption}));
    give_patience(spec);
    Ok(())
}

fn stored(cluster: &Cluster, resource: &str, namespace: &str, name: &str) -> Option<std::sync::Arc<Value>> {
    cluster.store.get(&Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() })
}

fn give_account(spec: &mut Value, namespace: &str, cluster: &Cluster) {
    fill(spec, json!({"serviceAccountName": "default"}));
    spec["serviceAccount"] = spec["serviceAccountName"].clone();
    let name = spec["serviceAccountName"].as_str().unwrap_or_default();
    let account = stored(cluster, "serviceaccounts", namespace, name);
    let account = account.as_deref().unwrap_or(&Value::Null);
    let automatic = spec.get("automountServiceAccountToken").or_else(|| account.get("automountServiceAccountToken"));
    if automatic != Some(&Value::Bool(false)) {
        mount_token(spec, cluster);
    }
    if spec["imagePullSecrets"].is_null() && account["imagePullSecrets"].is_array() {
        spec["imagePullSecrets"] = account["imagePullSecrets"].clone();
    }
}

fn mount_token(spec: &mut Value, cluster: &Cluster) {
    let volumes = spec["volumes"].as_array().into_iter().flatten();
    let given =
        volumes.filter_map(|volume| volume["name"].as_str()).find(|name| name.starts_with(TOKEN)).map(str::to_owned);
    let name = given.clone().unwrap_or_else(|| format!("{TOKEN}{}", cluster.suffix()));
    let mut needed = false;
    for list in ["initContainers", "containers"] {
        for container in items(spec, list) {
            let mut mounts = container["volumeMounts"].as_array().into_iter().flatten();
            if !mounts.any(|mount| mount["mountPath"] == TOKEN_PATH) {
                push(container, "volumeMounts", json!({"name": name, "readOnly": true, "mountPath": TOKEN_PATH}));
                needed = true;
            }
        }
    }
    if needed && given.is_none() {
        let sources = json!([
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
            ]}},
        ]);
        push(spec, "volumes", json!({"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}));
    }
}

fn push(value: &mut Value, list: &str, item: Value) {
    fill(value, json!({list: []}));
    if let Some(list) = value[list].as_array_mut() {
        list.push(item);
    }
}

fn priority(pod: &mut Value, given: &Value, cluster: &Cluster) -> Result<(i64, String), Refusal> {
    // It has no name yet that is to be generated.
    let text = |field: &str| given["metadata"][field].as_str().filter(|text| !text.is_empty());
    let name = text("name").or_else(|| text("generateName")).unwrap_or_default();
    let forbidden = |why: &str| Err(Refusal::not_admitted("pods", "", name, why));
    let wanted = pod["spec"]["priorityClassName"].as_str().map(str::to_owned);
    let class = match wanted.as_deref() {
        Some(wanted) => match stored(cluster, "priorityclasses.scheduling.k8s.io", "", wanted) {
            Some(class) => Some(class),
            None => match critical(wanted) {
                Some(value) => Some(std::sync::Arc::new(json!({"value": value}))),
                None => return forbidden(&format!("no PriorityClass with name {wanted} was found")),
            },
        },
        None => {
            let (_, classes) = cluster.store.list(&"priorityclasses.scheduling.k8s.io".into(), None);
            let global = classes.into_iter().map(|(_, class)| class).filter(|class| class["globalDefault"] == true);
            let class = global.min_by_key(|class| class["value"].as_i64());
            if let Some(class) = &class {
                pod["spec"]["priorityClassName"] = class["metadata"]["name"].clone();
            }
            class
        }
    };
    let class = class.as_deref().unwrap_or(&Value::Null);
    let value = class["value"].as_i64().unwrap_or_default();
    if let Some(given) = pod["spec"]["priority"].as_i64()
        && given != value
    {
        return forbidden(&format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
             computed {value} from the given PriorityClass name"
        ));
    }
    let preemption = class["preemptionPolicy"].as_str().unwrap_or("PreemptLowerPriority");
    if let Some(given) = pod["spec"]["preemptionPolicy"].as_str()
        && given != preemption
    {
        return forbidden(&format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {preemption} from the given PriorityClass name"
        ));
    }
    Ok((value, preemption.to_owned()))
}

/// The classes that every cluster has.
fn critical(class: &str) -> Option<i64> {
    match class {
        "system-node-critical" => Some(2_000_001_000),
        "system-cluster-critical" => Some(2_000_000_000),
        _ => None,
    }
}

pub fn give_patience(spec: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let mut given = spec["tolerations"].as_array().into_iter().flatten();
        let tolerated = given.any(|given| {
            let text = |name: &str| given[name].as_str().unwrap_or_default();
            ["", key].contains(&text("key")) && ["", "NoExecute"].contains(&text("effect"))
        });
        if !tolerated {
            let toleration =
                json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": PATIENCE});
            push(spec, "tolerations", toleration);
        }
    }
}
