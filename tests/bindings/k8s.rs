//! What a Kubernetes server rarely does: old versions, broken connections, hurry and refusals, from a server that does so
//! on demand.

use cozyscript::{
    event::{EffectEnd, What},
    script::{fault::Kind, values::object::Object},
};
use rhai::Dynamic;

use super::script;
use crate::support::{
    Planned, Script,
    server::{Reply, Server},
};

/// Runs the text with `cluster`, whose server this is.
pub fn run(server: &Server, text: &str) -> (Script, String) {
    let (script, _folder) = script(&[]);
    let kubeconfig = format!(
        "{{current-context: fake, clusters: [{{name: fake, cluster: {{server: \"{}\"}}}}], \
         contexts: [{{name: fake, context: {{cluster: fake}}}}]}}",
        server.url("")
    );
    (script, format!("let cluster = k8s::connect(#{{ text: `{kubeconfig}` }}); {text}"))
}

pub fn value<T: Clone + Send + Sync + 'static>(server: &Server, text: &str) -> T {
    let (script, text) = run(server, text);
    script.value(&text)
}

fn map(name: &str, version: u32, data: &str) -> String {
    format!(
        r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"{name}","uid":"u1","resourceVersion":"{version}"}},"data":{{"x":"{data}"}}}}"#
    )
}

fn list(version: u32, items: &[String]) -> String {
    format!(
        r#"{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{"resourceVersion":"{version}"}},"items":[{}]}}"#,
        items.join(",")
    )
}

pub fn status(code: u16, reason: &str, message: &str) -> Reply {
    Reply::new(
        code,
        format!(r#"{{"kind":"Status","status":"Failure","reason":"{reason}","message":"{message}","code":{code}}}"#),
    )
}

#[test]
fn a_wait_begins_anew_when_its_version_is_too_old() {
    let server = Server::start(|seen| {
        let watch = seen.path.contains("watch=true");
        match seen.before {
            0 => Reply::new(200, list(5, &[map("a", 5, "old")])),
            1 if watch => Reply::new(
                200,
                r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}"#,
            ),
            2 if !watch => Reply::new(200, list(9, &[map("a", 8, "old")])),
            3 if watch => status(410, "Expired", "too old resource version"),
            4 if !watch => Reply::new(200, list(12, &[map("a", 12, "new")])),
            _ => Reply::new(500, "this was not expected"),
        }
    });
    let found: String = value(&server, r#"cluster.wait("cm", "a", |o| o.data.x == "new", #{ timeout: "10s" }).data.x"#);
    assert_eq!(found, "new");
    let watched: Vec<_> = server.seen().into_iter().filter(|seen| seen.path.contains("watch=true")).collect();
    assert!(
        watched[0].path.contains("resourceVersion=5") && watched[1].path.contains("resourceVersion=9"),
        "{watched:?}"
    );
}

#[test]
fn a_wait_that_was_allowed_outlasts_a_moment_in_which_it_is_not() {
    let refused = || status(403, "Forbidden", "configmaps is forbidden: the rules are not read yet");
    let server = Server::start(move |seen| match seen.before {
        0 => Reply::new(200, list(5, &[map("a", 5, "old")])),
        1 | 2 => refused(),
        _ if seen.path.contains("watch=true") => {
            Reply::new(200, format!(r#"{{"type":"MODIFIED","object":{}}}"#, map("a", 9, "new")))
        }
        _ => Reply::new(200, list(5, &[map("a", 5, "old")])),
    });
    let (script, text) = run(&server, r#"cluster.wait("cm", "a", |o| o.data.x == "new", #{ timeout: "20s" }).data.x"#);
    assert_eq!(script.value::<String>(&text), "new");

    // Whoever never was allowed is told so at once.
    let server = Server::start(move |_| refused());
    let (script, text) = run(&server, r#"cluster.wait("cm", "a", "exists", #{ timeout: "20s" })"#);
    assert_eq!(script.fault(&text).kind, Kind::Denied);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_wait_goes_on_after_its_connection_broke() {
    let added = |version: u32, data: &str| format!(r#"{{"type":"ADDED","object":{}}}"#, map("a", version, data));
    let server = Server::start(move |seen| match seen.before {
        0 => Reply::new(200, list(5, &[])),
        // The second change is cut in two.
        1 => Reply::new(200, format!("{}\n{}", added(6, "old"), added(7, &"long".repeat(100)))).cut_off(),
        2 => Reply::reset(),
        3 => status(503, "ServiceUnavailable", "the server is starting"),
        _ => Reply::new(200, list(9, &[map("a", 9, "new")])),
    });
    let found: String = value(&server, r#"cluster.wait("cm", "a", |o| o.data.x == "new", #{ timeout: "20s" }).data.x"#);
    assert_eq!(found, "new");
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert!(paths[2].contains("resourceVersion=6"), "it goes on from where it was: {paths:?}");
}

#[test]
fn a_question_is_asked_again_when_the_server_is_in_a_hurry() {
    let server = Server::start(|seen| match seen.before {
        0 => status(429, "TooManyRequests", "slow down").header("retry-after", "1"),
        1 => Reply::reset(),
        2 => Reply::new(200, map("a", 1, "half")).cut_off(),
        _ => Reply::new(200, map("a", 1, "there")),
    });
    assert_eq!(value::<String>(&server, r#"cluster.get("cm", "a").data.x"#), "there");
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn a_creation_is_not_sent_twice_when_the_answer_is_lost() {
    let server = Server::start(|_| Reply::reset());
    let (script, text) =
        run(&server, r#"cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } })"#);
    let fault = script.fault(&text);
    assert_eq!(fault.kind, Kind::InDoubt, "{fault:?}");
    assert_eq!(server.seen().len(), 1);

    // The server said that it has not begun.
    let server = Server::start(|seen| match seen.before {
        0 => status(429, "TooManyRequests", "slow down"),
        _ => Reply::new(201, map("a", 1, "x")),
    });
    let name: String = value(
        &server,
        r#"cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } }).metadata.name"#,
    );
    assert_eq!((name.as_str(), server.seen().len()), ("a", 2));
}

#[test]
fn applying_is_sent_again_when_the_answer_is_lost() {
    let server = Server::start(|seen| match (seen.method.as_str(), seen.before) {
        ("GET", _) => Reply::new(
            404,
            r#"{"kind":"Status","status":"Failure","reason":"NotFound","code":404,"details":{"name":"a","kind":"configmaps"}}"#,
        ),
        (_, 1) => Reply::reset(),
        _ => Reply::new(200, map("a", 1, "x")),
    });
    let report: Object =
        value(&server, r#"cluster.apply([#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } }])"#);
    assert!(report.tree().to_string().contains(r#""created":[{"kind":"ConfigMap","name":"a"}]"#), "{report:?}");
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2].method, "PATCH");
    assert_eq!(seen[2].path, "/api/v1/namespaces/default/configmaps/a?fieldManager=cozyscript&fieldValidation=Ignore");
    assert_eq!(seen[2].headers["content-type"], "application/apply-patch+yaml");
}

/// A server whose webhook never comes up.
fn without_its_webhook() -> Server {
    let refused = r#"Internal error occurred: failed calling webhook \"check.example.org\": failed to call webhook: Post \"https://check.example.svc:443/\": no endpoints available for service \"check\""#;
    Server::start(move |seen| match seen.method.as_str() {
        "GET" => Reply::new(200, map("a", 1, "old")),
        _ => status(500, "InternalError", refused),
    })
}

const TWO: &str = r#"[#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } },
    #{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "b" } }]"#;

#[test]
fn a_webhook_that_does_not_come_up_in_time_is_told_for_each_object() {
    let server = without_its_webhook();
    let (script, text) = run(&server, &format!("cluster.apply({TWO}, #{{ timeout: \"2s\" }})"));
    let fault = script.fault(&text);
    assert_eq!((fault.kind, fault.status), (Kind::Unavailable, Some(500)), "{fault:?}");
    assert_eq!(fault.message, "2 of 2 objects were not applied");
    for (note, name) in fault.notes.iter().zip(["a", "b"]) {
        assert!(note.starts_with(&format!("configmap/{name}: ")) && note.contains("check.example.org"), "{note}");
    }
}

#[test]
fn who_waits_for_a_webhook_can_be_stopped() {
    let server = without_its_webhook();
    let (script, text) = run(&server, &format!("cluster.apply({TWO}, #{{ timeout: \"1m\" }})"));
    script.stop_after(std::time::Duration::from_millis(700));
    let begun = std::time::Instant::now();
    let (fault, reason) = script.end(&text);
    assert!(fault.is_none() && reason.is_some(), "{fault:?}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// A service as a server has it after it was applied by us.
fn applied(owned: &str, ports: &str) -> String {
    format!(
        r#"{{"kind":"Service","apiVersion":"v1","metadata":{{"name":"web","namespace":"default","uid":"u1","resourceVersion":"7",
            "labels":{{"app":"web","other":"theirs"}},
            "managedFields":[{{"manager":"cozyscript","operation":"Apply","apiVersion":"v1","fieldsV1":{owned}}}]}},
           "spec":{{"clusterIP":"10.0.0.7","ports":{ports},"selector":{{"app":"web"}}}}}}"#
    )
}

const OWNED: &str = r#"{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:ports":{
    "k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{}},
    "k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{}}},"f:selector":{}}}"#;
const PORTS: &str = r#"[{"name":"http","port":80,"protocol":"TCP"},{"name":"https","port":443,"protocol":"TCP"}]"#;

/// Whether applying this service is sent, if that is what is there.
fn is_sent(live: String, ports: &str) -> bool {
    let server = Server::start(move |seen| match seen.method.as_str() {
        "GET" => Reply::new(200, live.clone()),
        _ => Reply::new(200, applied(OWNED, PORTS)),
    });
    let _applied: Dynamic = value(
        &server,
        &format!(
            r#"cluster.apply(#{{ apiVersion: "v1", kind: "Service", metadata: #{{ name: "web", labels: #{{ app: "web" }} }},
                spec: #{{ selector: #{{ app: "web" }}, ports: {ports} }} }})"#
        ),
    );
    server.seen().iter().any(|seen| seen.method == "PATCH")
}

#[test]
fn what_is_owned_and_is_as_it_is_wanted_is_not_sent() {
    let wanted = r#"[#{ name: "http", port: 80, protocol: "TCP" }, #{ name: "https", port: 443, protocol: "TCP" }]"#;
    let ports = |text: &str| text.replace("\"f:port\":{}", "\"f:port\":{},\"f:protocol\":{}");
    let owned = ports(OWNED);
    assert!(!is_sent(applied(&owned, PORTS), wanted));

    let cases = [
        ("a value is another", applied(&owned, &PORTS.replace("https", "tls"))),
        ("a field is not owned", applied(&owned.replace(r#""f:labels":{"f:app":{}}"#, ""), PORTS)),
        (
            "a field is owned and no longer wanted",
            applied(&owned.replace(r#""f:app":{}"#, r#""f:app":{},"f:old":{}"#), PORTS),
        ),
        (
            "an item is owned and no longer wanted",
            applied(&owned.replace(r#""f:selector""#, r#""f:clusterIP":{},"f:selector""#), PORTS),
        ),
        ("an item is gone", applied(&owned, r#"[{"name":"http","port":80,"protocol":"TCP"}]"#)),
        (
            "the items stand in another order",
            applied(
                &owned,
                r#"[{"name":"https","port":443,"protocol":"TCP"},{"name":"http","port":80,"protocol":"TCP"}]"#,
            ),
        ),
        (
            "it was applied in another version",
            applied(&owned, PORTS)
                .replace(r#""operation":"Apply","apiVersion":"v1""#, r#""operation":"Apply","apiVersion":"v2""#),
        ),
        (
            "somebody else applied it",
            applied(&owned, PORTS).replace(r#""manager":"cozyscript""#, r#""manager":"flux""#),
        ),
        (
            "it was not applied but changed",
            applied(&owned, PORTS).replace(r#""operation":"Apply""#, r#""operation":"Update""#),
        ),
        (
            "it is going",
            applied(&owned, PORTS).replace(r#""uid":"u1""#, r#""uid":"u1","deletionTimestamp":"2026-01-01T00:00:00Z""#),
        ),
    ];
    for (why, live) in cases {
        assert!(is_sent(live, wanted), "{why}");
    }
    // A key that the server completes is not certain to be the same one.
    assert!(is_sent(applied(OWNED, PORTS), r#"[#{ name: "http", port: 80 }, #{ name: "https", port: 443 }]"#));
}

#[test]
fn a_list_whose_snapshot_expired_is_read_again_whole() {
    let page = |next: &str, item: &str| {
        format!(
            r#"{{"kind":"ConfigMapList","metadata":{{"resourceVersion":"3","continue":"{next}"}},"items":[{item}]}}"#
        )
    };
    let server = Server::start(move |seen| match seen.before {
        0 => Reply::new(200, page("more", &map("a", 1, "x"))),
        1 => status(410, "Expired", "the provided continue parameter is too old"),
        _ => Reply::new(200, list(7, &[map("a", 1, "x"), map("b", 2, "x")])),
    });
    assert_eq!(value::<i64>(&server, r#"cluster.list("cm").len()"#), 2);
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert!(
        paths[0].ends_with("?limit=500") && paths[1].ends_with("&continue=more") && paths[2].ends_with("configmaps"),
        "{paths:?}"
    );
}

#[test]
fn a_kind_is_found_in_two_requests_and_then_in_none() {
    let kinds = |group: &str, kind: &str| {
        format!(
            r#"{{"metadata":{{"name":"{group}"}},"versions":[{{"version":"v2","resources":[{{"resource":"{}s","responseKind":{{"kind":"{kind}"}},"scope":"Namespaced","singularResource":"","shortNames":["hr"]}}]}}]}}"#,
            kind.to_lowercase()
        )
    };
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/api" => Reply::new(200, r#"{"kind":"APIGroupDiscoveryList","items":[]}"#),
        "/apis" => Reply::new(
            200,
            format!(
                r#"{{"kind":"APIGroupDiscoveryList","items":[{},{}]}}"#,
                kinds("helm.example.org", "HelmRelease"),
                kinds("other.example.org", "HelmRelease")
            ),
        ),
        _ => Reply::new(200, map("a", 1, "x")),
    });
    let _read: Dynamic = value(
        &server,
        r#"cluster.get("hr", "a"); cluster.get("helmrelease", "a"); cluster.get("HelmRelease.other.example.org", "a")"#,
    );
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    let reads: Vec<_> = paths.iter().filter(|path| path.contains("/namespaces/")).collect();
    assert_eq!(paths.len(), 5, "{paths:?}");
    assert!(
        reads[1].starts_with("/apis/helm.example.org/v2/") && reads[2].starts_with("/apis/other.example.org/v2/"),
        "{reads:?}"
    );
}

/// Everything a server with one kind more answers when it is asked for its kinds.
fn kinds(kinds: &[(&str, &str)]) -> String {
    let items: Vec<String> = kinds
        .iter()
        .map(|(version, kind)| {
            let plural = format!("{}s", kind.to_lowercase());
            format!(
                r#"{{"metadata":{{"name":"x.org"}},"versions":[{{"version":"{version}","resources":[{{"resource":"{plural}","responseKind":{{"kind":"{kind}"}},"scope":"Namespaced","verbs":["get"]}}]}}]}}"#
            )
        })
        .collect();
    format!(r#"{{"kind":"APIGroupDiscoveryList","items":[{}]}}"#, items.join(","))
}

#[test]
fn a_kind_that_is_installed_later_or_in_another_version_is_found() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/api" => Reply::new(200, kinds(&[])),
        "/apis" => match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Reply::new(200, kinds(&[])),
            1 => Reply::new(200, kinds(&[("v1alpha1", "Thing")])),
            _ => Reply::new(200, kinds(&[("v1", "Thing")])),
        },
        path if path.starts_with("/apis/x.org/v1/") || path.ends_with("/first") => Reply::new(200, map("a", 1, "x")),
        _ => Reply::new(404, "404 page not found"),
    });
    let (script, text) = run(
        &server,
        r#"
        let kinds = [];
        for name in ["none", "first", "second", "third"] {
            try { cluster.get("thing", name); kinds.push(name); } catch (fault) { kinds.push(fault.kind); }
        }
        kinds"#,
    );
    let said: rhai::Array = script.value(&text);
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["unsupported", "first", "unsupported", "third"],
        "what was known of the old version is forgotten"
    );
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths.iter().filter(|path| *path == "/apis").count(), 3, "{paths:?}");
    assert_eq!(paths.last().unwrap(), "/apis/x.org/v1/namespaces/default/things/third");
}

#[test]
fn many_who_miss_a_kind_ask_for_it_once() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/api" => Reply::new(200, kinds(&[])),
        "/apis" => Reply::new(200, kinds(&[("v1", "Thing")])).after(std::time::Duration::from_millis(300)),
        _ => Reply::new(200, map("a", 1, "x")),
    });
    let (script, connect) = run(&server, "cluster");
    let cluster: cozyscript::kubernetes::client::Cluster = script.value(&connect);
    let found =
        crate::support::runtime().block_on(futures::future::join_all((0..20).map(|_| cluster.resolve("thing"))));
    assert!(found.iter().all(|found| found.as_ref().is_ok_and(|kind| kind.plural == "things")), "{found:?}");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_server_without_aggregated_discovery_is_asked_group_by_group() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/api" => Reply::new(200, r#"{"kind":"APIVersions","versions":["v1"]}"#),
        "/apis" => Reply::new(
            200,
            r#"{"kind":"APIGroupList","groups":[{"name":"x.org","versions":[{"version":"v1"},{"version":"v2"}],"preferredVersion":{"version":"v2"}}]}"#,
        ),
        "/api/v1" => Reply::new(200, r#"{"kind":"APIResourceList","resources":[]}"#),
        "/apis/x.org/v1" | "/apis/x.org/v2" => Reply::new(
            200,
            r#"{"resources":[{"name":"things","singularName":"thing","kind":"Thing","namespaced":false},{"name":"things/status","kind":"Thing"}]}"#,
        ),
        _ => Reply::new(200, map("a", 1, "x")),
    });
    let _read: Dynamic = value(&server, r#"cluster.get("thing", "a")"#);
    assert_eq!(server.seen().last().unwrap().path, "/apis/x.org/v2/things/a");
}

#[test]
fn warnings_are_shown_and_pages_that_are_no_api_are_named() {
    let server = Server::start(|_| Reply::new(200, map("a", 1, "x")).header("warning", "299 - \"v1 is \\\"old\\\"\""));
    let (script, text) = run(&server, r#"cluster.get("cm", "a")"#);
    drop(script.run(&text).unwrap());
    let warned = |what: &What| matches!(what, What::Warned { text } if text.ends_with("v1 is \"old\""));
    assert!(script.events().iter().any(warned), "{:?}", script.events());

    let server = Server::start(|_| Reply::new(200, "<html>log in</html>"));
    let (script, text) = run(&server, r#"cluster.get("cm", "a")"#);
    assert_eq!(script.fault(&text).kind, Kind::Unavailable);
}

#[test]
fn a_log_is_asked_for_as_the_options_say() {
    let server = Server::start(|seen| match seen.path.split('?').next().unwrap_or_default() {
        "/api/v1/namespaces/shop/pods" => {
            Reply::new(200, r#"{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#)
        }
        _ => Reply::new(200, "one\ntwo\n"),
    });
    let log: String = value(
        &server,
        r#"cluster.logs("a", #{ namespace: "shop", container: "web", tail: 5, since: "10m", previous: true })"#,
    );
    assert_eq!(log, "one\ntwo\n");
    assert_eq!(
        server.seen()[0].path,
        "/api/v1/namespaces/shop/pods/a/log?container=web&tailLines=5&sinceSeconds=600&previous=true"
    );
    let both: String = value(&server, r#"cluster.logs(#{ namespace: "shop", labels: #{ app: "web" } })"#);
    assert_eq!(both, "a: one\na: two\nb: one\nb: two\n");
}

#[test]
fn a_crash_is_explained_by_the_log_of_the_container_that_crashed() {
    let pod = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-0","namespace":"default","uid":"u1","resourceVersion":"3"},"status":{"phase":"Running","containerStatuses":[{"name":"web","restartCount":4,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s"}}}]}}"#;
    let server = Server::start(move |seen| match seen.path.as_str() {
        path if path.contains("watch=true") => Reply::new(200, "").after(std::time::Duration::from_secs(20)),
        path if path.contains("/log?") && path.contains("previous=true") => Reply::new(200, "panic: no database\n"),
        path if path.contains("/events") => Reply::new(200, r#"{"items":[]}"#),
        _ => Reply::new(200, list(3, &[pod.to_owned()])),
    });
    let (script, text) = run(&server, r#"cluster.wait("pod", "web-0", "ready", #{ timeout: "20s", grace: "1s" })"#);
    let fault = script.fault(&text);
    assert_eq!(fault.kind, Kind::Failed, "{fault:?}");
    assert!(fault.message.contains("pod web-0: CrashLoopBackOff: back-off 40s"), "{fault}");
    assert!(fault.notes.iter().any(|note| note == "log of web-0: panic: no database"), "{:?}", fault.notes);
}

#[test]
fn a_creation_that_comes_in_after_it_was_looked_for_stays_in_doubt() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => Reply::new(
            404,
            r#"{"kind":"Status","status":"Failure","reason":"NotFound","code":404,"details":{"name":"a","kind":"configmaps"}}"#,
        ),
        _ => status(409, "AlreadyExists", r#"configmaps \"a\" already exists"#),
    });
    let create = r#"cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } })"#;
    let (script, text) = run(&server, create);
    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    assert_eq!(script.fault(&text).kind, Kind::AlreadyExists);
    let end = |script: &Script| script.recorded.effects.lock().unwrap()[0].1.as_ref().map(|(end, ..)| *end);
    assert_eq!(end(&script), Some(EffectEnd::InDoubt), "a resumed run looks again, and finds it");
    let (script, text) = run(&server, create);
    assert_eq!(script.fault(&text).kind, Kind::AlreadyExists);
    assert_eq!(end(&script), Some(EffectEnd::Failed), "who never sent it before has not made it");
}

/// A deployment to which a controller writes while it is changed: a status, an annotation, and another container.
fn deployment(version: u32, replicas: u32, images: &[(&str, &str)], annotations: &str) -> String {
    let containers: Vec<String> =
        images.iter().map(|(name, image)| format!(r#"{{"name":"{name}","image":"{image}","tty":false}}"#)).collect();
    let owned = r#"[{"manager":"cozyscript","operation":"Apply","apiVersion":"apps/v1","fieldsV1":{"f:metadata":{"f:annotations":{"f:old":{}}},
        "f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"gone\"}":{".":{},"f:image":{}}}}}}}}]"#;
    format!(
        r#"{{"kind":"Deployment","apiVersion":"apps/v1","metadata":{{"name":"web","resourceVersion":"{version}",{annotations}"managedFields":{owned}}},
        "spec":{{"replicas":{replicas},"template":{{"spec":{{"containers":[{}]}}}}}},"status":{{"observedGeneration":{version}}}}}"#,
        containers.join(",")
    )
}

#[test]
fn a_change_names_only_what_was_asked_for() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" if seen.path.ends_with("/apis/apps/v1") => Reply::new(
            200,
            r#"{"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"deployments","singularName":"deployment","kind":"Deployment","namespaced":true,"verbs":["get","list","patch"]}]}"#,
        ),
        "GET" => Reply::new(
            200,
            deployment(1, 1, &[("web", "web:1"), ("gone", "gone:1")], r#""annotations":{"old":"yes"},"#),
        ),
        _ => Reply::new(
            200,
            deployment(2, 2, &[("web", "web:2"), ("mesh", "mesh:1")], r#""annotations":{"new":"yes","revision":"2"},"#),
        ),
    });
    let told = |text: &str| {
        let (script, text) = run(&server, text);
        drop(script.run(&text).unwrap_or_else(|error| panic!("{text}: {error}")));
        let effects = script.recorded.effects.lock().unwrap();
        effects.last().and_then(|(_, end)| end.clone()).and_then(|(.., detail)| detail).unwrap()
    };
    let patched = |patch: &str| told(&format!("cluster.patch(\"apps/v1/Deployment\", \"web\", {patch})"));
    assert_eq!(patched("#{ spec: #{ replicas: 2 } }"), "changed: spec.replicas: 1 → 2");
    assert_eq!(patched("#{ metadata: #{ labels: #{ a: () } } }"), "unchanged");
    assert_eq!(
        patched("#{ metadata: #{ annotations: #{ old: () } } }"),
        "changed: metadata.annotations.old: yes → none"
    );
    assert_eq!(
        patched(
            "#{ spec: #{ template: #{ spec: #{ containers: [#{ name: \"web\", image: \"web:2\" }] } } } }, #{ type: \"strategic\" }"
        ),
        "changed: spec.template.spec.containers[web].image: web:1 → web:2"
    );
    assert_eq!(
        patched(
            "#{ spec: #{ template: #{ spec: #{ containers: [#{ name: \"gone\", `$patch`: \"delete\" }] } } } }, #{ type: \"strategic\" }"
                .replace('`', "\"")
                .as_str()
        ),
        r#"changed: spec.template.spec.containers[gone]: {"image":"gone:1","name":"gone","tty":false} → none"#
    );
    assert_eq!(
        patched("[#{ op: \"add\", path: \"/metadata/annotations/new\", value: \"yes\" }]"),
        "changed: metadata.annotations.new: none → yes"
    );
    assert_eq!(patched("[#{ op: \"replace\", path: \"/spec/replicas\", value: 2 }]"), "changed: spec.replicas: 1 → 2");
    // A list that is replaced, or an item that is named by its place: all of it may be meant.
    let whole = "changed: spec.template.spec.containers[web].image: web:1 → web:2, \
                 spec.template.spec.containers[gone]: {\"image\":\"gone:1\",\"name\":\"gone\",\"tty\":false} → none, \
                 spec.template.spec.containers[mesh]: none → {\"image\":\"mesh:1\",\"name\":\"mesh\",\"tty\":false}";
    assert_eq!(
        patched("[#{ op: \"replace\", path: \"/spec/template/spec/containers/0/image\", value: \"web:2\" }]"),
        whole
    );
    assert_eq!(patched("`{spec: {template: {spec: {containers: [{name: web, image: web:2}]}}}}`"), whole);

    // What was applied before and is no longer wanted goes.
    let applied = "cluster.apply(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: default, annotations: {new: \"yes\"}}, \
                   spec: {template: {spec: {containers: [{name: web, image: web:2}]}}}}`)";
    assert_eq!(
        told(applied),
        "changed: metadata.annotations.new: none → yes, metadata.annotations.old: yes → none, \
         spec.template.spec.containers[web].image: web:1 → web:2, \
         spec.template.spec.containers[gone]: {\"image\":\"gone:1\",\"name\":\"gone\",\"tty\":false} → none"
    );
}
