//! Certificates as they are made: for whom, by whom, for how long.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};

use crate::{host::entropy::Entropy, wire::signer::Signer};

/// A clock that is a little behind ours must not take a new certificate for one of the future.
const BEFORE: Duration = Duration::from_secs(5 * 60);

/// What a certificate is to say.
pub struct Wanted {
    pub subject: String,
    /// Names and addresses.
    pub names: Vec<String>,
    pub days: u32,
    pub purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Authority,
    Server,
    Client,
    Both,
}

/// Makes a certificate of `key`, signed by `issuer`, or by itself.
///
/// # Errors
/// Why it can't be.
pub fn make(
    wanted: &Wanted,
    key: &Signer,
    issuer: Option<(String, Signer)>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Certificate, String> {
    let mut params = CertificateParams::new(wanted.names.clone()).map_err(|error| error.to_string())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, wanted.subject.as_str());
    let begin = u64::try_from(now.as_second()).map_err(|_| "the clock shows a time before 1970".to_owned())?;
    let begin = Duration::from_secs(begin).saturating_sub(BEFORE);
    params.not_before = date_time_ymd(1970, 1, 1) + begin;
    params.not_after = params.not_before + BEFORE + Duration::from_secs(u64::from(wanted.days) * 24 * 60 * 60);
    // Positive, and not to be foretold, as those who trust authorities want it.
    let mut serial = [0; 16];
    entropy.fill(&mut serial);
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.extended_key_usages = match wanted.purpose {
        Purpose::Authority => Vec::new(),
        Purpose::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        Purpose::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
        Purpose::Both => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
    };
    params.use_authority_key_identifier_extension = issuer.is_some();
    if wanted.purpose == Purpose::Authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    } else {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    }
    let made = match issuer {
        None => params.self_signed(key),
        Some((certificate, issuer_key)) => {
            let issuer = Issuer::from_ca_cert_pem(&certificate, issuer_key)
                .map_err(|error| format!("the certificate of the authority can't be read: {error}"))?;
            params.signed_by(key, &issuer)
        }
    };
    made.map_err(|error| error.to_string())
}
