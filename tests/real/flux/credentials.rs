//! Credentials for Git servers, held against what Flux's own program makes.

use std::{collections::BTreeMap, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cozyscript::script::fault::Kind;

use crate::{
    real::{Bed, Scripts, shared},
    support::{
        Script,
        git_server::{GitServer, HostKey, Manner},
    },
};

/// What the reference would make, by key.
fn reference(bed: &Bed, arguments: &[&str]) -> BTreeMap<String, String> {
    let output = Command::new(bed.programs().join("flux"))
        .args(["create", "secret", "git", "login", "--export"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let written = String::from_utf8(output.stdout).unwrap();
    let made = bed.kubectl_with(
        &["create", "--dry-run=server", "-n", "default", "-o", "json"],
        &written.replace("namespace: flux-system", "namespace: default"),
    );
    values(&made)
}

fn values(secret: &str) -> BTreeMap<String, String> {
    let secret: serde_json::Value = serde_json::from_str(secret).unwrap();
    assert_eq!(secret["type"], "Opaque");
    let data = secret["data"].as_object().unwrap();
    let decoded = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    data.iter().map(|(key, value)| (key.clone(), String::from_utf8(decoded(value)).unwrap())).collect()
}

fn ours(bed: &Bed, space: &str) -> BTreeMap<String, String> {
    values(&bed.kubectl(&["-n", space, "get", "secret", "login", "-o", "json"]))
}

fn create(script: &Script, space: &str, url: &str, options: &str) -> rhai::Map {
    let call = format!(
        "flux::create_secret_git(k8s::connect(), \"login\", \"{url}\", #{{ namespace: \"{space}\", {options} }})"
    );
    script.value(&call)
}

#[test]
fn a_login_by_https_is_the_one_that_flux_makes() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let url = "https://git.example.org/team/fleet";
    let authority = bed.folder.join("authority.pem");
    let pem: rhai::Map = script.value("tls::authority(\"lab\")");
    std::fs::write(&authority, pem["certificate"].to_string()).unwrap();

    let space = bed.space("git-basic");
    create(&script, &space, url, "username: \"me\", password: \"mine, all mine\"");
    assert_eq!(ours(&bed, &space), reference(&bed, &["--url", url, "--username=me", "--password=mine, all mine"]));

    let space = bed.space("git-token");
    let given = format!("bearer_token: \"a token\", ca: {:?}", pem["certificate"].to_string());
    create(&script, &space, url, &given);
    let authority = format!("--ca-crt-file={}", authority.display());
    assert_eq!(ours(&bed, &space), reference(&bed, &["--url", url, "--bearer-token=a token", &authority]));
}

#[test]
fn a_login_by_ssh_is_the_one_that_flux_makes_with_the_key_that_it_would_be_shown() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let exchanges = &["curve25519-sha256", "ecdh-sha2-nistp256"];
    let keys = vec![HostKey::ed25519(), HostKey::p256(), HostKey::p384()];
    let server = GitServer::start(Manner { exchanges, keys, lies: false });
    let url = format!("ssh://git@{}/team/fleet", server.address);
    for (algorithm, kind) in [
        ("ed25519", "ssh-ed25519"),
        ("ecdsa-p256", "ecdsa-sha2-nistp256"),
        ("ecdsa-p384", "ecdsa-sha2-nistp384"),
        ("rsa-2048", "ssh-rsa"),
    ] {
        let space = bed.space(&format!("git-{algorithm}"));
        let told = create(&script, &space, &url, &format!("algorithm: \"{algorithm}\""));
        let made = ours(&bed, &space);
        let key = bed.folder.join(format!("{algorithm}.key"));
        std::fs::write(&key, &made["identity"]).unwrap();
        // The reference reads our key, and asks the same server.
        assert_eq!(made, reference(&bed, &["--url", &url, "--private-key-file", key.to_str().unwrap()]), "{algorithm}");
        assert_eq!(*server.asked_by.lock().unwrap(), "SSH-2.0-Go", "it was the reference that asked");
        assert_eq!(format!("{}\n", told["public_key"]), made["identity.pub"]);
        assert!(made["identity.pub"].starts_with(&format!("{kind} ")));
        assert_eq!(told["known_hosts"].to_string(), made["known_hosts"]);
    }
    let theirs = reference(&bed, &["--url", &url]);
    let ours = ours(&bed, "git-ecdsa-p384");
    let label = |key: &str| key.lines().next().unwrap().to_owned();
    assert_eq!(label(&theirs["identity"]), label(&ours["identity"]));
    assert_eq!(theirs["identity"].lines().count(), ours["identity"].lines().count(), "the same form, of another key");
}

#[test]
fn a_key_that_is_there_stays_and_is_shown_to_nobody() {
    let Some(bed) = shared() else { return };
    let (script, space) = (bed.script(), bed.space("git-again"));
    let url = "ssh://git@git.example.org/team/fleet";
    let known = "known_hosts: \"git.example.org ssh-ed25519 AAAA\"";
    let first = create(&script, &space, url, known);
    let there = ours(&bed, &space);
    assert_eq!(there["known_hosts"], "git.example.org ssh-ed25519 AAAA");
    let again = create(&script, &space, url, "");
    assert_eq!(first["public_key"].to_string(), again["public_key"].to_string());
    assert_eq!(there, ours(&bed, &space), "nobody was asked, and nothing changed");
    let renewed = create(&script, &space, url, &format!("renew: true, {known}"));
    assert_ne!(first["public_key"].to_string(), renewed["public_key"].to_string());

    let told = format!("{:?} {:?}", script.recorded.events.lock().unwrap(), script.recorded.effects.lock().unwrap());
    let line = there["identity"].lines().nth(1).unwrap();
    assert!(!told.contains(line), "a line of the private key is told");
    let shown = "print(k8s::connect().get(\"secret\", \"login\", #{ namespace: \"git-again\" }).data.to_string())";
    crate::bindings::run(&script, shown);
    let printed = script.printed().concat();
    assert!(printed.contains("[secret secret:git-again/login/identity]"), "{printed}");
    crate::bindings::run(&script, &format!("print(\"{}\")", renewed["public_key"]));
    assert!(script.printed().concat().contains(&renewed["public_key"].to_string()), "the public half is no secret");
}

#[test]
fn who_can_t_be_asked_or_has_another_key_is_not_trusted() {
    let Some(bed) = shared() else { return };
    let (script, space) = (bed.script(), bed.space("git-wrong"));
    let fault = |url: &str, options: &str| {
        script.fault(&format!(
            "flux::create_secret_git(k8s::connect(), \"login\", \"{url}\", #{{ namespace: \"{space}\", {options} }})"
        ))
    };
    let server =
        GitServer::start(Manner { exchanges: &["curve25519-sha256"], keys: vec![HostKey::p256()], lies: false });
    let url = format!("ssh://git@{}/team/fleet", server.address);
    let other = fault(&url, "fingerprint: \"SHA256:another\"");
    assert_eq!(other.kind, Kind::Refused);
    assert!(other.message.ends_with("not SHA256:another"), "{other}");
    let silent = fault("ssh://git@127.0.0.1:1/team/fleet", "");
    assert_eq!((silent.kind, silent.hint.is_some()), (Kind::Unreachable, true));
    assert_eq!(fault("git@git.example.org:team/fleet", "").kind, Kind::Usage);
    assert_eq!(fault("https://git.example.org/team/fleet", "username: \"me\"").kind, Kind::Usage);
    assert_eq!(fault("https://git.example.org/team/fleet", "algorithm: \"ed25519\"").kind, Kind::Usage);
    assert_eq!(fault(&url, "algorithm: \"dsa\"").kind, Kind::Usage);
    assert_eq!(fault(&url, "private_key: \"no key\"").kind, Kind::Parse);
    assert!(script.recorded.effects.lock().unwrap().is_empty(), "nothing was touched");
    assert!(bed.try_kubectl(&["-n", &space, "get", "secret", "login"]).is_err());
}
