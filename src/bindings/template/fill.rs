//! The functions: values from a script's map, and what is told when one is missing.

use std::{cell::RefCell, collections::BTreeSet};

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::substitute::{Rules, Style, Unfilled, substitute};
use crate::{
    host::secrets::Secret,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

#[export_module]
pub mod functions {
    /// Puts values into a text.
    #[rhai_fn(return_raw)]
    pub fn fill(context: NativeCallContext, text: &str, values: Map) -> Outcome<Dynamic> {
        fill_in(&context, "template::fill", "text", text, &values, Map::new())
    }

    /// Puts values into a text, in place of `${NAME}` and `$NAME`.
    ///
    /// `${NAME:-default}` and `${NAME:=default}` say what stands there if the value is missing or empty; a default may hold
    /// names itself. `$$` is a dollar. A name without a value and without a default is a fault that lists all of them.
    ///
    /// # Parameters
    /// - `text` (text): the text
    /// - `values` (map): names to texts, numbers, booleans or secrets
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `only` (list): the names to put values in for; all others stay as they are written
    /// - `style` (text, `both`): `flux` leaves `$NAME` as it is, as Flux does when it builds; `envsubst` knows neither
    ///   defaults nor `$$`, as the program of that name
    ///
    /// # Returns
    /// The text; a `Secret` if a secret went into it.
    ///
    /// # Faults
    /// - `absent`: names have no value; the notes list them
    /// - `parse`: a `${` is not closed, or what is in it is no name; the message has the place
    /// - `usage`: a value is none of these, or the style is not one
    ///
    /// # Example
    /// ```rhai
    /// print(template::fill("replicas: ${REPLICAS:-2}, tier: $TIER", #{ TIER: "back" }));
    /// print(template::fill("exec redis --port $PORT ${FLAGS}", #{ FLAGS: "-v" }, #{ only: ["FLAGS"] }));
    /// ```
    #[rhai_fn(name = "fill", return_raw)]
    pub fn fill_with_options(context: NativeCallContext, text: &str, values: Map, options: Map) -> Outcome<Dynamic> {
        fill_in(&context, "template::fill", "text", text, &values, options)
    }

    /// Puts values into the text of a file.
    #[rhai_fn(return_raw)]
    pub fn file(context: NativeCallContext, path: &str, values: Map) -> Outcome<Dynamic> {
        fill_file(&context, path, &values, Map::new())
    }

    /// Puts values into the text of a file, in place of `${NAME}` and `$NAME`; see `template::fill`. The file stays as it is.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    /// - `values` (map): names to texts, numbers, booleans or secrets
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `only` (list): the names to put values in for; all others stay as they are written
    /// - `style` (text, `both`): `flux` leaves `$NAME` as it is, as Flux does when it builds; `envsubst` knows neither
    ///   defaults nor `$$`, as the program of that name
    ///
    /// # Returns
    /// The text; a `Secret` if a secret went into it.
    ///
    /// # Faults
    /// - `file`: it is missing, not text, or outside of the runbook's folder
    /// - `absent`: names have no value; the notes list them
    /// - `parse`: a `${` is not closed, or what is in it is no name; the message has the place
    /// - `usage`: a value is none of these, or the style is not one
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("app.yaml") {
    ///     print(template::file("app.yaml", #{}, #{ style: "flux" }));
    /// }
    /// ```
    #[rhai_fn(name = "file", return_raw)]
    pub fn file_with_options(context: NativeCallContext, path: &str, values: Map, options: Map) -> Outcome<Dynamic> {
        fill_file(&context, path, &values, options)
    }
}

fn fill_file(context: &NativeCallContext, path: &str, values: &Map, options: Map) -> Outcome<Dynamic> {
    let text = context.host().files.read(path).map_err(|error| context.raise(error.into()))?;
    fill_in(context, "template::file", path, &text, values, options)
}

fn fill_in(
    context: &NativeCallContext,
    function: &str,
    name: &str,
    text: &str,
    values: &Map,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options(function, options)?;
    let only = names(&options).map_err(|fault| context.raise(fault))?;
    let style = style(&options).map_err(|fault| context.raise(fault))?;
    for (key, value) in values {
        plain(key, value).map_err(|fault| context.raise(fault))?;
    }
    let used = RefCell::new(BTreeSet::new());
    let lookup = |key: &str| {
        let value = values.get(key)?;
        if let Some(secret) = value.read_lock::<Secret>() {
            used.borrow_mut().insert(secret.reference().to_owned());
            return Some(secret.expose().to_owned());
        }
        Some(value.to_string())
    };
    let filled = substitute(text, &Rules { style, only: only.as_ref() }, &lookup)
        .map_err(|unfilled| context.raise(fault(name, &unfilled, values)))?;
    let used = used.into_inner();
    if used.is_empty() {
        return Ok(filled.into());
    }
    let references = used.into_iter().collect::<Vec<_>>().join(", ");
    let secret = Secret::new(format!("{name} with {references}"), filled);
    context.host().secrets.remember(&secret);
    Ok(Dynamic::from(secret))
}

/// A value that can stand in a text.
fn plain(name: &str, value: &Dynamic) -> Result<(), Fault> {
    let fits = value.is_string() || value.is_char() || value.is_int() || value.is_float() || value.is_bool();
    if fits || value.is::<Secret>() {
        return Ok(());
    }
    let kind = value.type_name().rsplit("::").next().unwrap_or_default().to_owned();
    Err(Fault::new(Kind::Usage, format!("the value of `{name}` is a `{kind}`, which can't stand in a text"))
        .hint("give it as text: `json::write(value)`"))
}

fn names(options: &Options) -> Result<Option<BTreeSet<String>>, Fault> {
    let Some(only) = options.value("only") else { return Ok(None) };
    let list = only.read_lock::<Array>().map(|list| list.iter().map(ToString::to_string).collect());
    list.map(Some).ok_or_else(|| Fault::new(Kind::Usage, "`only` is a list of names"))
}

fn style(options: &Options) -> Result<Style, Fault> {
    match options.text("style").as_deref() {
        Some("both") | None => Ok(Style::Both),
        Some("flux") => Ok(Style::Flux),
        Some("envsubst") => Ok(Style::Envsubst),
        Some(other) => {
            Err(Fault::new(Kind::Usage, format!("`{other}` is no style")).hint("it is `both`, `flux` or `envsubst`"))
        }
    }
}

fn fault(name: &str, unfilled: &Unfilled, values: &Map) -> Fault {
    match unfilled {
        Unfilled::Missing(missing) => {
            let list = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let fault = Fault::new(Kind::Absent, format!("{name} needs a value for {list}"));
            let known: Vec<&str> = values.keys().map(|key| key.as_str()).collect();
            let fault = fault.notes(missing.iter().map(|name| format!("no value: {name}")));
            match known.is_empty() {
                true => fault.hint("give it in the map, or a default in the text: `${NAME:-default}`"),
                false => {
                    fault.hint(format!("given are {}; a default is written `${{NAME:-default}}`", known.join(", ")))
                }
            }
        }
        Unfilled::Malformed { line, column, why } => Fault::new(Kind::Parse, format!("{name}:{line}:{column}: {why}"))
            .hint("a dollar that is meant as one is `$$`"),
    }
}
