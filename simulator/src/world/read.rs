//! Reading a world file: its text, what is wrong with it, and the files that it names.

use std::path::Path;

use serde_json::Value;

use super::{
    check::check,
    description::{Description, Object},
    problem::{Place, Problem, meant},
    text::{Text, below, options},
};

/// How files that a world names are read: relative to the world's own.
pub type Files<'f> = &'f dyn Fn(&Path) -> Result<String, String>;

/// Reads a world; the objects in the files that it names are in it afterwards.
///
/// # Errors
/// Everything that is wrong with it, in the order of its text.
pub fn read(text: &str, files: Files<'_>) -> Result<Description, Vec<Problem>> {
    let text = Text::read(text).map_err(|problem| vec![problem])?;
    if text.value.is_null() {
        return Ok(Description::default());
    }
    let problems = check(&text);
    if !problems.is_empty() {
        return Err(sorted(problems));
    }
    let mut description: Description = serde_json::from_value(text.value.clone()).map_err(|error| {
        let place = Place { line: 1, column: 1, length: 0 };
        vec![Problem { message: format!("this can't be a world: {error}"), hint: None, place }]
    })?;
    let mut problems = Vec::new();
    fetch(&mut description, &text, files, &mut problems);
    agree(&description, &text, &mut problems);
    if problems.is_empty() { Ok(description) } else { Err(sorted(problems)) }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.place);
    problems
}

/// Puts the objects in place of the files that they are in.
fn fetch(description: &mut Description, text: &Text, files: Files<'_>, problems: &mut Vec<Problem>) {
    for (name, cluster) in &mut description.clusters.0 {
        let cluster_at = below("/clusters", name);
        let mut objects = Vec::new();
        let crds = cluster.crds.drain(..).map(Object::File).collect::<Vec<_>>();
        for (list, given) in [("crds", crds), ("objects", std::mem::take(&mut cluster.objects))] {
            for (index, object) in given.into_iter().enumerate() {
                let Object::File(path) = object else {
                    objects.push(object);
                    continue;
                };
                let pointer = below(&below(&cluster_at, list), &index.to_string());
                match documents(&path, files) {
                    Ok(found) => objects.extend(found.into_iter().map(Object::Inline)),
                    Err(message) => problems.push(Problem { message, hint: None, place: text.place(&pointer) }),
                }
            }
        }
        cluster.objects = objects;
    }
}

/// The objects of a file with manifests.
fn documents(path: &str, files: Files<'_>) -> Result<Vec<Value>, String> {
    let text = files(Path::new(path)).map_err(|why| format!("can't read `{path}`: {why}"))?;
    let read: Result<Vec<Value>, _> = serde_saphyr::from_multiple_with_options(&text, options());
    let documents = read.map_err(|error| {
        let said = error.without_snippet().to_string();
        format!("`{path}` is no YAML: {}", said.lines().next().unwrap_or_default())
    })?;
    let mut objects = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        match document.get("items").and_then(Value::as_array) {
            Some(items) if document["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => {
                objects.extend(items.iter().cloned());
            }
            _ => objects.push(document),
        }
    }
    let nameless = objects.iter().any(|object| object.pointer("/metadata/name").is_none() || object["kind"].is_null());
    if nameless {
        return Err(format!("`{path}` holds something else than objects with a kind and a name"));
    }
    Ok(objects)
}

/// What no schema can say.
fn agree(description: &Description, text: &Text, problems: &mut Vec<Problem>) {
    let names = description.clusters.0.iter().map(|(name, _)| name.as_str());
    if let Some(current) = &description.current
        && !names.clone().any(|name| name == current)
    {
        problems.push(Problem {
            message: format!("the world has no cluster `{current}`"),
            hint: Some(meant(current, names, "its clusters are")),
            place: text.place("/current"),
        });
    }
}
