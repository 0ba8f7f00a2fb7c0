//! What goes wrong between us and a node, as faults that name the node, the endpoint and what to do.

use std::{error::Error, io};

use rustls::AlertDescription;
use tonic::{Code, Status};

use crate::{
    script::fault::{Fault, Kind},
    wire::failure::{Unconnected, trust_reason},
};

/// A connection that broke under a call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub struct Broken {
    why: String,
    /// The call, or a part of it, was on its way.
    pub sent: bool,
    trust: bool,
}

impl Broken {
    pub fn unsent(error: &(dyn Error + 'static)) -> Self {
        Self::of(error, false)
    }

    pub fn sent(error: &(dyn Error + 'static)) -> Self {
        Self::of(error, true)
    }

    fn of(error: &(dyn Error + 'static), sent: bool) -> Self {
        let mut last = error;
        loop {
            if let Some(tls) = last.downcast_ref::<rustls::Error>() {
                // Who is refused in a handshake was not listened to.
                return Self { why: trust_reason(tls), sent: false, trust: true };
            }
            // What an I/O error wraps is not its source: its source is the source of what it wraps.
            let wrapped = last.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            match wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| last.source()) {
                Some(next) => last = next,
                None => return Self::of_words(&last.to_string(), sent),
            }
        }
    }

    /// HTTP/2 keeps of what broke its connection the words alone.
    fn of_words(said: &str, sent: bool) -> Self {
        let alert =
            ALERTS.into_iter().map(rustls::Error::AlertReceived).find(|alert| said.contains(&alert.to_string()));
        match alert {
            Some(alert) => Self { why: trust_reason(&alert), sent: false, trust: true },
            None => Self { why: format!("the connection broke: {said}"), sent, trust: false },
        }
    }

    /// Whether one side did not trust the other.
    pub fn is_trust(&self) -> bool {
        self.trust
    }

    pub fn fault(&self) -> Fault {
        match self.trust {
            true => Fault::new(Kind::Tls, self.why.clone()).hint(TRUST),
            false => Fault::new(Kind::Unreachable, self.why.clone()),
        }
    }
}

/// What a server says, after the handshake, of who asks.
const ALERTS: [AlertDescription; 6] = [
    AlertDescription::CertificateRequired,
    AlertDescription::UnknownCA,
    AlertDescription::BadCertificate,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::DecryptError,
];

/// What to do where one side does not trust the other.
const TRUST: &str =
    "is this talosconfig the one of this cluster? a node that was wiped is in maintenance: `talos::maintenance`";

/// Why there is no connection to an endpoint.
pub fn unconnected(error: &Unconnected) -> Fault {
    if let Some(fault) = Fault::behind(error) {
        return fault.clone();
    }
    match error.is_trust() {
        true => Fault::new(Kind::Tls, error.to_string()).hint(TRUST),
        false => Fault::new(Kind::Unreachable, error.to_string()),
    }
}

/// How a call failed.
pub enum Failed {
    /// The connection broke.
    Broken(Broken),
    /// The endpoint does not get through to the node, or is going down itself; nothing was done.
    Beyond(Fault),
    /// It was answered.
    Answered(Fault),
}

impl Failed {
    pub fn of(status: &Status) -> Self {
        match status.source() {
            Some(source) => match source.downcast_ref::<Broken>() {
                Some(broken) => Self::Broken(broken.clone()),
                None => Self::Broken(Broken::sent(source)),
            },
            None if is_beyond(status) => Self::Beyond(of_status(status)),
            None => Self::Answered(of_status(status)),
        }
    }

    pub fn fault(self) -> Fault {
        match self {
            Self::Broken(broken) => broken.fault(),
            Self::Beyond(fault) | Self::Answered(fault) => fault,
        }
    }
}

/// True if the proxy of the endpoint had no connection to the node.
fn is_beyond(status: &Status) -> bool {
    status.code() == Code::Unavailable
        && ["dial", "connection", "transport"].iter().any(|word| status.message().contains(word))
}

/// What a node, or an endpoint in its place, said.
pub fn of_status(status: &Status) -> Fault {
    let said = status.message();
    let kind = match status.code() {
        Code::NotFound => Kind::NotFound,
        Code::AlreadyExists => Kind::AlreadyExists,
        Code::PermissionDenied => Kind::Denied,
        Code::Unauthenticated => Kind::Unauthenticated,
        Code::InvalidArgument | Code::OutOfRange => Kind::Invalid,
        Code::Unimplemented => Kind::Unsupported,
        Code::DeadlineExceeded => Kind::Timeout,
        Code::FailedPrecondition | Code::Unavailable | Code::ResourceExhausted | Code::Aborted => Kind::Unavailable,
        Code::Cancelled => Kind::Unreachable,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => Kind::Failed,
    };
    let fault = Fault::new(kind, if said.is_empty() { format!("{:?}", status.code()) } else { said.to_owned() });
    match kind {
        _ if is_beyond(status) => Fault { kind: Kind::Unreachable, ..fault }
            .hint("the endpoint answers and does not get through to the node: is it up, and is this its address as the endpoint sees it?"),
        Kind::Denied if said.contains("no request forwarding") => {
            fault.hint("a worker passes nothing on: the endpoints of a talosconfig are control planes")
        }
        Kind::Denied => fault.hint("the certificate of this talosconfig has a role that may not do it; `os:admin` may do all"),
        Kind::Failed if said.contains("invalid target") => {
            fault.hint("a node is named by its address or name alone, without a port")
        }
        Kind::Unsupported if said.contains("not implemented in maintenance mode") => {
            fault.hint("the node has no configuration yet: `talos::maintenance` speaks to it")
        }
        _ => fault,
    }
}
