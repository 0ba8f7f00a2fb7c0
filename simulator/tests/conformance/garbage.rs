//! What goes with its owner, and what stays.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, each, events, fields, items, workload},
};

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const SETS: &str = "/apis/apps/v1/namespaces/SPACE/replicasets";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";

bodies! {
    what_belongs_to_something_goes_with_it
    what_is_let_go_stays
    owners_wait_for_what_belongs_to_them
    what_belongs_to_nobody_that_is_there_goes
    what_has_another_owner_stays
    a_deployment_takes_everything_with_it
    a_deployment_that_is_deleted_alone_leaves_its_set
    owners_in_a_circle_go_together
    owners_in_a_circle_go_together_in_order
    an_owner_in_another_namespace_is_none
    what_nobody_knows_the_owner_of_stays
    an_owner_is_known_by_all_that_is_said_of_it
    owners_wait_only_for_whom_they_have_to
    each_waits_for_its_own
    what_is_let_go_keeps_its_other_owners
    changing_owners_decides_anew
    a_deletion_can_be_asked_for_twice
}

fn map(arm: &Arm, name: &str, owners: &[(&str, &str)]) -> String {
    let owners: Vec<Value> = owners
        .iter()
        .map(|(name, uid)| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": true})
        })
        .collect();
    arm.make(MAPS, json!({"metadata": {"name": name, "ownerReferences": owners}}));
    arm.look(&format!("{MAPS}/{name}")).body["metadata"]["uid"].as_str().unwrap().to_owned()
}

fn is_gone(arm: &Arm, path: &str) {
    arm.look_until(path, |answer| answer.code == 404);
}

fn maps(arm: &Arm, count: usize) {
    arm.settle(MAPS, |list| {
        let told =
            each(list, |map| fields(map, &["/metadata/name", "/metadata/ownerReferences", "/metadata/finalizers"]));
        (items(list).len() == count).then_some(told)
    });
}

fn what_belongs_to_something_goes_with_it(arm: &Arm) {
    let owner = map(arm, "owner", &[]);
    map(arm, "own", &[("owner", &owner)]);
    arm.drop_with(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Background"}));
    is_gone(arm, &format!("{MAPS}/own"));
    maps(arm, 1);
}

fn what_is_let_go_stays(arm: &Arm) {
    let owner = map(arm, "owner", &[]);
    map(arm, "own", &[("owner", &owner)]);
    arm.drop_with(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Orphan"}));
    is_gone(arm, &format!("{MAPS}/owner"));
    maps(arm, 2);
}

fn owners_wait_for_what_belongs_to_them(arm: &Arm) {
    let owner = map(arm, "owner", &[]);
    map(arm, "own", &[("owner", &owner)]);
    arm.adjust(&format!("{MAPS}/own"), json!({"metadata": {"finalizers": ["example.com/held"]}}));
    arm.drop_with(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Foreground"}));
    arm.look_until(&format!("{MAPS}/own"), |answer| !answer.body["metadata"]["deletionTimestamp"].is_null());
    maps(arm, 3);
    arm.adjust(&format!("{MAPS}/own"), json!({"metadata": {"finalizers": null}}));
    is_gone(arm, &format!("{MAPS}/owner"));
    maps(arm, 1);
}

fn what_belongs_to_nobody_that_is_there_goes(arm: &Arm) {
    arm.make(
        MAPS,
        json!({"metadata": {"name": "lost", "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "11111111-2222-3333-4444-555555555555"},
        ]}}),
    );
    is_gone(arm, &format!("{MAPS}/lost"));
    maps(arm, 1);
}

fn what_has_another_owner_stays(arm: &Arm) {
    let [one, other] = ["one", "other"].map(|name| map(arm, name, &[]));
    map(arm, "own", &[("one", &one), ("other", &other)]);
    arm.drop_with(&format!("{MAPS}/one"), json!({"propagationPolicy": "Foreground"}));
    is_gone(arm, &format!("{MAPS}/one"));
    maps(arm, 3);
}

fn a_deployment_takes_everything_with_it(arm: &Arm) {
    arm.make(DEPLOYMENTS, workload("web", 2));
    arm.look_until(&format!("{DEPLOYMENTS}/web"), |answer| answer.body["status"]["readyReplicas"] == 2);
    arm.drop_with(&format!("{DEPLOYMENTS}/web"), json!({"propagationPolicy": "Foreground"}));
    is_gone(arm, &format!("{DEPLOYMENTS}/web"));
    for path in [SETS, PODS] {
        arm.look_until(path, |answer| items(&answer.body).is_empty());
    }
}

fn a_deployment_that_is_deleted_alone_leaves_its_set(arm: &Arm) {
    arm.make(DEPLOYMENTS, workload("web", 1));
    arm.look_until(&format!("{DEPLOYMENTS}/web"), |answer| answer.body["status"]["readyReplicas"] == 1);
    arm.drop_with(&format!("{DEPLOYMENTS}/web"), json!({"propagationPolicy": "Orphan"}));
    is_gone(arm, &format!("{DEPLOYMENTS}/web"));
    arm.settle(SETS, |list| {
        Some(each(list, |set| fields(set, &["/metadata/name", "/metadata/ownerReferences", "/status"])))
    });
}

fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid})
}

/// Makes a map depend on another, too.
fn depend(arm: &Arm, name: &str, owners: Value) {
    arm.adjust(&format!("{MAPS}/{name}"), json!({"metadata": {"ownerReferences": owners}}));
}

fn circle(arm: &Arm) {
    let first = map(arm, "first", &[]);
    let second = map(arm, "second", &[("first", &first)]);
    let third = map(arm, "third", &[("second", &second)]);
    let mut last = owner("third", &third);
    last["blockOwnerDeletion"] = json!(true);
    depend(arm, "first", json!([last]));
}

fn owners_in_a_circle_go_together(arm: &Arm) {
    circle(arm);
    arm.drop_with(&format!("{MAPS}/first"), json!({"propagationPolicy": "Background"}));
    ["first", "second", "third"].iter().for_each(|name| is_gone(arm, &format!("{MAPS}/{name}")));
}

fn owners_in_a_circle_go_together_in_order(arm: &Arm) {
    circle(arm);
    arm.drop_with(&format!("{MAPS}/first"), json!({"propagationPolicy": "Foreground"}));
    ["first", "second", "third"].iter().for_each(|name| is_gone(arm, &format!("{MAPS}/{name}")));
}

fn an_owner_in_another_namespace_is_none(arm: &Arm) {
    let there = "/api/v1/namespaces/default/configmaps";
    arm.make(there, json!({"metadata": {"name": "SPACE"}}));
    let uid = arm.look(&format!("{there}/SPACE")).body["metadata"]["uid"].as_str().unwrap().to_owned();
    arm.make(MAPS, json!({"metadata": {"name": "own", "ownerReferences": [owner(&arm.space, &uid)]}}));
    is_gone(arm, &format!("{MAPS}/own"));
    events(arm, "ConfigMap", 1);
    arm.settle(&format!("{there}/SPACE"), |map| Some(fields(map, &["/metadata/deletionTimestamp"])));
    arm.drop(&format!("{there}/SPACE"));
}

fn what_nobody_knows_the_owner_of_stays(arm: &Arm) {
    let uid = "11111111-2222-3333-4444-555555555555";
    let owners = json!([{"apiVersion": "example.com/v1", "kind": "Thing", "name": "thing", "uid": uid}]);
    arm.make(MAPS, json!({"metadata": {"name": "own", "ownerReferences": owners}}));
    let volumes = "/api/v1/persistentvolumes";
    let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}});
    let metadata = json!({"name": "SPACE", "ownerReferences": [owner("own", uid)]});
    arm.make(volumes, json!({"metadata": metadata, "spec": spec}));
    // Whatever comes later is looked after later.
    arm.make(MAPS, json!({"metadata": {"name": "lost", "ownerReferences": [owner("nobody", uid)]}}));
    is_gone(arm, &format!("{MAPS}/lost"));
    maps(arm, 2);
    arm.settle(&format!("{volumes}/SPACE"), |volume| {
        Some(fields(volume, &["/metadata/deletionTimestamp", "/metadata/ownerReferences"]))
    });
    arm.drop(&format!("{volumes}/SPACE"));
}

fn an_owner_is_known_by_all_that_is_said_of_it(arm: &Arm) {
    let uid = map(arm, "owner", &[]);
    let wrong = |field: &str, value: &str| {
        let mut owner = owner("owner", &uid);
        owner[field] = json!(value);
        owner
    };
    let no_secret = json!({"apiVersion": "v1", "kind": "Secret", "name": "owner", "uid": uid});
    for (name, owner) in
        [("right", owner("owner", &uid)), ("misnamed", wrong("name", "other")), ("misjudged", no_secret)]
    {
        arm.make(MAPS, json!({"metadata": {"name": name, "ownerReferences": [owner]}}));
    }
    is_gone(arm, &format!("{MAPS}/misnamed"));
    is_gone(arm, &format!("{MAPS}/misjudged"));
    maps(arm, 3);
}

fn owners_wait_only_for_whom_they_have_to(arm: &Arm) {
    let uid = map(arm, "owner", &[]);
    let held = json!({"name": "own", "finalizers": ["example.com/held"], "ownerReferences": [owner("owner", &uid)]});
    arm.make(MAPS, json!({"metadata": held}));
    arm.drop_with(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Foreground"}));
    is_gone(arm, &format!("{MAPS}/owner"));
    arm.look_until(&format!("{MAPS}/own"), |answer| !answer.body["metadata"]["deletionTimestamp"].is_null());
    maps(arm, 2);
    arm.adjust(&format!("{MAPS}/own"), json!({"metadata": {"finalizers": null}}));
    is_gone(arm, &format!("{MAPS}/own"));
}

fn each_waits_for_its_own(arm: &Arm) {
    let top = map(arm, "top", &[]);
    let middle = map(arm, "middle", &[("top", &top)]);
    map(arm, "bottom", &[("middle", &middle)]);
    arm.adjust(&format!("{MAPS}/bottom"), json!({"metadata": {"finalizers": ["example.com/held"]}}));
    arm.drop_with(&format!("{MAPS}/top"), json!({"propagationPolicy": "Foreground"}));
    arm.look_until(&format!("{MAPS}/bottom"), |answer| !answer.body["metadata"]["deletionTimestamp"].is_null());
    maps(arm, 4);
    arm.adjust(&format!("{MAPS}/bottom"), json!({"metadata": {"finalizers": null}}));
    is_gone(arm, &format!("{MAPS}/top"));
    maps(arm, 1);
}

fn what_is_let_go_keeps_its_other_owners(arm: &Arm) {
    let [one, other] = ["one", "other"].map(|name| map(arm, name, &[]));
    map(arm, "own", &[("one", &one), ("other", &other)]);
    arm.drop_with(&format!("{MAPS}/one"), json!({"propagationPolicy": "Orphan"}));
    is_gone(arm, &format!("{MAPS}/one"));
    maps(arm, 3);
    arm.drop_with(&format!("{MAPS}/other"), json!({"orphanDependents": true}));
    is_gone(arm, &format!("{MAPS}/other"));
    maps(arm, 2);
}

fn changing_owners_decides_anew(arm: &Arm) {
    map(arm, "own", &[]);
    let uid = map(arm, "owner", &[]);
    depend(arm, "own", json!([owner("owner", &uid), owner("nobody", "11111111-2222-3333-4444-555555555555")]));
    arm.look_until(&format!("{MAPS}/own"), |answer| {
        answer.body["metadata"]["ownerReferences"].as_array().is_some_and(|owners| owners.len() == 1)
    });
    maps(arm, 3);
    depend(arm, "own", json!([owner("nobody", "11111111-2222-3333-4444-555555555555")]));
    is_gone(arm, &format!("{MAPS}/own"));
}

fn a_deletion_can_be_asked_for_twice(arm: &Arm) {
    let uid = map(arm, "owner", &[]);
    map(arm, "own", &[("owner", &uid)]);
    arm.adjust(&format!("{MAPS}/own"), json!({"metadata": {"finalizers": ["example.com/held"]}}));
    arm.drop_with(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Foreground"}));
    arm.look_until(&format!("{MAPS}/own"), |answer| !answer.body["metadata"]["deletionTimestamp"].is_null());
    arm.drop_with(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Background"}));
    is_gone(arm, &format!("{MAPS}/owner"));
    maps(arm, 2);
    arm.adjust(&format!("{MAPS}/own"), json!({"metadata": {"finalizers": null}}));
    is_gone(arm, &format!("{MAPS}/own"));
}
