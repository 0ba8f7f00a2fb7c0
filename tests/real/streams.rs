//! Commands, forwarded ports and logs through the real API server, to a kubelet that runs them on this machine.

use std::time::Duration;

use cozyscript::{
    host::tunnel::Tunnel,
    script::fault::{Fault, Kind},
};
use rhai::Map;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::shared;
use crate::support::runtime;

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
    assert_eq!((said("stdout"), said("stderr"), said("code")), ("out\n".into(), "err\n".into(), "0".into()));
    // This kubelet has no codes for the ends of commands, and no end for their input: a server of ours has, elsewhere.
    let fault = script.fault(&in_space(&space, r#"cluster.exec("web", ["no-such-program"])"#));
    assert_eq!((fault.kind, &*fault.message), (Kind::Failed, "`no-such-program` could not be run in pod `web`"));
    assert!(fault.notes[0].contains("executable file not found"), "{fault:?}");

    let megabytes = 30 << 20;
    let large =
        format!(r#"cluster.exec("web", ["head", "-c", "{megabytes}", "/dev/zero"], #{{ limit: {megabytes} }})"#);
    let length: i64 = script.value(&in_space(&space, &format!("{large}.stdout.len()")));
    assert_eq!(length, megabytes);

    let fault = script.fault(&in_space(&space, r#"cluster.exec("web", ["sleep", "60"], #{ timeout: "1s" })"#));
    assert_eq!(fault.kind, Kind::Timeout);
    let fault = script.fault(&in_space(&space, r#"cluster.exec("nobody", ["date"])"#));
    assert_eq!((fault.kind, &*fault.message), (Kind::NotFound, "`pods/exec/nobody` in `exec` is not in `testbed`"));
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
