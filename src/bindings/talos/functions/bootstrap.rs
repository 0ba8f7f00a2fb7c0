//! Beginning a cluster, and getting at it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::stream;
use rhai::{Map, NativeCallContext, plugin::*};
use serde_json::Value;
use talos::api::{common::Data, machine::BootstrapRequest};

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

/// In pieces of this length a snapshot goes to a node.
const PIECE: usize = 64 << 10;

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
    /// - `recover_from` (text): a snapshot that `etcd_snapshot` wrote, relative to the runbook's folder: etcd begins with what is in it. No
    ///   control plane may have anything of etcd left: reset the `EPHEMERAL` partition of each before
    /// - `skip_hash_check` (boolean, `false`): it is no snapshot, but a database that was copied from a disk
    ///
    /// # Returns
    /// `true` if it was begun, `false` if it had been before.
    ///
    /// # Effect
    /// etcd begins on the node. A resume looks whether it did.
    ///
    /// # Faults
    /// - `refused`: etcd runs elsewhere, or somebody said no
    /// - `already_exists`: the node has an etcd, which can't be recovered from anything
    /// - `unsupported`: the node is no control plane
    /// - `file`: the snapshot can't be read
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: the certificate may not do it
    /// - `timeout`: the node did not take it in time, or etcd is not healthy; the note has why
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// step "bootstrap" { lab.bootstrap("10.17.13.86"); }
    /// step "or bring it back" { lab.bootstrap("10.17.13.86", #{ recover_from: "etcd.snapshot" }); }
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
    let host = context.host();
    let recovery = match options.text("recover_from") {
        Some(path) => {
            Some((host.files.name(&path), host.files.read_bytes(&path).map_err(|error| raise(error.into()))?))
        }
        None => None,
    };
    let (from, snapshot) = recovery.unzip();
    let effect = Effect {
        verb: "bootstrap".to_owned(),
        object: format!("{talos}: node {node}{}", from.map(|from| format!(" from {from}")).unwrap_or_default()),
        digest: digest(&[talos.to_string().as_bytes(), name.as_bytes(), snapshot.as_deref().unwrap_or_default()]),
        repeatable: false,
        destroys: None,
    };
    let changed = |new: bool| Changed {
        value: new,
        kept: Value::Bool(new),
        detail: Some(if new { "begun" } else { "was begun before" }.to_owned()),
    };
    let recovery = snapshot.map(|snapshot| Recovery {
        snapshot: snapshot.into(),
        skip_hash_check: options.flag("skip_hash_check"),
        is_there: AtomicBool::default(),
    });
    let begun = host.clock.elapsed();
    let (told, looked) = (node.clone(), node.clone());
    let new = context.change(Change {
        effect,
        deadline: timeout,
        perform: Box::new(move |progress| {
            Box::pin(async move { Ok(changed(begin(&told, recovery.as_ref(), &progress).await?)) })
        }),
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
async fn begin(node: &Node, recovery: Option<&Recovery>, progress: &Progress) -> Result<bool, Fault> {
    loop {
        match tell(node, recovery).await {
            Ok(()) => return Ok(true),
            Err(fault) if recovery.is_some() && is_not_empty(&fault) => {
                return Err(Fault { kind: Kind::AlreadyExists, ..fault }
                    .hint("reset the `EPHEMERAL` partition of each control plane, and then recover on one of them"));
            }
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

/// What etcd begins with.
struct Recovery {
    snapshot: Arc<[u8]>,
    skip_hash_check: bool,
    /// The node has it.
    is_there: AtomicBool,
}

async fn tell(node: &Node, recovery: Option<&Recovery>) -> Result<(), Fault> {
    if let Some(recovery) = recovery.filter(|recovery| !recovery.is_there.load(Ordering::Relaxed)) {
        let send = |channel| async move {
            let snapshot = recovery.snapshot.clone();
            let pieces = (0..snapshot.len().div_ceil(PIECE)).map(move |number| Data {
                bytes: snapshot[number * PIECE..snapshot.len().min((number + 1) * PIECE)].to_vec(),
                ..Data::default()
            });
            machine(channel).etcd_recover(stream::iter(pieces)).await
        };
        // It may be sent again: it changes nothing yet.
        node.once(send).await.map_err(|fault| match fault.kind {
            Kind::InDoubt => Fault { kind: Kind::Unavailable, ..fault },
            _ => fault,
        })?;
        recovery.is_there.store(true, Ordering::Relaxed);
    }
    let request = BootstrapRequest {
        recover_etcd: recovery.is_some(),
        recover_skip_hash_check: recovery.is_some_and(|recovery| recovery.skip_hash_check),
    };
    node.once(|channel| async move { machine(channel).bootstrap(request).await }).await.map(drop)
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
    let reference: Arc<str> = format!("kubeconfig from node {node} of {talos}").into();
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
