//! What each namespace has, and how it comes to its end.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, condition, fields, reason, workload},
};

const SPACE: &str = "/api/v1/namespaces/SPACE";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";

bodies! {
    each_namespace_has_an_account_and_an_authority
    what_every_namespace_has_comes_again
    everything_in_a_namespace_goes_with_it
    what_holds_a_namespace_is_told
    nothing_is_made_in_a_namespace_that_ends
    whoever_holds_a_namespace_lets_it_go
    finalizers_of_a_namespace_are_checked
    a_namespace_that_nothing_holds_is_marked_first
    pods_go_before_everything_else
    things_of_defined_kinds_hold_a_namespace
}

fn each_namespace_has_an_account_and_an_authority(arm: &Arm) {
    arm.settle(&format!("{MAPS}/kube-root-ca.crt"), |map| {
        let kind = map["kind"] == "ConfigMap";
        kind.then(|| json!({"annotations": map["metadata"]["annotations"], "has": map["data"].as_object().map(|data| data.keys().cloned().collect::<Value>())}))
    });
    arm.settle(&format!("{SPACE}/serviceaccounts/default"), |account| {
        (account["kind"] == "ServiceAccount")
            .then(|| fields(account, &["/metadata/labels", "/metadata/annotations", "/secrets"]))
    });
}

fn what_every_namespace_has_comes_again(arm: &Arm) {
    for path in [format!("{MAPS}/kube-root-ca.crt"), format!("{SPACE}/serviceaccounts/default")] {
        arm.look_until(&path, |answer| answer.code == 200);
        let before = arm.look(&path).body["metadata"]["uid"].clone();
        arm.drop(&path);
        arm.look_until(&path, |answer| answer.code == 200 && answer.body["metadata"]["uid"] != before);
    }
}

fn everything_in_a_namespace_goes_with_it(arm: &Arm) {
    arm.make(MAPS, json!({"metadata": {"name": "own"}}));
    arm.make("/apis/apps/v1/namespaces/SPACE/deployments", workload("web", 1));
    arm.drop(SPACE);
    arm.look_until(SPACE, |answer| answer.code == 404);
}

/// Writes down how far the end of the namespace is, as soon as it is so far. An API that is away for a moment, as those of other
/// bodies come and go, is none that holds it.
#[track_caller]
fn ends(arm: &Arm, so_far: impl Fn(&Value) -> bool) {
    arm.settle(SPACE, |namespace| {
        let found = reason(namespace, "NamespaceDeletionDiscoveryFailure") == "ResourcesDiscovered";
        (found && so_far(namespace)).then(|| fields(namespace, &["/spec", "/status"]))
    });
}

fn what_holds_a_namespace_is_told(arm: &Arm) {
    arm.make(MAPS, json!({"metadata": {"name": "held", "finalizers": ["example.com/held"]}}));
    arm.drop(SPACE);
    ends(arm, |namespace| reason(namespace, "NamespaceFinalizersRemaining") == "SomeFinalizersRemain");
    arm.adjust(&format!("{MAPS}/held"), json!({"metadata": {"finalizers": null}}));
    arm.look_until(SPACE, |answer| answer.code == 404);
}

fn nothing_is_made_in_a_namespace_that_ends(arm: &Arm) {
    arm.make(MAPS, json!({"metadata": {"name": "held", "finalizers": ["example.com/held"]}}));
    arm.drop(SPACE);
    arm.create(MAPS, json!({"metadata": {"name": "late"}}));
    arm.adjust(&format!("{MAPS}/held"), json!({"metadata": {"finalizers": null}}));
}

fn finalized(arm: &Arm, finalizers: &[&str]) {
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "SPACE"}, "spec": {"finalizers": finalizers}});
    arm.replace(&format!("{SPACE}/finalize"), space);
}

fn whoever_holds_a_namespace_lets_it_go(arm: &Arm) {
    finalized(arm, &["kubernetes", "example.com/held"]);
    arm.drop(SPACE);
    ends(arm, |namespace| namespace["spec"]["finalizers"] == json!(["example.com/held"]));
    arm.delete(SPACE);
    finalized(arm, &[]);
    arm.get(SPACE);
}

fn finalizers_of_a_namespace_are_checked(arm: &Arm) {
    for method in ["GET", "DELETE"] {
        arm.send(method, &format!("{SPACE}/finalize"), "", &Value::Null);
    }
    arm.patch(&format!("{SPACE}/finalize"), "merge", json!({"spec": {"finalizers": []}}));
    finalized(arm, &["kubernetes", "own", "example.com/Bad name"]);
    finalized(arm, &["kubernetes"]);
    arm.replace(
        &format!("{SPACE}/finalize"),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "SPACE", "labels": {"team": "a"}, "resourceVersion": "1"}}),
    );
    arm.replace(
        &format!("{SPACE}/finalize"),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}),
    );
    arm.replace(
        &format!("{SPACE}/finalize"),
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "SPACE", "labels": {"team": "a"}},
            "spec": {"finalizers": ["example.com/held"]},
            "status": {"phase": "Odd"},
        }),
    );
    arm.replace(
        &format!("{SPACE}-none/finalize"),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "SPACE-none"}}),
    );
    finalized(arm, &["kubernetes"]);
}

fn a_namespace_that_nothing_holds_is_marked_first(arm: &Arm) {
    finalized(arm, &[]);
    arm.delete(SPACE);
    arm.get(SPACE);
    arm.delete_with(SPACE, json!({"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}}));
    arm.delete(SPACE);
    arm.get(SPACE);
}

fn pods_go_before_everything_else(arm: &Arm) {
    // No node is for it, so that no kubelet lets it go.
    let spec = json!({"nodeSelector": {"disk": "golden"}, "terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "image:1"}]});
    arm.make(PODS, json!({"metadata": {"name": "held", "finalizers": ["example.com/held"]}, "spec": spec}));
    arm.make(MAPS, json!({"metadata": {"name": "own", "finalizers": ["example.com/other"]}}));
    arm.drop(SPACE);
    ends(arm, |namespace| condition(namespace, "NamespaceContentRemaining").is_some());
    arm.settle(&format!("{MAPS}/own"), |map| Some(fields(map, &["/metadata/deletionTimestamp"])));
    arm.adjust(&format!("{PODS}/held"), json!({"metadata": {"finalizers": null}}));
    arm.look_until(&format!("{MAPS}/own"), |answer| !answer.body["metadata"]["deletionTimestamp"].is_null());
    ends(arm, |namespace| {
        condition(namespace, "NamespaceFinalizersRemaining")
            .is_some_and(|told| told["message"].as_str().is_some_and(|message| message.contains("example.com/other")))
    });
    arm.adjust(&format!("{MAPS}/own"), json!({"metadata": {"finalizers": null}}));
    arm.look_until(SPACE, |answer| answer.code == 404);
}

fn things_of_defined_kinds_hold_a_namespace(arm: &Arm) {
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    arm.make(
        definitions,
        json!({
            "metadata": {"name": "things.SPACE.example.com"},
            "spec": {
                "group": "SPACE.example.com",
                "scope": "Namespaced",
                "names": {"plural": "things", "kind": "Thing"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
            },
        }),
    );
    let things = "/apis/SPACE.example.com/v1/namespaces/SPACE/things";
    arm.look_until(things, |answer| answer.code == 200);
    for (name, finalizers) in [("one", json!(["example.com/a", "example.com/b"])), ("two", json!(["example.com/b"]))] {
        let thing = json!({
            "apiVersion": "SPACE.example.com/v1",
            "kind": "Thing",
            "metadata": {"name": name, "finalizers": finalizers},
        });
        arm.make(things, arm.placed_in(&thing));
    }
    arm.make(MAPS, json!({"metadata": {"name": "own", "finalizers": ["example.com/b"]}}));
    arm.drop(SPACE);
    ends(arm, |namespace| reason(namespace, "NamespaceFinalizersRemaining") == "SomeFinalizersRemain");
    for path in [format!("{things}/one"), format!("{things}/two"), format!("{MAPS}/own")] {
        arm.adjust(&path, json!({"metadata": {"finalizers": null}}));
    }
    arm.look_until(SPACE, |answer| answer.code == 404);
    arm.drop(&format!("{definitions}/things.SPACE.example.com"));
}
