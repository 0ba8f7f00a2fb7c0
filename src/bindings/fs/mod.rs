//! Files below the runbook's folder. It never writes, and never reads elsewhere.

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "fs",
    summary: "reads files below the runbook's folder",
    functions: |module| {
        combine_with_exported_module!(module, "files", files);
    },
    types: |_| {},
};

#[export_module]
mod files {
    use rhai::{Array, Dynamic, NativeCallContext};

    use crate::script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    };

    /// Reads a text file.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// The text.
    ///
    /// # Faults
    /// - `file`: it is missing, not text, or outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("motd.txt") {
    ///     print(fs::read("motd.txt"));
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn read(context: NativeCallContext, path: &str) -> Outcome<String> {
        context.host().files.read(path).map_err(|error| Fault::from(error).raise(&context))
    }

    /// Says whether there is a file or a folder.
    ///
    /// # Parameters
    /// - `path` (text): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// `true` or `false`.
    ///
    /// # Faults
    /// - `file`: it is outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// if !fs::exists("override.yaml") {
    ///     print("no overrides");
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn exists(context: NativeCallContext, path: &str) -> Outcome<bool> {
        context.host().files.exists(path).map_err(|error| Fault::from(error).raise(&context))
    }

    /// Lists what is in a folder, in the order of the names; names of folders end in `/`.
    ///
    /// # Parameters
    /// - `folder` (text): the folder, relative to the runbook's folder; `.` is the runbook's folder itself
    ///
    /// # Returns
    /// A list of names.
    ///
    /// # Faults
    /// - `file`: it is missing, no folder, or outside of the runbook's folder
    /// - `usage`: a pattern such as `*.yaml` was given
    ///
    /// # Example
    /// ```rhai
    /// for name in fs::list(".").filter(|name| name.ends_with(".yaml")) {
    ///     print(name);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, folder: &str) -> Outcome<Array> {
        let files = &context.host().files;
        if folder.contains(['*', '?']) && !files.exists(folder).unwrap_or(false) {
            let fault = Fault::new(Kind::Usage, format!("`fs::list` takes a folder, not the pattern `{folder}`"))
                .hint("list the folder and choose: `fs::list(\"charts\").filter(|name| name.ends_with(\".yaml\"))`");
            return Err(fault.raise(&context));
        }
        let names = files.list(folder).map_err(|error| Fault::from(error).raise(&context))?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }
}
