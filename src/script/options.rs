//! Option maps: the trailing `#{ timeout: "5m" }` of a call, held against the function's documentation.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rhai::{Dynamic, Map};

use super::{
    catalogue::{Default, Function},
    engine::limits::TEXT_BYTES,
    fault::{Fault, Kind},
};
use crate::{
    duration,
    host::{secrets::Secret, tunnel::Tunnel},
};

/// The options of one call: given ones, then documented defaults.
#[derive(Debug, Clone)]
pub struct Options {
    function: Arc<Function>,
    given: BTreeMap<String, Dynamic>,
}

impl Options {
    /// Holds `given` against the documented options.
    ///
    /// # Errors
    /// A usage fault that names the option, and the nearest one there is.
    pub fn read(function: Arc<Function>, given: Map) -> Result<Self, Fault> {
        let mut read = BTreeMap::new();
        for (key, value) in given {
            let Some(option) = function.doc.options.iter().find(|option| option.name == key) else {
                return Err(unknown(&function, &key));
            };
            if value.is_unit() {
                continue;
            }
            if !fits(&option.kind, &value) {
                let message = format!(
                    "option `{key}` of `{}` takes {}, and was given {}",
                    function.name,
                    with_article(&option.kind),
                    describe(&value)
                );
                return Err(Fault::new(Kind::Usage, message).hint(option.text.clone()));
            }
            read.insert(key.to_string(), value);
        }
        Ok(Self { function, given: read })
    }

    /// The given value or the documented default, as text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.given(name) {
            Some(value) => Some(value.to_string()),
            None => self.default(name),
        }
    }

    /// A duration: `"5m"`, or a number of seconds.
    ///
    /// # Errors
    /// A usage fault, if it isn't one.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, Fault> {
        let read = |text: &str| {
            duration::parse(text)
                .map_err(|why| Fault::new(Kind::Usage, format!("option `{name}` of `{}`: {why}", self.function.name)))
        };
        match self.given(name) {
            Some(value) if value.is_int() => {
                let seconds = value.as_int().expect("it is an integer").max(0);
                Ok(Some(Duration::from_secs(seconds.unsigned_abs())))
            }
            Some(value) if value.is::<Duration>() => Ok(Some(value.clone_cast())),
            Some(value) => read(&value.to_string()).map(Some),
            None => self.default(name).map(|text| read(&text)).transpose(),
        }
    }

    /// A duration that is documented with a default.
    ///
    /// # Errors
    /// A usage fault, if what was given isn't one.
    ///
    /// # Panics
    /// If no default is documented.
    pub fn deadline(&self, name: &str) -> Result<Duration, Fault> {
        Ok(self.duration(name)?.expect("the option has a documented default"))
    }

    /// A yes or no; no if neither given nor documented otherwise.
    pub fn flag(&self, name: &str) -> bool {
        match self.given(name) {
            Some(value) => value.as_bool().unwrap_or_default(),
            None => self.default(name).as_deref() == Some("true"),
        }
    }

    /// A number of bytes, as many as a text can have at most.
    ///
    /// # Errors
    /// `usage`.
    pub fn bytes(&self, name: &str) -> Result<usize, Fault> {
        let given = self.integer(name).unwrap_or_default();
        usize::try_from(given).ok().filter(|bytes| *bytes <= TEXT_BYTES).ok_or_else(|| {
            let message = format!("option `{name}` is {given}: it is a number of bytes, from 0 to {TEXT_BYTES}");
            Fault::new(Kind::Usage, message).hint("what is longer than a text can be goes to a file: option `output`")
        })
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.given(name) {
            Some(value) => value.as_int().ok(),
            None => self.default(name).and_then(|text| text.parse().ok()),
        }
    }

    /// The value as it was given.
    pub fn value(&self, name: &str) -> Option<Dynamic> {
        self.given(name).cloned()
    }

    /// A text that may be given as a secret; what is returned may be shown only through its reference.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.given(name).map(|value| match value.clone().try_cast::<Secret>() {
            Some(secret) => secret,
            None => Secret::new(format!("option {name}"), value.to_string()),
        })
    }

    fn given(&self, name: &str) -> Option<&Dynamic> {
        debug_assert!(self.documents(name), "`{name}` is documented as an option of `{}`", self.function.name);
        self.given.get(name)
    }

    fn default(&self, name: &str) -> Option<String> {
        let option = self.function.doc.options.iter().find(|option| option.name == name)?;
        match &option.default {
            Some(Default::Literal(literal)) => Some(literal.trim_matches('"').to_owned()),
            _ => None,
        }
    }

    fn documents(&self, name: &str) -> bool {
        self.function.doc.options.iter().any(|option| option.name == name)
    }
}

/// The fault for an option that a function doesn't have.
pub fn unknown(function: &Function, key: &str) -> Fault {
    let names: Vec<&str> = function.doc.options.iter().map(|option| option.name.as_str()).collect();
    let fault = Fault::new(Kind::Usage, format!("`{}` has no option `{key}`", function.name));
    match (nearest(key, names.iter().copied()), names.is_empty()) {
        (Some(near), _) => fault.hint(format!("did you mean `{near}`?")),
        (None, true) => fault.hint("it takes no options"),
        (None, false) => fault.hint(format!("its options are {}", names.join(", "))),
    }
}

/// The name most like `wrong`, if one is like it at all.
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = wrong.to_lowercase();
    names
        .into_iter()
        .map(|name| (likeness(&lower, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Jaro-Winkler says little of short words: there, one slip of the finger is what a likeness is.
fn likeness(wrong: &str, name: &str) -> f64 {
    let likeness = strsim::jaro_winkler(wrong, name);
    let slip = wrong.len() > 2 && strsim::osa_distance(wrong, name) == 1;
    if slip { likeness.max(0.9) } else { likeness }
}

/// True if a value of this type may be given where the documentation says `kind`; words joined by ` or ` are alternatives.
pub fn fits(kind: &str, value: &Dynamic) -> bool {
    kind.split(" or ").any(|kind| match kind.trim() {
        "text" => value.is_string() || value.is_char(),
        "integer" => value.is_int(),
        "number" => value.is_int() || value.is_float(),
        "boolean" => value.is_bool(),
        "duration" => value.is_string() || value.is_int() || value.is::<Duration>(),
        "list" => value.is_array(),
        "map" => value.is_map() || value.type_name().ends_with("Object"),
        "secret" => value.is::<Secret>(),
        "function" => value.is_fnptr(),
        "tunnel" => value.is::<Tunnel>(),
        _ => true,
    })
}

/// The words for a documented type in a sentence: `an integer`, `text`.
pub fn with_article(kind: &str) -> String {
    let first = kind.chars().next().unwrap_or('x');
    let article = if "aeiou".contains(first) { "an" } else { "a" };
    if kind.starts_with("text") { kind.to_owned() } else { format!("{article} {kind}") }
}

fn describe(value: &Dynamic) -> String {
    match value.type_name() {
        "string" => format!("the text \"{value}\""),
        "i64" | "f64" | "bool" => format!("`{value}`"),
        "array" => "a list".to_owned(),
        "map" => "a map".to_owned(),
        "Fn" => "a function".to_owned(),
        other => other.rsplit("::").next().unwrap_or(other).to_owned(),
    }
}
