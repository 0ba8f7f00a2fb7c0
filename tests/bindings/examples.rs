//! The example of every documented function runs.

use cozyscript::script::catalogue::Catalogue;
use cozyscript::script::engine;
use cozyscript::script::sources::Sources;

use super::script;
use crate::support::server::{Reply, Server};

const MODULES: [&str; 7] = ["fs::", "http::", "json::", "secret::", "show::", "time::", "yaml::"];

#[test]
fn every_function_has_an_example_that_runs() {
    let engine = engine::build(&cozyscript::bindings::all(), &Sources::default());
    let catalogue = Catalogue::default();
    let server = Server::start(|seen| match seen.path.as_str() {
        "/nowhere" => Reply::new(404, "nothing here"),
        "/echo" => Reply::new(201, seen.body.clone()),
        _ => Reply::new(200, r#"{"message": "hello"}"#),
    });
    let files = [
        ("motd.txt", "hello"),
        ("token.txt", "8d7f-11c2\n"),
        ("app.yaml", "kind: ConfigMap\nmetadata:\n  name: app\n"),
        ("settings.json", "{\"replicas\": 3}"),
    ];
    let mut wrong = Vec::new();
    for (name, function) in catalogue.functions(&engine) {
        if !MODULES.iter().any(|module| name.starts_with(module)) {
            continue;
        }
        if function.doc.examples.is_empty() {
            wrong.push(format!("{name}: no example"));
        }
        if !function.doc.summary.ends_with('.') {
            wrong.push(format!("{name}: its summary does not end: {}", function.doc.summary));
        }
        for example in &function.doc.examples {
            let (script, _folder) = script(&files);
            script.recorded.variables.lock().unwrap().insert("PATH".into(), "/usr/bin".into());
            let given = match example.needs.as_deref() {
                Some("server") => format!("let server = \"{}\";", server.url("")),
                _ => String::new(),
            };
            if let Err(error) = script.run(&format!("{given}{}", example.code)) {
                wrong.push(format!("{name}: {error}\n{}", example.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
