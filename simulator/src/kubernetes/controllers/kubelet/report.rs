//! What a kubelet says of a pod.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    container::{Container, Ended, Look, Policy, Stage},
    life::{self, Life, Phase},
};
use crate::kubernetes::{behaviour::Machines, controllers::fields::Fields};

/// The status of a pod, with what others have said of it.
pub fn status(pod: &Value, life: &Life, node_address: &str, now: Timestamp, machines: &Machines) -> Value {
    let phase = life.phase();
    let mut status = pod["status"].clone();
    if !status.is_object() {
        status = json!({});
    }
    status["observedGeneration"] = pod["metadata"]["generation"].clone();
    status["phase"] = json!(match phase {
        Phase::Pending => "Pending",
        Phase::Running => "Running",
        Phase::Succeeded => "Succeeded",
        Phase::Failed => "Failed",
    });
    if life.is_late() {
        status["reason"] = json!("DeadlineExceeded");
        status["message"] = json!("Pod was active on the node longer than the specified deadline");
    }
    status["startTime"] = json!(second(life.began));
    status["hostIP"] = json!(node_address);
    status["hostIPs"] = json!([{"ip": node_address}]);
    if let Some(address) = &life.address {
        status["podIP"] = json!(address);
        status["podIPs"] = json!([{"ip": address}]);
    }
    let mut ready = true;
    let (mut unready, mut uninitialized) = (Vec::new(), Vec::new());
    for (list, is_init) in [("initContainerStatuses", true), ("containerStatuses", false)] {
        let mut statuses = Vec::new();
        for container in life.containers.iter().filter(|container| container.is_init == is_init) {
            let spec = life::spec(pod, container).unwrap_or(&Value::Null);
            let behaviour = life::behaviour(pod, spec, container, machines);
            let look = Look { now, spec, pod, behaviour: &behaviour, has_image: true };
            let said = said(pod, life, container, &look);
            if is_init && !said.flag("/started") && !said.flag("/ready") {
                uninitialized.push(container.name.clone());
            }
            if !said.flag("/ready") && (!is_init || container.policy == Policy::Always) {
                ready = false;
                unready.push(container.name.clone());
            }
            statuses.push(said);
        }
        if !statuses.is_empty() {
            status[list] = json!(statuses);
        }
    }
    let gates = missing_gates(pod);
    let has_sandbox = life.has_sandbox(now) && !matches!(phase, Phase::Succeeded | Phase::Failed);
    let unready = format!("containers with unready status: [{}]", unready.join(" "));
    let uninitialized_message = format!("containers with incomplete status: [{}]", uninitialized.join(" "));
    let (reason, message) = match phase {
        Phase::Succeeded => ("PodCompleted", ""),
        Phase::Failed => ("PodFailed", ""),
        _ => ("ContainersNotReady", unready.as_str()),
    };
    let running = !matches!(phase, Phase::Succeeded | Phase::Failed);
    let initialized = uninitialized.is_empty();
    let gated = if ready && running && !gates.is_empty() { Some(gates.join(", ")) } else { None };
    for (kind, holds, reason, message) in [
        ("PodReadyToStartContainers", has_sandbox, "", ""),
        match (initialized, phase) {
            (true, Phase::Succeeded) => ("Initialized", true, "PodCompleted", ""),
            (initialized, _) => ("Initialized", initialized, "ContainersNotInitialized", &*uninitialized_message),
        },
        match &gated {
            Some(message) => ("Ready", false, "ReadinessGatesNotReady", message.as_str()),
            None => ("Ready", ready && running, reason, message),
        },
        ("ContainersReady", ready && running, reason, message),
        ("PodScheduled", true, "", ""),
    ] {
        let completed = reason == "PodCompleted";
        let (reason, message) = if holds && !completed { ("", "") } else { (reason, message) };
        set(&mut status, pod, kind, holds, (reason, message), now);
    }
    status
}

fn set(status: &mut Value, pod: &Value, kind: &str, holds: bool, (reason, message): (&str, &str), now: Timestamp) {
    let value = if holds { "True" } else { "False" };
    let known = pod.condition(kind);
    let since = known.filter(|known| known["status"] == value).map(|known| known["lastTransitionTime"].clone());
    let mut said = json!({
        "type": kind,
        "status": value,
        "observedGeneration": pod["metadata"]["generation"],
        "lastProbeTime": null,
        "lastTransitionTime": since.unwrap_or_else(|| json!(second(now))),
    });
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            said[field] = json!(text);
        }
    }
    let conditions = super::super::fields::list(status, "conditions");
    match conditions.iter_mut().find(|known| known["type"] == kind) {
        Some(known) => *known = said,
        None => conditions.push(said),
    }
}

/// What others have to say first, by the conditions that a pod waits for.
fn missing_gates(pod: &Value) -> Vec<String> {
    let gates = pod.list("/spec/readinessGates").iter().map(|gate| gate.text("/conditionType"));
    let missing = gates.filter_map(|gate| match pod.condition(gate) {
        None => Some(format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")),
        Some(condition) if condition["status"] != "True" => Some(format!(
            "the status of pod readiness gate \"{gate}\" is not \"True\", but {}",
            condition.text("/status")
        )),
        Some(_) => None,
    });
    missing.collect()
}

/// What is said of one container.
fn said(pod: &Value, life: &Life, container: &Container, look: &Look<'_>) -> Value {
    let image = look.spec.text("/image");
    let has_init = life.containers.iter().any(|container| container.is_init);
    let waiting = |reason: &str, message: &str| match message {
        "" => json!({"waiting": {"reason": reason}}),
        message => json!({"waiting": {"reason": reason, "message": message}}),
    };
    let id = |run: u32| format!("containerd://{}", digest(&format!("{} {} {run}", pod.uid(), container.name)));
    let mut last = container.last.as_ref();
    let state = match &container.stage {
        Stage::Waiting | Stage::Pulling { .. } | Stage::Creating { .. } => {
            waiting(if has_init && !container.has_started() { "PodInitializing" } else { "ContainerCreating" }, "")
        }
        Stage::NoImage { why, backing_off: false, .. } => waiting("ErrImagePull", why),
        Stage::NoImage { why, .. } => {
            waiting("ImagePullBackOff", &format!("Back-off pulling image \"{image}\": ErrImagePull: {why}"))
        }
        Stage::Running { since } => json!({"running": {"startedAt": second(*since)}}),
        Stage::Ended { how, .. } => {
            last = last.filter(|last| *last != how);
            terminated(how, &id(container.restarts))
        }
        Stage::BackingOff { pause, .. } => waiting(
            "CrashLoopBackOff",
            &format!(
                "back-off {} restarting failed container={} pod={}_{}({})",
                super::container::shown(*pause),
                container.name,
                pod.name(),
                pod.namespace(),
                pod.uid()
            ),
        ),
    };
    let mut said = json!({
        "name": container.name,
        "state": state,
        "lastState": last.map_or_else(|| json!({}), |how| terminated(how, &id(container.restarts.saturating_sub(1)))),
        "ready": container.is_ready(look),
        "restartCount": container.restarts,
        "image": if container.has_started() { full_image(image) } else { image.to_owned() },
        "imageID": "",
        "started": container.is_started(look),
    });
    if container.has_started() {
        said["imageID"] = json!(format!("{}@sha256:{}", repository(image), digest(image)));
        said["containerID"] = json!(id(container.restarts));
    }
    if look.spec.at("/resources").as_object().is_some_and(|resources| !resources.is_empty()) {
        said["resources"] = look.spec["resources"].clone();
        if look.spec.has("/resources/requests") {
            said["allocatedResources"] = look.spec["resources"]["requests"].clone();
        }
    }
    let mounts: Vec<Value> = look.spec.list("/volumeMounts").iter().map(mounted).collect();
    if !mounts.is_empty() {
        said["volumeMounts"] = json!(mounts);
    }
    said
}

fn mounted(mount: &Value) -> Value {
    let mut mounted = json!({"name": mount["name"], "mountPath": mount["mountPath"]});
    if mount.flag("/readOnly") {
        mounted["readOnly"] = json!(true);
        mounted["recursiveReadOnly"] = json!("Disabled");
    }
    mounted
}

fn terminated(how: &Ended, id: &str) -> Value {
    json!({"terminated": {
        "exitCode": how.code,
        "reason": how.reason,
        "startedAt": second(how.started),
        "finishedAt": second(how.finished),
        "containerID": id,
    }})
}

fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Where an image comes from: `docker.io/library/nginx`.
fn repository(image: &str) -> String {
    let image = image.split('@').next().unwrap_or_default();
    let name = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
    }
}

/// An image with all that its short name leaves out.
fn full_image(image: &str) -> String {
    let repository = repository(image);
    match image.split_once('@') {
        Some((_, digest)) => format!("{repository}@{digest}"),
        None => match image.rsplit_once(':') {
            Some((_, tag)) if !tag.contains('/') => format!("{repository}:{tag}"),
            _ => format!("{repository}:latest"),
        },
    }
}

/// 64 hexadecimal digits that are a text's own.
fn digest(text: &str) -> String {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut digest = String::new();
    for round in 0..4_u8 {
        for byte in text.bytes().chain([round]) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        digest.push_str(&format!("{sum:016x}"));
    }
    digest
}
