//! Base64, both ways. What is made of a secret stays one.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use rhai::{Blob, Dynamic, ImmutableString, Map, NativeCallContext, plugin::*};

use crate::{
    host::secrets::Secret,
    script::{
        binding::Binding,
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

pub const BINDING: Binding = Binding {
    name: "base64",
    summary: "encodes and decodes base64",
    functions: |module| {
        combine_with_exported_module!(module, "base64", functions);
    },
    types: |_| {},
};

/// With padding or without, and whatever the last bits are: what reads well is read.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const DECODER: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

#[export_module]
mod functions {
    /// Encodes a text or bytes.
    #[rhai_fn(return_raw)]
    pub fn encode(context: NativeCallContext, value: Dynamic) -> Outcome<Dynamic> {
        encode_value(&context, &value, Map::new())
    }

    /// Encodes a text or bytes.
    ///
    /// # Parameters
    /// - `value` (text or secret or bytes): what to encode
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `url_safe` (boolean, `false`): with `-` and `_` for `+` and `/`, and without padding, as tokens have it
    ///
    /// # Returns
    /// The text; of a secret, a `Secret`.
    ///
    /// # Faults
    /// - `usage`: the value is none of these
    ///
    /// # Example
    /// ```rhai
    /// print(base64::encode("hello"));
    /// print(base64::encode("hello?>", #{ url_safe: true }));
    /// ```
    #[rhai_fn(name = "encode", return_raw)]
    pub fn encode_with_options(context: NativeCallContext, value: Dynamic, options: Map) -> Outcome<Dynamic> {
        encode_value(&context, &value, options)
    }

    /// Decodes a text. Both alphabets are read, with padding or without, and line breaks are passed over.
    ///
    /// # Parameters
    /// - `value` (text or secret): what to decode
    ///
    /// # Returns
    /// The text; of a secret, a `Secret`.
    ///
    /// # Faults
    /// - `parse`: it is not base64, or not of a text
    ///
    /// # Example
    /// ```rhai
    /// print(base64::decode("aGVsbG8="));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn decode(context: NativeCallContext, value: Dynamic) -> Outcome<Dynamic> {
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).map_err(|_| {
                let fault = Fault::new(Kind::Parse, "what was encoded is not text");
                context.raise(fault.hint("`base64::decode_bytes` gives the bytes"))
            })
        };
        if let Some(secret) = value.read_lock::<Secret>() {
            let decoded = text(decoded(&context, secret.expose())?)?;
            let decoded = Secret::new(format!("decoded({})", secret.reference()), decoded);
            context.host().secrets.remember(&decoded);
            return Ok(Dynamic::from(decoded));
        }
        text(decoded(&context, &value.to_string())?).map(Dynamic::from)
    }

    /// Decodes what is no text. Both alphabets are read, with padding or without, and line breaks are passed over.
    ///
    /// # Parameters
    /// - `text` (text): what to decode
    ///
    /// # Returns
    /// The bytes.
    ///
    /// # Faults
    /// - `parse`: it is not base64
    ///
    /// # Example
    /// ```rhai
    /// let bytes = base64::decode_bytes("/+8=");
    /// print(bytes.len());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn decode_bytes(context: NativeCallContext, text: &str) -> Outcome<Blob> {
        decoded(&context, text)
    }
}

fn encode_value(context: &NativeCallContext, value: &Dynamic, options: Map) -> Outcome<Dynamic> {
    let url_safe = context.options("base64::encode", options)?.flag("url_safe");
    let encode = |bytes: &[u8]| match url_safe {
        true => general_purpose::URL_SAFE_NO_PAD.encode(bytes),
        false => general_purpose::STANDARD.encode(bytes),
    };
    if let Some(secret) = value.read_lock::<Secret>() {
        let encoded = Secret::new(format!("base64({})", secret.reference()), encode(secret.expose().as_bytes()));
        context.host().secrets.remember(&encoded);
        return Ok(Dynamic::from(encoded));
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Ok(encode(&bytes).into());
    }
    match value.read_lock::<ImmutableString>() {
        Some(text) => Ok(encode(text.as_bytes()).into()),
        None => Err(context.raise(Fault::new(Kind::Usage, "only texts, secrets and bytes can be encoded"))),
    }
}

fn decoded(context: &NativeCallContext, text: &str) -> Outcome<Vec<u8>> {
    let packed: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let packed = packed.replace('-', "+").replace('_', "/");
    DECODER.decode(packed).map_err(|error| context.raise(Fault::new(Kind::Parse, format!("it is not base64: {error}"))))
}
