//! Reading logs, and following them.

use std::time::Duration;

use futures::{StreamExt, stream, stream::BoxStream};
use jiff::Timestamp;
use rhai::{Dynamic, FnPtr, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    event::{WaitEnd, What},
    host::wait::{Interrupted, Progress, Waiting},
    kubernetes::{
        client::{Cluster, Selection},
        crowd::{Crowd, Line},
        logs::{Follower, LogOptions, containers, prefix},
        object,
        watch::Observer,
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Reads the log of a pod.
    #[rhai_fn(global, pure, return_raw)]
    pub fn logs(context: NativeCallContext, cluster: &mut Cluster, pod: &str) -> Outcome<Dynamic> {
        read_or_follow(&context, cluster, Some(pod), Map::new(), None)
    }

    /// Reads the logs of the pods that the options select.
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_of_selected(context: NativeCallContext, cluster: &mut Cluster, options: Map) -> Outcome<Dynamic> {
        read_or_follow(&context, cluster, None, options, None)
    }

    /// Follows the logs of the pods that the options select.
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_of_selected_told(
        context: NativeCallContext,
        cluster: &mut Cluster,
        options: Map,
        each: FnPtr,
    ) -> Outcome<Dynamic> {
        read_or_follow(&context, cluster, None, options, Some(&each))
    }

    /// Reads the log of a pod as the options say.
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        pod: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        read_or_follow(&context, cluster, Some(pod), options, None)
    }

    /// Reads the log of a pod, of all pods of a workload (`deployment/web`), or of the pods with some labels; or follows it.
    ///
    /// With `follow`, `until` or a closure the log is followed: each line is shown when it is written, or told to the closure.
    /// That ends when a line has the text `until`, when the closure says `true`, when all containers have ended, or when its
    /// time is up. A container that has not started yet is waited for; a connection that breaks is made again, and no line is
    /// lost or told twice by that. Of a workload or of labels, pods that are made later are followed, too.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `pod` (text): the pod's name, or `kind/name` of a workload; left out where the option `labels` selects
    /// - `options` (map): see below
    /// - `each` (function): is given each line; if it says `true`, that is the end
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `labels` (text or map): the pods with these labels: `app=web`, or a map
    /// - `container` (text): which container, if there are several
    /// - `all_containers` (boolean, `false`): all of them, one after the other, those first that run first
    /// - `tail` (integer): only that many last lines
    /// - `since` (duration): only what was written since then
    /// - `since_time` (time or text): only what was written after that moment, such as `"2026-11-21T10:00:00Z"`
    /// - `timestamps` (boolean, `false`): with the time of each line in front of it
    /// - `limit` (integer): only that many bytes of each container
    /// - `previous` (boolean, `false`): of the container that ran before and crashed
    /// - `follow` (boolean, `false`): go on with what is written from now on
    /// - `until` (text): follow until a line has this in it
    /// - `timeout` (duration, 30s, or 5m for following): how long it may take
    ///
    /// # Returns
    /// A text; with several pods or containers each line begins with their names. If it was followed, the line that ended it,
    /// or `()` if none did.
    ///
    /// # Faults
    /// - `not_found`: there is no such pod
    /// - `invalid`: it has several containers and none is named, or none has run yet
    /// - `denied`: this user may not read it
    /// - `usage`: neither a pod nor labels are given, or options contradict each other
    /// - `failed`: all containers have ended, and no line had `until` in it
    /// - `timeout`: no line had `until` in it in time, or the log was not read in time
    /// - `unavailable`: the node does not answer
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// print(cluster.logs(#{ labels: "app=nothing-has-this", namespace: "default", tail: 20 }));
    /// fn started(cluster) {
    ///     cluster.logs("deployment/web", #{ until: "ready to accept connections", timeout: "2m" });
    /// }
    /// ```
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_told(
        context: NativeCallContext,
        cluster: &mut Cluster,
        pod: &str,
        options: Map,
        each: FnPtr,
    ) -> Outcome<Dynamic> {
        read_or_follow(&context, cluster, Some(pod), options, Some(&each))
    }
}

/// How many logs are read at once.
const AT_ONCE: usize = 8;

/// How many lines that are there already are taken in one go.
const LINES: usize = 256;

/// How long another pod is waited for when all that were followed have ended, and nothing was found.
const ANOTHER: Duration = Duration::from_secs(5);

const READING: Duration = Duration::from_secs(30);
const FOLLOWING: Duration = Duration::from_secs(5 * 60);

/// Whose logs.
#[derive(Clone)]
enum Whose {
    Pod(String),
    Workload(String),
    Labelled(String),
}

impl Whose {
    fn read(pod: Option<&str>, labels: Option<String>) -> Result<Self, Fault> {
        match (pod, labels) {
            (Some(pod), None) if !pod.contains('/') => Ok(Self::Pod(pod.to_owned())),
            (Some(workload), None) => Ok(Self::Workload(workload.to_owned())),
            (None, Some(labels)) => Ok(Self::Labelled(labels)),
            (Some(_), Some(_)) => {
                Err(Fault::new(Kind::Usage, "both a pod and `labels` are given").hint("keep one of them"))
            }
            (None, None) => {
                Err(Fault::new(Kind::Usage, "neither a pod nor `labels` are given").hint("give one of them"))
            }
        }
    }
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Pod(shown) | Self::Workload(shown) | Self::Labelled(shown)) = self;
        f.write_str(shown)
    }
}

/// One log of those that are wanted.
struct Source {
    pod: String,
    prefix: String,
    options: LogOptions,
}

fn read_or_follow(
    context: &NativeCallContext,
    cluster: &Cluster,
    pod: Option<&str>,
    options: Map,
    each: Option<&FnPtr>,
) -> Outcome<Dynamic> {
    let options = context.options("k8s::logs", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let labels = given::selector(&options, "labels").map_err(raise)?;
    let whose = Whose::read(pod, labels).map_err(raise)?;
    let wanted = log_options(&options).map_err(raise)?;
    let until = options.text("until");
    let followed = options.flag("follow") || until.is_some() || each.is_some();
    let usual = if followed { FOLLOWING } else { READING };
    let timeout = options.duration("timeout").map_err(raise)?.unwrap_or(usual);
    let all_containers = options.flag("all_containers");
    if all_containers && wanted.container.is_some() {
        let fault = Fault::new(Kind::Usage, "both `container` and `all_containers` are given");
        return Err(raise(fault.hint("keep one of them")));
    }
    let namespace = given::namespace(&options, cluster);
    let reading = Reading { cluster: cluster.here(), namespace, whose, wanted, all_containers };
    match followed {
        true => follow(context, reading, until.as_deref(), each, timeout),
        false => {
            let what = format!("the log of {} of {cluster}", reading.whose);
            context.wait(Waiting::request(what, timeout), |_| reading.read()).map(Dynamic::from)
        }
    }
}

/// What is read.
struct Reading {
    cluster: Cluster,
    namespace: String,
    whose: Whose,
    wanted: LogOptions,
    all_containers: bool,
}

impl Reading {
    async fn read(self) -> Result<String, Fault> {
        let sources = self.sources().await?;
        let log = |source: Source| {
            let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
            async move {
                let log = cluster.log(&namespace, &source.pod, &source.options).await?;
                Ok((source.prefix, log))
            }
        };
        let logs: Vec<Result<(String, String), Fault>> =
            stream::iter(sources.into_iter().map(log)).buffered(AT_ONCE).collect().await;
        let mut all = String::new();
        for log in logs {
            let (prefix, log) = log?;
            match prefix.is_empty() {
                true => all.push_str(&log),
                false => all.extend(log.lines().flat_map(|line| [prefix.as_str(), line, "\n"])),
            }
        }
        Ok(all)
    }

    async fn sources(&self) -> Result<Vec<Source>, Fault> {
        let pods = match &self.whose {
            Whose::Pod(pod) if !self.all_containers => {
                let options = self.wanted.clone();
                return Ok(vec![Source { pod: pod.clone(), prefix: String::new(), options }]);
            }
            Whose::Pod(target) | Whose::Workload(target) => self.cluster.pods_behind(&self.namespace, target).await?,
            Whose::Labelled(labels) => {
                let selection = Selection {
                    namespace: Some(self.namespace.clone()),
                    labels: Some(labels.clone()),
                    ..Selection::default()
                };
                self.cluster.list(&self.cluster.resolve("pods").await?, &selection).await?.objects
            }
        };
        Ok(pods.iter().flat_map(|pod| self.sources_of(pod)).collect())
    }

    fn sources_of(&self, pod: &Tree) -> Vec<Source> {
        let source = |container: Option<String>| Source {
            pod: object::name(pod).to_owned(),
            prefix: prefix(pod, container.as_deref()),
            options: LogOptions { container: container.or(self.wanted.container.clone()), ..self.wanted.clone() },
        };
        match self.all_containers {
            true => containers(pod).into_iter().map(Some).map(source).collect(),
            false => vec![source(None)],
        }
    }

    /// The lines of the logs; `patience` is how long another pod is waited for when all have ended.
    async fn follow(self, progress: Progress, patience: Duration) -> Result<BoxStream<'static, Line>, Fault> {
        let (labels, none) = match &self.whose {
            Whose::Labelled(labels) => {
                (Some(labels.clone()), format!("there are no pods with `{labels}` in `{}`", self.namespace))
            }
            Whose::Workload(target) => (
                self.cluster.selector_of(&self.namespace, target).await?,
                format!("`{target}` in `{}` has no pods", self.namespace),
            ),
            Whose::Pod(_) => (None, String::new()),
        };
        let Some(labels) = labels else {
            let followers = self.sources().await?.into_iter().map(|source| self.follower(source, &progress).lines());
            return Ok(stream::select_all(followers).boxed());
        };
        let namespace = Some(self.namespace.clone());
        let selection = Selection { namespace, labels: Some(labels), ..Selection::default() };
        let pods = Observer::new(self.cluster.clone(), "pods".to_owned(), selection);
        let clock = self.cluster.host().clock.clone();
        let logs = {
            let progress = progress.clone();
            move |pod: &Tree, later: bool| {
                let whole = |source: Source| match later {
                    true => Source { options: LogOptions { tail: None, ..source.options }, ..source },
                    false => source,
                };
                let sources = self.sources_of(pod).into_iter().map(whole);
                sources.map(|source| self.follower(source, &progress)).collect()
            }
        };
        let lines = Crowd { pods: Some(pods), logs, patience, clock, progress }.lines().await?;
        lines.ok_or_else(|| Fault::new(Kind::NotFound, none))
    }

    fn follower(&self, source: Source, progress: &Progress) -> Follower {
        let (cluster, namespace, progress) = (self.cluster.clone(), self.namespace.clone(), progress.clone());
        let Source { pod, prefix, options } = source;
        Follower { cluster, namespace, pod, options, prefix, progress }
    }
}

fn follow(
    context: &NativeCallContext,
    reading: Reading,
    until: Option<&str>,
    each: Option<&FnPtr>,
    timeout: Duration,
) -> Outcome<Dynamic> {
    let host = context.host();
    let goal = match (until, each) {
        (Some(until), _) => format!(" to say `{until}`"),
        (None, Some(_)) => " to say what is asked for".to_owned(),
        (None, None) => String::new(),
    };
    let what = format!("the log of {} of {}{goal}", reading.whose, reading.cluster);
    let mut wait = host.begin(Waiting::until(what.clone(), timeout));
    let progress = wait.progress();
    let patience = if goal.is_empty() { Duration::ZERO } else { ANOTHER };
    let mut lines = context.drive(&mut wait, reading.follow(progress.clone(), patience))?.ready_chunks(LINES);
    loop {
        let next = async move { (lines.next().await, lines) };
        let (chunk, back) = match wait.drive(next) {
            Ok(next) => next,
            // Whoever waits for no line has seen what there was to see.
            Err(Interrupted::TimedOut { .. }) if goal.is_empty() => {
                wait.end(WaitEnd::Met);
                return Ok(Dynamic::UNIT);
            }
            Err(interrupted) => return Err(context.interrupted(interrupted)),
        };
        lines = back;
        let Some(chunk) = chunk else {
            if goal.is_empty() {
                wait.end(WaitEnd::Met);
                return Ok(Dynamic::UNIT);
            }
            let fault = Fault::new(Kind::Failed, format!("waiting for {what} is in vain: it has ended"));
            return Err(context.raise(fault.notes(progress.last().map(|last| format!("last seen: {last}")))));
        };
        for line in chunk {
            let line = line.map_err(|fault| context.raise(fault))?;
            let ends = match each {
                Some(each) => {
                    progress.because(format!("it says {}", beginning(&line)));
                    each.call_within_context::<Dynamic>(context, (line.clone(),))?.as_bool() == Ok(true)
                }
                None => {
                    host.events.emit(What::Printed { text: line.clone() });
                    false
                }
            };
            if ends || until.is_some_and(|until| line.contains(until)) {
                wait.end(WaitEnd::Met);
                return Ok(line.into());
            }
        }
    }
}

/// As much of a line as a reason has room for.
fn beginning(line: &str) -> String {
    const LENGTH: usize = 80;
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn log_options(options: &Options) -> Result<LogOptions, Fault> {
    let count = |name: &str| {
        let given = options.integer(name);
        given
            .map(|given| {
                u64::try_from(given).map_err(|_| {
                    Fault::new(Kind::Usage, format!("option `{name}` is {given}: there is no less than nothing"))
                })
            })
            .transpose()
    };
    let since = options.duration("since")?;
    let since_time = options.value("since_time").map(|given| moment(&given)).transpose()?;
    if since.is_some() && since_time.is_some() {
        return Err(Fault::new(Kind::Usage, "both `since` and `since_time` are given").hint("keep one of them"));
    }
    Ok(LogOptions {
        container: options.text("container"),
        tail: count("tail")?,
        previous: options.flag("previous"),
        since,
        since_time,
        timestamps: options.flag("timestamps"),
        limit: count("limit")?,
    })
}

fn moment(given: &Dynamic) -> Result<Timestamp, Fault> {
    if let Some(moment) = given.read_lock::<Timestamp>() {
        return Ok(*moment);
    }
    given.to_string().parse().map_err(|_| {
        Fault::new(Kind::Usage, format!("option `since_time` is no time: `{given}`"))
            .hint("such as `now() - 1.h` or `\"2026-11-21T10:00:00Z\"`")
    })
}
