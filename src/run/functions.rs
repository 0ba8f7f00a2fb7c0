//! What a script asks its run for: parameters, a person's word, and races.

use rhai::{Dynamic, Map, Module, NativeCallContext, combine_with_exported_module, plugin::*};

use crate::{
    host::ask::{Answer, Question, QuestionKind},
    script::{
        binding::Binding,
        conductor::{Outcome, ParamOptions},
        context::Call,
        fault::{Fault, Kind},
        fork,
    },
};

/// The functions of the run engine; they need no module name.
pub fn binding() -> Binding {
    Binding {
        name: "run",
        summary: "parameters, questions and races",
        functions: |module: &mut Module| {
            combine_with_exported_module!(module, "run", functions);
        },
        types: |_| {},
    }
}

#[export_module]
mod functions {
    /// Gives the value of a parameter that has no options.
    #[rhai_fn(global, name = "param", return_raw)]
    pub fn param_plain(context: NativeCallContext, name: &str) -> Outcome<Dynamic> {
        param(context, name, Map::new())
    }

    /// Declares a parameter of the runbook and gives its value. It stands at the top level, with its name as a plain
    /// text, so that `check` and the command line know it before anything runs.
    ///
    /// Its value comes from `--set name=value`, a `--values` file, the environment (`COZYSCRIPT_NAME`), `from`, or a
    /// person on the terminal, in that order; then from `default`.
    ///
    /// # Parameters
    /// - `name` (text): how `--set` and `--values` call it
    ///
    /// # Options
    /// - `default` (any): its value if nothing else gives one; it says the type, too
    /// - `type` (text): text, integer, number, boolean, list, map or duration
    /// - `help` (text): what it is for, shown when it is asked for
    /// - `choices` (list): the only values it may have
    /// - `secret` (boolean, `false`): its value is never shown or kept
    /// - `from` (text): where a secret comes from: `env:NAME`, `file:PATH` or `prompt`
    ///
    /// # Returns
    /// The value, of the type that is declared; a secret as a `Secret`.
    ///
    /// # Faults
    /// - `usage`: an option that there is not
    ///
    /// # Example
    /// ```rhai
    /// let replicas = param("replicas", #{ default: 3, help: "how many web servers" });
    /// print(replicas);
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn param(context: NativeCallContext, name: &str, options: Map) -> Outcome<Dynamic> {
        let options = context.options("run::param", options)?;
        let options = ParamOptions { default: options.value("default"), secret: options.flag("secret") };
        context.context().conductor().param(&context, name, options)
    }

    /// Asks a person a question that is answered with yes or no. Nobody there is a no.
    ///
    /// # Parameters
    /// - `question` (text): what is asked
    ///
    /// # Returns
    /// True if the answer was yes. A yes is kept: a resumed run does not ask again.
    ///
    /// # Example
    /// ```rhai
    /// if confirm("restart the database?") { print("restarting"); }
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn confirm(context: NativeCallContext, question: &str) -> Outcome<bool> {
        let question = Question {
            preface: Vec::new(),
            text: question.to_owned(),
            kind: QuestionKind::Confirm,
            key: Some(key(question)),
        };
        Ok(context.context().conductor().ask(&context, question)? == Answer::Yes)
    }

    /// Shows what will be destroyed, as the target's text.
    #[rhai_fn(global, name = "confirm_destroy", return_raw)]
    pub fn confirm_destroy_plain(context: NativeCallContext, target: Dynamic) -> Outcome<()> {
        confirm_destroy(context, target, Dynamic::from_array(rhai::Array::new()))
    }

    /// Shows what is about to be destroyed and goes on only if a person types the target's name. `--yes STEP@TARGET`
    /// answers exactly this question ahead of time.
    ///
    /// # Parameters
    /// - `target` (any): the cluster, or a text; its name is what has to be typed
    /// - `dies` (list): what goes with it, shown a line each
    ///
    /// # Faults
    /// - `refused`: the name was not typed, or nobody was there to type it
    ///
    /// # Example
    /// ```rhai
    /// try {
    ///     confirm_destroy("lab", ["node worker-1 and its disks", "node worker-2 and its disks"]);
    /// } catch (fault) {
    ///     print(fault.kind);
    /// }
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn confirm_destroy(context: NativeCallContext, target: Dynamic, dies: Dynamic) -> Outcome<()> {
        let name = match target.clone().into_immutable_string() {
            Ok(name) => name.to_string(),
            Err(_) => context.call_native_fn::<rhai::ImmutableString>("to_string", (target,))?.to_string(),
        };
        let dies = match dies.clone().try_cast::<rhai::Array>() {
            Some(lines) => lines.iter().map(ToString::to_string).collect(),
            None => vec![dies.to_string()],
        };
        let mut preface = vec![format!("This destroys `{name}`, for good:")];
        preface.extend(dies.iter().map(|line| format!("  - {line}")));
        let question = Question {
            preface,
            text: format!("destroy `{name}`?"),
            kind: QuestionKind::Type { expected: name.clone() },
            key: Some(key(&name)),
        };
        let refused = match context.context().conductor().ask(&context, question)? {
            Answer::Yes => return Ok(()),
            Answer::Text(text) if text == name => return Ok(()),
            Answer::No => "its name was not typed".to_owned(),
            Answer::Text(text) => format!("`{text}` was typed"),
            Answer::Nobody(why) => format!("nobody could be asked, because {why}"),
        };
        let fault = Fault::new(Kind::Refused, format!("`{name}` is not destroyed: {refused}"));
        Err(context.raise(fault.hint(format!("`--yes {}` answers this one question", key(&name)))))
    }

    /// Runs closures side by side until the first of them has finished, and stops the others.
    ///
    /// # Parameters
    /// - `runners` (list or map): closures without parameters; in a map each has a name
    ///
    /// # Returns
    /// The value of the one that finished first. One that fails has lost; if all fail, the race does.
    ///
    /// # Faults
    /// - `failed`: none of them finished
    /// - `usage`: something in the list is no closure
    ///
    /// # Example
    /// ```rhai
    /// let first = race([|| { sleep("1h"); "slow" }, || "fast"]);
    /// print(first);
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn race(context: NativeCallContext, runners: Dynamic) -> Outcome<Dynamic> {
        let runners = fork::runners(&context, runners)?;
        Ok(fork::race(&context, runners)?.1)
    }
}

/// What `--yes` calls a question: the step it is asked in, and what it is about.
fn key(about: &str) -> String {
    let step = crate::host::frame::step();
    if step.is_empty() { format!("@{about}") } else { format!("{step}@{about}") }
}
