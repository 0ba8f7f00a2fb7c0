//! What a deployment says of itself: its counts, and its conditions `Available`, `Progressing` and `ReplicaFailure`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Rollout, fences, revisions::Sets};
use crate::kubernetes::{
    answer::Refusal,
    controllers::{
        conditions::{self, Condition},
        fields::Fields,
    },
};

const AVAILABLE: &str = "NewReplicaSetAvailable";
const LATE: &str = "ProgressDeadlineExceeded";

impl Rollout<'_> {
    /// Says how many pods there are, and nothing of progress.
    pub(super) async fn say_status(&mut self, sets: &Sets) -> Result<(), Refusal> {
        let status = self.status(sets);
        self.save(status).await
    }

    pub(super) async fn say_progress(&mut self, sets: &Sets) -> Result<(), Refusal> {
        let mut status = self.status(sets);
        let now = self.tools.client.cluster().now();
        let known = self.deployment.condition("Progressing").cloned();
        if !self.has_deadline() {
            conditions::remove(&mut status, "Progressing");
        }
        let was_complete = status["replicas"] == status["updatedReplicas"]
            && known.as_ref().is_some_and(|known| known["reason"] == AVAILABLE);
        if self.has_deadline() && !was_complete {
            let what = match &sets.new {
                Some(new) => format!("ReplicaSet \"{}\"", new.name()),
                None => format!("Deployment \"{}\"", self.deployment.name()),
            };
            let more = json!({"lastUpdateTime": now});
            let say = |status: &mut Value, value: &str, reason: &str, words: &str| {
                let message = format!("{what} {words}");
                let condition = Condition { kind: "Progressing", status: value, reason, message: &message };
                conditions::set(status, condition, &now, &more);
            };
            if self.is_complete(&status) {
                say(&mut status, "True", AVAILABLE, "has successfully progressed.");
            } else if self.is_progressing(&status) {
                // Each step is news, even if the condition was the same before.
                conditions::remove(&mut status, "Progressing");
                say(&mut status, "True", "ReplicaSetUpdated", "is progressing.");
                if let Some(known) = known.filter(|known| known["status"] == "True") {
                    let said = status["conditions"].as_array_mut().and_then(|said| said.last_mut());
                    said.expect("it was just said")["lastTransitionTime"] = known["lastTransitionTime"].clone();
                }
            } else if self.is_late() {
                say(&mut status, "False", LATE, "has timed out progressing.");
            }
        }
        let failure = sets.new.iter().chain(&sets.old).find_map(|set| set.condition("ReplicaFailure"));
        match failure {
            Some(failure) => {
                let condition = Condition {
                    kind: "ReplicaFailure",
                    status: failure.text("/status"),
                    reason: failure.text("/reason"),
                    message: failure.text("/message"),
                };
                let since = failure["lastTransitionTime"].clone();
                if conditions::set(&mut status, condition, &now, &json!({"lastUpdateTime": since}))
                    && let Some(said) = status["conditions"].as_array_mut().and_then(|said| said.last_mut())
                {
                    said["lastTransitionTime"] = since;
                }
            }
            None => conditions::remove(&mut status, "ReplicaFailure"),
        }
        self.save(status).await
    }

    async fn save(&mut self, status: Value) -> Result<(), Refusal> {
        if status == self.deployment["status"] {
            return Ok(());
        }
        self.deployment["status"] = status;
        self.save_status().await
    }

    fn status(&self, sets: &Sets) -> Value {
        let available = sets.counted("availableReplicas");
        let updated = sets.new.as_ref().map_or(0, |new| new.number("/status/replicas"));
        let mut status = json!({"observedGeneration": self.deployment["metadata"]["generation"]});
        for (field, count) in [
            ("replicas", sets.counted("replicas")),
            ("updatedReplicas", updated),
            ("readyReplicas", sets.counted("readyReplicas")),
            ("availableReplicas", available),
            ("unavailableReplicas", (sets.wanted() - available).max(0)),
        ] {
            if count != 0 {
                status[field] = json!(count);
            }
        }
        status["terminatingReplicas"] = json!(sets.counted("terminatingReplicas"));
        if let Some(collisions) = self.deployment.at("/status/collisionCount").as_i64() {
            status["collisionCount"] = json!(collisions);
        }
        status["conditions"] = json!(self.deployment.list("/status/conditions"));
        let (value, reason, message) = match available >= self.replicas() - fences(&self.deployment).1 {
            true => ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            false => ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
        };
        let now = self.tools.client.cluster().now();
        let condition = Condition { kind: "Available", status: value, reason, message };
        conditions::set(&mut status, condition, &now, &json!({"lastUpdateTime": now}));
        status
    }

    pub(super) fn is_complete(&self, status: &Value) -> bool {
        let replicas = self.replicas();
        ["/updatedReplicas", "/replicas", "/availableReplicas"].iter().all(|count| status.number(count) == replicas)
            && status.number("/observedGeneration") >= self.deployment.number("/metadata/generation")
    }

    fn is_progressing(&self, status: &Value) -> bool {
        let known = &self.deployment["status"];
        let old = |status: &Value| status.number("/replicas") - status.number("/updatedReplicas");
        let more = |count: &str| status.number(count) > known.number(count);
        more("/updatedReplicas") || old(status) < old(known) || more("/readyReplicas") || more("/availableReplicas")
    }

    fn is_late(&self) -> bool {
        let Some(known) = self.deployment.condition("Progressing") else { return false };
        match known.text("/reason") {
            AVAILABLE => false,
            LATE => true,
            _ => self.due(known).is_some_and(|due| due < self.tools.now().as_second()),
        }
    }

    /// The second by which something has to move.
    fn due(&self, progressing: &Value) -> Option<i64> {
        let since: Timestamp = progressing.text("/lastUpdateTime").parse().ok()?;
        Some(since.as_second() + self.deployment.number("/spec/progressDeadlineSeconds"))
    }

    /// When to look whether it is late.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let known = self.deployment.condition("Progressing")?;
        if !self.has_deadline() || self.deployment.flag("/spec/paused") {
            return None;
        }
        if matches!(known.text("/reason"), AVAILABLE | LATE) || self.is_complete(&self.deployment["status"]) {
            return None;
        }
        let left = self.due(known)? - self.tools.now().as_second() + 1;
        Some(Duration::from_secs(u64::try_from(left).unwrap_or_default().max(1)))
    }

    /// Says that it is paused, or no longer: the deadline stands still meanwhile.
    pub(super) async fn say_paused(&mut self) -> Result<(), Refusal> {
        if !self.has_deadline() {
            return Ok(());
        }
        let known = self.deployment.condition("Progressing");
        let is_paused = known.is_some_and(|known| known["reason"] == "DeploymentPaused");
        let (reason, message) = match (self.deployment.flag("/spec/paused"), is_paused) {
            (true, false) => ("DeploymentPaused", "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return Ok(()),
        };
        // What is late stays late.
        if known.is_some_and(|known| known["reason"] == LATE) {
            return Ok(());
        }
        self.set_condition(Condition { kind: "Progressing", status: "Unknown", reason, message });
        self.save_status().await
    }
}
