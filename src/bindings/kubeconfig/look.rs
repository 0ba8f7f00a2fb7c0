//! Looking at kubeconfigs.

use std::path::PathBuf;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use crate::{
    host::Host,
    kubeconfig::{default_files, found, named, read},
    script::{conductor::Outcome, context::Call, fault::Fault, options::Options},
};

#[export_module]
pub mod functions {
    /// Returns what stands in the kubeconfig that kubectl would use.
    #[rhai_fn(return_raw)]
    pub fn read(context: NativeCallContext) -> Outcome<Dynamic> {
        overview(&context, Map::new())
    }

    /// Returns what stands in a kubeconfig, without tokens, keys and certificates.
    ///
    /// Several files are taken as one, as kubectl does: of each name the first file's entry.
    ///
    /// # Parameters
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubeconfig` (text, the files in `KUBECONFIG`, else `~/.kube/config`): a file, relative to the runbook's folder
    ///
    /// # Returns
    /// An object with `current` (a context's name), `contexts` (each with `name`, `cluster`, `user`, `namespace`, `current`
    /// and `file`), `clusters` (`name`, `server`, `tls_server_name`, `insecure`, `file`) and `users` (`name`, `login`, `file`).
    ///
    /// # Faults
    /// - `file`: there is no kubeconfig, or it can't be read
    /// - `parse`: it is no kubeconfig; the message says where
    ///
    /// # Example
    /// ```rhai
    /// let config = kubeconfig::read(#{ kubeconfig: "lab.kubeconfig" });
    /// for context in config.contexts {
    ///     print(`${context.name}: ${context.user} at ${context.cluster}`);
    /// }
    /// ```
    #[rhai_fn(name = "read", return_raw)]
    pub fn read_with_options(context: NativeCallContext, options: Map) -> Outcome<Dynamic> {
        overview(&context, options)
    }
}

fn overview(context: &NativeCallContext, options: Map) -> Outcome<Dynamic> {
    let options = context.options("kubeconfig::read", options)?;
    let host = context.host();
    let whole = match options.text("kubeconfig") {
        Some(path) => named(&host, &path).and_then(|file| read(vec![file])),
        None => found(&host),
    };
    whole.and_then(|whole| whole.overview()).map(|tree| tree.to_dynamic()).map_err(|fault| context.raise(fault))
}

/// The files that a function means: the one it is given, or those that kubectl would use.
pub fn files(host: &Host, options: &Options) -> Result<Vec<PathBuf>, Fault> {
    match options.text("kubeconfig") {
        Some(path) => Ok(vec![host.files.root().join(path)]),
        None => Ok(default_files(host)?.0),
    }
}
