//! Addresses of the web: `url('https://example.com/a?b=c')`.

use std::{collections::HashMap, sync::Arc};

use cel::{
    DeclarationError, Env, ExecutionError, Value,
    common::types::{STRING_TYPE, Type},
    objects::{Key, Map, Opaque},
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{
    super::formats,
    function::{answer, functions, opaque, own, text},
};

const NAME: &str = "kubernetes.URL";

/// What is escaped in a path.
const IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

#[derive(Debug, Clone, PartialEq, Eq)]
struct Url {
    scheme: String,
    /// With its port.
    host: String,
    path: String,
    query: String,
}

impl Opaque for Url {
    fn runtime_type_name(&self) -> &str {
        NAME
    }
}

pub fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let url = || Type::new_opaque_type(NAME);
    functions! { env:
        global "url" (STRING_TYPE) |arguments| answer(opaque(read(&text(&arguments, 0)?)?));
        global "isURL" (STRING_TYPE) |arguments| answer(read(&text(&arguments, 0)?).is_ok());
        member "getScheme" (url()) |arguments| answer(own::<Url>(&arguments, 0)?.scheme);
        member "getHost" (url()) |arguments| answer(own::<Url>(&arguments, 0)?.host);
        member "getHostname" (url()) |arguments| answer(own::<Url>(&arguments, 0)?.name_and_port().0.to_owned());
        member "getPort" (url()) |arguments| answer(own::<Url>(&arguments, 0)?.name_and_port().1.to_owned());
        member "getEscapedPath" (url()) |arguments| answer(own::<Url>(&arguments, 0)?.path);
        member "getQuery" (url()) |arguments| answer(own::<Url>(&arguments, 0)?.parameters());
    }
    Ok(())
}

/// Only absolute addresses and paths are taken.
fn read(text: &str) -> Result<Url, ExecutionError> {
    if !formats::has("uri", text) {
        let why = format!("URL parse error during conversion from string: parse {text:?}: invalid URI for request");
        return Err(ExecutionError::function_error("url", why));
    }
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let (scheme, rest) = match address.split_once(':') {
        Some((scheme, rest)) if !address.starts_with('/') => (scheme, rest),
        _ => ("", address),
    };
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let host = host.rsplit('@').next().unwrap_or_default().to_owned();
    let path = utf8_percent_encode(path, IN_PATHS).to_string();
    Ok(Url { scheme: scheme.to_lowercase(), host, path, query: query.to_owned() })
}

impl Url {
    fn name_and_port(&self) -> (&str, &str) {
        let (name, port) = match self.host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, port),
            _ => (self.host.as_str(), ""),
        };
        (name.trim_matches(['[', ']']), port)
    }

    fn parameters(&self) -> Value {
        let mut found: HashMap<Key, Vec<Value>> = HashMap::new();
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded =
                |text: &str| Arc::new(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned());
            found.entry(Key::String(decoded(name))).or_default().push(Value::String(decoded(value)));
        }
        let lists = found.into_iter().map(|(name, values)| (name, Value::List(Arc::new(values))));
        Value::Map(Map { map: Arc::new(lists.collect()) })
    }
}
