//! What comes packed, what is asked for again, and what is sent in other forms.

use std::time::Duration;

use cozyscript::{event::EffectEnd, script::fault::Kind};

use super::{run, script};
use crate::support::server::{Reply, Server};

/// `hello, packed`
const PACKED: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 215, 81, 40, 72, 76, 206, 78, 77, 1, 0, 235, 161, 234, 8,
    13, 0, 0, 0,
];

#[test]
fn what_comes_packed_is_unpacked_unless_it_was_asked_for() {
    let server = Server::start(|seen| {
        let wanted = seen.headers.get("accept-encoding").is_some_and(|header| header.contains("gzip"));
        if wanted { Reply::new(200, PACKED).header("content-encoding", "gzip") } else { Reply::new(200, "plain") }
    });
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    let text =
        format!("let answer = http::get(\"{url}\"); answer.text + answer.size + answer.headers[\"content-encoding\"]");
    assert_eq!(script.value::<String>(&text), "hello, packed13");
    let options = "#{ headers: #{ \"accept-encoding\": \"gzip\" } }";
    assert_eq!(script.value::<i64>(&format!("http::get(\"{url}\", {options}).bytes.len")), PACKED.len() as i64);
}

#[test]
fn what_is_packed_badly_is_cut_off() {
    let server = Server::start(|_| Reply::new(200, &PACKED[..20]).header("content-encoding", "gzip"));
    let (script, _folder) = script(&[]);
    let fault = script.fault(&format!("http::get(\"{}\")", server.url("/")));
    assert_eq!(fault.kind, Kind::Unreachable, "{fault}");
}

#[test]
fn what_passes_is_asked_for_again_as_often_as_was_said() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.before) {
        ("/never", _) => Reply::new(503, "starting"),
        (_, 0) => Reply::reset(),
        (_, 1) => Reply::new(503, "starting"),
        (_, 2) => Reply::new(200, "abcdef").cut_off(),
        _ => Reply::new(200, "up"),
    });
    let (script, _folder) = script(&[]);
    let options = "#{ retries: 3, retry_pause: \"1ms\" }";
    assert_eq!(script.value::<String>(&format!("http::get(\"{}\", {options}).text", server.url("/"))), "up");
    assert_eq!(server.seen().len(), 4);
    let fault = script.fault(&format!("http::get(\"{}\", {options})", server.url("/never")));
    assert_eq!((fault.kind, fault.status), (Kind::Status, Some(503)));
    assert_eq!(server.seen().len(), 8);
}

#[test]
fn an_answer_that_was_expected_is_not_asked_for_again() {
    let server = Server::start(|_| Reply::new(503, ""));
    let (script, _folder) = script(&[]);
    run(&script, &format!("http::get(\"{}\", #{{ retries: 3, expect: 503 }})", server.url("/")));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_server_that_asks_for_a_pause_is_given_it() {
    let server = Server::start(|seen| match seen.before {
        0 => Reply::new(429, "").header("retry-after", "1"),
        1 => Reply::new(503, "").header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        _ => Reply::new(200, "up"),
    });
    let (script, _folder) = script(&[]);
    let took: Duration = script.value(&format!(
        "let t = now(); http::get(\"{}\", #{{ retries: 2, retry_pause: \"1ms\" }}); now() - t",
        server.url("/")
    ));
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(20), "a time in the past is no pause: {took:?}");
}

#[test]
fn only_what_may_be_repeated_is_sent_again() {
    let server = Server::start(|seen| if seen.before % 2 == 0 { Reply::reset() } else { Reply::new(200, "done") });
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    let fault = script.fault(&format!("http::post(\"{url}\", \"x\", #{{ retries: 1 }})"));
    assert_eq!(fault.message, "a POST can't have `retries`: what was served may be served again");
    assert_eq!(fault.hint.as_deref(), Some("say that this does no harm: `repeat_safe: true`"));
    run(&script, &format!("http::put(\"{url}\", \"x\", #{{ retries: 1, retry_pause: \"1ms\" }})"));
    run(&script, &format!("http::post(\"{url}\", \"x\", #{{ retries: 1, retry_pause: \"1ms\", repeat_safe: true }})"));
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn a_change_that_may_have_been_served_stays_in_doubt_whatever_came_after() {
    let server = Server::start(|seen| if seen.before == 0 { Reply::reset() } else { Reply::new(200, "x").cut_off() });
    let (script, _folder) = script(&[]);
    let put = format!("http::put(\"{}\", \"x\", #{{ retries: 1, retry_pause: \"1ms\" }})", server.url("/"));
    assert_eq!(script.fault(&put).kind, Kind::InDoubt);
    let effects = script.recorded.effects.lock().unwrap();
    assert_eq!(effects[0].1.as_ref().unwrap().0, EffectEnd::InDoubt);
}

#[test]
fn every_verb_has_a_function() {
    let server = Server::start(|seen| Reply::new(200, if seen.method == "HEAD" { "" } else { "done" }));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    for call in [
        "head(URL)",
        "head(URL, #{})",
        "get(URL)",
        "put(URL, #{ a: 1 })",
        "put(URL, (), #{})",
        "patch(URL, \"x\")",
        "patch(URL, \"x\", #{})",
        "delete(URL)",
        "delete(URL, #{})",
        "request(\"options\", URL)",
        "request(\"REPORT\", URL, \"x\")",
    ] {
        run(&script, &format!("http::{}", call.replace("URL", &format!("\"{url}\""))));
    }
    let methods: Vec<String> = server.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(
        methods,
        ["HEAD", "HEAD", "GET", "PUT", "PUT", "PATCH", "PATCH", "DELETE", "DELETE", "OPTIONS", "REPORT"]
    );
    let announced: Vec<(String, bool)> = (script.recorded.effects.lock().unwrap().iter())
        .map(|(effect, _)| (effect.verb.clone(), effect.repeatable))
        .collect();
    let is = |verb: &str, repeatable| (verb.to_owned(), repeatable);
    let expected = [
        is("PUT", true),
        is("PUT", true),
        is("PATCH", false),
        is("PATCH", false),
        is("DELETE", true),
        is("DELETE", true),
        is("REPORT", false),
    ];
    assert_eq!(announced, expected);
}

#[test]
fn a_map_is_sent_as_a_form_or_in_parts() {
    let server = Server::start(|_| Reply::new(200, ""));
    let (script, _folder) = script(&[]);
    let url = server.url("/");
    run(
        &script,
        &format!(
            r#"http::post("{url}", #{{ a: "one & two", list: [1, 2], pass: secret::of("geheim", "p") }}, #{{ encode: "form" }})"#
        ),
    );
    run(
        &script,
        &format!(
            r#"let logo = blob(2, 65);
            http::post("{url}", #{{ name: "site", logo: #{{ content: logo, file: "logo.png", type: "image/png" }}, raw: logo }}, #{{ encode: "multipart" }})"#
        ),
    );
    run(&script, &format!("http::post(\"{url}\", blob(3, 65))"));
    let seen = server.seen();
    assert_eq!(seen[0].body, "a=one+%26+two&list=1&list=2&pass=geheim");
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    let boundary = seen[1].headers["content-type"].strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = [
        "--BOUNDARY",
        "content-disposition: form-data; name=\"logo\"; filename=\"logo.png\"",
        "content-type: image/png",
        "",
        "AA",
        "--BOUNDARY",
        "content-disposition: form-data; name=\"name\"",
        "",
        "site",
        "--BOUNDARY",
        "content-disposition: form-data; name=\"raw\"; filename=\"raw\"",
        "content-type: application/octet-stream",
        "",
        "AA",
        "--BOUNDARY--",
        "",
    ];
    assert_eq!(seen[1].body, expected.join("\r\n").replace("BOUNDARY", boundary));
    assert_eq!((seen[2].body.as_str(), seen[2].headers["content-type"].as_str()), ("AAA", "application/octet-stream"));
    for (body, encode, wrong) in [
        ("\"text\"", "form", "only a map can be sent as `form`"),
        ("#{}", "xml", "option `encode` can't be `xml`"),
        ("#{ a: #{ file: \"x\" } }", "multipart", "the part `a` is not a `content` with a `file` and a `type`"),
        ("#{ a: `${secret::of(\"geheim\", \"p\")}` }", "form", "holds the reference of a secret"),
    ] {
        let fault = script.fault(&format!("http::post(\"{url}\", {body}, #{{ encode: \"{encode}\" }})"));
        assert_eq!(fault.kind, Kind::Usage);
        assert!(fault.message.contains(wrong), "{fault}");
    }
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn an_answer_larger_than_memory_allows_is_refused_with_a_way_out() {
    let server = Server::start(|_| Reply::new(200, vec![b'x'; (64 << 20) + 1]));
    let (script, folder) = script(&[]);
    let url = server.url("/");
    let fault = script.fault(&format!("http::get(\"{url}\")"));
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (Kind::Failed, format!("`GET {url}`: the answer is larger than 64 MB").as_str())
    );
    assert_eq!(fault.hint.as_deref(), Some("`http::download` writes it to a file, however large it is"));
    run(&script, &format!("http::download(\"{url}\", \"large\")"));
    assert_eq!(folder.path().join("large").metadata().unwrap().len(), (64 << 20) + 1);
}
