//! The life of one container: pulled, created, started, ended, and all over again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::kubernetes::{
    behaviour::{Behaviour, End, Readiness},
    controllers::fields::Fields,
};

/// How long a kubelet waits before it restarts or pulls again, at first and at most.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(300);
/// Who has run for so long is not in a loop.
const FORGIVEN_AFTER: SignedDuration = SignedDuration::from_secs(600);
/// Between looking at a pod and looking again.
const LOOK: SignedDuration = SignedDuration::from_secs(1);

pub struct Container {
    pub name: String,
    pub is_init: bool,
    pub stage: Stage,
    pub restarts: u32,
    /// How it ended last.
    pub last: Option<Ended>,
    pub policy: Policy,
    pause: SignedDuration,
    pulls: u32,
    starts: u32,
    probed: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Others come first.
    Waiting,
    Pulling {
        since: Timestamp,
        until: Timestamp,
    },
    /// Its image can't be had: known just now, or since a while.
    NoImage {
        why: String,
        backing_off: bool,
        until: Timestamp,
        again: Timestamp,
    },
    Creating {
        until: Timestamp,
    },
    Running {
        since: Timestamp,
    },
    /// It has ended, for good unless it is restarted at a time.
    Ended {
        how: Ended,
        restart: Option<Timestamp>,
    },
    /// It will be restarted later: it is in a loop.
    BackingOff {
        until: Timestamp,
        pause: SignedDuration,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub code: i32,
    pub reason: String,
    pub started: Timestamp,
    pub finished: Timestamp,
}

/// When a container is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Always,
    OnFailure,
    Never,
}

/// Something to tell of a container.
pub struct Told {
    pub weight: &'static str,
    pub reason: &'static str,
    pub message: String,
}

/// What a container is looked at with.
pub struct Look<'l> {
    pub now: Timestamp,
    /// As its pod says.
    pub spec: &'l Value,
    pub pod: &'l Value,
    pub behaviour: &'l Behaviour,
    /// Its machine has the image.
    pub has_image: bool,
}

impl Policy {
    pub fn read(text: &str) -> Self {
        match text {
            "Never" => Self::Never,
            "OnFailure" => Self::OnFailure,
            _ => Self::Always,
        }
    }

    fn restarts(self, code: i32) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => code != 0,
            Self::Never => false,
        }
    }
}

impl Container {
    pub fn new(spec: &Value, is_init: bool, policy: Policy) -> Self {
        Self {
            name: spec.text("/name").to_owned(),
            is_init,
            stage: Stage::Waiting,
            restarts: 0,
            last: None,
            policy,
            pause: SignedDuration::ZERO,
            pulls: 0,
            starts: 0,
            probed: None,
        }
    }

    /// True until its first start has come as far as it can without another's help.
    pub fn holds_up_others(&self) -> bool {
        self.starts == 0 && matches!(self.stage, Stage::Waiting | Stage::Pulling { .. } | Stage::Creating { .. })
    }

    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running { .. })
    }

    pub fn has_started(&self) -> bool {
        self.starts > 0
    }

    /// How it ended, if it is not restarted.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.stage {
            Stage::Ended { how, restart: None } => Some(how),
            _ => None,
        }
    }

    /// Does all that is due by now; when more is.
    pub fn advance(&mut self, look: &Look<'_>, tell: &mut Vec<Told>) -> Option<Timestamp> {
        loop {
            let due = match &self.stage {
                Stage::Waiting => Some(look.now),
                Stage::Pulling { until, .. } | Stage::Creating { until } | Stage::BackingOff { until, .. } => {
                    Some(*until)
                }
                Stage::NoImage { backing_off: false, until, .. } => Some(*until),
                Stage::NoImage { again, .. } => Some(*again),
                Stage::Running { since } => self.end_due(look, *since),
                Stage::Ended { restart, .. } => *restart,
            };
            match due {
                Some(due) if due <= look.now => self.step(look, due, tell),
                due => return [due, self.probe(look, tell)].into_iter().flatten().min(),
            }
        }
    }

    fn step(&mut self, look: &Look<'_>, at: Timestamp, tell: &mut Vec<Told>) {
        let image = look.spec.text("/image");
        match self.stage.clone() {
            Stage::Waiting => self.fetch(look, at, tell),
            Stage::Pulling { since, until } => match &look.behaviour.pull_fails {
                None => {
                    let took = shown(until.duration_since(since));
                    let message = format!(
                        "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {} bytes.",
                        size(image)
                    );
                    tell.push(normal("Pulled", message));
                    self.pulls = 0;
                    self.create(look, at, tell);
                }
                Some(why) => {
                    tell.push(warning("Failed", format!("Failed to pull image \"{image}\": {why}")));
                    tell.push(warning("Failed", "Error: ErrImagePull".to_owned()));
                    let again = at + pause(self.pulls);
                    self.pulls += 1;
                    self.stage = Stage::NoImage { why: why.clone(), backing_off: false, until: at + LOOK, again };
                }
            },
            Stage::NoImage { why, backing_off: false, until, again } => {
                tell.push(normal("BackOff", format!("Back-off pulling image \"{image}\"")));
                tell.push(warning("Failed", "Error: ImagePullBackOff".to_owned()));
                self.stage = Stage::NoImage { why, backing_off: true, until, again: again.max(until) };
            }
            Stage::NoImage { .. } => self.fetch(look, at, tell),
            Stage::Creating { .. } => {
                self.starts += 1;
                self.probed = None;
                tell.push(normal("Started", "Container started".to_owned()));
                self.stage = Stage::Running { since: at };
            }
            Stage::Running { since } => {
                let end = self.end_now(look).expect("only a container that ends by itself is due to end");
                let reason =
                    end.reason.clone().unwrap_or_else(|| if end.code == 0 { "Completed" } else { "Error" }.into());
                self.end(Ended { code: end.code, reason, started: since, finished: at });
            }
            Stage::Ended { how, .. } => {
                if self.pause.is_zero() {
                    self.pause = FIRST_PAUSE;
                    self.last = Some(how);
                    self.restarts += 1;
                    self.fetch(look, at, tell);
                } else {
                    let pause = self.pause;
                    self.pause = (pause * 2).min(LONGEST_PAUSE);
                    self.last = Some(how.clone());
                    let (pod, namespace, uid) = (look.pod.name(), look.pod.namespace(), look.pod.uid());
                    let message =
                        format!("Back-off restarting failed container {} in pod {pod}_{namespace}({uid})", self.name);
                    tell.push(warning("BackOff", message));
                    self.stage = Stage::BackingOff { until: how.finished + pause, pause };
                }
            }
            Stage::BackingOff { .. } => {
                self.restarts += 1;
                self.fetch(look, at, tell);
            }
        }
    }

    fn fetch(&mut self, look: &Look<'_>, at: Timestamp, tell: &mut Vec<Told>) {
        let image = look.spec.text("/image");
        let policy = look.spec.text("/imagePullPolicy");
        if look.has_image && policy != "Always" || policy == "Never" && look.behaviour.pull_fails.is_none() {
            let message =
                format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
            tell.push(normal("Pulled", message));
            self.create(look, at, tell);
        } else {
            tell.push(normal("Pulling", format!("Pulling image \"{image}\"")));
            // What is there only has to be compared.
            let takes = if look.has_image { Duration::from_millis(300) } else { look.behaviour.pull };
            self.stage = Stage::Pulling { since: at, until: at + signed(takes) };
        }
    }

    fn create(&mut self, look: &Look<'_>, at: Timestamp, tell: &mut Vec<Told>) {
        tell.push(normal("Created", "Container created".to_owned()));
        self.stage = Stage::Creating { until: at + signed(look.behaviour.start) };
    }

    /// Ends it, to be restarted as its policy says.
    pub fn end(&mut self, how: Ended) {
        if how.finished.duration_since(how.started) >= FORGIVEN_AFTER {
            self.pause = SignedDuration::ZERO;
        }
        let restart = self.policy.restarts(how.code).then_some(how.finished + LOOK);
        self.stage = Stage::Ended { how, restart };
    }

    /// It is not restarted, whatever its policy says.
    pub fn stay_ended(&mut self) {
        match &mut self.stage {
            Stage::Ended { restart, .. } => *restart = None,
            Stage::BackingOff { .. } => {
                if let Some(how) = self.last.clone() {
                    self.stage = Stage::Ended { how, restart: None };
                }
            }
            _ => {}
        }
    }

    fn end_now<'l>(&self, look: &Look<'l>) -> Option<&'l End> {
        let end = look.behaviour.end.as_ref()?;
        end.times.is_none_or(|times| self.starts <= times).then_some(end)
    }

    fn end_due(&self, look: &Look<'_>, since: Timestamp) -> Option<Timestamp> {
        Some(since + signed(self.end_now(look)?.after))
    }

    /// True once its startup probe has found it started.
    pub fn is_started(&self, look: &Look<'_>) -> bool {
        let Stage::Running { since } = self.stage else { return false };
        since + startup(look.spec) <= look.now
    }

    pub fn is_ready(&self, look: &Look<'_>) -> bool {
        if self.is_init && self.policy != Policy::Always {
            return matches!(&self.stage, Stage::Ended { how, .. } if how.code == 0);
        }
        let Stage::Running { since } = self.stage else { return false };
        ready_at(look, since).is_some_and(|ready| ready <= look.now)
    }

    /// Tells of probes that failed; when it is to be looked at again because of probes.
    fn probe(&mut self, look: &Look<'_>, tell: &mut Vec<Told>) -> Option<Timestamp> {
        let Stage::Running { since } = self.stage else { return None };
        let started = since + startup(look.spec);
        if started > look.now {
            return Some(started);
        }
        let ready = ready_at(look, since);
        if ready.is_some_and(|ready| ready <= look.now) {
            return None;
        }
        let probe = look.spec.at("/readinessProbe");
        if probe.is_null() {
            return ready;
        }
        let period = SignedDuration::from_secs(probe.number("/periodSeconds").max(1));
        let first = since + SignedDuration::from_secs(probe.number("/initialDelaySeconds"));
        let mut next = self.probed.map_or(first, |probed| probed + period);
        if next <= look.now {
            tell.push(warning("Unhealthy", format!("Readiness probe failed: {}", failed(probe, look.pod))));
            self.probed = Some(look.now);
            next = look.now + period;
        }
        Some(ready.map_or(next, |ready| ready.min(next)))
    }
}

/// When a container that runs since then is ready.
fn ready_at(look: &Look<'_>, since: Timestamp) -> Option<Timestamp> {
    let probe = look.spec.at("/readinessProbe");
    match look.behaviour.readiness {
        Readiness::Never => None,
        Readiness::After(time) => Some(since + signed(time)),
        Readiness::Probed => {
            let more = (probe.number("/successThreshold") - 1).max(0) * probe.number("/periodSeconds");
            let delay = SignedDuration::from_secs(probe.number("/initialDelaySeconds") + more);
            Some(since + delay.max(startup(look.spec)))
        }
    }
}

fn startup(spec: &Value) -> SignedDuration {
    SignedDuration::from_secs(spec.number("/startupProbe/initialDelaySeconds"))
}

/// What a probe that failed says.
fn failed(probe: &Value, pod: &Value) -> String {
    let address = pod.text("/status/podIP");
    let port = |of: &str| match probe.at(of) {
        Value::String(name) => name.clone(),
        port => port.to_string(),
    };
    if probe.has("/httpGet") {
        "HTTP probe failed with statuscode: 503".to_owned()
    } else if probe.has("/tcpSocket") {
        format!("dial tcp {address}:{}: connect: connection refused", port("/tcpSocket/port"))
    } else if probe.has("/grpc") {
        "service unhealthy (responded with \"NOT_SERVING\")".to_owned()
    } else {
        String::new()
    }
}

fn pause(tries: u32) -> SignedDuration {
    FIRST_PAUSE.checked_mul(1 << tries.min(5)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

pub fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// `1.5s`, `300ms`, as Go shows a duration.
pub fn shown(duration: SignedDuration) -> String {
    let milliseconds = duration.as_millis();
    match milliseconds {
        0 => "0s".to_owned(),
        1..1000 => format!("{milliseconds}ms"),
        _ => {
            let (minutes, seconds) = (milliseconds / 60_000, (milliseconds % 60_000) as f64 / 1000.0);
            if minutes == 0 { format!("{seconds}s") } else { format!("{minutes}m{seconds}s") }
        }
    }
}

/// How large an image is: some number that is its own.
fn size(image: &str) -> u64 {
    let sum = image.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    20_000_000 + sum % 180_000_000
}

fn normal(reason: &'static str, message: String) -> Told {
    Told { weight: "Normal", reason, message }
}

fn warning(reason: &'static str, message: String) -> Told {
    Told { weight: "Warning", reason, message }
}
