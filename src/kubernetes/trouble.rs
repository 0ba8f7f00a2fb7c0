//! What keeps a pod from being ready, read from its status.

use super::object::{condition, integer, items, name, text};
use crate::script::values::tree::Tree;

/// What a kubelet says of containers that will not run without somebody's help.
const STUCK: &[&str] = &[
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

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
    let states =
        (items(pod, &["status", "initContainerStatuses"]).iter()).chain(items(pod, &["status", "containerStatuses"]));
    // Of two that are equally bad the first is what the other waits for.
    let worst = states.filter_map(|status| of_container(pod, status)).reduce(|worst, next| match next.0 > worst.0 {
        true => next,
        false => worst,
    });
    worst.or_else(|| of_pod(pod))
}

fn of_container(pod: &Tree, status: &Tree) -> Option<(u8, Trouble)> {
    let says = |why: String, stays: bool, crashed: bool| Trouble {
        pod: name(pod).to_owned(),
        container: text(status, &["name"]).map(str::to_owned),
        why,
        stays,
        crashed,
    };
    let restarts = integer(status, &["restartCount"]).unwrap_or(0);
    let ended = integer(status, &["state", "terminated", "exitCode"]).filter(|code| *code != 0);
    match (text(status, &["state", "waiting", "reason"]), ended) {
        (Some("CrashLoopBackOff"), _) => Some((4, says(crashing(status, restarts), true, true))),
        (Some(reason), _) => {
            let why = with_message(reason, text(status, &["state", "waiting", "message"]));
            let stays = STUCK.contains(&reason);
            Some((if stays { 4 } else { 1 }, says(why, stays, restarts > 0)))
        }
        (None, Some(code)) => {
            let reason = text(status, &["state", "terminated", "reason"]).unwrap_or("Error");
            Some((3, says(format!("its container ended with {code}, {reason}"), false, restarts > 0)))
        }
        (None, None) => None,
    }
}

/// How it ended last says more than that it is about to be started again.
fn crashing(status: &Tree, restarts: i64) -> String {
    let mut why = with_message("CrashLoopBackOff", text(status, &["state", "waiting", "message"]));
    if let Some(code) = integer(status, &["lastState", "terminated", "exitCode"]) {
        let reason = text(status, &["lastState", "terminated", "reason"]).unwrap_or("Error");
        why.push_str(&format!("; it ended with {code}, {reason}"));
    }
    if restarts > 1 {
        why.push_str(&format!(", {restarts} times"));
    }
    why
}

fn of_pod(pod: &Tree) -> Option<(u8, Trouble)> {
    let crashed = items(pod, &["status", "containerStatuses"])
        .iter()
        .any(|status| integer(status, &["restartCount"]).unwrap_or(0) > 0);
    let says = |why: String| Trouble { pod: name(pod).to_owned(), container: None, why, stays: false, crashed };
    let scheduled = condition(pod, "PodScheduled").filter(|condition| text(condition, &["status"]) == Some("False"));
    if let Some(scheduled) = scheduled {
        let reason = text(scheduled, &["reason"]).unwrap_or("Unscheduled");
        return Some((2, says(with_message(reason, text(scheduled, &["message"])))));
    }
    let ready = condition(pod, "Ready").is_some_and(|condition| text(condition, &["status"]) == Some("True"));
    let finished = text(pod, &["status", "phase"]) == Some("Succeeded");
    (!ready && !finished).then(|| {
        let phase = text(pod, &["status", "phase"]).unwrap_or("Pending");
        (0, says(format!("{phase} and not ready")))
    })
}

fn with_message(reason: &str, message: Option<&str>) -> String {
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    }
}
