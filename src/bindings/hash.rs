//! Checksums, as release pages print them and as `sha256sum` does.

use rhai::{Blob, Dynamic, ImmutableString, NativeCallContext, plugin::*};
use sha2::{Digest, Sha256, Sha512};

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
    name: "hash",
    summary: "makes checksums of texts, bytes and files",
    functions: |module| {
        combine_with_exported_module!(module, "hash", functions);
    },
    types: |_| {},
};

#[export_module]
mod functions {
    /// The SHA-256 checksum of a text or of bytes.
    ///
    /// # Parameters
    /// - `value` (text or bytes): what it is made of
    ///
    /// # Returns
    /// 64 hexadecimal digits.
    ///
    /// # Faults
    /// - `usage`: the value is neither, or a secret, whose checksum could be guessed from
    ///
    /// # Example
    /// ```rhai
    /// print(hash::sha256("hello"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sha256(context: NativeCallContext, value: Dynamic) -> Outcome<String> {
        checksum::<Sha256>(&context, &value)
    }

    /// The SHA-512 checksum of a text or of bytes.
    ///
    /// # Parameters
    /// - `value` (text or bytes): what it is made of
    ///
    /// # Returns
    /// 128 hexadecimal digits.
    ///
    /// # Faults
    /// - `usage`: the value is neither, or a secret, whose checksum could be guessed from
    ///
    /// # Example
    /// ```rhai
    /// print(hash::sha512("hello").sub_string(0, 8));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sha512(context: NativeCallContext, value: Dynamic) -> Outcome<String> {
        checksum::<Sha512>(&context, &value)
    }

    /// The SHA-256 checksum of a file, however large it is.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// 64 hexadecimal digits.
    ///
    /// # Faults
    /// - `file`: it is missing, or outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// print(hash::sha256_file("motd.txt"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sha256_file(context: NativeCallContext, path: &str) -> Outcome<String> {
        checksum_of_file::<Sha256>(&context, path)
    }

    /// The SHA-512 checksum of a file, however large it is.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    ///
    /// # Returns
    /// 128 hexadecimal digits.
    ///
    /// # Faults
    /// - `file`: it is missing, or outside of the runbook's folder
    ///
    /// # Example
    /// ```rhai
    /// print(hash::sha512_file("motd.txt"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sha512_file(context: NativeCallContext, path: &str) -> Outcome<String> {
        checksum_of_file::<Sha512>(&context, path)
    }
}

fn checksum<D: Digest>(context: &NativeCallContext, value: &Dynamic) -> Outcome<String> {
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Ok(hexadecimal(&D::digest(&*bytes)));
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(hexadecimal(&D::digest(text.as_bytes())));
    }
    let fault = match value.is::<Secret>() {
        true => Fault::new(Kind::Usage, "a checksum of a secret would be shown, and a short secret guessed from it")
            .hint("if it is to be shown: `hash::sha256(secret.expose())`"),
        false => Fault::new(Kind::Usage, "checksums are made of texts and bytes"),
    };
    Err(context.raise(fault))
}

fn checksum_of_file<D: Digest>(context: &NativeCallContext, path: &str) -> Outcome<String> {
    let mut digest = D::new();
    let poured = context.host().files.pour(path, &mut |piece| digest.update(piece));
    poured.map_err(|error| context.raise(error.into()))?;
    Ok(hexadecimal(&digest.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
