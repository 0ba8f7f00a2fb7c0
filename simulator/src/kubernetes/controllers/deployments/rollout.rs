//! From the old ReplicaSets to the new one: pod by pod, or all at once.

use std::sync::Arc;

use serde_json::Value;

use super::{Rollout, fences, revisions::Sets};
use crate::kubernetes::{answer::Refusal, controllers::fields::Fields};

impl Rollout<'_> {
    pub(super) async fn roll(&mut self, all: Vec<Arc<Value>>) -> Result<(), Refusal> {
        let mut sets = self.sets(all, true).await?;
        if self.grow(&mut sets).await? || self.shrink(&mut sets).await? {
            return self.say_progress(&sets).await;
        }
        self.finish(&sets).await
    }

    pub(super) async fn recreate(&mut self, all: Vec<Arc<Value>>) -> Result<(), Refusal> {
        let mut sets = self.sets(all.clone(), false).await?;
        let old = sets.old.clone();
        let mut stopped = false;
        for set in old.iter().filter(|set| set.number("/spec/replicas") > 0) {
            stopped |= self.resize(&mut sets, set, 0).await?;
        }
        if stopped || old.iter().any(|set| !self.pods_of(set).is_empty()) {
            return self.say_progress(&sets).await;
        }
        if sets.new.is_none() {
            sets = self.sets(all, true).await?;
        }
        if let Some(new) = sets.new.clone() {
            self.resize(&mut sets, &new, self.replicas()).await?;
        }
        self.finish(&sets).await
    }

    async fn finish(&mut self, sets: &Sets) -> Result<(), Refusal> {
        if self.is_complete(&self.deployment["status"]) {
            self.clean_up(sets).await?;
        }
        self.say_progress(sets).await
    }

    /// Gives the new set more pods, as far as there is room.
    async fn grow(&self, sets: &mut Sets) -> Result<bool, Refusal> {
        let Some(new) = sets.new.clone() else { return Ok(false) };
        let (count, replicas) = (new.number("/spec/replicas"), self.replicas());
        if count == replicas {
            return Ok(false);
        }
        let size = if count > replicas { replicas } else { self.room(sets, count) };
        self.resize(sets, &new, size).await
    }

    /// Takes pods from the old sets, as far as enough others are available.
    async fn shrink(&self, sets: &mut Sets) -> Result<bool, Refusal> {
        let old: Vec<Arc<Value>> = sets.old.iter().filter(|set| set.number("/spec/replicas") > 0).cloned().collect();
        if old.is_empty() {
            return Ok(false);
        }
        let fewest = self.replicas() - fences(&self.deployment).1;
        let new = sets.new.as_deref().unwrap_or(&Value::Null);
        let missing = new.number("/spec/replicas") - new.number("/status/availableReplicas");
        let most = sets.wanted() - fewest - missing;
        if most <= 0 {
            return Ok(false);
        }
        // Those that don't work go first.
        let mut cleaned = 0;
        for set in &old {
            let (count, available) = (set.number("/spec/replicas"), set.number("/status/availableReplicas"));
            if cleaned >= most || count == available {
                continue;
            }
            let less = (most - cleaned).min(count - available);
            self.resize(sets, set, count - less).await?;
            cleaned += less;
        }
        let mut spare = sets.counted("availableReplicas") - fewest;
        let mut taken = 0;
        let old: Vec<Arc<Value>> = sets.old.clone();
        for set in old.iter().filter(|set| set.number("/spec/replicas") > 0) {
            if spare <= 0 {
                break;
            }
            let count = set.number("/spec/replicas");
            let less = count.min(spare);
            self.resize(sets, set, count - less).await?;
            spare -= less;
            taken += less;
        }
        Ok(cleaned + taken > 0)
    }
}
