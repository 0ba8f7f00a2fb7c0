use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use cozyscript::{
    event::{EffectEnd, WaitEnd, What},
    host::ask::Answer,
    script::fault::Kind,
};

use super::{run, script};
use crate::support::{
    Planned, Script,
    server::{Reply, Server},
};

/// An address on loopback at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn warnings(script: &Script) -> Vec<String> {
    let warned = |what| match what {
        What::Warned { text } => Some(text),
        _ => None,
    };
    script.events().into_iter().filter_map(warned).collect()
}

#[test]
fn an_answer_has_its_status_headers_text_and_json() {
    let server = Server::start(|_| {
        Reply::new(200, r#"{"a": [1, {"b": "c"}]}"#).header("X-Thing", "one").header("x-thing", "two")
    });
    let (script, _folder) = script(&[]);
    let claims = r#"
        answer.status == 200 && answer.ok && answer.text.contains("\"b\"") && answer.json().a[1].b == "c"
            && answer.headers["x-THING"] == "one, two" && answer.headers.nothing == () && answer.size == 22
            && answer.elapsed < 30.s && !answer.assumed && "content-length" in answer.headers.keys()
            && `${answer}` == "200 OK from " + answer.url
    "#;
    assert!(script.value::<bool>(&format!("let answer = http::get(\"{}\"); {claims}", server.url("/x?y=1"))));
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/x?y=1"));
    assert_eq!(seen.headers["accept-encoding"], "gzip,deflate");
    assert!(seen.headers["user-agent"].starts_with("cozyscript/"));
}

#[test]
fn options_become_headers() {
    let server = Server::start(|_| Reply::new(204, ""));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    run(
        &script,
        &format!(r#"http::get("{url}", #{{ headers: #{{ accept: "text/html" }}, bearer: secret::of("abcd", "t") }})"#),
    );
    run(&script, &format!(r#"http::get("{url}", #{{ basic: #{{ user: "admin", password: "abcd" }} }})"#));
    let seen = server.seen();
    assert_eq!(seen[0].headers["accept"], "text/html");
    assert_eq!(seen[0].headers["authorization"], "Bearer abcd");
    assert_eq!(seen[1].headers["authorization"], "Basic YWRtaW46YWJjZA==");
}

#[test]
fn an_unexpected_status_is_a_fault_with_the_beginning_of_the_body() {
    let server = Server::start(|_| Reply::new(500, format!("no disk left{}", "x".repeat(1000))));
    let (script, _folder) = script(&[]);
    let url = server.url("/api");
    let fault = script.fault(&format!("\n  http::get(\"{url}\")"));
    assert_eq!((fault.kind, fault.status), (Kind::Status, Some(500)));
    assert_eq!(fault.message, format!("`GET {url}` answered 500 Internal Server Error, not 2xx"));
    assert!(fault.notes[0].starts_with("it said: no disk left") && fault.notes[0].len() < 400, "{:?}", fault.notes);
    assert_eq!(fault.place.unwrap().line, 2);
    for expect in ["500", "[200, 500]", r#""5xx""#, r#""any""#] {
        assert_eq!(script.value::<i64>(&format!("http::get(\"{url}\", #{{ expect: {expect} }}).status")), 500);
    }
    assert_eq!(script.fault(&format!("http::get(\"{url}\", #{{ expect: \"good\" }})")).kind, Kind::Usage);
}

#[test]
fn a_refused_connection_names_host_and_port() {
    let (script, _folder) = script(&[]);
    let address = nobody();
    let fault = script.fault(&format!("http::get(\"http://{address}/\")"));
    assert_eq!(fault.kind, Kind::Unreachable);
    assert_eq!(fault.message, format!("no connection to `{address}`: connection refused"));
}

#[test]
fn a_connection_that_breaks_is_told_as_cut_off() {
    let server =
        Server::start(|seen| if seen.path == "/reset" { Reply::reset() } else { Reply::new(200, "abcdef").cut_off() });
    let (script, _folder) = script(&[]);
    for path in ["/reset", "/half"] {
        let fault = script.fault(&format!("http::get(\"{}\")", server.url(path)));
        assert_eq!(fault.kind, Kind::Unreachable, "{path}");
        assert!(fault.message.contains("was cut off"), "{fault}");
    }
}

#[test]
fn a_slow_answer_is_given_up_in_time() {
    let server = Server::start(|_| Reply::new(200, "").after(Duration::from_secs(60)));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    let fault = script.fault(&format!("http::get(\"{url}\", #{{ timeout: \"50ms\" }})"));
    assert_eq!(fault.kind, Kind::Timeout);
    assert_eq!(fault.message, format!("gave up waiting for `GET {url}` after 50ms"));
}

#[test]
fn a_body_that_is_not_text_is_a_fault_only_when_it_is_read_as_text() {
    let server = Server::start(|_| Reply::new(200, vec![0xff, 0xfe, 0x00]).header("content-type", "image/png"));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    assert_eq!(script.value::<i64>(&format!("http::get(\"{url}\").size")), 3);
    for read in ["text", "json()"] {
        let fault = script.fault(&format!("http::get(\"{url}\").{read}"));
        assert_eq!(fault.kind, Kind::Parse);
        assert!(fault.message.starts_with(&format!("the answer of `{url}` is not text")), "{fault}");
        assert_eq!(fault.notes, ["it calls itself `image/png`"]);
    }
}

#[test]
fn json_that_is_none_names_its_place() {
    let server = Server::start(|_| Reply::new(200, "{\n \"a\": <html>\n}"));
    let (script, _folder) = script(&[]);
    let fault = script.fault(&format!("http::get(\"{}\").json()", server.url("/")));
    assert_eq!(fault.kind, Kind::Parse);
    assert!(fault.message.starts_with(&format!("{}:2:7: ", server.url("/"))), "{fault}");
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/old" => Reply::new(302, "").header("location", "/new"),
        "/new" => Reply::new(200, "here"),
        _ => Reply::new(307, "").header("location", "/loop"),
    });
    let (script, _folder) = script(&[]);
    let old = server.url("/old");
    assert_eq!(script.value::<String>(&format!("http::get(\"{old}\").url")), server.url("/new"));
    assert_eq!(script.value::<i64>(&format!("http::get(\"{old}\", #{{ follow: 0, expect: 302 }}).status")), 302);
    let fault = script.fault(&format!("http::get(\"{}\")", server.url("/loop")));
    assert!(fault.message.contains("sent on more than 5 times"), "{fault}");
    let fault = script.fault(&format!("http::get(\"{old}\", #{{ follow: 0 }})"));
    assert!(fault.notes.contains(&"it points to `/new`".to_owned()), "{:?}", fault.notes);
}

#[test]
fn secrets_are_not_sent_on_to_another_server() {
    let there = Server::start(|_| Reply::new(200, ""));
    let elsewhere = there.url("/").replace("127.0.0.1", "localhost");
    let here = Server::start(move |seen| match seen.path.as_str() {
        "/away" => Reply::new(302, "").header("location", elsewhere.clone()),
        "/near" => Reply::new(302, "").header("location", "/"),
        _ => Reply::new(200, ""),
    });
    let (script, _folder) = script(&[]);
    let options = r#"#{ bearer: "abcd", headers: #{ "x-key": secret::of("efgh", "key"), accept: "a/b" } }"#;
    for path in ["/away", "/near"] {
        run(&script, &format!("http::get(\"{}\", {options})", here.url(path)));
    }
    let away = &there.seen()[0].headers;
    assert_eq!((away.get("authorization"), away.get("x-key")), (None, None));
    assert_eq!(away["accept"], "a/b");
    let near = &here.seen()[2].headers;
    assert_eq!((near["authorization"].as_str(), near["x-key"].as_str()), ("Bearer abcd", "efgh"));
}

#[test]
fn what_is_no_url_says_what_is_wrong_with_it() {
    let (script, _folder) = script(&[]);
    for (url, wrong) in [
        ("grafana.example.org", "does not say how"),
        ("ftp://example.org", "it speaks `ftp`"),
        ("http://", "empty host"),
        ("http://example.org:99999/", "invalid port number"),
        ("http://me:geheim@example.org/", "holds a password"),
    ] {
        let fault = script.fault(&format!("http::get(\"{url}\")"));
        assert_eq!(fault.kind, Kind::Usage, "{url}");
        assert!(fault.message.contains(wrong), "{fault}");
        assert!(!fault.message.contains("geheim"), "{fault}");
    }
    assert_eq!(
        script.fault("http::get(\"http://localhost\", #{ timeuot: 1 })").hint.as_deref(),
        Some("did you mean `timeout`?")
    );
    assert_eq!(script.fault("http::get(\"http://localhost\", #{ basic: #{ user: \"x\" } })").kind, Kind::Usage);
    assert_eq!(script.fault("http::get(\"http://localhost\", #{ headers: #{ a: \"b\\nc\" } })").kind, Kind::Usage);
}

#[test]
fn only_whom_the_own_authority_vouches_for_is_trusted() {
    let (server, authority) = Server::start_with_tls(|_| Reply::new(200, "safe"));
    let (_other, stranger) = Server::start_with_tls(|_| Reply::new(200, ""));
    let (script, _folder) = script(&[("ca.pem", &authority), ("stranger.pem", &stranger), ("empty.pem", "nothing")]);
    let url = server.url("/");
    assert_eq!(script.value::<String>(&format!("http::get(\"{url}\", #{{ ca: \"ca.pem\" }}).text")), "safe");
    assert_eq!(script.value::<String>(&format!("http::get(\"{url}\", #{{ ca: `{authority}` }}).text")), "safe");
    for (options, wrong) in
        [("#{}", "its certificate is not trusted"), ("#{ ca: \"stranger.pem\" }", "its certificate is not trusted")]
    {
        let fault = script.fault(&format!("http::get(\"{url}\", {options})"));
        assert_eq!(fault.kind, Kind::Tls, "{options}");
        assert!(fault.message.contains(wrong), "{fault}");
        assert!(fault.hint.unwrap().contains("insecure"));
    }
    let fault = script.fault(&format!("http::get(\"{url}\", #{{ ca: \"empty.pem\" }})"));
    assert_eq!(fault.message, "the certificate authority can't be used: there is no certificate in it");
    assert_eq!(script.fault(&format!("http::get(\"{url}\", #{{ ca: \"none.pem\" }})")).kind, Kind::File);
    let numbered = url.replace("localhost", "127.0.0.1");
    assert_eq!(script.fault(&format!("http::get(\"{numbered}\", #{{ ca: \"ca.pem\" }})")).kind, Kind::Tls);
}

#[test]
fn plain_http_at_a_tls_port_is_recognised() {
    let server = Server::start(|_| Reply::new(400, ""));
    let (script, _folder) = script(&[]);
    let fault = script.fault(&format!("http::get(\"{}\")", server.url("/").replace("http:", "https:")));
    assert_eq!(fault.kind, Kind::Tls);
    assert!(fault.message.contains("it does not speak TLS at that port"), "{fault}");
}

#[test]
fn trusting_anybody_is_warned_of_once_a_host() {
    let (server, _) = Server::start_with_tls(|_| Reply::new(200, ""));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    for _ in 0..3 {
        run(&script, &format!("http::get(\"{url}\", #{{ insecure: true }})"));
    }
    let authority = format!("localhost:{}", server.address.port());
    assert_eq!(warnings(&script), [format!("whoever answers for `{authority}` is trusted (`insecure`)")]);
    assert_eq!(script.fault(&format!("http::get(\"{url}\", #{{ insecure: true, ca: \"x\" }})")).kind, Kind::Usage);
}

#[test]
fn a_post_is_announced_sent_and_kept() {
    let server =
        Server::start(|seen| Reply::new(201, seen.body.clone()).header("set-cookie", "session=1").header("x-id", "7"));
    let (script, _folder) = script(&[]);
    let url = server.url("/things");
    let post = format!(r#"http::post("{url}", #{{ name: "web", size: 3 }}).json().size"#);
    assert_eq!(script.value::<i64>(&post), 3);
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.body.as_str()), ("POST", r#"{"name":"web","size":3}"#));
    assert_eq!(seen.headers["content-type"], "application/json");

    let (effect, closed) = script.recorded.effects.lock().unwrap()[0].clone();
    assert_eq!((effect.verb.as_str(), effect.object.as_str(), effect.repeatable), ("POST", url.as_str(), false));
    let (end, kept, detail) = closed.unwrap();
    assert_eq!((end, detail.as_deref()), (EffectEnd::Done, Some("201 Created")));
    assert!(!kept.to_string().contains("session"), "cookies are not kept");

    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept));
    let again =
        format!(r#"let again = http::post("{url}", #{{}}); [again.status, again.headers["x-id"], again.json().size]"#);
    let again: rhai::Array = script.value(&again);
    assert_eq!(format!("{again:?}"), r#"[201, "7", 3]"#);
    assert_eq!(server.seen().len(), 1, "it was not posted again");
}

#[test]
fn texts_secrets_and_nothing_are_posted_as_they_are() {
    let server = Server::start(|_| Reply::new(200, ""));
    let (script, _folder) = script(&[]);
    for body in ["\"plain\"", "secret::of(\"abcd\", \"x\")", "()", "[1, 2]", "yaml::parse(\"a: 1\")"] {
        run(&script, &format!("http::post(\"{}\", {body})", server.url("/")));
    }
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["plain", "abcd", "", "[1,2]", "{\"a\":1}"]);
}

#[test]
fn a_binary_answer_is_kept_and_a_large_one_is_not() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/large" => Reply::new(200, "x".repeat(70_000)),
        _ => Reply::new(200, vec![0xff, 0, 0xfe]),
    });
    let (script, _folder) = script(&[]);
    for path in ["/binary", "/large"] {
        run(&script, &format!("http::post(\"{}\", ())", server.url(path)));
    }
    let kept: Vec<_> =
        script.recorded.effects.lock().unwrap().iter().map(|(_, closed)| closed.clone().unwrap().1).collect();
    let mut kept = kept.into_iter();
    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept.next().unwrap()));
    assert_eq!(script.value::<i64>(&format!("http::post(\"{}\", ()).size", server.url("/binary"))), 3);
    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept.next().unwrap()));
    let fault = script.fault(&format!("http::post(\"{}\", ())", server.url("/large")));
    assert_eq!(fault.kind, Kind::InDoubt);
    assert!(fault.message.ends_with("its answer (200) was not kept, because it is larger than 64 KB"), "{fault}");
}

#[test]
fn a_post_in_doubt_is_decided_by_a_person() {
    let server = Server::start(|_| Reply::new(200, "posted"));
    let (script, _folder) = script(&[]);
    let post =
        format!("let answer = http::post(\"{}\", ()); [answer.assumed, answer.status, answer.text]", server.url("/"));
    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    script.recorded.answers.lock().unwrap().push(Answer::Text("happened".into()));
    assert_eq!(format!("{:?}", script.value::<rhai::Array>(&post)), r#"[true, 0, ""]"#);
    assert!(server.seen().is_empty());
    let kept = script.recorded.effects.lock().unwrap()[0].1.clone().unwrap().1;
    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept));
    assert_eq!(format!("{:?}", script.value::<rhai::Array>(&post)), r#"[true, 0, ""]"#);

    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    script.recorded.answers.lock().unwrap().push(Answer::Text("repeat".into()));
    assert_eq!(format!("{:?}", script.value::<rhai::Array>(&post)), r#"[false, 200, "posted"]"#);

    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    assert!(script.run(&post).is_err(), "nobody is there to decide");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn other_methods_are_changes_unless_they_only_ask() {
    let server = Server::start(|seen| Reply::new(200, if seen.method == "HEAD" { "" } else { "done" }));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    for call in ["(\"put\", URL, #{ a: 1 })", "(\"PATCH\", URL, \"x\")", "(\"DELETE\", URL)", "(\"HEAD\", URL)"] {
        run(&script, &format!("http::request{}", call.replace("URL", &format!("\"{url}\""))));
    }
    let methods: Vec<String> = server.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.body)).collect();
    assert_eq!(methods, ["PUT {\"a\":1}", "PATCH x", "DELETE ", "HEAD "]);
    let effects = script.recorded.effects.lock().unwrap();
    let announced: Vec<(&str, bool)> =
        effects.iter().map(|(effect, _)| (effect.verb.as_str(), effect.repeatable)).collect();
    assert_eq!(announced, [("PUT", true), ("PATCH", false), ("DELETE", true)]);
    drop(effects);
    for method in ["CONNECT", "a b"] {
        assert_eq!(script.fault(&format!("http::request(\"{method}\", \"{url}\")")).kind, Kind::Usage);
    }
}

#[test]
fn a_post_that_is_refused_is_not_sent() {
    let server = Server::start(|_| Reply::new(200, ""));
    let (script, _folder) = script(&[]);
    script.recorded.decisions.lock().unwrap().push(Planned::Refused("the run is read-only".into()));
    let fault = script.fault(&format!("http::post(\"{}\", ())", server.url("/")));
    assert_eq!(fault.kind, Kind::Refused);
    assert!(fault.message.ends_with("the run is read-only"), "{fault}");
    assert!(server.seen().is_empty());
}

#[test]
fn what_breaks_before_a_post_is_sent_did_not_happen_and_after_it_is_in_doubt() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/reset" => Reply::reset(),
        "/half" => Reply::new(200, "abcdef").cut_off(),
        "/gateway" => Reply::new(504, ""),
        "/moved" => Reply::new(303, "").header("location", "/broken"),
        "/slow" => Reply::new(200, "").after(Duration::from_secs(60)),
        _ => Reply::new(500, ""),
    });
    let (script, _folder) = script(&[]);
    let nobody = format!("http://{}/", nobody());
    let mut ends = Vec::new();
    for (url, kind, end) in [
        (nobody, Kind::Unreachable, EffectEnd::Failed),
        (server.url("/reset"), Kind::InDoubt, EffectEnd::InDoubt),
        (server.url("/half"), Kind::InDoubt, EffectEnd::InDoubt),
        (server.url("/gateway"), Kind::InDoubt, EffectEnd::InDoubt),
        (server.url("/moved"), Kind::InDoubt, EffectEnd::InDoubt),
        (server.url("/slow"), Kind::Timeout, EffectEnd::InDoubt),
        (server.url("/broken"), Kind::Status, EffectEnd::Failed),
    ] {
        let fault = script.fault(&format!("http::post(\"{url}\", \"x\", #{{ timeout: \"300ms\" }})"));
        assert_eq!(fault.kind, kind, "{url}: {fault}");
        ends.push(end);
    }
    let closed: Vec<EffectEnd> =
        script.recorded.effects.lock().unwrap().iter().map(|(_, closed)| closed.clone().unwrap().0).collect();
    assert_eq!(closed, ends);
}

#[test]
fn the_digest_of_a_post_changes_with_the_body_and_not_with_a_renewed_secret() {
    let server = Server::start(|_| Reply::new(200, ""));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    for (body, secret) in [("a", "first-value"), ("a", "second-value"), ("b", "first-value")] {
        let options = format!("#{{ bearer: secret::of(\"{secret}\", \"token\"), repeat_safe: true }}");
        run(&script, &format!("http::post(\"{url}\", \"{body}\", {options})"));
    }
    let effects = script.recorded.effects.lock().unwrap();
    assert!(effects.iter().all(|(effect, _)| effect.repeatable));
    assert_eq!(effects[0].0.digest, effects[1].0.digest);
    assert_ne!(effects[0].0.digest, effects[2].0.digest);
}

#[test]
fn a_wait_survives_everything_until_the_answer_is_right_so_many_times_in_a_row() {
    let server = Server::start(|seen| match seen.before {
        0 => Reply::reset(),
        1 => Reply::new(503, "starting"),
        2 => Reply::new(200, "slow").after(Duration::from_secs(60)),
        4 => Reply::new(500, "a hiccup"),
        _ => Reply::new(200, "up"),
    });
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    let text: String = script.value(&format!(
        r#"http::wait("{url}", #{{ successes: 2, interval: "1ms", answer_within: "200ms", timeout: "1m" }}).text"#
    ));
    assert_eq!((text.as_str(), server.seen().len()), ("up", 7));
    let events = script.events();
    let because: Vec<&str> = (events.iter())
        .filter_map(|what| match what {
            What::WaitChanged { because, .. } => Some(because.as_str()),
            _ => None,
        })
        .collect();
    assert!(because[0].contains("was cut off"), "{because:?}");
    assert_eq!(
        because[1..],
        [
            "answered 503 Service Unavailable",
            "no answer within 200ms",
            "as it should be 1 of 2 times in a row",
            "answered 500 Internal Server Error",
            "as it should be 1 of 2 times in a row"
        ]
    );
    assert!(matches!(events.last(), Some(What::WaitFinished { ended: WaitEnd::Met, .. })));
}

#[test]
fn a_wait_that_is_given_up_says_what_was_seen_last() {
    let (script, _folder) = script(&[]);
    let address = nobody();
    let fault =
        script.fault(&format!("http::wait(\"http://{address}/\", #{{ timeout: \"60ms\", interval: \"5ms\" }})"));
    assert_eq!(fault.kind, Kind::Timeout);
    assert_eq!(fault.message, format!("gave up waiting for `http://{address}/` to answer 2xx after 60ms"));
    assert_eq!(fault.notes, [format!("last seen: no connection to `{address}`: connection refused")]);

    let fault = script.fault(r#"http::wait("http://no-such-name.invalid/", #{ timeout: "300ms", interval: "5ms" })"#);
    assert_eq!(fault.kind, Kind::Timeout);
}

#[test]
fn a_predicate_decides_on_the_thread_of_the_script() {
    let server = Server::start(|seen| match seen.before {
        0 => Reply::new(502, "<html>bad gateway</html>"),
        1 => Reply::new(200, r#"{"phase": "Pending"}"#),
        _ => Reply::new(200, r#"{"phase": "Running"}"#),
    });
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    let wait = format!(
        r#"let wanted = "Running"; http::wait("{url}", #{{ interval: "1ms" }}, |answer| answer.json().phase == wanted).json().phase"#
    );
    assert_eq!(script.value::<String>(&wait), "Running");
    assert_eq!(server.seen().len(), 3);
    assert_eq!(script.value::<i64>(&format!("http::wait(\"{url}\", |answer| answer.status == 200).status")), 200);
    assert_eq!(script.fault(&format!("http::wait(\"{url}\", |answer| 7)")).kind, Kind::Usage);
    let fault = script.fault(&format!("http::wait(\"{url}\", |answer| fail(\"it is the wrong site\"))"));
    assert_eq!(fault.message, "it is the wrong site");
}

#[test]
fn a_wait_for_a_status_takes_no_other() {
    let server = Server::start(|seen| Reply::new(if seen.before < 2 { 200 } else { 404 }, ""));
    let (script, _folder) = script(&[]);
    let wait = format!("http::wait(\"{}\", #{{ status: 404, interval: \"1ms\" }}).status", server.url("/"));
    assert_eq!(script.value::<i64>(&wait), 404);
}

#[test]
fn a_wait_ends_when_the_run_is_stopped() {
    let (script, _folder) = script(&[]);
    script.stop_after(Duration::from_millis(30));
    let begun = Instant::now();
    let waited = script.run(&format!("try {{ http::wait(\"http://{}/\") }} catch {{}}", nobody()));
    assert!(waited.is_err(), "a stop can't be caught");
    assert!(begun.elapsed() < Duration::from_secs(10));
}
