//! Logs: what a container has written, and what it writes from now on, as its kubelet tells it.

use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::sleep;

use super::{
    Asked,
    container::{Container, Run},
    machine, plain, whole,
};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    behaviour::{End, Line},
    cluster::Cluster,
    controllers::fields::Fields as _,
    decoding::{Fraction, not_time},
    request::Request,
    server::Body,
    store::Key,
};

/// States tell whole seconds: an end within one may have been at its very end.
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);

/// Which part of a log is wanted, and in which form.
#[derive(Debug, Clone, Default)]
struct Options {
    follow: bool,
    previous: bool,
    timestamps: bool,
    since_seconds: Option<i64>,
    since_time: Option<Timestamp>,
    tail: Option<i64>,
    limit: Option<i64>,
}

/// What logs are written in.
const FORM: &str = "text/plain";

/// What refusals are written in, and what a client therefore has to take, though the log itself is plain text.
const FORMS: [&str; 3] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

pub fn answer(asked: &Asked<'_>) -> Result<Response<Body>, Refusal> {
    if !takes_refusals(asked.request) {
        return Err(Refusal::not_acceptable(&FORMS));
    }
    let options = Options::read(asked.request)?;
    options.check(asked)?;
    let container = asked.container()?;
    if container.pod.text("/spec/nodeName").is_empty() {
        let mut nothing = Response::new(whole(Bytes::new()));
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        return Ok(nothing);
    }
    if let Err(unreachable) = machine::reach(asked.cluster, &container.pod)? {
        let path = format!("/containerLogs/{}/{}/{}", asked.namespace, asked.pod, container.name);
        let place = format!("https://{}{path}", unreachable.address);
        return Err(Refusal::failed(format!("Get \"{place}\": {}", unreachable.why())));
    }
    let run = container.run(options.previous).map_err(Refusal::bad_request)?;
    let behaviour = container.behaviour(asked.cluster);
    let log = Log { lines: behaviour.log, ends: behaviour.end, run };
    let now = asked.cluster.calendar.now();
    let mut written = log.written(run.started, now);
    if let Some(tail) = options.tail {
        let tail = usize::try_from(tail).unwrap_or(usize::MAX);
        written.drain(..written.len().saturating_sub(tail));
    }
    if let Some(since) = options.since(now) {
        written.retain(|line| line.at >= since);
    }
    let mut form = Form { timestamps: options.timestamps, left: options.limit.map(|limit| limit.unsigned_abs()) };
    let text: String = written.iter().map(|line| form.line(line)).collect();
    if !options.follow || form.is_full() {
        return Ok(plain(FORM, whole(text)));
    }
    let following = Following {
        cluster: asked.cluster.clone(),
        key: asked.key(),
        container: container.name.clone(),
        log,
        told: now,
    };
    let pieces = stream::iter([Bytes::from(text)]).chain(following.told(form));
    let frames = pieces.filter(|piece| std::future::ready(!piece.is_empty())).map(|piece| Ok(Frame::data(piece)));
    Ok(plain(FORM, StreamBody::new(frames).boxed_unsync()))
}

fn takes_refusals(request: &Request) -> bool {
    let accept = request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
    let mut taken = accept.split(',').map(|form| form.split(';').next().unwrap_or_default().trim());
    taken.any(|form| matches!(form, "*/*" | "application/*") || FORMS.contains(&form))
}

impl Options {
    fn read(request: &Request) -> Result<Self, Refusal> {
        let number = |name: &str| match request.parameters(name).and_then(|values| values.first()) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|error: std::num::ParseIntError| {
                use std::num::IntErrorKind::{NegOverflow, PosOverflow};
                let why = match error.kind() {
                    PosOverflow | NegOverflow => "value out of range",
                    _ => "invalid syntax",
                };
                Refusal::bad_request(format!("strconv.ParseInt: parsing \"{text}\": {why}"))
            }),
        };
        let since_seconds = number("sinceSeconds")?;
        let since_time = request.parameter("sinceTime");
        if let Some(why) = since_time.and_then(|time| not_time(time, Fraction::Any)) {
            return Err(Refusal::bad_request(why));
        }
        Ok(Self {
            follow: request.flag("follow"),
            previous: request.flag("previous"),
            timestamps: request.flag("timestamps"),
            since_seconds,
            since_time: since_time.and_then(|time| time.parse().ok()),
            tail: number("tailLines")?,
            limit: number("limitBytes")?,
        })
    }

    fn check(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let mut wrong = Vec::new();
        if let Some(tail) = self.tail.filter(|tail| *tail < 0) {
            wrong.push(Cause::invalid("tailLines", &json!(tail), "must be greater than or equal to 0"));
        }
        if let Some(limit) = self.limit.filter(|limit| *limit < 1) {
            wrong.push(Cause::invalid("limitBytes", &json!(limit), "must be greater than 0"));
        }
        match (self.since_seconds, self.since_time) {
            (Some(_), Some(_)) => {
                let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
                wrong.push(Cause::forbidden("[]", why));
            }
            (Some(seconds), None) if seconds < 1 => {
                wrong.push(Cause::invalid("sinceSeconds", &json!(seconds), "must be greater than 0"));
            }
            _ => {}
        }
        if asked.request.parameters("stream").is_some() {
            wrong.push(Cause::forbidden("stream", "may not be specified"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::invalid("PodLogOptions", "", &asked.pod, wrong)) }
    }

    /// From when on lines are wanted, in whole seconds, as it is handed on to the kubelet.
    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let since = match self.since_seconds {
            Some(seconds) => now.checked_sub(SignedDuration::from_secs(seconds)).ok()?,
            None => Timestamp::from_second(self.since_time?.as_second()).ok()?,
        };
        Some(since)
    }
}

/// What a container wrote in its last run, and whoever follows what it writes from now on; nothing, if it never ran.
pub fn kept(cluster: &Arc<Cluster>, key: Key, container: &str) -> Option<(Vec<Written>, Following)> {
    let container = Container { pod: cluster.store.get(&key)?, name: container.to_owned() };
    let run = container.run(false).ok()?;
    let behaviour = container.behaviour(cluster);
    let log = Log { lines: behaviour.log, ends: behaviour.end, run };
    let now = cluster.calendar.now();
    let written = log.written(run.started, now);
    Some((written, Following { cluster: cluster.clone(), key, container: container.name, log, told: now }))
}

/// How lines are told.
pub struct Form {
    timestamps: bool,
    /// How many bytes may still be told, if not all.
    left: Option<u64>,
}

impl Form {
    fn line(&mut self, line: &Written) -> String {
        let mut told = match self.timestamps {
            true => format!("{} {}\n", line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"), line.text),
            false => format!("{}\n", line.text),
        };
        if let Some(left) = &mut self.left {
            let fits = told.floor_char_boundary(usize::try_from(*left).unwrap_or(usize::MAX));
            told.truncate(fits);
            *left -= told.len() as u64;
        }
        told
    }

    fn is_full(&self) -> bool {
        self.left == Some(0)
    }
}

/// A line that was written.
pub struct Written {
    pub at: Timestamp,
    pub text: String,
    /// To the standard error.
    pub error: bool,
}

/// What a container writes in one of its runs.
#[derive(Debug, Clone)]
pub struct Log {
    pub lines: Vec<Line>,
    pub ends: Option<End>,
    pub run: Run,
}

impl Log {
    /// Its lines from one moment to another, both included.
    fn written(&self, from: Timestamp, until: Timestamp) -> Vec<Written> {
        let until = self.end().map_or(until, |end| end.min(until));
        let mut written = Vec::new();
        for line in &self.lines {
            let mut next = self.next(line, from);
            while let Some(at) = next.filter(|at| *at <= until) {
                let lines = line.says.lines();
                written.extend(lines.map(|text| Written { at, text: text.to_owned(), error: line.error }));
                next = self.next(line, at + INSTANT);
            }
        }
        written.sort_by_key(|line| line.at);
        written
    }

    /// When it writes for the first time at or after a moment.
    fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let next = self.lines.iter().filter_map(|line| self.next(line, moment)).min()?;
        self.end().is_none_or(|end| next <= end).then_some(next)
    }

    fn next(&self, line: &Line, from: Timestamp) -> Option<Timestamp> {
        let first = self.run.started.checked_add(line.after).ok()?;
        if first >= from {
            return Some(first);
        }
        let every = i128::try_from(line.every?.as_nanos()).ok().filter(|every| *every > 0)?;
        let late = from.as_nanosecond() - first.as_nanosecond();
        let times = late / every + i128::from(late % every != 0);
        Timestamp::from_nanosecond(first.as_nanosecond() + times * every).ok()
    }

    /// Up to when it writes: to its end by itself, if it isn't ended before.
    fn end(&self) -> Option<Timestamp> {
        let ended = self.run.ended? + SECOND - INSTANT;
        let own = self.ends.as_ref().and_then(|end| self.run.started.checked_add(end.after).ok());
        Some(own.map_or(ended, |own| own.min(ended)))
    }
}

/// A log that is followed until its container ends.
pub struct Following {
    pub cluster: Arc<Cluster>,
    pub key: Key,
    pub container: String,
    pub log: Log,
    /// Up to when it was told.
    pub told: Timestamp,
}

impl Following {
    fn told(self, form: Form) -> impl Stream<Item = Bytes> + Send {
        stream::unfold((self, form), |(mut following, mut form)| async move {
            if form.is_full() {
                return None;
            }
            let lines = following.lines().await?;
            let text: String = lines.iter().map(|line| form.line(line)).collect();
            Some((Bytes::from(text), (following, form)))
        })
    }

    /// What is written next; nothing, if nothing more will be. Who gives up waiting for it loses nothing.
    pub async fn lines(&mut self) -> Option<Vec<Written>> {
        let mut changes = self.cluster.store.follow();
        loop {
            // What changes from here on wakes it, also what changes while it looks.
            changes.catch_up();
            let now = self.cluster.calendar.now();
            let over = self.look(now);
            let written = self.log.written(self.told + INSTANT, now);
            self.told = now;
            if !written.is_empty() {
                return Some(written);
            }
            if over {
                return None;
            }
            let next = self.log.next_after(now + INSTANT);
            let wait = next.and_then(|next| next.duration_since(now).try_into().ok());
            tokio::select! {
                biased;
                () = changes.changed() => {}
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    /// Looks how the container is; true if this run of it is over.
    fn look(&mut self, now: Timestamp) -> bool {
        let pod = self.cluster.store.get(&self.key);
        let found = pod.map(|pod| Container { pod, name: self.container.clone() });
        match found.and_then(|container| container.again(self.log.run)) {
            Some(run) => self.log.run = run,
            None => self.log.run.ended = Some(self.log.run.ended.unwrap_or(now)),
        }
        self.log.run.ended.is_some()
    }
}
