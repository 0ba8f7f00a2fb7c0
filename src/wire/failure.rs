//! Why there is no connection, in words that follow ``no connection to `host:port`: ``.

use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why there is no connection. Nothing of a request was sent.
#[derive(Debug, thiserror::Error)]
pub enum Unconnected {
    #[error("{}", name_reason(.0))]
    Name(#[source] io::Error),
    #[error("{}", dial_reason(.0))]
    Dial(#[source] io::Error),
    /// The server is there and can't be trusted, or speaks no TLS.
    #[error("{}", tls_reason(.0))]
    Tls(#[source] io::Error),
    #[error("its proxy `{proxy}`: {because}")]
    Proxy { proxy: String, because: ProxyFailure },
}

/// What stood between us and a server that a proxy leads to.
#[derive(Debug, thiserror::Error)]
pub enum ProxyFailure {
    #[error("{0}")]
    Unconnected(#[source] Box<Unconnected>),
    /// What it said to being asked for the server.
    #[error("{0}")]
    Said(String),
}

impl Unconnected {
    /// True if the server, or the way it proves who it is, is at fault, and not the way to it.
    pub fn is_trust(&self) -> bool {
        matches!(self, Self::Tls(error) if tls_error(error).is_some())
    }
}

/// What TLS said, if the error is about TLS.
pub fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| inner.downcast_ref().and_then(tls_error))
}

fn name_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "its name is not known".to_owned(),
        io::ErrorKind::TimedOut => "its name was not looked up in time".to_owned(),
        _ => format!("its name can't be looked up: {error}"),
    }
}

fn dial_reason(error: &io::Error) -> String {
    match error.kind() {
        // Where names are dialled as they are, the dial looks them up.
        io::ErrorKind::NotFound => "its name is not known".to_owned(),
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut => "no connection in time".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no route to it".to_owned(),
        io::ErrorKind::ConnectionReset => "it hung up".to_owned(),
        _ => error.to_string(),
    }
}

fn tls_reason(error: &io::Error) -> String {
    match (tls_error(error), error.kind()) {
        (Some(error), _) => trust_reason(error),
        (None, io::ErrorKind::TimedOut) => "it did not end its TLS handshake in time".to_owned(),
        (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            "it hung up during the TLS handshake".to_owned()
        }
        (None, _) => format!("its TLS handshake broke: {error}"),
    }
}

/// What TLS said, as a reason that begins with `it` or `its certificate`.
pub fn trust_reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => "it does not speak TLS at that port".to_owned(),
        rustls::Error::InvalidCertificate(why) => certificate_reason(why),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants a client certificate".to_owned()
        }
        rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError,
        ) => "it does not accept our client certificate".to_owned(),
        rustls::Error::AlertReceived(AlertDescription::CertificateExpired) => {
            "it says that our client certificate has expired".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "it serves nothing under that name".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
            "it speaks only versions or ciphers of TLS that are not safe".to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("it refused the TLS handshake: {alert:?}"),
        other => other.to_string(),
    }
}

fn certificate_reason(why: &CertificateError) -> String {
    match why {
        // An authority of the same name with another key is another one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is not trusted: nobody who is trusted vouches for it".to_owned()
        }
        CertificateError::Expired => "its certificate has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate has expired, at {}", moment(not_after.as_secs()))
        }
        CertificateError::NotValidYet => "its certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid before {}", moment(not_before.as_secs()))
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => match presented.is_empty() {
            true => format!("its certificate is not for `{}`: it names nobody", expected.to_str()),
            false => {
                let names: Vec<String> = presented.iter().map(|name| format!("`{}`", name_of(name))).collect();
                format!("its certificate is not for `{}` but for {}", expected.to_str(), names.join(", "))
            }
        },
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not meant for servers".to_owned()
        }
        CertificateError::Other(why) => format!("its certificate is not trusted: {}", why.0),
        other => format!("its certificate is not trusted: {other}"),
    }
}

/// `DnsName("example.org")` as it is written elsewhere.
fn name_of(presented: &str) -> &str {
    presented.split_once('(').map_or(presented, |(_, name)| name.trim_end_matches(')').trim_matches('"'))
}

fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    moment.map_or_else(|| "a far time".to_owned(), |moment| moment.to_string())
}
