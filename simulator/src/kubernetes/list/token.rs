//! The token by which a client asks for the next page of a list: the revision of the first page, and where the next one begins.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use serde_json::{Value, json};

use crate::kubernetes::{answer::Refusal, decoding::sort, store::Key};

const VERSION: &str = "meta.k8s.io/v1";

/// Bits that nobody needs may be anything.
const TEXT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Of which revision; nothing, if of the latest.
    pub revision: Option<u64>,
    /// The first key that is meant, below what the list is of: `prod/web`.
    pub start: String,
}

impl Token {
    /// Goes on behind an object, in one namespace or in all.
    pub fn after(revision: u64, key: &Key, namespace: Option<&str>) -> Self {
        Self { revision: Some(revision), start: format!("{}\0", place(key, namespace)) }
    }

    /// # Errors
    /// If it is none that this server could have given.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        Self::decoded(text)
            .map_err(|why| Refusal::bad_request(format!("invalid continue token: continue key is not valid: {why}")))
    }

    fn decoded(text: &str) -> Result<Self, String> {
        let bytes = TEXT.decode(text).map_err(|_| {
            let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            let at = text.bytes().position(|byte| !is_known(byte)).unwrap_or(text.len().saturating_sub(1));
            format!("illegal base64 data at input byte {at}")
        })?;
        let token = parsed(&String::from_utf8_lossy(&bytes))?;
        let version = token["v"].as_str().unwrap_or_default();
        if version != VERSION {
            return Err(format!("server does not recognize this encoded version {version}"));
        }
        let revision = match &token["rv"] {
            Value::Null => 0,
            Value::Number(number) => number.as_i64().unwrap_or_default(),
            other => {
                let found = sort(other);
                return Err(format!(
                    "json: cannot unmarshal {found} into Go struct field continueToken.rv of type int64"
                ));
            }
        };
        let start = token["start"].as_str().unwrap_or_default();
        if revision == 0 {
            return Err(format!("incorrect encoded start resourceVersion (version {VERSION})"));
        }
        if start.is_empty() {
            return Err(format!("encoded start key empty (version {VERSION})"));
        }
        let inside = start.strip_prefix('/').unwrap_or(start);
        // Whoever asks may not leave what the list is of.
        if inside.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(start.to_owned());
        }
        Ok(Self { revision: u64::try_from(revision).ok(), start: inside.to_owned() })
    }

    pub fn written(&self) -> String {
        let revision = self.revision.map_or(json!(-1), |revision| json!(revision));
        // Without a revision it is what the client sent, going on.
        let slash = if self.revision.is_some() { "/" } else { "" };
        let token = json!({"v": VERSION, "rv": revision, "start": format!("{slash}{}", self.start)});
        TEXT.encode(token.to_string())
    }

    /// True for an object that is still to come.
    pub fn is_before(&self, key: &Key, namespace: Option<&str>) -> bool {
        place(key, namespace) >= self.start
    }
}

/// A JSON object, or why it is none.
fn parsed(text: &str) -> Result<Value, String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let object: Value = match values.next() {
        Some(Ok(object)) => object,
        _ => {
            let first = text.chars().next().filter(|first| *first != '{');
            let odd = first.map(|first| format!("invalid character '{first}' looking for beginning of value"));
            return Err(odd.unwrap_or_else(|| "unexpected end of JSON input".to_owned()));
        }
    };
    if let Some(behind) = text[values.byte_offset()..].trim_start().chars().next() {
        return Err(format!("invalid character '{behind}' after top-level value"));
    }
    match object {
        Value::Object(_) | Value::Null => Ok(object),
        other => Err(format!("json: cannot unmarshal {} into Go value of type storage.continueToken", sort(&other))),
    }
}

/// Where an object is below what a list is of.
fn place(key: &Key, namespace: Option<&str>) -> String {
    match namespace {
        None if !key.namespace.is_empty() => format!("{}/{}", key.namespace, key.name),
        _ => key.name.clone(),
    }
}
