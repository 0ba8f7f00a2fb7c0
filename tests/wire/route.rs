use std::{net::TcpListener, time::Duration};

use cozyscript::{
    host::Host,
    wire::{
        authority::Authority,
        failure::Unconnected,
        proxy::Proxy,
        route::{Connected, Route},
        tls::{Settings, Tls, Trust},
    },
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    Script,
    proxy::{Kind, ProxyServer},
    runtime,
    server::{Reply, Server},
};

fn script() -> Script {
    Script::new(&[], std::env::temp_dir())
}

fn route(host: &Host) -> Route {
    Route::of(host, Duration::from_secs(10))
}

fn connect(route: &Route, to: &str, tls: Option<&Tls>) -> Result<Connected, Unconnected> {
    runtime().block_on(route.connect(&Authority::parse(to, None).unwrap(), tls))
}

fn failure(route: &Route, to: &str, tls: Option<&Tls>) -> String {
    match connect(route, to, tls) {
        Ok(_) => panic!("`{to}` was connected to"),
        Err(error) => error.to_string(),
    }
}

fn answered(connected: Connected) -> String {
    let mut stream = connected.stream;
    runtime().block_on(async {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text.rsplit("\r\n").next().unwrap().to_owned()
    })
}

fn trusting(host: &Host, trust: Trust, name: Option<&str>) -> Tls {
    Tls::new(host, &Settings { trust, identity: None, server_name: name.map(str::to_owned) }).unwrap()
}

#[test]
fn each_step_that_fails_has_its_own_words() {
    let script = script();
    let route = Route::of(&script.host, Duration::from_millis(300));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(failure(&route, &free, None), "connection refused");

    let tls = trusting(&script.host, Trust::Anybody, None);
    let rude = Server::start(|_| Reply::reset());
    let told = failure(&route, &rude.address.to_string(), Some(&tls));
    assert_eq!(told, "it hung up during the TLS handshake");

    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let told = failure(&route, &mute.local_addr().unwrap().to_string(), Some(&tls));
    assert_eq!(told, "it did not end its TLS handshake in time");

    let plain = Server::start(|_| Reply::new(200, ""));
    let told = failure(&route, &plain.address.to_string(), Some(&tls));
    assert_eq!(told, "it does not speak TLS at that port");
}

#[test]
fn a_detour_keeps_the_name_that_is_asked_for() {
    let (server, authority) = Server::start_with_tls(|_| Reply::new(200, "here"));
    let script = script();
    let own = Trust::Authority(authority.into_bytes().into());
    let tls = trusting(&script.host, own.clone(), None);
    let detour = Route { instead: Some(Authority::new("127.0.0.1", server.address.port())), ..route(&script.host) };
    let connected = connect(&detour, "localhost:443", Some(&tls)).unwrap();
    assert_eq!(connected.certificates.len(), 1);
    assert_eq!(answered(connected), "here");

    let told = failure(&detour, "example.org:443", Some(&tls));
    assert_eq!(told, "its certificate is not for `example.org` but for `localhost`");
    let named = trusting(&script.host, own, Some("localhost"));
    assert_eq!(answered(connect(&detour, "example.org:443", Some(&named)).unwrap()), "here");
}

#[test]
fn proxies_of_both_kinds_lead_to_the_server_and_look_up_its_name() {
    let (server, authority) = Server::start_with_tls(|_| Reply::new(200, "led"));
    let script = script();
    let tls = trusting(&script.host, Trust::Authority(authority.into_bytes().into()), None);
    let to = format!("localhost:{}", server.address.port());
    for kind in [Kind::Http, Kind::Socks] {
        let proxy = ProxyServer::start(kind, Some(("operator", "pass:word")));
        let url = proxy.url("operator:pass%3Aword@");
        let through =
            Route { proxy: Some(Proxy::parse(&script.host, &url, &Trust::System).unwrap()), ..route(&script.host) };
        assert_eq!(answered(connect(&through, &to, Some(&tls)).unwrap()), "led");
        assert_eq!(proxy.led_to(), std::slice::from_ref(&to), "{kind:?}");
    }
}

#[test]
fn what_a_proxy_refuses_is_told_as_its_own_words() {
    let script = script();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (kind, login, needs, wrong) in [
        (Kind::Http, "", true, "it wants a login"),
        (Kind::Socks, "", true, "it wants a login"),
        (Kind::Http, "operator:wrong@", true, "it does not accept the login of `operator`"),
        (Kind::Socks, "operator:wrong@", true, "it does not accept the login of `operator`"),
        (Kind::Http, "", false, "it answered 502 Bad Gateway when it was asked for `ADDRESS`"),
        (Kind::Socks, "", false, "it was asked for `ADDRESS` and says: connection refused"),
    ] {
        let proxy = ProxyServer::start(kind, needs.then_some(("operator", "password")));
        let through = Route {
            proxy: Some(Proxy::parse(&script.host, &proxy.url(login), &Trust::System).unwrap()),
            ..route(&script.host)
        };
        let tls = trusting(&script.host, Trust::Anybody, None);
        let wrong = wrong.replace("ADDRESS", &free);
        let expected = format!("its proxy `{}`: {wrong}", proxy.address);
        assert_eq!(failure(&through, &free, Some(&tls)), expected);
    }
    let through = Route {
        proxy: Some(Proxy::parse(&script.host, &format!("http://{free}"), &Trust::System).unwrap()),
        ..route(&script.host)
    };
    assert_eq!(failure(&through, "example.org:443", None), format!("its proxy `{free}`: connection refused"));
}

#[test]
fn the_environment_names_proxies_as_curl_reads_it() {
    let script = script();
    let proxy_for = |secure: bool, to: &str, variables: &[(&str, &str)]| {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        *script.recorded.variables.lock().unwrap() = variables;
        let proxy = Proxy::of_environment(&script.host, secure, &Authority::parse(to, None).unwrap(), &Trust::System);
        proxy.map(|proxy| proxy.map(|proxy| proxy.shown()))
    };
    let is = |shown: &str| Ok(Some(shown.to_owned()));
    assert_eq!(proxy_for(true, "a.org:443", &[]), Ok(None));
    assert_eq!(proxy_for(true, "a.org:443", &[("HTTPS_PROXY", "http://p:3128")]), is("p:3128"));
    assert_eq!(proxy_for(true, "a.org:443", &[("all_proxy", "socks5://p"), ("https_proxy", "")]), is("p:1080"));
    assert_eq!(proxy_for(false, "a.org:80", &[("HTTP_PROXY", "http://p:3128")]), Ok(None));
    assert_eq!(proxy_for(false, "a.org:80", &[("http_proxy", "p:3128")]), is("p:3128"));
    for (list, to, left_out) in [
        ("a.org", "a.org:443", true),
        ("a.org", "b.a.org:443", true),
        (".a.org, other", "b.a.org:443", true),
        ("a.org", "aa.org:443", false),
        ("10.0.0.0/8", "10.1.2.3:443", true),
        ("10.0.0.0/8", "11.1.2.3:443", false),
        ("fd00::/8", "[fd00::1]:443", true),
        ("*", "a.org:443", true),
    ] {
        let found = proxy_for(true, to, &[("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", list)]);
        assert_eq!(found == Ok(None), left_out, "{list} and {to}: {found:?}");
    }
    let wrong = proxy_for(true, "a.org:443", &[("HTTPS_PROXY", "ftp://me:secret@p")]).unwrap_err();
    assert_eq!(wrong, "the variable `HTTPS_PROXY` names no proxy: a proxy is `http`, `https` or `socks5`, not `ftp`");
}
