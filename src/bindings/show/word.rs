//! Warnings, and giving up.

use rhai::plugin::*;

#[export_module]
pub mod functions {
    use rhai::{Map, NativeCallContext};

    use crate::{
        event::What,
        script::{
            conductor::Outcome,
            context::Call,
            fault::{Fault, Kind},
            options::nearest,
        },
    };

    /// Warns of something that doesn't stop the run.
    ///
    /// # Parameters
    /// - `text` (text): what deserves attention
    ///
    /// # Example
    /// ```rhai
    /// warn("the etcd snapshot is older than a day");
    /// ```
    #[rhai_fn(global)]
    pub fn warn(context: NativeCallContext, text: &str) {
        context.host().events.emit(What::Warned { text: text.to_owned() });
    }

    #[rhai_fn(global, return_raw)]
    pub fn fail(context: NativeCallContext, message: &str) -> Outcome<()> {
        Err(context.raise(Fault::new(Kind::Failed, message)))
    }

    /// Gives up with a message. The step fails, unless the script catches it.
    ///
    /// # Parameters
    /// - `message` (text): what is wrong: a fact, such as ``the service has no address``
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `hint` (text): what to do about it
    /// - `kind` (text, `failed`): the kind of the fault
    ///
    /// # Faults
    /// - `failed`: always, or the kind that was given
    /// - `usage`: there is no such kind
    ///
    /// # Example
    /// ```rhai
    /// if now() < time::parse("2020-01-01T00:00:00Z") {
    ///     fail("the clock is wrong");
    /// }
    /// try {
    ///     fail("the service has no address", #{ hint: "look at the pools of MetalLB", kind: "not_found" });
    /// } catch (fault) {
    ///     print(`${fault.kind}: ${fault.hint}`);
    /// }
    /// ```
    #[rhai_fn(global, name = "fail", return_raw)]
    pub fn fail_with_options(context: NativeCallContext, message: &str, options: Map) -> Outcome<()> {
        let options = context.options("show::fail", options)?;
        let word = options.text("kind").expect("it has a documented default");
        let Some((kind, ..)) = Kind::ALL.iter().find(|(_, known, _)| *known == word) else {
            let near = nearest(&word, Kind::ALL.iter().map(|(_, known, _)| *known));
            let fault = Fault::new(Kind::Usage, format!("there is no fault of the kind `{word}`"));
            return Err(context.raise(match near {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint("leave it out: it is then of the kind `failed`"),
            }));
        };
        let mut fault = Fault::new(*kind, message);
        fault.hint = options.text("hint");
        Err(context.raise(fault))
    }
}
