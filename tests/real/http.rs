//! HTTP and TLS beside the programs that everybody has: curl as the other client, Python's server and OpenSSL's as real ones.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::support::Script;

/// Ends the program with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().expect("it was started here");
        self.0.wait().expect("it was started here");
    }
}

/// True if the program is there; says so if it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok() || Command::new(program).arg("version").output().is_ok();
    if !found {
        eprintln!("skipped, because there is no `{program}`");
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn script(folder: &Path) -> Script {
    Script::new(&cozyscript::bindings::all(), folder)
}

fn start(program: &str, arguments: &[&str], folder: &Path) -> Running {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

fn listens(script: &Script, port: u16) {
    script.value::<()>(&format!("net::wait_tcp(\"127.0.0.1:{port}\", #{{ interval: \"50ms\" }})"));
}

/// What curl writes by its format, and the body.
fn curl(arguments: &[&str], folder: &Path) -> (i32, String) {
    let ended =
        Command::new("curl").args(["--silent", "--max-time", "20"]).args(arguments).current_dir(folder).output();
    let ended = ended.unwrap();
    (ended.status.code().unwrap(), String::from_utf8_lossy(&ended.stdout).into_owned())
}

#[test]
fn a_real_server_gives_us_what_it_gives_curl() {
    if !has("python3") || !has("curl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/page.txt"), "a page\n".repeat(5000)).unwrap();
    let port = free_port();
    let (shown, served) = (port.to_string(), folder.path().to_string_lossy().into_owned());
    let _server =
        start("python3", &["-m", "http.server", &shown, "--bind", "127.0.0.1", "--directory", &served], folder.path());
    let script = script(folder.path());
    listens(&script, port);
    for path in ["/sub/page.txt", "/sub", "/none", "/sub/%70age.txt?a=b"] {
        let url = format!("http://127.0.0.1:{port}{path}");
        let (code, told) = curl(
            &["--location", "--write-out", "\n%{http_code} %{size_download} %{url_effective}", &url],
            folder.path(),
        );
        assert_eq!(code, 0, "{path}");
        let ours: String = script.value(&format!(
            "let a = http::get(\"{url}\", #{{ expect: \"any\" }}); a.text + \"\\n\" + `${{a.status}} ${{a.size}} ${{a.url}}`"
        ));
        assert_eq!(ours, told, "{path}");
    }
    let url = format!("http://127.0.0.1:{port}/sub/page.txt");
    assert_eq!(script.value::<i64>(&format!("http::download(\"{url}\", \"copy/page.txt\").size")), 35_000);
    let (original, copy) = ("sub/page.txt", "copy/page.txt");
    assert_eq!(fs::read(folder.path().join(original)).unwrap(), fs::read(folder.path().join(copy)).unwrap());
    let refused = free_port();
    assert_eq!(curl(&[&format!("http://127.0.0.1:{refused}/")], folder.path()).0, 7, "curl can't connect, either");
    let fault = script.fault(&format!("http::get(\"http://127.0.0.1:{refused}/\")"));
    assert!(fault.message.ends_with("connection refused"), "{fault}");
}

#[test]
fn openssl_serves_and_verifies_the_certificates_that_scripts_make() {
    if !has("openssl") || !has("curl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path());
    for algorithm in ["ecdsa-p256", "ecdsa-p384", "ed25519"] {
        let made: rhai::Array = script.value(&format!(
            r#"let lab = tls::authority("lab", #{{ algorithm: "{algorithm}" }});
            let site = tls::certificate(["localhost", "127.0.0.1"], lab, #{{ algorithm: "{algorithm}" }});
            [lab.certificate, site.certificate, site.key.expose(), tls::read(site.certificate).fingerprint]"#
        ));
        for (name, text) in ["ca.pem", "site.pem", "key.pem"].iter().zip(&made) {
            fs::write(folder.path().join(name), text.to_string()).unwrap();
        }
        let openssl = |arguments: &[&str]| {
            let ended = Command::new("openssl").args(arguments).current_dir(folder.path()).output().unwrap();
            assert!(ended.status.success(), "{algorithm} {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
            String::from_utf8_lossy(&ended.stdout).into_owned()
        };
        openssl(&["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "site.pem"]);
        let told = openssl(&["x509", "-in", "site.pem", "-noout", "-fingerprint", "-sha256"]);
        assert_eq!(told.trim().rsplit('=').next().unwrap(), made[3].to_string());

        let port = free_port();
        let shown = port.to_string();
        let serve = ["s_server", "-accept", &shown, "-cert", "site.pem", "-key", "key.pem", "-www", "-quiet"];
        let _server = start("openssl", &serve, folder.path());
        listens(&script, port);
        let url = format!("https://localhost:{port}/");
        let resolve = format!("localhost:{port}:127.0.0.1");
        let (code, _) =
            curl(&["--cacert", "ca.pem", "--resolve", &resolve, "--output", "page.html", &url], folder.path());
        assert_eq!(code, 0, "curl trusts it");
        let options = "#{ ca: \"ca.pem\", resolve: \"127.0.0.1\", timeout: \"20s\" }";
        let text: String = script.value(&format!("http::get(\"{url}\", {options}).text"));
        assert!(text.contains("s_server"), "{text}");
        assert_eq!(curl(&["--resolve", &resolve, &url], folder.path()).0, 60, "curl does not trust it without `ca`");
        let fault = script.fault(&format!("http::get(\"{url}\", #{{ resolve: \"127.0.0.1\" }})"));
        assert_eq!(fault.kind, cozyscript::script::fault::Kind::Tls, "{fault}");
    }
}

#[test]
fn openssl_lets_in_who_shows_a_certificate_that_a_script_made() {
    if !has("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path());
    let made: rhai::Array = script.value(
        r#"let lab = tls::authority("lab");
        let site = tls::certificate("localhost", lab);
        let me = tls::certificate("rosa", lab, #{ purpose: "client" });
        [lab.certificate, site.certificate, site.key.expose(), me.certificate, me.key.expose()]"#,
    );
    for (name, text) in ["ca.pem", "site.pem", "key.pem", "me.pem", "my-key.pem"].iter().zip(&made) {
        fs::write(folder.path().join(name), text.to_string()).unwrap();
    }
    let port = free_port();
    let shown = port.to_string();
    let serve = [
        "s_server",
        "-accept",
        &shown,
        "-cert",
        "site.pem",
        "-key",
        "key.pem",
        "-CAfile",
        "ca.pem",
        "-Verify",
        "1",
        "-verify_return_error",
        "-www",
        "-quiet",
    ];
    let _server = start("openssl", &serve, folder.path());
    listens(&script, port);
    let get = |identity: &str| {
        format!("http::get(\"https://localhost:{port}/\", #{{ ca: \"ca.pem\", resolve: \"127.0.0.1\"{identity} }})")
    };
    let known = r#", client_certificate: "me.pem", client_key: "my-key.pem""#;
    assert!(script.value::<bool>(&format!("{}.ok", get(known))));
    let fault = script.fault(&get(""));
    assert!(fault.message.ends_with("it wants a client certificate"), "{fault}");
}
