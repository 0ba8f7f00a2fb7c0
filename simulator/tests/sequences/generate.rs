//! Sequences of requests by lot: equal seeds give equal sequences.

use serde_json::{Value, json};

use super::{
    dice::Dice,
    kinds::{FAMILIES, Family, Shape},
};

/// One request; `{VERSION-n}` in it stands for the version of the object that request n was answered with, `{REVISION-n}` for that of
/// an object or a list, and `{CONTINUE-n}` for where a list goes on.
#[derive(Debug, Clone)]
pub struct Request {
    /// What others call it by, also after some were left out.
    pub number: usize,
    pub method: &'static str,
    pub path: String,
    pub content: &'static str,
    pub accept: &'static str,
    /// Of a watch: the object that is created to end it.
    pub body: Value,
    /// The body ends too early.
    pub torn: bool,
}

pub const WATCH: &str = "WATCH";

const JSON: &str = "application/json";

/// Forms of answers. None that the real server doesn't have either: it names those that it has, of which protobuf is not ours.
const FORMS: [&str; 6] = [
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
    "*/*",
];

pub fn sequence(seed: u64) -> Vec<Request> {
    let mut dice = Dice::with_seed(seed);
    // Few kinds and names, so that requests meet.
    let families = [dice.of(&FAMILIES), dice.of(&FAMILIES)];
    let length = 4 + dice.below(12);
    (0..length)
        .map(|number| {
            let family = *dice.of(&families);
            dice.request(family, number)
        })
        .collect()
}

impl Dice {
    fn name(&mut self) -> &'static str {
        match self.below(40) {
            0 => "Not_A_Name",
            1..=24 => "a",
            25..=34 => "b",
            _ => "c",
        }
    }

    fn request(&mut self, family: &Family, number: usize) -> Request {
        let name = self.name();
        let shape = self.shape(family);
        let one = format!("{}/{name}", family.collection);
        let at = if shape.part.is_empty() { one.clone() } else { format!("{one}/{}", shape.part) };
        let (method, path, content, body) = match self.below(100) {
            0..=22 if shape.creates => ("POST", at, JSON, self.object(shape, name)),
            0..=22 => ("POST", family.collection.clone(), JSON, self.new_object(family.whole(), name, number)),
            23..=32 => ("PUT", at, JSON, self.replacement(shape, name, number)),
            33..=41 => ("PATCH", at, "application/merge-patch+json", self.partial(shape)),
            42..=50 => {
                let patch = self.partial(shape);
                ("PATCH", at, "application/strategic-merge-patch+json", self.directed(patch))
            }
            51..=57 => ("PATCH", at, "application/json-patch+json", self.operations(shape)),
            58..=73 => {
                let manager = *self.of(&["ann", "bob", "cat"]);
                let force = if self.once_in(3) { "&force=true" } else { "" };
                let path = format!("{at}?fieldManager={manager}{force}");
                ("PATCH", path, "application/apply-patch+yaml", self.object(shape, name))
            }
            74..=79 => ("DELETE", one, JSON, self.deletion(number)),
            80..=81 if !family.needed => {
                let options = if self.once_in(4) { self.deletion(number) } else { json!({}) };
                ("DELETE", format!("{}?{}", family.collection, self.selection()), JSON, options)
            }
            80..=86 => ("GET", at, "", Value::Null),
            87..=95 => ("GET", format!("{}?{}", family.collection, self.listing(number)), "", Value::Null),
            _ => (WATCH, format!("{}?{}", family.collection, self.watch(number)), JSON, end(family, number)),
        };
        let mut request = Request { number, method, path, content, accept: self.form(method), body, torn: false };
        if matches!(method, "POST" | "PUT" | "PATCH") {
            self.parameters(&mut request.path);
            request.torn = self.once_in(60);
        }
        if matches!(method, "POST" | "PUT") && self.once_in(30) {
            request.content = self.of::<&str>(&["application/yaml", "application/json; charset=utf-8", "text/plain"]);
        }
        // What is said of torn YAML are the words of a parser.
        request.torn &= !request.content.ends_with("yaml");
        if method != WATCH && !request.body.is_null() {
            request.body = self.spoilt(request.body);
        }
        request
    }

    /// The object, or a part of it now and then.
    fn shape<'f>(&mut self, family: &'f Family) -> Shape<'f> {
        let parts = family.parts();
        match parts.is_empty() || !self.once_in(5) {
            true => family.whole(),
            false => *self.of(&parts),
        }
    }

    /// What a write may be told besides.
    fn parameters(&mut self, path: &mut String) {
        for (often, parameter) in [
            (12, "dryRun=All"),
            (3, "fieldManager=dan"),
            (8, "fieldValidation=Strict"),
            (8, "fieldValidation=Warn"),
            (12, "fieldValidation=Ignore"),
            (60, "dryRun=Some"),
            (60, "fieldValidation=Some"),
            (60, "force=true"),
        ] {
            let key = parameter.split('=').next().unwrap();
            if self.once_in(often) && !path.contains(key) {
                let mark = if path.contains('?') { '&' } else { '?' };
                *path = format!("{path}{mark}{parameter}");
            }
        }
    }

    fn form(&mut self, method: &str) -> &'static str {
        match method {
            _ if !self.once_in(if method == "GET" { 4 } else { 10 }) => JSON,
            WATCH => FORMS[self.below(2)],
            _ => self.of::<&str>(&FORMS),
        }
    }

    fn selection(&mut self) -> String {
        let labels = ["", "x=1", "x!=1", "x", "!x", "x in (1,2)", "x notin (1),y", "x=1,y=1", "x in (", "x>0"];
        let mut parameters = Vec::new();
        if !self.once_in(3) {
            parameters.push(format!("labelSelector={}", escaped(self.of::<&str>(&labels))));
        }
        if self.once_in(4) {
            let fields = [
                "metadata.name=a",
                "metadata.name!=a",
                "metadata.namespace=SPACE",
                "metadata.name=a,metadata.namespace=SPACE",
                "type=Opaque",
                "spec.name=a",
                "status.phase!=Running",
                "spec.unknown=1",
                "metadata.name",
            ];
            parameters.push(format!("fieldSelector={}", escaped(self.of::<&str>(&fields))));
        }
        parameters.join("&")
    }

    fn listing(&mut self, number: usize) -> String {
        let mut parameters = self.selection();
        let mut more = |parameter: String| parameters = format!("{parameters}&{parameter}");
        if self.once_in(4) {
            more(format!("limit={}", self.of(&["1", "2", "1", "0", "-1", "some"])));
        }
        if self.once_in(6) {
            let token = self.earlier("CONTINUE", number);
            more(format!("continue={}", if self.once_in(12) { "wrong" } else { &token }));
        }
        if self.once_in(6) {
            let revision = self.earlier("REVISION", number);
            more(format!("resourceVersion={}", self.of(&[&*revision, &revision, &revision, "0", "some"])));
        }
        if self.once_in(8) {
            more(format!("resourceVersionMatch={}", self.of(&["Exact", "NotOlderThan", "Some"])));
        }
        if self.once_in(12) {
            more(format!("includeObject={}", self.of(&["None", "Metadata", "Object", "Some"])));
        }
        parameters.trim_start_matches('&').to_owned()
    }

    fn watch(&mut self, number: usize) -> String {
        let mut path = "watch=true".to_owned();
        match self.below(6) {
            0 => {}
            1 => path += "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
            _ => path += &format!("&resourceVersion={}", self.earlier("REVISION", number)),
        }
        let labels = ["x=1", "x", "x in (1,2)", "!y"];
        if self.once_in(2) {
            path += &format!("&labelSelector={}", escaped(self.of::<&str>(&labels)));
        }
        if self.once_in(5) {
            path += &format!("&fieldSelector={}", escaped("metadata.name!=a"));
        }
        path
    }
}

/// What ends a watch: all selectors of watches fit it.
fn end(family: &Family, number: usize) -> Value {
    let mut object = family.base.clone();
    object["metadata"] = json!({"name": format!("end-{number}"), "labels": {"x": "1"}});
    object
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
