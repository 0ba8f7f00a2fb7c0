//! What went wrong between us and an API server, as faults.

use std::{error::Error, io};

use super::{
    object::{integer, items, text},
    undeclared,
};
use crate::{
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
    wire::failure::{ProxyFailure, Unconnected},
};

/// What a request was about, for messages and hints.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The API's verb: `get`, `list`, `patch`.
    pub verb: &'static str,
    /// `deployments.apps`, with a subresource after a slash; empty if the request is about no kind.
    pub resource: String,
    pub name: Option<String>,
    pub namespace: Option<String>,
    /// The context's name.
    pub cluster: String,
}

impl Subject {
    /// The thing as an operator names it, and not which part of it: `deployments.apps/web in guestbook`.
    pub fn shown(&self) -> String {
        let kind = self.resource.split('/').next().unwrap_or_default();
        let mut shown = match (kind.is_empty(), &self.name) {
            (true, _) => return format!("the API server of `{}`", self.cluster),
            (false, Some(name)) => format!("`{kind}/{name}`"),
            (false, None) => format!("`{kind}`"),
        };
        if let Some(namespace) = &self.namespace {
            shown.push_str(&format!(" in `{namespace}`"));
        }
        shown
    }
}

/// The fault for an answer that refuses: its HTTP status, and its body if that is a `Status`.
pub fn of_answer(code: u16, status: &Tree, plain: &str, subject: &Subject) -> Fault {
    let reason = text(status, &["reason"]).unwrap_or_default();
    let message = text(status, &["message"]).unwrap_or(plain).trim();
    let cluster = &subject.cluster;
    let shown = subject.shown();
    let kind = match (code, reason) {
        (403, _) if is_terminating(status) => Kind::Unavailable,
        (401, _) => Kind::Unauthenticated,
        (403, _) => Kind::Denied,
        (404, _) if is_unknown_kind(status, subject) => Kind::Unsupported,
        (404, _) => Kind::NotFound,
        (405 | 406 | 415, _) => Kind::Unsupported,
        (409, "AlreadyExists") => Kind::AlreadyExists,
        (409, _) => Kind::Conflict,
        (400 | 413 | 422, _) => Kind::Invalid,
        // What server-side apply says to a field that the schema doesn't have.
        (500, _) if message.contains("failed to create typed patch object") => Kind::Invalid,
        (408 | 504, _) => Kind::Timeout,
        (429 | 500.., _) => Kind::Unavailable,
        _ => Kind::Status,
    };
    let fault = match kind {
        Kind::Unauthenticated => Fault::new(kind, format!("`{cluster}` does not know who asks for {shown}"))
            .hint("the token or certificate in the kubeconfig is wrong or has expired: get a new one")
            .note(message.to_owned()),
        Kind::Unavailable if code == 403 => Fault::new(kind, format!("the namespace of {shown} is being deleted"))
            .hint("wait until it is gone, then create it anew"),
        Kind::Denied => denied(subject, message),
        Kind::NotFound => not_found(status, message, subject),
        Kind::Conflict => conflict(status, message, subject),
        Kind::Unsupported if code == 404 && subject.name.as_deref().is_some_and(|name| name.contains(['/', '%'])) => {
            let name = subject.name.as_deref().unwrap_or_default();
            Fault::new(Kind::Usage, format!("`{name}` is no name of an object: no name has a `/` or a `%`"))
                .hint("kind and name are given apart: `\"deployment\", \"web\"`")
        }
        Kind::Unsupported if code == 404 => {
            Fault::new(kind, format!("`{cluster}` has no kind `{}` (any more)", subject.resource))
                .hint("is its CustomResourceDefinition installed, and in this version?")
        }
        Kind::AlreadyExists => Fault::new(kind, format!("{shown} is in `{cluster}` already"))
            .hint("`apply` changes what is there; `delete` it first to create it anew"),
        Kind::Invalid if !undeclared::notes(message).is_empty() => {
            Fault::new(kind, format!("`{cluster}` refuses {shown}: its kind does not have all of the fields"))
                .notes(undeclared::notes(message))
                .hint("correct their names, or leave them out with `#{ validation: \"warn\" }`")
        }
        Kind::Invalid => {
            let fault = Fault::new(kind, format!("`{cluster}` refuses {shown}: {}", first_sentence(message)));
            fault.notes(causes(status))
        }
        _ => {
            let fault =
                Fault::new(kind, format!("`{cluster}` answers {shown} with {code}: {}", first_sentence(message)));
            fault.notes(causes(status))
        }
    };
    fault.status(code)
}

fn is_terminating(status: &Tree) -> bool {
    let terminating = |cause: &Tree| text(cause, &["reason"]) == Some("NamespaceTerminating");
    items(status, &["details", "causes"]).iter().any(terminating)
}

fn denied(subject: &Subject, message: &str) -> Fault {
    let Subject { verb, resource, name, namespace, cluster } = subject;
    let part = resource.split_once('/').map(|(_, part)| format!("`{part}` of ")).unwrap_or_default();
    let fault = Fault::new(Kind::Denied, format!("`{cluster}` does not allow to {verb} {part}{}", subject.shown()));
    let mut command = format!("kubectl --context {cluster} auth can-i {verb} {resource}");
    if let Some(name) = name {
        command.push_str(&format!("/{name}"));
    }
    if let Some(namespace) = namespace {
        command.push_str(&format!(" -n {namespace}"));
    }
    let fault = fault.note(message.to_owned());
    match resource.is_empty() {
        true => fault,
        false => fault.hint(format!("ask for a role with `{verb}` on `{resource}`; check with `{command}`")),
    }
}

fn not_found(status: &Tree, message: &str, subject: &Subject) -> Fault {
    let cluster = &subject.cluster;
    let kind = text(status, &["details", "kind"]).unwrap_or_default();
    let name = text(status, &["details", "name"]).unwrap_or_default();
    if kind == "namespaces" && !name.is_empty() && !subject.resource.starts_with("namespaces") {
        return Fault::new(Kind::NotFound, format!("namespace `{name}` is not in `{cluster}`"))
            .note(format!("it was asked for {}", subject.shown()))
            .hint("create the namespace first, or check its spelling");
    }
    let fault = Fault::new(Kind::NotFound, format!("{} is not in `{cluster}`", subject.shown()));
    if message.is_empty() { fault } else { fault.note(message.to_owned()) }
}

/// True if the server knows no such kind, rather than no such object.
fn is_unknown_kind(status: &Tree, subject: &Subject) -> bool {
    !subject.resource.is_empty() && text(status, &["details", "name"]).unwrap_or_default().is_empty()
}

/// The manager of fields that `kubectl` applied in its older way.
const CLIENT_SIDE: &str = "kubectl-client-side-apply";

fn conflict(status: &Tree, message: &str, subject: &Subject) -> Fault {
    let cluster = &subject.cluster;
    let owners = causes(status);
    let fields = items(status, &["details", "causes"])
        .iter()
        .filter(|cause| text(cause, &["reason"]) == Some("FieldManagerConflict"))
        .count();
    if fields == 0 {
        let fault = Fault::new(Kind::Conflict, format!("somebody else changed {} in `{cluster}`", subject.shown()));
        return fault.note(message.to_owned()).hint("read it again, and change what is there now");
    }
    let object = subject.shown();
    let message = match fields {
        1 => format!("a field of {object} in `{cluster}` belongs to somebody else"),
        fields => format!("{fields} fields of {object} in `{cluster}` belong to somebody else"),
    };
    let is_migration = owners.iter().any(|owner| owner.contains(CLIENT_SIDE));
    let hint = match is_migration {
        true => {
            "`kubectl apply` without `--server-side` made this object: take its fields over once with `#{ force: true }`; what \
             you leave out later stays until it is removed from `kubectl`'s share, too"
        }
        false => "leave these fields out, set them to what they are, or take them over with `#{ force: true }`",
    };
    Fault::new(Kind::Conflict, message).notes(owners).hint(hint)
}

/// What the server says about single fields, a line each.
fn causes(status: &Tree) -> Vec<String> {
    let cause = |cause: &Tree| {
        let message = text(cause, &["message"]).unwrap_or_default();
        match text(cause, &["field"]).filter(|field| !field.is_empty()) {
            Some(field) => format!("`{}`: {message}", field.trim_start_matches('.')),
            None => message.to_owned(),
        }
    };
    let mut causes: Vec<String> = items(status, &["details", "causes"]).iter().map(cause).collect();
    // Servers give them in no fixed order.
    causes.sort();
    causes
}

fn first_sentence(message: &str) -> &str {
    let message = message.trim().trim_end_matches('.');
    if message.is_empty() { "no reason given" } else { message }
}

/// How long the server asks to wait, from the body; the header says the same.
pub fn retry_after(status: &Tree) -> Option<u64> {
    integer(status, &["details", "retryAfterSeconds"]).and_then(|seconds| u64::try_from(seconds).ok())
}

/// How a request failed before an answer came.
#[derive(Debug)]
pub struct Broken {
    pub fault: Fault,
    /// True if the request can't have reached the server.
    pub unsent: bool,
    /// True if trying again may help.
    pub passes: bool,
}

/// The fault for a request that got no answer, from the chain of its errors.
pub fn of_transport(error: &(dyn Error + 'static), server: &str, cluster: &str) -> Broken {
    if let Some(fault) = Fault::behind(error) {
        return Broken { fault: fault.clone(), unsent: true, passes: fault.kind.passes() };
    }
    let chain = chain(error);
    let through_proxy = chain.iter().find_map(|error| match error.downcast_ref::<Unconnected>() {
        Some(Unconnected::Proxy { proxy, because }) => Some((proxy, because)),
        _ => None,
    });
    if let Some((proxy, because)) = through_proxy {
        let message = format!("`{cluster}` at `{server}` is not reached through its proxy `{proxy}`: {because}");
        let fault = Fault::new(Kind::Unreachable, message)
            .hint("check the proxy; `proxy-url` of the kubeconfig, the option `proxy` or `HTTPS_PROXY` name it");
        let unfit = matches!(because, ProxyFailure::Unconnected(error) if error.is_trust());
        return Broken { fault, unsent: true, passes: !unfit };
    }
    let mut tls = None;
    let mut io = None;
    let mut unsent = false;
    for error in &chain {
        unsent |= error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect());
        tls = tls.or(error.downcast_ref::<rustls::Error>());
        if let Some(outer) = error.downcast_ref::<io::Error>() {
            let found = innermost(outer);
            tls = tls.or(found.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()));
            io = Some(found);
        }
    }
    if let Some(tls) = tls {
        return Broken { fault: of_tls(tls, server, cluster), unsent, passes: false };
    }
    let kind = io.map(io::Error::kind);
    let root = chain.last().map(ToString::to_string).unwrap_or_default();
    let unreachable = |what: String| Fault::new(Kind::Unreachable, what);
    let fault = match kind {
        Some(io::ErrorKind::ConnectionRefused) => unreachable(format!("`{cluster}` at `{server}` refuses connections"))
            .hint("is the API server running, and is this its port?"),
        Some(io::ErrorKind::TimedOut) => unreachable(format!("`{cluster}` at `{server}` does not answer"))
            .hint("check the address, the route to it, and firewalls in between"),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            unreachable(format!("there is no route to `{cluster}` at `{server}`")).hint("is the VPN up?")
        }
        Some(io::ErrorKind::NotFound) => {
            unreachable(format!("the name in `{server}`, the server of `{cluster}`, is not known"))
                .hint("check its spelling and the name server")
                .note(root.clone())
        }
        _ => unreachable(format!("the connection to `{cluster}` at `{server}` broke")).note(root.clone()),
    };
    Broken { fault, unsent, passes: true }
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut chain = vec![error];
    let mut inner = error.source();
    while let Some(error) = inner {
        chain.push(error);
        inner = error.source();
    }
    chain
}

/// I/O errors stand in one another, where `source` skips a level.
fn innermost(error: &io::Error) -> &io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
        Some(inner) => innermost(inner),
        None => error,
    }
}

fn of_tls(error: &rustls::Error, server: &str, cluster: &str) -> Fault {
    use rustls::{CertificateError, Error as Tls};
    let fault = |what: &str| Fault::new(Kind::Tls, format!("the certificate of `{cluster}` at `{server}` {what}"));
    match error {
        Tls::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            fault("is signed by an authority that the kubeconfig does not name").hint(
                "put the cluster's own CA into `certificate-authority-data`; after a cluster was rebuilt, get its new \
                 kubeconfig",
            )
        }
        Tls::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            fault("has expired").hint("renew the server's certificate, and check this machine's clock")
        }
        Tls::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            fault("is not valid yet").hint("check this machine's clock")
        }
        Tls::InvalidCertificate(
            name @ (CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }),
        ) => fault("is for another name")
            .note(name.to_string())
            .hint("use a name that the certificate has in `server`, or set `tls-server-name` to it"),
        Tls::InvalidCertificate(other) => fault("can't be trusted").note(other.to_string()),
        Tls::AlertReceived(alert) => {
            Fault::new(Kind::Tls, format!("`{cluster}` at `{server}` does not accept our side of the connection"))
                .note(format!("{alert:?}"))
                .hint("the client certificate in the kubeconfig is missing, expired or from another cluster")
        }
        other => Fault::new(Kind::Tls, format!("no safe connection to `{cluster}` at `{server}`"))
            .note(other.to_string())
            .hint("does this port speak TLS? `server` may need `http://`, or another port"),
    }
}
