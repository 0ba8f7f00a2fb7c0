//! ConfigMaps and Secrets out of texts and files.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    Refusal,
    kustomization::{Generator, Text},
    resource::{self, Behaviour, Resource},
};

type Contents<'c> = dyn Fn(&str) -> Result<Vec<u8>, Refusal> + 'c;

/// What a generator makes.
pub fn generate(generator: &Generator, contents: &Contents, file: &str) -> Result<Resource, Refusal> {
    let mut entries = Map::new();
    let mut binaries = Map::new();
    for (line, key, value) in entries_of(generator, contents, file)? {
        let refused = |why: String| Refusal::at(file, line, why);
        if entries.contains_key(&key) || binaries.contains_key(&key) {
            return Err(refused(format!("the entry `{key}` is there twice")));
        }
        match (generator.kind, String::from_utf8(value)) {
            ("ConfigMap", Ok(text)) => entries.insert(key, text.into()),
            ("ConfigMap", Err(binary)) => binaries.insert(key, base64(binary.as_bytes()).into()),
            (_, value) => {
                entries.insert(key, base64(&value.map_or_else(|e| e.into_bytes(), String::into_bytes)).into())
            }
        };
    }
    let mut object = json!({"apiVersion": "v1", "kind": generator.kind, "metadata": {"name": generator.name}});
    if generator.kind == "Secret" {
        object["type"] = generator.of_type.as_deref().unwrap_or("Opaque").into();
        object["data"] = Value::Object(entries);
    } else {
        for (field, entries) in [("data", entries), ("binaryData", binaries)] {
            if !entries.is_empty() {
                object[field] = Value::Object(sorted(entries));
            }
        }
    }
    let mut made = Resource::of(object);
    let options = &generator.options;
    let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
    let marks = |pairs: &[(String, String)]| {
        let marks: Map<_, _> = pairs.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        (!marks.is_empty()).then_some(Value::Object(marks))
    };
    for (field, value) in [
        ("namespace", text(&generator.namespace)),
        ("labels", marks(&options.labels)),
        ("annotations", marks(&options.annotations)),
    ] {
        if value.is_some() {
            made.set_metadata(field, value);
        }
    }
    if options.is_immutable {
        made.object["immutable"] = true.into();
    }
    made.is_named_by_contents = !options.keeps_name;
    made.behaviour = generator.behaviour;
    Ok(made)
}

type Entry = (usize, String, Vec<u8>);

fn entries_of(generator: &Generator, contents: &Contents, file: &str) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    let from = |source: &Text, path: &str| {
        contents(path).map_err(|refusal| Refusal::at(file, source.line, format!("`{path}`: {}", refusal.why)))
    };
    for source in &generator.envs {
        let text = String::from_utf8(from(source, &source.text)?)
            .map_err(|_| Refusal::at(file, source.line, format!("`{}` is no text", source.text)))?;
        for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            if name.is_empty() {
                continue;
            }
            entries.push((source.line, name.to_owned(), value.as_bytes().to_vec()));
        }
    }
    for Text { line, text } in &generator.literals {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                entries.push((*line, key.to_owned(), unquoted(value).as_bytes().to_vec()));
            }
            _ => return Err(Refusal::at(file, *line, format!("`{text}` is not written as `key=value`"))),
        }
    }
    for source in &generator.files {
        let (key, path) = match source.text.split('=').collect::<Vec<_>>()[..] {
            [path] => (path.rsplit('/').next().unwrap_or(path), path),
            [key, path] if !key.is_empty() && !path.is_empty() => (key, path),
            _ => {
                let why = format!("`{}` is not written as `path` or `key=path`", source.text);
                return Err(Refusal::at(file, source.line, why));
            }
        };
        entries.push((source.line, key.to_owned(), from(source, path)?));
    }
    Ok(entries)
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

/// In lines of 70 letters as soon as one isn't enough, as kustomize writes it.
fn base64(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let lines = encoded.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line) + "\n");
    lines.collect()
}

fn sorted(map: Map<String, Value>) -> Map<String, Value> {
    let mut entries: Vec<_> = map.into_iter().collect();
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    entries.into_iter().collect()
}

/// Adds what was made to what is there, or changes what it is made for.
pub fn absorb(resources: &mut Vec<Resource>, mut made: Resource) -> Result<(), String> {
    let identity = made.identity();
    let mut places = (0..resources.len()).filter(|place| resources[*place].is_or_was(&identity));
    let (place, another) = (places.next(), places.next());
    let place = match (place, another, made.behaviour) {
        (_, Some(_), _) => return Err(format!("more than one object could be what {identity} is made for")),
        (None, None, Behaviour::Create) => return resource::add(resources, made),
        (None, None, _) => return Err(format!("there is no {identity} to merge with or to replace")),
        (Some(_), None, Behaviour::Create) => {
            return Err(format!("{identity} is there already: `behavior` would be `merge` or `replace`"));
        }
        (Some(place), None, _) => place,
    };
    let old = &resources[place];
    for field in ["labels", "annotations"] {
        if let Some(joined) = joined(old, &made, &format!("/metadata/{field}")) {
            made.set_metadata(field, Some(joined));
        }
    }
    if made.behaviour == Behaviour::Merge {
        for field in ["data", "binaryData"] {
            if let Some(joined) = joined(old, &made, &format!("/{field}")) {
                made.object[field] = joined;
            }
        }
    }
    let namespace = old.object.pointer("/metadata/namespace").cloned();
    made.set_metadata("namespace", namespace);
    made.rename(old.name());
    resources[place] = Resource {
        is_named_by_contents: made.is_named_by_contents && old.is_named_by_contents,
        object: made.object,
        ..old.clone()
    };
    Ok(())
}

/// What one map has, and the other, which has the last word.
fn joined(old: &Resource, new: &Resource, path: &str) -> Option<Value> {
    let map = |resource: &Resource| resource.object.pointer(path).and_then(Value::as_object).cloned();
    let (old, new) = (map(old), map(new));
    let is_any = old.is_some() || new.is_some();
    let entries = old.into_iter().chain(new).flatten();
    is_any.then(|| Value::Object(entries.collect()))
}
