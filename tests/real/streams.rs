//! Commands, forwarded ports and logs through the real API server, to a kubelet that runs them on this machine.

use std::time::Duration;

use cozyscript::{
    host::tunnel::Tunnel,
    script::fault::{Fault, Kind},
};
use rhai::Map;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Bed, Scripts, alone, shared};
use crate::support::{
    daemon::redis,
    runtime,
    server::{Reply, Server},
    transcript::{program, said},
};

const POD: &str = r#"
    fn pod(name) {
        #{ apiVersion: "v1", kind: "Pod", metadata: #{ name: name, labels: #{ app: name } },
           spec: #{ containers: [#{ name: "main", image: "main", ports: [#{ name: "echo", containerPort: 7 }] }] } }
    }
"#;

fn in_space(space: &str, text: &str) -> String {
    format!("{POD} let cluster = k8s::connect(#{{ namespace: \"{space}\" }}); {text}")
}

const UP: &str = r#"cluster.apply(pod("web")); cluster.wait("pod", "web");"#;

#[test]
fn a_command_runs_in_a_pod() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let space = bed.space("exec");
    let ended: Map = script
        .value(&in_space(&space, &format!(r#"{UP} cluster.exec("web", ["sh", "-c", "echo out; echo err >&2"])"#)));
    let said = |key: &str| ended[key].to_string();
    assert_eq!((said("stdout"), said("stderr"), said("status")), ("out\n".into(), "err\n".into(), "0".into()));
    // This kubelet has no codes for the ends of commands, and no end for their input: a server of ours has, elsewhere.
    let fault = script.fault(&in_space(&space, r#"cluster.exec("web", ["no-such-program"])"#));
    assert_eq!((fault.kind, &*fault.message), (Kind::Failed, "`no-such-program` could not be run in pod `web`"));
    assert!(fault.notes[0].contains("executable file not found"), "{fault:?}");

    let megabytes = 30 << 20;
    let large =
        format!(r#"cluster.exec("web", ["head", "-c", "{megabytes}", "/dev/zero"], #{{ limit: {megabytes} }})"#);
    let length: i64 = script.value(&in_space(&space, &format!("{large}.stdout.len()")));
    assert_eq!(length, megabytes);

    let megabytes = 100 << 20;
    let large = format!(
        r#"cluster.exec("web", ["head", "-c", "{megabytes}", "/dev/zero"], #{{ output: "exec/zeros" }}).stdout"#
    );
    assert_eq!(script.value::<String>(&in_space(&space, &large)), "");
    assert_eq!(std::fs::metadata(bed.folder.join("exec/zeros")).unwrap().len(), megabytes);
    let too_long = in_space(&space, r#"cluster.exec("web", ["date"], #{ limit: 100000000 })"#);
    assert_eq!(script.fault(&too_long).kind, Kind::Usage);

    let fault = script.fault(&in_space(&space, r#"cluster.exec("web", ["sleep", "60"], #{ timeout: "1s" })"#));
    assert_eq!(fault.kind, Kind::Timeout);
    let fault = script.fault(&in_space(&space, r#"cluster.exec("nobody", ["date"])"#));
    assert_eq!((fault.kind, &*fault.message), (Kind::NotFound, "`pods/nobody` in `exec` is not in `testbed`"));
    let viewer = in_space(&space, r#"cluster.exec("web", ["date"])"#)
        .replace("k8s::connect(", "k8s::connect(\"viewer@testbed\", ");
    assert_eq!(script.fault(&viewer).kind, Kind::Denied);
}

#[test]
fn a_port_is_forwarded_through_the_api_server() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let space = bed.space("forward");
    let service = r#"cluster.apply(#{ apiVersion: "v1", kind: "Service", metadata: #{ name: "web" },
        spec: #{ selector: #{ app: "web" }, ports: [#{ name: "echo", port: 70, targetPort: "echo" }] } });"#;
    for target in [r#""web", 7"#, r#""pod/web", "echo""#, r#""svc/web", 70"#, r#""svc/web", "echo""#] {
        let ready = r#"cluster.wait("endpointslices.discovery.k8s.io", cluster.list("endpointslices.discovery.k8s.io")[0].metadata.name, |slice| slice.endpoints[0].conditions.ready);"#;
        let ready = if target.contains("svc") { format!("{service} sleep(\"500ms\"); {ready}") } else { String::new() };
        let tunnel: Tunnel = script.value(&in_space(&space, &format!("{UP} {ready} cluster.port_forward({target})")));
        let heard = runtime().block_on(async {
            let mut stream = tunnel.connect().await.unwrap();
            stream.write_all(b"is anybody there?").await.unwrap();
            stream.flush().await.unwrap();
            let mut heard = [0; 17];
            stream.read_exact(&mut heard).await.unwrap();
            heard
        });
        assert_eq!(&heard, b"is anybody there?", "{target}");
    }
    let fault = script.fault(&in_space(&space, r#"cluster.port_forward("nobody", 80)"#));
    assert_eq!(fault.kind, Kind::NotFound);
    let viewer = in_space(&space, r#"cluster.port_forward("web", 7)"#)
        .replace("k8s::connect(", "k8s::connect(\"viewer@testbed\", ");
    assert_eq!(script.fault(&viewer).kind, Kind::Denied);
}

#[test]
fn a_pod_that_went_is_replaced_by_another_and_what_listens_nowhere_is_told() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let space = bed.space("forward-again");
    let deployment = r#"
        cluster.apply(#{ apiVersion: "apps/v1", kind: "Deployment", metadata: #{ name: "web" },
            spec: #{ selector: #{ matchLabels: #{ app: "web" } }, template: #{ metadata: #{ labels: #{ app: "web" } },
                spec: #{ containers: [#{ name: "main", image: "main" }] } } } });
        cluster.wait("deployment", "web");"#;
    let tunnel: Tunnel =
        script.value(&in_space(&space, &format!(r#"{deployment} cluster.port_forward("deployment/web", 7)"#)));
    bed.kubectl(&["delete", "pod", "-n", &space, "-l", "app=web", "--wait=true"]);
    drop(script.run(&in_space(&space, r#"cluster.wait("deployment", "web")"#)).unwrap());
    let echoed = runtime().block_on(async {
        let mut stream = tunnel.connect().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::timeout(Duration::from_secs(10), stream.read_u8()).await.unwrap().unwrap()
    });
    assert_eq!(echoed, b'x');

    let nowhere: Tunnel = script.value(&in_space(&space, r#"cluster.port_forward("deployment/web", 9)"#));
    let error = runtime().block_on(async {
        let mut stream = nowhere.connect().await?;
        stream.write_all(b"x").await?;
        stream.flush().await?;
        stream.read_u8().await.map(drop)
    });
    let error = error.unwrap_err();
    let fault = Fault::behind(&error).unwrap_or_else(|| panic!("{error:?}"));
    assert!(fault.message.contains("port 9 of pod"), "{fault:?}");
}

/// Writes lines into a file that containers have as their log.
fn write_log(bed: &Bed, file: &str, lines: &[(&str, &str)]) {
    use std::io::Write;
    let log = bed.folder.join("pods").join(file);
    let mut log = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    for (at, line) in lines {
        writeln!(log, "{at} stdout F {line}").unwrap();
    }
}

#[test]
fn logs_are_read_and_followed_through_a_restart_of_the_server() {
    let Some(bed) = alone() else { return };
    let script = bed.script();
    let space = bed.space("logs-followed");
    let day = "2026-11-21T10:00";
    let at = |seconds: &str| format!("{day}:{seconds}Z");
    let (one, two, three) = (at("01.1"), at("02.2"), at("02.3"));
    write_log(&bed, "pod.log", &[(&one, "one"), (&two, "two"), (&three, "three")]);
    let log = |options: &str| -> String {
        script.value(&in_space(&space, &format!(r#"cluster.logs("web", #{{ {options} }})"#)))
    };
    drop(script.run(&in_space(&space, UP)).unwrap());
    assert_eq!(log(""), "one\ntwo\nthree\n");
    assert_eq!(log("tail: 1"), "three\n");
    assert_eq!(log("limit: 5"), "one\nt");
    assert_eq!(log(&format!("since_time: \"{}\"", at("02"))), "two\nthree\n");
    assert!(log("timestamps: true").starts_with("2026-11-21T10:00:01.1"));
    let viewer =
        in_space(&space, r#"cluster.logs("web")"#).replace("k8s::connect(", "k8s::connect(\"viewer@testbed\", ");
    assert_eq!(script.fault(&viewer).kind, Kind::Denied);
    assert_eq!(script.fault(&in_space(&space, r#"cluster.logs("nobody")"#)).kind, Kind::NotFound);
    assert_eq!(script.fault(&in_space(&space, r#"cluster.logs("web", #{ container: "nope" })"#)).kind, Kind::Invalid);

    let already = script.printed().len();
    std::thread::scope(|scope| {
        let followed = scope.spawn(|| -> String {
            script.value(&in_space(&space, r#"cluster.logs("web", #{ until: "the end", timeout: "60s" })"#))
        });
        std::thread::sleep(Duration::from_secs(1));
        write_log(&bed, "pod.log", &[(&at("03.5"), "before")]);
        std::thread::sleep(Duration::from_millis(300));
        bed.part("stop", "kube-apiserver");
        write_log(&bed, "pod.log", &[(&at("03.5"), "meanwhile"), (&at("03.6"), "meanwhile, too")]);
        bed.part("start", "kube-apiserver");
        write_log(&bed, "pod.log", &[(&at("04.1"), "the end")]);
        assert_eq!(followed.join().unwrap(), "the end");
    });
    let printed = script.printed().split_off(already);
    assert_eq!(printed, ["one", "two", "three", "before", "meanwhile", "meanwhile, too", "the end"]);
}

/// Makes the port of every pod lead to a port of this machine.
fn lead(bed: &Bed, port: u16, to: u16) {
    let way = bed.folder.join(format!("pods/port-{port}"));
    let program = format!("#!/usr/bin/env bash\nexec 3<>/dev/tcp/127.0.0.1/{to}\ncat <&3 &\ncat >&3\nkill $!\n");
    std::fs::write(&way, program).unwrap();
    std::fs::set_permissions(&way, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn http_is_spoken_through_a_forwarded_port() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let space = bed.space("forward-http");
    let server = Server::start(|seen| Reply::new(200, format!("{} at {}", seen.path, seen.headers["host"])));
    lead(&bed, 80, server.address.port());
    let text =
        r#"let web = cluster.port_forward("web", 80); http::get(`http://${web.host}/hello`, #{ through: web }).text"#;
    assert_eq!(script.value::<String>(&in_space(&space, &format!("{UP} {text}"))), "/hello at web");
}

#[test]
fn redis_is_spoken_through_a_forwarded_port() {
    let (Some(bed), Some(server)) = (shared(), redis(&[])) else { return };
    let script = bed.script();
    let space = bed.space("forward-redis");
    lead(&bed, 6379, server.port);
    let text = format!(
        r#"{UP}
        let tunnel = cluster.port_forward("web", 6379);
        let store = redis::connect(tunnel);
        let large = ""; large.pad(300_000, 'x');
        store.set("large", large);
        let same = store.get("large") == large;
        store.incr("visits");
        let told = [same, store.get("visits"), redis::ping(tunnel) > 0.s];
        tunnel.close();
        let closed = "open";
        try {{ redis::connect(tunnel); }} catch (fault) {{ closed = fault.kind; }};
        [told, closed]"#
    );
    let said = script.run(&in_space(&space, &text)).unwrap_or_else(|error| panic!("{error}")).to_string();
    assert_eq!(said, r#"[[true, "1", true], "unreachable"]"#);
}

#[test]
fn the_example_follows_a_log_until_it_says_the_word() {
    let Some(bed) = shared() else { return };
    let space = bed.space("talking");
    let journal = tempfile::tempdir().unwrap();
    write_log(
        &bed,
        "talker.log",
        &[("2026-11-21T10:00:00.5Z", "starting"), ("2026-11-21T10:00:01.5Z", "an ERROR, at first")],
    );
    let (status, told) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(2));
            write_log(&bed, "talker.log", &[("2026-11-21T10:00:02.5Z", "ready to accept connections")]);
        });
        let mut command = program(journal.path());
        command.env("KUBECONFIG", bed.kubeconfig()).args([
            "examples/logs.rhai",
            "--set",
            &format!("namespace={space}"),
        ]);
        said(&mut command)
    });
    assert_eq!(status, 0, "{told}");
    for part in ["starting", "ready to accept connections", "1 complaints, the first: an ERROR, at first"] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
}
