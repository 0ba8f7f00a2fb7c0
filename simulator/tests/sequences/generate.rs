//! Sequences of requests by lot: equal seeds give equal sequences.

use serde_json::{Map, Value, json};

use super::kinds::{FAMILIES, Family, METADATA};

/// One request; `VERSION-n` in it stands for the version of the object that request n was answered with.
#[derive(Debug, Clone)]
pub struct Request {
    /// What others call it by, also after some were left out.
    pub number: usize,
    pub method: &'static str,
    pub path: String,
    pub content: &'static str,
    /// Of a watch: the object that is created to end it.
    pub body: Value,
    /// The body ends too early.
    pub torn: bool,
}

pub const WATCH: &str = "WATCH";

pub fn sequence(seed: u64) -> Vec<Request> {
    let mut dice = Dice(fastrand::Rng::with_seed(seed));
    // Few kinds and names, so that requests meet.
    let families = [dice.of(FAMILIES), dice.of(FAMILIES)];
    let length = dice.0.usize(4..16);
    (0..length)
        .map(|number| {
            let family = *dice.of(&families);
            dice.request(family, number)
        })
        .collect()
}

struct Dice(fastrand::Rng);

impl Dice {
    fn of<'t, T>(&mut self, these: &'t [T]) -> &'t T {
        &these[self.0.usize(..these.len())]
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.0.usize(..times) == 0
    }

    /// One of a list, the first ones more often than the last ones.
    fn early<'t>(&mut self, these: &'t [Value]) -> &'t Value {
        let first = self.0.usize(..these.len());
        let second = self.0.usize(..these.len());
        &these[first.min(second)]
    }

    fn name(&mut self) -> &'static str {
        match self.0.usize(..40) {
            0 => "Not_A_Name",
            1..=24 => "a",
            25..=34 => "b",
            _ => "c",
        }
    }

    fn request(&mut self, family: &Family, number: usize) -> Request {
        let name = self.name();
        let one = format!("{}/{name}", family.collection);
        let (method, mut path, content, body) = match self.0.usize(..100) {
            0..=21 => ("POST", family.collection.to_owned(), "application/json", self.new_object(family, name)),
            22..=33 => {
                ("PUT", self.perhaps_part(family, &one), "application/json", self.replacement(family, name, number))
            }
            34..=43 => ("PATCH", self.perhaps_part(family, &one), "application/merge-patch+json", self.partial(family)),
            44..=53 => {
                let patch = self.partial(family);
                (
                    "PATCH",
                    self.perhaps_part(family, &one),
                    "application/strategic-merge-patch+json",
                    self.directed(patch),
                )
            }
            54..=60 => ("PATCH", one, "application/json-patch+json", self.operations(family)),
            61..=76 => {
                let manager = *self.of(&["ann", "bob", "cat"]);
                let force = if self.once_in(3) { "&force=true" } else { "" };
                let path = format!("{}?fieldManager={manager}{force}", self.perhaps_part(family, &one));
                ("PATCH", path, "application/apply-patch+yaml", self.object(family, name))
            }
            77..=82 => ("DELETE", one, "application/json", self.deletion(number)),
            83..=84 => ("DELETE", format!("{}?{}", family.collection, self.selection()), "application/json", json!({})),
            85..=88 => ("GET", self.perhaps_part(family, &one), "", Value::Null),
            89..=95 => ("GET", format!("{}?{}", family.collection, self.selection()), "", Value::Null),
            _ => (WATCH, self.watch(family, number), "application/json", end(family, number)),
        };
        if matches!(method, "POST" | "PUT" | "PATCH") {
            for (often, parameter) in [
                (12, "dryRun=All"),
                (3, "fieldManager=dan"),
                (8, "fieldValidation=Strict"),
                (8, "fieldValidation=Warn"),
                (12, "fieldValidation=Ignore"),
                (60, "dryRun=Some"),
            ] {
                let key = parameter.split('=').next().unwrap();
                if self.once_in(often) && !path.contains(key) {
                    let mark = if path.contains('?') { '&' } else { '?' };
                    path = format!("{path}{mark}{parameter}");
                }
            }
        }
        let content = match method {
            "POST" | "PUT" if self.once_in(30) => {
                self.of(&["application/yaml", "application/json; charset=utf-8", "text/plain"])
            }
            _ => content,
        };
        let torn = matches!(method, "POST" | "PUT" | "PATCH") && !content.ends_with("yaml") && self.once_in(60);
        Request { number, method, path, content, body, torn }
    }

    fn perhaps_part(&mut self, family: &Family, one: &str) -> String {
        match family.parts.is_empty() || !self.once_in(6) {
            true => one.to_owned(),
            false => format!("{one}/{}", self.of(family.parts)),
        }
    }

    fn partial(&mut self, family: &Family) -> Value {
        let mut object = json!({});
        for (path, choices) in METADATA.iter().chain(family.fields) {
            if !self.once_in(family.fields.len().min(6)) {
                continue;
            }
            let choices: Vec<Value> = serde_json::from_str(choices).unwrap();
            put(&mut object, path, self.early(&choices).clone());
        }
        if self.once_in(12) {
            put(&mut object, "/metadata/finalizers", json!(["example.org/kept"]));
        }
        if self.once_in(12) {
            put(&mut object, "/metadata/finalizers", json!([]));
        }
        if self.once_in(20) {
            put(
                &mut object,
                self.0.choice(["/unknown", "/metadata/unknown", "/spec/unknown"]).unwrap(),
                json!({"a": 1}),
            );
        }
        if self.once_in(30) {
            let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "00000000-0000-0000-0000-000000000001"}]);
            put(&mut object, "/metadata/ownerReferences", owner);
        }
        object
    }

    fn object(&mut self, family: &Family, name: &str) -> Value {
        let mut object: Value = serde_json::from_str(family.base).unwrap();
        merge(&mut object, self.partial(family));
        object["metadata"]["name"] = json!(name);
        match self.0.usize(..100) {
            0 => object["metadata"]["namespace"] = json!("elsewhere"),
            1 => object["metadata"]["namespace"] = json!("SPACE"),
            2 => drop(object.as_object_mut().and_then(|object| object.shift_remove("kind"))),
            3 => drop(object.as_object_mut().and_then(|object| object.shift_remove("apiVersion"))),
            4 => object["apiVersion"] = json!("example.org/v7"),
            _ => {}
        }
        object
    }

    /// A new object, whose name may be for the server to find.
    fn new_object(&mut self, family: &Family, name: &str) -> Value {
        let mut object = self.object(family, name);
        if self.once_in(15) {
            object["metadata"]["generateName"] = json!("g-");
            if !self.once_in(4) {
                object["metadata"].as_object_mut().and_then(|metadata| metadata.shift_remove("name"));
            }
        }
        object
    }

    fn replacement(&mut self, family: &Family, name: &str, number: usize) -> Value {
        let mut object = self.object(family, name);
        if !self.once_in(3) {
            object["metadata"]["resourceVersion"] = self.version(number);
        }
        object
    }

    /// The version of some answer before.
    fn version(&mut self, number: usize) -> Value {
        let latest = number.saturating_sub(1);
        let of = if self.once_in(3) { self.0.usize(..number.max(1)) } else { latest };
        json!(format!("VERSION-{of}"))
    }

    /// The patch with a directive somewhere.
    fn directed(&mut self, mut patch: Value) -> Value {
        if !self.once_in(3) {
            return patch;
        }
        let directives = [
            ("$patch", json!("replace")),
            ("$patch", json!("delete")),
            ("$patch", json!("merge")),
            ("$patch", json!("wrong")),
            ("$retainKeys", json!(["type"])),
            ("$deleteFromPrimitiveList/finalizers", json!(["example.org/kept"])),
            ("$setElementOrder/containers", json!([{"name": "b"}, {"name": "a"}])),
            ("$setElementOrder/ports", json!([{"port": 81}, {"port": 80}])),
        ];
        let (key, value) = self.of(&directives).clone();
        let mut places = Vec::new();
        objects(&patch, String::new(), &mut places);
        let place = self.of(&places).clone();
        if let Some(Value::Object(map)) = patch.pointer_mut(&place) {
            map.insert(key.to_owned(), value);
        }
        patch
    }

    fn operations(&mut self, family: &Family) -> Value {
        let number = self.0.usize(1..4);
        let operations = (0..number).map(|_| {
            let (path, choices) = if self.once_in(3) { self.of(METADATA) } else { self.of(family.fields) };
            let choices: Vec<Value> = serde_json::from_str(choices).unwrap();
            let value = self.early(&choices).clone();
            let (path, value) = match &value {
                Value::Array(items) if !items.is_empty() && self.once_in(2) => {
                    (format!("{path}/{}", self.of(&["0", "-", "1", "7"])), self.of(items).clone())
                }
                Value::Object(map) if !map.is_empty() && self.once_in(2) => {
                    let (key, value) = map.iter().next().unwrap();
                    (format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), value.clone())
                }
                _ => ((*path).to_owned(), value),
            };
            match self.0.usize(..10) {
                0..=3 => json!({"op": "add", "path": path, "value": value}),
                4..=5 => json!({"op": "replace", "path": path, "value": value}),
                6..=7 => json!({"op": "remove", "path": path}),
                8 => json!({"op": "test", "path": path, "value": value}),
                _ => json!({"op": self.of(&["copy", "move"]), "from": path, "path": "/metadata/annotations/moved"}),
            }
        });
        operations.collect()
    }

    fn deletion(&mut self, number: usize) -> Value {
        let mut options = json!({});
        if self.once_in(3) {
            options["propagationPolicy"] = json!(self.of(&["Background", "Foreground", "Orphan", "Wrong"]));
        }
        if self.once_in(5) {
            options["preconditions"] = json!({"resourceVersion": self.version(number)});
        }
        if self.once_in(8) {
            options["preconditions"] = json!({"uid": "00000000-0000-0000-0000-000000000001"});
        }
        if self.once_in(8) {
            options["dryRun"] = json!(["All"]);
        }
        if self.once_in(8) {
            options["gracePeriodSeconds"] = json!(0);
        }
        options
    }

    fn selection(&mut self) -> String {
        let labels = ["", "x=1", "x!=1", "x", "!x", "x in (1,2)", "x notin (1),y", "x=1,y=1", "x in ("];
        let mut parameters = Vec::new();
        if !self.once_in(3) {
            parameters.push(format!("labelSelector={}", escaped(self.of::<&str>(&labels))));
        }
        if self.once_in(4) {
            let fields = [
                "metadata.name=a",
                "metadata.name!=a",
                "metadata.namespace=SPACE",
                "type=Opaque",
                "spec.unknown=1",
                "metadata.name",
            ];
            parameters.push(format!("fieldSelector={}", escaped(self.of::<&str>(&fields))));
        }
        parameters.join("&")
    }

    fn watch(&mut self, family: &Family, number: usize) -> String {
        let mut path = format!("{}?watch=true", family.collection);
        if !self.once_in(6) {
            path = format!("{path}&resourceVersion={}", self.version(number).as_str().unwrap());
        }
        let labels = ["x=1", "x", "x in (1,2)", "!y"];
        if self.once_in(2) {
            path = format!("{path}&labelSelector={}", escaped(self.of::<&str>(&labels)));
        }
        if self.once_in(5) {
            path = format!("{path}&fieldSelector={}", escaped("metadata.name!=a"));
        }
        path
    }
}

/// What ends a watch: all selectors of watches fit it.
fn end(family: &Family, number: usize) -> Value {
    let mut object: Value = serde_json::from_str(family.base).unwrap();
    object["metadata"] = json!({"name": format!("end-{number}"), "labels": {"x": "1"}});
    object
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn put(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for key in path.trim_start_matches('/').split('/') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[key];
    }
    *place = value;
}

fn merge(target: &mut Value, over: Value) {
    match (target, over) {
        (Value::Object(target), Value::Object(over)) => {
            for (key, value) in over {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, over) => *target = over,
    }
}

/// Where the objects within a value are.
fn objects(value: &Value, at: String, found: &mut Vec<String>) {
    let step = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| objects(value, step(key), found));
            found.push(at);
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| objects(item, step(&index.to_string()), found));
        }
        _ => {}
    }
}
