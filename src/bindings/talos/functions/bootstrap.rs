//! Beginning a cluster, and getting at it.

use std::time::Duration;

use rhai::{Map, NativeCallContext, plugin::*};
use serde_json::Value;
use talos::api::machine::BootstrapRequest;

use super::sequence::PAUSE;
use crate::{
    bindings::talos::{
        archive,
        condition::{self, complaint, whole},
        guard,
        machines::Talos,
        reach::{Node, machine},
    },
    host::{
        effect::{Effect, digest},
        secrets::Secret,
        wait::{Progress, Waiting},
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        values::{at, yaml},
    },
};

/// The longest kubeconfig.
const LONGEST: usize = 1 << 20;

#[export_module]
pub mod functions {
    /// Begins the cluster on its first control plane.
    #[rhai_fn(global, pure, return_raw)]
    pub fn bootstrap(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<bool> {
        bootstrap_node(&context, talos, node, Map::new())
    }

    /// Begins the cluster: etcd, on its first control plane. The others join on their own.
    ///
    /// A node that is still booting is asked again until it takes it. One that was told already is left as it is. If etcd runs
    /// on another control plane already it is refused, for there would be two clusters. It is done when etcd is healthy.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane, one alone
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `10m`): how long it may take until etcd is healthy
    /// - `another_cluster` (boolean, `false`): also if etcd runs elsewhere
    ///
    /// # Returns
    /// `true` if it was begun, `false` if it had been before.
    ///
    /// # Effect
    /// etcd begins on the node. A resume looks whether it did.
    ///
    /// # Faults
    /// - `refused`: etcd runs elsewhere, or somebody said no
    /// - `unsupported`: the node is no control plane
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: the certificate may not do it
    /// - `timeout`: the node did not take it in time, or etcd is not healthy; the note has why
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// step "bootstrap" { lab.bootstrap("10.17.13.86"); }
    /// ```
    #[rhai_fn(global, name = "bootstrap", pure, return_raw)]
    pub fn bootstrap_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
    ) -> Outcome<bool> {
        bootstrap_node(&context, talos, node, options)
    }

    /// Asks a control plane for the kubeconfig of an administrator.
    ///
    /// The node makes another one for each call, from its configuration alone: it says nothing of whether Kubernetes answers.
    /// It is a secret, and no file: `k8s::connect` takes it as the option `text`.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    ///
    /// # Returns
    /// A secret.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: the certificate may not do it
    /// - `failed`: what the node sends is no kubeconfig
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// let cluster = k8s::connect(#{ text: lab.kubeconfig("10.17.13.86") });
    /// ```
    #[rhai_fn(global, name = "kubeconfig", pure, return_raw)]
    pub fn kubeconfig_of(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Secret> {
        kubeconfig(&context, talos, node)
    }
}

fn bootstrap_node(context: &NativeCallContext, talos: &Talos, name: &str, options: Map) -> Outcome<bool> {
    let options = context.options("talos::bootstrap", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let (looking, first, allowed) = (talos.clone(), node.clone(), options.flag("another_cluster"));
    context
        .wait(Waiting::request(format!("whether there is a cluster beside node {node}"), timeout), |_| async move {
            guard::bootstrapping(&looking, &first, allowed).await
        })?;
    let effect = Effect {
        verb: "bootstrap".to_owned(),
        object: format!("{talos}: node {node}"),
        digest: digest(&[talos.to_string().as_bytes(), name.as_bytes()]),
        repeatable: false,
        destroys: None,
    };
    let changed = |new: bool| Changed {
        value: new,
        kept: Value::Bool(new),
        detail: Some(if new { "begun" } else { "was begun before" }.to_owned()),
    };
    let host = context.host();
    let begun = host.clock.elapsed();
    let (told, looked) = (node.clone(), node.clone());
    let new = context.change(Change {
        effect,
        deadline: timeout,
        perform: Box::new(move |progress| Box::pin(async move { Ok(changed(begin(&told, &progress).await?)) })),
        recall: Box::new(|kept| Box::pin(async move { Ok(kept == Value::Bool(true)) })),
        settle: Box::pin(async move {
            // It waits to be told as `Preparing`; whatever comes after that it was told.
            Ok(match etcd_once_it_talks(&looked).await?.as_deref() {
                Some("Starting" | "Running") => Settled::Happened(changed(true)),
                _ => Settled::DidNot,
            })
        }),
    })?;
    let left = timeout.saturating_sub(host.clock.elapsed().saturating_sub(begun));
    let waiting = Waiting::until(format!("etcd on node {node} to be healthy"), left);
    context.wait(waiting, |progress| async move {
        crate::bindings::talos::probe::etcd(&node, None, PAUSE, &progress).await;
        Ok(())
    })?;
    Ok(new)
}

/// Tells a node to begin, as soon as it takes it; false if it had been told before.
async fn begin(node: &Node, progress: &Progress) -> Result<bool, Fault> {
    loop {
        let request = BootstrapRequest::default();
        match node.once(|channel| async move { machine(channel).bootstrap(request).await }).await {
            Ok(_) => return Ok(true),
            Err(fault) if fault.kind == Kind::AlreadyExists || is_not_empty(&fault) => return Ok(false),
            Err(fault) if fault.kind == Kind::Unavailable && fault.message.contains("control plane") => {
                return Err(Fault { kind: Kind::Unsupported, ..fault });
            }
            Err(fault) if is_early(&fault) => progress.because(fault.message),
            Err(fault) => {
                // What was told and got no answer may have been heard.
                let etcd = condition::service(node, "etcd").await;
                match (fault.kind, etcd) {
                    (Kind::InDoubt, Ok(etcd)) if complaint("etcd", etcd.as_ref()).is_none() => return Ok(true),
                    _ => return Err(fault),
                }
            }
        }
        node.host().clock.sleep(PAUSE).await;
    }
}

/// The state of etcd on a node that may be booting.
async fn etcd_once_it_talks(node: &Node) -> Result<Option<String>, Fault> {
    loop {
        match condition::service(node, "etcd").await {
            Ok(etcd) => return Ok(etcd.map(|etcd| etcd.state)),
            Err(fault) if is_early(&fault) => node.host().clock.sleep(PAUSE).await,
            Err(fault) => return Err(fault),
        }
    }
}

/// It boots, its clock is not right yet, or it is only about to leave maintenance.
fn is_early(fault: &Fault) -> bool {
    fault.kind.passes() || fault.kind == Kind::Tls
}

/// The node says so without saying that it is so already, if it was told twice at one moment.
fn is_not_empty(fault: &Fault) -> bool {
    fault.message.contains("etcd data directory is not empty")
}

fn kubeconfig(context: &NativeCallContext, talos: &Talos, name: &str) -> Outcome<Secret> {
    let node = talos.node(name).map_err(|fault| context.raise(fault))?;
    let host = context.host();
    let reference: std::sync::Arc<str> = format!("kubeconfig from node {node} of {talos}").into();
    let waiting = Waiting::request(format!("a kubeconfig from node {node}"), Duration::from_secs(60));
    let text = context.wait(waiting, |_| async move {
        let stream = node.ask(|channel| async move { machine(channel).kubeconfig(()).await }).await?;
        let packed = whole(&node, stream, LONGEST).await?;
        let odd = |why: String| Fault::new(Kind::Failed, format!("node `{node}` sends no kubeconfig: {why}"));
        let file = archive::only_file(&packed).map_err(odd)?;
        String::from_utf8(file).map_err(|error| odd(error.to_string()))
    })?;
    if let Ok(read) = yaml::read_one(&text, "the kubeconfig") {
        let keys = at::items(&read, &["users"]).iter().filter_map(|user| at::text(user, &["user", "client-key-data"]));
        let keys: Vec<Secret> = keys.map(|key| Secret::new(format!("key in {reference}"), key.to_owned())).collect();
        host.secrets.remember_all(keys);
    }
    let secret = Secret::new(reference, text);
    host.secrets.remember(&secret);
    Ok(secret)
}
