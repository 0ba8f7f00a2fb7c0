//! Logs: read as they are, or followed through broken connections without losing a line or telling one twice.

use std::time::Duration;

use futures::{StreamExt, stream, stream::BoxStream};
use jiff::Timestamp;

use super::{
    client::{Cluster, Lines, Query},
    object::{at, items, name, text},
};
use crate::{
    host::wait::Progress,
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// How soon a log is asked for again that was cut off, or that is not there yet.
const AGAIN: Duration = Duration::from_secs(1);

/// Which part of a log is read.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    pub container: Option<String>,
    pub tail: Option<u64>,
    pub previous: bool,
    pub since: Option<Duration>,
    pub since_time: Option<Timestamp>,
    pub timestamps: bool,
    /// How many bytes at most.
    pub limit: Option<u64>,
}

impl Cluster {
    /// The log of a pod's container.
    ///
    /// # Errors
    /// `not_found`, or `invalid` if it has several containers and none is named.
    pub async fn log(&self, namespace: &str, pod: &str, options: &LogOptions) -> Result<String, Fault> {
        let query = self.log_query(namespace, pod, options).await?;
        let answer = self.ask(query).await.map_err(explained)?;
        Ok(String::from_utf8_lossy(&answer.bytes).into_owned())
    }

    async fn log_query(&self, namespace: &str, pod: &str, options: &LogOptions) -> Result<Query, Fault> {
        let pods = self.resolve("pods").await?;
        let mut subject = self.subject("get", &pods, Some(namespace), Some(pod));
        subject.resource.push_str("/log");
        Ok(Query::get(format!("{}/log", pods.path(Some(namespace), Some(pod))), subject)
            .accepting("*/*")
            .with_some("container", options.container.as_deref())
            .with_some("tailLines", options.tail.map(|tail| tail.to_string()))
            .with_some("sinceSeconds", options.since.map(|since| since.as_secs().max(1).to_string()))
            .with_some("sinceTime", options.since_time.map(whole_seconds))
            .with_some("limitBytes", options.limit.map(|limit| limit.to_string()))
            .with_some("timestamps", options.timestamps.then_some("true"))
            .with_some("previous", options.previous.then_some("true")))
    }
}

/// Servers hand the second on to the node, and nothing finer.
fn whole_seconds(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).map_or_else(|_| moment.to_string(), |moment| moment.to_string())
}

/// What a server says of a log that is not there yet, with what helps.
fn explained(fault: Fault) -> Fault {
    match () {
        () if is_to_start(&fault) => fault.hint("`wait` for the pod to be ready first, or follow its log"),
        () if fault.message.contains("previous terminated container") => {
            fault.hint("leave `previous` out: the container has not ended before")
        }
        () if fault.message.contains("a container name must be specified") => {
            fault.hint("name one with `container`, or read them all with `all_containers`")
        }
        () => fault,
    }
}

/// True if the container has not started yet, and still may.
fn is_to_start(fault: &Fault) -> bool {
    fault.message.contains("is waiting to start") && !fault.message.contains("image can't be pulled")
}

/// The names of a pod's containers, those first that run first.
pub fn containers(pod: &Tree) -> Vec<String> {
    let all = items(pod, &["spec", "initContainers"]).iter().chain(items(pod, &["spec", "containers"]));
    all.filter_map(|container| text(container, &["name"])).map(str::to_owned).collect()
}

/// A log that is followed.
pub struct Follower {
    pub cluster: Cluster,
    pub namespace: String,
    pub pod: String,
    pub options: LogOptions,
    /// What each line begins with.
    pub prefix: String,
    pub progress: Progress,
}

impl Follower {
    /// The lines as they are written, until the container has ended.
    pub fn lines(self) -> BoxStream<'static, Result<String, Fault>> {
        let state = Following { follower: self, lines: None, told: Told::default() };
        stream::try_unfold(state, |mut state| async move {
            let line = state.next().await?;
            Ok(line.map(|line| (line, state)))
        })
        .boxed()
    }

    /// The log from its beginning, or from where it was.
    async fn open(&self, last: Option<Timestamp>) -> Result<Lines, Fault> {
        let Follower { cluster, namespace, pod, options, .. } = self;
        let mut options = LogOptions { timestamps: true, ..options.clone() };
        if let Some(last) = last {
            options = LogOptions { tail: None, since: None, since_time: Some(last), ..options };
        }
        let query = cluster.log_query(namespace, pod, &options).await?;
        cluster.stream(query.with("follow", "true")).await
    }

    /// True if nothing more will be written: the container has ended, or its pod is gone.
    async fn has_ended(&self) -> Result<bool, Fault> {
        let Follower { cluster, namespace, pod, options, .. } = self;
        let pod = match cluster.find(&cluster.resolve("pods").await?, namespace, pod).await {
            Ok(Some(pod)) => pod,
            Ok(None) => return Ok(true),
            Err(fault) if fault.kind.passes() => return Ok(false),
            Err(fault) => return Err(fault),
        };
        let container = options.container.clone().or_else(|| containers(&pod).pop()).unwrap_or_default();
        let statuses = items(&pod, &["status", "initContainerStatuses"])
            .iter()
            .chain(items(&pod, &["status", "containerStatuses"]));
        let mut own = statuses.filter(|status| text(status, &["name"]) == Some(&container));
        // A server has an empty log for a pod that no node has yet.
        let has_run = own.any(|status| {
            at(status, &["state", "running"]).is_none()
                && [["state", "terminated"], ["lastState", "terminated"]].iter().any(|path| at(status, path).is_some())
        });
        let over = matches!(text(&pod, &["status", "phase"]), Some("Succeeded" | "Failed"));
        Ok(options.previous || over || has_run)
    }
}

struct Following {
    follower: Follower,
    lines: Option<Lines>,
    told: Told,
}

impl Following {
    async fn next(&mut self) -> Result<Option<String>, Fault> {
        loop {
            let read = match &mut self.lines {
                None => match self.follower.open(self.told.last).await {
                    Ok(lines) => {
                        self.lines = Some(lines);
                        continue;
                    }
                    Err(fault) => Err(fault),
                },
                Some(lines) => lines.next().await,
            };
            match read {
                Ok(Some(line)) => {
                    let line = String::from_utf8_lossy(&line);
                    let Some(line) = self.told.take(&line, self.follower.options.timestamps) else { continue };
                    return Ok(Some(format!("{}{line}", self.follower.prefix)));
                }
                Ok(None) if self.follower.has_ended().await? => return Ok(None),
                Ok(None) => self.again("it ended, and its container has not").await,
                Err(fault) if is_to_start(&fault) || fault.kind.passes() || fault.kind == Kind::Timeout => {
                    self.again(&fault.message).await;
                }
                // The pod went.
                Err(fault) if fault.kind == Kind::NotFound && self.told.any() => return Ok(None),
                Err(fault) => return Err(explained(fault)),
            }
        }
    }

    async fn again(&mut self, because: &str) {
        let Follower { cluster, pod, progress, .. } = &self.follower;
        progress.because(format!("the log of {pod} is not there for now: {because}"));
        cluster.host().clock.sleep(AGAIN).await;
        self.lines = None;
        self.told.begin_again();
    }
}

/// What was told of a log, so that it goes on where it was: a log that is asked for again begins with the second of its last line.
#[derive(Debug, Default)]
pub struct Told {
    last: Option<Timestamp>,
    /// How many lines of that very moment were told.
    of_last: usize,
    /// How many lines of that moment come again.
    to_skip: Option<usize>,
}

impl Told {
    /// The line without its time, unless that is wanted; none if it was told before.
    pub fn take(&mut self, line: &str, with_time: bool) -> Option<String> {
        let stamped =
            line.split_once(' ').or(Some((line, ""))).and_then(|(time, rest)| Some((time.parse().ok()?, rest)));
        let Some((time, rest)) = stamped else { return Some(line.to_owned()) };
        let time: Timestamp = time;
        if let (Some(left), Some(last)) = (self.to_skip, self.last) {
            if time < last {
                return None;
            }
            if time == last && left > 0 {
                self.to_skip = Some(left - 1);
                return None;
            }
            self.to_skip = None;
        }
        match self.last {
            Some(last) if time == last => self.of_last += 1,
            Some(last) if time < last => {}
            _ => (self.last, self.of_last) = (Some(time), 1),
        }
        Some(if with_time { line.to_owned() } else { rest.to_owned() })
    }

    /// The log begins again.
    pub fn begin_again(&mut self) {
        self.to_skip = self.last.map(|_| self.of_last);
    }

    fn any(&self) -> bool {
        self.last.is_some()
    }
}

/// What lines of several logs begin with.
pub fn prefix(pod: &Tree, container: Option<&str>) -> String {
    match container {
        Some(container) => format!("{}/{container}: ", name(pod)),
        None => format!("{}: ", name(pod)),
    }
}
