//! Redis as its own server speaks it.

use std::{thread, time::Duration};

use cozyscript::{
    event::{EffectEnd, What},
    script::fault::{Fault, Kind},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::support::{
    Planned, Script,
    daemon::{Daemon, free_port, redis},
};

fn script() -> (Script, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Script::new(&cozyscript::bindings::all(), folder.path()), folder)
}

/// The text with `store`, a connection to the server.
fn with(server: &Daemon, text: &str) -> String {
    format!("let store = redis::connect(\"{}\"); {text}", server.address())
}

/// Runs a text whose value doesn't matter.
fn run(script: &Script, text: &str) {
    shown(script, text);
}

fn shown(script: &Script, text: &str) -> String {
    script.run(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

fn kind_and_hint(fault: &Fault) -> (Kind, &str) {
    (fault.kind, fault.hint.as_deref().unwrap_or_default())
}

#[test]
fn values_are_typed_in_both_versions_of_the_protocol() {
    let Some(server) = redis(&[]) else { return };
    let (script, _folder) = script();
    for protocol in [2, 3] {
        let text = format!(
            r#"let store = redis::connect("{}", #{{ protocol: {protocol} }});
               store.del(["text", "number", "list", "hash", "bytes"]);
               store.set("text", "hello");
               store.set("number", 41);
               store.command(["RPUSH", "list", "a", 2]);
               store.command(["HSET", "hash", "field", "value"]);
               let unreadable = blob(2, 0xff);
               store.set("bytes", unreadable);
               [store.get("text"), store.incr("number"), store.get("nothing"), store.command(["LRANGE", "list", 0, -1]),
                type_of(store.get("bytes")), store.ping() > 0.s, store.command(["HGET", "hash", "field"])]"#,
            server.address()
        );
        assert_eq!(shown(&script, &text), r#"["hello", 42, (), ["a", "2"], "blob", true, "value"]"#);
    }
    assert_eq!(shown(&script, &with(&server, r#"store.command(["HGETALL", "hash"]).field"#)), "value");
    let told = shown(
        &script,
        &with(
            &server,
            "let info = store.info(); [info.replication.role, type_of(info.server.tcp_port), info.server.redis_mode]",
        ),
    );
    assert_eq!(told, r#"["master", "i64", "standalone"]"#);
}

#[test]
fn keys_expire_and_are_set_only_when_they_may_be() {
    let Some(server) = redis(&[]) else { return };
    let (script, _folder) = script();
    let text = r#"
        let first = store.set("lock", "me", #{ ex: "30s", nx: true });
        let second = store.set("lock", "you", #{ nx: true });
        let left = store.ttl("lock");
        let set = store.set("absent", 1, #{ xx: true });
        store.set("lock", "again", #{ keep_ttl: true });
        let kept = store.ttl("lock") > 20.s;
        store.set("lasting", 1);
        let expired = store.expire("lasting", "50ms");
        sleep("80ms");
        [first, second, left > 20.s && left <= 30.s, set, kept, expired, store.get("lasting"), store.expire("nobody", 1),
         store.del(["lock", "nobody"])]"#;
    assert_eq!(shown(&script, &with(&server, text)), "[true, false, true, false, true, true, (), false, 1]");
    assert_eq!(shown(&script, &with(&server, r#"store.set("k", 1); store.ttl("k")"#)), "");
    let fault = script.fault(&with(&server, r#"store.ttl("nobody")"#));
    assert_eq!(fault.kind, Kind::NotFound);
    let fault = script.fault(&with(&server, r#"store.set("k", 1, #{ nx: true, xx: true })"#));
    assert_eq!(fault.message, "options `nx` and `xx` contradict each other");
    let fault = script.fault(&with(&server, r#"store.command(["LPUSH", "list", 1]); store.get("list")"#));
    assert_eq!((fault.kind, fault.notes[0].contains("wrong kind of value")), (Kind::Invalid, true), "{fault:?}");
}

#[test]
fn changes_are_announced_and_questions_are_not() {
    let Some(server) = redis(&[]) else { return };
    let (script, _folder) = script();
    run(
        &script,
        &with(
            &server,
            r#"store.set("a", 1); store.get("a"); store.command(["STRLEN", "a"]); store.command(["info"]); store.command(["PING"]); store.incr("a"); store.command(["APPEND", "a", "0"]);"#,
        ),
    );
    let announced: Vec<(String, bool)> = (script.recorded.effects.lock().unwrap().iter())
        .map(|(effect, _)| {
            (format!("{} {}", effect.verb, effect.object).replace(&server.address(), "HERE"), effect.repeatable)
        })
        .collect();
    let expected = [("SET HERE: a", true), ("INCRBY HERE: a 1", false), ("APPEND HERE: a 0", false)];
    assert_eq!(announced, expected.map(|(shown, repeatable)| (shown.to_owned(), repeatable)));

    // What was done is not done again, and what is in doubt is asked about.
    script.recorded.decisions.lock().unwrap().push(Planned::Done(serde_json::json!({ "value": 7 })));
    assert_eq!(shown(&script, &with(&server, r#"store.incr("a")"#)), "7");
    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    let (_, stopped) = script.end(&with(&server, r#"store.incr("a")"#));
    assert!(stopped.unwrap().to_string().contains("leaves nothing behind"));
    assert_eq!(shown(&script, &with(&server, r#"store.get("a")"#)), "20");
}

#[test]
fn a_password_is_wanted_given_and_never_shown() {
    let Some(server) = redis(&["--requirepass", "open-sesame"]) else { return };
    let (script, _folder) = script();
    let fault = script.fault(&format!("redis::ping(\"{}\")", server.address()));
    assert_eq!(
        kind_and_hint(&fault),
        (Kind::Unauthenticated, "give it as the option `password`, such as `secret::env(\"REDIS_PASSWORD\")`")
    );
    let connect = |options: &str| format!("let store = redis::connect(\"{}\", #{{ {options} }});", server.address());
    let fault = script.fault(&connect(r#"password: "wrong-password""#));
    assert_eq!(
        kind_and_hint(&fault),
        (Kind::Unauthenticated, "check the options `user` and `password`; a server without a password wants none")
    );
    let right = connect(r#"password: secret::of("open-sesame", "password")"#);
    assert_eq!(
        shown(
            &script,
            &format!(
                r#"{right} print("open-sesame"); store.set("said", secret::of("open-sesame", "password")); store.get("said").len()"#
            )
        ),
        "11"
    );
    let everything = format!("{:?} {:?}", script.events(), script.recorded.effects.lock().unwrap());
    assert!(everything.contains("[secret password]") && !everything.contains("open-sesame"), "{everything}");

    run(
        &script,
        &format!(
            r#"{right} store.command(["ACL", "SETUSER", "reader", "on", ">read-only", "~*", "+get", "+hello", "+client"])"#
        ),
    );
    let reader = connect(r#"user: "reader", password: "read-only""#);
    let fault = script.fault(&format!(r#"{reader} store.set("a", 1)"#));
    assert_eq!(fault.kind, Kind::Denied, "{fault:?}");
}

#[test]
fn tls_is_verified_unless_the_script_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["redis.test".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    std::fs::write(file("ca.crt"), authority.pem()).unwrap();
    std::fs::write(file("redis.crt"), certificate.pem()).unwrap();
    std::fs::write(file("redis.key"), key.serialize_pem()).unwrap();
    let arguments = [
        "--port",
        "0",
        "--tls-port",
        "PORT",
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        &file("redis.crt"),
        "--tls-key-file",
        &file("redis.key"),
        "--tls-ca-cert-file",
        &file("ca.crt"),
    ];
    let Some(server) = Daemon::start("redis-server", &arguments) else { return };
    let script = Script::new(&cozyscript::bindings::all(), folder.path());
    let ping = |options: &str| format!("redis::connect(\"{}\", #{{ {options} }}).ping()", server.address());
    run(&script, &ping(r#"tls: true, ca: "ca.crt", server_name: "redis.test""#));
    assert_eq!(script.fault(&ping("tls: true")).kind, Kind::Tls);
    let fault = script.fault(&ping(r#"tls: true, ca: "ca.crt""#));
    assert_eq!(fault.kind, Kind::Tls, "{fault:?}");
    run(&script, &ping("tls: true, insecure: true"));
    let warned = script
        .events()
        .into_iter()
        .any(|what| matches!(what, What::Warned { text } if text.contains("nobody checks who answers")));
    assert!(warned);
    assert_eq!(script.fault(&ping(r#"ca: "ca.crt""#)).kind, Kind::Usage);
    // In clear to a port that speaks TLS.
    let fault = script.fault(&ping("timeout: \"2s\""));
    assert!(matches!(fault.kind, Kind::Unreachable | Kind::Unavailable | Kind::Timeout), "{fault:?}");
}

#[test]
fn a_change_whose_server_dies_is_in_doubt() {
    let Some(mut server) = redis(&[]) else { return };
    let (script, _folder) = script();
    let text = with(&server, r#"store.command(["BLPOP", "queue", 0])"#);
    let killer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        server.kill();
    });
    let fault = script.fault(&text);
    killer.join().unwrap();
    assert_eq!(fault.kind, Kind::InDoubt, "{fault:?}");
    assert_eq!(script.recorded.effects.lock().unwrap()[0].1.as_ref().unwrap().0, EffectEnd::InDoubt);
}

#[test]
fn a_connection_that_was_lost_is_made_again() {
    let Some(mut server) = redis(&[]) else { return };
    let port = server.port;
    let (script, _folder) = script();
    run(&script, &with(&server, r#"store.set("a", 1)"#));
    let restarter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        server.kill();
        Daemon::start_at("redis-server", port, &["--port", "PORT", "--save", ""]).unwrap()
    });
    let again = format!(
        r#"let store = redis::connect("127.0.0.1:{port}"); sleep("1s"); redis::wait("127.0.0.1:{port}"); [store.get("a"), store.set("a", 2), store.incr("a")]"#
    );
    assert_eq!(shown(&script, &again), "[(), true, 3]");
    drop(restarter.join().unwrap());
}

#[test]
fn a_server_that_is_not_there_yet_or_still_loading_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let keeps = [
        "--port",
        "PORT",
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--rdbcompression",
        "no",
        "--dir",
        folder.path().to_str().unwrap(),
    ];
    let port = free_port();
    let Some(mut server) = Daemon::start_at("redis-server", port, &keeps) else { return };
    let (script, _folder) = script();
    let keys = r#"let large = ""; large.pad(2000, 'x'); for key in 0..40 { store.set(`key-${key}`, large + key); } store.command(["SAVE"]);"#;
    run(&script, &with(&server, keys));
    server.kill();
    assert_eq!(script.fault(&format!("redis::ping(\"127.0.0.1:{port}\")")).kind, Kind::Unreachable);

    // Each key takes 50 ms to load.
    let slowly =
        [&keeps[..], &["--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024"]].concat();
    let slowly: Vec<String> = slowly.into_iter().map(str::to_owned).collect();
    let starter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        let slowly: Vec<&str> = slowly.iter().map(String::as_str).collect();
        Daemon::start_at("redis-server", port, &slowly).unwrap()
    });
    let text = format!(
        r#"redis::wait("127.0.0.1:{port}", #{{ interval: "50ms", timeout: "30s" }}).get("key-7").sub_string(2000)"#
    );
    assert_eq!(shown(&script, &text), "7");
    drop(starter.join().unwrap());
    let because: Vec<String> = (script.events().into_iter())
        .filter_map(|what| match what {
            What::WaitChanged { because, .. } => Some(because),
            _ => None,
        })
        .collect();
    assert!(because.iter().any(|why| why.contains("connection refused")), "{because:?}");
    assert!(because.iter().any(|why| why.contains("is still loading its data")), "{because:?}");
}

#[test]
fn whoever_is_no_redis_is_told_apart() {
    let (script, _folder) = script();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let fault = script.fault(&format!("redis::connect(\"{address}\", #{{ timeout: \"200ms\" }})"));
    assert_eq!(fault.kind, Kind::Timeout);
    let web = crate::support::server::Server::start(|_| crate::support::server::Reply::new(400, "what?"));
    let fault = script.fault(&format!("redis::connect(\"{}\")", web.address));
    assert_eq!(fault.kind, Kind::Unavailable, "{fault:?}");
    assert_eq!(script.fault(r#"redis::connect("host:port")"#).kind, Kind::Usage);
    assert_eq!(script.fault(r#"redis::connect("127.0.0.1:1", #{ protocol: 4 })"#).kind, Kind::Usage);
}
