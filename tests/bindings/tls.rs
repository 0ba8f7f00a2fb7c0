use cozyscript::{host::secrets::Secret, script::fault::Kind};

use super::{run, script};

#[test]
fn an_authority_vouches_for_what_it_signed() {
    let (mut script, _folder) = script(&[]);
    script.set_clock("2040-05-06T07:08:09Z");
    let claims = r#"
        let lab = tls::authority("the lab's authority", #{ days: 30, algorithm: "ecdsa-p384" });
        let site = tls::certificate(["site.example.org", "*.example.org", "10.0.0.1", "fd00::1"], lab, #{ days: 7, purpose: "both" });
        let top = tls::read(lab.certificate);
        let facts = tls::read(site.certificate + lab.certificate);
        top.authority && top.key == "ECDSA P-384" && top.subject == "CN=the lab's authority" && top.days_left == 30
            && !facts.authority && facts.subject == "CN=site.example.org" && facts.issuer == top.subject && facts.days_left == 7
            && facts.names == ["site.example.org", "*.example.org", "10.0.0.1", "fd00::1"] && facts.valid
            && facts.chain[0].fingerprint == top.fingerprint && facts.serial != top.serial
    "#;
    assert!(script.value::<bool>(claims));
}

#[test]
fn a_key_is_a_secret_that_is_used_again_where_it_is_given() {
    let (script, _folder) = script(&[]);
    for (algorithm, shown) in [("ecdsa-p256", "ECDSA P-256"), ("ecdsa-p384", "ECDSA P-384"), ("ed25519", "Ed25519")] {
        let make = format!(
            "let key = tls::key(#{{ algorithm: \"{algorithm}\" }}); let site = tls::self_signed(\"a.org\", #{{ key: key }}); print(key);"
        );
        assert!(
            script.value::<bool>(&format!("{make} site.key == key && tls::read(site.certificate).key == \"{shown}\""))
        );
        let key: Secret = script.value(&format!("{make} key"));
        assert!(key.expose().starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_eq!(script.host.secrets.redact(key.expose()), format!("[secret {}]", key.reference()));
    }
    assert!(script.printed().iter().all(|line| line == "[secret tls:key]"));
}

#[test]
fn runs_of_one_seed_make_different_keys() {
    let key = || {
        let (script, _folder) = script(&[]);
        script.value::<Secret>("tls::key()").expose().to_owned()
    };
    assert_ne!(key(), key());
}

#[test]
fn certificates_are_made_and_judged_by_the_clock_of_the_host() {
    let (mut script, _folder) = script(&[]);
    script.set_clock("2040-05-06T07:08:09Z");
    let claims = r#"
        let site = tls::read(tls::self_signed("a.org", #{ days: 10 }).certificate);
        site.not_before == "2040-05-06T07:03:09Z" && site.not_after == "2040-05-16T07:08:09Z" && site.days_left == 10 && site.valid
    "#;
    assert!(script.value::<bool>(claims));
}

#[test]
fn what_can_not_be_made_says_why() {
    let (script, _folder) = script(&[]);
    run(&script, "tls::self_signed([\"a.org\"], #{ subject: \"b\" })");
    for (call, wrong) in [
        ("key(#{ algorithm: \"rsa\" })", "option `algorithm` can't be `rsa`"),
        ("self_signed([])", "a certificate is for at least one name or address"),
        ("self_signed(\"a.org\", #{ days: 0 })", "option `days` is from 1 to 36500, not 0"),
        ("self_signed(\"a.org\", #{ purpose: \"fun\" })", "option `purpose` can't be `fun`"),
        ("self_signed(\"a.org\", #{ key: secret::of(\"none\", \"k\") })", "option `key` can't be used"),
        ("certificate(\"a.org\", #{ key: 1 })", "the authority has no `certificate`"),
        ("certificate(\"a.org\", #{ certificate: \"x\", key: \"y\" })", "the `key` of the authority can't be used"),
        (
            "certificate(\"a.org\", #{ certificate: \"x\", key: tls::key() })",
            "no certificate for `a.org` can be made: the certificate of the authority can't be read",
        ),
    ] {
        let fault = script.fault(&format!("tls::{call}"));
        assert_eq!(fault.kind, Kind::Usage, "{call}");
        assert!(fault.message.contains(wrong), "{call}: {fault}");
    }
    for pem in ["nothing", "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n"] {
        let fault = script.fault(&format!("tls::read(\"{pem}\")"));
        assert_eq!(fault.kind, Kind::Parse);
        assert!(fault.message.starts_with("the certificate can't be read: "), "{fault}");
    }
}
