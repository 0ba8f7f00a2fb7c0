//! Ways to the real API server: who asks, and what stands in between.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cozyscript::script::fault::Kind;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use super::{Bed, Scripts, shared};
use crate::support::transcript::{program, said};

/// A proxy in front of the API server that falls silent after so many bytes of its answer, with the connection open.
fn stalling(bed: &Bed, after: usize) -> String {
    let server: String = bed.script().value("k8s::connect().server()");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (mut requests, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || {
                // Whichever of the two hangs up first ends this copying.
                let _ = std::io::copy(&mut requests, &mut to_server);
                let _ = to_server.shutdown(Shutdown::Both);
            });
            thread::spawn(move || answer(server, client, after));
        }
    });
    address
}

fn answer(mut server: TcpStream, mut client: TcpStream, mut left: usize) {
    let mut bytes = [0; 512];
    while left > 0 {
        let wanted = left.min(bytes.len());
        let Ok(count @ 1..) = server.read(&mut bytes[..wanted]) else { return };
        if client.write_all(&bytes[..count]).is_err() {
            return;
        }
        left -= count;
    }
    // Held open, and silent, until the other side gives up.
    let _ = server.read_to_end(&mut Vec::new());
}

#[test]
fn a_connection_that_falls_silent_ends_with_its_deadline_or_with_ctrl_c() {
    let Some(bed) = shared() else { return };
    // After it was accepted, in the handshake, and in the answer.
    for silent_after in [0, 700, 6000] {
        let proxy = stalling(&bed, silent_after);
        let list = |timeout: &str| {
            format!("k8s::connect(#{{ resolve: \"{proxy}\" }}).list(\"clusterroles\", #{{ timeout: \"{timeout}\" }})")
        };
        let (script, begun) = (bed.script(), Instant::now());
        let fault = script.fault(&list("1s"));
        assert_eq!(fault.kind, Kind::Timeout, "silent after {silent_after}: {fault:?}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        let (script, begun) = (bed.script(), Instant::now());
        script.stop_after(Duration::from_millis(300));
        let (_, reason) = script.end(&list("60s"));
        assert!(reason.is_some(), "silent after {silent_after}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    }
}

#[test]
fn the_kubeconfig_in_a_secret_leads_to_the_cluster_it_is_of() {
    let Some(bed) = shared() else { return };
    let space = bed.space("ways");
    let config = bed.kubectl(&["config", "view", "--raw", "--flatten", "--minify"]);
    std::fs::write(bed.folder.join("ways.kubeconfig"), config).unwrap();
    let file = format!("--from-file=value={}", bed.folder.join("ways.kubeconfig").display());
    bed.kubectl(&["create", "secret", "generic", "inner-kubeconfig", "-n", &space, &file]);
    let script = bed.script();
    let same: bool = script.value(&format!(
        "let lab = k8s::connect(); let inner = k8s::connect(#{{ from: lab, secret: \"{space}/inner-kubeconfig\" }}); \
         inner.server() == lab.server() && inner.list(\"namespaces\").len() == lab.list(\"namespaces\").len()"
    ));
    assert!(same);
    let denied = script.fault(&format!(
        "k8s::connect(#{{ from: k8s::connect(\"viewer@testbed\"), secret: \"{space}/inner-kubeconfig\" }})"
    ));
    assert_eq!(denied.kind, Kind::Denied);
    let missing = script.fault(&format!("k8s::connect(#{{ from: k8s::connect(), secret: \"{space}/nowhere\" }})"));
    assert_eq!(missing.kind, Kind::NotFound);
}

#[test]
fn the_example_follows_a_secret_to_another_cluster() {
    let Some(bed) = shared() else { return };
    let space = bed.space("example-ways");
    let config = bed.kubectl(&["config", "view", "--raw", "--flatten", "--minify"]);
    std::fs::write(bed.folder.join("example.kubeconfig"), config).unwrap();
    let file = format!("--from-file=admin.conf={}", bed.folder.join("example.kubeconfig").display());
    bed.kubectl(&["create", "secret", "generic", "inner", "-n", &space, &file]);
    let address: String = bed.script().value("k8s::connect().server()");
    let journal = tempfile::tempdir().unwrap();
    let mut command = program(journal.path());
    command.env("KUBECONFIG", bed.kubeconfig()).arg("examples/connect.rhai");
    let inner = [format!("inner={space}/inner"), format!("resolve={address}")];
    let (status, told) = said(command.args(["--set", &inner[0], "--set", &inner[1]]));
    assert_eq!(status, 0, "{told}");
    let shown = format!("testbed at {address} has");
    assert!(told.contains(&shown), "`{shown}` is not in {told}");
}

#[test]
fn a_name_that_the_server_does_not_have_is_told() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let fault = script.fault(r#"k8s::connect(#{ tls_server_name: "elsewhere.example.org" }).list("pods")"#);
    assert_eq!(fault.kind, Kind::Tls);
    assert!(fault.message.contains("is for another name"), "{fault:?}");
    let by_name: i64 =
        script.value(r#"k8s::connect(#{ tls_server_name: "kubernetes.default.svc" }).list("namespaces").len()"#);
    assert!(by_name > 0);
}

/// What vouches for the certificates of clients.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(DnType::CommonName, "clients");
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of an administrator, good until that year, and its key.
fn administrator(authority: &CertifiedIssuer<'static, KeyPair>, until: i32) -> (String, String) {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, "rosa");
    parameters.distinguished_name.push(DnType::OrganizationName, "system:masters");
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    (parameters.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// Another API server on the same store, which knows clients by their certificates; it ends when it is dropped.
struct Beside {
    server: Child,
    port: u16,
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Beside {
    fn start(bed: &Bed, authority: &str) -> Self {
        std::fs::write(bed.folder.join("clients.crt"), authority).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let command = std::fs::read_to_string(bed.folder.join("kube-apiserver.command")).unwrap();
        let (before, rest) = command.trim_end().split_once("--secure-port ").unwrap();
        let (_, after) = rest.split_once(' ').unwrap();
        let clients = bed.folder.join("clients.crt");
        let command = format!("{before}--secure-port {port} {after} --client-ca-file {}", clients.display());
        let log = std::fs::File::create(bed.folder.join("beside.log")).unwrap();
        let server = Command::new("bash").args(["-c", &command]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let beside = Self { server, port };
        let is_ready = || {
            let mut kubectl = Command::new(bed.programs().join("kubectl"));
            let server = format!("https://127.0.0.1:{port}");
            kubectl.env("KUBECONFIG", bed.kubeconfig()).args(["--server", &server, "get", "--raw", "/readyz"]);
            kubectl.output().unwrap().status.success()
        };
        let begun = Instant::now();
        while !is_ready() {
            assert!(begun.elapsed() < Duration::from_secs(90), "the other API server does not come up");
            thread::sleep(Duration::from_millis(200));
        }
        beside
    }
}

#[test]
fn a_client_certificate_is_shown_wherever_it_came_from_and_one_that_has_expired_is_told() {
    let Some(bed) = shared() else { return };
    let authority = authority();
    let beside = Beside::start(&bed, &authority.pem());
    let write = |name: &str, text: &str| std::fs::write(bed.folder.join(name), text).unwrap();
    let (good, good_key) = administrator(&authority, 2100);
    let (old, old_key) = administrator(&authority, 2021);
    for (name, text) in [("good.crt", &good), ("good.key", &good_key), ("old.crt", &old), ("old.key", &old_key)] {
        write(name, text);
    }
    let own = std::fs::read_to_string(bed.kubeconfig()).unwrap();
    let token = own.find("user: {token: ").unwrap();
    let end = token + own[token..].find('}').unwrap();
    let with_user = |name: &str, user: &str| {
        write(name, &format!("{}user: {{{user}{}", &own[..token], &own[end..]));
        let address = format!("127.0.0.1:{}", beside.port);
        format!(
            "k8s::connect(#{{ kubeconfig: \"{name}\", context: \"testbed\", resolve: \"{address}\" }}) \
             .list(\"namespaces\").len()"
        )
    };
    let script = bed.script();
    let by_file = with_user("by-file", "client-certificate: good.crt, client-key: good.key");
    assert!(script.value::<i64>(&by_file) > 0);

    let fault = script.fault(&with_user("expired", "client-certificate: old.crt, client-key: old.key"));
    assert_eq!(fault.kind, Kind::Unauthenticated, "{fault:?}");
    assert!(fault.hint.as_deref().unwrap_or_default().contains("has expired"), "{fault:?}");

    // The first certificate that this one gives has expired, the second one is good.
    let credential = |certificate: &str, key: &str| {
        serde_json::json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": { "clientCertificateData": certificate, "clientKeyData": key },
        })
        .to_string()
    };
    write("first.json", &credential(&old, &old_key));
    write("second.json", &credential(&good, &good_key));
    script.recorded.variables.lock().unwrap().insert("PATH".into(), "/usr/bin:/bin".into());
    let by_plugin = with_user(
        "by-plugin",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, \
         args: [-c, 'if test -e asked; then cat second.json; else touch asked; cat first.json; fi']}",
    );
    assert!(script.value::<i64>(&by_plugin) > 0);
    assert!(bed.folder.join("asked").exists());
}
