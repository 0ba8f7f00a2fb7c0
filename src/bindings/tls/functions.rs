//! What scripts see.

use rcgen::KeyPair;
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::certificate::{Purpose, Wanted, make};
use crate::{
    host::{Host, keys::Algorithm, secrets::Secret},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
    wire::{certificate::facts_of_chain, signer::Signer},
};

#[export_module]
pub mod functions {
    #[rhai_fn(return_raw)]
    pub fn key(context: NativeCallContext) -> Outcome<Secret> {
        new_key(&context, Map::new())
    }

    /// Makes a private key, from the randomness of the system: the run's seed has no part in it.
    ///
    /// A secret that was made can't be read again by a resumed run, so the step that makes one runs again: let it also put
    /// the key where it is needed.
    ///
    /// # Options
    /// - `algorithm` (text, `ecdsa-p256`): or `ecdsa-p384`, or `ed25519`
    ///
    /// # Returns
    /// A `Secret`, in PEM (PKCS #8).
    ///
    /// # Faults
    /// - `usage`: there is no such algorithm
    ///
    /// # Example
    /// ```rhai
    /// let key = tls::key(#{ algorithm: "ed25519" });
    /// let site = tls::self_signed("grafana.example.org", #{ key: key });
    /// ```
    #[rhai_fn(name = "key", return_raw)]
    pub fn key_with_options(context: NativeCallContext, options: Map) -> Outcome<Secret> {
        new_key(&context, options)
    }

    #[rhai_fn(return_raw)]
    pub fn authority(context: NativeCallContext, name: &str) -> Outcome<Map> {
        new_authority(&context, name, Map::new())
    }

    /// Makes an authority that vouches for certificates.
    ///
    /// # Parameters
    /// - `name` (text): what it calls itself
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `days` (integer, `3650`): how long it is valid
    /// - `algorithm` (text, `ecdsa-p256`): of its key: or `ecdsa-p384`, or `ed25519`
    /// - `key` (secret): its key, in PEM, if it has one already
    ///
    /// # Returns
    /// A map with `certificate`, in PEM, and its `key`, a `Secret`.
    ///
    /// # Faults
    /// - `usage`: an option can't be used
    ///
    /// # Example
    /// ```rhai
    /// let lab = tls::authority("the lab's authority", #{ days: 30 });
    /// let site = tls::certificate("grafana.example.org", lab);
    /// ```
    #[rhai_fn(name = "authority", return_raw)]
    pub fn authority_with_options(context: NativeCallContext, name: &str, options: Map) -> Outcome<Map> {
        new_authority(&context, name, options)
    }

    #[rhai_fn(return_raw)]
    pub fn self_signed(context: NativeCallContext, names: Dynamic) -> Outcome<Map> {
        new_certificate(&context, "tls::self_signed", &names, None, Map::new())
    }

    /// Makes a certificate that nobody but itself vouches for.
    ///
    /// # Parameters
    /// - `names` (text or list): the names and addresses that it is for; the first one is its subject
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `days` (integer, `365`): how long it is valid
    /// - `purpose` (text, `server`): or `client`, or `both`
    /// - `subject` (text): what it calls itself, if it is not the first of its names
    /// - `algorithm` (text, `ecdsa-p256`): of its key: or `ecdsa-p384`, or `ed25519`
    /// - `key` (secret): its key, in PEM, if it has one already
    ///
    /// # Returns
    /// A map with `certificate`, in PEM, and its `key`, a `Secret`.
    ///
    /// # Faults
    /// - `usage`: a name or an option can't be used
    ///
    /// # Example
    /// ```rhai
    /// let site = tls::self_signed(["grafana.example.org", "10.17.13.242"], #{ days: 7 });
    /// print(tls::read(site.certificate).names);
    /// ```
    #[rhai_fn(name = "self_signed", return_raw)]
    pub fn self_signed_with_options(context: NativeCallContext, names: Dynamic, options: Map) -> Outcome<Map> {
        new_certificate(&context, "tls::self_signed", &names, None, options)
    }

    #[rhai_fn(return_raw)]
    pub fn certificate(context: NativeCallContext, names: Dynamic, authority: Map) -> Outcome<Map> {
        new_certificate(&context, "tls::certificate", &names, Some(&authority), Map::new())
    }

    /// Makes a certificate that an authority vouches for.
    ///
    /// # Parameters
    /// - `names` (text or list): the names and addresses that it is for; the first one is its subject
    /// - `authority` (map): its `certificate` and `key`, in PEM, as `tls::authority` gives them
    /// - `options` (map): see below
    ///
    /// # Options
    /// - those of `tls::self_signed`
    ///
    /// # Returns
    /// A map with `certificate`, in PEM, and its `key`, a `Secret`.
    ///
    /// # Faults
    /// - `usage`: a name, the authority or an option can't be used
    ///
    /// # Example
    /// ```rhai
    /// let lab = tls::authority("the lab's authority");
    /// let person = tls::certificate("rosa", lab, #{ purpose: "client", days: 1 });
    /// print(tls::read(person.certificate).issuer);
    /// ```
    #[rhai_fn(name = "certificate", return_raw)]
    pub fn certificate_with_options(
        context: NativeCallContext,
        names: Dynamic,
        authority: Map,
        options: Map,
    ) -> Outcome<Map> {
        new_certificate(&context, "tls::certificate", &names, Some(&authority), options)
    }

    /// Says what a certificate says.
    ///
    /// # Parameters
    /// - `pem` (text or secret): one or more certificates in PEM, such as `tls.crt` of a Secret
    ///
    /// # Returns
    /// An `Object` with `subject`, `issuer`, `names`, `not_before`, `not_after`, `days_left`, `valid` (by its dates), `serial`,
    /// `fingerprint` (SHA-256), `key`, `authority`, and the `chain` of those that come after it.
    ///
    /// # Faults
    /// - `parse`: there is no certificate in it, or it can't be read
    ///
    /// # Example
    /// ```rhai
    /// let site = tls::self_signed("grafana.example.org");
    /// let facts = tls::read(site.certificate);
    /// print(`${facts.subject} is valid for ${facts.days_left} days, until ${facts.not_after}`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn read(context: NativeCallContext, pem: Dynamic) -> Outcome<Dynamic> {
        facts(&context.host(), &text_of(&pem)).map_err(|fault| context.raise(fault))
    }
}

fn text_of(value: &Dynamic) -> String {
    value.read_lock::<Secret>().map_or_else(|| value.to_string(), |secret| secret.expose().to_owned())
}

fn facts(host: &Host, pem: &str) -> Result<Dynamic, Fault> {
    let unreadable = |why: &str| {
        Fault::new(Kind::Parse, format!("the certificate can't be read: {why}"))
            .hint("it is given in PEM, from `-----BEGIN CERTIFICATE-----` on")
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(&error.to_string()))?;
    let facts = facts_of_chain(&chain, host.clock.now()).map_err(|why| unreadable(&why))?;
    facts.map(|facts| Tree::from_json(facts).to_dynamic()).ok_or_else(|| unreadable("there is none"))
}

fn new_key(context: &NativeCallContext, options: Map) -> Outcome<Secret> {
    let options = context.options("tls::key", options)?;
    let made = algorithm(&options).and_then(|algorithm| made_key(&context.host(), algorithm, "key"));
    made.map(|(_, secret)| secret).map_err(|fault| context.raise(fault))
}

fn new_authority(context: &NativeCallContext, name: &str, options: Map) -> Outcome<Map> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options("tls::authority", options)?;
    let host = context.host();
    let days = days(&options).map_err(raise)?;
    let wanted = Wanted { subject: name.to_owned(), names: Vec::new(), days, purpose: Purpose::Authority };
    signed(&host, &wanted, None, &options).map_err(raise)
}

fn new_certificate(
    context: &NativeCallContext,
    function: &str,
    names: &Dynamic,
    authority: Option<&Map>,
    options: Map,
) -> Outcome<Map> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options(function, options)?;
    let names: Vec<String> = match names.read_lock::<Array>() {
        Some(list) => list.iter().map(ToString::to_string).collect(),
        None => vec![names.to_string()],
    };
    let subject = options
        .text("subject")
        .or_else(|| names.first().cloned())
        .ok_or_else(|| raise(Fault::new(Kind::Usage, "a certificate is for at least one name or address")))?;
    let purpose = purpose(&options).map_err(raise)?;
    let wanted = Wanted { subject, names, days: days(&options).map_err(raise)?, purpose };
    signed(&context.host(), &wanted, authority, &options).map_err(raise)
}

fn signed(host: &Host, wanted: &Wanted, authority: Option<&Map>, options: &Options) -> Result<Map, Fault> {
    let (key, secret) = match options.secret("key") {
        Some(secret) => (read_key(&secret, "option `key`")?, secret),
        None => made_key(host, algorithm(options)?, &wanted.subject)?,
    };
    let issuer = authority.map(issuer).transpose()?;
    let made = make(wanted, &key, issuer, host.clock.now(), &*host.entropy).map_err(|why| {
        Fault::new(Kind::Usage, format!("no certificate for `{}` can be made: {why}", wanted.subject))
    })?;
    Ok([("certificate", Dynamic::from(made.pem())), ("key", Dynamic::from(secret))]
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect())
}

/// The certificate and the key of an authority that a script gave.
fn issuer(authority: &Map) -> Result<(String, Signer), Fault> {
    let part = |name: &str| {
        authority.get(name).ok_or_else(|| {
            Fault::new(Kind::Usage, format!("the authority has no `{name}`"))
                .hint("it is what `tls::authority` gives: `#{ certificate: …, key: … }`")
        })
    };
    let key = part("key")?;
    let secret = key.clone().try_cast::<Secret>();
    let secret = secret.unwrap_or_else(|| Secret::new("the authority's key", key.to_string()));
    Ok((text_of(part("certificate")?), read_key(&secret, "the `key` of the authority")?))
}

fn read_key(secret: &Secret, what: &str) -> Result<Signer, Fault> {
    KeyPair::from_pem(secret.expose()).map(Signer).map_err(|error| {
        Fault::new(Kind::Usage, format!("{what} can't be used: {error}"))
            .hint("it is given in PEM (PKCS #8), from `-----BEGIN PRIVATE KEY-----` on")
    })
}

fn made_key(host: &Host, algorithm: Algorithm, name: &str) -> Result<(Signer, Secret), Fault> {
    let der = host.keys.make(algorithm);
    let key = KeyPair::try_from(der.as_slice()).expect("it was made a moment ago");
    let secret = Secret::new(format!("tls:{name}"), key.serialize_pem());
    host.secrets.remember(&secret);
    Ok((Signer(key), secret))
}

fn algorithm(options: &Options) -> Result<Algorithm, Fault> {
    match options.text("algorithm").as_deref() {
        Some("ecdsa-p256") => Ok(Algorithm::EcdsaP256),
        Some("ecdsa-p384") => Ok(Algorithm::EcdsaP384),
        Some("ed25519") => Ok(Algorithm::Ed25519),
        other => Err(unknown("algorithm", other, "`ecdsa-p256`, `ecdsa-p384` or `ed25519`")),
    }
}

fn purpose(options: &Options) -> Result<Purpose, Fault> {
    match options.text("purpose").as_deref() {
        Some("server") => Ok(Purpose::Server),
        Some("client") => Ok(Purpose::Client),
        Some("both") => Ok(Purpose::Both),
        other => Err(unknown("purpose", other, "`server`, `client` or `both`")),
    }
}

fn unknown(option: &str, given: Option<&str>, choices: &str) -> Fault {
    Fault::new(Kind::Usage, format!("option `{option}` can't be `{}`", given.unwrap_or_default()))
        .hint(format!("it is {choices}"))
}

/// A hundred years: beyond it, the dates of certificates end.
const MOST_DAYS: i64 = 36_500;

fn days(options: &Options) -> Result<u32, Fault> {
    let days = options.integer("days").unwrap_or_default();
    u32::try_from(days)
        .ok()
        .filter(|_| (1..=MOST_DAYS).contains(&days))
        .ok_or_else(|| Fault::new(Kind::Usage, format!("option `days` is from 1 to {MOST_DAYS}, not {days}")))
}
