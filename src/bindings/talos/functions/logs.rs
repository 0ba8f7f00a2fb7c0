//! What a node writes down: reading it, and following it.

use std::time::Duration;

use rhai::{Dynamic, FnPtr, Map, NativeCallContext, plugin::*};
use talos::api::{
    common::Data,
    machine::{DmesgRequest, LogsRequest},
};
use tonic::Streaming;

use super::look::containers_of;
use crate::{
    bindings::talos::{
        condition::whole,
        machines::Talos,
        reach::{Node, machine},
    },
    event::{WaitEnd, What},
    host::wait::{Interrupted, Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

/// The longest that is held in memory.
const LONGEST: usize = 64 << 20;

const READING: Duration = Duration::from_secs(120);
const FOLLOWING: Duration = Duration::from_secs(5 * 60);

#[export_module]
pub mod functions {
    /// Reads the log of a service.
    #[rhai_fn(global, pure, return_raw)]
    pub fn logs(context: NativeCallContext, talos: &mut Talos, node: &str, of: &str) -> Outcome<Dynamic> {
        log(&context, talos, node, of, Map::new(), None)
    }

    /// Reads the log of a service as the options say.
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        of: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        log(&context, talos, node, of, options, None)
    }

    /// Reads the log of a service of a node, or of a container; or follows it.
    ///
    /// With `follow`, `until` or a closure the log is followed: each line is shown when it is written, or told to the closure.
    /// That ends when a line has the text `until`, when the closure says `true`, when the node ends the log, as one does that
    /// boots, or when its time is up.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `of` (text): a service, such as `etcd` or `machined`, or a container, such as
    ///   `kube-system/kube-apiserver-cp-1:kube-apiserver`
    /// - `options` (map): see below
    /// - `each` (function): is given each line; if it says `true`, that is the end
    ///
    /// # Options
    /// - `tail` (integer): only so many of the lines that are there already
    /// - `kubernetes` (boolean, `false`): `of` is a container of Kubernetes
    /// - `follow` (boolean, `false`): go on with what is written from now on
    /// - `until` (text): follow until a line has this in it
    /// - `timeout` (duration, 2m, or 5m for following): how long it may take
    ///
    /// # Returns
    /// A text. If it was followed, the line that ended it, or `()` if none did.
    ///
    /// # Faults
    /// - `failed`: there is no such log; or it has ended, and no line had `until` in it
    /// - `invalid`: it is larger than 64 MB
    /// - `usage`: there is no such number of lines
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: no line had `until` in it in time, or the log was not read in time
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// print(lab.logs("10.17.13.86", "etcd", #{ tail: 20 }));
    /// lab.logs("10.17.13.86", "etcd", #{ until: "ready to serve client requests", timeout: "3m" });
    /// ```
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_told(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        of: &str,
        options: Map,
        each: FnPtr,
    ) -> Outcome<Dynamic> {
        log(&context, talos, node, of, options, Some(&each))
    }

    /// Reads what the kernel of a node says.
    #[rhai_fn(global, pure, return_raw)]
    pub fn dmesg(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        kernel_log(&context, talos, node, Map::new(), None)
    }

    /// Reads what the kernel of a node says as the options say.
    #[rhai_fn(global, name = "dmesg", pure, return_raw)]
    pub fn dmesg_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        kernel_log(&context, talos, node, options, None)
    }

    /// Reads what the kernel of a node says, and Talos with it; or follows it, as `logs` does.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `options` (map): see below
    /// - `each` (function): is given each line; if it says `true`, that is the end
    ///
    /// # Options
    /// - `follow` (boolean, `false`): go on with what is said from now on
    /// - `until` (text): follow until a line has this in it
    /// - `new` (boolean, `false`): follow what is said from now on alone, and nothing that was said before
    /// - `timeout` (duration, 2m, or 5m for following): how long it may take
    ///
    /// # Returns
    /// A text, a message a line. If it was followed, the line that ended it, or `()` if none did.
    ///
    /// # Faults
    /// - `failed`: it has ended, and no line had `until` in it
    /// - `invalid`: it is larger than 64 MB
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: no line had `until` in it in time, or the log was not read in time
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// print(lab.dmesg("10.17.13.86"));
    /// lab.dmesg("10.17.13.86", #{ until: "boot sequence: done", timeout: "10m" });
    /// ```
    #[rhai_fn(global, name = "dmesg", pure, return_raw)]
    pub fn dmesg_told(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
        each: FnPtr,
    ) -> Outcome<Dynamic> {
        kernel_log(&context, talos, node, options, Some(&each))
    }
}

fn log(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    of: &str,
    options: Map,
    each: Option<&FnPtr>,
) -> Outcome<Dynamic> {
    let options = context.options("talos::logs", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let node = talos.node(name).map_err(raise)?;
    let tail_lines = match options.integer("tail") {
        None => -1,
        Some(lines) => i32::try_from(lines)
            .ok()
            .filter(|lines| *lines >= 0)
            .ok_or_else(|| raise(Fault::new(Kind::Usage, format!("a log has no {lines} lines"))))?,
    };
    let (namespace, driver) = containers_of(options.flag("kubernetes"));
    let reading = Reading::of(&options, each, format!("log {of} of node {node}")).map_err(raise)?;
    let request = LogsRequest {
        namespace: namespace.to_owned(),
        id: of.to_owned(),
        driver: driver.into(),
        follow: reading.follows,
        tail_lines,
    };
    reading.read(context, node, Log::Service(request), each)
}

fn kernel_log(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    options: Map,
    each: Option<&FnPtr>,
) -> Outcome<Dynamic> {
    let options = context.options("talos::dmesg", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let node = talos.node(name).map_err(raise)?;
    let tail = options.flag("new");
    let mut reading = Reading::of(&options, each, format!("kernel's log of node {node}")).map_err(raise)?;
    reading.follows |= tail;
    let request = DmesgRequest { follow: reading.follows, tail };
    reading.read(context, node, Log::Kernel(request), each)
}

/// What is asked for.
enum Log {
    Service(LogsRequest),
    Kernel(DmesgRequest),
}

impl Log {
    async fn open(&self, node: &Node) -> Result<Streaming<Data>, Fault> {
        match self {
            Self::Service(request) => {
                node.listen(|channel| {
                    let request = request.clone();
                    async move { machine(channel).logs(request).await }
                })
                .await
            }
            Self::Kernel(request) => node.listen(|channel| async move { machine(channel).dmesg(*request).await }).await,
        }
    }
}

/// How a log is read.
struct Reading {
    /// Whose log it is.
    what: String,
    follows: bool,
    until: Option<String>,
    timeout: Duration,
}

impl Reading {
    fn of(options: &Options, each: Option<&FnPtr>, what: String) -> Result<Self, Fault> {
        let until = options.text("until");
        let follows = options.flag("follow") || until.is_some() || each.is_some();
        let usual = if follows { FOLLOWING } else { READING };
        Ok(Self { what, follows, until, timeout: options.duration("timeout")?.unwrap_or(usual) })
    }

    fn read(self, context: &NativeCallContext, node: Node, log: Log, each: Option<&FnPtr>) -> Outcome<Dynamic> {
        if self.follows {
            return self.follow(context, node, log, each);
        }
        let bytes = context.wait(Waiting::request(self.what, self.timeout), |_| async move {
            let stream = log.open(&node).await?;
            whole(&node, stream, LONGEST).await
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned().into())
    }

    fn follow(self, context: &NativeCallContext, node: Node, log: Log, each: Option<&FnPtr>) -> Outcome<Dynamic> {
        let goal = match (&self.until, each) {
            (Some(until), _) => format!(" to say `{until}`"),
            (None, Some(_)) => " to say what is asked for".to_owned(),
            (None, None) => String::new(),
        };
        let what = format!("the {}{goal}", self.what);
        let host = context.host();
        let mut wait = host.begin(Waiting::until(what.clone(), self.timeout));
        let mut lines = Lines { node, log, stream: None, rest: Vec::new() };
        loop {
            let next = async move { (lines.next().await, lines) };
            let (came, back) = match wait.drive(next) {
                Ok(next) => next,
                // Whoever waits for no line has seen what there was to see.
                Err(Interrupted::TimedOut { .. }) if goal.is_empty() => {
                    wait.end(WaitEnd::Met);
                    return Ok(Dynamic::UNIT);
                }
                Err(interrupted) => return Err(context.interrupted(interrupted)),
            };
            lines = back;
            let Some(came) = came.map_err(|fault| context.raise(fault))? else {
                if goal.is_empty() {
                    wait.end(WaitEnd::Met);
                    return Ok(Dynamic::UNIT);
                }
                let fault = Fault::new(Kind::Failed, format!("waiting for {what} is in vain: it has ended"));
                return Err(context.raise(fault));
            };
            for line in came {
                let ends = match each {
                    Some(each) => each.call_within_context::<Dynamic>(context, (line.clone(),))?.as_bool() == Ok(true),
                    None => {
                        host.events.emit(What::Printed { text: line.clone() });
                        false
                    }
                };
                if ends || self.until.as_ref().is_some_and(|until| line.contains(until)) {
                    wait.end(WaitEnd::Met);
                    return Ok(line.into());
                }
            }
        }
    }
}

/// A log as it comes.
struct Lines {
    node: Node,
    log: Log,
    stream: Option<Streaming<Data>>,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that are whole by now; nothing at the end.
    async fn next(&mut self) -> Result<Option<Vec<String>>, Fault> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(self.log.open(&self.node).await?),
        };
        loop {
            let piece = match stream.message().await {
                Ok(piece) => piece,
                Err(status) => match self.node.broke(&status) {
                    // A node that goes away ends what it tells of itself.
                    fault if fault.kind.passes() => None,
                    fault => return Err(fault),
                },
            };
            let Some(piece) = piece else {
                let rest = std::mem::take(&mut self.rest);
                return Ok((!rest.is_empty()).then(|| vec![String::from_utf8_lossy(&rest).into_owned()]));
            };
            self.rest.extend_from_slice(&piece.bytes);
            if let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') {
                let whole: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()));
            }
        }
    }
}
