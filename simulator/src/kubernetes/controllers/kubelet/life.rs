//! The life of one pod on its machine.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::container::{Container, Ended, Look, Policy, Stage, Told, signed};
use crate::kubernetes::{
    behaviour::{Behaviour, End, Looked, Machines},
    controllers::{fields::Fields, owners},
};

/// From a pod's arrival at its machine to its network.
const SANDBOX: SignedDuration = SignedDuration::from_millis(300);

pub struct Life {
    pub began: Timestamp,
    pub address: Option<String>,
    pub containers: Vec<Container>,
    /// Since when its containers are being stopped, and why.
    stopping: Option<(Timestamp, Stop)>,
    sandbox: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Somebody deletes it.
    Deleted,
    /// It was active for longer than it may be.
    Late,
    /// What it was there for is done: what accompanied that ends, too.
    Done,
}

/// What can be said of a pod as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

/// What happened to a container of a pod: its part of the pod, and what.
pub type Event = (String, Told);

impl Life {
    pub fn begin(pod: &Value, now: Timestamp) -> Self {
        let whole = Policy::read(pod.text("/spec/restartPolicy"));
        let init = pod.list("/spec/initContainers").iter().map(|spec| {
            let policy = match (spec.text("/restartPolicy"), whole) {
                ("Always", _) => Policy::Always,
                // What prepares is done when it succeeds.
                (_, Policy::Never) => Policy::Never,
                _ => Policy::OnFailure,
            };
            Container::new(spec, true, policy)
        });
        let main = pod.list("/spec/containers").iter().map(|spec| {
            let policy = spec.text("/restartPolicy");
            Container::new(spec, false, if policy.is_empty() { whole } else { Policy::read(policy) })
        });
        Self {
            began: now,
            address: None,
            containers: init.chain(main).collect(),
            stopping: None,
            sandbox: now + SANDBOX,
        }
    }

    /// True once it has a network.
    pub fn has_sandbox(&self, now: Timestamp) -> bool {
        self.sandbox <= now
    }

    /// Does all that is due by now; when more is.
    pub fn advance(
        &mut self,
        pod: &Value,
        now: Timestamp,
        machines: &Machines,
        images: &mut BTreeSet<String>,
        events: &mut Vec<Event>,
    ) -> Option<Timestamp> {
        if self.sandbox > now && !pod.is_going() {
            return Some(self.sandbox);
        }
        if pod.is_going() && !matches!(self.stopping, Some((_, Stop::Deleted))) {
            self.stop(now, Stop::Deleted, events);
        }
        let deadline = pod.at("/spec/activeDeadlineSeconds").as_i64();
        let deadline = deadline.map(|seconds| self.began + SignedDuration::from_secs(seconds));
        if self.stopping.is_none() && deadline.is_some_and(|deadline| deadline <= now) {
            self.stop(now, Stop::Late, events);
        }
        if let Some((since, stop)) = self.stopping {
            return self.wind_down(pod, now, since, stop, machines);
        }
        let mut next = deadline;
        let mut held_up = false;
        for at in 0..self.containers.len() {
            let spec = spec(pod, &self.containers[at]).cloned().unwrap_or_default();
            let behaviour = behaviour(pod, &spec, &self.containers[at], machines);
            let image = spec.text("/image").to_owned();
            let look = Look { now, spec: &spec, pod, behaviour: &behaviour, has_image: images.contains(&image) };
            let container = &mut self.containers[at];
            if held_up && container.stage == Stage::Waiting {
                break;
            }
            let mut told = Vec::new();
            let due = container.advance(&look, &mut told);
            if told.iter().any(|told| told.reason == "Pulled") {
                images.insert(image);
            }
            let part = if container.is_init { "initContainers" } else { "containers" };
            let part = format!("spec.{part}{{{}}}", container.name);
            events.extend(told.into_iter().map(|told| (part.clone(), told)));
            next = [next, due].into_iter().flatten().min();
            held_up |= match container.is_init {
                // The next one begins when this one is done, or, if it accompanies the others, has started.
                true if container.policy == Policy::Always => !container.is_started(&look),
                true => container.ended().is_none_or(|ended| ended.code != 0),
                false => container.holds_up_others(),
            };
        }
        let is_over = matches!(self.phase(), Phase::Succeeded | Phase::Failed);
        if is_over && self.containers.iter().any(Container::is_running) {
            self.stop(now, Stop::Done, events);
            return Some(now);
        }
        if is_over { None } else { next }
    }

    fn stop(&mut self, now: Timestamp, why: Stop, events: &mut Vec<Event>) {
        self.stopping = Some((now, why));
        for container in self.containers.iter_mut() {
            container.stay_ended();
            if container.is_running() {
                let part = if container.is_init { "initContainers" } else { "containers" };
                let message = format!("Stopping container {}", container.name);
                let told = Told { weight: "Normal", reason: "Killing", message };
                events.push((format!("spec.{part}{{{}}}", container.name), told));
            }
        }
    }

    fn wind_down(
        &mut self,
        pod: &Value,
        now: Timestamp,
        since: Timestamp,
        why: Stop,
        machines: &Machines,
    ) -> Option<Timestamp> {
        let grace = match why {
            Stop::Deleted => pod.number("/metadata/deletionGracePeriodSeconds"),
            Stop::Late | Stop::Done => pod.number("/spec/terminationGracePeriodSeconds"),
        };
        let grace = SignedDuration::from_secs(grace);
        let mut next: Option<Timestamp> = None;
        for container in &mut self.containers {
            let Stage::Running { since: started } = container.stage else { continue };
            let spec = spec(pod, container).cloned().unwrap_or_default();
            let takes = signed(behaviour(pod, &spec, container, machines).stop);
            let end = since + takes.min(grace);
            if end > now {
                next = Some(next.map_or(end, |next| next.min(end)));
                continue;
            }
            let (code, reason) = if takes > grace { (137, "Error") } else { (0, "Completed") };
            container.end(Ended { code, reason: reason.to_owned(), started, finished: end });
            container.stay_ended();
        }
        next
    }

    /// True if it was stopped because it was active for too long.
    pub fn is_late(&self) -> bool {
        matches!(self.stopping, Some((_, Stop::Late)))
    }

    /// True when nothing of it runs any more, or ever will.
    pub fn has_stopped(&self) -> bool {
        self.stopping.is_some() && !self.containers.iter().any(Container::is_running)
    }

    pub fn phase(&self) -> Phase {
        if self.is_late() {
            return Phase::Failed;
        }
        let (init, main): (Vec<_>, Vec<_>) = self.containers.iter().partition(|container| container.is_init);
        if init.iter().any(|container| container.ended().is_some_and(|ended| ended.code != 0)) {
            return Phase::Failed;
        }
        if self.has_stopped() && main.iter().any(|container| container.ended().is_none()) {
            return if main.iter().any(|container| container.has_started()) { Phase::Failed } else { Phase::Pending };
        }
        if main.iter().any(|container| !container.has_started()) {
            return Phase::Pending;
        }
        let ended: Option<Vec<&Ended>> = main.iter().map(|container| container.ended()).collect();
        match ended {
            None => Phase::Running,
            Some(ended) if ended.iter().all(|ended| ended.code == 0) => Phase::Succeeded,
            Some(_) => Phase::Failed,
        }
    }
}

/// What a pod says of one of its containers.
pub fn spec<'p>(pod: &'p Value, container: &Container) -> Option<&'p Value> {
    let list = if container.is_init { "/spec/initContainers" } else { "/spec/containers" };
    pod.list(list).iter().find(|spec| spec["name"] == container.name.as_str())
}

/// How a container behaves: as the world says, or as such containers mostly do.
pub fn behaviour(pod: &Value, spec: &Value, container: &Container, machines: &Machines) -> Behaviour {
    let looked =
        Looked { image: spec.text("/image"), namespace: pod.namespace(), pod: pod.name(), container: &container.name };
    machines.behaviour(looked).unwrap_or_else(|| {
        let prepares = container.is_init && container.policy != Policy::Always;
        let works = owners::controller_of(pod).is_some_and(|owner| owner["kind"] == "Job") && !container.is_init;
        let end = End { after: std::time::Duration::from_secs(1), code: 0, reason: None, times: None };
        Behaviour { end: (prepares || works).then_some(end), ..Behaviour::default() }
    })
}
