//! What Flux says in passing, from a server that stands still at that moment.

use rhai::Map;

use super::k8s::{status, value};
use crate::support::server::{Reply, Seen, Server};

const DISCOVERY: &str = r#"{"kind":"APIResourceList","groupVersion":"source.toolkit.fluxcd.io/v1","resources":[
    {"name":"helmcharts","singularName":"helmchart","namespaced":true,"kind":"HelmChart","verbs":["get","list"]},
    {"name":"helmrepositories","singularName":"helmrepository","namespaced":true,"kind":"HelmRepository","verbs":["get"]}]}"#;

const GROUPS: &str = r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"source.toolkit.fluxcd.io",
    "versions":[{"groupVersion":"source.toolkit.fluxcd.io/v1","version":"v1"}],
    "preferredVersion":{"groupVersion":"source.toolkit.fluxcd.io/v1","version":"v1"}}]}"#;

const REPOSITORY: &str = r#"{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"HelmRepository",
    "metadata":{"name":"charts","namespace":"default"},"spec":{"type":"oci","url":"oci://registry/charts"}}"#;

const TRYING_AGAIN: &str = r#"{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"HelmChart",
    "metadata":{"name":"web","namespace":"default","generation":1},
    "spec":{"chart":"app","version":"1.0.0","sourceRef":{"kind":"HelmRepository","name":"charts"}},
    "status":{"observedGeneration":-1,"conditions":[
        {"type":"Reconciling","status":"True","reason":"Progressing","message":"building artifact","observedGeneration":1},
        {"type":"Ready","status":"Unknown","reason":"Progressing","message":"building artifact","observedGeneration":1},
        {"type":"FetchFailed","status":"True","reason":"ChartPullError","observedGeneration":1,
         "message":"chart pull error: failed to get chart version for remote reference: app:1.0.0: not found"}]}}"#;

#[test]
fn what_went_wrong_is_told_while_another_attempt_is_under_way() {
    let server = Server::start(|seen: &Seen| {
        let body = match seen.path.split('?').next().unwrap_or_default() {
            "/api" => r#"{"kind":"APIVersions","versions":[]}"#,
            "/apis" => GROUPS,
            "/apis/source.toolkit.fluxcd.io/v1" => DISCOVERY,
            path if path.ends_with("/helmcharts/web") => TRYING_AGAIN,
            path if path.ends_with("/helmrepositories/charts") => REPOSITORY,
            _ => return status(404, "NotFound", "the server could not find the requested resource"),
        };
        Reply::new(200, body)
    });
    let why: Map =
        value(&server, r#"let why = flux::explain(cluster, "helmchart", "web"); #{ sentence: why.sentence }"#);
    assert_eq!(why["sentence"].to_string(), "helmrepository/charts has no chart `app` of version `1.0.0`");
}
