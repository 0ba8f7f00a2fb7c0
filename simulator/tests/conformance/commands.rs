//! Commands in pods and their ports: what is said to those who ask for them in vain.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    logs::{create, running},
};

const POD: &str = "/api/v1/namespaces/SPACE/pods/web";

bodies! {
    a_connection_has_to_be_upgraded
    the_container_has_to_be_clear
    a_pod_has_to_be_on_a_machine
    ports_are_numbers
    protocols_have_to_be_known
    other_methods_are_refused
    who_may_only_get_may_run_nothing
    who_may_create_may_run_something
}

const STREAMS: [&str; 3] = ["exec", "attach", "portforward"];

const WEB_SOCKET: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

fn a_connection_has_to_be_upgraded(arm: &Arm) {
    running(arm, "web", json!({}));
    for stream in STREAMS {
        arm.get(&format!("{POD}/{stream}"));
        arm.get(&format!("{POD}/{stream}?command=date&stdout=maybe&stdin=1&tty=0&ports=80"));
        arm.send("POST", &format!("{POD}/{stream}?stdout=true"), "", &Value::Null);
    }
}

fn the_container_has_to_be_clear(arm: &Arm) {
    running(arm, "web", json!({"containers": [{"name": "web", "image": "nginx:1"}, {"name": "side", "image": "a:1"}]}));
    for stream in STREAMS {
        arm.get(&format!("{POD}/{stream}"));
        arm.get(&format!("{POD}/{stream}?container=side"));
        arm.get(&format!("{POD}/{stream}?container=nobody"));
        arm.get(&format!("/api/v1/namespaces/SPACE/pods/nobody/{stream}"));
    }
}

fn a_pod_has_to_be_on_a_machine(arm: &Arm) {
    create(arm, "web", json!({"nodeSelector": {"there-is": "none"}}));
    for stream in STREAMS {
        arm.get(&format!("{POD}/{stream}"));
        arm.get(&format!("{POD}/{stream}?container=nobody"));
    }
}

fn ports_are_numbers(arm: &Arm) {
    running(arm, "web", json!({}));
    for ports in ["x", "70000", "-1", "80,x", "80&ports=y", "", "0", "80,81", "8.5", "%2B80"] {
        arm.get(&format!("{POD}/portforward?ports={ports}"));
    }
    arm.get("/api/v1/namespaces/SPACE/pods/nobody/portforward?ports=x");
}

fn protocols_have_to_be_known(arm: &Arm) {
    running(arm, "web", json!({}));
    let spdy = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1"), ("x-stream-protocol-version", "nonsense")];
    for stream in STREAMS {
        let path = format!("{POD}/{stream}?command=date&stdout=true&ports=80");
        arm.with_headers(&[&WEB_SOCKET[..], &[("sec-websocket-protocol", "nonsense")]].concat(), || {
            arm.get_as(&path, "*/*");
        });
        arm.with_headers(&spdy, || arm.get_as(&path, "*/*"));
    }
}

fn other_methods_are_refused(arm: &Arm) {
    running(arm, "web", json!({}));
    for stream in STREAMS {
        for method in ["PUT", "PATCH", "DELETE"] {
            arm.send(method, &format!("{POD}/{stream}"), "application/json", &json!({}));
        }
        arm.get(&format!("{POD}/{stream}/more"));
    }
}

/// Lets the viewer do this to all streams of pods, and waits until the server knows of it.
fn let_viewer(arm: &Arm, verb: &str) {
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE";
    let resources = STREAMS.map(|stream| format!("pods/{stream}"));
    let rules = json!([{"apiGroups": [""], "resources": resources, "verbs": [verb]}]);
    arm.create(&format!("{rbac}/roles"), json!({"metadata": {"name": verb}, "rules": rules}));
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": verb});
    let viewer = json!([{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]);
    arm.create(
        &format!("{rbac}/rolebindings"),
        json!({"metadata": {"name": verb}, "roleRef": role, "subjects": viewer}),
    );
    let question = json!({"spec": {"user": "viewer", "resourceAttributes": {
        "verb": verb, "resource": "pods", "subresource": "exec", "namespace": arm.space,
    }}});
    let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    arm.ask_until(reviews, &question, |answer| answer.body["status"]["allowed"] == true);
}

fn who_may_only_get_may_run_nothing(arm: &Arm) {
    running(arm, "web", json!({}));
    let_viewer(arm, "get");
    arm.as_viewer(|| {
        for stream in STREAMS {
            arm.get(&format!("{POD}/{stream}"));
            arm.get(&format!("/api/v1/namespaces/SPACE/pods/nobody/{stream}"));
            arm.send("POST", &format!("{POD}/{stream}"), "", &Value::Null);
            arm.get(&format!("{POD}/{stream}?ports=x&container=nobody"));
        }
    });
}

fn who_may_create_may_run_something(arm: &Arm) {
    running(arm, "web", json!({}));
    let_viewer(arm, "create");
    arm.as_viewer(|| {
        for stream in STREAMS {
            arm.get(&format!("{POD}/{stream}"));
            arm.send("POST", &format!("{POD}/{stream}"), "", &Value::Null);
        }
    });
}
