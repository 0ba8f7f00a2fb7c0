//! SSH keys in the form of OpenSSH. It logs in nowhere.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use ssh_key::{
    HashAlg, LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
};
use zeroize::Zeroizing;

use crate::{
    host::{secrets::Secret, wait::Waiting},
    script::{
        binding::Binding,
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
    ssh::{
        known, pair,
        public::{PORT, Public},
    },
    wire::authority::Authority,
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
        let (text, key) = made.map_err(|error| {
            context.raise(Fault::new(Kind::Parse, format!("the comment can't be written: {error}")))
        })?;
        let private = Secret::new(format!("ssh key {comment}"), text.to_string());
        host.secrets.remember(&private);
        let public = key.public_key().to_openssh().expect("what was made can be written");
        Ok([
            ("private".into(), Dynamic::from(private)),
            ("public".into(), public.trim_end().into()),
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
    /// - `parse`: it is no private key of OpenSSH, or in PKCS #8
    ///
    /// # Example
    /// ```rhai
    /// print(ssh::public(ssh::key("flux@lab").private));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn public(context: NativeCallContext, private: Dynamic) -> Outcome<String> {
        let secret = private.read_lock::<Secret>().map(|secret| secret.clone());
        let text = secret.map_or_else(|| private.to_string(), |secret| secret.expose().to_owned());
        let public = pair::public_of(&text)
            .map_err(|why| Fault::new(Kind::Parse, format!("the private key can't be read: {why}")));
        let line = public.map_err(|fault| context.raise(fault))?.line();
        // Only OpenSSH's own form has a comment.
        Ok(match PrivateKey::from_openssh(&text) {
            Ok(key) if !key.comment().is_empty() => format!("{line} {}", key.comment()),
            _ => line,
        })
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
        let host = authority(host).map_err(|fault| context.raise(fault))?;
        Ok(key.of_host(&host))
    }

    /// Asks a server of SSH for its key.
    #[rhai_fn(return_raw)]
    pub fn host_key(context: NativeCallContext, server: &str) -> Outcome<Map> {
        asked(&context, server, Map::new())
    }

    /// Asks a server of SSH for its key, which it proves to be its own, and logs in nowhere.
    ///
    /// Whether the server is the one that is meant is not known by that: hold the fingerprint against one that was published.
    ///
    /// # Parameters
    /// - `server` (text): its name or address, with a port if that is not 22
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// A map of `public`, a line such as `ssh-ed25519 AAAA…`, `fingerprint`, and `known_host`, a line for `known_hosts`.
    ///
    /// # Faults
    /// - `unreachable`: there is no connection, or what is there does not speak SSH as it should
    /// - `timeout`: it did not answer in time
    /// - `usage`: it is no name of a host
    ///
    /// # Example
    /// ```rhai server
    /// try {
    ///     print(ssh::host_key(server.split("//")[1], #{ timeout: "2s" }).fingerprint);
    /// } catch (fault) {
    ///     print(fault.message);
    /// }
    /// ```
    #[rhai_fn(name = "host_key", return_raw)]
    pub fn host_key_with_options(context: NativeCallContext, server: &str, options: Map) -> Outcome<Map> {
        asked(&context, server, options)
    }
}

fn asked(context: &NativeCallContext, server: &str, options: Map) -> Outcome<Map> {
    let options = context.options("ssh::host_key", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let server = authority(server).map_err(|fault| context.raise(fault))?;
    let (host, asked) = (context.host(), server.clone());
    let key = context.wait(Waiting::request(format!("the key of `{server}`"), timeout), |_| async move {
        let key = known::host_key(&host, &asked, timeout).await;
        key.map_err(|why| Fault::new(Kind::Unreachable, why))
    })?;
    Ok([
        ("public".into(), key.line().into()),
        ("fingerprint".into(), key.fingerprint().into()),
        ("known_host".into(), key.of_host(&server).into()),
    ]
    .into())
}

fn authority(host: &str) -> Result<Authority, Fault> {
    Authority::parse(host, Some(PORT)).map_err(|why| {
        let fault = Fault::new(Kind::Usage, format!("`{host}` is no name of a host: {why}"));
        fault.hint("such as `git.example.org` or `10.0.0.7:2222`")
    })
}

fn public_key(line: &str) -> Result<Public, Fault> {
    Public::of_line(line).ok_or_else(|| {
        let fault = Fault::new(Kind::Parse, "the public key can't be read: it is no line of a kind and a key");
        fault.hint("it begins with its kind, as in `ssh-ed25519 AAAA… flux@lab`")
    })
}
