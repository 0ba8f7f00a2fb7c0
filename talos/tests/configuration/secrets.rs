//! Secrets: ours are taken by talosctl, and its by us.

use talos::{generate::Plan, pem, secrets::Secrets};

use super::{Talosctl, secrets, source, values};

#[test]
fn secrets_have_what_a_cluster_needs_and_are_read_again() {
    let made = secrets();
    let read = Secrets::read(&made.write()).unwrap();
    assert_eq!(read, made);
    let token = made.text("secrets.bootstraptoken");
    let (first, second) = token.split_once('.').unwrap();
    assert_eq!((first.len(), second.len()), (6, 16));
    assert!(token.chars().all(|letter| letter == '.' || letter.is_ascii_lowercase() || letter.is_ascii_digit()));
    let label = |path: &str| {
        let text = pem::unwrap(made.text(path)).unwrap();
        pem::read(&text).unwrap().0.to_owned()
    };
    assert_eq!(label("certs.os.key"), "ED25519 PRIVATE KEY");
    assert_eq!(label("certs.etcd.key"), "EC PRIVATE KEY");
    assert_eq!(label("certs.k8sserviceaccount.key"), "EC PRIVATE KEY");
    assert_eq!(label("certs.k8saggregator.crt"), "CERTIFICATE");
}

#[test]
fn all_that_is_missing_from_secrets_is_told_at_once() {
    let error = Secrets::read("cluster: { id: a }\nsecrets: {}\n").unwrap_err().to_string();
    assert!(error.starts_with("cluster.secret is required; secrets.bootstraptoken is required"), "{error}");
    assert!(error.contains("one of [secrets.secretboxencryptionsecret"), "{error}");
    assert!(error.ends_with("certs.k8sserviceaccount.key is required, a private key in PEM, in base64"), "{error}");
}

#[test]
fn whoever_shows_secrets_is_told_what_must_not_be_seen() {
    let made = secrets();
    let names: Vec<String> = made.parts().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "cluster.id",
            "cluster.secret",
            "secrets.bootstraptoken",
            "secrets.secretboxencryptionsecret",
            "trustdinfo.token",
            "certs.etcd.key",
            "certs.k8s.key",
            "certs.k8saggregator.key",
            "certs.k8sserviceaccount.key",
            "certs.os.key",
        ]
    );
}

#[test]
fn secrets_of_talosctl_are_read_and_its_authority_signs() {
    let Some(talosctl) = Talosctl::find() else { return };
    assert!(talosctl.run(&["gen", "secrets", "-o", "theirs.yaml"]).fine);
    let theirs = talosctl.read("theirs.yaml");
    let read = Secrets::read(&theirs).unwrap();
    assert_eq!(values(&read.write()), values(&theirs));
    let generated = Plan::new("lab", "https://10.5.0.2:6443", "v1.11.5").unwrap().generate(&read, &source()).unwrap();
    talosctl.write("talosconfig", &generated.talosconfig.text());
    let said = talosctl.run(&["--talosconfig", "talosconfig", "config", "info", "-o", "json"]);
    let info = &values(&said.out)[0];
    assert_eq!((info["context"].as_str(), info["roles"][0].as_str()), (Some("lab"), Some("os:admin")), "{}", said.err);
}

#[test]
fn talosctl_makes_valid_configurations_of_our_secrets_for_every_kind_of_machine() {
    let Some(talosctl) = Talosctl::find() else { return };
    talosctl.write("ours.yaml", &secrets().write());
    let said = talosctl.run(&["gen", "config", "lab", "https://10.5.0.2:6443", "--with-secrets", "ours.yaml"]);
    assert!(said.fine, "{}", said.err);
    for file in ["controlplane.yaml", "worker.yaml"] {
        for mode in ["metal", "cloud", "container"] {
            let said = talosctl.run(&["validate", "-c", file, "-m", mode, "--strict"]);
            assert_eq!(said.out, format!("{file} is valid for {mode} mode\n"), "{}", said.err);
        }
    }
    let said = talosctl.run(&["--talosconfig", "talosconfig", "config", "info", "-o", "json"]);
    assert_eq!(values(&said.out)[0]["roles"][0], "os:admin", "{}", said.err);
}
