//! Bodies of requests, read as the real server reads them: in its words where they are malformed, against the types of the kind, and
//! with what it warns of or refuses when asked to be strict.

mod formats;
mod json;
mod path;
mod typed;
mod yaml;

use std::collections::BTreeMap;

use serde_json::Value;

use self::json::Earlier;
pub use self::{
    formats::{Fraction, not_time},
    json::Again,
    typed::{configured, fits, placeless, restore, sort},
};
use super::{
    answer::Refusal,
    protobuf::{self, Unreadable},
    request::Request,
    schema::Typed,
};

/// The media types that bodies may have.
const BODIES: [&str; 3] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/// How the bodies of protobuf begin.
const PROTOBUF: &[u8] = b"k8s\0";

/// Numbers that are no plain integers, by their paths, as they were written.
pub type Numbers = BTreeMap<String, String>;

/// A body that was read, with what is odd about it.
#[derive(Debug, Default)]
pub struct Body {
    pub value: Value,
    /// What is said of keys of YAML that came more than once.
    lines: Vec<String>,
    /// Fields of JSON that came more than once, by their paths.
    twice: Vec<String>,
    odd: Numbers,
    /// What fields of JSON that came more than once had before, by their paths.
    earlier: BTreeMap<String, Vec<Earlier>>,
}

impl Body {
    /// # Errors
    /// Where it is malformed.
    pub fn json(text: &[u8]) -> Result<Self, String> {
        Self::json_with(text, Again::Joins)
    }

    /// # Errors
    /// Where it is malformed.
    pub fn json_with(text: &[u8], again: Again) -> Result<Self, String> {
        let json::Json { value, twice, odd, earlier } = json::read(text, again)?;
        Ok(Self { value, twice, odd, earlier, ..Self::default() })
    }

    /// # Errors
    /// Where it is malformed.
    pub fn yaml(text: &[u8]) -> Result<Self, String> {
        // Most YAML that programs send is JSON.
        if let Ok(json) = Self::json(text)
            && json.twice.is_empty()
        {
            return Ok(json);
        }
        let text = std::str::from_utf8(text).map_err(|_| "yaml: invalid UTF-8".to_owned())?;
        let yaml::Yaml { value, twice } = yaml::read(text)?;
        Ok(Self { value, lines: twice, ..Self::default() })
    }

    /// A value that was made here.
    pub fn of(value: Value) -> Self {
        Self { value, ..Self::default() }
    }

    /// The same with numbers as they were written in what it was made of.
    #[must_use]
    pub fn with_numbers(self, numbers: Numbers) -> Self {
        Self { odd: numbers, ..self }
    }

    /// How its numbers were written that are no plain integers, by their paths.
    pub fn numbers(&self) -> Numbers {
        self.odd.clone()
    }

    /// What is said of what came more than once.
    pub fn repeated(&self) -> Vec<String> {
        let mut paths: Vec<&String> = Vec::new();
        for path in &self.twice {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        let twice = paths.into_iter().map(|path| format!("duplicate field \"{path}\""));
        self.repeated_lines().into_iter().chain(twice).collect()
    }

    fn repeated_lines(&self) -> Option<String> {
        let lines = Some(self.lines.join("\n  ")).filter(|lines| !lines.is_empty());
        lines.map(|lines| format!("yaml: unmarshal errors:\n  {lines}"))
    }

    /// What is said of keys of YAML that came more than once.
    pub fn repeated_keys(&self) -> &[String] {
        &self.lines
    }

    /// Holds the value against its types, and takes out what they don't know; the answer says what is odd about it.
    ///
    /// # Errors
    /// The first field that is of another type.
    pub fn read_as(&mut self, typed: Typed, kind: &str) -> Result<Vec<String>, String> {
        let odd = typed::read(self, typed, kind)?;
        Ok(self.repeated_lines().into_iter().chain(odd).collect())
    }
}

/// What happens about fields that nobody knows, or that come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    Ignore,
    Warn,
    Strict,
}

/// Warns of what is odd, or gives it back where it is to be refused.
pub fn told(request: &Request, odd: Vec<String>) -> Result<(), String> {
    match request.strictness() {
        _ if odd.is_empty() => Ok(()),
        Strictness::Ignore => Ok(()),
        Strictness::Warn => {
            for text in odd {
                let lines = text.strip_prefix("yaml: unmarshal errors:\n").unwrap_or(&text);
                lines.lines().for_each(|line| request.warn(line.trim_start()));
            }
            Ok(())
        }
        Strictness::Strict => Err(format!("strict decoding error: {}", odd.join(", "))),
    }
}

/// Which kind a body says it is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub api_version: String,
    pub kind: String,
}

impl Said {
    /// The same, with what it doesn't say.
    #[must_use]
    pub fn or(self, api_version: &str, kind: &str) -> Self {
        let or = |said: String, other: &str| if said.is_empty() { other.to_owned() } else { said };
        Self { api_version: or(self.api_version, api_version), kind: or(self.kind, kind) }
    }
}

/// What is said of a kind that there is not.
pub fn unregistered(said: &Said) -> String {
    let Said { api_version, kind } = said;
    format!("no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\"")
}

/// The refusal of a body of which nobody knows what it is.
pub fn unrecognized(request: &Request, wanted: &str, why: &str) -> Refusal {
    let shown = summary(&request.body);
    Refusal::bad_request(format!("the object provided is unrecognized (must be of type {wanted}): {why} ({shown})"))
}

/// # Errors
/// If the body of a request is of a form that is not taken here.
pub fn takes(request: &Request) -> Result<(), Refusal> {
    let media_type = request.media_type();
    let known = media_type.is_empty() || BODIES.contains(&media_type);
    if known { Ok(()) } else { Err(Refusal::unsupported_media_type(&BODIES)) }
}

/// Reads the body of a request, and which kind it says it is of.
///
/// # Errors
/// As the real server refuses it: it is malformed, or of a form that is not taken here.
pub fn body(request: &Request, wanted: &str, again: Again) -> Result<(Body, Said), Refusal> {
    let unrecognized = |why: String| unrecognized(request, wanted, &why);
    let sniffed = |error: String| unrecognized(format!("couldn't get version/kind; json parse error: {error}"));
    let body = match request.media_type() {
        "" | "application/json" => Body::json_with(&request.body, again).map_err(sniffed)?,
        "application/yaml" => {
            let mut body = Body::yaml(&request.body).map_err(unrecognized)?;
            // It is read as JSON then, in the order of its keys.
            body.value.sort_all_objects();
            body
        }
        "application/vnd.kubernetes.protobuf" if !request.body.starts_with(PROTOBUF) => {
            let why = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
            return Err(unrecognized(why.to_owned()));
        }
        "application/vnd.kubernetes.protobuf" => {
            Body::of(protobuf::read(&request.body).map_err(|error| match error {
                Unreadable::UnknownField { .. } | Unreadable::Unmodelled { .. } => {
                    Refusal::not_modelled(error.to_string())
                }
                error => Refusal::bad_request(error.to_string()),
            })?)
        }
        _ => return Err(Refusal::unsupported_media_type(&BODIES)),
    };
    if let Some(why) = no_object(&body.value) {
        return Err(unrecognized(why));
    }
    let mut said = Said { api_version: String::new(), kind: String::new() };
    for (field, text) in [("apiVersion", &mut said.api_version), ("kind", &mut said.kind)] {
        let earlier = body.earlier.get(field).into_iter().flatten().map(|earlier| &earlier.value);
        for found in earlier.chain(body.value.get(field)) {
            match found {
                Value::Null => {}
                Value::String(found) => text.clone_from(found),
                found => {
                    let found = typed::sort(found);
                    let why = format!("json: cannot unmarshal {found} into Go struct field .{field} of type string");
                    return Err(sniffed(why));
                }
            }
        }
    }
    let body = if body.value.is_null() { Body::of(Value::Object(serde_json::Map::new())) } else { body };
    Ok((body, said))
}

/// Why nobody can tell of which kind a value is.
pub fn no_object(value: &Value) -> Option<String> {
    let found = (!matches!(value, Value::Object(_) | Value::Null)).then(|| typed::sort(value))?;
    Some(format!(
        "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type struct {{ APIVersion \
         string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
    ))
}

/// The beginning of a body, as messages show it.
fn summary(body: &[u8]) -> String {
    const MOST: usize = 30;
    let (shown, more) = if body.len() > MOST { (&body[..MOST], " ...") } else { (body, "") };
    match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(shown)),
        Some(_) => format!("{}{more}", shown.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}
