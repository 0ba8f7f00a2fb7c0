//! SSH keys in the form of OpenSSH. It opens no connection.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use sha2::{Digest as _, Sha256};
use ssh_key::{
    HashAlg, LineEnding, PrivateKey, PublicKey,
    private::{Ed25519Keypair, KeypairData},
};
use zeroize::Zeroizing;

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
    name: "ssh",
    summary: "makes SSH keys and the lines that files of SSH hold",
    functions: |module| {
        combine_with_exported_module!(module, "ssh", functions);
    },
    types: |_| {},
};

#[export_module]
mod functions {
    /// Makes a new key pair (ed25519), from the operating system's chance.
    ///
    /// The journal doesn't hold the private key: a step whose value it is runs again when the run is resumed, and makes another
    /// one. Write it where it is to be kept within the same step.
    ///
    /// # Parameters
    /// - `comment` (text): whose it is, such as `flux@lab`
    ///
    /// # Returns
    /// A map of `private`, a `Secret` as a file holds it, `public`, a line for `authorized_keys`, and `fingerprint`.
    ///
    /// # Example
    /// ```rhai
    /// step "a key for the repository" {
    ///     let key = ssh::key("flux@lab");
    ///     fs::write("keys/identity", key.private);
    ///     fs::write("keys/identity.pub", key.public + "\n");
    ///     print(key.fingerprint);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn key(context: NativeCallContext, comment: &str) -> Outcome<Map> {
        let host = context.host();
        let mut seed = Zeroizing::new([0; 32]);
        host.entropy.fill(&mut *seed);
        let pair = KeypairData::from(Ed25519Keypair::from_seed(&seed));
        let made = PrivateKey::new(pair, comment).and_then(|key| Ok((key.to_openssh(LineEnding::LF)?, key)));
        let (text, key) = made.map_err(|error| context.raise(unfit("the comment", &error)))?;
        let private = Secret::new(format!("ssh key {comment}"), text.to_string());
        host.secrets.remember(&private);
        let public = written(&context, key.public_key())?;
        Ok([
            ("private".into(), Dynamic::from(private)),
            ("public".into(), public.into()),
            ("fingerprint".into(), key.fingerprint(HashAlg::Sha256).to_string().into()),
        ]
        .into())
    }

    /// Gives the public key of a private one.
    ///
    /// # Parameters
    /// - `private` (secret or text): the private key, as a file holds it, without a passphrase
    ///
    /// # Returns
    /// A line for `authorized_keys`.
    ///
    /// # Faults
    /// - `parse`: it is no private key of OpenSSH
    ///
    /// # Example
    /// ```rhai
    /// print(ssh::public(ssh::key("flux@lab").private));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn public(context: NativeCallContext, private: Dynamic) -> Outcome<String> {
        let secret = private.read_lock::<Secret>().map(|secret| secret.clone());
        let text = secret.map_or_else(|| private.to_string(), |secret| secret.expose().to_owned());
        let key = PrivateKey::from_openssh(&text).map_err(|error| context.raise(unfit("the private key", &error)))?;
        written(&context, key.public_key())
    }

    /// Gives the fingerprint of a public key, as `ssh-keygen -l` shows it.
    ///
    /// # Parameters
    /// - `public` (text): a line such as `ssh-ed25519 AAAA… flux@lab`, of any kind of key
    ///
    /// # Returns
    /// Such as `SHA256:jHtWi…`.
    ///
    /// # Faults
    /// - `parse`: it is no public key
    ///
    /// # Example
    /// ```rhai
    /// print(ssh::fingerprint(ssh::key("flux@lab").public));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn fingerprint(context: NativeCallContext, public: &str) -> Outcome<String> {
        public_key(public).map(|key| key.fingerprint()).map_err(|fault| context.raise(fault))
    }

    /// Makes the line of `known_hosts` by which a server is known.
    ///
    /// # Parameters
    /// - `host` (text): its name or address, with a port if that is not 22: `git.example.org`, `10.0.0.7:2222`, `[::1]:2222`
    /// - `public` (text): its public key, a line such as `ssh-ed25519 AAAA…`
    ///
    /// # Returns
    /// The line, without a line break.
    ///
    /// # Faults
    /// - `parse`: it is no public key
    /// - `usage`: it is no name of a host
    ///
    /// # Example
    /// ```rhai
    /// print(ssh::known_host("git.example.org:2222", ssh::key("git").public));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn known_host(context: NativeCallContext, host: &str, public: &str) -> Outcome<String> {
        let key = public_key(public).map_err(|fault| context.raise(fault))?;
        let (name, port) = match (host.rsplit_once("]:"), host.split_once(':')) {
            (Some((name, port)), _) => (name.trim_start_matches('['), port),
            (None, Some((name, port))) if !port.contains(':') => (name, port),
            _ => (host.trim_matches(['[', ']']), "22"),
        };
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-:%".contains(letter);
        if name.is_empty() || !name.chars().all(fits) || port.parse::<u16>().is_err() {
            let fault = Fault::new(Kind::Usage, format!("`{host}` is no name of a host"));
            return Err(context.raise(fault.hint("such as `git.example.org` or `10.0.0.7:2222`")));
        }
        let shown = if port == "22" { name.to_owned() } else { format!("[{name}]:{port}") };
        Ok(format!("{shown} {} {}", key.kind, STANDARD.encode(&key.blob)))
    }
}

/// A public key of any kind: what kind, and its bytes, which begin with the kind once more.
struct Public<'t> {
    kind: &'t str,
    blob: Vec<u8>,
}

impl Public<'_> {
    fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }
}

fn public_key(line: &str) -> Result<Public<'_>, Fault> {
    let mut words = line.split_whitespace();
    let (kind, data) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let blob = STANDARD.decode(data).unwrap_or_default();
    let begins = [&u32::try_from(kind.len()).unwrap_or(0).to_be_bytes(), kind.as_bytes()].concat();
    if kind.is_empty() || !blob.starts_with(&begins) {
        let fault = Fault::new(Kind::Parse, "the public key can't be read: it is no line of a kind and a key");
        return Err(fault.hint("it begins with its kind, as in `ssh-ed25519 AAAA… flux@lab`"));
    }
    Ok(Public { kind, blob })
}

fn written(context: &NativeCallContext, public: &PublicKey) -> Outcome<String> {
    let line = public.to_openssh().map_err(|error| context.raise(unfit("the public key", &error)))?;
    Ok(line.trim_end().to_owned())
}

fn unfit(what: &str, error: &ssh_key::Error) -> Fault {
    Fault::new(Kind::Parse, format!("{what} can't be read: {error}"))
}
