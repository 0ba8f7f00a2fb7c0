//! Kubernetes as scripts see it, against a real control plane.

use std::{
    thread,
    time::{Duration, Instant},
};

use cozyscript::{
    event::{EffectEnd, What},
    host::effect::Effect,
    script::{
        catalogue::Catalogue,
        engine,
        fault::{Fault, Kind},
        sources::Sources,
        values::object::Object,
    },
};
use rhai::Array;

use super::{Bed, Scripts, alone, shared};
use crate::support::{Planned, Script};

/// A workload that kwok runs.
pub const WEB: &str = r#"
    #{ apiVersion: "apps/v1", kind: "Deployment", metadata: #{ name: "web", namespace: space },
       spec: #{ replicas: 3, selector: #{ matchLabels: #{ app: "web" } }, template: #{
           metadata: #{ labels: #{ app: "web" } }, spec: #{ containers: [#{ name: "web", image: "web" }] } } } }"#;

/// The same, which no scheduler places, so that its pods stay as a test makes them.
fn parked(name: &str) -> String {
    let parked = r#"spec: #{ schedulerName: "nobody", containers"#;
    WEB.replace("spec: #{ containers", parked)
        .replace("\"web\"", &format!("\"{name}\""))
        .replace("replicas: 3", "replicas: 1")
}

pub fn in_space(space: &str, text: &str) -> String {
    format!("let space = \"{space}\"; let cluster = k8s::connect(#{{ namespace: space }}); {text}")
}

pub fn waits(script: &Script) -> Vec<String> {
    let because = |what| match what {
        What::WaitChanged { because, .. } => Some(because),
        _ => None,
    };
    script.events().into_iter().filter_map(because).collect()
}

pub fn effects(script: &Script) -> Vec<(Effect, Option<EffectEnd>)> {
    let effects = script.recorded.effects.lock().unwrap();
    effects.iter().map(|(effect, end)| (effect.clone(), end.as_ref().map(|(end, ..)| *end))).collect()
}

#[track_caller]
pub fn run(script: &Script, text: &str) {
    drop(script.run(text).unwrap_or_else(|error| panic!("{text}: {error}")));
}

#[track_caller]
pub fn assert_note(fault: &Fault, part: &str) {
    assert!(fault.notes.iter().any(|note| note.contains(part)), "`{part}` is in no note of {fault:#?}");
}

/// The pod of a parked workload, made to look as a kubelet would make it look.
fn set_container_state(bed: &Bed, space: &str, state: &str) -> String {
    let pod = loop {
        let pods = bed.kubectl(&["get", "pods", "-n", space, "-o", "name"]);
        match pods.lines().next() {
            Some(pod) => break pod.to_owned(),
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    let status = format!(
        r#"{{"status":{{"containerStatuses":[{{"name":"c","image":"nope","imageID":"","ready":false,"restartCount":0,"state":{state}}}]}}}}"#
    );
    bed.kubectl(&["patch", "-n", space, &pod, "--subresource=status", "--type=merge", "-p", &status]);
    pod.trim_start_matches("pod/").to_owned()
}

#[test]
fn any_name_of_a_kind_reads_the_same_object() {
    let Some(bed) = shared() else { return };
    let space = bed.space("names");
    let script = bed.script();
    run(&script, &in_space(&space, &format!("cluster.apply({WEB})")));
    for kind in [
        "deployment",
        "deployments",
        "deploy",
        "Deployment",
        "DEPLOYMENTS",
        "deployment.apps",
        "Deployment.v1.apps",
        "apps/v1/Deployment",
        "apps/v1/deployments",
    ] {
        let read: Object = script.value(&in_space(&space, &format!("cluster.get(\"{kind}\", \"web\")")));
        assert!(read.tree().to_string().contains("\"replicas\":3"), "{kind}");
    }
    let both: bool = script.value(&in_space(
        &space,
        "k8s::get(cluster, \"cm\", \"kube-root-ca.crt\") == cluster.get(\"v1/ConfigMap\", \"kube-root-ca.crt\")",
    ));
    assert!(both);
}

#[test]
fn a_kind_that_is_not_there_is_told_with_the_nearest_name() {
    let Some(bed) = shared() else { return };
    let fault = bed.script().fault(r#"k8s::connect().get("deploymint", "web")"#);
    assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::Unsupported, Some("did you mean `deployment`?")));
    let fault = bed.script().fault(r#"k8s::connect().get("HelmRelease.helm.toolkit.fluxcd.io", "web")"#);
    assert_eq!(fault.kind, Kind::Unsupported);
}

#[test]
fn what_is_not_there_is_told_by_kind_name_and_namespace() {
    let Some(bed) = shared() else { return };
    let fault = bed.script().fault(r#"k8s::connect().get("deploy", "web", #{ namespace: "nowhere" })"#);
    assert_eq!(fault.kind, Kind::NotFound);
    assert_eq!(fault.message, "`deployments.apps/web` in `nowhere` is not in `testbed`");
    assert_eq!(fault.status, Some(404));
}

#[test]
fn whoever_may_not_is_told_what_to_ask_for() {
    let Some(bed) = shared() else { return };
    let fault =
        bed.script().fault(r#"k8s::connect("viewer@testbed").get("secret", "token", #{ namespace: "default" })"#);
    assert_eq!(fault.kind, Kind::Denied);
    let hint = fault.hint.unwrap();
    assert!(hint.contains("kubectl --context viewer@testbed auth can-i get secrets/token -n default"), "{hint}");
    for text in [
        r#"lab.list("pods")"#,
        r#"lab.apply(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } })"#,
        r#"lab.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } })"#,
        r#"lab.delete("configmap", "a")"#,
        r#"lab.wait("pod", "a", "exists")"#,
        r#"lab.scale("deployment", "web", 3)"#,
        r#"lab.logs("web-0")"#,
    ] {
        let fault = bed.script().fault(&format!("let lab = k8s::connect(\"viewer@testbed\"); {text}"));
        assert_eq!(fault.kind, Kind::Denied, "{text}: {fault:?}");
    }
}

#[test]
fn a_wrong_token_is_told_as_such() {
    let Some(bed) = shared() else { return };
    let text = std::fs::read_to_string(bed.kubeconfig()).unwrap();
    let (before, after) = text.split_once("token: \"").unwrap();
    let wrong = format!("{before}token: \"x{after}");
    let script = bed.script();
    let fault = script.fault(&format!("k8s::connect(#{{ text: `{wrong}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Unauthenticated);
}

#[test]
fn an_authority_that_did_not_sign_is_not_trusted() {
    let Some(bed) = shared() else { return };
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
    std::fs::write(bed.folder.join("other.crt"), other).unwrap();
    let text = std::fs::read_to_string(bed.kubeconfig()).unwrap().replace("certs/apiserver.crt", "other.crt");
    let fault = bed.script().fault(&format!("k8s::connect(#{{ text: `{text}` }}).list(\"pods\")"));
    assert_eq!(fault.kind, Kind::Tls);
    assert!(fault.hint.unwrap().contains("certificate-authority-data"));
}

#[test]
fn an_unchecked_server_is_warned_of() {
    let Some(bed) = shared() else { return };
    let text = std::fs::read_to_string(bed.kubeconfig()).unwrap();
    let start = text.find("certificate-authority: ").unwrap();
    let end = start + text[start..].find('}').unwrap();
    let insecure = format!("{}insecure-skip-tls-verify: true{}", &text[..start], &text[end..]);
    let script = bed.script();
    run(&script, &format!("k8s::connect(#{{ text: `{insecure}` }}).list(\"namespaces\")"));
    assert!(
        script
            .events()
            .iter()
            .any(|what| matches!(what, What::Warned { text } if text.contains("insecure-skip-tls-verify")))
    );
}

#[test]
fn a_list_is_read_to_its_end_and_selected() {
    let Some(bed) = shared() else { return };
    let space = bed.space("lists");
    let script = bed.script();
    let count: i64 = script.value(&in_space(
        &space,
        r#"
        let many = [];
        for i in 0..1203 {
            many.push(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: `c${i}`, labels: #{ odd: `${i % 2}` } } });
        }
        cluster.apply(many);
        cluster.list("configmaps", #{ labels: "odd" }).len()"#,
    ));
    assert_eq!(count, 1203);
    let (all, odd) = (
        script.value::<Array>(&in_space(&space, "cluster.list(\"cm\", #{ all_namespaces: true, labels: \"odd\" })")),
        script.value::<Array>(&in_space(&space, "cluster.list(\"cm\", #{ labels: #{ odd: \"1\" } })")),
    );
    assert_eq!((all.len(), odd.len()), (1203, 601));
    let first: Object = odd[0].clone().cast();
    let first = first.tree().to_string();
    assert!(first.contains("\"kind\":\"ConfigMap\"") && !first.contains("managedFields"), "{first}");
    let fault = script.fault(&in_space(&space, "cluster.list(\"cm\", #{ labels: \"a in (\" })"));
    assert_eq!(fault.kind, Kind::Invalid);
}

#[test]
fn what_a_secret_holds_is_never_shown() {
    let Some(bed) = shared() else { return };
    let space = bed.space("secrets");
    let script = bed.script();
    bed.kubectl(&["create", "secret", "generic", "-n", &space, "door", "--from-literal=key=open-sesame"]);
    run(
        &script,
        &in_space(
            &space,
            r#"
        let door = cluster.get("secret", "door");
        print(door);
        cluster.apply(#{ apiVersion: "v1", kind: "Secret", metadata: #{ name: "gate" }, stringData: #{ key: "swordfish-7" } });
        print("open-sesame, swordfish-7")"#,
        ),
    );
    let shown = format!("{:?}", script.events());
    for secret in ["open-sesame", "b3Blbi1zZXNhbWU", "swordfish-7"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn applying_twice_changes_nothing_and_says_what_it_did() {
    let Some(bed) = shared() else { return };
    let space = bed.space("twice");
    let script = bed.script();
    let apply = in_space(
        &space,
        r#"cluster.apply(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" }, data: #{ x: "1" } }).metadata.resourceVersion"#,
    );
    let (first, second): (String, String) = (script.value(&apply), script.value(&apply));
    assert_eq!(first, second);
    let details: Vec<_> = script
        .recorded
        .effects
        .lock()
        .unwrap()
        .iter()
        .map(|(effect, end)| (effect.object.clone(), end.clone().unwrap().2))
        .collect();
    assert_eq!(
        details,
        [
            ("testbed: configmap/a".to_owned(), Some("created".to_owned())),
            ("testbed: configmap/a".to_owned(), Some("unchanged".to_owned())),
        ]
    );
    let managers =
        bed.kubectl(&["get", "cm", "a", "-n", &space, "-o", "jsonpath={.metadata.managedFields[*].manager}"]);
    assert_eq!(managers, "cozyscript");
}

#[test]
fn a_field_that_another_owns_is_a_conflict_until_forced() {
    let Some(bed) = shared() else { return };
    let space = bed.space("conflict");
    let script = bed.script();
    let manifest =
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, namespace: {space}}}, data: {{x: theirs}}}}");
    bed.kubectl_with(&["apply", "--server-side", "--field-manager=flux"], &manifest);
    let ours = r#"#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" }, data: #{ x: "ours" } }"#;
    let fault = script.fault(&in_space(&space, &format!("cluster.apply({ours})")));
    assert_eq!((fault.kind, fault.status), (Kind::Conflict, Some(409)));
    assert_note(&fault, "`data.x`: conflict with \"flux\"");
    assert!(fault.hint.unwrap().contains("force: true"));
    let taken: String = script.value(&in_space(&space, &format!("cluster.apply({ours}, #{{ force: true }}).data.x")));
    assert_eq!(taken, "ours");
}

#[test]
fn what_the_server_refuses_is_told_field_by_field() {
    let Some(bed) = shared() else { return };
    let space = bed.space("invalid");
    let fault = bed.script().fault(&in_space(
        &space,
        r#"cluster.apply(#{ apiVersion: "v1", kind: "Service", metadata: #{ name: "Web" }, spec: #{ ports: [] } })"#,
    ));
    assert_eq!((fault.kind, fault.status), (Kind::Invalid, Some(422)));
    assert_note(&fault, "`metadata.name`");
    assert_note(&fault, "`spec.ports`");
    let fault = bed.script().fault(&in_space(
        &space,
        r#"cluster.apply(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" }, dta: #{} })"#,
    ));
    assert_eq!(fault.kind, Kind::Invalid);
    assert_note(&fault, "`dta`: field not declared in schema");
}

#[test]
fn many_documents_go_foundations_first_and_a_failed_one_hides_no_other() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let yaml = r#"
apiVersion: shop.example.org/v1
kind: Widget
metadata: {name: first, namespace: shop}
spec: {size: 3}
---
# nothing but a comment
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: fine, namespace: shop}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: NOT-fine, namespace: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: early, namespace: shop}
spec: {containers: [{name: c, image: c}]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example.org}
spec:
  group: shop.example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wid]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"#;
    std::fs::write(bed.folder.join("shop.yaml"), yaml).unwrap();
    let fault = script.fault(r#"k8s::connect().apply(fs::read("shop.yaml"))"#);
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::Invalid, "1 of 6 objects were not applied"));
    assert_note(&fault, "configmap/NOT-fine in shop");
    let size: i64 = script.value(r#"k8s::connect().get("wid", "first", #{ namespace: "shop" }).spec.size"#);
    assert_eq!(size, 3);
    run(
        &script,
        r#"k8s::connect().get("cm", "fine", #{ namespace: "shop" }); k8s::connect().get("pod", "early", #{ namespace: "shop" });"#,
    );

    // A definition takes all of its kind with it, and says how many.
    let gone: bool = script.value(r#"k8s::connect().delete("crd", "widgets.shop.example.org")"#);
    assert!(gone);
    let (effect, _) = effects(&script).pop().unwrap();
    assert_eq!(effect.destroys.unwrap(), ["the only widget"]);
}

#[test]
fn a_thing_created_twice_is_there_already() {
    let Some(bed) = shared() else { return };
    let space = bed.space("create");
    let script = bed.script();
    let create = in_space(
        &space,
        r#"cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" }, data: #{ x: "1" } })"#,
    );
    run(&script, &create);
    assert_eq!(script.fault(&create).kind, Kind::AlreadyExists);
    let named: String = script.value(&in_space(
        &space,
        r#"cluster.create("{apiVersion: v1, kind: ConfigMap, metadata: {generateName: note-}}").metadata.name"#,
    ));
    assert!(named.starts_with("note-"));
    let fault = script.fault(&in_space(
        "nowhere",
        r#"cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } })"#,
    ));
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::NotFound, "namespace `nowhere` is not in `testbed`"));
}

#[test]
fn what_was_created_is_known_though_it_was_deleted_since() {
    let Some(bed) = shared() else { return };
    let space = bed.space("recall");
    let script = bed.script();
    script.recorded.decisions.lock().unwrap().push(Planned::Done(serde_json::json!({ "name": "a" })));
    let name: String = script.value(&in_space(
        &space,
        r#"cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } }).metadata.name"#,
    ));
    assert_eq!(name, "a");
}

#[test]
fn a_creation_in_doubt_is_settled_by_looking() {
    let Some(bed) = shared() else { return };
    let space = bed.space("doubt");
    let object = r#"#{ apiVersion: "v1", kind: "Secret", metadata: #{ name: "a" }, data: #{ x: "aGVsbG8=" }, stringData: #{ y: "z" } }"#;
    let create = in_space(&space, &format!("cluster.create({object}).data.y"));
    let doubted = |planned| {
        let script = bed.script();
        script.recorded.decisions.lock().unwrap().push(planned);
        script
    };
    // It did not happen: it is made now.
    let made: String = doubted(Planned::Doubt).value(&create);
    assert_eq!(made, "eg==");
    // It did happen: it is not made again, which the server would refuse.
    let there: String = doubted(Planned::Doubt).value(&create);
    assert_eq!(there, "eg==");
    // It was done and closed in an earlier part of the run.
    let script = doubted(Planned::Done(serde_json::json!({ "name": "a" })));
    let recalled: String = script.value(&create);
    assert_eq!(recalled, "eg==");
    // Something else has the name: a person has to say.
    let script = doubted(Planned::Doubt);
    drop(script.run(&create.replace("aGVsbG8=", "b3RoZXI=")).expect_err("nobody answers"));
    assert_eq!(script.recorded.questions.lock().unwrap().len(), 1);
}

#[test]
fn a_deletion_is_done_when_the_very_object_is_gone() {
    let Some(bed) = shared() else { return };
    let space = bed.space("delete");
    let script = bed.script();
    run(
        &script,
        &in_space(
            &space,
            r#"cluster.apply(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a", finalizers: ["example.org/hold"] } })"#,
        ),
    );
    let fault = script.fault(&in_space(&space, r#"cluster.delete("cm", "a", #{ timeout: "1s" })"#));
    assert_eq!(fault.kind, Kind::Timeout);
    assert_note(&fault, "held by example.org/hold");

    let release = {
        let (bed, space) = (bed.testbed, space.clone());
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            bed.kubectl(&[
                "patch",
                "cm",
                "a",
                "-n",
                &space,
                "--type=merge",
                "-p",
                r#"{"metadata":{"finalizers":null}}"#,
            ]);
        })
    };
    assert!(script.value::<bool>(&in_space(&space, r#"cluster.delete("cm", "a", #{ timeout: "20s" })"#)));
    release.join().unwrap();
    assert!(!script.value::<bool>(&in_space(&space, r#"cluster.delete("cm", "a")"#)));
    let fault = script.fault(&in_space(&space, r#"cluster.delete("cm", "a", #{ missing_ok: false })"#));
    assert_eq!(fault.kind, Kind::NotFound);
}

#[test]
fn a_namespace_says_what_dies_with_it() {
    let Some(bed) = shared() else { return };
    let space = bed.space("doomed");
    let script = bed.script();
    run(
        &script,
        &in_space(
            &space,
            &format!(
                "cluster.apply({WEB}); cluster.wait(\"deployment\", \"web\", \"ready\", #{{ timeout: \"1m\" }}); cluster.delete(\"ns\", space, #{{ timeout: \"2m\" }})"
            ),
        ),
    );
    let (effect, end) = effects(&script).pop().unwrap();
    let dies = effect.destroys.unwrap();
    assert_eq!(dies[..2], ["3 pods", "1 deployment"]);
    assert_eq!(end, Some(EffectEnd::Done));
}

#[test]
fn a_wait_is_met_by_condition_readiness_and_closure_alike() {
    let Some(bed) = shared() else { return };
    let space = bed.space("waits");
    let script = bed.script();
    run(&script, &in_space(&space, &format!("cluster.apply({WEB})")));
    for until in [
        "\"condition=Available\"",
        "\"condition=available=True\"",
        "\"ready\"",
        "|o| o.status.availableReplicas == 3",
        "#{ condition: \"Progressing\" }",
    ] {
        let name: String =
            script.value(&in_space(&space, &format!("cluster.wait(\"deploy\", \"web\", {until}).metadata.name")));
        assert_eq!(name, "web", "{until}");
    }
    let replicas: i64 = script.value(&in_space(
        &space,
        r#"
        let scale = cluster.scale("deploy", "web", 1);
        cluster.wait("deploy", "web", |o| o.status.replicas == 1);
        scale.spec.replicas"#,
    ));
    assert_eq!(replicas, 1);
}

#[test]
fn a_wait_tolerates_what_is_not_there_yet_and_reacts_at_once() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let waiting = {
        let script = script.clone();
        thread::spawn(move || {
            let at: String = script.value(&in_space(
                "later",
                r#"cluster.wait("configmap", "a", "exists", #{ timeout: "30s" }).metadata.name"#,
            ));
            (at, Instant::now())
        })
    };
    thread::sleep(Duration::from_secs(1));
    bed.space("later");
    let created = Instant::now();
    bed.kubectl(&["create", "configmap", "a", "-n", "later"]);
    let returned = Instant::now();
    let (name, met) = waiting.join().unwrap();
    assert_eq!(name, "a");
    assert!(met > created && met.saturating_duration_since(returned) < Duration::from_secs(1), "it does not poll");
    assert!(waits(&script).iter().any(|why| why == "there is no configmap/a in later yet"), "{:?}", waits(&script));
}

#[test]
fn a_wait_tolerates_a_kind_that_is_not_there_yet() {
    let Some(bed) = shared() else { return };
    let space = bed.space("kindless");
    let script = bed.script();
    let waiting = {
        let (script, space) = (script.clone(), space.clone());
        thread::spawn(move || {
            script.value::<String>(&in_space(
                &space,
                r#"cluster.wait("gadget", "a", |o| o.status.phase == "Up", #{ timeout: "30s" }).kind"#,
            ))
        })
    };
    thread::sleep(Duration::from_millis(500));
    bed.kubectl_with(&["apply"], r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.lab.example.org}
spec:
  group: lab.example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}"#);
    bed.kubectl(&["wait", "--for=condition=Established", "crd/gadgets.lab.example.org"]);
    bed.kubectl_with(&["create", "-n", &space], "{apiVersion: lab.example.org/v1, kind: Gadget, metadata: {name: a}}");
    thread::sleep(Duration::from_millis(500));
    bed.kubectl(&["patch", "gadget", "a", "-n", &space, "--type=merge", "-p", r#"{"status":{"phase":"Up"}}"#]);
    assert_eq!(waiting.join().unwrap(), "Gadget");
    assert!(waits(&script).iter().any(|why| why.contains("has no kind `gadget`")), "{:?}", waits(&script));
}

#[test]
fn an_old_condition_does_not_count() {
    let Some(bed) = shared() else { return };
    let space = bed.space("stale");
    let script = bed.script();
    run(&script, &in_space(&space, &format!("cluster.apply({WEB}); cluster.wait(\"deploy\", \"web\")")));
    // The controller has seen generation 1; the change makes it 2, and Available still speaks of 1.
    let seen: Array = script.value(&in_space(&space, &format!("cluster.apply({}); let o = cluster.wait(\"deploy\", \"web\", \"ready\"); [o.metadata.generation, o.status.observedGeneration]", WEB.replace("replicas: 3", "replicas: 5"))));
    assert_eq!(seen[0].as_int(), seen[1].as_int());
}

#[test]
fn a_wait_that_gives_up_says_what_stands_in_the_way() {
    let Some(bed) = shared() else { return };
    let space = bed.space("stuck");
    let script = bed.script();
    run(&script, &in_space(&space, &format!("cluster.apply({})", parked("web"))));
    let pod = set_container_state(
        &bed,
        &space,
        r#"{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"nope\""}}"#,
    );
    let uid = bed.kubectl(&["get", "pod", &pod, "-n", &space, "-o", "jsonpath={.metadata.uid}"]);
    bed.kubectl_with(&["create", "-n", &space], &format!(
        "{{apiVersion: v1, kind: Event, metadata: {{name: e1}}, type: Warning, reason: Failed, message: no such image, involvedObject: {{kind: Pod, name: {pod}, namespace: {space}, uid: {uid}}}}}"
    ));
    let fault = script.fault(&in_space(&space, r#"cluster.wait("deploy", "web", "ready", #{ timeout: "4s" })"#));
    assert_eq!(fault.kind, Kind::Timeout);
    let reason = format!("pod {pod}: ImagePullBackOff: Back-off pulling image \"nope\"");
    assert_note(&fault, &format!("last seen: 0 of 1 replicas are available; {reason}"));
    assert_note(&fault, "condition Available is False: MinimumReplicasUnavailable");
    assert_note(&fault, &format!("warning about pod {pod}: Failed: no such image"));
    assert!(waits(&script).iter().any(|why| why.ends_with(&reason)), "{:?}", waits(&script));

    let began = Instant::now();
    let fault = script.fault(&in_space(
        &space,
        r#"cluster.wait("deploy", "web", "condition=Available", #{ timeout: "1m", grace: "1s" })"#,
    ));
    assert_eq!(fault.kind, Kind::Failed);
    assert!(fault.message.contains("ImagePullBackOff"), "{fault}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_wait_fails_at_once_when_it_is_in_vain() {
    let Some(bed) = shared() else { return };
    let space = bed.space("vain");
    let script = bed.script();
    bed.kubectl_with(&["create", "-n", &space], "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}}");
    let condition = |kind: &str| {
        format!(
            r#"{{"type":"{kind}","status":"True","reason":"BackoffLimitExceeded","message":"it crashed","lastProbeTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let status = format!(
        r#"{{"status":{{"startTime":"2026-01-01T00:00:00Z","conditions":[{},{}]}}}}"#,
        condition("FailureTarget"),
        condition("Failed")
    );
    bed.kubectl(&["patch", "job", "a", "-n", &space, "--subresource=status", "--type=merge", "-p", &status]);
    let fault =
        script.fault(&in_space(&space, r#"cluster.wait("job", "a", #{ condition: "Complete", timeout: "1m" })"#));
    assert_eq!(fault.kind, Kind::Failed);
    assert!(fault.message.contains("Failed is True: BackoffLimitExceeded: it crashed"), "{fault}");
    let name: String = script.value(&in_space(&space, r#"cluster.wait("job", "a", "condition=Failed").metadata.name"#));
    assert_eq!(name, "a");
}

#[test]
fn a_wait_survives_a_restart_of_the_api_server() {
    let Some(bed) = alone() else { return };
    let space = bed.space("restart");
    let script = bed.script();
    bed.kubectl(&["create", "configmap", "a", "-n", &space]);
    let waiting = {
        let (script, space) = (script.clone(), space.clone());
        thread::spawn(move || {
            script.value::<String>(&in_space(
                &space,
                r#"cluster.wait("cm", "a", |o| o.data.done == "yes", #{ timeout: "2m" }).data.done"#,
            ))
        })
    };
    thread::sleep(Duration::from_secs(1));
    bed.part("stop", "kube-apiserver");
    let fault = script.fault(&in_space(&space, "cluster.get(\"cm\", \"a\", #{ timeout: \"5s\" })"));
    assert_eq!(fault.kind, Kind::Unreachable);
    assert!(fault.message.contains("127.0.0.1:"), "{fault}");
    bed.part("start", "kube-apiserver");
    let begun = Instant::now();
    let ready = || std::panic::catch_unwind(|| bed.testbed.kubectl(&["get", "--raw", "/readyz"])).is_ok();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the API server does not come back");
        thread::sleep(Duration::from_millis(200));
    }
    bed.kubectl(&["patch", "cm", "a", "-n", &space, "--type=merge", "-p", r#"{"data":{"done":"yes"}}"#]);
    assert_eq!(waiting.join().unwrap(), "yes");
    let why = waits(&script);
    assert!(why.iter().any(|why| why.contains("refuses connections") || why.contains("broke")), "{why:?}");
}

#[test]
fn logs_are_asked_of_pods_workloads_and_labels() {
    let Some(bed) = shared() else { return };
    let space = bed.space("logs");
    let script = bed.script();
    assert_eq!(script.fault(&in_space(&space, "cluster.logs(\"web-0\")")).kind, Kind::NotFound);
    assert_eq!(script.fault(&in_space(&space, "cluster.logs(\"deployment/web\")")).kind, Kind::NotFound);
    assert_eq!(script.value::<String>(&in_space(&space, "cluster.logs(#{ labels: \"app=web\" })")), "");
    run(&script, &in_space(&space, &format!("cluster.apply({})", parked("web"))));
    let pod = set_container_state(&bed, &space, r#"{"waiting":{"reason":"ContainerCreating"}}"#);
    // Nobody has placed it: the server says so, and not that there is no log.
    let text = format!("cluster.logs(\"{pod}\")");
    let refused = script.run(&in_space(&space, &text));
    assert!(refused.is_ok() || script.fault(&in_space(&space, &text)).kind == Kind::Invalid);
}

#[test]
fn a_kind_and_a_name_in_one_are_told_apart() {
    let Some(bed) = shared() else { return };
    let fault = bed.script().fault(r#"k8s::connect().get("deployment", "deployment/web")"#);
    assert_eq!(fault.kind, Kind::Usage);
    assert!(fault.message.contains("`deployment/web` is no name"), "{}", fault.message);
}

#[test]
fn a_warning_of_the_server_is_shown() {
    let Some(bed) = shared() else { return };
    let space = bed.space("warned");
    let script = bed.script();
    bed.kubectl(&["label", "namespace", &space, "pod-security.kubernetes.io/warn=restricted"]);
    run(&script, &in_space(&space, &format!("cluster.apply({WEB})")));
    assert!(
        script
            .events()
            .iter()
            .any(|what| matches!(what, What::Warned { text } if text.contains("violate PodSecurity")))
    );
}

#[test]
fn every_example_runs_on_a_real_cluster() {
    let Some(bed) = shared() else { return };
    let engine = engine::build(&cozyscript::bindings::all(), &Sources::default());
    let catalogue = Catalogue::default();
    let script = bed.script();
    let web = WEB.replace("namespace: space", "namespace: \"default\"");
    run(&script, &format!("k8s::connect().apply({web})"));
    // The Secret that a cluster of its own would have, made by Kamaji.
    let tenant = bed.space("tenant-test");
    let kubeconfig = bed.kubectl(&["config", "view", "--raw", "--flatten"]);
    let literal = format!("--from-literal=super-admin.conf={kubeconfig}");
    bed.kubectl(&["-n", &tenant, "create", "secret", "generic", "kubernetes-harvey-admin-kubeconfig", &literal]);
    let mut wrong = Vec::new();
    for (name, function) in catalogue.functions(&engine).iter().filter(|(name, _)| name.starts_with("k8s::")) {
        if function.doc.examples.is_empty() || !function.doc.summary.ends_with('.') {
            wrong.push(format!("{name}: its documentation lacks an example or a summary"));
        }
        for example in &function.doc.examples {
            if let Err(error) = script.run(&format!("let cluster = k8s::connect(); {}", example.code)) {
                wrong.push(format!("{name}: {error}\n{}", example.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
