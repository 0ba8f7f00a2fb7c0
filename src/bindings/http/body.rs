//! Bodies: texts and bytes as they are, maps as JSON, as a form, or in parts.

use bytes::Bytes;
use rhai::{Array, Blob, Dynamic};
use url::form_urlencoded;

use super::guarded::{Guarded, by_name, fields};
use crate::{
    host::effect::digest,
    script::{
        fault::{Fault, Kind},
        options::Options,
        values::{json, object::Object, tree::Tree},
    },
};

/// A body as it goes over the wire, how it may be shown, and what it calls itself.
pub struct Body {
    pub wire: Bytes,
    pub shown: String,
    pub kind: Option<String>,
}

impl Body {
    /// Reads what a script gave as a body.
    ///
    /// # Errors
    /// A usage fault for what can't be sent so.
    pub fn read(body: &Dynamic, options: &Options) -> Result<Self, Fault> {
        if body.is_unit() {
            return Ok(Self { wire: Bytes::new(), shown: String::new(), kind: None });
        }
        if let Some(bytes) = body.read_lock::<Blob>() {
            let kind = Some("application/octet-stream".to_owned());
            return Ok(Self { shown: digest(&[&bytes]), wire: bytes.to_vec().into(), kind });
        }
        let structured = body.is_map() || body.is_array() || body.is::<Object>();
        match options.text("encode").as_deref() {
            Some("form") => form(&given(body, "form")?),
            Some("multipart") => multipart(&given(body, "multipart")?),
            Some("json") if structured => as_json(body),
            Some("json") => {
                let guarded = Guarded::of(body);
                by_name(&guarded.wire, "the body")?;
                let kind = Some("text/plain; charset=utf-8".to_owned());
                Ok(Self { wire: guarded.wire.into(), shown: guarded.shown, kind })
            }
            other => Err(Fault::new(Kind::Usage, format!("option `encode` can't be `{}`", other.unwrap_or_default()))
                .hint("a map is sent as `json`, `form` or `multipart`")),
        }
    }
}

fn given(body: &Dynamic, encode: &str) -> Result<Vec<(String, Dynamic)>, Fault> {
    fields(body).ok_or_else(|| Fault::new(Kind::Usage, format!("only a map can be sent as `{encode}`")))
}

fn as_json(body: &Dynamic) -> Result<Body, Fault> {
    let tree = Tree::from_dynamic(body).map_err(|error| Fault::new(Kind::Usage, format!("the body: {error}")))?;
    let wire = String::from_utf8(json::wire(&tree)).expect("JSON is UTF-8");
    by_name(&wire, "the body")?;
    Ok(Body { wire: wire.into(), shown: json::write(&tree), kind: Some("application/json".to_owned()) })
}

/// Pairs of names and values; a list is the same name several times.
fn form(given: &[(String, Dynamic)]) -> Result<Body, Fault> {
    let mut wire = form_urlencoded::Serializer::new(String::new());
    let mut shown = form_urlencoded::Serializer::new(String::new());
    for (name, value) in given {
        let values = value.read_lock::<Array>().map(|list| list.to_vec());
        for value in values.unwrap_or_else(|| vec![value.clone()]) {
            let value = Guarded::of(&value);
            by_name(&value.wire, &format!("the field `{name}`"))?;
            wire.append_pair(name, &value.wire);
            shown.append_pair(name, &value.shown);
        }
    }
    let kind = Some("application/x-www-form-urlencoded".to_owned());
    Ok(Body { wire: wire.finish().into(), shown: shown.finish(), kind })
}

/// A part of a body: a field, or the content of a file.
struct Part {
    wire: Vec<u8>,
    shown: String,
    file: Option<String>,
    kind: Option<String>,
}

impl Part {
    fn read(name: &str, value: &Dynamic) -> Result<Self, Fault> {
        if let Some(bytes) = value.read_lock::<Blob>() {
            let (file, kind) = (Some(name.to_owned()), Some("application/octet-stream".to_owned()));
            return Ok(Self { wire: bytes.to_vec(), shown: digest(&[&bytes]), file, kind });
        }
        let Some(described) = fields(value) else {
            let value = Guarded::of(value);
            by_name(&value.wire, &format!("the field `{name}`"))?;
            return Ok(Self { wire: value.wire.into(), shown: value.shown, file: None, kind: None });
        };
        let field = |wanted: &str| described.iter().find(|(key, _)| key == wanted).map(|(_, value)| value);
        let known = described.iter().all(|(key, _)| ["content", "file", "type"].contains(&key.as_str()));
        let content = field("content").filter(|_| known).ok_or_else(|| {
            Fault::new(Kind::Usage, format!("the part `{name}` is not a `content` with a `file` and a `type`"))
                .hint("such as `#{ content: bytes, file: \"logo.png\", type: \"image/png\" }`")
        })?;
        let part = Self::read(name, content)?;
        let text = |wanted: &str| field(wanted).map(ToString::to_string);
        Ok(Self { file: text("file").or(part.file), kind: text("type").or(part.kind), ..part })
    }
}

/// RFC 7578.
fn multipart(given: &[(String, Dynamic)]) -> Result<Body, Fault> {
    let parts: Vec<(&String, Part)> =
        given.iter().map(|(name, value)| Ok((name, Part::read(name, value)?))).collect::<Result<_, Fault>>()?;
    // What the parts hold can't hold a digest of itself.
    let boundary = digest(&parts.iter().map(|(_, part)| part.wire.as_slice()).collect::<Vec<_>>());
    let quoted = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut wire = Vec::new();
    let mut shown = Vec::new();
    for (name, part) in parts {
        let mut head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"", quoted(name));
        if let Some(file) = &part.file {
            head.push_str(&format!("; filename=\"{}\"", quoted(file)));
        }
        if let Some(kind) = &part.kind {
            head.push_str(&format!("\r\ncontent-type: {}", quoted(kind)));
        }
        shown.push(format!(
            "{name}: {} {} {}",
            part.file.unwrap_or_default(),
            part.kind.unwrap_or_default(),
            part.shown
        ));
        wire.extend_from_slice(head.as_bytes());
        wire.extend_from_slice(b"\r\n\r\n");
        wire.extend_from_slice(&part.wire);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let kind = Some(format!("multipart/form-data; boundary={boundary}"));
    Ok(Body { wire: wire.into(), shown: shown.join("\n"), kind })
}
