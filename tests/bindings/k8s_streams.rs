//! Commands and forwarded ports over WebSockets, with a server that speaks them exactly, or breaks off.

use cozyscript::{event::EffectEnd, host::tunnel::Tunnel, script::fault::Fault, script::fault::Kind};
use futures::{SinkExt, StreamExt};
use rhai::Map;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use super::k8s::{run, status};
use crate::support::{
    Planned, runtime,
    server::{Reply, Server, Socket},
};

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";

fn on(channel: u8, text: &str) -> Message {
    Message::Binary([&[channel], text.as_bytes()].concat().into())
}

async fn say(socket: &mut Socket, messages: Vec<Message>) {
    for message in messages {
        socket.send(message).await.unwrap();
    }
}

/// What the client says on a channel up to its end.
async fn hear(socket: &mut Socket) -> Vec<u8> {
    let mut heard = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Binary(bytes) if bytes[..] == [255, 0] => break,
            Message::Binary(bytes) => heard.extend_from_slice(&bytes[1..]),
            _ => {}
        }
    }
    heard
}

const SUCCESS: &str = r#"{"metadata":{},"status":"Success"}"#;

fn ended_with(code: u8) -> String {
    format!(
        r#"{{"metadata":{{}},"status":"Failure","message":"command terminated with non-zero exit code","reason":"NonZeroExitCode","details":{{"causes":[{{"reason":"ExitCode","message":"{code}"}}]}}}}"#
    )
}

fn text(map: &Map, key: &str) -> String {
    map[key].to_string()
}

#[test]
fn a_command_hears_its_input_and_its_streams_are_kept_apart() {
    let server = Server::start(|_| {
        Reply::talking(V5, |mut socket| async move {
            say(&mut socket, vec![Message::Ping("are you there".into()), on(2, "reading\n")]).await;
            let heard = String::from_utf8(hear(&mut socket).await).unwrap();
            say(&mut socket, vec![on(1, ""), on(1, &heard.to_uppercase()), on(3, &ended_with(3))]).await;
            // Whoever hangs up on an answer that was not read takes back what was said.
            hear(&mut socket).await;
        })
    });
    let (script, text_of) = run(
        &server,
        r#"cluster.exec("web-0", ["tr", "a-z", "A-Z"], #{ container: "main", stdin: "hello", expect: [0, 3] })"#,
    );
    let ended: Map = script.value(&text_of);
    assert_eq!((text(&ended, "stdout"), text(&ended, "stderr")), ("HELLO".into(), "reading\n".into()));
    assert_eq!((text(&ended, "status"), text(&ended, "ok")), ("3".into(), "false".into()));
    let asked = &server.seen()[0];
    assert_eq!(
        asked.path,
        "/api/v1/namespaces/default/pods/web%2D0/exec?stdout=true&stderr=true&container=main&command=tr&command=a%2Dz&command=A%2DZ&stdin=true"
            .replace("web%2D0", "web-0")
    );
    // Only this protocol can end the input.
    assert_eq!(asked.headers["sec-websocket-protocol"], V5);
    let effects = script.recorded.effects.lock().unwrap();
    let (effect, closed) = &effects[0];
    assert_eq!(format!("{} {}", effect.verb, effect.object), "exec fake: web-0 in default: tr a-z A-Z");
    assert_eq!((effect.repeatable, closed.as_ref().unwrap().0), (false, EffectEnd::Done));
}

#[test]
fn a_command_says_of_itself_whether_it_only_looks_and_what_it_destroys() {
    let server = Server::start(|_| {
        Reply::talking(V5, |mut socket| async move {
            say(&mut socket, vec![on(3, SUCCESS)]).await;
            hear(&mut socket).await;
        })
    });
    let announced = |options: &str| {
        let (script, text) = run(&server, &format!(r#"cluster.exec("web-0", ["work"], {options}).ok"#));
        assert!(script.value::<bool>(&text));
        let (effect, _) = script.recorded.effects.lock().unwrap().remove(0);
        (effect.repeatable, effect.destroys)
    };
    assert_eq!(announced("#{ repeatable: true }"), (true, None));
    assert_eq!(announced(r#"#{ destroys: "/dev/sda" }"#), (false, Some(vec!["/dev/sda".to_owned()])));
    let two = Some(vec!["/dev/sda".to_owned(), "/dev/sdb".to_owned()]);
    assert_eq!(announced(r#"#{ destroys: ["/dev/sda", "/dev/sdb"] }"#), (false, two));
}

#[test]
fn another_exit_code_is_a_fault_with_the_last_lines() {
    let server = Server::start(|_| {
        Reply::talking(V4, |mut socket| async move {
            let lines: String = (1..=30).map(|line| format!("line {line}\n")).collect();
            say(&mut socket, vec![on(2, &lines), on(3, &ended_with(1))]).await;
        })
    });
    let (script, text) = run(&server, r#"cluster.exec("web-0", ["false"])"#);
    let fault = script.fault(&text);
    assert_eq!((fault.kind, &*fault.message), (Kind::Failed, "`false` in pod `web-0` ended with 1, not 0"));
    assert_eq!((fault.notes.len(), &*fault.notes[9]), (10, "stderr: line 30"));
}

#[test]
fn a_command_that_can_not_be_started_says_why() {
    let server = Server::start(|_| {
        Reply::talking(V4, |mut socket| async move {
            let why = r#"{"status":"Failure","reason":"InternalError","message":"exec: \"nope\": executable file not found in $PATH","code":500}"#;
            say(&mut socket, vec![on(3, why)]).await;
        })
    });
    let (script, text) = run(&server, r#"cluster.exec("web-0", ["nope"])"#);
    let fault = script.fault(&text);
    assert_eq!(fault.kind, Kind::Failed);
    assert_eq!(fault.notes, [r#"exec: "nope": executable file not found in $PATH"#]);
}

#[test]
fn a_command_whose_connection_breaks_is_in_doubt() {
    let server = Server::start(|_| {
        Reply::talking(V5, |mut socket| async move { say(&mut socket, vec![on(1, "half of ")]).await })
    });
    let (script, text) = run(&server, r#"cluster.exec("web-0", ["reboot"])"#);
    let fault = script.fault(&text);
    assert_eq!((fault.kind, &*fault.message), (Kind::InDoubt, "nobody knows how `reboot` in pod `web-0` ended"));
    let closed = script.recorded.effects.lock().unwrap()[0].1.clone().unwrap();
    assert_eq!(closed.0, EffectEnd::InDoubt);
}

#[test]
fn a_command_that_was_run_is_taken_from_the_journal_and_one_in_doubt_is_asked_about() {
    let server = Server::start(|_| {
        Reply::talking(V5, |mut socket| async move { say(&mut socket, vec![on(1, "kept"), on(3, SUCCESS)]).await })
    });
    let (script, text_of) = run(&server, r#"cluster.exec("web-0", ["date"])"#);
    let first: Map = script.value(&text_of);
    let kept = script.recorded.effects.lock().unwrap()[0].1.clone().unwrap().1;
    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept));
    let again: Map = script.value(&text_of);
    assert_eq!((text(&again, "stdout"), server.seen().len()), (text(&first, "stdout"), 1));

    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    let (_, stopped) = script.end(&text_of);
    let why = stopped.unwrap().to_string();
    assert!(why.contains("a command leaves nothing behind that could be looked for"), "{why}");
}

#[test]
fn more_output_than_allowed_is_let_go_and_told() {
    let server = Server::start(|_| {
        Reply::talking(V5, |mut socket| async move {
            let piece = "x".repeat(1 << 20);
            for _ in 0..20 {
                say(&mut socket, vec![on(1, &piece)]).await;
            }
            say(&mut socket, vec![on(3, SUCCESS)]).await;
        })
    });
    let (script, text) = run(&server, r#"cluster.exec("web-0", ["dump"])"#);
    let fault = script.fault(&text);
    assert_eq!(&*fault.message, "`dump` in pod `web-0` wrote more than 16777216 bytes, and ended with 0");
    let (script, text) = run(&server, r#"cluster.exec("web-0", ["dump"], #{ limit: 60_000_000 }).stdout.len()"#);
    assert_eq!(script.value::<i64>(&text), 20 << 20);
}

#[test]
fn secrets_in_a_command_are_sent_and_never_shown() {
    let server = Server::start(|_| {
        Reply::talking(V5, |mut socket| async move { say(&mut socket, vec![on(1, "hunter22"), on(3, SUCCESS)]).await })
    });
    let (script, text_of) =
        run(&server, r#"cluster.exec("web-0", ["login", secret::of("hunter22", "password")]).stdout"#);
    let said: String = script.value(&text_of);
    assert_eq!(said, "hunter22");
    assert!(server.seen()[0].path.ends_with("&command=hunter22"));
    let effects = script.recorded.effects.lock().unwrap();
    let (effect, closed) = &effects[0];
    assert!(effect.object.ends_with(": login [secret password]"), "{}", effect.object);
    assert!(!closed.as_ref().unwrap().1.to_string().contains("hunter22"));
}

#[test]
fn a_server_that_speaks_no_websocket_is_told_apart() {
    let server = Server::start(|_| status(400, "BadRequest", "unable to upgrade: unsupported"));
    let (script, text) = run(&server, r#"cluster.exec("web-0", ["date"])"#);
    assert_eq!(script.fault(&text).kind, Kind::Invalid);
    let server = Server::start(|_| Reply::talking("chat", |_| async {}));
    let (script, text) = run(&server, r#"cluster.exec("web-0", ["date"])"#);
    assert_eq!(script.fault(&text).kind, Kind::Unsupported);
}

fn pod(name: &str, ready: &str) -> String {
    format!(
        r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"{name}","namespace":"default"}},
            "spec":{{"containers":[{{"name":"main","ports":[{{"name":"web","containerPort":8080}}]}}]}},
            "status":{{"conditions":[{{"type":"Ready","status":"{ready}"}}]}}}}"#
    )
}

/// The two announcements of a port, then an echo.
async fn echo(mut socket: Socket) {
    let port = 8080_u16.to_le_bytes();
    for channel in [0, 1] {
        socket.send(Message::Binary([&[channel], &port[..]].concat().into())).await.unwrap();
    }
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Binary(bytes) = message {
            socket.send(Message::Binary(bytes)).await.unwrap();
        }
    }
}

#[test]
fn each_connection_through_a_tunnel_is_a_websocket_of_its_own() {
    let server = Server::start(|seen| match seen.path.contains("/portforward") {
        true => Reply::talking(V4, echo),
        false => Reply::new(200, pod("web-0", "True")),
    });
    let (script, text) = run(&server, r#"cluster.port_forward("web-0", "web")"#);
    let tunnel: Tunnel = script.value(&text);
    assert_eq!((tunnel.to_string(), tunnel.port()), ("web-0:web in default of fake".into(), 8080));
    let sent: Vec<u8> = (0..200_000_u32).map(|byte| byte as u8).collect();
    runtime().block_on(async {
        for _ in 0..2 {
            let (mut reader, mut writer) = tokio::io::split(tunnel.connect().await.unwrap());
            let mut heard = vec![0; sent.len()];
            let write = async {
                writer.write_all(&sent).await.unwrap();
                writer.flush().await.unwrap();
            };
            let (_, read) = tokio::join!(write, reader.read_exact(&mut heard));
            read.unwrap();
            assert!(heard == sent);
        }
    });
    let opened: Vec<String> =
        server.seen().into_iter().map(|seen| seen.path).filter(|path| path.contains("?")).collect();
    assert_eq!(opened, ["/api/v1/namespaces/default/pods/web-0/portforward?ports=8080"; 2]);
}

#[test]
fn what_a_pod_says_against_a_connection_is_the_fault_of_whoever_reads() {
    let server = Server::start(|seen| match seen.path.contains("/portforward") {
        false => Reply::new(200, pod("web-0", "True")),
        true => Reply::talking(V4, |mut socket| async move {
            let why = "connect to localhost:81: connection refused";
            say(&mut socket, vec![on(0, "Q\0"), on(1, "Q\0"), on(1, why)]).await;
        }),
    });
    let (script, text) = run(&server, r#"cluster.port_forward("web-0", 81)"#);
    let tunnel: Tunnel = script.value(&text);
    let error = runtime().block_on(async { tunnel.connect().await.unwrap().read_u8().await }).unwrap_err();
    let fault = Fault::behind(&error).unwrap();
    assert_eq!(fault.message, "no connection to port 81 of pod `web-0` in `default`");
    assert_eq!(fault.notes, ["connect to localhost:81: connection refused"]);
}

#[test]
fn the_pods_of_a_service_are_those_that_are_ready_and_one_that_went_is_passed_over() {
    let server = Server::start(|seen| match () {
        () if seen.path.contains("/services/") => Reply::new(
            200,
            r#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"web"},"spec":{"ports":[{"name":"http","port":80,"targetPort":"web"}]}}"#,
        ),
        () if seen.path.contains("/apis/discovery.k8s.io/v1/namespaces/") => Reply::new(
            200,
            r#"{"kind":"EndpointSliceList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"web-x"},"ports":[{"name":"http","port":8080}],"endpoints":[
                {"targetRef":{"kind":"Pod","name":"web-0"},"conditions":{"ready":false}},
                {"targetRef":{"kind":"Pod","name":"web-1"},"conditions":{"ready":true}},
                {"targetRef":{"kind":"Pod","name":"web-2"},"conditions":{"ready":true}}]}]}"#,
        ),
        () if seen.path.starts_with("/apis") || seen.path.starts_with("/api?") || seen.path == "/api" => Reply::new(
            200,
            r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[{"metadata":{"name":"discovery.k8s.io"},"versions":[{"version":"v1","resources":[
                {"resource":"endpointslices","responseKind":{"kind":"EndpointSlice","version":"v1","group":"discovery.k8s.io"},"scope":"Namespaced","singularResource":"endpointslice","verbs":["list"]}]}]}]}"#,
        ),
        () if seen.path.contains("/pods/web-1/") => Reply::new(
            404,
            r#"{"kind":"Status","status":"Failure","reason":"NotFound","message":"pods \"web-1\" not found","details":{"name":"web-1","kind":"pods"},"code":404}"#,
        ),
        () if seen.path.contains("/pods/web-2/portforward?ports=8080") => Reply::talking(V4, echo),
        () => Reply::new(500, "this was not expected"),
    });
    let (script, text) = run(&server, r#"cluster.port_forward("svc/web", 80)"#);
    let tunnel: Tunnel = script.value(&text);
    assert_eq!((tunnel.host(), tunnel.port()), ("web.default.svc", 80));
    let heard = runtime().block_on(async {
        let mut stream = tunnel.connect().await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.flush().await.unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        heard
    });
    assert_eq!(&heard, b"hello");
    let (script, text) = run(&server, r#"cluster.port_forward("svc/web", "metrics")"#);
    let fault = script.fault(&text);
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::NotFound, Some("its ports are 80 (http)")));
}

fn running(name: &str, state: &str) -> Reply {
    Reply::new(
        200,
        format!(
            r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"{name}","namespace":"default"}},
                "spec":{{"containers":[{{"name":"main"}}]}},
                "status":{{"containerStatuses":[{{"name":"main","state":{{"{state}":{{}}}}}}]}}}}"#
        ),
    )
}

/// Lines of a log with the times of their writing, in thousandths of one minute.
fn log(lines: &[(u32, &str)]) -> String {
    let line = |(at, line): &(u32, &str)| format!("2026-11-21T10:00:{:02}.{:03}Z {line}\n", at / 1000, at % 1000);
    lines.iter().map(line).collect()
}

#[test]
fn a_followed_log_goes_on_where_it_broke_without_loss_or_doubling() {
    let lines = [
        (500, "one"),
        (1200, "two"),
        (1200, "two again"),
        (1300, "three"),
        (1300, "four"),
        (2000, "five"),
        (2100, "ready"),
    ];
    let server = Server::start(move |seen| match (seen.path.contains("/log?"), seen.path.contains("sinceTime")) {
        (false, _) => running("web-0", "running"),
        // All of it is announced, and it ends in the middle of a line.
        (true, false) => Reply::new(200, log(&lines[..6])).cut_off(),
        (true, true) if seen.before < 4 => Reply::new(200, log(&lines[1..5])),
        (true, true) => Reply::new(200, log(&lines[1..])),
    });
    let (script, text) = run(&server, r#"cluster.logs("web-0", #{ tail: 100, until: "ready", timeout: "20s" })"#);
    assert_eq!(script.value::<String>(&text), "ready");
    assert_eq!(script.printed(), ["one", "two", "two again", "three", "four", "five", "ready"]);
    let asked: Vec<String> =
        server.seen().into_iter().map(|seen| seen.path).filter(|path| path.contains("/log?")).collect();
    assert!(asked[0].contains("tailLines=100") && asked[0].contains("timestamps=true"), "{asked:?}");
    assert!(
        asked[1].contains("sinceTime=2026%2D11%2D21T10%3A00%3A01Z") && !asked[1].contains("tailLines"),
        "{asked:?}"
    );
}

#[test]
fn a_container_that_has_not_started_is_waited_for_and_one_that_has_ended_is_the_end() {
    let creating = r#"container \"main\" in pod \"web-0\" is waiting to start: ContainerCreating"#;
    let server = Server::start(move |seen| match (seen.path.contains("/log"), seen.before) {
        (true, 0) => status(400, "BadRequest", creating),
        (true, _) => Reply::new(200, log(&[(1, "hello"), (2, "bye")])),
        (false, _) => running("web-0", "terminated"),
    });
    let (script, text) = run(&server, r#"cluster.logs("web-0", #{ follow: true })"#);
    drop(script.run(&text).unwrap());
    assert_eq!(script.printed(), ["hello", "bye"]);
    let waited = format!("{:?}", script.events());
    assert!(waited.contains("ContainerCreating"), "{waited}");

    let (script, text) = run(&server, r#"cluster.logs("web-0", #{ until: "ready" })"#);
    assert_eq!(script.fault(&text).kind, Kind::Failed);

    let server = Server::start(move |_| status(400, "BadRequest", creating));
    let (script, text) = run(&server, r#"cluster.logs("web-0")"#);
    let fault = script.fault(&text);
    assert_eq!(
        (fault.kind, fault.hint.as_deref()),
        (Kind::Invalid, Some("`wait` for the pod to be ready first, or follow its log"))
    );
}

#[test]
fn a_closure_is_told_each_line_and_ends_it() {
    let server = Server::start(|seen| match seen.path.contains("/log") {
        true => Reply::new(200, log(&[(1, "a 1"), (2, "b 2"), (3, "c 3"), (4, "d 4")])),
        false => running("web-0", "terminated"),
    });
    let (script, text) = run(
        &server,
        r#"let sum = 0; let last = cluster.logs("web-0", #{}, |line| { sum += parse_int(line.sub_string(2)); sum >= 6 }); `${sum} ${last}`"#,
    );
    assert_eq!(script.value::<String>(&text), "6 c 3");
    assert!(script.printed().is_empty());
}

#[test]
fn many_logs_are_told_apart_and_time_is_no_fault_where_nothing_is_looked_for() {
    let pods = format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"1"}},"items":[{},{}]}}"#,
        pod("web-0", "True"),
        pod("web-1", "True")
    );
    let server = Server::start(move |seen| match (seen.path.contains("/log"), seen.path.contains("labelSelector")) {
        (true, _) if seen.path.contains("follow") && seen.path.contains("web-1") => {
            Reply::new(200, "").after(std::time::Duration::from_secs(60))
        }
        (true, _) => Reply::new(200, log(&[(1, "hello")])),
        (false, true) if seen.path.contains("watch=true") => {
            Reply::new(200, "").after(std::time::Duration::from_secs(60))
        }
        (false, true) => Reply::new(200, pods.clone()),
        (false, false) => running("web-0", "terminated"),
    });
    let (script, text) =
        run(&server, r#"cluster.logs(#{ labels: "app=web", all_containers: true, timestamps: true })"#);
    let stamp = "2026-11-21T10:00:00.001Z";
    assert_eq!(script.value::<String>(&text), format!("web-0/main: {stamp} hello\nweb-1/main: {stamp} hello\n"));
    let (script, text) = run(&server, r#"cluster.logs(#{ labels: "app=web", follow: true, timeout: "300ms" })"#);
    drop(script.run(&text).unwrap());
    assert_eq!(script.printed(), ["web-0: hello"]);
    let (script, text) = run(&server, r#"cluster.logs(#{ labels: "app=web", until: "bye", timeout: "300ms" })"#);
    assert_eq!(script.fault(&text).kind, Kind::Timeout);
    let (script, text) = run(&server, r#"cluster.logs("web-0", #{ since: "1h", since_time: "2026-11-21T10:00:00Z" })"#);
    assert_eq!(script.fault(&text).message, "both `since` and `since_time` are given");
}

#[test]
fn pods_that_are_made_later_are_followed_from_their_beginning() {
    let pods = |items: &str| {
        format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"1"}},"items":[{items}]}}"#)
    };
    let first = pods(&pod("web-0", "True"));
    let server = Server::start(move |seen| {
        let is = |part: &str| seen.path.contains(part);
        match (is("/log"), is("watch=true"), is("labelSelector")) {
            (true, ..) if is("web-0") => Reply::new(200, log(&[(1, "hello")])),
            (true, ..) => Reply::new(200, log(&[(1, "one"), (2, "ready")])),
            (false, true, _) => {
                Reply::new(200, format!(r#"{{"type":"ADDED","object":{}}}"#, pod("web-1", "True").replace("\n", "")))
                    .after(std::time::Duration::from_millis(200))
            }
            (false, false, true) => Reply::new(200, first.clone()),
            (false, false, false) => running("web-0", "terminated"),
        }
    });
    let (script, text) =
        run(&server, r#"cluster.logs(#{ labels: "app=web", tail: 1, until: "ready", timeout: "20s" })"#);
    assert_eq!(script.value::<String>(&text), "web-1: ready");
    assert_eq!(script.printed(), ["web-0: hello", "web-1: one", "web-1: ready"]);
    let asked: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    let of = |pod: &str| asked.iter().find(|path| path.contains(pod) && path.contains("/log?")).unwrap();
    assert!(of("web-0").contains("tailLines=1") && !of("web-1").contains("tailLines"), "{asked:?}");
}
