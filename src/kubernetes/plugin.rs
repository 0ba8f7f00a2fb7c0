//! Asking credential plugins, as client-go does: what they are told, and what they answer.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    event::What,
    host::{
        Host,
        programs::{Exit, Program, Said},
        secrets::Secret,
    },
    kubeconfig::{Material, Plugin, Target},
    script::{
        fault::{Fault, Kind},
        values::{at::text, json as text_of},
    },
};

/// The longest answer that is read.
const LONGEST: usize = 1 << 20;

/// What a plugin has given.
pub struct Issued {
    pub token: Option<Secret>,
    /// Certificate and key.
    pub identity: Option<(Material, Material)>,
    pub expires: Option<Timestamp>,
}

/// Runs the plugin and reads its answer. Dropping this ends the plugin.
///
/// # Errors
/// `file` if it is not installed, `unauthenticated` if it fails, `parse` if its answer can't be understood.
pub async fn ask(host: &Host, target: &Target, plugin: &Plugin) -> Result<Issued, Fault> {
    let name = shown(plugin);
    let mut environment = host.environment.variables();
    environment.extend(plugin.environment.iter().cloned());
    environment.push(("KUBERNETES_EXEC_INFO".to_owned(), told(host, target, plugin)?.to_string()));
    let program = Program {
        name: plugin.command.clone(),
        arguments: plugin.arguments.clone(),
        environment,
        folder: host.files.root().to_owned(),
        input: Bytes::new(),
    };
    let mut saying = host.programs.start(program).await.map_err(|error| {
        let hint = plugin.install_hint.clone();
        Fault::new(Kind::File, format!("{name} can't be started: {error}"))
            .hint(hint.unwrap_or_else(|| "install it, or put its folder into `PATH`".to_owned()))
    })?;
    let (mut answer, mut complaint) = (Vec::new(), Complaint::default());
    let exit = loop {
        match saying.next().await {
            Some(Ok(Said::Output(bytes))) if answer.len() + bytes.len() <= LONGEST => answer.extend_from_slice(&bytes),
            Some(Ok(Said::Output(_))) => {
                return Err(failed(plugin, &format!("answers with more than {LONGEST} bytes")));
            }
            Some(Ok(Said::Error(bytes))) => {
                for line in complaint.lines(&bytes) {
                    host.events.emit(What::Warned { text: format!("{name}: {line}") });
                }
            }
            Some(Ok(Said::Ended(exit))) => break exit,
            Some(Err(error)) => return Err(failed(plugin, &format!("broke off: {error}"))),
            None => return Err(failed(plugin, "broke off")),
        }
    };
    let last = complaint.last();
    match exit {
        Exit::Status(0) => issued(host, plugin, &answer),
        Exit::Status(status) => Err(failed(plugin, &format!("ended with status {status}")).notes(last)),
        Exit::Signal(signal) => Err(failed(plugin, &format!("was ended by signal {signal}")).notes(last)),
    }
}

fn shown(plugin: &Plugin) -> String {
    format!("the credential plugin `{}` of user `{}`", plugin.command, plugin.user)
}

fn failed(plugin: &Plugin, how: &str) -> Fault {
    let command = [std::slice::from_ref(&plugin.command), &plugin.arguments].concat().join(" ");
    Fault::new(Kind::Unauthenticated, format!("{} {how}", shown(plugin)))
        .hint(format!("try `{command}` by hand; it may want you to log in first"))
}

/// What the plugin is told through `KUBERNETES_EXEC_INFO`.
fn told(host: &Host, target: &Target, plugin: &Plugin) -> Result<Value, Fault> {
    let mut spec = json!({ "interactive": false });
    if plugin.tells_cluster {
        let mut cluster = json!({ "server": target.server.to_string() });
        let mut tell = |field: &str, value: Value| cluster[field] = value;
        if let Some(name) = &target.tls_server_name {
            tell("tls-server-name", name.as_str().into());
        }
        if target.insecure {
            tell("insecure-skip-tls-verify", true.into());
        }
        if let Some(authority) = &target.authority {
            let authority = super::transport::load(host, authority, "the certificate authority", &target.context)?;
            tell("certificate-authority-data", STANDARD.encode(authority).into());
        }
        if let Some(proxy) = &target.proxy {
            tell("proxy-url", proxy.as_str().into());
        }
        if let Some(config) = &plugin.cluster_config {
            tell("config", config.wire_json());
        }
        spec["cluster"] = cluster;
    }
    Ok(json!({ "apiVersion": plugin.protocol.api_version(), "kind": "ExecCredential", "spec": spec }))
}

fn issued(host: &Host, plugin: &Plugin, answer: &[u8]) -> Result<Issued, Fault> {
    let name = shown(plugin);
    let wrong = |why: &str| {
        Fault::new(Kind::Parse, format!("{name} answers with {why}"))
            .hint("is it made for Kubernetes, and of a version that goes with the kubeconfig?")
    };
    // Without the place: what stands there may be a token.
    let tree = std::str::from_utf8(answer).ok().and_then(|answer| text_of::read(answer, "the answer").ok());
    let tree = tree.ok_or_else(|| wrong("something that is no JSON"))?;
    if text(&tree, &["kind"]) != Some("ExecCredential") {
        return Err(wrong("something that is no `ExecCredential`"));
    }
    let wanted = plugin.protocol.api_version();
    match text(&tree, &["apiVersion"]) {
        Some(version) if version == wanted => {}
        other => return Err(wrong(&format!("`{}` and not with `{wanted}`", other.unwrap_or_default()))),
    }
    let field = |field: &str| text(&tree, &["status", field]).filter(|value| !value.is_empty());
    let secret = |field: &str, value: &str| {
        let secret = Secret::new(format!("plugin:{}/{field}", plugin.user), value.to_owned());
        host.secrets.remember(&secret);
        secret
    };
    let token = field("token").map(|token| secret("token", token));
    let identity = match (field("clientCertificateData"), field("clientKeyData")) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let key = secret("clientKeyData", key);
            let data = |text: &str| Material::Data(text.as_bytes().to_vec());
            Some((data(certificate), data(key.expose())))
        }
        _ => return Err(wrong("a client certificate without its key, or a key without its certificate")),
    };
    if token.is_none() && identity.is_none() {
        return Err(wrong("neither a token nor a client certificate"));
    }
    let expires = match field("expirationTimestamp") {
        None => None,
        Some(moment) => Some(
            moment.parse().map_err(|_| wrong(&format!("the `expirationTimestamp` `{moment}`, which is no time")))?,
        ),
    };
    Ok(Issued { token, identity, expires })
}

/// What a plugin says on its standard error, line by line: where to log in, or why it can't.
#[derive(Default)]
struct Complaint {
    begun: Vec<u8>,
    last: Option<String>,
}

impl Complaint {
    /// The lines that end with these bytes.
    fn lines(&mut self, bytes: &[u8]) -> Vec<String> {
        self.begun.extend_from_slice(bytes);
        let Some(end) = self.begun.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.begun.drain(..=end).collect();
        let lines = String::from_utf8_lossy(&whole).lines().map(str::trim).map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        self.last = lines.last().cloned().or(self.last.take());
        lines
    }

    fn last(mut self) -> Option<String> {
        let rest = self.lines(b"\n");
        rest.last().cloned().or(self.last)
    }
}
