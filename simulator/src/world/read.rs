//! Reading a world file: its text, what is wrong with it, and the files that it names.

use std::path::Path;

use serde_json::Value;

use super::{
    agree::agree,
    charts,
    check::check,
    description::{Description, Object},
    problem::{Place, Problem, nearest},
    sets,
    text::{Text, below, options},
};

/// The set of Flux's definitions.
const FLUX: &str = "flux";

/// How files that a world names are read, relative to its own: the text of a file, or of each manifest of a folder, with its name.
pub type Files<'f> = &'f dyn Fn(&Path) -> Result<Vec<(String, String)>, String>;

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
    let mut fetched = |given: Vec<Object>, list: &str, of_sets: bool| {
        let mut objects = Vec::new();
        for (index, object) in given.into_iter().enumerate() {
            let Object::File(path) = object else {
                objects.push(object);
                continue;
            };
            let known = of_sets.then(|| sets::of(&path)).flatten();
            match known.map_or_else(|| documents(&path, files), Ok) {
                Ok(found) => objects.extend(found.into_iter().map(Object::Inline)),
                Err(message) => {
                    let near = of_sets.then(|| nearest(&path, sets::names())).flatten();
                    let hint = near.map(|near| format!("did you mean the set `{near}`?"));
                    problems.push(Problem { message, hint, place: text.place(&below(list, &index.to_string())) });
                }
            }
        }
        objects
    };
    for (name, cluster) in &mut description.clusters.0 {
        let at = below("/clusters", name);
        cluster.flux = cluster.crds.iter().any(|set| set == FLUX);
        let crds = cluster.crds.drain(..).map(Object::File).collect();
        let mut objects = fetched(crds, &below(&at, "crds"), true);
        objects.extend(fetched(std::mem::take(&mut cluster.objects), &below(&at, "objects"), false));
        cluster.objects = objects;
        for (number, operator) in cluster.operators.iter_mut().enumerate() {
            let phases = below(&below(&below(&at, "operators"), &number.to_string()), "phases");
            for (index, phase) in operator.phases.iter_mut().enumerate() {
                let given = std::mem::take(&mut phase.objects).into_iter().map(|object| match object {
                    Value::String(path) => Object::File(path),
                    object => Object::Inline(object),
                });
                let list = below(&below(&phases, &index.to_string()), "objects");
                phase.objects = fetched(given.collect(), &list, true).iter().filter_map(charts::inline).collect();
            }
        }
    }
    for (url, repository) in &mut description.repositories.0 {
        for (number, revision) in repository.revisions.iter_mut().enumerate() {
            let at = below(&below(&below(&below("/repositories", url), "revisions"), &number.to_string()), "folders");
            for (folder, objects) in &mut revision.folders.0 {
                *objects = fetched(std::mem::take(objects), &below(&at, folder), true);
            }
        }
    }
    for (name, versions) in &mut description.charts.0 {
        for (version, chart) in versions.iter_mut().enumerate() {
            let at = below(&below(&below("/charts", name), &version.to_string()), "parts");
            for (index, part) in chart.parts.iter_mut().enumerate() {
                let list = below(&below(&at, &index.to_string()), "objects");
                part.objects = fetched(std::mem::take(&mut part.objects), &list, false);
            }
        }
    }
}

/// The objects of a file or a folder with manifests.
fn documents(path: &str, files: Files<'_>) -> Result<Vec<Value>, String> {
    let texts = files(Path::new(path)).map_err(|why| format!("can't read `{path}`: {why}"))?;
    let objects: Result<Vec<_>, _> = texts.iter().map(|(name, text)| objects(name, text)).collect();
    objects.map(|objects| objects.into_iter().flatten().collect())
}

fn objects(name: &str, text: &str) -> Result<Vec<Value>, String> {
    let read: Result<Vec<Value>, _> = serde_saphyr::from_multiple_with_options(text, options());
    let documents = read.map_err(|error| {
        let said = error.without_snippet().to_string();
        format!("`{name}` is no YAML: {}", said.lines().next().unwrap_or_default())
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
        return Err(format!("`{name}` holds something else than objects with a kind and a name"));
    }
    Ok(objects)
}
