//! Who somebody is to a cluster, what they may do there, and what nobody measures.

use cozyscript::{
    event::What,
    script::{fault::Kind, values::object::Object},
};
use rhai::Array;

use super::{Scripts, k8s::in_space, shared};

#[test]
fn whoever_asks_is_told_what_they_may_do_and_why() {
    let Some(bed) = shared() else { return };
    let space = bed.space("access");
    bed.kubectl(&["create", "role", "reader", "-n", &space, "--verb=get,list", "--resource=pods,pods/log"]);
    bed.kubectl(&["create", "rolebinding", "reads", "-n", &space, "--role=reader", "--user=viewer"]);
    let script = bed.script();
    let viewer = format!("let cluster = k8s::connect(\"viewer@testbed\", #{{ namespace: \"{space}\" }});");
    let may: Array = script.value(&format!(
        r#"{viewer}
        [cluster.can_i("get", "pods"), cluster.can_i("LIST", "po"), cluster.can_i("delete", "pods"),
         cluster.can_i("get", "pods", #{{ subresource: "log" }}), cluster.can_i("get", "pods", #{{ subresource: "exec" }}),
         cluster.can_i("get", "pods", #{{ namespace: "default" }}), cluster.can_i("get", "pods", #{{ all_namespaces: true }}),
         cluster.can_i("get", "pods", #{{ name: "web-0" }}), cluster.can_i("get", "nodes"), cluster.can_i("get", "/version")]"#
    ));
    let may: Vec<bool> = may.into_iter().map(|each| each.as_bool().unwrap()).collect();
    assert_eq!(may, [true, true, false, true, false, false, false, true, false, true]);

    let why: Object = script.value(&format!("{viewer} cluster.permission(\"get\", \"pods\")"));
    let why = why.tree().to_string();
    assert!(why.contains(r#""allowed":true"#) && why.contains(r#"RoleBinding \"reads/access\""#), "{why}");
    let why: Object = script.value(&format!("{viewer} cluster.permission(\"delete\", \"pods\")"));
    assert_eq!(why.tree().to_string(), r#"{"allowed":false,"reason":""}"#);
    let all: bool = script.value(&in_space(&space, "cluster.can_i(\"*\", \"secrets\", #{ all_namespaces: true })"));
    assert!(all);

    assert_eq!(script.fault(&format!("{viewer} cluster.can_i(\"get\", \"pots\")")).kind, Kind::Unsupported);
    let both = "#{ namespace: \"a\", all_namespaces: true }";
    assert_eq!(script.fault(&format!("{viewer} cluster.can_i(\"get\", \"pods\", {both})")).kind, Kind::Usage);
}

#[test]
fn a_user_is_who_the_cluster_takes_them_for() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let name = |context: &str| -> String { script.value(&format!("k8s::connect(\"{context}\").whoami().username")) };
    let told = |context: &str| {
        bed.kubectl(&["auth", "whoami", "--context", context, "-o", "jsonpath={.status.userInfo.username}"])
    };
    for context in ["testbed", "viewer@testbed"] {
        assert_eq!(name(context), told(context));
    }
    let authenticated: bool =
        script.value(r#""system:authenticated" in k8s::connect("viewer@testbed").whoami().groups"#);
    assert!(authenticated);
    assert!(!script.events().iter().any(|what| matches!(what, What::Warned { .. })), "{:?}", script.events());
}

#[test]
fn a_cluster_in_which_nobody_measures_says_so() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    for kind in ["nodes", "pods"] {
        let fault = script.fault(&format!("k8s::connect().top(\"{kind}\")"));
        assert_eq!(fault.kind, Kind::Unsupported);
        assert!(fault.message.contains("has no `metrics.k8s.io`"), "{fault}");
        assert!(fault.hint.unwrap().contains("metrics-server"));
    }
    assert_eq!(script.fault("k8s::connect().top(\"services\")").kind, Kind::Usage);
}
