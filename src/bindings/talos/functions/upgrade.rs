//! Another version of Talos on a node, and the one of before.

use std::time::Duration;

use rhai::{Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};
use talos::api::machine::{RollbackRequest, UpgradeRequest, upgrade_request::RebootMode};

use super::sequence::{Sequence, begin, booted, word};
use crate::{
    bindings::talos::{
        condition, installing,
        machines::Talos,
        probe::{self, Whereabouts},
        reach::machine,
    },
    host::effect::{Effect, digest},
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::Fault,
    },
};

/// How long a node may take to begin.
const ANSWER: Duration = Duration::from_secs(120);

#[export_module]
pub mod functions {
    /// Installs another version of Talos.
    #[rhai_fn(global, pure, return_raw)]
    pub fn upgrade(context: NativeCallContext, talos: &mut Talos, node: &str, image: &str) -> Outcome<()> {
        upgrade_node(&context, talos, node, image, Map::new())
    }

    /// Installs another version of Talos on a node, and waits until it runs in another boot.
    ///
    /// The node pulls the image and looks into it before it answers, which may take minutes. What it keeps on its disks stays.
    /// From 1.13 on the image is pulled and installed first, and then the node is told to boot.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `image` (text): the installer, such as `ghcr.io/siderolabs/installer:v1.11.5`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `stage` (boolean, `false`): prepare it, and do it at the next boot, which this begins; from 1.13 on it always is so
    /// - `force` (boolean, `false`): also if etcd would not stand it, whose other members should all answer
    /// - `reboot_mode` (text, `default`): `default`, or `powercycle`: with the firmware
    /// - `wait` (boolean, `true`): wait until it runs in another boot
    /// - `timeout` (duration, `30m`): how long it may take, with the pulling
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// The node runs the other version. A resume looks which version it runs.
    ///
    /// # Faults
    /// - `failed`: the image can't be pulled or is none, or etcd would not stand it
    /// - `unavailable`: Talos is not installed, or another upgrade goes on
    /// - `unreachable`: no endpoint gets through to the node
    /// - `denied`: the certificate may not do it
    /// - `in_doubt`: the connection broke, and nobody knows whether it began
    /// - `timeout`: it did not come back in time
    /// - `usage`: there is no such mode
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// step "upgrade" {
    ///     for node in lab.nodes() {
    ///         lab.upgrade(node, "ghcr.io/siderolabs/installer:v1.11.5");
    ///         lab.wait_ready(node);
    ///     }
    /// }
    /// ```
    #[rhai_fn(global, name = "upgrade", pure, return_raw)]
    pub fn upgrade_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        image: &str,
        options: Map,
    ) -> Outcome<()> {
        upgrade_node(&context, talos, node, image, options)
    }

    /// Goes back to the version that a node ran before.
    #[rhai_fn(global, pure, return_raw)]
    pub fn rollback(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        rollback_node(&context, talos, node, Map::new())
    }

    /// Goes back to the version of Talos that a node ran before, and waits until it runs in another boot.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `wait` (boolean, `true`): wait until it runs in another boot
    /// - `timeout` (duration, `30m`): how long that may take
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// The node runs the version of before. After a crash in the middle of it a person is asked whether it does.
    ///
    /// # Faults
    /// - `failed`: there is no version of before
    /// - `unreachable`: no endpoint gets through to the node
    /// - `denied`: the certificate may not do it
    /// - `in_doubt`: the connection broke, and nobody knows whether it began
    /// - `timeout`: it did not come back in time
    ///
    /// # Example
    /// ```rhai cluster
    /// step "back" { talos::connect("talosconfig").rollback("10.17.13.86"); }
    /// ```
    #[rhai_fn(global, name = "rollback", pure, return_raw)]
    pub fn rollback_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
    ) -> Outcome<()> {
        rollback_node(&context, talos, node, options)
    }
}

/// The version that an image has, by its tag.
fn version_of(image: &str) -> Option<&str> {
    let (_, name) = image.rsplit_once('/').unwrap_or(("", image));
    let (_, tag) = name.split('@').next()?.rsplit_once(':')?;
    tag.starts_with('v').then_some(tag)
}

fn upgrade_node(context: &NativeCallContext, talos: &Talos, name: &str, image: &str, options: Map) -> Outcome<()> {
    let options = context.options("talos::upgrade", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let modes = [("default", RebootMode::Default), ("powercycle", RebootMode::Powercycle)];
    let given = options.text("reboot_mode").unwrap_or_default();
    let mode = word("talos::upgrade", "reboot_mode", &given, &modes).map_err(raise)?;
    let request = UpgradeRequest {
        image: image.to_owned(),
        preserve: true,
        stage: options.flag("stage"),
        force: options.flag("force"),
        reboot_mode: mode.into(),
    };
    let effect = Effect {
        verb: "upgrade".to_owned(),
        object: format!("{talos}: node {node} to {image}"),
        digest: digest(&[talos.to_string().as_bytes(), name.as_bytes(), format!("{request:?}").as_bytes()]),
        repeatable: false,
        destroys: None,
    };
    let changed = |boot: Option<String>| Changed { kept: json!(boot), value: boot, detail: Some("begun".to_owned()) };
    let (of, told, looked, image) = (talos.clone(), node.clone(), node.clone(), image.to_owned());
    let before = context.change(Change {
        effect,
        deadline: timeout,
        perform: Box::new(move |progress| {
            Box::pin(async move {
                let boot = probe::known_boot(&told).await?;
                installing::upgrade(&of, &told, request, &progress).await?;
                Ok(changed(boot))
            })
        }),
        recall: Box::new(|kept: Value| Box::pin(async move { Ok(kept.as_str().map(str::to_owned)) })),
        settle: Box::pin(async move {
            let stage = match probe::whereabouts(&looked).await {
                Whereabouts::Configured(stage) => stage,
                Whereabouts::Blank => {
                    let why = "the node is in maintenance".to_owned();
                    return Ok(Settled::Unknown { why, assumed: changed(None) });
                }
                Whereabouts::Foreign(why) | Whereabouts::Away(why) => {
                    return Ok(Settled::Unknown { why, assumed: changed(None) });
                }
            };
            let runs = condition::tag(&looked).await?;
            Ok(match (stage.name.as_str(), version_of(&image)) {
                ("upgrading" | "rebooting", _) => Settled::Happened(changed(None)),
                (_, Some(wanted)) if wanted == runs => Settled::Happened(changed(None)),
                (_, Some(_)) => Settled::DidNot,
                (_, None) => {
                    let why = format!("the node runs {runs}, and the image does not say which version it is");
                    Settled::Unknown { why, assumed: changed(None) }
                }
            })
        }),
    })?;
    if options.flag("wait") { booted(context, &node, before, timeout) } else { Ok(()) }
}

fn rollback_node(context: &NativeCallContext, talos: &Talos, name: &str, options: Map) -> Outcome<()> {
    let options = context.options("talos::rollback", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let to = node.clone();
    let sequence = Sequence {
        talos,
        node: node.clone(),
        verb: "rollback",
        asked: String::new(),
        destroys: None,
        answer: ANSWER,
        send: Box::pin(async move {
            let request = RollbackRequest {};
            to.once(|channel| async move { machine(channel).rollback(request).await }).await.map(drop)
        }),
        judge: |found| match found {
            Whereabouts::Configured(stage) => Err(format!("the node is {stage}")),
            Whereabouts::Blank => Err("the node is in maintenance".to_owned()),
            Whereabouts::Foreign(why) | Whereabouts::Away(why) => Err(why.clone()),
        },
    };
    let before = begin(context, sequence)?;
    if options.flag("wait") { booted(context, &node, before, timeout) } else { Ok(()) }
}
