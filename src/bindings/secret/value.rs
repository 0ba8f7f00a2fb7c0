//! The type `Secret` in scripts: it prints as its reference, and what is made of it is secret too.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rhai::{Engine, EvalAltResult, ImmutableString, NativeCallContext, plugin::*};

use crate::{
    host::secrets::Secret,
    script::{
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod value {
    /// Where the secret came from: all of it that may be shown.
    #[rhai_fn(get = "reference")]
    pub fn reference(secret: &mut Secret) -> String {
        secret.reference().to_owned()
    }

    /// Gives the value itself, as a text like any other. The last resort: bindings take secrets as they are, and `+` keeps
    /// them secret.
    ///
    /// What is made of the text (its first letters, its hash) is no longer recognised and may be shown.
    ///
    /// # Returns
    /// The text.
    ///
    /// # Example
    /// ```rhai
    /// let token = secret::of("8d7f-11c2", "token");
    /// if !token.expose().contains("-") {
    ///     fail("this is a token of the old kind");
    /// }
    /// ```
    #[rhai_fn(global, pure)]
    pub fn expose(secret: &mut Secret) -> String {
        secret.expose().to_owned()
    }

    /// Encodes the value as base64; it stays secret.
    ///
    /// # Returns
    /// A `Secret`.
    ///
    /// # Example
    /// ```rhai
    /// let token = secret::of("8d7f-11c2", "token");
    /// print(token.base64());
    /// ```
    #[rhai_fn(global, pure)]
    pub fn base64(context: NativeCallContext, secret: &mut Secret) -> Secret {
        remembered(&context, Secret::new(format!("base64({})", secret.reference()), STANDARD.encode(secret.expose())))
    }
}

/// Names the type and gives it its operators.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Secret>("Secret")
        .register_fn("to_string", |secret: &mut Secret| format!("{secret:?}"))
        .register_fn("to_debug", |secret: &mut Secret| format!("{secret:?}"))
        .register_fn("==", |left: &mut Secret, right: Secret| *left == right)
        .register_fn("!=", |left: &mut Secret, right: Secret| *left != right)
        .register_fn("+", |context: NativeCallContext, text: ImmutableString, secret: Secret| {
            join(&context, [Part::Plain(&text), Part::Secret(&secret)])
        })
        .register_fn("+", |context: NativeCallContext, secret: Secret, text: ImmutableString| {
            join(&context, [Part::Secret(&secret), Part::Plain(&text)])
        })
        .register_fn("+", |context: NativeCallContext, left: Secret, right: Secret| {
            join(&context, [Part::Secret(&left), Part::Secret(&right)])
        })
        // A text can't turn into a secret in place, and taking in the reference instead would be found out late.
        .register_fn(
            "+=",
            |context: NativeCallContext, _: &mut ImmutableString, secret: Secret| -> Result<(), Box<EvalAltResult>> {
                let fault = Fault::new(Kind::Usage, format!("a text can't take in `{secret:?}` and stay a text"))
                    .hint("write `whole = text + secret`: that is a secret again");
                Err(context.raise(fault))
            },
        );
}

enum Part<'p> {
    Plain(&'p str),
    Secret(&'p Secret),
}

/// What is joined is a secret of its own, with a reference of its own: `Bearer ${env:TOKEN}`.
fn join(context: &NativeCallContext, parts: [Part; 2]) -> Secret {
    let vault = context.host().secrets;
    let (mut reference, mut value) = (String::new(), String::new());
    for part in parts {
        match part {
            Part::Plain(text) => {
                // The text may hold a secret that was exposed.
                reference.extend(vault.redact(text).escape_debug());
                value.push_str(text);
            }
            Part::Secret(secret) => {
                let joined = secret.reference().contains("${");
                reference.push_str(&if joined {
                    secret.reference().to_owned()
                } else {
                    format!("${{{}}}", secret.reference())
                });
                value.push_str(secret.expose());
            }
        }
    }
    remembered(context, Secret::new(reference, value))
}

fn remembered(context: &NativeCallContext, secret: Secret) -> Secret {
    context.host().secrets.remember(&secret);
    secret
}
