//! How much room there is on a node, and what takes it.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use talos::api::machine::DiskUsageRequest;

use super::look::{ask, object, text};
use crate::{
    bindings::talos::{
        machines::Talos,
        reach::{machine, only},
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Lists what is mounted on a node, and how much room it has.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    ///
    /// # Returns
    /// A list of objects with `path` (`/var`), `from` (`/dev/sda6`), and `size` and `available` in bytes.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// for mount in talos::connect().mounts("10.17.13.86").filter(|mount| mount.path == "/var") {
    ///     if mount.available < 10 << 30 { print("/var is nearly full"); }
    /// }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn mounts(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "mounts", |node| async move {
            let answer = node.ask(|channel| async move { machine(channel).mounts(()).await }).await?;
            let mounts = only(answer.messages)?.stats.into_iter().map(|mount| {
                object([
                    ("path", text(&mount.mounted_on)),
                    ("from", text(&mount.filesystem)),
                    ("size", bytes(mount.size)),
                    ("available", bytes(mount.available)),
                ])
            });
            Ok(mounts.collect())
        })
    }

    /// Tells how much a folder of a node takes.
    #[rhai_fn(global, pure, return_raw)]
    pub fn disk_usage(context: NativeCallContext, talos: &mut Talos, node: &str, path: &str) -> Outcome<Dynamic> {
        used(&context, talos, node, path, Map::new())
    }

    /// Tells how much a folder of a node takes, with all below it; the folders in it come first, and itself last, as `.`.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `path` (text): the folder, from the root
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `depth` (integer, `1`): how deep to tell; 1 is the folder alone, 0 is as deep as it goes
    /// - `files` (boolean, `false`): also each file
    ///
    /// # Returns
    /// A list of objects with `path`, `name` below the folder, and `size` in bytes.
    ///
    /// # Faults
    /// - `failed`: there is no such folder, or it can't be read
    /// - `usage`: there is no such depth
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// for folder in talos::connect().disk_usage("10.17.13.86", "/var", #{ depth: 2 }) {
    ///     print(`${folder.path}: ${folder.size >> 20} MiB`);
    /// }
    /// ```
    #[rhai_fn(global, name = "disk_usage", pure, return_raw)]
    pub fn disk_usage_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        path: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        used(&context, talos, node, path, options)
    }
}

fn bytes(count: u64) -> Tree {
    Tree::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A depth of folders as scripts give it.
///
/// # Errors
/// `usage`, if there is none such.
pub fn depth(given: Option<i64>) -> Result<i32, Fault> {
    let depth = given.and_then(|depth| i32::try_from(depth).ok()).filter(|depth| *depth >= 0);
    depth.ok_or_else(|| Fault::new(Kind::Usage, "a depth is 0 or more"))
}

fn used(context: &NativeCallContext, talos: &Talos, name: &str, path: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("talos::disk_usage", options)?;
    let recursion_depth = depth(options.integer("depth")).map_err(|fault| context.raise(fault))?;
    let request =
        DiskUsageRequest { recursion_depth, all: options.flag("files"), threshold: 0, paths: vec![path.to_owned()] };
    ask(context, talos, name, path, |node| async move {
        let mut stream = node
            .ask(|channel| {
                let request = request.clone();
                async move { machine(channel).disk_usage(request).await }
            })
            .await?;
        let mut folders = Vec::new();
        while let Some(folder) = stream.message().await.map_err(|status| node.broke(&status))? {
            if !folder.error.is_empty() {
                return Err(Fault::new(Kind::Failed, format!("node `{node}`: {}", folder.error)));
            }
            folders.push(object([
                ("path", text(&folder.name)),
                ("name", text(&folder.relative_name)),
                ("size", Tree::Int(folder.size)),
            ]));
        }
        Ok(folders.into_iter().collect())
    })
}
