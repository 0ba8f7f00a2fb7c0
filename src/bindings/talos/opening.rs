//! From a talosconfig to a connection, and to a node without one.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use talos::talosconfig::{self, Context, Identity, PORT, Talosconfig, Unusable};
use zeroize::Zeroizing;

use super::{
    machines::{Maintenance, Talos},
    reach::{Node, Reach, storage},
};
use crate::{
    host::{Host, secrets::Secret},
    script::fault::{Fault, Kind},
    wire::{
        authority::Authority,
        certificate::{facts, key_fingerprint},
        tls::{self, Settings, Tls, Trust},
    },
};

/// How many days before its end a certificate is warned of.
const SOON: i64 = 14;

/// A talosconfig, and where it was found.
pub struct Found {
    pub config: Talosconfig,
    pub shown: String,
}

/// Reads a text.
///
/// # Errors
/// `parse`.
pub fn read(text: &str, shown: String) -> Result<Found, Fault> {
    let config = talosconfig::read(text).map_err(|why| unusable(&shown, &why))?;
    Ok(Found { config, shown })
}

/// The talosconfig that talosctl would take.
///
/// # Errors
/// `file` if there is none, `parse` if it can't be read.
pub fn found(host: &Host) -> Result<Found, Fault> {
    let given = host.environment.variable("TALOSCONFIG").filter(|path| !path.is_empty()).map(Into::into);
    let home = host.environment.variable("TALOS_HOME").map(std::path::PathBuf::from).filter(|path| path.is_absolute());
    let home = home.or_else(|| host.environment.home().map(|home| home.join(".talos"))).map(|home| home.join("config"));
    let pod = std::path::PathBuf::from("/var/run/secrets/talos.dev/config");
    let tried: Vec<_> = given.into_iter().chain(home).chain([pod]).collect();
    for path in &tried {
        if let Ok(text) = host.files.read_personal(path) {
            return read(&text, format!("talosconfig `{}`", path.display()));
        }
    }
    let tried: Vec<String> = tried.iter().map(|path| format!("`{}`", path.display())).collect();
    Err(Fault::new(Kind::File, format!("there is no talosconfig: none of {} can be read", tried.join(", ")))
        .hint("name one, or set TALOSCONFIG"))
}

fn unusable(shown: &str, why: &Unusable) -> Fault {
    let kind = match why {
        Unusable::NoContext { .. } | Unusable::Empty | Unusable::NoCurrent => Kind::NotFound,
        _ => Kind::Parse,
    };
    let fault = Fault::new(kind, format!("{shown} can't be used: {why}"));
    match why {
        Unusable::NoCurrent => fault.hint("name one with the option `context`"),
        _ => fault,
    }
}

/// What is chosen of a talosconfig.
#[derive(Default)]
pub struct Choice {
    pub context: Option<String>,
    pub endpoints: Vec<String>,
    pub nodes: Vec<String>,
}

/// The nodes of a context. Nothing is sent yet.
///
/// # Errors
/// What of it can't be used.
pub fn open(host: &Host, found: &Found, choice: Choice) -> Result<Talos, Fault> {
    let raise = |why: &Unusable| unusable(&found.shown, why);
    let (name, context) = found.config.chosen(choice.context.as_deref()).map_err(|why| raise(&why))?;
    let endpoints = endpoints(context, &choice.endpoints).map_err(|why| raise(&why))?;
    if endpoints.is_empty() {
        let message = format!("context `{name}` of {} has no endpoints", found.shown);
        return Err(Fault::new(Kind::Usage, message).hint("name the control planes with the option `endpoints`"));
    }
    let trust = match context.authority().map_err(|why| raise(&why))? {
        Some(pem) => Trust::Authority(pem.into_bytes().into()),
        None => Trust::System,
    };
    let identity = context.identity().map_err(|why| raise(&why))?;
    if let Some(Identity { certificate, key }) = &identity {
        host.secrets.remember(&Secret::new(format!("key of talosconfig context {name}"), key.clone()));
        still_valid(host, name, certificate)?;
    }
    let identity = identity.map(|Identity { certificate, key }| tls::Identity {
        certificate: certificate.into_bytes().into(),
        key: Arc::new(Zeroizing::new(key.into_bytes())),
    });
    let tls = Tls::new(host, &Settings { trust, identity, server_name: None }).map_err(|unfit| {
        let message = format!("{} of context `{name}` can't be used: {}", unfit.part.words(), unfit.why);
        Fault::new(Kind::Tls, message)
    })?;
    let nodes = if choice.nodes.is_empty() { context.nodes.clone() } else { choice.nodes };
    Ok(Talos::new(name, nodes, Reach::new(host, endpoints, tls)))
}

fn endpoints(context: &Context, given: &[String]) -> Result<Vec<Authority>, Unusable> {
    let read = match given {
        [] => context.endpoints()?,
        given => given.iter().map(|text| talosconfig::endpoint(text)).collect::<Result<_, _>>()?,
    };
    Ok(read.iter().map(|endpoint| Authority::new(&endpoint.host, endpoint.port)).collect())
}

/// Warns of a client certificate that ends soon.
///
/// # Errors
/// `tls`, if it is not valid now.
fn still_valid(host: &Host, context: &str, pem: &str) -> Result<(), Fault> {
    let now = host.clock.now();
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string());
    let facts = certificate.and_then(|certificate| facts(&certificate, now));
    let facts = facts.map_err(|why| {
        Fault::new(Kind::Tls, format!("the client certificate of context `{context}` can't be read: {why}"))
    })?;
    let moment = |name: &str| facts[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let renew =
        "make another: `talosctl config new`, on a control plane that still knows you, or from the cluster's secrets";
    match (moment("not_before"), moment("not_after"), facts["days_left"].as_i64()) {
        (_, Some(until), _) if until < now => {
            let message = format!("the client certificate of context `{context}` has expired, at {until}");
            Err(Fault::new(Kind::Tls, message).hint(renew))
        }
        (Some(from), ..) if from > now => {
            let message = format!("the client certificate of context `{context}` is not valid before {from}");
            Err(Fault::new(Kind::Tls, message).hint("is the clock of this machine right?"))
        }
        (_, Some(until), Some(days)) if days < SOON => {
            let text = format!("the client certificate of context `{context}` expires at {until}: {renew}");
            host.events.warn_once(text);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A node that has no configuration, and so nobody who vouches for it: it is known by its key, which is shown unless it is one of the
/// `fingerprints`.
///
/// # Errors
/// `unreachable`, or `tls` if it has a configuration already, or another key than one of the `fingerprints`.
pub async fn maintenance(host: &Host, address: &Authority, fingerprints: &[String]) -> Result<Maintenance, Fault> {
    let met = met(host, address, fingerprints).await?;
    if fingerprints.is_empty() {
        host.events.warn_once(format!(
            "nobody vouches for node `{}`, which is in maintenance: the fingerprint of its key is `{}`",
            address.host,
            met.fingerprint()
        ));
    }
    Ok(met)
}

/// The same for who only looks whether it is there.
///
/// # Errors
/// As for [`maintenance`].
pub async fn met(host: &Host, address: &Authority, fingerprints: &[String]) -> Result<Maintenance, Fault> {
    let known = |trust: Trust| {
        Tls::new(host, &Settings { trust, ..Settings::default() }).expect("nothing of a certificate is read for it")
    };
    let named = |fault: Fault| Fault { message: format!("node `{}`: {}", address.host, fault.message), ..fault };
    let trust = match fingerprints {
        [] => Trust::Anybody,
        fingerprints => Trust::Key(fingerprints.into()),
    };
    let looking = Reach::new(host, vec![address.clone()], known(trust));
    let shown = looking.certificates(address).await.map_err(named)?;
    let fingerprint = shown.first().ok_or("it shows no certificate".to_owned()).and_then(key_fingerprint);
    let fingerprint = fingerprint.map_err(|why| named(Fault::new(Kind::Tls, why)))?;
    // Whoever it is, it stays the same for as long as this is held.
    let reach = Reach::new(host, vec![address.clone()], known(Trust::Key([fingerprint.clone()].into())));
    let maintenance = Maintenance::new(reach, &fingerprint);
    answers(maintenance.node()).await?;
    Ok(maintenance)
}

/// Asks a node what only one in maintenance tells anybody.
///
/// # Errors
/// `tls`, if it wants to know who asks.
async fn answers(node: &Node) -> Result<(), Fault> {
    match node.ask(|channel| async move { storage(channel).disks(()).await }).await {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind == Kind::Tls => {
            Err(Fault::new(Kind::Tls, format!("node `{node}` has a configuration and wants to know who asks"))
                .hint("`talos::connect` speaks to it, by its talosconfig"))
        }
        Err(fault) => Err(fault),
    }
}

/// Where a node in maintenance is, as scripts write it.
///
/// # Errors
/// `usage`.
pub fn address(text: &str) -> Result<Authority, Fault> {
    talosconfig::endpoint(text).map(|endpoint| Authority::new(&endpoint.host, endpoint.port)).map_err(|_| {
        Fault::new(Kind::Usage, format!("there is no node at `{text}`"))
            .hint(format!("write its address; its port is {PORT}"))
    })
}
