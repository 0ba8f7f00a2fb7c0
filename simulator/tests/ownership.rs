//! Ownership of fields, held against the real API server: the same writes leave the same object and the same owners.

use serde_json::{Map, Value, json};
use simulator::kubernetes::{
    ownership::{self, ApplyError, Before, Entry, Writer},
    schema::Schema,
};

use super::arms::{Answer, Arm, real};

/// A definition with every sort of map and list, nested.
fn definition() -> Value {
    let text = json!({"type": "string"});
    let port = json!({"type": "object", "required": ["port"], "properties": {
        "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": text,
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
    }});
    json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "text": text,
        "labels": {"type": "object", "additionalProperties": text},
        "selector": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text},
        "inner": {"type": "object", "properties": {"a": text, "b": {"type": "object", "properties": {"c": text, "d": text}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "words": {"type": "array", "items": text},
        "finalizers": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"], "items": port},
        "pools": {"type": "object", "additionalProperties": {"type": "object", "properties": {"size": {"type": "integer"}, "labels": {"type": "object", "additionalProperties": text}}}},
    }}}})
}

fn schema() -> Schema {
    let mut root = definition();
    root["properties"]["apiVersion"] = json!({"type": "string"});
    root["properties"]["kind"] = json!({"type": "string"});
    root["properties"]["metadata"] = json!({"type": "object", "default": {}, "properties": {
        "name": {"type": "string"}, "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    }});
    Schema::read(&root, &Map::new()).unwrap()
}

/// What is generated comes from a seed, so that a difference can be had again.
struct Dice(fastrand::Rng);

impl Dice {
    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.0.usize(..from.len())]
    }

    fn often(&mut self) -> bool {
        self.0.u8(..) < 128
    }

    fn texts(&mut self) -> Value {
        let mut map = Map::new();
        for key in ["x", "y", "z"] {
            if self.often() {
                map.insert(key.into(), json!(self.pick(&["1", "2"])));
            }
        }
        Value::Object(map)
    }

    fn words(&mut self) -> Value {
        let mut words: Vec<&str> = ["p", "q", "r"].into_iter().filter(|_| self.often()).collect();
        self.0.shuffle(&mut words);
        json!(words)
    }

    fn ports(&mut self) -> Value {
        let mut ports = Vec::new();
        for port in [1, 2, 3] {
            if !self.often() {
                continue;
            }
            let mut item = json!({"port": port, "protocol": "TCP"});
            if self.often() {
                item["name"] = json!(self.pick(&["m", "n"]));
            }
            if self.often() {
                item["tags"] = self.words();
            }
            if self.0.u8(..) < 40 {
                item["protocol"] = json!("UDP");
            }
            ports.push(item);
        }
        self.0.shuffle(&mut ports);
        json!(ports)
    }

    fn spec(&mut self) -> Value {
        let mut spec = Map::new();
        if self.often() {
            spec.insert("text".into(), json!(self.pick(&["1", "2"])));
        }
        for field in ["labels", "selector", "free"] {
            if self.0.u8(..) < 100 {
                let texts = self.texts();
                spec.insert(field.into(), texts);
            }
        }
        if self.often() {
            let mut inner = json!({});
            if self.often() {
                inner["a"] = json!(self.pick(&["1", "2"]));
            }
            if self.often() {
                inner["b"] = json!({});
                for key in ["c", "d"] {
                    if self.often() {
                        inner["b"][key] = json!(self.pick(&["1", "2"]));
                    }
                }
            }
            spec.insert("inner".into(), inner);
        }
        for field in ["words", "finalizers"] {
            if self.0.u8(..) < 100 {
                let words = self.words();
                spec.insert(field.into(), words);
            }
        }
        if self.often() {
            let ports = self.ports();
            spec.insert("ports".into(), ports);
        }
        if self.0.u8(..) < 100 {
            let mut pools = json!({});
            for key in ["s", "t"] {
                if self.often() {
                    pools[key] = json!({"size": self.0.u8(..3)});
                    if self.often() {
                        pools[key]["labels"] = self.texts();
                    }
                }
            }
            spec.insert("pools".into(), pools);
        }
        Value::Object(spec)
    }
}

/// What is compared: the object without what the server numbers and dates, and its owners without the times.
fn comparable(object: &Value, entries: &Value) -> Value {
    let mut managers = entries.as_array().cloned().unwrap_or_default();
    for manager in &mut managers {
        manager.as_object_mut().unwrap().remove("time");
        let written = manager["fieldsV1"].take();
        manager["fieldsV1"] = sorted(&written);
    }
    managers.sort_by_key(|manager| format!("{}{}", manager["operation"], manager["manager"]));
    json!({"spec": sorted(object.get("spec").unwrap_or(&Value::Null)), "managers": managers})
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            keys.into_iter().map(|key| (key.clone(), sorted(&map[key]))).collect()
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(has_null),
        Value::Array(list) => list.iter().any(has_null),
        _ => false,
    }
}

#[derive(Debug)]
enum Write {
    Apply { manager: &'static str, force: bool, spec: Value },
    Patch { manager: &'static str, spec: Value },
    Put { manager: &'static str, spec: Value },
}

fn write(dice: &mut Dice) -> Write {
    let manager = ["ann", "bob", "cat"][dice.0.usize(..3)];
    match dice.0.u8(..10) {
        0..=5 => Write::Apply { manager, force: dice.often(), spec: dice.spec() },
        6..=7 => Write::Patch { manager, spec: dice.spec() },
        _ => Write::Put { manager, spec: dice.spec() },
    }
}

fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.as_object_mut().unwrap().remove(key)),
            value => merge_patch(target.as_object_mut().unwrap().entry(key.clone()).or_insert(Value::Null), value),
        }
    }
}

fn play(seed: u64, real: &Arm, schema: &Schema) -> Result<usize, String> {
    let mut dice = Dice(fastrand::Rng::with_seed(seed));
    let name = format!("w{seed}");
    let path = "/apis/test.example.org/v1/namespaces/default/widgets";
    let bare = json!({"apiVersion": "test.example.org/v1", "kind": "Widget", "metadata": {"name": name}});
    let mut object = json!({"apiVersion": "test.example.org/v1", "kind": "Widget"});
    let mut entries: Vec<Entry> = Vec::new();
    let mut there = false;
    let mut history = Vec::new();
    for _ in 0..6 {
        let write = write(&mut dice);
        history.push(format!("{write:?}"));
        let with = |spec: &Value| {
            let mut body = bare.clone();
            body["spec"] = spec.clone();
            body
        };
        let writer = |manager: &str| Writer {
            manager: manager.into(),
            api_version: "test.example.org/v1".into(),
            subresource: String::new(),
            now: "now".into(),
        };
        let before = Before { typed: schema.root(), object: there.then_some(&object), entries: &entries };
        let own: Result<(Value, Vec<Entry>), String>;
        let answer = match &write {
            Write::Apply { manager, force, spec } => {
                let config = with(spec);
                own = ownership::apply(before, &config, &writer(manager), &[], *force)
                    .map(|applied| (applied.object, applied.entries))
                    .map_err(|error| match error {
                        ApplyError::Conflicts(conflicts) => {
                            let mut fields: Vec<String> =
                                conflicts.into_iter().flat_map(|conflict| conflict.fields).collect();
                            fields.sort();
                            format!("409 {fields:?}")
                        }
                        ApplyError::Items(error) => format!("500 {error}"),
                    });
                let path = format!("{path}/{name}?fieldManager={manager}&force={force}");
                real.exchange("PATCH", &path, "application/apply-patch+yaml", &config)
            }
            Write::Patch { manager, spec } if there => {
                let mut new = object.clone();
                let patch = json!({"spec": spec});
                merge_patch(&mut new, &patch);
                own = ownership::update(before, &new, &writer(manager), &[])
                    .map(|entries| (new, entries))
                    .map_err(|error| format!("500 {error}"));
                let path = format!("{path}/{name}?fieldManager={manager}");
                real.exchange("PATCH", &path, "application/merge-patch+json", &patch)
            }
            Write::Put { manager, spec } if there => {
                let new = with(spec);
                own = ownership::update(before, &new, &writer(manager), &[])
                    .map(|entries| (new.clone(), entries))
                    .map_err(|error| format!("500 {error}"));
                let now = real.look(&format!("{path}/{name}")).body;
                let mut body = new;
                body["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"].clone();
                // Without this the server takes an update for one that gives all ownership up.
                body["metadata"]["managedFields"] = now["metadata"]["managedFields"].clone();
                real.exchange("PUT", &format!("{path}/{name}?fieldManager={manager}"), "application/json", &body)
            }
            Write::Patch { .. } | Write::Put { .. } => continue,
        };
        let Answer { code, body: answer, .. } = answer;
        let theirs = match code {
            200 | 201 => Ok(comparable(&answer, &answer["metadata"]["managedFields"])),
            409 => {
                let causes = answer["details"]["causes"].as_array().cloned().unwrap_or_default();
                let mut fields: Vec<String> =
                    causes.iter().map(|cause| cause["field"].as_str().unwrap_or_default().to_owned()).collect();
                fields.sort();
                Err(format!("409 {fields:?}"))
            }
            // What is left of a map that lost everything is nothing, which the schema does not allow.
            422 if answer["message"].as_str().is_some_and(|message| message.contains("\"null\"")) => Err("422".into()),
            code => Err(format!("{code} {}", answer["message"])),
        };
        let ours = match own {
            Ok((new, _)) if has_null(&new) => Err("422".into()),
            Ok((new, new_entries)) => {
                let shown = comparable(&new, &ownership::write(&new_entries));
                (object, entries, there) = (new, new_entries, true);
                Ok(shown)
            }
            Err(error) => Err(error),
        };
        if ours != theirs {
            let show = |side: &Result<Value, String>| match side {
                Ok(value) => value.to_string(),
                Err(error) => error.clone(),
            };
            return Err(format!(
                "seed {seed}, after\n  {}\nours:\n{}\ntheirs:\n{}",
                history.join("\n  "),
                show(&ours),
                show(&theirs)
            ));
        }
    }
    Ok(history.len())
}

/// Defines a kind and waits until it is served.
fn define(arm: &Arm, group: &str, plural: &str, kind: &str, schema: &Value) {
    let name = format!("{plural}.{group}");
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    });
    arm.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    arm.until(&format!("/apis/{group}/v1/namespaces/default/{plural}"), |list| {
        list["kind"] == json!(format!("{kind}List"))
    });
}

#[test]
fn the_same_writes_leave_the_same_object_and_the_same_owners() {
    let Some(bed) = testbed::shared() else { return };
    let real = real::arm(&bed, "ownership");
    define(&real, "test.example.org", "widgets", "Widget", &definition());
    let schema = schema();
    let from: u64 = std::env::var("SEED").ok().map_or_else(|| fastrand::u64(..1 << 32), |seed| seed.parse().unwrap());
    let count: u64 = std::env::var("COUNT").ok().map_or(100, |count| count.parse().unwrap());
    let mut writes = 0;
    for seed in from..from + count {
        match play(seed, &real, &schema) {
            Ok(played) => writes += played,
            Err(difference) => panic!("{difference}"),
        }
    }
    println!("{writes} writes in {count} sequences from seed {from} on");
}
