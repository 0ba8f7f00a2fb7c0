//! The secrets of a cluster, from which the configurations of its machines are made: as `talosctl gen secrets` writes them.
//!
//! Chance, keys and the time come from whoever asks; equal ones give equal secrets.

use std::time::Duration;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SerialNumber, SigningKey, date_time_ymd,
};
use serde_json::{Value, json};

use crate::{configuration::Invalid, pem, yaml};

const OF_AUTHORITIES: Duration = Duration::from_secs(87_600 * 3600);
const OF_PEOPLE: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a key is for signing with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    EcdsaP256,
    Ed25519,
}

/// Where chance, keys and the time come from.
pub trait Source {
    type Signer: SigningKey;

    /// Bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);

    /// A new key, as PKCS #8.
    fn key(&self, algorithm: Algorithm) -> Vec<u8>;

    /// What signs with a key.
    ///
    /// # Errors
    /// It isn't a key that can sign.
    fn signer(&self, pkcs8: &[u8]) -> Result<Self::Signer, rcgen::Error>;

    /// Seconds since 1970.
    fn now(&self) -> u64;
}

/// The secrets, as their file has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Secrets(Value);

/// A certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Secrets {
    /// Makes new ones, with keys as talosctl has them, but for one: the key of service accounts is on the curve P-256, as talosctl made it
    /// up to 1.6, and not RSA's of 4096 bits. Talos takes either, and Kubernetes signs tokens with either (ES256); this one is there at
    /// once, where the other takes seconds.
    ///
    /// # Errors
    /// A key can't be used.
    pub fn generate<S: Source>(source: &S) -> Result<Self, rcgen::Error> {
        let authority = |organization: Option<&str>, algorithm| {
            let pair = authority(source, organization, algorithm)?;
            Ok::<_, rcgen::Error>(json!({ "crt": pem::wrap(&pair.certificate), "key": pem::wrap(&pair.key) }))
        };
        let chance = || {
            let mut bytes = [0; 32];
            source.fill(&mut bytes);
            bytes
        };
        let service_accounts = key_text(Algorithm::EcdsaP256, &source.key(Algorithm::EcdsaP256));
        Ok(Self(json!({
            "cluster": { "id": BASE64_URL_SAFE.encode(chance()), "secret": BASE64_STANDARD.encode(chance()) },
            "secrets": {
                "bootstraptoken": token(source),
                "secretboxencryptionsecret": BASE64_STANDARD.encode(chance()),
            },
            "trustdinfo": { "token": token(source) },
            "certs": {
                "etcd": authority(Some("etcd"), Algorithm::EcdsaP256)?,
                "k8s": authority(Some("kubernetes"), Algorithm::EcdsaP256)?,
                "k8saggregator": authority(None, Algorithm::EcdsaP256)?,
                "k8sserviceaccount": { "key": pem::wrap(&service_accounts) },
                "os": authority(Some("talos"), Algorithm::Ed25519)?,
            },
        })))
    }

    /// Reads a file of secrets.
    ///
    /// # Errors
    /// What is missing, or can't be read.
    pub fn read(text: &str) -> Result<Self, Invalid> {
        let documents = yaml::read(text).map_err(|why| Invalid::new(format!("the secrets aren't YAML: {why}")))?;
        let [document] = documents.as_slice() else {
            return Err(Invalid::new("the secrets are one document"));
        };
        let secrets = Self(document.value());
        let mut wrong: Vec<String> = Vec::new();
        for path in ["cluster.id", "cluster.secret", "secrets.bootstraptoken", "trustdinfo.token"] {
            if secrets.text(path).is_empty() {
                wrong.push(format!("{path} is required"));
            }
        }
        let ways = ["secrets.secretboxencryptionsecret", "secrets.aescbcencryptionsecret"];
        match ways.iter().filter(|path| !secrets.text(path).is_empty()).count() {
            0 => wrong.push(format!("one of [{}] is required", ways.join(", "))),
            1 => {}
            _ => wrong.push(format!("only one of [{}] is allowed", ways.join(", "))),
        }
        for name in ["etcd", "k8s", "k8saggregator", "os"] {
            wrong.extend(secrets.certificate(name).err());
        }
        wrong.extend(secrets.key("k8sserviceaccount").err());
        match wrong.is_empty() {
            true => Ok(secrets),
            false => Err(Invalid::new(wrong.join("; "))),
        }
    }

    /// As their file has them.
    #[must_use]
    pub fn write(&self) -> String {
        yaml::write(std::slice::from_ref(&self.0))
    }

    /// What is written at a place, such as `cluster.id`.
    #[must_use]
    pub fn text(&self, path: &str) -> &str {
        let value = path.split('.').fold(&self.0, |value, name| &value[name]);
        value.as_str().unwrap_or_default()
    }

    /// Everything in them that nobody may see, each with its name.
    pub fn parts(&self) -> impl Iterator<Item = (String, &str)> {
        let groups = self.0.as_object().into_iter().flatten();
        groups.flat_map(|(group, inner)| parts(inner, group.clone()))
    }

    /// A certificate and its key as configurations have them; without the key for those that must not have it.
    #[must_use]
    pub(crate) fn pair(&self, name: &str, with_key: bool) -> Value {
        let certificate = self.text(&format!("certs.{name}.crt"));
        let key = if with_key { self.text(&format!("certs.{name}.key")) } else { "" };
        json!({ "crt": certificate, "key": key })
    }

    fn certificate(&self, name: &str) -> Result<(), String> {
        let text = pem::unwrap(self.text(&format!("certs.{name}.crt")));
        match text.as_deref().and_then(pem::read) {
            Some((pem::CERTIFICATE, _)) => self.key(name),
            _ => Err(format!("certs.{name}.crt is required, a certificate in PEM, in base64")),
        }
    }

    fn key(&self, name: &str) -> Result<(), String> {
        let text = pem::unwrap(self.text(&format!("certs.{name}.key")));
        match text.as_deref().and_then(pem::read) {
            Some((label, _)) if label.ends_with("PRIVATE KEY") => Ok(()),
            _ => Err(format!("certs.{name}.key is required, a private key in PEM, in base64")),
        }
    }

    /// A certificate with which somebody may do everything, for a year.
    ///
    /// # Errors
    /// The authority can't sign.
    pub fn admin<S: Source>(&self, source: &S) -> Result<Pair, Invalid> {
        let text = |field: &str| pem::unwrap(self.text(&format!("certs.os.{field}"))).unwrap_or_default();
        let unusable = |why: rcgen::Error| Invalid::new(format!("certs.os can't sign: {why}"));
        let (authority, key) = (text("crt"), text("key"));
        let (_, key) = pem::read(&key).ok_or_else(|| Invalid::new("certs.os.key isn't in PEM"))?;
        let issuer = Issuer::from_ca_cert_pem(&authority, source.signer(&key).map_err(unusable)?).map_err(unusable)?;
        let own = source.key(Algorithm::Ed25519);
        let mut params = params(source, Some("os:admin"), OF_PEOPLE);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&source.signer(&own).map_err(unusable)?, &issuer).map_err(unusable)?;
        Ok(Pair {
            certificate: pem::write(pem::CERTIFICATE, certificate.der()),
            key: key_text(Algorithm::Ed25519, &own),
        })
    }
}

fn parts(value: &Value, path: String) -> Vec<(String, &str)> {
    match value {
        Value::Object(map) => map.iter().flat_map(|(name, value)| parts(value, format!("{path}.{name}"))).collect(),
        // Whoever asks a machine is shown certificates.
        Value::String(text) if !path.ends_with(".crt") => vec![(path, text)],
        _ => Vec::new(),
    }
}

fn authority<S: Source>(source: &S, organization: Option<&str>, algorithm: Algorithm) -> Result<Pair, rcgen::Error> {
    let key = source.key(algorithm);
    let mut params = params(source, organization, OF_AUTHORITIES);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.self_signed(&source.signer(&key)?)?;
    Ok(Pair { certificate: pem::write(pem::CERTIFICATE, certificate.der()), key: key_text(algorithm, &key) })
}

fn params<S: Source>(source: &S, organization: Option<&str>, span: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(organization) = organization {
        params.distinguished_name.push(DnType::OrganizationName, organization);
    }
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(source.now());
    params.not_after = params.not_before + span;
    let mut serial = [0; 16];
    source.fill(&mut serial);
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params
}

fn key_text(algorithm: Algorithm, pkcs8: &[u8]) -> String {
    match algorithm {
        Algorithm::Ed25519 => pem::write(pem::ED25519_KEY, pkcs8),
        Algorithm::EcdsaP256 => {
            let sec1 = pem::sec1(pkcs8).expect("a new key has its public key behind the private one");
            pem::write(pem::EC_KEY, &sec1)
        }
    }
}

/// Six letters, a point, sixteen letters.
fn token<S: Source>(source: &S) -> String {
    const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // Seven times the letters fit into a byte; what is above would make the first ones likelier.
    let fair = |byte: u8| (byte < 252).then(|| char::from(LETTERS[usize::from(byte % 36)]));
    let mut letters = String::new();
    while letters.len() < 22 {
        let mut bytes = [0; 32];
        source.fill(&mut bytes);
        letters.extend(bytes.into_iter().filter_map(fair));
    }
    format!("{}.{}", &letters[..6], &letters[6..22])
}
