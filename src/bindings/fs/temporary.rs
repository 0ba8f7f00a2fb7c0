//! Folders for what need not outlive the run.

use rhai::{Engine, ImmutableString, NativeCallContext, plugin::*};

use crate::{
    host::files::Temporary,
    script::{conductor::Outcome, context::Call},
};

#[export_module]
pub mod functions {
    /// Makes a folder for what need not outlive the run. It is empty, nobody else may look into it, and it is removed when the
    /// script no longer has it.
    ///
    /// A resumed run makes another one, and does not find in it what finished steps have put into the first: what is needed
    /// after a stop belongs below the runbook's folder.
    ///
    /// # Returns
    /// A `Temporary`: `.path` is its path, and `folder + "/name"` a path in it, for the functions of `fs` and `exec`.
    ///
    /// # Faults
    /// - `file`: it can't be made
    ///
    /// # Example
    /// ```rhai
    /// let scratch = fs::temp();
    /// step "unpack" {
    ///     fs::write(scratch + "/values.yaml", "replicas: 3\n");
    ///     print(fs::list(scratch.path));
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn temp(context: NativeCallContext) -> Outcome<Temporary> {
        context.host().files.temporary().map_err(|error| context.raise(error.into()))
    }

    /// Its path, absolute.
    #[rhai_fn(get = "path")]
    pub fn path(folder: &mut Temporary) -> String {
        folder.path()
    }
}

/// Names the type and gives it its operators.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Temporary>("Temporary")
        .register_fn("to_string", |folder: &mut Temporary| folder.path())
        .register_fn("to_debug", |folder: &mut Temporary| folder.path())
        .register_fn("+", |folder: Temporary, rest: ImmutableString| format!("{}{rest}", folder.path()));
}
