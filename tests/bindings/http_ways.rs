//! The ways that a request takes: TLS in all its failures, detours, tunnels and proxies.

use std::{io, sync::Arc};

use cozyscript::{
    event::What,
    host::{
        dial::{Dial, Stream},
        real::Tcp,
        tunnel::Tunnel,
    },
    script::fault::Kind,
};
use futures::future::BoxFuture;
use rcgen::date_time_ymd;

use super::{run, script};
use crate::support::{
    Script,
    certificates::Authority,
    proxy::{Kind as ProxyKind, ProxyServer},
    server::{Reply, Server},
};

fn hello(_: &crate::support::server::Seen) -> Reply {
    Reply::new(200, "hello")
}

#[test]
fn http2_is_spoken_with_those_who_agree_on_it() {
    let authority = Authority::new();
    let mut settings = authority.server(&["localhost"], |_| {});
    settings.alpn_protocols = vec![b"h2".to_vec()];
    let server = Server::start_secured(settings, |_| Reply::new(200, "both").header("x-id", "7"));
    let (script, _folder) = script(&[("ca.pem", &authority.pem())]);
    let url = server.url("/a?b=c");
    let claims = r#"answer.version == "HTTP/2.0" && answer.text == "both" && answer.headers["x-id"] == "7""#;
    assert!(script.value::<bool>(&format!("let answer = http::get(\"{url}\", #{{ ca: \"ca.pem\" }}); {claims}")));
    assert_eq!(server.seen()[0].path, url);
}

#[test]
fn each_reason_not_to_trust_a_server_is_told() {
    let authority = Authority::new();
    let expired = authority.server(&["localhost"], |params| params.not_after = date_time_ymd(2020, 1, 2));
    let early = authority.server(&["localhost"], |params| params.not_before = date_time_ymd(2090, 1, 2));
    let other = authority.server(&["example.org", "10.0.0.1"], |_| {});
    let (script, _folder) = script(&[("ca.pem", &authority.pem())]);
    for (settings, wrong) in [
        (expired, "its certificate has expired, at 2020-01-02T00:00:00Z"),
        (early, "its certificate is not valid before 2090-01-02T00:00:00Z"),
        (other, "its certificate is not for `localhost` but for `example.org`, `10.0.0.1`"),
        (
            Authority::new().server(&["localhost"], |_| {}),
            "its certificate is not trusted: nobody who is trusted vouches for it",
        ),
    ] {
        let server = Server::start_secured(settings, hello);
        let url = server.url("/");
        let fault = script.fault(&format!("http::get(\"{url}\", #{{ ca: \"ca.pem\" }})"));
        let place = format!("localhost:{}", server.address.port());
        assert_eq!((fault.kind, fault.message), (Kind::Tls, format!("`{place}` can't be trusted: {wrong}")));
        assert_eq!(script.value::<String>(&format!("http::get(\"{url}\", #{{ insecure: true }}).text")), "hello");
        assert!(server.seen().len() == 1, "nothing was asked of whom we don't trust");
    }
}

#[test]
fn a_server_that_wants_to_know_who_asks_is_shown_a_certificate() {
    let authority = Authority::new();
    let server = Server::start_secured(authority.server_for_known_clients(&["localhost"]), hello);
    let (certificate, key) = authority.client();
    let (stranger, strange_key) = Authority::new().client();
    let both = format!("{certificate}{key}");
    let files = [
        ("ca.pem", authority.pem()),
        ("me.pem", certificate),
        ("key.pem", key),
        ("both.pem", both),
        ("stranger.pem", stranger),
        ("strange-key.pem", strange_key),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (script, _folder) = script(&files);
    let url = server.url("/");
    for identity in [
        r#"client_certificate: "me.pem", client_key: "key.pem""#,
        r#"client_certificate: "me.pem", client_key: secret::file("key.pem")"#,
        r#"client_certificate: "both.pem""#,
    ] {
        let get = format!("http::get(\"{url}\", #{{ ca: \"ca.pem\", {identity} }}).text");
        assert_eq!(script.value::<String>(&get), "hello", "{identity}");
    }
    let asked = server.seen().len();
    for (verb, identity, kind, wrong) in [
        ("get", "", Kind::Tls, "it wants a client certificate"),
        ("post", "", Kind::Tls, "it wants a client certificate"),
        (
            "get",
            r#", client_certificate: "stranger.pem", client_key: "strange-key.pem""#,
            Kind::Tls,
            "it does not accept our client certificate",
        ),
        (
            "get",
            r#", client_certificate: "me.pem", client_key: "strange-key.pem""#,
            Kind::Tls,
            "the client certificate with its key can't be used",
        ),
        ("get", r#", client_certificate: "ca.pem""#, Kind::Tls, "the client key can't be used"),
        ("get", r#", client_key: "key.pem""#, Kind::Usage, "`client_key` is of no use without `client_certificate`"),
    ] {
        let body = if verb == "post" { "(), " } else { "" };
        let call = format!("http::{verb}(\"{url}\", {body}#{{ ca: \"ca.pem\"{identity} }})");
        let fault = script.fault(&call);
        assert_eq!(fault.kind, kind, "{call}: {fault}");
        assert!(fault.message.contains(wrong), "{call}: {fault}");
    }
    assert_eq!(server.seen().len(), asked);
}

#[test]
fn an_answer_says_what_certificate_it_came_with_and_how_long_its_parts_took() {
    let authority = Authority::new();
    let server = Server::start_secured(authority.server(&["localhost", "127.0.0.1"], |_| {}), hello);
    let (script, _folder) = script(&[("ca.pem", &authority.pem())]);
    let claims = r#"
        let c = answer.certificate;
        let t = answer.timings;
        c.names == ["localhost", "127.0.0.1"] && c.valid && c.days_left > 1000 && c.key == "ECDSA P-256"
            && c.fingerprint.len == 95 && c.chain.len == 0 && !c.authority && time::parse(c.not_after) > now()
            && t.tls > 0.s && t.first_byte > 0.s && t.total >= t.tls + t.first_byte && t.dns < 5.s && t.connect < 5.s
            && answer.elapsed >= t.total
    "#;
    let url = server.url("/");
    assert!(script.value::<bool>(&format!("let answer = http::get(\"{url}\", #{{ ca: \"ca.pem\" }}); {claims}")));
    let plain = Server::start(hello);
    run(
        &script,
        &format!("let answer = http::get(\"{}\"); if answer.certificate != () {{ fail(\"!\") }}", plain.url("/")),
    );
}

#[test]
fn a_detour_keeps_the_name_for_the_server_and_for_tls() {
    let authority = Authority::new();
    let server = Server::start_secured(authority.server(&["site.example.org"], |_| {}), hello);
    let port = server.address.port();
    let (script, _folder) = script(&[("ca.pem", &authority.pem())]);
    for (url, resolve) in [
        ("https://site.example.org/".to_owned(), format!("127.0.0.1:{port}")),
        (format!("https://site.example.org:{port}/"), "127.0.0.1".to_owned()),
    ] {
        run(&script, &format!("http::get(\"{url}\", #{{ ca: \"ca.pem\", resolve: \"{resolve}\" }})"));
    }
    let hosts: Vec<String> = server.seen().iter().map(|seen| seen.headers["host"].clone()).collect();
    assert_eq!(hosts, ["site.example.org".to_owned(), format!("site.example.org:{port}")]);
    let url = format!("https://127.0.0.1:{port}/");
    run(&script, &format!("http::get(\"{url}\", #{{ ca: \"ca.pem\", server_name: \"site.example.org\" }})"));
    let fault = script.fault("http::get(\"https://a.org\", #{ resolve: \"a b\" })");
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (Kind::Usage, "option `resolve`: `a b` is neither a name nor an address")
    );
}

#[test]
fn a_detour_and_a_client_certificate_are_not_for_other_servers() {
    let authority = Authority::new();
    let elsewhere = Server::start_secured(authority.server_for_known_clients(&["localhost"]), hello);
    let away = elsewhere.url("/");
    let here = Server::start(move |_| Reply::new(302, "").header("location", away.clone()));
    let (certificate, key) = authority.client();
    let (script, _folder) = script(&[("ca.pem", &authority.pem()), ("me.pem", &format!("{certificate}{key}"))]);
    let port = here.address.port();
    let options = format!("#{{ ca: \"ca.pem\", client_certificate: \"me.pem\", resolve: \"127.0.0.1:{port}\" }}");
    let fault = script.fault(&format!("http::get(\"http://site.example.org/\", {options})"));
    assert!(fault.message.ends_with("it wants a client certificate"), "{fault}");
}

/// Leads to a server, or says why not.
struct Way(Option<u16>);

impl Dial for Way {
    fn dial(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        match self.0 {
            Some(port) => Tcp.dial("127.0.0.1", port),
            None => {
                let fault = cozyscript::script::fault::Fault::new(Kind::NotFound, "pod `web-0` is not in `lab`");
                Box::pin(async move { Err(io::Error::other(fault)) })
            }
        }
    }
}

fn through(script: &Script, port: Option<u16>, call: &str) -> Result<rhai::Dynamic, Box<rhai::EvalAltResult>> {
    let tunnel = Tunnel::new("svc/web:80 in guestbook of lab", "web", 80, Arc::new(Way(port)));
    script.run_with(&[("tunnel", rhai::Dynamic::from(tunnel))], call)
}

#[test]
fn a_tunnel_leads_to_a_server_that_has_no_name_here() {
    let server = Server::start(hello);
    let (script, _folder) = script(&[]);
    let get = "http::get(\"http://web.guestbook/\", #{ through: tunnel }).text";
    let text = through(&script, Some(server.address.port()), get).unwrap();
    assert_eq!(text.into_string().unwrap(), "hello");
    assert_eq!(server.seen()[0].headers["host"], "web.guestbook");
    let caught = format!("let said = (); try {{ {get} }} catch (fault) {{ said = [fault.kind, fault.message] }} said");
    let said = through(&script, None, &caught).unwrap();
    assert_eq!(format!("{said:?}"), r#"["not_found", "pod `web-0` is not in `lab`"]"#);
}

#[test]
fn proxies_are_taken_from_the_option_or_the_environment() {
    let server = Server::start(hello);
    let (secure, authority) = Server::start_with_tls(hello);
    let (script, _folder) = script(&[("ca.pem", &authority)]);
    let proxy = ProxyServer::start(ProxyKind::Http, Some(("operator", "geheim")));
    let socks = ProxyServer::start(ProxyKind::Socks, None);
    let (plain, secured) = (server.url("/"), secure.url("/"));
    let login = proxy.url("operator:geheim@");
    run(&script, &format!("http::get(\"{plain}\", #{{ proxy: \"{login}\" }})"));
    run(
        &script,
        &format!("http::get(\"{secured}\", #{{ ca: \"ca.pem\", proxy: secret::of(\"{login}\", \"proxy\") }})"),
    );
    assert_eq!(proxy.led_to().len(), 2);
    assert_eq!(server.seen()[0].path, "/");
    run(&script, &format!("http::get(\"{plain}\", #{{ proxy: \"{}\" }})", socks.url("")));
    assert_eq!(socks.led_to(), [server.address.to_string()]);

    script.recorded.variables.lock().unwrap().insert("http_proxy".into(), login);
    run(&script, &format!("http::get(\"{plain}\")"));
    assert_eq!(proxy.led_to().len(), 3);
    run(&script, &format!("http::get(\"{plain}\", #{{ proxy: false }})"));
    assert_eq!(proxy.led_to().len(), 3);
    let fault = script.fault(&format!("http::get(\"{plain}\", #{{ proxy: \"{}\" }})", proxy.url("operator:wrong@")));
    assert_eq!(fault.kind, Kind::Status, "a request in clear has the proxy's own answer");
    let fault = script.fault(&format!("http::get(\"{secured}\", #{{ proxy: \"{}\" }})", proxy.url("operator:wrong@")));
    let place = format!("localhost:{}", secure.address.port());
    let expected = format!(
        "no connection to `{place}`: its proxy `{}`: it does not accept the login of `operator`",
        proxy.address
    );
    assert_eq!((fault.kind, fault.message), (Kind::Unreachable, expected));
    let told = script.events().into_iter().any(|what| matches!(what, What::Warned { .. }));
    assert!(!told, "nothing of this deserves a warning");
}

#[test]
fn a_certificate_is_judged_by_the_clock_of_the_host() {
    let authority = Authority::new();
    let settings = authority.server(&["localhost"], |params| params.not_before = date_time_ymd(2090, 1, 2));
    let server = Server::start_secured(settings, hello);
    let (mut script, _folder) = script(&[("ca.pem", &authority.pem())]);
    let get = format!("http::get(\"{}\", #{{ ca: \"ca.pem\" }}).certificate.days_left", server.url("/"));
    assert_eq!(script.fault(&get).kind, Kind::Tls);
    script.set_clock("2095-01-01T00:00:00Z");
    assert!(script.value::<i64>(&get) > 100_000);
}

#[test]
fn a_proxy_that_wants_tls_is_verified_and_takes_both_kinds_of_requests() {
    let (server, authority) = (Server::start(hello), Authority::new());
    let secure = Server::start_secured(authority.server(&["localhost"], |_| {}), hello);
    let proxy = ProxyServer::start_secured(authority.server(&["localhost"], |_| {}), Some(("operator", "geheim")));
    let (script, _folder) = script(&[("ca.pem", &authority.pem()), ("other.pem", &Authority::new().pem())]);
    let login = proxy.url("operator:geheim@");
    for server in [&server, &secure] {
        run(&script, &format!("http::get(\"{}\", #{{ ca: \"ca.pem\", proxy: \"{login}\" }})", server.url("/")));
    }
    let places: Vec<String> = proxy.led_to().iter().map(|to| to.rsplit(':').next().unwrap().to_owned()).collect();
    assert_eq!(places, [server.address.port().to_string(), secure.address.port().to_string()]);

    // Trusting anybody means servers, not who leads to them.
    for trust in ["insecure: true", "ca: \"other.pem\""] {
        let fault = script.fault(&format!("http::get(\"{}\", #{{ {trust}, proxy: \"{login}\" }})", secure.url("/")));
        let place = format!("localhost:{}", proxy.address.port());
        let expected = format!(
            "no connection to `localhost:{}`: its proxy `{place}`: its certificate is not trusted: nobody who is trusted vouches for it",
            secure.address.port()
        );
        assert_eq!((fault.kind, fault.message), (Kind::Unreachable, expected), "{trust}");
    }
    assert_eq!(proxy.led_to().len(), 2);
}
