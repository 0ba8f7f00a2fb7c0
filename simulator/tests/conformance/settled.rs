//! What controllers have made of things, without what only says when and in which order they did.

use serde_json::{Value, json};

use super::arms::Arm;

/// What a body does to set the scene, which is not written down.
pub trait Scene {
    fn make(&self, path: &str, object: Value);

    /// A merge patch.
    fn adjust(&self, path: &str, patch: Value);

    fn drop(&self, path: &str);

    fn drop_with(&self, path: &str, options: Value);
}

impl Scene for Arm {
    fn make(&self, path: &str, object: Value) {
        done(self, "POST", path, "application/json", &object);
    }

    fn adjust(&self, path: &str, patch: Value) {
        done(self, "PATCH", path, "application/merge-patch+json", &patch);
    }

    fn drop(&self, path: &str) {
        done(self, "DELETE", path, "", &Value::Null);
    }

    fn drop_with(&self, path: &str, options: Value) {
        done(self, "DELETE", path, "application/json", &options);
    }
}

#[track_caller]
fn done(arm: &Arm, method: &str, path: &str, content: &str, body: &Value) {
    let mut body = body.clone();
    if method == "POST" && body["apiVersion"].is_null() {
        body = arm.placed_in(&body);
    }
    let answer = arm.exchange(method, &arm.placed(path), content, &body);
    assert!(answer.code < 300, "{method} {path}: {:#}", answer.body);
}

/// A pod template with these labels.
pub fn template(app: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "main", "image": "image:1"}]}})
}

/// A workload of the kind with so many replicas, for pods of this app.
pub fn workload(name: &str, replicas: u64) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name)},
    })
}

/// The fields of an object that are asked for, by pointer.
pub fn fields(object: &Value, paths: &[&str]) -> Value {
    let found = paths.iter().filter_map(|path| Some((path.to_string(), object.pointer(path)?.clone())));
    Value::Object(found.collect())
}

/// True if its controller has seen what is wanted of an object.
pub fn is_observed(object: &Value) -> bool {
    object["metadata"]["generation"] == object["status"]["observedGeneration"]
}

pub fn condition<'o>(object: &'o Value, kind: &str) -> Option<&'o Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)
}

/// The reason of a condition.
pub fn reason<'o>(object: &'o Value, kind: &str) -> &'o str {
    condition(object, kind).and_then(|condition| condition["reason"].as_str()).unwrap_or_default()
}

pub fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map_or(&[], Vec::as_slice)
}

/// What is said of each of a list, in an order of its own.
pub fn each(list: &Value, said: impl Fn(&Value) -> Value) -> Value {
    let mut all: Vec<Value> = items(list).iter().map(said).collect();
    all.sort_by_key(|said| super::arms::transcript::without_lots(said).to_string());
    Value::Array(all)
}

/// How many of a list are as they should be.
pub fn count(list: &Value, is_so: impl Fn(&Value) -> bool) -> usize {
    items(list).iter().filter(|item| is_so(item)).count()
}

pub fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True") && !is_going(pod)
}

pub fn is_going(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Writes down the events of objects of a kind, as soon as there are so many, each with how often it happened.
#[track_caller]
pub fn events(arm: &Arm, kind: &str, at_least: usize) {
    told_events(arm, kind, at_least, &[&EVENT[..], &["/count"]].concat());
}

/// Like [`events`], where the controller may have to do a thing again because it has not seen yet what it has done.
#[track_caller]
pub fn sorts_of_events(arm: &Arm, kind: &str, at_least: usize) {
    told_events(arm, kind, at_least, &EVENT);
}

const EVENT: [&str; 10] = [
    "/involvedObject/apiVersion",
    "/involvedObject/fieldPath",
    "/involvedObject/kind",
    "/involvedObject/name",
    "/type",
    "/reason",
    "/message",
    "/action",
    "/source",
    "/reportingComponent",
];

#[track_caller]
fn told_events(arm: &Arm, kind: &str, at_least: usize, paths: &[&str]) {
    let path = format!("/api/v1/namespaces/SPACE/events?fieldSelector=involvedObject.kind={kind}");
    arm.settle(&path, |list| {
        let told = each(list, |event| fields(event, paths));
        (items(list).len() >= at_least).then_some(told)
    });
}
