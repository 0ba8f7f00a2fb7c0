//! Of the jobs that are over so many are kept.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Round;
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{fields::Fields, owners},
};

impl Round<'_> {
    /// Deletes the oldest jobs that are over, beyond as many as are to be kept.
    pub(super) async fn clean_up(&mut self) {
        for (condition, limit) in
            [("Complete", "/spec/successfulJobsHistoryLimit"), ("Failed", "/spec/failedJobsHistoryLimit")]
        {
            let Some(limit) = self.cron.at(limit).as_u64() else { continue };
            let mut over: Vec<Arc<Value>> = self.jobs.iter().filter(|job| job.is(condition)).cloned().collect();
            over.sort_by_key(|job| {
                let start = job.text("/status/startTime").to_owned();
                (start.is_empty(), start, job.name().to_owned())
            });
            let surplus = over.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
            for job in over.into_iter().take(surplus) {
                // It was told; the others go nevertheless.
                drop(self.delete(&job).await);
            }
        }
    }

    /// Deletes a job and tells so.
    pub(super) async fn delete(&mut self, job: &Value) -> Result<(), Refusal> {
        let place = Place { api_version: "batch/v1", resource: "jobs", namespace: job.namespace() };
        let options = json!({"propagationPolicy": "Background"});
        let deleted = owners::gone_is_fine(self.tools.client.delete(place, job.name(), &options).await);
        if let Err(refusal) = deleted {
            self.warning("FailedDelete", &format!("Deleted job: {}", refusal.message)).await;
            return Err(refusal);
        }
        self.no_longer_active(job.uid());
        self.normal("SuccessfulDelete", &format!("Deleted job {}", job.name())).await;
        Ok(())
    }
}
