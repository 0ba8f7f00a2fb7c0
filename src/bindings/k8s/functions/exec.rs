//! Running commands in pods.

use bytes::Bytes;
use futures::future::BoxFuture;
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::given;
use crate::{
    host::{
        effect::{Effect, digest},
        secrets::Secret,
    },
    kubernetes::{
        client::Cluster,
        exec::{Command, Ended, shown},
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        kept,
        options::Options,
    },
};

#[export_module]
pub mod functions {
    /// Runs a command in a pod and waits for its end.
    #[rhai_fn(global, pure, return_raw)]
    pub fn exec(context: NativeCallContext, cluster: &mut Cluster, pod: &str, argv: Array) -> Outcome<Dynamic> {
        run(&context, cluster, pod, &argv, Map::new())
    }

    /// Runs a command in a pod and waits for its end.
    ///
    /// It is run as it stands, without a shell around it; where one is wanted, it is named: `["sh", "-c", "…"]`.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `pod` (text): the pod's name, or `kind/name` of a workload, of which a ready pod is taken
    /// - `argv` (list): the program and its arguments; texts, numbers or secrets
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where the pod is
    /// - `container` (text): which container, if there are several
    /// - `stdin` (text or bytes or secret): what the command reads
    /// - `expect` (integer or list or text, `0`): the exit codes that are fine: a number, a list of them, or `"any"`
    /// - `limit` (integer, `16777216`): how many bytes the command may write, at most 64 MiB; more goes to a file
    /// - `output` (text): a file, relative to the runbook's folder, that its standard output is written to, however long; it is
    ///   in its place once the command has ended as expected
    /// - `repeatable` (boolean, `false`): it does no harm if it is run once more, such as a command that only looks
    /// - `destroys` (text or list): what it takes away for good; that is shown, and agreed to, before the command is run
    /// - `timeout` (duration, `1m`): how long it may take
    ///
    /// # Returns
    /// A map: `ok`, `status` (the exit code), `stdout` and `stderr`; what was written is a text, or bytes where it is none.
    /// `stdout` is empty if it went to a file.
    ///
    /// # Effect
    /// The command does in the pod what it does, and `output` is written. After a crash in the middle of it a person is asked whether it happened,
    /// unless it is `repeatable`.
    ///
    /// # Faults
    /// - `failed`: it ended with another code, could not be started, or wrote more than `limit`; the notes have its last lines
    /// - `not_found`: there is no such pod
    /// - `invalid`: the pod has several containers and none is named, or it doesn't run
    /// - `denied`: this user may not do it
    /// - `timeout`: it did not end in time; it may still run
    /// - `in_doubt`: the connection broke, and nobody knows how it ended
    /// - `unavailable`: the node does not answer, or no pod of the workload is ready
    /// - `unsupported`: the server is too old
    /// - `usage`: there is no command, or an option can't be used
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// fn size(cluster) {
    ///     cluster.exec("deployment/db", ["du", "-sh", "/var/lib"], #{ namespace: "shop" }).stdout
    /// }
    /// ```
    #[rhai_fn(global, name = "exec", pure, return_raw)]
    pub fn exec_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        pod: &str,
        argv: Array,
        options: Map,
    ) -> Outcome<Dynamic> {
        run(&context, cluster, pod, &argv, options)
    }
}

/// How many of its last lines a fault shows.
const LINES: usize = 10;

fn run(context: &NativeCallContext, cluster: &Cluster, pod: &str, argv: &Array, options: Map) -> Outcome<Dynamic> {
    let options = context.options("k8s::exec", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let expected = Expected::read(&options).map_err(raise)?;
    let (command, line) = command(argv, &options).map_err(raise)?;
    let output = options.text("output");
    let files = context.host().files;
    if let Some(path) = &output {
        files.locate(path).map_err(|error| context.raise(error.into()))?;
    }
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let container = command.container.clone().unwrap_or_default();
    let effect = Effect {
        verb: "exec".to_owned(),
        object: format!("{cluster}: {pod} in {namespace}: {line}"),
        digest: digest(&[
            cluster.context().as_bytes(),
            namespace.as_bytes(),
            pod.as_bytes(),
            container.as_bytes(),
            command.argv.join("\0").as_bytes(),
            command.stdin.as_deref().unwrap_or_default(),
            output.as_deref().unwrap_or_default().as_bytes(),
        ]),
        repeatable: options.flag("repeatable"),
        destroys: options.value("destroys").map(lines),
    };
    let title = format!("{} {}", effect.verb, effect.object);
    let secrets = context.host().secrets;
    let unseen = secrets.clone();
    let pod = pod.to_owned();
    let perform = async move {
        let pod = cluster.ready_pod(&namespace, &pod).await?;
        let limit = command.limit;
        let mut file = output.as_deref().map(|path| files.arriving(path)).transpose()?;
        let ended = cluster.exec(&namespace, &pod, command, file.as_mut()).await?;
        if ended.lost > 0 {
            let message =
                format!("`{line}` in pod `{pod}` wrote more than {limit} bytes, and ended with {}", ended.code);
            return Err(Fault::new(Kind::Failed, message).hint("let it write less, or raise the option `limit`"));
        }
        if !expected.holds(ended.code) {
            return Err(unexpected(&line, &pod, &ended, &expected));
        }
        let mut detail = format!("ended with {}", ended.code);
        if let (Some(file), Some(path)) = (file, &output) {
            detail.push_str(&format!(", {} bytes to {path}", file.size()));
            file.arrive()?;
        }
        let value = told(ended);
        Ok(Changed { kept: kept::keep(&value, &secrets), value, detail: Some(detail) })
    };
    let recall = move |kept: Value| -> BoxFuture<'static, _> { Box::pin(async move { kept::recall(&title, &kept) }) };
    let settle = async move {
        let why = "a command leaves nothing behind that could be looked for".to_owned();
        let value = told(Ended::default());
        let assumed = Changed { kept: kept::keep(&value, &unseen), value, detail: None };
        Ok(Settled::Unknown { why, assumed })
    };
    context.change(Change {
        effect,
        deadline: timeout,
        perform: Box::new(|_| Box::pin(perform)),
        recall: Box::new(recall),
        settle: Box::pin(settle),
    })
}

/// A text, or each of a list, as a line.
fn lines(said: Dynamic) -> Vec<String> {
    match said.read_lock::<Array>() {
        Some(items) => items.iter().map(ToString::to_string).collect(),
        None => vec![said.to_string()],
    }
}

/// The command as it is sent, and as it is shown.
fn command(argv: &Array, options: &Options) -> Result<(Command, String), Fault> {
    if argv.is_empty() {
        return Err(Fault::new(Kind::Usage, "there is no command to run").hint("give a list: `[\"df\", \"-h\"]`"));
    }
    let (mut sent, mut told) = (Vec::new(), Vec::new());
    for argument in argv {
        if let Some(secret) = argument.read_lock::<Secret>() {
            sent.push(secret.expose().to_owned());
            told.push(format!("{:?}", *secret));
        } else if argument.is_string() || argument.is_int() || argument.is_float() {
            sent.push(argument.to_string());
            told.push(argument.to_string());
        } else {
            let message = format!("an argument of a command is a text, not a `{}`", argument.type_name());
            return Err(Fault::new(Kind::Usage, message));
        }
    }
    let stdin = options.value("stdin").map(|stdin| match stdin.read_lock::<rhai::Blob>() {
        Some(bytes) => Bytes::copy_from_slice(&bytes),
        None => match stdin.read_lock::<Secret>() {
            Some(secret) => Bytes::copy_from_slice(secret.expose().as_bytes()),
            None => Bytes::from(stdin.to_string()),
        },
    });
    let limit = options.bytes("limit")?;
    Ok((Command { argv: sent, container: options.text("container"), stdin, limit }, shown(&told)))
}

/// The exit codes that are fine.
enum Expected {
    Any,
    Codes(Vec<i64>),
}

impl Expected {
    fn read(options: &Options) -> Result<Self, Fault> {
        let refuse = || {
            Fault::new(Kind::Usage, "option `expect` of `k8s::exec` names no exit codes")
                .hint("write `0`, `[0, 1]` or `\"any\"`")
        };
        let Some(given) = options.value("expect") else { return Ok(Self::Codes(vec![0])) };
        if let Ok(code) = given.as_int() {
            return Ok(Self::Codes(vec![code]));
        }
        if let Some(codes) = given.read_lock::<Array>() {
            return codes
                .iter()
                .map(|code| code.as_int().map_err(|_| refuse()))
                .collect::<Result<_, _>>()
                .map(Self::Codes);
        }
        if given.to_string() == "any" { Ok(Self::Any) } else { Err(refuse()) }
    }

    fn holds(&self, code: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Codes(codes) => codes.contains(&code),
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Codes(codes) => f.write_str(&codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")),
        }
    }
}

fn unexpected(line: &str, pod: &str, ended: &Ended, expected: &Expected) -> Fault {
    let message = format!("`{line}` in pod `{pod}` ended with {}, not {expected}", ended.code);
    let (stream, said) = match ended.stderr.is_empty() {
        true => ("stdout", &ended.stdout),
        false => ("stderr", &ended.stderr),
    };
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LINES)).map(|line| format!("{stream}: {line}"));
    Fault::new(Kind::Failed, message).notes(last).hint("if that is fine: `expect: \"any\"`, then look at `status`")
}

/// The bytes as a script sees them.
fn text_or_bytes(bytes: Vec<u8>) -> Dynamic {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => Dynamic::from_blob(error.into_bytes()),
    }
}

fn told(ended: Ended) -> Dynamic {
    let told = Map::from_iter([
        ("ok".into(), (ended.code == 0).into()),
        ("status".into(), ended.code.into()),
        ("stdout".into(), text_or_bytes(ended.stdout)),
        ("stderr".into(), text_or_bytes(ended.stderr)),
    ]);
    told.into()
}
