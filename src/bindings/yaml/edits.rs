//! Changing one place of a YAML text, and nothing else in it.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use super::text;
use crate::{
    host::secrets::Secret,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::{
            tree::Tree,
            yaml::{self, Edit, EditError},
        },
    },
};

#[export_module]
pub mod functions {
    /// Sets one value in a YAML text.
    #[rhai_fn(return_raw)]
    pub fn set(context: NativeCallContext, text: &str, path: &str, value: Dynamic) -> Outcome<String> {
        set_in(&context, text, path, &value, Map::new())
    }

    /// Sets one value in a YAML text and leaves all else as it is: comments, order, quotes, blank lines.
    ///
    /// Fields on the way are made. What stands in an alias, or can't be changed without rewriting other parts, is refused.
    ///
    /// # Parameters
    /// - `text` (text): one or more documents
    /// - `path` (text): such as `spec.replicas`, `hosts[0]` or `metadata.labels["app.kubernetes.io/name"]`
    /// - `value` (anything): what is to be there: a map, an object, a list, or a plain value
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `document` (integer, the only one): which document is meant, counted from 0
    ///
    /// # Returns
    /// The text with that value.
    ///
    /// # Faults
    /// - `parse`: the text is not YAML; the message has the place
    /// - `usage`: nothing can be set at the path, or not in place, or a document has to be named
    ///
    /// # Example
    /// ```rhai
    /// let values = "replicas: 2 # for now\nimage: redis\n";
    /// print(yaml::set(values, "replicas", 3));
    /// print(yaml::set(values, "resources.limits.memory", "1Gi"));
    /// ```
    #[rhai_fn(name = "set", return_raw)]
    pub fn set_with_options(
        context: NativeCallContext,
        text: &str,
        path: &str,
        value: Dynamic,
        options: Map,
    ) -> Outcome<String> {
        set_in(&context, text, path, &value, options)
    }

    /// Appends an item to a list in a YAML text.
    #[rhai_fn(return_raw)]
    pub fn append(context: NativeCallContext, text: &str, path: &str, item: Dynamic) -> Outcome<String> {
        append_in(&context, text, path, &item, Map::new())
    }

    /// Appends an item to a list in a YAML text and leaves all else as it is. A list that is not there is made.
    ///
    /// # Parameters
    /// - `text` (text): one or more documents
    /// - `path` (text): where the list is, such as `spec.hosts`
    /// - `item` (anything): a map, an object, a list, or a plain value
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `document` (integer, the only one): which document is meant, counted from 0
    ///
    /// # Returns
    /// The text with that item.
    ///
    /// # Faults
    /// - `parse`: the text is not YAML; the message has the place
    /// - `usage`: there is no list at the path, or it can't be changed in place, or a document has to be named
    ///
    /// # Example
    /// ```rhai
    /// print(yaml::append("hosts:\n- a # the first\n", "hosts", "b"));
    /// ```
    #[rhai_fn(name = "append", return_raw)]
    pub fn append_with_options(
        context: NativeCallContext,
        text: &str,
        path: &str,
        item: Dynamic,
        options: Map,
    ) -> Outcome<String> {
        append_in(&context, text, path, &item, options)
    }

    /// Takes a field or an item out of a YAML text.
    #[rhai_fn(return_raw)]
    pub fn remove(context: NativeCallContext, text: &str, path: &str) -> Outcome<String> {
        remove_in(&context, text, path, Map::new())
    }

    /// Takes a field or an item out of a YAML text and leaves all else as it is. What is not there is not missed.
    ///
    /// # Parameters
    /// - `text` (text): one or more documents
    /// - `path` (text): such as `spec.replicas` or `hosts[0]`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `document` (integer, the only one): which document is meant, counted from 0
    ///
    /// # Returns
    /// The text without it.
    ///
    /// # Faults
    /// - `parse`: the text is not YAML; the message has the place
    /// - `usage`: it can't be taken out in place, or a document has to be named
    ///
    /// # Example
    /// ```rhai
    /// print(yaml::remove("replicas: 2\nimage: redis # a cache\n", "replicas"));
    /// ```
    #[rhai_fn(name = "remove", return_raw)]
    pub fn remove_with_options(context: NativeCallContext, text: &str, path: &str, options: Map) -> Outcome<String> {
        remove_in(&context, text, path, options)
    }
}

fn set_in(context: &NativeCallContext, text: &str, path: &str, value: &Dynamic, options: Map) -> Outcome<String> {
    edit(context, "yaml::set", text, path, Edit::Set(&plain(context, value)?), options)
}

fn append_in(context: &NativeCallContext, text: &str, path: &str, item: &Dynamic, options: Map) -> Outcome<String> {
    edit(context, "yaml::append", text, path, Edit::Append(&plain(context, item)?), options)
}

fn remove_in(context: &NativeCallContext, text: &str, path: &str, options: Map) -> Outcome<String> {
    edit(context, "yaml::remove", text, path, Edit::Remove, options)
}

fn plain(context: &NativeCallContext, value: &Dynamic) -> Outcome<Tree> {
    if value.is::<Secret>() {
        let fault = Fault::new(Kind::Usage, "a secret can't be set in a text, which would show it");
        return Err(context.raise(fault.hint("put a secret together with `text + secret`, or apply it as a map")));
    }
    text::tree(context, value)
}

fn edit(
    context: &NativeCallContext,
    function: &str,
    text: &str,
    path: &str,
    edit: Edit,
    options: Map,
) -> Outcome<String> {
    let document = context.options(function, options)?.integer("document");
    yaml::edit(text, path, document, edit).map_err(|error| {
        context.raise(match error {
            EditError::Misread(misread) => misread.into(),
            EditError::WhichDocument { documents } => Fault::new(Kind::Usage, error.to_string())
                .hint(format!("say which: `#{{ document: 0 }}` to `#{{ document: {} }}`", documents - 1)),
            other => Fault::new(Kind::Usage, other.to_string()),
        })
    })
}
