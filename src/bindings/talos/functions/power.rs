//! Booting a node, and turning it off.

use std::time::Duration;

use rhai::{Map, NativeCallContext, plugin::*};
use talos::api::machine::{RebootRequest, ShutdownRequest, reboot_request::Mode};

use super::sequence::{PAUSE, Sequence, begin, booted, word};
use crate::{
    bindings::talos::{
        condition,
        machines::Talos,
        probe::{self, Whereabouts},
        reach::machine,
    },
    host::wait::Waiting,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

/// How long a node may take to begin.
const ANSWER: Duration = Duration::from_secs(120);

/// The first minor version that boots without stopping anything.
const FORCES: u32 = 12;

#[export_module]
pub mod functions {
    /// Boots a node.
    #[rhai_fn(global, pure, return_raw)]
    pub fn reboot(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        reboot_node(&context, talos, node, Map::new())
    }

    /// Boots a node, and waits until it runs in another boot.
    ///
    /// That it is ready again is another thing: `wait_ready` waits for that.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `mode` (text, `default`): `default`: without the firmware, where that works; `powercycle`: with it; `force`: without
    ///   ending anything before, since 1.12
    /// - `wait` (boolean, `true`): wait until it runs in another boot
    /// - `timeout` (duration, `30m`): how long that may take
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// The node boots. After a crash in the middle of it a person is asked whether it did.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `unsupported`: its version can't be forced
    /// - `denied`: the certificate may not do it, or not see which boot it is
    /// - `in_doubt`: the connection broke, and nobody knows whether it began
    /// - `timeout`: it did not come back in time
    /// - `usage`: there is no such mode
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// step "reboot" {
    ///     for node in lab.nodes() { lab.reboot(node); lab.wait_ready(node); }
    /// }
    /// ```
    #[rhai_fn(global, name = "reboot", pure, return_raw)]
    pub fn reboot_with_options(context: NativeCallContext, talos: &mut Talos, node: &str, options: Map) -> Outcome<()> {
        reboot_node(&context, talos, node, options)
    }

    /// Turns a node off.
    #[rhai_fn(global, pure, return_raw)]
    pub fn shutdown(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        shutdown_node(&context, talos, node, Map::new())
    }

    /// Turns a node off, and waits until it no longer answers.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `force` (boolean, `false`): without draining it first
    /// - `wait` (boolean, `true`): wait until it is off
    /// - `timeout` (duration, `30m`): how long that may take
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// The node goes off. A resume looks whether it answers: if it does, it is told again.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: the certificate may not do it
    /// - `in_doubt`: the connection broke, and nobody knows whether it began
    /// - `timeout`: it still answers
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// step "off" { lab.shutdown("10.17.13.139"); }
    /// ```
    #[rhai_fn(global, name = "shutdown", pure, return_raw)]
    pub fn shutdown_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
    ) -> Outcome<()> {
        shutdown_node(&context, talos, node, options)
    }
}

fn reboot_node(context: &NativeCallContext, talos: &Talos, name: &str, options: Map) -> Outcome<()> {
    let options = context.options("talos::reboot", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let modes = [("default", Mode::Default), ("powercycle", Mode::Powercycle), ("force", Mode::Force)];
    let mode = word("talos::reboot", "mode", &options.text("mode").unwrap_or_default(), &modes).map_err(raise)?;
    let (request, to) = (RebootRequest { mode: mode.into() }, node.clone());
    let sequence = Sequence {
        talos,
        node: node.clone(),
        verb: "reboot",
        asked: format!("{mode:?}"),
        destroys: None,
        answer: ANSWER,
        send: Box::pin(async move {
            // Whoever does not know the word takes it for another.
            if mode == Mode::Force {
                let tag = condition::tag(&to).await?;
                if condition::minor(&tag) < FORCES {
                    let message = format!("node `{to}` runs Talos {tag}, which can't be forced to boot: 1.12 can");
                    return Err(Fault::new(Kind::Unsupported, message));
                }
            }
            to.once(|channel| async move { machine(channel).reboot(request).await }).await.map(drop)
        }),
        judge: judge_reboot,
    };
    let before = begin(context, sequence)?;
    if options.flag("wait") { booted(context, &node, before, timeout) } else { Ok(()) }
}

fn judge_reboot(found: &Whereabouts) -> Result<bool, String> {
    match found {
        Whereabouts::Configured(stage) if stage.name == "rebooting" => Ok(true),
        Whereabouts::Configured(stage) => Err(format!("the node is {stage}, and one boot looks like another")),
        Whereabouts::Blank => Err("the node is in maintenance".to_owned()),
        Whereabouts::Foreign(why) | Whereabouts::Away(why) => Err(why.clone()),
    }
}

fn shutdown_node(context: &NativeCallContext, talos: &Talos, name: &str, options: Map) -> Outcome<()> {
    let options = context.options("talos::shutdown", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let (request, to) = (ShutdownRequest { force: options.flag("force") }, node.clone());
    let sequence = Sequence {
        talos,
        node: node.clone(),
        verb: "shut down",
        asked: format!("{}", request.force),
        destroys: None,
        answer: ANSWER,
        send: Box::pin(async move {
            to.once(|channel| async move { machine(channel).shutdown(request).await }).await.map(drop)
        }),
        judge: judge_shutdown,
    };
    begin(context, sequence)?;
    talos.leaves(name);
    if !options.flag("wait") {
        return Ok(());
    }
    let waiting = Waiting::until(format!("node {node} to be off"), timeout);
    context.wait(waiting, |progress| async move {
        probe::away(&node, PAUSE, &progress).await;
        Ok(())
    })
}

fn judge_shutdown(found: &Whereabouts) -> Result<bool, String> {
    match found {
        Whereabouts::Configured(stage) => Ok(stage.name == "shutting down"),
        Whereabouts::Away(_) => Ok(true),
        Whereabouts::Blank => Err("the node is in maintenance".to_owned()),
        Whereabouts::Foreign(why) => Err(why.clone()),
    }
}
