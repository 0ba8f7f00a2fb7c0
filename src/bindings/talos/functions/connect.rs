//! Connecting: which talosconfig, which context, or a node that has none yet.

use std::time::Duration;

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use crate::{
    bindings::talos::{
        machines::{Maintenance, Talos},
        opening::{self, Choice, Found},
    },
    host::{Host, secrets::Secret, wait::Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

#[export_module]
pub mod functions {
    /// Connects to the nodes of the current context.
    #[rhai_fn(return_raw)]
    pub fn connect(context: NativeCallContext) -> Outcome<Talos> {
        open(&context, None, Map::new())
    }

    /// Connects to the nodes that a talosconfig names.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_by(context: NativeCallContext, talosconfig: Dynamic) -> Outcome<Talos> {
        match talosconfig.clone().try_cast::<Map>() {
            Some(options) => open(&context, None, options),
            None => open(&context, Some(&talosconfig), Map::new()),
        }
    }

    /// Connects to the nodes of a context of a talosconfig.
    ///
    /// Nothing is sent until something is asked of a node. Each call names its node, and goes to one endpoint, which passes it
    /// on; if an endpoint can't be reached, the next one is asked. A node that is an endpoint itself is asked without another in
    /// between. A client certificate that ends within two weeks is warned of.
    ///
    /// # Parameters
    /// - `talosconfig` (text or secret): a file, relative to the runbook's folder, or a talosconfig itself; without it the one
    ///   that `talosctl` takes: `TALOSCONFIG`, or `~/.talos/config`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `context` (text): the context, where it is not the current one
    /// - `endpoints` (list, the context's own): the control planes that pass calls on
    /// - `nodes` (list, the context's own): the nodes that `nodes()` gives
    ///
    /// # Returns
    /// A `Talos`.
    ///
    /// # Faults
    /// - `file`: there is no talosconfig, or it can't be read
    /// - `parse`: it is none
    /// - `not_found`: it has no such context
    /// - `tls`: its certificates can't be used, or have expired
    /// - `usage`: there are no endpoints, or one of them can't be one
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig", #{ context: "lab" });
    /// for node in lab.nodes() { print(lab.version(node).tag); }
    /// ```
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_with_options(context: NativeCallContext, talosconfig: Dynamic, options: Map) -> Outcome<Talos> {
        open(&context, Some(&talosconfig), options)
    }

    /// Connects to a node in maintenance.
    #[rhai_fn(return_raw)]
    pub fn maintenance(context: NativeCallContext, address: &str) -> Outcome<Maintenance> {
        blank(&context, address, Map::new())
    }

    /// Connects to a node that has no configuration yet.
    ///
    /// Nobody vouches for such a node: it is known by the fingerprint of its key, which is shown as a warning unless it is
    /// given. It is on the node's own screen, and another one after each boot. As long as this connection is held, only who has
    /// that key is spoken to.
    ///
    /// # Parameters
    /// - `address` (text): where the node is; its port is 50000 where none is given
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `fingerprint` (text or list): the fingerprint that its key must have, or several of which it must have one
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// A `Maintenance`.
    ///
    /// # Faults
    /// - `unreachable`: nobody listens there
    /// - `tls`: the node has a configuration already, or another key
    /// - `usage`: there can be no node at such an address
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let blank = talos::maintenance("10.17.13.86");
    /// print(blank.fingerprint());
    /// ```
    #[rhai_fn(name = "maintenance", return_raw)]
    pub fn maintenance_with_options(context: NativeCallContext, address: &str, options: Map) -> Outcome<Maintenance> {
        blank(&context, address, options)
    }

    /// Returns the nodes of the context.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    ///
    /// # Returns
    /// A list of texts, empty if the context names none.
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// parallel for node in lab.nodes() { print(lab.version(node).tag); }
    /// ```
    #[rhai_fn(global, name = "nodes", pure)]
    pub fn nodes_of(talos: &mut Talos) -> Array {
        talos.nodes().iter().map(|node| node.clone().into()).collect()
    }

    /// Returns the endpoints that pass calls on, each with its port.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    ///
    /// # Returns
    /// A list of texts.
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::connect().endpoints());
    /// ```
    #[rhai_fn(global, name = "endpoints", pure)]
    pub fn endpoints_of(talos: &mut Talos) -> Array {
        talos.endpoints().iter().map(|endpoint| endpoint.to_string().into()).collect()
    }

    /// Returns the fingerprint of the key of a node in maintenance, as its screen and `talosctl` have it.
    ///
    /// # Parameters
    /// - `node` (maintenance): the connection
    ///
    /// # Returns
    /// A text: the SHA-256 of its public key, in base64.
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::maintenance("10.17.13.86").fingerprint());
    /// ```
    #[rhai_fn(global, name = "fingerprint", pure)]
    pub fn fingerprint_of(node: &mut Maintenance) -> String {
        node.fingerprint().to_owned()
    }
}

fn open(context: &NativeCallContext, talosconfig: Option<&Dynamic>, options: Map) -> Outcome<Talos> {
    let options = context.options("talos::connect", options)?;
    let host = context.host();
    let raise = |fault: Fault| context.raise(fault);
    let found = source(&host, talosconfig).map_err(raise)?;
    let choice = Choice {
        context: options.text("context"),
        endpoints: texts(&options, "endpoints").map_err(raise)?,
        nodes: texts(&options, "nodes").map_err(raise)?,
    };
    opening::open(&host, &found, choice).map_err(raise)
}

fn source(host: &Host, talosconfig: Option<&Dynamic>) -> Result<Found, Fault> {
    let Some(given) = talosconfig else { return opening::found(host) };
    if let Some(secret) = given.clone().try_cast::<Secret>() {
        return opening::read(secret.expose(), format!("the talosconfig in {}", secret.reference()));
    }
    match read_or_given(host, given, "talosconfig")? {
        (text, None) => opening::read(&text, "the talosconfig".to_owned()),
        (text, Some(path)) => opening::read(&text, format!("talosconfig `{path}`")),
    }
}

/// A text that was given as it is or as a secret, or lies in a file: then with its path.
pub fn read_or_given(host: &Host, given: &Dynamic, what: &str) -> Result<(String, Option<String>), Fault> {
    if let Some(secret) = given.clone().try_cast::<Secret>() {
        return Ok((secret.expose().to_owned(), None));
    }
    let text = given
        .clone()
        .into_string()
        .map_err(|kind| Fault::new(Kind::Usage, format!("a {what} is a text or a secret, and not a `{kind}`")))?;
    match text.contains('\n') {
        true => Ok((text, None)),
        false => Ok((host.files.read(&text)?, Some(text))),
    }
}

fn blank(context: &NativeCallContext, address: &str, options: Map) -> Outcome<Maintenance> {
    let options = context.options("talos::maintenance", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout: Duration = options.deadline("timeout").map_err(raise)?;
    let fingerprints = texts(&options, "fingerprint").map_err(raise)?;
    let at = opening::address(address).map_err(raise)?;
    let host = context.host();
    let what = format!("node {} in maintenance", at.host);
    context
        .wait(Waiting::request(what, timeout), |_| async move { opening::maintenance(&host, &at, &fingerprints).await })
}

/// An option that is a text or a list of texts.
pub fn texts(options: &Options, name: &str) -> Result<Vec<String>, Fault> {
    let Some(value) = options.value(name) else { return Ok(Vec::new()) };
    let items = value.clone().try_cast::<Array>().unwrap_or_else(|| vec![value]);
    let text = |item: Dynamic| {
        item.into_string()
            .map_err(|kind| Fault::new(Kind::Usage, format!("option `{name}` takes texts, and was given a `{kind}`")))
    };
    items.into_iter().map(text).collect()
}
