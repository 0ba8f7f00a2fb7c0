//! One value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:str]`, bound to the names on the way to it.

use aes_gcm::{
    AesGcm, KeyInit as _,
    aead::{Aead as _, Payload, consts::U32, generic_array::GenericArray},
    aes::Aes256,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::Random;

type Cipher = AesGcm<Aes256, U32>;

const NONCE: usize = 32;
const TAG: usize = 16;

/// The value that a text hides; an empty one hides nothing.
pub fn decrypt(text: &str, key: &[u8; 32], path: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(text.into());
    }
    let inner = text.strip_prefix("ENC[AES256_GCM,").and_then(|text| text.strip_suffix(']'));
    let inner = inner.ok_or("it isn't encrypted as SOPS does")?;
    let part = |name: &str| inner.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix(':'));
    let bytes = |name: &str| part(name).and_then(|part| STANDARD.decode(part).ok()).ok_or("a part of it is damaged");
    let (mut data, nonce, tag) = (bytes("data")?, bytes("iv")?, bytes("tag")?);
    if nonce.len() != NONCE || tag.len() != TAG {
        return Err("a part of it is damaged".to_owned());
    }
    data.extend(tag);
    let payload = Payload { msg: &data, aad: path.as_bytes() };
    let plain = cipher(key).decrypt(GenericArray::from_slice(&nonce), payload);
    let plain = plain.map_err(|_| "it was changed, or moved to another place")?;
    let plain = String::from_utf8(plain).map_err(|_| "what it hides is no text")?;
    let odd = || format!("it hides what is no {}", part("type").unwrap_or_default());
    match part("type") {
        Some("str" | "bytes" | "time" | "comment") => Ok(plain.into()),
        Some("int") => plain.parse::<i64>().map(Value::from).map_err(|_| odd()),
        Some("float") => plain.parse::<f64>().map(Value::from).map_err(|_| odd()),
        Some("bool") => match plain.as_str() {
            "True" | "true" => Ok(true.into()),
            "False" | "false" => Ok(false.into()),
            _ => Err(odd()),
        },
        _ => Err("it says nothing of what it hides".to_owned()),
    }
}

pub fn encrypt(value: &Value, key: &[u8; 32], path: &str, random: &mut Random) -> String {
    let plain = plain(value);
    let kind = match value {
        Value::String(text) if text.is_empty() => return String::new(),
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        _ => "str",
    };
    let mut nonce = [0; NONCE];
    random(&mut nonce);
    let payload = Payload { msg: plain.as_bytes(), aad: path.as_bytes() };
    let sealed = cipher(key).encrypt(GenericArray::from_slice(&nonce), payload).expect("it is short enough");
    let (data, tag) = sealed.split_at(sealed.len() - TAG);
    let [data, nonce, tag] = [data, &nonce, tag].map(|bytes| STANDARD.encode(bytes));
    format!("ENC[AES256_GCM,data:{data},iv:{nonce},tag:{tag},type:{kind}]")
}

/// A value as it is encrypted, and as it counts for the sum.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "True" } else { "False" }.to_owned(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => float.to_string(),
            None => number.to_string(),
        },
        _ => String::new(),
    }
}

fn cipher(key: &[u8; 32]) -> Cipher {
    Cipher::new(GenericArray::from_slice(key))
}
