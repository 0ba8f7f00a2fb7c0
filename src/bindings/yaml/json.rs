//! JSON in scripts.

use rhai::{Dynamic, NativeCallContext, plugin::*};

use super::text;
use crate::script::{conductor::Outcome, values::json};

#[export_module]
pub mod functions {
    /// Reads a JSON file.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// Its value.
    ///
    /// # Faults
    /// - `file`: it is missing, not text, or outside of the runbook's folder
    /// - `parse`: it is not JSON; the message has the place
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("settings.json") {
    ///     print(json("settings.json").replicas);
    /// }
    /// ```
    #[rhai_fn(global, name = "json", return_raw)]
    pub fn read(context: NativeCallContext, path: &str) -> Outcome<Dynamic> {
        let source = text::file(&context, path)?;
        json::read(&source, path).map(|tree| tree.to_dynamic()).map_err(|misread| text::misread(&context, misread))
    }

    /// Reads a text that is JSON.
    ///
    /// # Parameters
    /// - `text` (text): the text
    ///
    /// # Returns
    /// Its value.
    ///
    /// # Faults
    /// - `parse`: it is not JSON; the message has the place
    ///
    /// # Example
    /// ```rhai
    /// let settings = json::parse("{\"replicas\": 3}");
    /// print(settings.replicas);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn parse(context: NativeCallContext, text: &str) -> Outcome<Dynamic> {
        json::read(text, "text").map(|tree| tree.to_dynamic()).map_err(|misread| text::misread(&context, misread))
    }

    /// Writes a value as JSON, in one line. Secrets in it are written by reference.
    ///
    /// # Parameters
    /// - `value` (anything): a map, an object, a list, or a plain value
    ///
    /// # Returns
    /// The text.
    ///
    /// # Faults
    /// - `usage`: something in it is neither data nor a secret
    ///
    /// # Example
    /// ```rhai
    /// print(json::write(#{ replicas: 3 }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn write(context: NativeCallContext, value: Dynamic) -> Outcome<String> {
        Ok(json::write(&text::tree(&context, &value)?))
    }

    /// Writes a value as JSON, indented. Secrets in it are written by reference.
    ///
    /// # Parameters
    /// - `value` (anything): a map, an object, a list, or a plain value
    ///
    /// # Returns
    /// The text.
    ///
    /// # Faults
    /// - `usage`: something in it is neither data nor a secret
    ///
    /// # Example
    /// ```rhai
    /// print(json::pretty(#{ replicas: 3, hosts: ["a", "b"] }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn pretty(context: NativeCallContext, value: Dynamic) -> Outcome<String> {
        Ok(json::write_pretty(&text::tree(&context, &value)?))
    }

    /// Merges a patch into a value (RFC 7386): fields of the patch replace those of the value, map into map, and one that is `()`
    /// takes the field out.
    ///
    /// # Parameters
    /// - `value` (anything): a map, an object, a list, or a plain value
    /// - `patch` (anything): what is to be different
    ///
    /// # Returns
    /// The merged value; what was given stays as it was.
    ///
    /// # Faults
    /// - `usage`: something in them is neither data nor a secret
    ///
    /// # Example
    /// ```rhai
    /// let values = json::merge(#{ replicas: 2, image: #{ tag: "1" } }, #{ image: #{ tag: "2" }, replicas: () });
    /// print(json::write(values));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn merge(context: NativeCallContext, value: Dynamic, patch: Dynamic) -> Outcome<Dynamic> {
        let (value, patch) = (text::tree(&context, &value)?, text::tree(&context, &patch)?);
        Ok(json::merged(value, &patch).to_dynamic())
    }
}
