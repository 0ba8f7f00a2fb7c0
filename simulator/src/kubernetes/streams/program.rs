//! Programs that somebody runs in a container, or watches and talks to there.

use std::sync::Arc;

use http::Response;
use hyper::upgrade::OnUpgrade;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::{
    Asked,
    channels::{Channel, Channels, Heard, Numbered, Streamed},
    container::Container,
    log::{Following, Log},
    machine,
    upgrade::{self, Offer, Spoken},
};
use crate::kubernetes::{
    answer::Refusal, behaviour::Command, controllers::fields::Fields as _, request::Request, server::Body,
};

/// The protocol that only the API server itself speaks, and in which it hands on what kubelets say.
const TRANSLATED: &str = "v5.channel.k8s.io";

const OFFER: Offer = Offer {
    web_socket: &[TRANSLATED, "v4.channel.k8s.io"],
    unmodelled: &["v4.base64.channel.k8s.io", "base64.channel.k8s.io", "channel.k8s.io", ""],
    spdy: &["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"],
    refusals: 2,
};

/// What is to be done in a container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Exec,
    Attach,
}

/// Which streams a client wants.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    terminal: bool,
}

/// What is behind the channels.
enum Program {
    Command(Command),
    /// The one that the container is there for.
    Main(Box<Following>),
    /// A kubelet says no.
    Refused(String),
}

pub fn answer(asked: &Asked<'_>, task: Task, on: Option<OnUpgrade>) -> Result<Response<Body>, Refusal> {
    let container = asked.placed_container()?;
    let upgrade = match upgrade::negotiate(&OFFER, &asked.request.headers, on)? {
        Ok(upgrade) => upgrade,
        Err(refused) => return Ok(refused),
    };
    let wanted = Wanted::read(asked.request);
    let spoken = upgrade.spoken;
    let translated = spoken == Spoken::WebSocket(TRANSLATED);
    let program = match machine::reach(asked.cluster, &container.pod)? {
        Err(unreachable) if translated => {
            let place = format!("{}{}", unreachable.address, path(asked, task, &container, wanted));
            Program::Refused(format!("error sending request: Post \"https://{place}\": {}", unreachable.why()))
        }
        Err(unreachable) => {
            return Err(Refusal::failed(format!("error dialing backend: {}", unreachable.why())));
        }
        Ok(()) => match program(asked, task, &container, wanted)? {
            Err((_, why)) if translated => Program::Refused(format!("unable to upgrade connection: {why}")),
            Err((code, why)) => return Ok(upgrade::refused(code, &why)),
            Ok(program) => program,
        },
    };
    Ok(upgrade.accept(move |connection| async move {
        let channels: Box<dyn Channels> = match spoken {
            Spoken::WebSocket(_) => Box::new(Numbered(upgrade::socket(connection).await)),
            Spoken::Spdy(_) => match Streamed::begin(connection, &wanted.channels()).await {
                Some(streamed) => Box::new(streamed),
                None => return,
            },
        };
        program.run(wanted, channels).await;
    }))
}

/// Where a kubelet is asked for it.
fn path(asked: &Asked<'_>, task: Task, container: &Container, wanted: Wanted) -> String {
    let word = |word: &String| utf8_percent_encode(word, NON_ALPHANUMERIC).to_string();
    let commands = asked.request.parameters("command").unwrap_or_default().iter();
    let commands = commands.map(|command| format!("command={}", word(command)));
    let flags =
        [(wanted.stderr, "error"), (wanted.stdin, "input"), (wanted.stdout, "output"), (wanted.terminal, "tty")];
    let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| format!("{name}=1"));
    let query: Vec<String> = commands.chain(flags).collect();
    let task = if task == Task::Exec { "exec" } else { "attach" };
    format!("/{task}/{}/{}/{}?{}", asked.namespace, asked.pod, container.name, query.join("&"))
}

/// What a kubelet would run; its refusal, with its code, if it wouldn't.
fn program(
    asked: &Asked<'_>,
    task: Task,
    container: &Container,
    wanted: Wanted,
) -> Result<Result<Program, (u16, String)>, Refusal> {
    if !(wanted.stdin || wanted.stdout || wanted.stderr) {
        return Ok(Err((400, "you must specify at least 1 of stdin, stdout, stderr".to_owned())));
    }
    if !container.is_running() {
        let (name, pod, namespace) = (&container.name, &asked.pod, &asked.namespace);
        return Ok(Err((
            500,
            match task {
                Task::Exec => format!("container not found (\"{name}\")"),
                Task::Attach => format!("container {name} not found in pod {pod}_{namespace}"),
            },
        )));
    }
    let place = format!("container `{}` of pod `{}` in `{}`", container.name, asked.pod, asked.namespace);
    let behaviour = container.behaviour(asked.cluster);
    match task {
        Task::Exec => {
            let words = asked.request.parameters("command").unwrap_or_default();
            let command = asked.cluster.machines.run(behaviour.commands, words);
            let unknown = || Refusal::not_modelled(format!("the command `{}` in {place}", words.join(" ")));
            command.map(|command| Ok(Program::Command(command))).ok_or_else(unknown)
        }
        Task::Attach if wanted.stdin && container.spec().flag("/stdin") => {
            Err(Refusal::not_modelled(format!("what {place} does with what it is given")))
        }
        Task::Attach => {
            let now = asked.cluster.calendar.now();
            let run = container.run(false).map_err(Refusal::bad_request)?;
            let log = Log { lines: behaviour.log, ends: behaviour.end, run };
            let following = Following {
                cluster: Arc::clone(asked.cluster),
                key: asked.key(),
                container: container.name.clone(),
                log,
                told: now,
            };
            Ok(Ok(Program::Main(Box::new(following))))
        }
    }
}

impl Wanted {
    fn read(request: &Request) -> Self {
        let terminal = request.flag("tty");
        Self {
            stdin: request.flag("stdin"),
            stdout: request.flag("stdout"),
            // A terminal shows both as one.
            stderr: request.flag("stderr") && !terminal,
            terminal,
        }
    }

    fn channels(self) -> Vec<Channel> {
        let all = [
            (true, Channel::Status),
            (self.stdin, Channel::Stdin),
            (self.stdout, Channel::Stdout),
            (self.stderr, Channel::Stderr),
            (self.terminal, Channel::Size),
        ];
        all.into_iter().filter(|(wanted, _)| *wanted).map(|(_, channel)| channel).collect()
    }

    /// Where output goes; nowhere, if nobody wants it.
    fn output(self, error: bool) -> Option<Channel> {
        match error && !self.terminal {
            true => self.stderr.then_some(Channel::Stderr),
            false => self.stdout.then_some(Channel::Stdout),
        }
    }
}

impl Program {
    async fn run(self, wanted: Wanted, mut channels: Box<dyn Channels>) {
        // Somebody is there.
        let first = wanted.output(false).or(wanted.output(true)).unwrap_or(Channel::Status);
        channels.say(first, &[]).await;
        let status = match self {
            Self::Refused(why) => Some(failed(&why)),
            Self::Command(command) => run(&command, wanted, &mut *channels).await,
            Self::Main(following) => watch(*following, wanted, &mut *channels).await,
        };
        if let Some(status) = status {
            channels.end(status).await;
        }
    }
}

/// Runs a command to its end; nothing, if the client goes before.
async fn run(command: &Command, wanted: Wanted, channels: &mut dyn Channels) -> Option<Value> {
    let ends = Instant::now() + command.after;
    let mut listens = command.echoes && wanted.stdin;
    while listens || Instant::now() < ends {
        tokio::select! {
            biased;
            heard = channels.hear() => match heard? {
                Heard::Said(Channel::Stdin, piece) if command.echoes => {
                    if let Some(output) = wanted.output(false) {
                        channels.say(output, &piece).await;
                    }
                }
                Heard::Ended(Channel::Stdin) => listens = false,
                _ => {}
            },
            () = sleep_until(ends), if Instant::now() < ends => {}
        }
    }
    for (error, text) in [(false, &command.stdout), (true, &command.stderr)] {
        if let Some(output) = wanted.output(error).filter(|_| !text.is_empty()) {
            channels.say(output, text.as_bytes()).await;
        }
    }
    Some(match command.code {
        0 => json!({"metadata": {}, "status": "Success"}),
        code => json!({
            "metadata": {},
            "status": "Failure",
            "message": format!("command terminated with non-zero exit code: command terminated with exit code {code}"),
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
        }),
    })
}

/// Hands on what a program writes until it ends; nothing, if the client goes before.
async fn watch(mut following: Following, wanted: Wanted, channels: &mut dyn Channels) -> Option<Value> {
    loop {
        let lines = tokio::select! {
            biased;
            heard = channels.hear() => {
                heard?;
                continue;
            }
            lines = following.lines() => lines,
        };
        let Some(lines) = lines else { return Some(json!({"metadata": {}, "status": "Success"})) };
        for line in lines {
            if let Some(output) = wanted.output(line.error) {
                channels.say(output, format!("{}\n", line.text).as_bytes()).await;
            }
        }
    }
}

fn failed(why: &str) -> Value {
    let mut status = Refusal::internal(why).status();
    if let Some(fields) = status.as_object_mut() {
        fields.shift_remove("kind");
        fields.shift_remove("apiVersion");
    }
    status
}
