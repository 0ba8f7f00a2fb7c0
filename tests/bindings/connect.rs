//! Ways to a cluster: who asks, where it is, what stands in between, and whom to trust.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cozyscript::{event::What, script::fault::Kind};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio_rustls::{TlsAcceptor, rustls};

use super::{run, script};
use crate::support::{
    Script,
    certificates::Authority,
    proxy::ProxyServer,
    runtime,
    server::{Reply, Seen, Server},
};

/// A kubeconfig with one context, `lab`.
fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "current-context: lab\nclusters:\n- name: lab\n  cluster: {{{cluster}}}\ncontexts:\n- name: lab\n  \
         context: {{cluster: lab, user: me}}\nusers:\n- name: me\n  user: {{{user}}}\n"
    )
}

fn list() -> Reply {
    Reply::new(200, r#"{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}"#)
}

fn refusal() -> Reply {
    Reply::new(401, r#"{"kind":"Status","reason":"Unauthorized","code":401,"message":"Unauthorized"}"#)
}

fn authorizations(server: &Server) -> Vec<String> {
    server.seen().iter().map(|seen| seen.headers.get("authorization").cloned().unwrap_or_default()).collect()
}

fn with_variables(script: &Script, variables: &[(&str, &str)]) {
    let mut known = script.recorded.variables.lock().unwrap();
    known.insert("PATH".into(), "/usr/bin:/bin".into());
    known.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
}

/// A user whose plugin runs this shell text.
fn plugin(text: &str, more: &str) -> String {
    let text = text.replace('\'', "''");
    format!("exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['-c', '{text}']{more}}}")
}

fn credential(status: &str) -> String {
    format!(r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{{status}}}}}"#)
}

/// Writes down that it ran, and answers with a token that counts.
fn counting(more: &str) -> String {
    let answer = credential(&format!(r#""token":"token-%s"{more}"#));
    format!("echo run >> runs; printf '{answer}' \"$(wc -l < runs)\"")
}

#[test]
fn a_plugin_is_asked_once_and_its_token_is_kept() {
    let server = Server::start(|_| list());
    let config = kubeconfig(&format!("server: \"{}\"", server.url("")), &plugin(&counting(""), ""));
    let (script, folder) = script(&[("config", &config)]);
    with_variables(&script, &[]);
    run(&script, r#"let lab = k8s::connect(#{ kubeconfig: "config" }); lab.list("pods"); lab.list("cm");"#);
    assert_eq!(authorizations(&server), ["Bearer token-1"; 2]);
    assert_eq!(std::fs::read_to_string(folder.path().join("runs")).unwrap(), "run\n");
    assert_eq!(script.host.secrets.redact("it is token-1"), "it is [secret plugin:me/token]");
}

#[test]
fn a_plugin_is_asked_again_when_what_it_gave_has_expired() {
    let server = Server::start(|_| list());
    let expired = r#","expirationTimestamp":"2020-01-01T00:00:00Z""#;
    let config = kubeconfig(&format!("server: \"{}\"", server.url("")), &plugin(&counting(expired), ""));
    let (script, _folder) = script(&[("config", &config)]);
    with_variables(&script, &[]);
    run(&script, r#"let lab = k8s::connect(#{ kubeconfig: "config" }); lab.list("pods"); lab.list("cm");"#);
    assert_eq!(authorizations(&server), ["Bearer token-1", "Bearer token-2"]);
}

#[test]
fn a_plugin_is_asked_once_more_when_its_token_is_refused() {
    let server = Server::start(|seen| match seen.headers["authorization"].as_str() {
        "Bearer token-2" => list(),
        _ => refusal(),
    });
    let config = kubeconfig(&format!("server: \"{}\"", server.url("")), &plugin(&counting(""), ""));
    let (script, folder) = script(&[("config", &config)]);
    with_variables(&script, &[]);
    run(&script, r#"k8s::connect(#{ kubeconfig: "config" }).list("pods");"#);
    assert_eq!(authorizations(&server), ["Bearer token-1", "Bearer token-2"]);

    // One that gives the same again is not asked for ever.
    let server = Server::start(|_| refusal());
    let stubborn = format!("printf '{}'", credential(r#""token":"wrong""#));
    let config = kubeconfig(&format!("server: \"{}\"", server.url("")), &plugin(&stubborn, ""));
    let fault =
        script.fault(&format!("k8s::connect(#{{ kubeconfig: \"{}\" }}).list(\"pods\")", other(&folder, &config)));
    assert_eq!(fault.kind, Kind::Unauthenticated);
    assert_eq!(server.seen().len(), 1);
}

/// Another kubeconfig in the folder.
fn other(folder: &tempfile::TempDir, text: &str) -> &'static str {
    std::fs::write(folder.path().join("other"), text).unwrap();
    "other"
}

#[test]
fn a_plugin_is_told_which_cluster_it_is_asked_for() {
    let (server, authority) = Server::start_with_tls(|_| list());
    let cluster = format!(
        "server: \"{}\", certificate-authority: ca.crt, \
         extensions: [{{name: client.authentication.k8s.io/exec, extension: {{audience: lab}}}}]",
        server.url("")
    );
    let tells = format!("echo \"$KUBERNETES_EXEC_INFO\" > info; echo \"$GREETING\" >> info; {}", counting(""));
    let more = ", provideClusterInfo: true, interactiveMode: IfAvailable, env: [{name: GREETING, value: hello}]";
    let config = kubeconfig(&cluster, &plugin(&tells, more));
    let (script, folder) = script(&[("config", &config), ("ca.crt", &authority)]);
    with_variables(&script, &[]);
    run(&script, r#"k8s::connect(#{ kubeconfig: "config" }).list("pods");"#);
    let info = std::fs::read_to_string(folder.path().join("info")).unwrap();
    let (info, greeting) = info.split_once('\n').unwrap();
    let info: serde_json::Value = serde_json::from_str(info).unwrap();
    assert_eq!((info["apiVersion"].as_str(), greeting), (Some("client.authentication.k8s.io/v1"), "hello\n"));
    assert_eq!(info["spec"]["interactive"], false);
    let cluster = &info["spec"]["cluster"];
    assert_eq!(cluster["server"].as_str().unwrap().trim_end_matches('/'), server.url(""));
    assert_eq!(cluster["certificate-authority-data"], STANDARD.encode(authority));
    assert_eq!(cluster["config"]["audience"], "lab");
}

#[test]
fn a_plugin_that_fails_is_told_with_what_it_said_and_what_to_do() {
    let user = |text: &str, more: &str| kubeconfig("server: \"http://127.0.0.1:9\"", &plugin(text, more));
    let missing =
        user("", ", installHint: install it from example.org").replace("command: sh", "command: no-such-plugin");
    let (script, folder) = script(&[]);
    with_variables(&script, &[]);
    let fault_of = |config: &str| {
        script.fault(&format!("k8s::connect(#{{ kubeconfig: \"{}\" }}).list(\"pods\")", other(&folder, config)))
    };
    let fault = fault_of(&missing);
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::File, Some("install it from example.org")), "{fault:?}");
    assert!(fault.message.contains("the credential plugin `no-such-plugin` of user `me` can't be started"), "{fault}");

    let fault = fault_of(&user("echo logging in >&2; echo your session has expired >&2; exit 7", ""));
    assert_eq!(
        (fault.kind, fault.notes.as_slice()),
        (Kind::Unauthenticated, &["your session has expired".to_owned()][..])
    );
    assert!(fault.message.ends_with("ended with status 7"), "{fault}");
    let said = |what: &What| matches!(what, What::Warned { text } if text.ends_with("logging in"));
    assert!(script.events().iter().any(said), "where to log in is shown while it runs");

    for (answer, part) in [
        ("hello", "no JSON"),
        ("{}", "no `ExecCredential`"),
        (r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"}"#, "v1beta1"),
        (&credential(""), "neither a token nor a client certificate"),
        (&credential(r#""clientCertificateData":"x""#), "a client certificate without its key"),
        (&credential(r#""token":"t0ken","expirationTimestamp":"tomorrow""#), "`tomorrow`, which is no time"),
    ] {
        let fault = fault_of(&user(&format!("printf '%s' '{answer}'"), ""));
        assert_eq!(fault.kind, Kind::Parse, "{fault:?}");
        assert!(fault.message.contains(part), "`{part}` is not in {fault}");
        assert!(!format!("{fault:?}").contains("t0ken"), "{fault:?}");
    }
}

#[test]
fn a_stopped_script_does_not_wait_for_a_plugin() {
    let config = kubeconfig("server: \"http://127.0.0.1:9\"", &plugin("sleep 60", ""));
    let (script, _folder) = script(&[("config", &config)]);
    with_variables(&script, &[]);
    script.stop_after(std::time::Duration::from_millis(300));
    let begun = std::time::Instant::now();
    let (_, reason) = script.end(r#"k8s::connect(#{ kubeconfig: "config" }).list("pods")"#);
    assert!(reason.is_some());
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_kubeconfig_that_is_no_file_names_no_programs() {
    let config = kubeconfig("server: \"http://127.0.0.1:9\"", &plugin("echo pwned > pwned", ""));
    let (script, folder) = script(&[]);
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{config}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Unsupported);
    assert!(fault.message.contains("only a file may name programs to run"), "{fault}");
    assert!(!folder.path().join("pwned").exists());
}

#[test]
fn a_pod_finds_the_cluster_it_runs_in() {
    let (server, authority) = Server::start_with_tls(|_| list());
    let port = server.address.port().to_string();
    let files =
        [("account/token", "t0ken-one\n"), ("account/ca.crt", authority.as_str()), ("account/namespace", "tools")];
    let (script, folder) = script(&files);
    let fault = script.fault(r#"k8s::connect(#{ in_cluster: true, service_account: "account" })"#);
    assert_eq!(fault.kind, Kind::File);
    assert!(fault.message.contains("this is no pod"), "{fault}");
    with_variables(&script, &[("KUBERNETES_SERVICE_HOST", "localhost"), ("KUBERNETES_SERVICE_PORT", &port)]);
    let account = folder.path().join("account").display().to_string();
    let connect = format!("let here = k8s::connect(#{{ in_cluster: true, service_account: \"{account}\" }});");
    run(&script, &format!("{connect} here.list(\"pods\");"));
    let seen = server.seen();
    assert_eq!(seen[0].headers["authorization"], "Bearer t0ken-one");
    assert!(seen[0].path.starts_with("/api/v1/namespaces/tools/pods"), "{}", seen[0].path);
    // Where there is no kubeconfig, nobody needs to say so.
    let shown: String = script.value(&format!("k8s::connect(#{{ service_account: \"{account}\" }}).context()"));
    assert_eq!(shown, "in-cluster");
    std::fs::remove_file(folder.path().join("account/token")).unwrap();
    assert_eq!(script.fault(&connect).kind, Kind::File);
}

#[test]
fn a_token_that_was_changed_in_its_file_is_read_when_the_old_one_is_refused() {
    let (script, folder) = script(&[("token", "old-token")]);
    let path = folder.path().join("token");
    let rotated = path.clone();
    let server = Server::start(move |seen| match seen.headers["authorization"].as_str() {
        "Bearer new-token" => list(),
        _ => {
            std::fs::write(&rotated, "new-token").unwrap();
            refusal()
        }
    });
    let config = kubeconfig(&format!("server: \"{}\"", server.url("")), "tokenFile: token");
    std::fs::write(folder.path().join("config"), config).unwrap();
    run(&script, r#"k8s::connect(#{ kubeconfig: "config" }).list("pods");"#);
    assert_eq!(authorizations(&server), ["Bearer old-token", "Bearer new-token"]);
    assert!(path.exists());
}

#[test]
fn an_address_in_place_of_the_name_keeps_the_name_that_is_asked_for() {
    let (server, authority) = Server::start_with_tls(|_| list());
    let data = STANDARD.encode(&authority);
    let config =
        kubeconfig(&format!("server: \"https://localhost:1\", certificate-authority-data: {data}"), "token: abcd");
    let address = server.address.to_string();
    let (script, _folder) = script(&[]);
    run(&script, &format!("k8s::connect(#{{ text: `{config}`, resolve: \"{address}\" }}).list(\"pods\");"));
    assert_eq!(server.seen()[0].headers["host"], "localhost:1");
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{config}`, resolve: \"10.0.0.1:port\" }})"));
    assert_eq!(fault.kind, Kind::Usage);

    let config =
        kubeconfig(&format!("server: \"https://{address}\", certificate-authority-data: {data}"), "token: abcd");
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{config}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Tls, "{fault:?}");
    assert!(fault.message.contains("is for another name"), "{fault}");
    let named = format!("k8s::connect(#{{ text: `{config}`, tls_server_name: \"localhost\" }}).list(\"pods\");");
    run(&script, &named);
    run(&script, &format!("k8s::connect(#{{ text: `{config}`, insecure: true }}).list(\"pods\");"));
    let warned = |what: &What| matches!(what, What::Warned { text } if text.contains("`insecure` says so"));
    assert!(script.events().iter().any(warned));
}

/// A proxy that leads to wherever it is asked; the requests it was asked with.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, heard) = (client.unwrap(), heard.clone());
            thread::spawn(move || {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") {
                    client.read_exact(&mut byte).unwrap();
                    request.push(byte[0]);
                }
                let request = String::from_utf8(request).unwrap();
                let to = request.split(' ').nth(1).unwrap().to_owned();
                heard.lock().unwrap().push(request);
                let mut server = TcpStream::connect(to.replace("localhost", "127.0.0.1")).unwrap();
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
                let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
                // Whichever side hangs up first, the other one notices.
                let _ = std::io::copy(&mut server, &mut client);
            });
        }
    });
    (address, asked)
}

#[test]
fn a_proxy_of_the_kubeconfig_the_options_or_the_environment_leads_to_the_server() {
    let (server, authority) = Server::start_with_tls(|_| list());
    let (proxy, asked) = proxy();
    let cluster =
        format!("server: \"{}\", certificate-authority-data: {}", server.url(""), STANDARD.encode(&authority));
    let plain = kubeconfig(&cluster, "token: abcd");
    let (script, _folder) = script(&[]);
    let count = || asked.lock().unwrap().len();

    let own = kubeconfig(&format!("{cluster}, proxy-url: \"http://me:pa55word@{proxy}\""), "token: abcd");
    run(&script, &format!("k8s::connect(#{{ text: `{own}` }}).list(\"pods\");"));
    let login = format!("proxy-authorization: Basic {}", STANDARD.encode("me:pa55word"));
    assert!(asked.lock().unwrap()[0].to_lowercase().contains(&login.to_lowercase()), "{:?}", asked.lock().unwrap());
    assert!(script.host.secrets.redact("pa55word").starts_with("[secret"));

    run(&script, &format!("k8s::connect(#{{ text: `{plain}`, proxy: \"http://{proxy}\" }}).list(\"pods\");"));
    assert_eq!(count(), 2);
    run(&script, &format!("k8s::connect(#{{ text: `{own}`, proxy: \"none\" }}).list(\"pods\");"));
    assert_eq!(count(), 2);
    with_variables(&script, &[("HTTPS_PROXY", &format!("http://{proxy}"))]);
    run(&script, &format!("k8s::connect(#{{ text: `{plain}` }}).list(\"pods\");"));
    assert_eq!(count(), 3);
    with_variables(&script, &[("NO_PROXY", "localhost")]);
    run(&script, &format!("k8s::connect(#{{ text: `{plain}` }}).list(\"pods\");"));
    assert_eq!(count(), 3);
    let wrong = kubeconfig(&format!("{cluster}, proxy-url: \"ftp://me:pa55word@{proxy}\""), "token: abcd");
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{wrong}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Parse);
    assert!(!format!("{fault:?}").contains("pa55word"), "{fault:?}");
}

#[test]
fn a_proxy_with_tls_and_a_login_leads_to_servers_with_tls_and_without() {
    let authority = Authority::new();
    let proxy = ProxyServer::start_secured(authority.server(&["localhost"], |_| {}), Some(("me", "pa55word")));
    let plain = Server::start(|_| list());
    let secure = Server::start_secured(authority.server(&["localhost"], |_| {}), |_| list());
    let (script, _folder) = script(&[]);
    for server in [&plain, &secure] {
        let cluster = format!(
            "server: \"{}\", certificate-authority-data: {}, proxy-url: \"{}\"",
            server.url(""),
            STANDARD.encode(authority.pem()),
            proxy.url("me:pa55word@")
        );
        let config = kubeconfig(&cluster, "token: abcd");
        run(&script, &format!("k8s::connect(#{{ text: `{config}` }}).list(\"pods\");"));
        let led = proxy.led_to();
        assert!(led.last().unwrap().ends_with(&server.address.port().to_string()), "{led:?}");
        let headers = &server.seen()[0].headers;
        assert_eq!(headers["authorization"], "Bearer abcd");
    }
    let stranger = format!("server: \"{}\", proxy-url: \"{}\"", secure.url(""), proxy.url("me:pa55word@"));
    let config = kubeconfig(&stranger, "token: abcd");
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{config}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Unreachable);
    assert!(fault.message.ends_with("nobody who is trusted vouches for it"), "{fault}");
}

#[test]
fn a_proxy_that_leads_nowhere_is_named() {
    let config =
        kubeconfig("server: \"https://127.0.0.1:9\", proxy-url: \"http://me:pa55word@127.0.0.1:9\"", "token: abcd");
    let (script, _folder) = script(&[]);
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{config}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Unreachable);
    assert!(fault.message.contains("through its proxy `127.0.0.1:9`: "), "{fault}");
    assert!(!format!("{fault:?}").contains("pa55word"), "{fault:?}");
}

/// A server with a certificate of its own, which was good for a while.
fn expired() -> (std::net::SocketAddr, String) {
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2021, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    runtime();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime().spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            // Whoever looks at the certificate hangs up.
            let _ = acceptor.accept(stream).await;
        }
    });
    (address, certificate.pem())
}

#[test]
fn a_server_whose_certificate_has_expired_is_told_as_such() {
    let (address, certificate) = expired();
    let cluster = format!(
        "server: \"https://localhost:{}\", certificate-authority-data: {}",
        address.port(),
        STANDARD.encode(certificate)
    );
    let (script, _folder) = script(&[]);
    let config = kubeconfig(&cluster, "token: abcd");
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{config}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Tls, "{fault:?}");
    assert!(fault.message.ends_with("has expired"), "{fault}");
    assert!(fault.hint.unwrap().contains("renew the server's certificate"));
}

#[test]
fn a_cluster_is_reached_with_the_kubeconfig_in_a_secret_of_another() {
    let inner = Server::start(|_| list());
    let config = STANDARD.encode(kubeconfig(&format!("server: \"{}\"", inner.url("")), "token: inner-token"));
    let answer = move |seen: &Seen| {
        let data = match seen.path.rsplit('/').next().unwrap() {
            "capi" => format!(r#"{{"other":"eA==","value":"{config}"}}"#),
            "kamaji" => format!(r#"{{"admin.svc":"eA==","super-admin.conf":"{config}","admin.conf":"eA=="}}"#),
            "single" => format!(r#"{{"kubeconfig-for-harvey":"{config}"}}"#),
            "empty" => "{}".to_owned(),
            _ => r#"{"one":"eA==","two":"eA=="}"#.to_owned(),
        };
        Reply::new(200, format!(r#"{{"kind":"Secret","metadata":{{"name":"s","namespace":"ns"}},"data":{data}}}"#))
    };
    let outer = Server::start(answer);
    let text = kubeconfig(&format!("server: \"{}\"", outer.url("")), "token: outer-token");
    let (script, _folder) = script(&[]);
    let connect = |options: &str| {
        format!(
            "let lab = k8s::connect(#{{ text: `{text}` }}); k8s::connect(#{{ from: lab, {options} }}).list(\"pods\");"
        )
    };
    for (secret, more) in
        [("capi", ""), ("kamaji", ""), ("single", ""), ("kamaji", ", key: \"super-admin.conf\", context: \"lab\"")]
    {
        run(&script, &connect(&format!("secret: \"ns/{secret}\"{more}")));
    }
    assert_eq!(authorizations(&inner), ["Bearer inner-token"; 4]);
    for (options, kind, part) in [
        ("secret: \"ns/empty\"", Kind::NotFound, "none of the keys value"),
        ("secret: \"ns/many\"", Kind::NotFound, "none of the keys value"),
        ("secret: \"ns/capi\", key: \"valu\"", Kind::NotFound, "no key `valu`"),
        ("secret: \"ns/capi\", key: \"other\"", Kind::Parse, "secret/capi in ns, key other"),
        ("secret: \"capi\"", Kind::Usage, "names no Secret"),
        ("context: \"lab\"", Kind::Usage, "go together"),
    ] {
        let fault = script.fault(&connect(options));
        assert_eq!(fault.kind, kind, "{options}: {fault:?}");
        assert!(fault.message.contains(part), "{options}: {fault}");
    }
    assert_eq!(script.fault("k8s::connect(#{ secret: \"ns/a\", from: 3 })").kind, Kind::Usage);
}
