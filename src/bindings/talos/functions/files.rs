//! Files and logs of a node.

use std::time::Duration;

use rhai::{Blob, Dynamic, Map, NativeCallContext, plugin::*};
use talos::api::{
    common::ContainerDriver,
    machine::{DmesgRequest, ListRequest, LogsRequest},
};

use super::look::{ANSWER, ask, object, text};
use crate::{
    bindings::talos::{
        condition::{self, whole},
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

/// How long a log may take.
const LOG: Duration = Duration::from_secs(120);

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

    /// Reads the log of a service.
    #[rhai_fn(global, pure, return_raw)]
    pub fn logs(context: NativeCallContext, talos: &mut Talos, node: &str, of: &str) -> Outcome<String> {
        log(&context, talos, node, of, Map::new())
    }

    /// Reads the log of a service of a node, or of a container.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `of` (text): a service, such as `etcd` or `machined`, or a container, such as
    ///   `kube-system/kube-apiserver-cp-1:kube-apiserver`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `tail` (integer): only so many lines from the end
    /// - `kubernetes` (boolean, `false`): `of` is a container of Kubernetes
    ///
    /// # Returns
    /// A text.
    ///
    /// # Faults
    /// - `failed`: there is no such log
    /// - `invalid`: it is larger than 64 MB
    /// - `usage`: there is no such number of lines
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not come to an end
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::connect().logs("10.17.13.86", "etcd", #{ tail: 20 }));
    /// ```
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        of: &str,
        options: Map,
    ) -> Outcome<String> {
        log(&context, talos, node, of, options)
    }

    /// Reads what the kernel of a node says.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    ///
    /// # Returns
    /// A text, a message a line.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not come to an end
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::connect().dmesg("10.17.13.86"));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn dmesg(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<String> {
        let node = talos.node(node).map_err(|fault| context.raise(fault))?;
        let waiting = Waiting::request(format!("the kernel's log of node {node}"), LOG);
        let bytes = context.wait(waiting, |_| async move {
            let request = DmesgRequest { follow: false, tail: false };
            let stream = node.ask(|channel| async move { machine(channel).dmesg(request).await }).await?;
            whole(&node, stream, LONGEST).await
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn listed(context: &NativeCallContext, talos: &Talos, name: &str, path: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("talos::list_files", options)?;
    let depth = options.integer("depth").and_then(|depth| i32::try_from(depth).ok()).filter(|depth| *depth >= 0);
    let Some(recursion_depth) = depth else {
        return Err(context.raise(Fault::new(Kind::Usage, "a depth is 0 or more")));
    };
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

fn log(context: &NativeCallContext, talos: &Talos, name: &str, of: &str, options: Map) -> Outcome<String> {
    let options = context.options("talos::logs", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let node = talos.node(name).map_err(raise)?;
    let tail_lines = match options.integer("tail") {
        None => -1,
        Some(lines) => i32::try_from(lines)
            .ok()
            .filter(|lines| *lines >= 0)
            .ok_or_else(|| raise(Fault::new(Kind::Usage, format!("a log has no {lines} lines"))))?,
    };
    let (namespace, driver) = match options.flag("kubernetes") {
        true => ("k8s.io", ContainerDriver::Cri),
        false => ("system", ContainerDriver::Containerd),
    };
    let request = LogsRequest {
        namespace: namespace.to_owned(),
        id: of.to_owned(),
        driver: driver.into(),
        follow: false,
        tail_lines,
    };
    let bytes = context.wait(Waiting::request(format!("log {of} of node {node}"), LOG), |_| async move {
        let stream = node.ask(|channel| {
            let request = request.clone();
            async move { machine(channel).logs(request).await }
        });
        let stream = stream.await?;
        whole(&node, stream, LONGEST).await
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
