//! What is waited for, and whether an object is so: judged from the object alone.

use super::object::{at, condition, integer, items, kind, name, text};
use crate::script::{
    fault::{Fault, Kind},
    values::tree::Tree,
};

/// What is waited for, as far as it can be judged without the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    Exists,
    Deleted,
    /// As ready as its kind can be.
    Ready,
    Condition {
        kind: String,
        status: String,
    },
}

/// What an object looks like against what is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Met,
    /// Not yet, and why.
    Waiting(String),
    /// It can no longer become so by itself, and why.
    Hopeless(String),
}

impl Until {
    /// Reads `exists`, `deleted`, `ready`, `condition=Available`, `condition=Ready=False`.
    ///
    /// # Errors
    /// `usage`, with what there is.
    pub fn read(text: &str) -> Result<Self, Fault> {
        match text.trim() {
            "exists" | "created" | "create" => return Ok(Until::Exists),
            "deleted" | "delete" | "gone" => return Ok(Until::Deleted),
            "ready" => return Ok(Until::Ready),
            _ => {}
        }
        let refuse = || {
            Fault::new(Kind::Usage, format!("`{text}` is nothing that can be waited for")).hint(
                "write `ready`, `condition=Available`, `condition=Ready=False`, `exists`, `deleted`, or a closure",
            )
        };
        let wanted = text.trim().strip_prefix("condition=").ok_or_else(refuse)?;
        let (kind, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
        if kind.is_empty() || status.is_empty() {
            return Err(refuse());
        }
        Ok(Until::Condition { kind: kind.to_owned(), status: status.to_owned() })
    }

    /// The rest of a sentence that begins with the object's name.
    pub fn shown(&self) -> String {
        match self {
            Until::Exists => "to be there".to_owned(),
            Until::Deleted => "to be gone".to_owned(),
            Until::Ready => "to be ready".to_owned(),
            Until::Condition { kind, status } if status.eq_ignore_ascii_case("true") => format!("to be {kind}"),
            Until::Condition { kind, status } => format!("to have {kind}={status}"),
        }
    }

    /// True if the state of the object's pods matters.
    pub fn needs_progress(&self) -> bool {
        matches!(self, Until::Ready | Until::Condition { .. })
    }

    pub fn judge(&self, object: &Tree) -> Verdict {
        match self {
            Until::Exists => Verdict::Met,
            Until::Deleted => Verdict::Waiting(why_it_stays(object)),
            Until::Condition { kind, status } => judge_condition(object, kind, status),
            Until::Ready => match readiness(object) {
                Verdict::Waiting(why) => hopeless(object).map_or(Verdict::Waiting(why), Verdict::Hopeless),
                verdict => verdict,
            },
        }
    }
}

fn judge_condition(object: &Tree, wanted: &str, status: &str) -> Verdict {
    let Some(found) = condition(object, wanted) else {
        let because = match unobserved(object, None) {
            Some(because) => because,
            None => with_numbers(object, format!("it has no condition `{wanted}` yet")),
        };
        return hopeless(object).map_or(Verdict::Waiting(because), Verdict::Hopeless);
    };
    let is = text(found, &["status"]).unwrap_or("Unknown");
    if let Some(because) = unobserved(object, Some(found)) {
        return Verdict::Waiting(because);
    }
    if is.eq_ignore_ascii_case(status) {
        return Verdict::Met;
    }
    let because = with_numbers(object, shown_condition(found));
    match hopeless(object) {
        // Whoever waits for `Stalled=True` or `Failed=False` is not told that it is hopeless for that very reason.
        Some(why) if !why.starts_with(&format!("{wanted} is")) => Verdict::Hopeless(why),
        _ => Verdict::Waiting(because),
    }
}

/// The number of replicas in front of the reason, where a kind has replicas.
fn with_numbers(object: &Tree, because: String) -> String {
    match replicas(object) {
        Some(numbers) => format!("{numbers}; {because}"),
        None => because,
    }
}

/// Says that the controller has not seen the latest change yet.
fn unobserved(object: &Tree, condition: Option<&Tree>) -> Option<String> {
    let generation = integer(object, &["metadata", "generation"])?;
    let observed = condition
        .and_then(|condition| integer(condition, &["observedGeneration"]))
        .or_else(|| integer(object, &["status", "observedGeneration"]))?;
    (observed < generation).then(|| format!("its controller has seen generation {observed} and not yet {generation}"))
}

/// `Available is False: MinimumReplicasUnavailable: Deployment does not have minimum availability`
pub fn shown_condition(condition: &Tree) -> String {
    let part = |name: &str| text(condition, &[name]).filter(|part| !part.is_empty());
    let mut shown = format!("{} is {}", part("type").unwrap_or("?"), part("status").unwrap_or("Unknown"));
    for part in [part("reason"), part("message")].into_iter().flatten() {
        shown.push_str(&format!(": {}", part.trim()));
    }
    shown
}

/// Why it can no longer become ready by itself.
fn hopeless(object: &Tree) -> Option<String> {
    let is = |kind: &str, status: &str| {
        let found = condition(object, kind)?;
        (text(found, &["status"]) == Some(status) && unobserved(object, Some(found)).is_none()).then_some(found)
    };
    let found = match kind(object) {
        "Job" => is("Failed", "True"),
        "Deployment" => {
            is("Progressing", "False").filter(|found| text(found, &["reason"]) == Some("ProgressDeadlineExceeded"))
        }
        _ => None,
    };
    if let Some(found) = found.or_else(|| is("Stalled", "True")) {
        return Some(shown_condition(found));
    }
    let phase = text(object, &["status", "phase"]);
    (kind(object) == "Pod" && phase == Some("Failed")).then(|| {
        let why = text(object, &["status", "message"]).or(text(object, &["status", "reason"]));
        format!("it has failed{}", why.map(|why| format!(": {why}")).unwrap_or_default())
    })
}

/// `1 of 3 replicas are ready`, for kinds that have replicas.
fn replicas(object: &Tree) -> Option<String> {
    let (wanted, ready) = match kind(object) {
        "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" => {
            (integer(object, &["spec", "replicas"]).unwrap_or(1), integer(object, &["status", "readyReplicas"]))
        }
        "DaemonSet" => {
            (integer(object, &["status", "desiredNumberScheduled"])?, integer(object, &["status", "numberReady"]))
        }
        _ => return None,
    };
    Some(format!("{} of {wanted} replicas are ready", ready.unwrap_or(0)))
}

/// How ready it is, by the rules of its kind.
fn readiness(object: &Tree) -> Verdict {
    if at(object, &["metadata", "deletionTimestamp"]).is_some() {
        return Verdict::Waiting("it is being deleted".to_owned());
    }
    if let Some(because) = unobserved(object, None) {
        return Verdict::Waiting(because);
    }
    let number = |name: &str| integer(object, &["status", name]).unwrap_or(0);
    let unless = |met: bool, because: String| if met { Verdict::Met } else { Verdict::Waiting(because) };
    match kind(object) {
        "Deployment" => {
            let wanted = integer(object, &["spec", "replicas"]).unwrap_or(1);
            let (all, updated, available) =
                (number("replicas"), number("updatedReplicas"), number("availableReplicas"));
            if at(object, &["status", "observedGeneration"]).is_none() {
                return Verdict::Waiting("its controller has not seen it yet".to_owned());
            }
            match () {
                () if updated < wanted => {
                    Verdict::Waiting(format!("{updated} of {wanted} replicas are of the new version"))
                }
                () if all == updated + 1 => Verdict::Waiting("1 old replica is still there".to_owned()),
                () if all > updated => Verdict::Waiting(format!("{} old replicas are still there", all - updated)),
                () => unless(available >= wanted, format!("{available} of {wanted} replicas are available")),
            }
        }
        "StatefulSet" => {
            let wanted = integer(object, &["spec", "replicas"]).unwrap_or(1);
            let ready = number("readyReplicas");
            let revisions = text(object, &["status", "updateRevision"]) == text(object, &["status", "currentRevision"]);
            match () {
                () if at(object, &["status", "observedGeneration"]).is_none() => {
                    Verdict::Waiting("its controller has not seen it yet".to_owned())
                }
                () if ready < wanted => Verdict::Waiting(format!("{ready} of {wanted} replicas are ready")),
                () => unless(
                    revisions,
                    format!("{} of {wanted} replicas are of the new version", number("updatedReplicas")),
                ),
            }
        }
        "DaemonSet" => {
            let wanted = number("desiredNumberScheduled");
            let (updated, available) = (number("updatedNumberScheduled"), number("numberAvailable"));
            match () {
                () if at(object, &["status", "observedGeneration"]).is_none() => {
                    Verdict::Waiting("its controller has not seen it yet".to_owned())
                }
                () if updated < wanted => {
                    Verdict::Waiting(format!("{updated} of {wanted} pods are of the new version"))
                }
                () => unless(available >= wanted, format!("{available} of {wanted} pods are available")),
            }
        }
        "Job" => judge_plain_condition(object, "Complete"),
        "Pod" if text(object, &["status", "phase"]) == Some("Succeeded") => Verdict::Met,
        "CustomResourceDefinition" => judge_plain_condition(object, "Established"),
        "Namespace" | "PersistentVolumeClaim" => {
            let phase = text(object, &["status", "phase"]).unwrap_or("without a phase");
            unless(matches!(phase, "Active" | "Bound"), format!("it is {phase}"))
        }
        "Service" if text(object, &["spec", "type"]) == Some("LoadBalancer") => unless(
            !items(object, &["status", "loadBalancer", "ingress"]).is_empty(),
            "it has no address yet".to_owned(),
        ),
        _ if at(object, &["status", "conditions"]).is_some() => {
            match (condition(object, "Ready"), condition(object, "Available")) {
                (None, Some(_)) => judge_plain_condition(object, "Available"),
                _ => judge_plain_condition(object, "Ready"),
            }
        }
        // What has neither conditions nor replicas is as ready as it is there, unless a controller is still to come.
        _ if matches!(kind(object), "Pod" | "Node" | "Deployment") => {
            Verdict::Waiting("it has no status yet".to_owned())
        }
        _ => Verdict::Met,
    }
}

fn judge_plain_condition(object: &Tree, kind: &str) -> Verdict {
    match condition(object, kind) {
        None => Verdict::Waiting(format!("it has no condition `{kind}` yet")),
        Some(found) if unobserved(object, Some(found)).is_some() => {
            Verdict::Waiting(unobserved(object, Some(found)).unwrap_or_default())
        }
        Some(found) if text(found, &["status"]) == Some("True") => Verdict::Met,
        Some(found) => Verdict::Waiting(shown_condition(found)),
    }
}

/// Why something that is to go is still there.
fn why_it_stays(object: &Tree) -> String {
    if at(object, &["metadata", "deletionTimestamp"]).is_none() {
        return "nobody has deleted it".to_owned();
    }
    let finalizers: Vec<&str> = (items(object, &["metadata", "finalizers"]).iter())
        .chain(items(object, &["spec", "finalizers"]))
        .filter_map(|finalizer| match finalizer {
            Tree::Text(finalizer) => Some(finalizer.as_str()),
            _ => None,
        })
        .collect();
    let stuck = (items(object, &["status", "conditions"]).iter())
        .filter(|condition| text(condition, &["status"]) == Some("True"))
        .find_map(|condition| text(condition, &["message"]).filter(|_| kind(object) == "Namespace"));
    match (finalizers.is_empty(), stuck) {
        (_, Some(stuck)) => format!("it is going: {stuck}"),
        (true, None) => "it is going".to_owned(),
        (false, None) => format!("it is going, held by {}", finalizers.join(", ")),
    }
}

/// `pod web-0: ImagePullBackOff: Back-off pulling image "nope"`, and whether it is of the sort that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub pod: String,
    pub container: Option<String>,
    pub why: String,
    /// True if it has been seen to stay so: no image, or one crash after another.
    pub stays: bool,
    /// True if the container has run before, so that its earlier log says why.
    pub crashed: bool,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pod {}: {}", self.pod, self.why)
    }
}

/// What keeps the worst of these pods from being ready; none if nothing does.
pub fn worst(pods: &[Tree]) -> Option<Trouble> {
    pods.iter().filter_map(trouble).max_by_key(|(rank, _)| *rank).map(|(_, trouble)| trouble)
}

fn trouble(pod: &Tree) -> Option<(u8, Trouble)> {
    const STAYS: &[&str] = &[
        "ImagePullBackOff",
        "ErrImagePull",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    ];
    let pod_name = name(pod).to_owned();
    let says = |container: Option<&str>, why: String, stays: bool, crashed: bool| Trouble {
        pod: pod_name.clone(),
        container: container.map(str::to_owned),
        why,
        stays,
        crashed,
    };
    let with = |reason: &str, message: Option<&str>| match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    };
    let states =
        (items(pod, &["status", "initContainerStatuses"]).iter()).chain(items(pod, &["status", "containerStatuses"]));
    let mut found = None;
    for status in states {
        let container = text(status, &["name"]);
        let crashed = integer(status, &["restartCount"]).unwrap_or(0) > 0;
        let waiting = text(status, &["state", "waiting", "reason"]);
        let ended = integer(status, &["state", "terminated", "exitCode"]).filter(|code| *code != 0);
        let next = match (waiting, ended) {
            (Some(reason), _) if STAYS.contains(&reason) => {
                let why = with(reason, text(status, &["state", "waiting", "message"]));
                Some((4, says(container, why, true, crashed || reason == "CrashLoopBackOff")))
            }
            (None, Some(code)) => {
                let reason = text(status, &["state", "terminated", "reason"]).unwrap_or("Error");
                Some((3, says(container, format!("its container ended with {code}, {reason}"), false, false)))
            }
            (Some(reason), _) => {
                let why = with(reason, text(status, &["state", "waiting", "message"]));
                Some((1, says(container, why, false, crashed)))
            }
            _ => None,
        };
        if next.as_ref().map(|(rank, _)| *rank) > found.as_ref().map(|(rank, _): &(u8, Trouble)| *rank) {
            found = next;
        }
    }
    if found.is_some() {
        return found;
    }
    let scheduled = condition(pod, "PodScheduled").filter(|condition| text(condition, &["status"]) == Some("False"));
    if let Some(scheduled) = scheduled {
        let reason = text(scheduled, &["reason"]).unwrap_or("Unscheduled");
        return Some((2, says(None, with(reason, text(scheduled, &["message"])), false, false)));
    }
    let ready = condition(pod, "Ready").is_some_and(|condition| text(condition, &["status"]) == Some("True"));
    let finished = text(pod, &["status", "phase"]) == Some("Succeeded");
    (!ready && !finished).then(|| {
        let phase = text(pod, &["status", "phase"]).unwrap_or("Pending");
        (0, says(None, format!("{phase} and not ready"), false, false))
    })
}
