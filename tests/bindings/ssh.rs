//! Keys of SSH servers, asked for over the wire.

use std::io::Write;

use cozyscript::{
    host::{
        keys::{Algorithm, Keys},
        real::SystemKeys,
    },
    script::fault::Kind,
};

use super::script;
use crate::support::git_server::{GitServer, HostKey, Manner};

const EVERY_EXCHANGE: &[&str] = &["curve25519-sha256", "ecdh-sha2-nistp256"];

fn server(exchanges: &'static [&'static str], keys: Vec<HostKey>) -> GitServer {
    GitServer::start(Manner { exchanges, keys, lies: false })
}

#[test]
fn a_server_is_asked_for_its_key_of_whatever_kind() {
    let (script, _folder) = script(&[]);
    let rsa = SystemKeys.make(Algorithm::Rsa(2048));
    for exchanges in [&["curve25519-sha256"], &["ecdh-sha2-nistp256"]] {
        for key in [HostKey::ed25519(), HostKey::p256(), HostKey::p384(), HostKey::rsa(&rsa)] {
            let public = key.public();
            let address = server(exchanges, vec![key]).address;
            let known: rhai::Map = script.value(&format!("ssh::host_key(\"{address}\")"));
            assert_eq!(known["public"].to_string(), public.line());
            assert_eq!(known["fingerprint"].to_string(), public.fingerprint());
            let line = format!("[127.0.0.1]:{} {}", address.port(), public.line());
            assert_eq!(known["known_host"].to_string(), line);
        }
    }
}

#[test]
fn who_shows_a_key_that_is_another_s_is_not_believed() {
    let (script, _folder) = script(&[]);
    let manner = Manner { exchanges: EVERY_EXCHANGE, keys: vec![HostKey::ed25519()], lies: true };
    let address = GitServer::start(manner).address;
    let fault = script.fault(&format!("ssh::host_key(\"{address}\")"));
    assert_eq!(fault.kind, Kind::Unreachable);
    assert_eq!(fault.message, format!("the key of `{address}` is not known: it shows a key that is not its own"));
}

#[test]
fn who_has_nothing_in_common_is_named_with_what_it_has() {
    let (script, _folder) = script(&[]);
    let address = server(&["diffie-hellman-group1-sha1"], vec![HostKey::ed25519()]).address;
    let fault = script.fault(&format!("ssh::host_key(\"{address}\")"));
    assert!(fault.message.ends_with("only diffie-hellman-group1-sha1"), "{fault}");
}

#[test]
fn who_speaks_something_else_is_told_from_who_is_not_there() {
    let (script, _folder) = script(&[]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let talk = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let fault = script.fault(&format!("ssh::host_key(\"{address}\")"));
    talk.join().unwrap();
    assert!(fault.message.contains("it hung up") || fault.message.contains("connection broke"), "{fault}");
    let fault = script.fault("ssh::host_key(\"127.0.0.1:1\")");
    assert_eq!(fault.message, "no connection to `127.0.0.1:1`: connection refused");
    assert_eq!(script.fault("ssh::host_key(\"git example\")").kind, Kind::Usage);
}

#[test]
fn the_public_half_of_a_key_is_read_from_both_forms() {
    let (script, _folder) = script(&[]);
    let same = r#"
        let key = tls::key(#{ algorithm: "ed25519" });
        let line = ssh::public(key);
        if !line.starts_with("ssh-ed25519 ") { throw line }
        let own = ssh::key("flux@lab");
        if ssh::public(own.private) != own.public { throw own.public }
    "#;
    super::run(&script, same);
    let fault = script.fault("ssh::public(\"-----BEGIN RSA PRIVATE KEY-----\\nAAAA\\n-----END RSA PRIVATE KEY-----\")");
    assert_eq!(
        fault.message,
        "the private key can't be read: it is `RSA PRIVATE KEY`, where `PRIVATE KEY` or `OPENSSH PRIVATE KEY` is read"
    );
}
