//! Files of a node.

use rhai::{Blob, Dynamic, Map, NativeCallContext, plugin::*};
use talos::api::machine::{CopyRequest, ListRequest};

use super::{
    look::{ANSWER, ask, object, text},
    save::{Saving, save},
    space::depth,
};
use crate::{
    bindings::talos::{
        condition::{self, pieces},
        machines::Talos,
        reach::machine,
    },
    host::wait::Waiting,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// The longest that is held in memory.
const LONGEST: usize = 64 << 20;

#[export_module]
pub mod functions {
    /// Reads a file of a node.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `path` (text): the file, from the root
    ///
    /// # Returns
    /// A text, or bytes where it is none.
    ///
    /// # Faults
    /// - `not_found`: there is no such file
    /// - `failed`: it is no file, or can't be read
    /// - `invalid`: it is larger than 64 MB
    /// - `denied`: only who has the role `os:admin` may read files
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::connect().read_file("10.17.13.86", "/proc/cmdline"));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn read_file(context: NativeCallContext, talos: &mut Talos, node: &str, path: &str) -> Outcome<Dynamic> {
        let node = talos.node(node).map_err(|fault| context.raise(fault))?;
        let path = path.to_owned();
        let waiting = Waiting::request(format!("{path} of node {node}"), ANSWER);
        let bytes = context.wait(waiting, |_| async move { condition::read(&node, &path, LONGEST).await })?;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(error) => Dynamic::from_blob(Blob::from(error.into_bytes())),
        })
    }

    /// Lists a folder of a node.
    #[rhai_fn(global, pure, return_raw)]
    pub fn list_files(context: NativeCallContext, talos: &mut Talos, node: &str, path: &str) -> Outcome<Dynamic> {
        listed(&context, talos, node, path, Map::new())
    }

    /// Lists what lies in a folder of a node, the folder itself first, as `.`.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `path` (text): the folder, from the root
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `depth` (integer, `1`): how deep to look; 0 is as deep as it goes
    ///
    /// # Returns
    /// A list of objects with `path`, `name` below the folder, `size` in bytes, `folder`, `link`, `modified` in seconds since
    /// 1970, `uid` and `gid`.
    ///
    /// # Faults
    /// - `failed`: there is no such folder, or it can't be read
    /// - `usage`: there is no such depth
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// for file in talos::connect().list_files("10.17.13.86", "/var/log") { print(`${file.name} ${file.size}`); }
    /// ```
    #[rhai_fn(global, name = "list_files", pure, return_raw)]
    pub fn list_files_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        path: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        listed(&context, talos, node, path, options)
    }

    /// Copies a folder of a node into an archive.
    #[rhai_fn(global, pure, return_raw)]
    pub fn copy_files(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        path: &str,
        to: &str,
    ) -> Outcome<Dynamic> {
        copied(&context, talos, node, path, to, Map::new())
    }

    /// Copies a folder of a node, or a file of any length, into an archive: a tar, compressed by gzip. It is in its place when it is
    /// whole.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `path` (text): the folder or file, from the root
    /// - `to` (text): the archive, relative to the runbook's folder
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `30m`): how long it may take
    ///
    /// # Returns
    /// An object with `path`, `size` and `sha256`, of the archive.
    ///
    /// # Effect
    /// The archive is there, or there anew.
    ///
    /// # Faults
    /// - `failed`: there is no such folder, or it can't be read
    /// - `denied`: only who has the role `os:admin` may read files
    /// - `file`: the archive can't be written
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it did not come to an end
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// step "keep the logs" {
    ///     for node in lab.nodes() { lab.copy_files(node, "/var/log", `logs-${node}.tar.gz`); }
    /// }
    /// ```
    #[rhai_fn(global, name = "copy_files", pure, return_raw)]
    pub fn copy_files_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        path: &str,
        to: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        copied(&context, talos, node, path, to, options)
    }
}

fn copied(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    path: &str,
    to: &str,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("talos::copy_files", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let request = CopyRequest { root_path: path.to_owned() };
    let saving = Saving { talos, node: name, verb: "copy", of: path, path: to, timeout };
    save(context, &saving, |node, mut file| async move {
        let stream = node
            .ask(|channel| {
                let request = request.clone();
                async move { machine(channel).copy(request).await }
            })
            .await?;
        pieces(&node, stream, |piece| Ok(file.add(piece)?)).await?;
        Ok(file)
    })
}

fn listed(context: &NativeCallContext, talos: &Talos, name: &str, path: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("talos::list_files", options)?;
    let recursion_depth = depth(options.integer("depth")).map_err(|fault| context.raise(fault))?;
    let request =
        ListRequest { root: path.to_owned(), recurse: recursion_depth != 1, recursion_depth, ..ListRequest::default() };
    ask(context, talos, name, path, |node| async move {
        let mut stream = node
            .ask(|channel| {
                let request = request.clone();
                async move { machine(channel).list(request).await }
            })
            .await?;
        let mut files = Vec::new();
        while let Some(file) = stream.message().await.map_err(|status| node.broke(&status))? {
            if !file.error.is_empty() {
                return Err(Fault::new(Kind::Failed, format!("node `{node}`: {}", file.error)));
            }
            files.push(object([
                ("path", text(&file.name)),
                ("name", text(&file.relative_name)),
                ("size", Tree::Int(file.size)),
                ("folder", Tree::Bool(file.is_dir)),
                ("link", if file.link.is_empty() { Tree::Null } else { text(&file.link) }),
                ("modified", Tree::Int(file.modified)),
                ("uid", Tree::Int(file.uid.into())),
                ("gid", Tree::Int(file.gid.into())),
            ]));
        }
        Ok(files.into_iter().collect())
    })
}
