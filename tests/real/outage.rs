//! What happens to servers and to the way there, while somebody waits: against a real control plane.

use std::{
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use cozyscript::host::cancel::Reason;
use rhai::{Array, Dynamic};

use super::{
    Bed, Scripts, alone,
    k8s::{in_space, run, waits},
    shared,
};
use crate::support::{Script, pipe::Pipe};

fn pipe(bed: &Bed) -> Pipe {
    let text = std::fs::read_to_string(bed.kubeconfig()).unwrap();
    let (_, server) = text.split_once("https://").unwrap();
    let end = server.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter)).unwrap();
    Pipe::to(server[..end].parse::<SocketAddr>().unwrap())
}

/// A script whose `cluster` lies behind the pipe.
fn behind(bed: &Bed, pipe: &Pipe, space: &str, text: &str) -> String {
    let kubeconfig = std::fs::read_to_string(bed.kubeconfig()).unwrap();
    let (before, server) = kubeconfig.split_once("https://").unwrap();
    let end = server.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter)).unwrap();
    let kubeconfig = format!("{before}https://{}{}", pipe.address, &server[end..]);
    format!("let cluster = k8s::connect(#{{ text: `{kubeconfig}`, namespace: \"{space}\" }}); {text}")
}

fn start<T: Send + 'static>(
    script: &std::sync::Arc<Script>,
    text: String,
    read: impl Fn(Dynamic) -> T + Send + 'static,
) -> JoinHandle<T> {
    let script = script.clone();
    thread::spawn(move || match script.run(&text) {
        Ok(value) => read(value),
        Err(error) => panic!("{error}"),
    })
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn is_ready(bed: &Bed) -> bool {
    std::panic::catch_unwind(|| bed.testbed.kubectl(&["get", "--raw", "/readyz"])).is_ok()
}

#[test]
fn a_connection_that_fell_silent_is_noticed_and_made_anew() {
    let Some(bed) = shared() else { return };
    let space = bed.space("silent");
    let script = bed.script();
    let pipe = pipe(&bed);
    bed.kubectl(&["create", "configmap", "a", "-n", &space]);
    let text = r#"cluster.wait("cm", "a", "data.done=yes", #{ timeout: "1m" }).data.done"#;
    let waiting = start(&script, behind(&bed, &pipe, &space, text), Dynamic::cast::<String>);
    until("it watches", || waits(&script).iter().any(|why| why == "`data.done` is not there yet"));
    pipe.fall_silent();
    bed.kubectl(&["patch", "cm", "a", "-n", &space, "--type=merge", "-p", r#"{"data":{"done":"yes"}}"#]);
    assert_eq!(waiting.join().unwrap(), "yes");
    assert!(pipe.connections() > 1);
}

#[test]
fn nothing_is_lost_or_told_twice_when_a_restarted_server_has_forgotten_the_version() {
    let Some(bed) = alone() else { return };
    let space = bed.space("forgotten");
    let script = bed.script();
    let pipe = pipe(&bed);
    for name in ["gone", "changed", "same"] {
        bed.kubectl(&["create", "configmap", name, "-n", &space]);
        bed.kubectl(&["label", "configmap", name, "-n", &space, "told=yes"]);
    }
    let text = r#"
        let told = [];
        cluster.watch("configmaps", |change, map| {
            told.push(`${change} ${map.metadata.name}`);
            print(told[told.len() - 1]);
            map.metadata.name == "end"
        }, #{ labels: "told", timeout: "3m" });
        told"#;
    let watching = start(&script, behind(&bed, &pipe, &space, text), |told| {
        told.cast::<Array>().into_iter().map(Dynamic::cast::<String>).collect::<Vec<_>>()
    });
    until("all are told", || script.printed().len() == 3);
    let version = bed.kubectl(&["get", "cm", "same", "-n", &space, "-o", "jsonpath={.metadata.resourceVersion}"]);
    pipe.close(true);
    pipe.cut();
    bed.kubectl(&["delete", "cm", "gone", "-n", &space]);
    bed.kubectl(&["annotate", "cm", "changed", "-n", &space, "a=b"]);
    bed.part("stop", "kube-apiserver");
    bed.part("start", "kube-apiserver");
    until("the API server comes back", || is_ready(&bed));
    let path = format!("/api/v1/namespaces/{space}/configmaps?watch=true&timeoutSeconds=1&resourceVersion={version}");
    let answer = bed.kubectl(&["get", "--raw", &path]);
    assert!(answer.contains("\"code\":410"), "the server should know nothing of that time: {answer}");
    pipe.close(false);
    until("the differences are told", || script.printed().len() == 5);
    bed.kubectl_with(
        &["create", "-n", &space],
        r#"{apiVersion: v1, kind: ConfigMap, metadata: {name: end, labels: {told: "yes"}}}"#,
    );
    let mut told = watching.join().unwrap();
    told[..3].sort();
    told[3..5].sort();
    assert_eq!(told, ["added changed", "added gone", "added same", "deleted gone", "modified changed", "added end"]);
}

#[test]
fn a_list_and_a_wait_outlast_a_restart_of_the_api_server() {
    let Some(bed) = alone() else { return };
    let space = bed.space("outlasted");
    let script = bed.script();
    let pipe = pipe(&bed);
    let many = r#"
        let many = [];
        for i in 0..1500 {
            many.push(#{ apiVersion: "v1", kind: "ConfigMap",
                metadata: #{ name: `c${i}`, labels: #{ many: "yes" } }, data: #{ x: "LONG" } });
        }
        cluster.apply(many); ()"#;
    run(&script, &in_space(&space, &many.replace("LONG", &"x".repeat(1000))));
    // A page of 500 takes about two seconds.
    pipe.slow_down(400_000);
    let list = r#"cluster.list("configmaps", #{ labels: "many", timeout: "2m" }).len()"#;
    let listing = start(&script, behind(&bed, &pipe, &space, list), |count| count.as_int().unwrap());
    let wait = r#"cluster.wait("cm", "later", "exists", #{ timeout: "2m" }).metadata.name"#;
    let waiting = start(&script, in_space(&space, wait), Dynamic::cast::<String>);
    thread::sleep(Duration::from_secs(3));
    assert!(!listing.is_finished(), "the first pages are on their way");
    bed.part("stop", "kube-apiserver");
    thread::sleep(Duration::from_secs(7));
    bed.part("start", "kube-apiserver");
    until("the API server comes back", || is_ready(&bed));
    pipe.slow_down(0);
    bed.kubectl(&["create", "configmap", "later", "-n", &space]);
    assert_eq!(waiting.join().unwrap(), "later");
    assert_eq!(listing.join().unwrap(), 1500);
    let why = waits(&script);
    assert!(why.iter().any(|why| why.contains("refuses connections, for 5s")), "{why:?}");
}

#[test]
fn whoever_stops_a_run_waits_for_no_server() {
    let Some(bed) = shared() else { return };
    let space = bed.space("stopped");
    for text in [
        r#"cluster.wait("cm", "nope", "exists")"#,
        r#"cluster.wait("pods", #{ labels: "app=web" })"#,
        r#"cluster.watch("configmaps", |change, map| false)"#,
        r#"cluster.list("configmaps"); sleep("1s"); cluster.list("configmaps")"#,
        r#"cluster.get("cm", "a", #{ missing_ok: true }); sleep("1s"); cluster.get("cm", "a")"#,
    ] {
        let script = bed.script();
        let pipe = pipe(&bed);
        let begun = Instant::now();
        script.stop_after(Duration::from_millis(1500));
        let (fault, reason) = thread::scope(|scope| {
            let ended = scope.spawn(|| script.end(&behind(&bed, &pipe, &space, text)));
            thread::sleep(Duration::from_millis(500));
            pipe.fall_silent();
            ended.join().unwrap()
        });
        assert!(matches!(reason, Some(Reason::Signal(_))), "{text}: {fault:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{text}");
    }
}
