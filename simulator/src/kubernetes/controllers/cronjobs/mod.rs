//! CronJobs: a job whenever one is due.

mod history;
mod times;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use self::times::Times;
use super::{
    Controller, Name, Tools,
    fields::{Fields, list, take},
    jobs::is_finished,
    owners, owners_of_kind,
    pods::is_of_ending_namespace,
};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

const STORED: &str = "cronjobs.batch";
const JOBS: &str = "jobs.batch";
/// What a job has of the moment at which it was due.
const DUE: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

#[derive(Default)]
pub struct CronJobs {
    /// The schedules as they were seen last.
    schedules: Mutex<BTreeMap<Name, [Value; 2]>>,
}

impl Controller for CronJobs {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            STORED => vec![Name::changed(change)],
            JOBS => owners_of_kind(change, "CronJob"),
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(there) = tools.there(STORED, name) else {
                self.schedules().remove(name);
                return Ok(None);
            };
            let place = Place { api_version: "batch/v1", resource: "cronjobs", namespace: &name.namespace };
            if self.is_rescheduled(name, &there) {
                // What it has missed by its new schedule is not made up for.
                return Ok(Times::of(&there, tools.now()).and_then(|times| times.pause(&there)));
            }
            let jobs = tools.census.owned(JOBS, there.uid());
            let mut round = Round { tools, cron: (*there).clone(), jobs };
            round.clean_up().await;
            let next = round.step().await;
            if round.cron["status"] != there["status"] {
                owners::gone_is_fine(tools.client.update(place, "status", &round.cron).await)?;
            }
            next
        })
    }
}

impl CronJobs {
    /// True if the schedule of one that was seen before is another one now.
    fn is_rescheduled(&self, name: &Name, cron: &Value) -> bool {
        let schedule = ["/spec/schedule", "/spec/timeZone"].map(|field| cron.at(field).clone());
        let known = self.schedules().insert(name.clone(), schedule.clone());
        known.is_some_and(|known| known != schedule)
    }

    fn schedules(&self) -> std::sync::MutexGuard<'_, BTreeMap<Name, [Value; 2]>> {
        self.schedules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One CronJob at a moment.
struct Round<'r> {
    tools: &'r Tools,
    /// With its status as it is to be.
    cron: Value,
    jobs: Vec<Arc<Value>>,
}

impl Round<'_> {
    async fn normal(&self, reason: &str, message: &str) {
        self.tools.normal(&self.cron, reason, message).await;
    }

    async fn warning(&self, reason: &str, message: &str) {
        self.tools.warning(&self.cron, reason, message).await;
    }

    async fn step(&mut self) -> Result<Option<Duration>, Refusal> {
        self.look_at_jobs().await;
        if self.cron.is_going() || self.cron.flag("/spec/suspend") {
            return Ok(None);
        }
        let Some(times) = Times::of(&self.cron, self.tools.now()) else { return Ok(None) };
        let next = times.pause(&self.cron);
        let (due, has_missed_many) = match times.due(&self.cron) {
            Ok(due) => due,
            Err(why) => {
                let message = format!("invalid schedule: {} : {why}", self.cron.text("/spec/schedule"));
                self.warning("InvalidSchedule", &message).await;
                return Ok(None);
            }
        };
        if has_missed_many {
            let message =
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.warning("TooManyMissedTimes", message).await;
        }
        let Some(due) = due else { return Ok(next) };
        let patience = self.cron.at("/spec/startingDeadlineSeconds").as_i64();
        if patience.is_some_and(|seconds| due + SignedDuration::from_secs(seconds) < self.tools.now()) {
            let message =
                format!("Missed scheduled time to start a job: {}", due.strftime("%a, %d %b %Y %H:%M:%S UTC"));
            self.warning("MissSchedule", &message).await;
            return Ok(next);
        }
        let name = format!("{}-{}", self.cron.name(), due.as_second().div_euclid(60));
        let is_known = self.active().iter().any(|active| active["name"] == name);
        if is_known || self.cron.text("/status/lastScheduleTime") == written(due) {
            return Ok(next);
        }
        match self.cron.text("/spec/concurrencyPolicy") {
            "Forbid" if !self.active().is_empty() => {
                let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
                self.normal("JobAlreadyActive", message).await;
                return Ok(next);
            }
            "Replace" => self.replace_active().await?,
            _ => {}
        }
        self.begin(&name, due, times.zone).await?;
        Ok(next)
    }

    fn active(&self) -> &[Value] {
        self.cron.list("/status/active")
    }

    fn is_active(&self, uid: &str) -> bool {
        self.active().iter().any(|active| active.text("/uid") == uid)
    }

    fn no_longer_active(&mut self, uid: &str) {
        let active = list(&mut self.cron["status"], "active");
        active.retain(|known| known.text("/uid") != uid);
        if active.is_empty() {
            take(&mut self.cron["status"], "active");
        }
    }

    /// Notes which of its jobs are over or gone.
    async fn look_at_jobs(&mut self) {
        for job in self.jobs.clone() {
            let is_active = self.is_active(job.uid());
            if !is_finished(&job) {
                if !is_active {
                    let message = format!("Saw a job that the controller did not create or forgot: {}", job.name());
                    self.warning("UnexpectedJob", &message).await;
                }
                continue;
            }
            if is_active {
                self.no_longer_active(job.uid());
                let how = if job.is("Complete") { "Complete" } else { "Failed" };
                let message = format!("Saw completed job: {}, condition: {how}", job.name());
                self.normal("SawCompletedJob", &message).await;
            }
            // Times of this form are in the order of their letters.
            let completed = job.text("/status/completionTime");
            if job.is("Complete") && completed > self.cron.text("/status/lastSuccessfulTime") {
                self.cron["status"]["lastSuccessfulTime"] = json!(completed);
            }
        }
        for active in self.active().to_vec() {
            if !self.jobs.iter().any(|job| job.uid() == active.text("/uid")) {
                self.no_longer_active(active.text("/uid"));
                let message = format!("Active job went missing: {}", active.text("/name"));
                self.normal("MissingJob", &message).await;
            }
        }
    }

    /// Deletes what still runs when the next one is due.
    async fn replace_active(&mut self) -> Result<(), Refusal> {
        for active in self.active().to_vec() {
            let place = Place { api_version: "batch/v1", resource: "jobs", namespace: self.cron.namespace() };
            let job = match self.tools.client.get(place, active.text("/name")).await {
                Ok(job) => job,
                Err(refusal) => {
                    self.warning("FailedGet", &format!("Get job: {}", refusal.message)).await;
                    return Err(refusal);
                }
            };
            self.delete(&job).await?;
        }
        Ok(())
    }

    async fn begin(&mut self, name: &str, due: Timestamp, zone: TimeZone) -> Result<(), Refusal> {
        let template = &self.cron["spec"]["jobTemplate"];
        let mut metadata = json!({
            "name": name,
            "namespace": self.cron.namespace(),
            "annotations": template.at("/metadata/annotations").as_object().cloned().unwrap_or_default(),
            "ownerReferences": [owners::reference(&self.cron)],
        });
        // In UTC it is written with a `Z`.
        let local = if zone == TimeZone::UTC {
            written(due)
        } else {
            due.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        };
        metadata["annotations"][DUE] = json!(local);
        if template.has("/metadata/labels") {
            metadata["labels"] = template["metadata"]["labels"].clone();
        }
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]});
        let place = Place { api_version: "batch/v1", resource: "jobs", namespace: self.cron.namespace() };
        let created = match self.tools.client.create(place, &job).await {
            Ok(created) => {
                self.normal("SuccessfulCreate", &format!("Created job {name}")).await;
                created
            }
            Err(refusal) if is_of_ending_namespace(&refusal) => return Err(refusal),
            // Somebody else made it, or it was forgotten.
            Err(refusal) if refusal.code == 409 => match self.tools.client.get(place, name).await? {
                job if owners::is_controlled_by(&job, &self.cron) && !self.is_active(job.uid()) => job,
                _ => return Ok(()),
            },
            Err(refusal) => {
                self.warning("FailedCreate", &format!("Error creating job: {}", refusal.message)).await;
                return Err(refusal);
            }
        };
        list(&mut self.cron["status"], "active").push(json!({
            "kind": "Job",
            "namespace": created["metadata"]["namespace"],
            "name": created["metadata"]["name"],
            "uid": created["metadata"]["uid"],
            "apiVersion": "batch/v1",
            "resourceVersion": created["metadata"]["resourceVersion"],
        }));
        self.cron["status"]["lastScheduleTime"] = json!(written(due));
        Ok(())
    }
}

fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
