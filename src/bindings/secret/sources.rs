//! Where secrets come from. Each is remembered, so that it is taken out of whatever is shown or written.

use rhai::{Map, plugin::*};

#[export_module]
pub mod sources {
    use rhai::{Map, NativeCallContext};

    use crate::{
        host::{
            ask::{Answer, Question, QuestionKind},
            secrets::Secret,
        },
        script::{
            conductor::Outcome,
            context::Call,
            fault::{Fault, Kind},
        },
    };

    /// Takes a secret from an environment variable.
    ///
    /// # Parameters
    /// - `name` (text): the variable's name
    ///
    /// # Returns
    /// A `Secret`, shown as `[secret env:NAME]`.
    ///
    /// # Faults
    /// - `usage`: the variable is not set, or is empty
    ///
    /// # Example
    /// ```rhai
    /// let home = secret::env("PATH");
    /// print(`the path is ${home}`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn env(context: NativeCallContext, name: &str) -> Outcome<Secret> {
        let host = context.host();
        let value = host.environment.variable(name).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| {
            Fault::new(Kind::Usage, format!("the environment variable `{name}` is not set, or is empty"))
                .hint(format!("set it for this run: `{name}=… cozyscript …`"))
                .raise(&context)
        })?;
        let secret = Secret::new(format!("env:{name}"), value);
        host.secrets.remember(&secret);
        Ok(secret)
    }

    /// Takes a secret from a file, without the line break at its end.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// A `Secret`, shown as `[secret file:PATH]`.
    ///
    /// # Faults
    /// - `file`: the file is missing, not text, or outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("token.txt") {
    ///     let token = secret::file("token.txt");
    ///     print(token.reference);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn file(context: NativeCallContext, path: &str) -> Outcome<Secret> {
        let host = context.host();
        let text = host.files.read(path).map_err(|error| Fault::from(error).raise(&context))?;
        let secret = Secret::new(format!("file:{path}"), text.trim_end_matches(['\r', '\n']).to_owned());
        host.secrets.remember(&secret);
        Ok(secret)
    }

    /// Asks a person for a secret; what is typed isn't shown.
    ///
    /// # Parameters
    /// - `question` (text): what is asked
    ///
    /// # Returns
    /// A `Secret`, shown as `[secret prompt:QUESTION]`.
    ///
    /// # Faults
    /// - `refused`: nobody is there to ask
    ///
    /// # Example
    /// ```rhai
    /// fn password() {
    ///     secret::ask("password of the registry")
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ask(context: NativeCallContext, question: &str) -> Outcome<Secret> {
        let asked = Question { preface: Vec::new(), text: question.to_owned(), kind: QuestionKind::Secret, key: None };
        let why = match context.context().conductor().ask(&context, asked)? {
            Answer::Text(value) => {
                let secret = Secret::new(format!("prompt:{question}"), value);
                context.host().secrets.remember(&secret);
                return Ok(secret);
            }
            Answer::Nobody(why) => why,
            Answer::Yes | Answer::No => "no text was given".to_owned(),
        };
        let fault = Fault::new(Kind::Refused, format!("nobody answered `{question}`: {why}"))
            .hint("let the script take it from `secret::env` or `secret::file` instead");
        Err(fault.raise(&context))
    }

    /// Puts secrets into the manifest of a Kubernetes `Secret`, ready to be applied.
    #[rhai_fn(name = "manifest")]
    pub fn manifest(name: &str, data: Map) -> Map {
        super::manifest_of(name, data, None, "Opaque")
    }

    /// Puts secrets into the manifest of a Kubernetes `Secret`, ready to be applied. The values stay secret until they are sent.
    ///
    /// # Parameters
    /// - `name` (text): the object's name
    /// - `data` (map): keys to secrets or texts
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the one it is applied to): where it belongs
    /// - `type` (text, `Opaque`): such as `kubernetes.io/tls`
    ///
    /// # Returns
    /// The object, as a map.
    ///
    /// # Faults
    /// - `usage`: an option is not one of these
    ///
    /// # Example
    /// ```rhai
    /// let token = secret::of("8d7f-11c2", "token");
    /// let object = secret::manifest("registry", #{ token: token }, #{ namespace: "default" });
    /// print(object.stringData.token);
    /// ```
    #[rhai_fn(name = "manifest", return_raw)]
    pub fn manifest_with_options(context: NativeCallContext, name: &str, data: Map, options: Map) -> Outcome<Map> {
        let options = context.options("secret::manifest", options)?;
        let kind = options.text("type").unwrap_or_default();
        Ok(super::manifest_of(name, data, options.text("namespace"), &kind))
    }

    /// Makes a secret of a text that the script got elsewhere, such as a field of an answer.
    ///
    /// # Parameters
    /// - `text` (text): the value
    /// - `reference` (text): what is shown in its place
    ///
    /// # Returns
    /// A `Secret`, shown as `[secret REFERENCE]`.
    ///
    /// # Example
    /// ```rhai
    /// let session = secret::of("8d7f-11c2", "session of the console");
    /// print(session);
    /// ```
    pub fn of(context: NativeCallContext, text: &str, reference: &str) -> Secret {
        let secret = Secret::new(reference, text.to_owned());
        context.host().secrets.remember(&secret);
        secret
    }
}

fn manifest_of(name: &str, data: Map, namespace: Option<String>, kind: &str) -> Map {
    let mut metadata = Map::from([("name".into(), name.into())]);
    metadata.extend(namespace.map(|namespace| ("namespace".into(), namespace.into())));
    [
        ("apiVersion".into(), "v1".into()),
        ("kind".into(), "Secret".into()),
        ("metadata".into(), metadata.into()),
        ("type".into(), kind.into()),
        ("stringData".into(), data.into()),
    ]
    .into()
}
