//! Connecting: which kubeconfig, which context.

use std::path::PathBuf;

use rhai::{Map, NativeCallContext, plugin::*};

use crate::{
    bindings::k8s::{
        client::Cluster,
        kubeconfig::{Kubeconfig, TEXT, merge},
    },
    host::{Host, wait::Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

/// Reading the files and keys of a connection.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

#[export_module]
pub mod functions {
    /// Connects to the cluster of the current context.
    #[rhai_fn(return_raw)]
    pub fn connect(context: NativeCallContext) -> Outcome<Cluster> {
        open(&context, None, Map::new())
    }

    /// Connects to the cluster of a context.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_to(context: NativeCallContext, name: &str) -> Outcome<Cluster> {
        open(&context, Some(name), Map::new())
    }

    /// Connects to the cluster of the current context, as the options say.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_with_options(context: NativeCallContext, options: Map) -> Outcome<Cluster> {
        open(&context, None, options)
    }

    /// Connects to the cluster of a context.
    ///
    /// The kubeconfig is found and merged as kubectl does: the file in the option `kubeconfig`, or the files in the variable
    /// `KUBECONFIG`, or `~/.kube/config`. Nothing is sent until something is asked of the cluster. Users may log in with a
    /// token, a token file, a client certificate, or a username and password.
    ///
    /// # Parameters
    /// - `name` (text): the context; without it the current one
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubeconfig` (text): a kubeconfig file, relative to the runbook's folder
    /// - `text` (text or secret): the kubeconfig itself, such as a Secret holds it
    /// - `context` (text): the context, where it is not given as a parameter
    /// - `namespace` (text, the context's own): the namespace that is meant where none is named
    ///
    /// # Returns
    /// A `Cluster`.
    ///
    /// # Faults
    /// - `file`: there is no kubeconfig, or it names a file that can't be read
    /// - `parse`: the kubeconfig can't be understood; the message says where
    /// - `not_found`: there is no context of that name
    /// - `unsupported`: the user logs in with a credential plugin, or the cluster is behind a proxy
    /// - `tls`: a certificate or key in the kubeconfig can't be used
    /// - `usage`: options contradict each other
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = k8s::connect("testbed", #{ namespace: "default" });
    /// print(lab.list("namespaces").len());
    /// ```
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_to_with_options(context: NativeCallContext, name: &str, options: Map) -> Outcome<Cluster> {
        open(&context, Some(name), options)
    }

    /// Returns the name of the cluster's context.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    ///
    /// # Returns
    /// A text.
    ///
    /// # Example
    /// ```rhai cluster
    /// print(cluster.context());
    /// ```
    #[rhai_fn(global, name = "context", pure)]
    pub fn context_of(cluster: &mut Cluster) -> String {
        cluster.context().to_owned()
    }

    /// Returns the host and port of the cluster's API server.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    ///
    /// # Returns
    /// A text.
    ///
    /// # Example
    /// ```rhai cluster
    /// print(cluster.server());
    /// ```
    #[rhai_fn(global, name = "server", pure)]
    pub fn server_of(cluster: &mut Cluster) -> String {
        cluster.server().to_owned()
    }
}

fn open(context: &NativeCallContext, name: Option<&str>, options: Map) -> Outcome<Cluster> {
    let options = context.options("k8s::connect", options)?;
    let host = context.host();
    let target = (|| {
        let named = options.text("context");
        if name.is_some() && named.is_some() {
            return Err(Fault::new(Kind::Usage, "the context is given twice").hint("leave the option `context` out"));
        }
        let mut target = kubeconfig(&host, &options)?.target(name.or(named.as_deref()))?;
        if let Some(namespace) = options.text("namespace") {
            target.namespace = namespace;
        }
        Ok(target)
    })();
    let target = target.map_err(|fault| context.raise(fault))?;
    if target.insecure {
        let server = target.server.authority().map(ToString::to_string).unwrap_or_default();
        host.events.warn_once(format!(
            "nobody checks who answers as `{}` at `{server}`: its kubeconfig has `insecure-skip-tls-verify`",
            target.context
        ));
    }
    let what = format!("the connection to {}", target.context);
    context.wait(Waiting::request(what, DEADLINE), |_| async move { Cluster::open(&host, &target) })
}

/// The kubeconfig that the options or the environment name.
fn kubeconfig(host: &Host, options: &Options) -> Result<Kubeconfig, Fault> {
    let (path, text) = (options.text("kubeconfig"), options.secret("text"));
    match (path, text) {
        (Some(_), Some(_)) => {
            Err(Fault::new(Kind::Usage, "both `kubeconfig` and `text` are given").hint("keep one of them"))
        }
        (None, Some(text)) => merge(vec![(TEXT.into(), text.expose().to_owned())]),
        (Some(path), None) => {
            let path = host.files.root().join(path);
            let text = host.files.read_personal(&path).map_err(|error| unreadable(&path, &error))?;
            merge(vec![(path, text)])
        }
        (None, None) => found(host),
    }
}

fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Fault {
    Fault::new(Kind::File, format!("can't read kubeconfig `{}`: {error}", path.display()))
        .hint("check the path, and who may read the file")
}

/// The files of the environment, as far as they are there.
fn found(host: &Host) -> Result<Kubeconfig, Fault> {
    let listed = host.environment.variable("KUBECONFIG").filter(|list| !list.is_empty());
    let (paths, origin) = match listed {
        Some(list) => {
            let mut paths: Vec<PathBuf> = Vec::new();
            for path in std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
            (paths, "KUBECONFIG")
        }
        None => {
            let home = host.environment.home().ok_or_else(|| {
                Fault::new(Kind::File, "there is no kubeconfig: neither `KUBECONFIG` nor a home folder is known")
                    .hint("set `KUBECONFIG`, or give the option `kubeconfig`")
            })?;
            (vec![home.join(".kube/config")], "the home folder")
        }
    };
    let mut files = Vec::new();
    for path in &paths {
        match host.files.read_personal(path) {
            Ok(text) => files.push((path.clone(), text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
    if files.is_empty() {
        let tried: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let message = format!("there is no kubeconfig: {} (from {origin}) is not there", tried.join(", "));
        return Err(Fault::new(Kind::File, message).hint("set `KUBECONFIG`, or give the option `kubeconfig`"));
    }
    merge(files)
}
