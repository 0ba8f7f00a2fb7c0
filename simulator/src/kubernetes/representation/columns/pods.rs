//! How pods are.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{NONE, Row, at, condition, holds, items, or, text};
use crate::kubernetes::representation::human;

/// What the containers of a pod come to.
#[derive(Default)]
struct Seen {
    ready: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
    status: String,
}

impl Seen {
    fn of(pod: &Value) -> Self {
        let mut seen = Self { status: first_word(pod), ..Self::default() };
        let mut of_sidecars = Self::default();
        let initializing = seen.initialized(pod, &mut of_sidecars);
        if !initializing || holds(pod, "Initialized") {
            seen.restarts = of_sidecars.restarts;
            seen.last_restart = of_sidecars.last_restart;
            seen.running(pod);
        }
        let is_over = matches!(text(at(pod, "status.phase")).as_str(), "Succeeded" | "Failed");
        if at(pod, "metadata.deletionTimestamp").is_some() {
            if pod["status"]["reason"] == "NodeLost" {
                seen.status = "Unknown".to_owned();
            } else if !is_over {
                seen.status = "Terminating".to_owned();
            }
        }
        seen
    }

    /// Looks at the containers that come first; true if one of them is not done.
    fn initialized(&mut self, pod: &Value, of_sidecars: &mut Self) -> bool {
        let statuses: Vec<&Value> = items(at(pod, "status.initContainerStatuses")).collect();
        for (index, status) in statuses.into_iter().enumerate() {
            let is_sidecar = init_containers(pod)
                .any(|container| container["name"] == status["name"] && container["restartPolicy"] == "Always");
            self.restarted(status);
            if is_sidecar {
                of_sidecars.restarted(status);
            }
            let (terminated, waiting) = (at(status, "state.terminated"), text(at(status, "state.waiting.reason")));
            self.status = match terminated {
                Some(ended) if ended["exitCode"] == 0 => continue,
                _ if is_sidecar && status["started"] == true => {
                    self.ready += usize::from(status["ready"] == true);
                    continue;
                }
                Some(ended) => format!("Init:{}", end(ended)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", init_containers(pod).count()),
            };
            return true;
        }
        false
    }

    fn running(&mut self, pod: &Value) {
        let mut is_running = false;
        let statuses: Vec<&Value> = items(at(pod, "status.containerStatuses")).collect();
        for status in statuses.into_iter().rev() {
            self.restarted(status);
            let waiting = text(at(status, "state.waiting.reason"));
            if !waiting.is_empty() {
                self.status = waiting;
            } else if let Some(ended) = at(status, "state.terminated") {
                self.status = end(ended);
            } else if status["ready"] == true && at(status, "state.running").is_some() {
                is_running = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" && is_running {
            self.status = if holds(pod, "Ready") { "Running" } else { "NotReady" }.to_owned();
        }
    }

    fn restarted(&mut self, status: &Value) {
        self.restarts += status["restartCount"].as_i64().unwrap_or_default();
        let ended = at(status, "lastState.terminated.finishedAt").and_then(Value::as_str);
        self.last_restart = self.last_restart.max(ended.and_then(|ended| ended.parse().ok()));
    }
}

/// How a pod is said to be, before anybody looks at its containers.
fn first_word(pod: &Value) -> String {
    if condition(pod, "PodScheduled").is_some_and(|condition| condition["reason"] == "SchedulingGated") {
        return "SchedulingGated".to_owned();
    }
    match text(at(pod, "status.reason")) {
        reason if reason.is_empty() => text(at(pod, "status.phase")),
        reason => reason,
    }
}

fn end(terminated: &Value) -> String {
    match (text(at(terminated, "reason")), terminated["signal"].as_i64().unwrap_or_default()) {
        (reason, _) if !reason.is_empty() => reason,
        (_, 0) => format!("ExitCode:{}", terminated["exitCode"].as_i64().unwrap_or_default()),
        (_, signal) => format!("Signal:{signal}"),
    }
}

fn init_containers(pod: &Value) -> impl Iterator<Item = &Value> {
    items(at(pod, "spec.initContainers"))
}

pub fn ready(row: &Row<'_>) -> Value {
    let sidecars = init_containers(row.object).filter(|container| container["restartPolicy"] == "Always").count();
    let all = items(at(row.object, "spec.containers")).count() + sidecars;
    json!(format!("{}/{all}", Seen::of(row.object).ready))
}

pub fn status(row: &Row<'_>) -> Value {
    json!(Seen::of(row.object).status)
}

pub fn restarts(row: &Row<'_>) -> Value {
    match Seen::of(row.object) {
        Seen { restarts, last_restart: Some(last), .. } if restarts != 0 => {
            json!(format!("{restarts} ({} ago)", human::between(last, row.now)))
        }
        Seen { restarts, .. } => json!(restarts.to_string()),
    }
}

pub fn address(row: &Row<'_>) -> Value {
    let first = items(at(row.object, "status.podIPs")).next();
    or(text(first.and_then(|address| address.get("ip"))), NONE)
}

/// How many of the gates are open.
pub fn gates(row: &Row<'_>) -> Value {
    let gates: Vec<String> =
        items(at(row.object, "spec.readinessGates")).map(|gate| text(gate.get("conditionType"))).collect();
    let open = gates.iter().filter(|gate| holds(row.object, gate)).count();
    if gates.is_empty() { json!(NONE) } else { json!(format!("{open}/{}", gates.len())) }
}

/// What is said of the row of a pod that is over.
pub fn conditions(pod: &Value) -> Option<Value> {
    let message = match at(pod, "status.phase")?.as_str()? {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(json!([{"type": "Completed", "status": "True", "reason": pod["status"]["phase"], "message": message}]))
}
