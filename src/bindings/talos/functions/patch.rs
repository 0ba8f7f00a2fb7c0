//! Changing a part of the configuration that a node has.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use talos::{
    configuration::{Contract, Invalid},
    patch::{self, Patch},
};

use super::{
    apply::{Applied, Applying, change, dry},
    config::patch_text,
};
use crate::{
    bindings::talos::{condition, machines::Talos, reach::Node, resources},
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    script::{
        conductor::Outcome,
        context::{Call, Settled},
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    /// Changes a part of the configuration of a node.
    #[rhai_fn(global, pure, return_raw)]
    pub fn patch_config(context: NativeCallContext, talos: &mut Talos, node: &str, patch: Dynamic) -> Outcome<Dynamic> {
        patch_node(&context, talos, node, &patch, Map::new())
    }

    /// Changes a part of the configuration of a node, which is read from it, patched here and applied.
    ///
    /// A patch is a part of a configuration, which is merged, or a list of the steps of RFC 6902, as `talosctl` takes them. Where
    /// it changes nothing, nothing is applied. Somebody else who changes the configuration at the same time is not noticed.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `patch` (text, secret, map or list): a file, relative to the runbook's folder, or the patch itself: a text that ends its
    ///   lines or is JSON, a map that is merged, or a list of steps
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `mode` (text, `auto`): as for `apply_config`
    /// - `try_timeout` (duration, `1m`): how long it is tried, with the mode `try`
    /// - `dry_run` (boolean, `false`): only tell what it would change
    /// - `timeout` (duration, `2m`): how long the node may take to answer
    ///
    /// # Returns
    /// What `apply_config` gives, or `()` if the patch changes nothing.
    ///
    /// # Effect
    /// The node has the changed configuration. A resume looks whether it has, and asks a person where that can't be seen; with
    /// `dry_run` nothing is changed.
    ///
    /// # Faults
    /// - `invalid`: the patch can't be applied, or the node refuses what comes of it
    /// - `not_found`: the node has no configuration
    /// - `unsupported`: it is no Talos 1
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: the certificate may not do it
    /// - `in_doubt`: the connection broke, and nobody knows whether it was applied
    /// - `file`: the file can't be read
    /// - `usage`: there is no such mode
    /// - `timeout`: the node does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// step "clock" {
    ///     lab.patch_config("10.17.13.86", #{ machine: #{ time: #{ servers: ["10.17.13.1"] } } });
    /// }
    /// ```
    #[rhai_fn(global, name = "patch_config", pure, return_raw)]
    pub fn patch_config_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        patch: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        patch_node(&context, talos, node, &patch, options)
    }
}

/// The configuration of a node, and what a patch makes of it.
async fn patched(node: &Node, patch: &str) -> Result<(String, String), Fault> {
    let there = resources::machine_config(node).await?.ok_or_else(|| {
        Fault::new(Kind::NotFound, format!("node `{node}` has no configuration"))
            .hint("`apply_config` gives it the first one")
    })?;
    let version = condition::tag(node).await?;
    let contract = Contract::nearest(&version)
        .map_err(|why| Fault::new(Kind::Unsupported, format!("node `{node}` can't be patched: {why}")))?;
    // What stands in a configuration may be secret.
    let invalid = |why: Invalid| Fault::new(Kind::Invalid, format!("the patch can't be applied: {}", why.discreet()));
    let read = Patch::read(patch, contract).map_err(invalid)?;
    let becomes = patch::apply(&there, &[read], contract).map_err(invalid)?;
    // What it is like without a patch, in the same hand: comments and order don't count.
    let same = patch::apply(&there, &[Patch::Documents(Vec::new())], contract).map_err(invalid)?;
    Ok((same, becomes))
}

fn patch_node(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    patch: &Dynamic,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("talos::patch_config", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let node = talos.node(name).map_err(raise)?;
    let (patch, _) = patch_text(&context.host(), patch).map_err(raise)?;
    let timeout = options.deadline("timeout").map_err(raise)?;
    let (asked, wanted) = (node.clone(), patch.clone());
    let waiting = Waiting::request(format!("what the patch makes of node {node}"), timeout);
    let (there, becomes) = context.wait(waiting, |_| async move { patched(&asked, &wanted).await })?;
    if there == becomes {
        return Ok(Dynamic::UNIT);
    }
    let applying = Applying::of("talos::patch_config", becomes, &options).map_err(raise)?;
    if applying.request.dry_run {
        return dry(context, &node, applying);
    }
    let whose = format!("{talos}: node {node}");
    let effect = Effect {
        verb: "patch config".to_owned(),
        digest: digest(&[whose.as_bytes(), patch.as_bytes(), &applying.request.mode.to_le_bytes()]),
        object: whose,
        repeatable: false,
        destroys: None,
    };
    // That there is still something to change says nothing: a patch may add to a list each time.
    change(context, &node, effect, applying, async {
        let why = "the patch would change the node's configuration, be it for the first time or once more".to_owned();
        Ok(Settled::Unknown { why, assumed: Applied::changed(Applied::assumed()) })
    })
}
