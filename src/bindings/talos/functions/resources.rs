//! Resources of a node, of any type, as `talosctl get` has them.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use super::look::ask_node;
use crate::{
    bindings::talos::{
        machines::{Maintenance, Talos},
        reach::Node,
        resources::{find, list, resolve, tree},
    },
    script::{conductor::Outcome, context::Call, values::tree::Tree},
};

#[export_module]
pub mod functions {
    /// Reads one resource of a node.
    #[rhai_fn(global, pure, return_raw)]
    pub fn get(context: NativeCallContext, talos: &mut Talos, node: &str, of: &str, id: &str) -> Outcome<Dynamic> {
        one(&context, behind(&context, talos, node)?, of, id, Map::new())
    }

    /// Reads one resource of a node.
    ///
    /// What is sensitive in it, such as keys and tokens, is taken out of whatever is shown or written down.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection; a node in maintenance is asked without naming it
    /// - `node` (text): the node
    /// - `of` (text): its type, by any name that `talosctl get` takes: `members`, `link`, `mc`, `Disks.block.talos.dev`
    /// - `id` (text): its id
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the type's own): where it is
    ///
    /// # Returns
    /// An object with `node`, `metadata` and `spec`; `()` if it is not there.
    ///
    /// # Faults
    /// - `unsupported`: the node has no such type
    /// - `usage`: more than one type has that name
    /// - `denied`: the certificate may not see it, or nobody may in maintenance
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// print(lab.get("10.17.13.86", "hostname", "hostname").spec.hostname);
    /// ```
    #[rhai_fn(global, name = "get", pure, return_raw)]
    pub fn get_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        of: &str,
        id: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        one(&context, behind(&context, talos, node)?, of, id, options)
    }

    /// Reads one resource of a node in maintenance.
    #[rhai_fn(global, name = "get", pure, return_raw)]
    pub fn get_in_maintenance(
        context: NativeCallContext,
        node: &mut Maintenance,
        of: &str,
        id: &str,
    ) -> Outcome<Dynamic> {
        one(&context, node.node().clone(), of, id, Map::new())
    }

    /// Lists the resources of one type.
    #[rhai_fn(global, name = "list", pure, return_raw)]
    pub fn list_of(context: NativeCallContext, talos: &mut Talos, node: &str, of: &str) -> Outcome<Dynamic> {
        all(&context, behind(&context, talos, node)?, of, Map::new())
    }

    /// Lists the resources of one type that a node has.
    ///
    /// What is sensitive in them, such as keys and tokens, is taken out of whatever is shown or written down.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection; a node in maintenance is asked without naming it
    /// - `node` (text): the node
    /// - `of` (text): their type, by any name that `talosctl get` takes: `members`, `link`, `mc`, `Disks.block.talos.dev`;
    ///   `rd` are the types themselves
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the type's own): where they are
    ///
    /// # Returns
    /// A list of objects with `node`, `metadata` and `spec`.
    ///
    /// # Faults
    /// - `unsupported`: the node has no such type
    /// - `usage`: more than one type has that name
    /// - `denied`: the certificate may not see them, or nobody may in maintenance
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// for link in lab.list("10.17.13.86", "links") {
    ///     if link.spec.linkState { print(`${link.metadata.id}: ${link.spec.hardwareAddr}`); }
    /// }
    /// ```
    #[rhai_fn(global, name = "list", pure, return_raw)]
    pub fn list_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        of: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        all(&context, behind(&context, talos, node)?, of, options)
    }

    /// Lists the resources of one type that a node in maintenance has.
    #[rhai_fn(global, name = "list", pure, return_raw)]
    pub fn list_in_maintenance(context: NativeCallContext, node: &mut Maintenance, of: &str) -> Outcome<Dynamic> {
        all(&context, node.node().clone(), of, Map::new())
    }
}

fn behind(context: &NativeCallContext, talos: &Talos, node: &str) -> Outcome<Node> {
    talos.node(node).map_err(|fault| context.raise(fault))
}

fn one(context: &NativeCallContext, node: Node, of: &str, id: &str, options: Map) -> Outcome<Dynamic> {
    let namespace = context.options("talos::get", options)?.text("namespace");
    let (of, id) = (of.to_owned(), id.to_owned());
    ask_node(context, node, &format!("{of} {id}"), |node| async move {
        let of = resolve(&node, &of).await?;
        let namespace = namespace.as_deref().unwrap_or(&of.namespace);
        match find(&node, &of, namespace, &id).await? {
            Some(resource) => tree(node.host(), &node, &of, &resource),
            None => Ok(Tree::Null),
        }
    })
}

fn all(context: &NativeCallContext, node: Node, of: &str, options: Map) -> Outcome<Dynamic> {
    let namespace = context.options("talos::list", options)?.text("namespace");
    let of = of.to_owned();
    ask_node(context, node, &of.clone(), |node| async move {
        let of = resolve(&node, &of).await?;
        let namespace = namespace.as_deref().unwrap_or(&of.namespace);
        let resources = list(&node, &of, namespace).await?;
        resources.iter().map(|resource| tree(node.host(), &node, &of, resource)).collect()
    })
}
