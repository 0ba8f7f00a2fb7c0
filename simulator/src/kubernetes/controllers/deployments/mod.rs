//! Deployments: ReplicaSets that take turns.

mod progress;
mod revisions;
mod rollout;
mod scale;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::Value;

use self::revisions::Sets;
pub use self::revisions::hash;
use super::{Controller, Name, Tools, fields::Fields, owners, owners_of_kind, pods};
use crate::kubernetes::{answer::Refusal, store::Change};

/// No deadline at all, as a number of seconds.
const NEVER: i64 = i32::MAX as i64;

pub struct Deployments;

impl Controller for Deployments {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            "deployments.apps" => vec![Name::changed(change)],
            "replicasets.apps" => owners_of_kind(change, "Deployment"),
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(there) = tools.there("deployments.apps", name) else { return Ok(None) };
            let mut rollout = Rollout { tools, deployment: (*there).clone() };
            owners::gone_is_fine(rollout.sync().await.map(|()| Value::Null))?;
            Ok(rollout.deadline())
        })
    }
}

/// One deployment at work.
struct Rollout<'r> {
    tools: &'r Tools,
    deployment: Value,
}

impl Rollout<'_> {
    async fn sync(&mut self) -> Result<(), Refusal> {
        let all = owners::claim(self.tools, self.place(), &self.deployment).await?;
        if self.deployment.is_going() {
            let sets = Sets::sort(&self.deployment, all);
            return self.say_status(&sets).await;
        }
        self.say_paused().await?;
        if self.deployment.flag("/spec/paused") {
            return self.scale_only(all).await;
        }
        let wanted = self.replicas();
        let is_scaled = all.iter().any(|set| {
            let known = set.annotation(revisions::DESIRED).and_then(|desired| desired.parse::<i64>().ok());
            set.number("/spec/replicas") > 0 && known.is_some_and(|known| known != wanted)
        });
        if is_scaled {
            return self.scale_only(all).await;
        }
        match self.deployment.text("/spec/strategy/type") {
            "Recreate" => self.recreate(all).await,
            _ => self.roll(all).await,
        }
    }

    fn replicas(&self) -> i64 {
        self.deployment.number("/spec/replicas")
    }

    fn has_deadline(&self) -> bool {
        let seconds = self.deployment.at("/spec/progressDeadlineSeconds");
        seconds.as_i64().is_some_and(|seconds| seconds != NEVER)
    }

    /// The pods of one of its sets.
    fn pods_of(&self, set: &Value) -> Vec<Arc<Value>> {
        let mut pods = self.tools.census.owned("pods", set.uid());
        pods.retain(|pod| !pods::has_ended(pod));
        pods
    }
}

/// How many more pods than wanted there may be, and how many fewer, while a deployment rolls.
pub fn fences(deployment: &Value) -> (i64, i64) {
    if deployment.text("/spec/strategy/type") != "RollingUpdate" {
        return (0, 0);
    }
    let replicas = deployment.number("/spec/replicas");
    let strategy = deployment.at("/spec/strategy/rollingUpdate");
    let surge = share(strategy.at("/maxSurge"), replicas, true);
    let unavailable = share(strategy.at("/maxUnavailable"), replicas, false);
    match (surge, unavailable) {
        // Otherwise nothing could ever move.
        (0, 0) => (0, 1.min(replicas)),
        (surge, unavailable) => (surge, unavailable.min(replicas)),
    }
}

/// A number, or a share of a whole: `25%`.
pub fn share(given: &Value, whole: i64, up: bool) -> i64 {
    let Some(percent) = given.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok()) else {
        return given.as_i64().unwrap_or_default();
    };
    let product = percent * whole;
    if up { (product + 99) / 100 } else { product / 100 }
}
