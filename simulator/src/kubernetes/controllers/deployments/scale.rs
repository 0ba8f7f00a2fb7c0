//! How many pods each ReplicaSet of a deployment is to have.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Rollout, fences,
    revisions::{self, Sets},
};
use crate::kubernetes::{answer::Refusal, controllers::fields::Fields};

impl Rollout<'_> {
    /// How many pods the new set may have that has `count` now.
    pub(super) fn room(&self, sets: &Sets, count: i64) -> i64 {
        let replicas = self.replicas();
        if self.deployment.text("/spec/strategy/type") != "RollingUpdate" {
            return replicas;
        }
        let room = replicas + fences(&self.deployment).0 - sets.wanted();
        if room <= 0 { count } else { count + room.min(replicas - count) }
    }

    /// Sets how many pods a set is to have. True if that is something new.
    pub(super) async fn resize(&self, sets: &mut Sets, set: &Arc<Value>, count: i64) -> Result<bool, Refusal> {
        let known = set.number("/spec/replicas");
        let mut resized = (**set).clone();
        let noted = revisions::note_replicas(&mut resized, &self.deployment);
        if known == count && !noted {
            return Ok(false);
        }
        resized["spec"]["replicas"] = json!(count);
        let resized = self.tools.client.update(self.place(), "", &resized).await?;
        sets.renew(resized);
        if known != count {
            let way = if known < count { "up" } else { "down" };
            let message = format!("Scaled {way} replica set {} from {known} to {count}", set.name());
            self.tools.normal(&self.deployment, "ScalingReplicaSet", &message).await;
        }
        Ok(known != count)
    }

    /// Changes how many pods there are without rolling anything.
    pub(super) async fn scale_only(&mut self, all: Vec<Arc<Value>>) -> Result<(), Refusal> {
        let mut sets = self.sets(all, false).await?;
        self.scale(&mut sets).await?;
        if self.deployment.flag("/spec/paused") {
            self.clean_up(&sets).await?;
        }
        self.say_status(&sets).await
    }

    async fn scale(&self, sets: &mut Sets) -> Result<(), Refusal> {
        let replicas = self.replicas();
        let active: Vec<Arc<Value>> = sets.all().filter(|set| set.number("/spec/replicas") > 0).cloned().collect();
        let only = match active.as_slice() {
            [] => sets.new.clone().or_else(|| sets.old.iter().max_by_key(|set| revisions::revision(set)).cloned()),
            [one] => Some(one.clone()),
            _ => None,
        };
        if let Some(only) = only {
            if only.number("/spec/replicas") != replicas {
                self.resize(sets, &only, replicas).await?;
            }
            return Ok(());
        }
        if sets.new.as_ref().is_some_and(|new| is_saturated(new, replicas)) {
            let old = sets.old.clone();
            for set in old.iter().filter(|set| set.number("/spec/replicas") > 0) {
                self.resize(sets, set, 0).await?;
            }
            return Ok(());
        }
        if active.len() < 2 || self.deployment.text("/spec/strategy/type") != "RollingUpdate" {
            return Ok(());
        }
        self.share_out(sets, active).await
    }

    /// Shares pods out among sets by how many they have.
    async fn share_out(&self, sets: &mut Sets, mut active: Vec<Arc<Value>>) -> Result<(), Refusal> {
        let replicas = self.replicas();
        let most = if replicas > 0 { replicas + fences(&self.deployment).0 } else { 0 };
        let total: i64 = active.iter().map(|set| set.number("/spec/replicas")).sum();
        let to_add = most - total;
        let age = |set: &Value| set.text("/metadata/creationTimestamp").to_owned();
        active.sort_by(|a, b| {
            let sizes = b.number("/spec/replicas").cmp(&a.number("/spec/replicas"));
            let ages = if to_add > 0 { age(b).cmp(&age(a)) } else { age(a).cmp(&age(b)) };
            sizes.then(ages)
        });
        let mut added = 0;
        let mut sizes = Vec::new();
        for set in &active {
            let share = if to_add == 0 { 0 } else { self.proportion(set, to_add, added) };
            added += share;
            sizes.push(set.number("/spec/replicas") + share);
        }
        // What is left over by rounding goes to the largest.
        if let Some(first) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (set, size) in active.iter().zip(sizes) {
            self.resize(sets, set, size).await?;
        }
        Ok(())
    }

    fn proportion(&self, set: &Value, to_add: i64, added: i64) -> i64 {
        let allowed = to_add - added;
        let count = set.number("/spec/replicas");
        if count == 0 || allowed == 0 {
            return 0;
        }
        let replicas = self.replicas();
        let share = if replicas == 0 {
            -count
        } else {
            let most = replicas + fences(&self.deployment).0;
            let known = set.annotation(revisions::MOST).and_then(|most| most.parse::<i64>().ok());
            let before = known.filter(|most| *most != 0).unwrap_or(self.deployment.number("/status/replicas"));
            if before == 0 { 0 } else { rounded(count * most, before) - count }
        };
        if to_add > 0 { share.min(allowed) } else { share.max(allowed) }
    }
}

/// A quotient of numbers above zero, to the nearest whole number.
fn rounded(dividend: i64, divisor: i64) -> i64 {
    (2 * dividend + divisor) / (2 * divisor)
}

/// True if a set has all the pods that the deployment wants, and they work.
fn is_saturated(set: &Value, replicas: i64) -> bool {
    let desired = set.annotation(revisions::DESIRED).and_then(|desired| desired.parse::<i64>().ok());
    set.number("/spec/replicas") == replicas
        && desired == Some(replicas)
        && set.number("/status/availableReplicas") == replicas
}
