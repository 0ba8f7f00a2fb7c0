//! Reading a world file: its text, what is wrong with it, and the files that it names.

use std::path::Path;

use serde_json::Value;

use super::{
    charts,
    check::check,
    description::{Cluster, Description, Fault, Gives, Object},
    pools,
    problem::{Place, Problem, meant, nearest},
    sets,
    text::{Text, below, options},
};

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
        let crds = cluster.crds.drain(..).map(Object::File).collect();
        let mut objects = fetched(crds, &below(&at, "crds"), true);
        objects.extend(fetched(std::mem::take(&mut cluster.objects), &below(&at, "objects"), false));
        cluster.objects = objects;
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
    for (name, cluster) in &description.clusters.0 {
        agree_on_networks(description, &below("/clusters", name), cluster, text, problems);
    }
    for (name, machine) in &description.machines.0 {
        let at = below("/machines", name);
        agree_on_network(description, &below(&at, "network"), machine.network.as_deref(), text, problems);
        let clusters = description.clusters.0.iter().map(|(name, _)| name.as_str());
        if let Some(cluster) =
            machine.cluster.as_deref().filter(|cluster| !clusters.clone().any(|name| name == *cluster))
        {
            problems.push(Problem {
                message: format!("the world has no cluster `{cluster}`"),
                hint: Some(meant(cluster, clusters, "its clusters are")),
                place: text.place(&below(&at, "cluster")),
            });
        }
    }
    agree_on_charts(description, text, problems);
    for (index, fault) in description.faults.iter().enumerate() {
        agree_on_nodes(description, &below("/faults", &index.to_string()), fault, text, problems);
    }
}

fn agree_on_network(
    description: &Description,
    at: &str,
    named: Option<&str>,
    text: &Text,
    problems: &mut Vec<Problem>,
) {
    let networks = description.networks.keys().map(String::as_str);
    if let Some(network) = named.filter(|network| !networks.clone().any(|name| name == *network)) {
        problems.push(Problem {
            message: format!("the world has no network `{network}`"),
            hint: Some(meant(network, networks, "its networks are")),
            place: text.place(at),
        });
    }
}

fn agree_on_networks(description: &Description, at: &str, cluster: &Cluster, text: &Text, problems: &mut Vec<Problem>) {
    agree_on_network(description, &below(at, "network"), cluster.network.as_deref(), text, problems);
    let network = pools::network(description, cluster.network.as_deref());
    for (pool, index, message) in pools::disagreements(&cluster.pools, network) {
        let pool = below(&below(at, "pools"), &pool);
        let range = [below(&pool, "addresses"), pool].map(|list| below(&list, &index.to_string()));
        let place = range.iter().find_map(|pointer| text.known_place(pointer)).unwrap_or_default();
        problems.push(Problem { message, hint: None, place });
    }
}

fn agree_on_charts(description: &Description, text: &Text, problems: &mut Vec<Problem>) {
    let charts = &description.charts.0;
    let names = charts.iter().map(|(name, _)| name.as_str());
    let mut look = |named: &str, at: &str, index: usize| {
        let (name, version) = charts::split(named);
        let versions = charts.iter().find(|(known, _)| known == name).map(|(_, versions)| versions);
        let (message, hint) = match (versions, version) {
            (None, _) => (format!("the world has no chart `{name}`"), meant(name, names.clone(), "its charts are")),
            (Some(versions), Some(version)) if !versions.iter().any(|chart| chart.version == version) => {
                let known = versions.iter().map(|chart| chart.version.as_str());
                (format!("the chart `{name}` has no version `{version}`"), meant(version, known, "it has"))
            }
            _ => return,
        };
        problems.push(Problem { message, hint: Some(hint), place: text.place(&below(at, &index.to_string())) });
    };
    for (name, cluster) in &description.clusters.0 {
        let at = below(&below("/clusters", name), "charts");
        cluster.charts.iter().enumerate().for_each(|(index, named)| look(named, &at, index));
    }
    for (name, versions) in charts {
        for (version, chart) in versions.iter().enumerate() {
            let at = below(&below(&below("/charts", name), &version.to_string()), "needs");
            chart.needs.iter().enumerate().for_each(|(index, named)| look(named, &at, index));
        }
    }
}

fn agree_on_nodes(description: &Description, at: &str, fault: &Fault, text: &Text, problems: &mut Vec<Problem>) {
    let mut wrong = |message: String, hint: String, at: &str| {
        problems.push(Problem { message, hint: Some(hint), place: text.place(at) });
    };
    let word = match &fault.gives {
        Gives::Word(word) => word.as_str(),
        Gives::Status(_) => "",
    };
    if fault.is_of_a_machine() {
        let machines = description.machines.0.iter().map(|(name, _)| name.as_str());
        let needs = match word {
            "moves" => Some(("to: ADDRESS", fault.to.is_some())),
            "no_disk" => Some(("disk: NAME", fault.disk.is_some())),
            _ => None,
        };
        if !machines.clone().any(|name| name == fault.node) {
            let message = format!("the world has no machine `{}`", fault.node);
            wrong(message, meant(&fault.node, machines, "its machines are"), at);
        } else if let Some((missing, false)) = needs {
            wrong(format!("`{word}` lacks a word of where"), format!("write `{missing}`, too"), at);
        }
    } else if fault.is_off() == fault.node.is_empty() {
        let hint = "write both `node: NAME` and `gives: off`, or neither".to_owned();
        wrong("a node is `off`, and nothing else happens to it".to_owned(), hint, at);
    }
}
