//! What the certificate of a server says, and whether it is trusted.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::reach::Probe;
use crate::{
    host::{Host, wait::Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
    wire::{
        certificate::facts_of_chain,
        route::Connected,
        tls::{Settings, Tls, Trust},
    },
};

#[export_module]
pub mod functions {
    #[rhai_fn(return_raw)]
    pub fn tls(context: NativeCallContext, address: &str) -> Outcome<Dynamic> {
        shown(&context, address, Map::new())
    }

    /// Says what the certificate of a server says, and whether it is trusted. It asks the server for nothing.
    ///
    /// # Parameters
    /// - `address` (text): such as `grafana.example.org:443`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `server_name` (text): the name to ask for and to look for in the certificate, if it is not the host's
    /// - `ca` (text): whom to trust, and nobody else: a file below the runbook's folder, or certificates in PEM
    /// - `timeout` (duration, `10s`): how long making a connection may take
    /// - `through` (tunnel): a tunnel to connect through, such as one of `port_forward`
    ///
    /// # Returns
    /// An `Object` with `subject`, `issuer`, `names`, `not_before`, `not_after`, `days_left`, `valid` (by its dates), `serial`,
    /// `fingerprint` (SHA-256), `key`, `authority`, and the `chain` above it; `trusted`, and if not, the `reason`.
    ///
    /// # Faults
    /// - `unreachable`: no connection
    /// - `tls`: it speaks no TLS
    /// - `usage`: it is not an address with a port
    /// - `file`: the file `ca` can't be read
    ///
    /// # Example
    /// ```rhai tls
    /// let certificate = net::tls(server, #{ ca: "ca.pem" });
    /// if !certificate.trusted || certificate.days_left < 21 {
    ///     fail(`renew the certificate of ${certificate.names}: ${certificate.days_left} days left`);
    /// }
    /// ```
    #[rhai_fn(name = "tls", return_raw)]
    pub fn tls_with_options(context: NativeCallContext, address: &str, options: Map) -> Outcome<Dynamic> {
        shown(&context, address, options)
    }
}

fn shown(context: &NativeCallContext, address: &str, options: Map) -> Outcome<Dynamic> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options("net::tls", options)?;
    let timeout = options.deadline("timeout").map_err(raise)?;
    let probe = Probe::read(context, address, &options, timeout)?;
    let host = context.host();
    let trust = match options.text("ca") {
        None => Trust::System,
        Some(pem) if pem.contains("-----BEGIN") => Trust::Authority(pem.as_bytes().into()),
        Some(path) => {
            let pem = host.files.read(&path).map_err(|error| raise(error.into()))?;
            Trust::Authority(pem.as_bytes().into())
        }
    };
    let settings = Settings { trust, identity: None, server_name: options.text("server_name") };
    let waiting = Waiting::request(format!("the certificate of `{}`", probe.to), timeout.saturating_mul(3));
    let facts = context.wait(waiting, |_| looked_at(host, probe, settings))?;
    Ok(Tree::from_json(facts).to_dynamic())
}

/// Connects as one who trusts, and if that can't be, as one who only looks.
async fn looked_at(host: Host, probe: Probe, settings: Settings) -> Result<Value, Fault> {
    let (connected, reason) = match connect(&host, &probe, &settings).await {
        Ok(connected) => (connected, None),
        Err(fault) if fault.kind == Kind::Tls => {
            let looking = Settings { trust: Trust::Anybody, ..settings };
            (connect(&host, &probe, &looking).await?, Some(fault.notes.join(", ")))
        }
        Err(fault) => return Err(fault),
    };
    let unreadable =
        |why: String| Fault::new(Kind::Tls, format!("the certificate of `{}` can't be read: {why}", probe.to));
    let facts = facts_of_chain(&connected.certificates, host.clock.now()).map_err(unreadable)?;
    let mut facts = facts.ok_or_else(|| unreadable("it showed none".to_owned()))?;
    facts["trusted"] = json!(reason.is_none());
    facts["reason"] = json!(reason);
    Ok(facts)
}

async fn connect(host: &Host, probe: &Probe, settings: &Settings) -> Result<Connected, Fault> {
    let tls = Tls::new(host, settings)
        .map_err(|unfit| Fault::new(Kind::Usage, format!("{} can't be used: {}", unfit.part.words(), unfit.why)))?;
    probe.route.connect(&probe.to, Some(&tls)).await.map_err(|error| match Fault::behind(&error) {
        Some(fault) => fault.clone(),
        None if error.is_trust() => {
            Fault::new(Kind::Tls, format!("`{}` can't be trusted: {error}", probe.to)).note(error.to_string())
        }
        None => Fault::new(Kind::Unreachable, format!("no connection to `{}`: {error}", probe.to)),
    })
}
