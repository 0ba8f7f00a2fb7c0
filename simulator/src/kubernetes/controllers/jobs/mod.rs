//! Jobs: pods that are to succeed so many times.
//!
//! Rules for failures of pods (`podFailurePolicy`), success policies and limits for each index are not followed; a job with one
//! says so by an event, and makes no pods.

mod indexes;
mod retire;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use self::retire::Retirements;
use super::{
    Controller, Name, Tools,
    conditions::{self, Condition},
    fields::{Fields, list, map, take},
    owners, owners_of_kind, pods,
};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

/// What holds a pod until it is counted.
const TRACKED: &str = "batch.kubernetes.io/job-tracking";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// How long it waits after a failure before it tries again; twice as long after each further one.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(600);
const UNFOLLOWED: [&str; 3] = ["podFailurePolicy", "successPolicy", "backoffLimitPerIndex"];

pub struct Jobs;

impl Controller for Jobs {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            "jobs.batch" => vec![Name::changed(change)],
            "pods" => owners_of_kind(change, "Job"),
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(job) = tools.there("jobs.batch", name) else {
                return free_orphans(tools, name).await.map(|()| None);
            };
            if !matches!(job.text("/spec/managedBy"), "" | "kubernetes.io/job-controller") {
                return Ok(None);
            }
            let pods = owners::claim(tools, pods::place(&name.namespace), &job).await?;
            if is_finished(&job) || job.is_going() {
                for pod in &pods {
                    untrack(tools, pod).await?;
                }
                return Ok(None);
            }
            if let Some(field) = UNFOLLOWED.iter().find(|field| job["spec"].get(**field).is_some()) {
                let message = format!("the simulator has no model of this: `spec.{field}` of jobs");
                tools.warning(&job, "NotModelled", &message).await;
                return Ok(None);
            }
            let mut work = Work { tools, job: &job, status: job["status"].clone(), pods, next: None };
            work.count().await?;
            work.step().await?;
            work.save(name).await?;
            Ok(work.next)
        })
    }
}

/// True for a job that is over, well or badly.
pub fn is_finished(job: &Value) -> bool {
    job.is("Complete") || job.is("Failed")
}

/// What a job's end holds back is let go when the job is gone.
async fn free_orphans(tools: &Tools, name: &Name) -> Result<(), Refusal> {
    let selector = json!({"job-name": name.name});
    for pod in tools.census.labelled(&name.namespace, &selector) {
        untrack(tools, &pod).await?;
    }
    Ok(())
}

async fn untrack(tools: &Tools, pod: &Value) -> Result<bool, Refusal> {
    if !is_tracked(pod) {
        return Ok(false);
    }
    let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": [TRACKED]}});
    let place = pods::place(pod.namespace());
    let patched = tools.client.patch(place, (pod.name(), ""), "strategic-merge", &patch).await;
    Ok(owners::gone_is_fine(patched)?.is_some())
}

fn is_tracked(pod: &Value) -> bool {
    pod.list("/metadata/finalizers").iter().any(|finalizer| finalizer == TRACKED)
}

/// One job at work.
struct Work<'w> {
    tools: &'w Tools,
    job: &'w Value,
    /// As it is to be.
    status: Value,
    pods: Vec<Arc<Value>>,
    next: Option<Duration>,
}

impl Work<'_> {
    fn indexed(&self) -> bool {
        self.job.text("/spec/completionMode") == "Indexed"
    }

    fn completions(&self) -> Option<i64> {
        self.job.at("/spec/completions").as_i64()
    }

    fn active(&self) -> Vec<Arc<Value>> {
        self.pods.iter().filter(|pod| pods::is_active(pod)).cloned().collect()
    }

    /// Counts the pods that have ended and were not counted before.
    async fn count(&mut self) -> Result<(), Refusal> {
        let mut indexes = indexes::read(self.status.text("/completedIndexes"));
        for pod in self.pods.clone() {
            // A pod that is taken away before it has ended has failed.
            let lost = pod.is_going() && pod.text("/spec/nodeName").is_empty();
            if !is_tracked(&pod) || !(pods::has_ended(&pod) || lost) {
                continue;
            }
            untrack(self.tools, &pod).await?;
            let field = match pod.text("/status/phase") {
                "Succeeded" => "succeeded",
                _ => "failed",
            };
            let index = pod.annotation(INDEX).and_then(|index| index.parse().ok());
            match (field, index.filter(|_| self.indexed())) {
                ("succeeded", Some(index)) => {
                    indexes.insert(index);
                    self.status["completedIndexes"] = json!(indexes::shown(&indexes));
                    self.status["succeeded"] = json!(indexes.len());
                }
                _ => self.status[field] = json!(self.status.number(&format!("/{field}")) + 1),
            }
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<(), Refusal> {
        let now = self.tools.client.cluster().now();
        let suspended = self.job.flag("/spec/suspend");
        if !suspended && !self.status.has("/startTime") {
            self.status["startTime"] = json!(now);
        }
        if let Some((reason, message)) = self.failure() {
            self.say("FailureTarget", "True", reason, message);
            self.stop_all().await?;
            if self.active().is_empty() && !self.pods.iter().any(|pod| pods::is_terminating(pod)) {
                self.say("Failed", "True", reason, message);
                self.tools.warning(self.job, reason, message).await;
            }
            return Ok(());
        }
        let active = self.active();
        let succeeded = self.status.number("/succeeded");
        let enough = match self.completions() {
            Some(completions) => succeeded >= completions,
            None => succeeded > 0 && active.is_empty(),
        };
        if enough {
            let (reason, message) = ("CompletionsReached", "Reached expected number of succeeded pods");
            self.say("SuccessCriteriaMet", "True", reason, message);
            self.stop_all().await?;
            if !self.pods.iter().any(|pod| pods::is_terminating(pod)) {
                self.say("Complete", "True", reason, message);
                self.status["completionTime"] = json!(now);
                self.tools.normal(self.job, "Completed", "Job completed").await;
            }
            return Ok(());
        }
        let was_suspended = self.job.is("Suspended");
        if suspended {
            for pod in self.active() {
                self.discard(&pod).await?;
            }
            if !was_suspended {
                self.say("Suspended", "True", "JobSuspended", "Job suspended");
                self.tools.normal(self.job, "Suspended", "Job suspended").await;
            }
            take(&mut self.status, "startTime");
            return Ok(());
        }
        if was_suspended {
            self.say("Suspended", "False", "JobResumed", "Job resumed");
            self.status["startTime"] = json!(now);
            self.tools.normal(self.job, "Resumed", "Job resumed").await;
        }
        self.manage(active).await
    }

    /// Why the job has failed, if it has.
    fn failure(&mut self) -> Option<(&'static str, &'static str)> {
        const LIMIT: (&str, &str) = ("BackoffLimitExceeded", "Job has reached the specified backoff limit");
        let target = self.job.condition("FailureTarget");
        if target.is_some_and(|target| target["reason"] == "DeadlineExceeded") {
            return Some(("DeadlineExceeded", "Job was active longer than specified deadline"));
        }
        let limit = self.job.number("/spec/backoffLimit");
        if target.is_some() || self.status.number("/failed") > limit {
            return Some(LIMIT);
        }
        if self.job.text("/spec/template/spec/restartPolicy") == "OnFailure" {
            let active = self.active();
            let statuses = active.iter().flat_map(|pod| {
                pod.list("/status/initContainerStatuses").iter().chain(pod.list("/status/containerStatuses"))
            });
            let restarts: i64 = statuses.map(|status| status.number("/restartCount")).sum();
            if restarts > 0 && restarts >= limit {
                return Some(LIMIT);
            }
        }
        let started: Timestamp = self.status.text("/startTime").parse().ok()?;
        let deadline = started + SignedDuration::from_secs(self.job.at("/spec/activeDeadlineSeconds").as_i64()?);
        let left = deadline.duration_since(self.tools.now());
        if self.job.flag("/spec/suspend") {
            return None;
        }
        if left.is_positive() {
            self.look_again(left);
            return None;
        }
        Some(("DeadlineExceeded", "Job was active longer than specified deadline"))
    }

    fn look_again(&mut self, left: SignedDuration) {
        let left = Duration::try_from(left).unwrap_or_default();
        self.next = Some(self.next.map_or(left, |known| known.min(left)));
    }

    async fn manage(&mut self, active: Vec<Arc<Value>>) -> Result<(), Refusal> {
        let parallelism = self.job.number("/spec/parallelism");
        let succeeded = self.status.number("/succeeded");
        let count = i64::try_from(active.len()).expect("there are fewer pods than numbers");
        let wanted = match self.completions() {
            Some(completions) => parallelism.min(completions - succeeded),
            None if succeeded > 0 => count.min(parallelism),
            None => parallelism,
        };
        if count > wanted {
            let mut surplus = active.clone();
            pods::by_dispensability(&mut surplus, &[]);
            for pod in surplus.into_iter().take(usize::try_from(count - wanted).unwrap_or_default()) {
                self.discard(&pod).await?;
            }
            return Ok(());
        }
        if count == wanted {
            return Ok(());
        }
        let left = self.pause();
        if left.is_positive() {
            self.look_again(left);
            return Ok(());
        }
        let missing = usize::try_from(wanted - count).unwrap_or_default();
        if !self.indexed() {
            let pod = self.pod();
            for _ in 0..missing {
                self.create(&pod).await?;
            }
            return Ok(());
        }
        let done = indexes::read(self.status.text("/completedIndexes"));
        let taken: BTreeSet<i64> =
            active.iter().filter_map(|pod| pod.annotation(INDEX)).filter_map(|index| index.parse().ok()).collect();
        let free =
            (0..self.completions().unwrap_or_default()).filter(|index| !done.contains(index) && !taken.contains(index));
        for index in free.take(missing) {
            self.create(&indexes::pod(self.pod(), self.job.name(), index)).await?;
        }
        Ok(())
    }

    /// How long there is to wait after the last failure.
    fn pause(&self) -> SignedDuration {
        let failed = self.status.number("/failed");
        let ended = |pod: &Arc<Value>| {
            let statuses = pod.list("/status/containerStatuses").iter();
            let ends = statuses.map(|status| status.text("/state/terminated/finishedAt"));
            ends.max().and_then(|end| end.parse::<Timestamp>().ok())
        };
        let failures = self.pods.iter().filter(|pod| pod.text("/status/phase") == "Failed");
        let latest = failures.filter_map(ended).max();
        let Some(latest) = latest.filter(|_| failed > 0) else { return SignedDuration::ZERO };
        let times = i32::try_from((failed - 1).min(10)).expect("it is small");
        let pause = FIRST_PAUSE.checked_mul(1 << times).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        (latest + pause).duration_since(self.tools.now())
    }

    fn pod(&self) -> Value {
        let mut pod = pods::from_template(&self.job["spec"]["template"], self.job);
        list(&mut pod["metadata"], "finalizers").push(json!(TRACKED));
        pod
    }

    async fn create(&mut self, pod: &Value) -> Result<(), Refusal> {
        let created = pods::create(self.tools, self.job, pod).await?;
        self.pods.push(Arc::new(created));
        Ok(())
    }

    async fn stop_all(&mut self) -> Result<(), Refusal> {
        for pod in self.active() {
            self.stop(&pod).await?;
        }
        Ok(())
    }

    async fn stop(&mut self, pod: &Value) -> Result<(), Refusal> {
        pods::delete(self.tools, self.job, pod).await?;
        let there = self.tools.there("pods", &Name::of(pod));
        self.pods.retain(|known| known.uid() != pod.uid());
        self.pods.extend(there);
        Ok(())
    }

    /// Takes a pod away that is not wanted now; it doesn't count as a failure.
    async fn discard(&mut self, pod: &Value) -> Result<(), Refusal> {
        untrack(self.tools, pod).await?;
        self.stop(pod).await
    }

    fn say(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let now = self.tools.client.cluster().now();
        let condition = Condition { kind, status, reason, message };
        conditions::set(&mut self.status, condition, &now, &json!({"lastProbeTime": now}));
    }

    async fn save(&mut self, name: &Name) -> Result<(), Refusal> {
        let active = self.active();
        let ready = active.iter().filter(|pod| pods::is_ready(pod)).count();
        let terminating = self.pods.iter().filter(|pod| pods::is_terminating(pod)).count();
        let status = map(&mut self.status, "uncountedTerminatedPods");
        status.clear();
        match active.len() {
            0 => drop(take(&mut self.status, "active")),
            count => self.status["active"] = json!(count),
        }
        self.status["ready"] = json!(ready);
        self.status["terminating"] = json!(terminating);
        if self.status == self.job["status"] {
            return Ok(());
        }
        let mut updated = self.job.clone();
        updated["status"] = self.status.clone();
        let place = Place { api_version: "batch/v1", resource: "jobs", namespace: &name.namespace };
        owners::gone_is_fine(self.tools.client.update(place, "status", &updated).await)?;
        Ok(())
    }
}
