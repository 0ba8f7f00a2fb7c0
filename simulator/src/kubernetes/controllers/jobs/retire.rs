//! Jobs that are over go after a while, if they say so.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::is_finished;
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{Controller, Name, Tools, fields::Fields, owners},
    store::Change,
};

pub struct Retirements;

impl Controller for Retirements {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let retires = |job: &serde_json::Value| job.has("/spec/ttlSecondsAfterFinished") && is_finished(job);
        let is_job = &*change.key.resource == "jobs.batch" && change.after.as_deref().is_some_and(retires);
        if is_job { vec![Name::changed(change)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(job) = tools.there("jobs.batch", name).filter(|job| !job.is_going()) else { return Ok(None) };
            let over = ["Complete", "Failed"].iter().find_map(|kind| job.condition(kind));
            let over = over.and_then(|over| over.text("/lastTransitionTime").parse::<Timestamp>().ok());
            let (Some(over), Some(seconds)) = (over, job.at("/spec/ttlSecondsAfterFinished").as_i64()) else {
                return Ok(None);
            };
            let left = (over + SignedDuration::from_secs(seconds)).duration_since(tools.now());
            if left.is_positive() {
                return Ok(Some(Duration::try_from(left).unwrap_or_default()));
            }
            let place = Place { api_version: "batch/v1", resource: "jobs", namespace: &name.namespace };
            let options = json!({"propagationPolicy": "Foreground", "preconditions": {"uid": job.uid()}});
            owners::gone_is_fine(tools.client.delete(place, &name.name, &options).await)?;
            Ok(None)
        })
    }
}
