//! Reading files and looking at folders.

use jiff::Timestamp;
use rhai::{Array, Blob, Dynamic, Map, NativeCallContext, plugin::*};

use crate::{
    host::files::{FileError, Sort},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
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
        context.host().files.read(path).map_err(|error| raise(&context, error))
    }

    /// Reads a file, whatever is in it.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// The bytes, for `base64::encode`, `hash::sha256` and `fs::write`.
    ///
    /// # Faults
    /// - `file`: it is missing, or outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// let bytes = fs::read_bytes("motd.txt");
    /// print(`${bytes.len()} bytes`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn read_bytes(context: NativeCallContext, path: &str) -> Outcome<Blob> {
        context.host().files.read_bytes(path).map_err(|error| raise(&context, error))
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
        context.host().files.exists(path).map_err(|error| raise(&context, error))
    }

    /// Lists what is in a folder, in the order of the names; names of folders end in `/`.
    ///
    /// A resumed run does the step again if names came or went meanwhile, unless the run itself made or removed them.
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
                .hint(format!("patterns are for `fs::glob(\"{folder}\")`"));
            return Err(context.raise(fault));
        }
        let names = files.list(folder).map_err(|error| raise(&context, error))?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }

    /// Finds the files that match a pattern, in the order of their paths.
    ///
    /// `*` stands for any letters of a name and `?` for one, `**` for any folders on the way. What begins with a dot is found
    /// only by a pattern that begins so, too. Links to folders are not followed. A resumed run does the step again if it would
    /// find others, as for `fs::list`.
    ///
    /// # Parameters
    /// - `pattern` (text): such as `charts/**/*.yaml`
    ///
    /// # Returns
    /// A list of paths; it may be empty.
    ///
    /// # Faults
    /// - `file`: it leads outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// for path in fs::glob("**/*.yaml") {
    ///     print(path);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn glob(context: NativeCallContext, pattern: &str) -> Outcome<Array> {
        let paths = context.host().files.glob(pattern).map_err(|error| raise(&context, error))?;
        Ok(paths.into_iter().map(Dynamic::from).collect())
    }

    /// Tells what is known of a file without reading it.
    ///
    /// # Parameters
    /// - `path` (text): the file or folder, relative to the runbook's folder
    ///
    /// # Returns
    /// A map: `kind` (`file`, `folder` or `other`), `size` in bytes, `mode` such as `0644`, and `modified`, a `Timestamp`.
    ///
    /// # Faults
    /// - `file`: it is missing, or outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// let facts = fs::stat("motd.txt");
    /// print(`${facts.size} bytes, mode ${facts.mode}`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn stat(context: NativeCallContext, path: &str) -> Outcome<Map> {
        let facts = context.host().files.facts(path).map_err(|error| raise(&context, error))?;
        let kind = match facts.sort {
            Sort::File => "file",
            Sort::Folder => "folder",
            Sort::Other => "other",
        };
        let modified = Timestamp::try_from(facts.modified).map_err(|error| {
            let reason = format!("the time of its last change can't be told: {error}");
            raise(&context, FileError::Unreadable { path: path.to_owned(), reason })
        })?;
        Ok([
            ("kind".into(), kind.into()),
            ("size".into(), i64::try_from(facts.size).unwrap_or(i64::MAX).into()),
            ("mode".into(), format!("{:04o}", facts.mode).into()),
            ("modified".into(), Dynamic::from(modified)),
        ]
        .into())
    }
}

fn raise(context: &NativeCallContext, error: FileError) -> Box<rhai::EvalAltResult> {
    context.raise(error.into())
}
