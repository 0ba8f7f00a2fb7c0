//! What requests bring: objects and patches, right and wrong.

use serde_json::{Map, Value, json};

use super::{
    dice::Dice,
    kinds::{METADATA, Shape},
};

/// A text that begins so is sent as the number that follows.
const RAW: &str = "RAW ";
/// A key that begins so is sent without it, and so comes twice.
const TWICE: &str = "TWICE ";

/// What may be where something else is expected.
const ODD: &str = r#"[null, "text", "", 7, 0, -1, true, [], {}, [null], ["a"], [{}], {"a": 1}, {"name": "a"}, "RAW 1.5", "RAW -0", "RAW 2147483648", "RAW 9223372036854775808", "RAW 99999999999999999999", "RAW 0.1e-7"]"#;

/// The body as it is sent.
pub fn written(body: &Value) -> String {
    if body.is_null() {
        return String::new();
    }
    let text = body.to_string().replace(&format!("\"{TWICE}"), "\"");
    let mark = format!("\"{RAW}");
    let mut parts = text.split(&mark);
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        written += &part.replacen('"', "", 1);
    }
    written
}

impl Dice {
    /// Some fields.
    pub fn partial(&mut self, shape: Shape<'_>) -> Value {
        let mut object = json!({});
        for (path, choices) in METADATA.iter().chain(shape.fields) {
            if self.once_in(shape.fields.len().clamp(2, 6)) {
                put(&mut object, path, self.early(choices));
            }
        }
        if self.once_in(12) {
            put(&mut object, "/metadata/finalizers", json!(["example.org/kept"]));
        }
        if self.once_in(12) {
            put(&mut object, "/metadata/finalizers", json!([]));
        }
        if self.once_in(20) {
            let place = *self.of(&["/unknown", "/metadata/unknown", "/spec/unknown"]);
            put(&mut object, place, json!({"a": 1}));
        }
        if self.once_in(30) {
            let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "00000000-0000-0000-0000-000000000001"}]);
            put(&mut object, "/metadata/ownerReferences", owner);
        }
        object
    }

    pub fn object(&mut self, shape: Shape<'_>, name: &str) -> Value {
        let mut object = shape.base.clone();
        merge(&mut object, self.partial(shape));
        object["metadata"]["name"] = json!(name);
        match self.below(100) {
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
    pub fn new_object(&mut self, shape: Shape<'_>, name: &str, number: usize) -> Value {
        let mut object = self.object(shape, name);
        if self.once_in(15) {
            // Lists have them in the order of the requests.
            object["metadata"]["generateName"] = json!(format!("g{number}-"));
            if !self.once_in(4) {
                object["metadata"].as_object_mut().and_then(|metadata| metadata.shift_remove("name"));
            }
        }
        object
    }

    pub fn replacement(&mut self, shape: Shape<'_>, name: &str, number: usize) -> Value {
        let mut object = self.object(shape, name);
        if !self.once_in(3) {
            object["metadata"]["resourceVersion"] = json!(self.earlier("VERSION", number));
        }
        object
    }

    /// What some answer before had, most often the last one.
    pub fn earlier(&mut self, what: &str, number: usize) -> String {
        let of = if self.once_in(3) { self.below(number.max(1)) } else { number.saturating_sub(1) };
        format!("{{{what}-{of}}}")
    }

    /// The patch with a directive somewhere.
    pub fn directed(&mut self, mut patch: Value) -> Value {
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
        let place = self.place(&patch, Value::is_object).unwrap_or_default();
        if let Some(Value::Object(map)) = patch.pointer_mut(&place) {
            map.insert(key.to_owned(), value);
        }
        patch
    }

    /// A JSON patch.
    pub fn operations(&mut self, shape: Shape<'_>) -> Value {
        let number = 1 + self.below(3);
        let operations = (0..number).map(|_| {
            let fields = if self.once_in(3) { &*METADATA } else { shape.fields };
            let fields: Vec<_> = fields.iter().collect();
            let (path, choices) = *self.of(&fields);
            let value = self.early(choices);
            let (path, value) = match &value {
                Value::Array(items) if !items.is_empty() && self.once_in(2) => {
                    (format!("{path}/{}", self.of(&["0", "-", "1", "7"])), self.of(items).clone())
                }
                Value::Object(map) if !map.is_empty() && self.once_in(2) => {
                    let (key, value) = map.iter().next().unwrap();
                    (step(path, key), value.clone())
                }
                _ => (path.clone(), value),
            };
            match self.below(10) {
                0..=3 => json!({"op": "add", "path": path, "value": value}),
                4..=5 => json!({"op": "replace", "path": path, "value": value}),
                6..=7 => json!({"op": "remove", "path": path}),
                8 => json!({"op": "test", "path": path, "value": value}),
                _ => json!({"op": self.of(&["copy", "move"]), "from": path, "path": "/metadata/annotations/moved"}),
            }
        });
        operations.collect()
    }

    /// The options of a deletion.
    pub fn deletion(&mut self, number: usize) -> Value {
        let mut options = json!({});
        if self.once_in(3) {
            options["propagationPolicy"] = json!(self.of(&["Background", "Foreground", "Orphan", "Wrong"]));
        }
        if self.once_in(5) {
            options["preconditions"] = json!({"resourceVersion": self.earlier("VERSION", number)});
        }
        if self.once_in(8) {
            options["preconditions"] = json!({"uid": "00000000-0000-0000-0000-000000000001"});
        }
        if self.once_in(8) {
            options["dryRun"] = json!(["All"]);
        }
        if self.once_in(5) {
            options["gracePeriodSeconds"] = json!(self.of(&[0, 5, 1, -1]));
        }
        if self.once_in(20) {
            options["orphanDependents"] = json!(self.once_in(2));
        }
        options
    }

    /// The same, now and then with one oddity: something of another type, twice, missing, or unknown.
    pub fn spoilt(&mut self, mut body: Value) -> Value {
        if !self.once_in(6) {
            return body;
        }
        let odd: Vec<Value> = serde_json::from_str(ODD).unwrap();
        let (choice, odd) = (self.below(10), self.of(&odd).clone());
        let is_wanted: fn(&Value) -> bool = match choice {
            6 => Value::is_array,
            7..=8 => Value::is_object,
            _ => |_| true,
        };
        let Some(place) = self.place(&body, is_wanted) else { return body };
        // What comes twice in the values of a JSON patch is told once more or not, by whether a later step reads it.
        if choice == 7 && body.is_array() && place.contains("/value") {
            return body;
        }
        let Some(found) = body.pointer_mut(&place) else { return body };
        match (choice, found) {
            (6, Value::Array(items)) if !items.is_empty() => items.push(self.of(items).clone()),
            (7, Value::Object(map)) if !map.is_empty() => {
                let keys: Vec<String> = map.keys().cloned().collect();
                let key = self.of(&keys).clone();
                let value = if self.once_in(2) { odd } else { map[&key].clone() };
                map.insert(format!("{TWICE}{key}"), value);
            }
            (8, Value::Object(map)) => drop(map.insert("unknown".to_owned(), odd)),
            (9, _) => drop(without(&mut body, &place)),
            (_, found) => *found = odd,
        }
        body
    }

    /// One of the places within a value where something is that is wanted.
    fn place(&mut self, value: &Value, is_wanted: fn(&Value) -> bool) -> Option<String> {
        let mut found = vec![String::new()];
        places(value, "", &mut found);
        found.retain(|place| value.pointer(place).is_some_and(is_wanted));
        (!found.is_empty()).then(|| self.of(&found).clone())
    }
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

fn step(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Where fields and items are, the outer ones before the inner ones, the last items before the first.
pub fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut below = |key: &str, value: &Value| {
        let place = step(at, key);
        found.push(place.clone());
        places(value, &place, found);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => {
            items.iter().enumerate().rev().for_each(|(index, item)| below(&index.to_string(), item));
        }
        _ => {}
    }
}

/// Takes out what is at this place, if it is there.
pub fn without(value: &mut Value, place: &str) -> bool {
    let Some((outer, key)) = place.rsplit_once('/') else { return false };
    let key = key.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(outer) {
        Some(Value::Object(map)) => map.shift_remove(&key).is_some(),
        Some(Value::Array(items)) => {
            let index = key.parse::<usize>().ok().filter(|index| *index < items.len());
            index.map(|index| items.remove(index)).is_some()
        }
        _ => false,
    }
}
