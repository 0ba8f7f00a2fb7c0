//! Commands in the containers of pods, over a WebSocket: standard streams as channels, and how the command ended at last.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::{
    client::{Cluster, Query},
    object::{items, text},
    websocket::{PIECE, PING, Silence, message, next},
};
use crate::{
    host::files::Arriving,
    script::{
        fault::{Fault, Kind},
        values::json,
    },
};

/// The protocols, the best first: only the first can end the standard input.
const PROTOCOLS: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io"];

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const CLOSE: u8 = 255;

/// A command, before it is run.
#[derive(Debug, Clone, Default)]
pub struct Command {
    pub argv: Vec<String>,
    pub container: Option<String>,
    pub stdin: Option<Bytes>,
    /// How many bytes of output are held; the rest is let go, and counted.
    pub limit: usize,
}

/// What a command wrote, and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    pub code: i64,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// How many bytes of output were let go.
    pub lost: usize,
}

impl Cluster {
    /// Runs a command in a pod, to its end. Its standard output goes to the file, if there is one.
    ///
    /// # Errors
    /// `failed` if it could not be started, `in_doubt` if nobody knows how it ended, and the server's refusals; `file` if the
    /// file can't be written.
    pub async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        command: Command,
        mut output: Option<&mut Arriving>,
    ) -> Result<Ended, Fault> {
        let pods = self.resolve("pods").await?;
        let mut subject = self.subject("create", &pods, Some(namespace), Some(pod));
        subject.resource.push_str("/exec");
        let mut query = Query::get(format!("{}/exec", pods.path(Some(namespace), Some(pod))), subject)
            .once()
            .accepting("*/*")
            .with("stdout", "true")
            .with("stderr", "true")
            .with_some("container", command.container.as_deref());
        for argument in &command.argv {
            query = query.with("command", argument);
        }
        let (query, protocols) = match &command.stdin {
            Some(_) => (query.with("stdin", "true"), &PROTOCOLS[..1]),
            None => (query, PROTOCOLS),
        };
        let (socket, _) = self.socket(query, protocols).await?;
        let (mut sink, mut messages) = socket.split();
        let clock = self.host().clock.clone();

        let mut stdin = command.stdin.clone();
        let speak = async {
            if let Some(stdin) = stdin.take() {
                for piece in stdin.chunks(PIECE) {
                    sink.send(message(STDIN, piece)).await?;
                }
                sink.send(message(CLOSE, &[STDIN])).await?;
            }
            loop {
                clock.sleep(PING).await;
                sink.send(Message::Ping(Bytes::new())).await?;
            }
        };
        let speak = async {
            let spoken: Result<(), tokio_tungstenite::tungstenite::Error> = speak.await;
            // That nobody listens is no end: a command needn't read what it is given. The other direction says what is.
            drop(spoken);
            std::future::pending::<()>().await;
        };
        let listen = async {
            let mut ended = Ended::default();
            let mut silence = Silence::since_now(clock.clone());
            loop {
                match next(&mut messages, &mut silence).await {
                    Ok((STATUS, status)) => return outcome(&command, pod, ended, &status),
                    Ok((STDOUT, piece)) if let Some(file) = &mut output => file.add(&piece)?,
                    Ok((channel, piece)) => ended.take(channel, &piece, command.limit),
                    Err(why) => return Err(cut_off(&command, pod, &why)),
                }
            }
        };
        tokio::select! {
            biased;
            ended = listen => ended,
            () = speak => unreachable!("who speaks waits for the end"),
        }
    }
}

impl Ended {
    fn take(&mut self, channel: u8, piece: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.stdout.len() + self.stderr.len());
        let held = piece.len().min(room);
        match channel {
            STDOUT => self.stdout.extend_from_slice(&piece[..held]),
            STDERR => self.stderr.extend_from_slice(&piece[..held]),
            _ => return,
        }
        self.lost += piece.len() - held;
    }
}

/// What the server says at the end: success, an exit code, or why the command could not be run.
pub fn outcome(command: &Command, pod: &str, mut ended: Ended, status: &[u8]) -> Result<Ended, Fault> {
    let plain = String::from_utf8_lossy(status);
    let status = json::read(&plain, "the end of a command").unwrap_or_default();
    if text(&status, &["status"]) == Some("Success") {
        return Ok(ended);
    }
    let code = items(&status, &["details", "causes"])
        .iter()
        .find(|cause| text(cause, &["reason"]) == Some("ExitCode"))
        .and_then(|cause| text(cause, &["message"])?.parse().ok());
    if let (Some("NonZeroExitCode"), Some(code)) = (text(&status, &["reason"]), code) {
        ended.code = code;
        return Ok(ended);
    }
    let why = text(&status, &["message"]).unwrap_or(&plain).trim().to_owned();
    let fault = Fault::new(Kind::Failed, format!("`{}` could not be run in pod `{pod}`", shown(&command.argv)));
    let hint = "is the program in the container's image, and is it the right container?";
    Err(fault.note(why).hint(hint))
}

fn cut_off(command: &Command, pod: &str, why: &str) -> Fault {
    let message = format!("nobody knows how `{}` in pod `{pod}` ended", shown(&command.argv));
    Fault::new(Kind::InDoubt, message)
        .note(format!("the connection: {why}"))
        .hint("look what it has done before running it again")
}

/// A command line for people to read.
pub fn shown(argv: &[String]) -> String {
    argv.join(" ")
}
