//! The example of every documented function runs, and its documentation is whole.

use cozyscript::{
    run,
    script::{
        catalogue::{Catalogue, Example, Item},
        engine,
        sources::Sources,
    },
};

use super::script;
use crate::support::{
    daemon::redis,
    nameserver::NameServer,
    program::Runbook,
    server::{Reply, Server},
};

const FILES: [(&str, &str); 5] = [
    ("motd.txt", "hello"),
    ("token.txt", "8d7f-11c2\n"),
    ("app.yaml", "kind: ConfigMap\nmetadata:\n  name: app\n"),
    ("settings.json", "{\"replicas\": 3}"),
    ("lab.kubeconfig", include_str!("../../examples/kubeconfig/lab.kubeconfig")),
];

/// What of the world an example may ask for by a word after its fence; a cluster is there in other tests.
const NEEDS: [&str; 5] = ["server", "tls", "cluster", "redis", "nameserver"];

fn catalogued() -> Vec<(String, std::sync::Arc<cozyscript::script::catalogue::Function>)> {
    let mut bindings = cozyscript::bindings::all();
    bindings.push(run::functions::binding());
    let engine = engine::build(&bindings, &Sources::default());
    let catalogue = Catalogue::default();
    let functions = catalogue.functions(&engine).iter();
    // What the language brings along has no module.
    functions.filter(|(name, _)| name.contains("::")).map(|(name, function)| (name.clone(), function.clone())).collect()
}

#[test]
fn every_function_has_a_summary_an_example_and_explained_parameters() {
    let mut wrong = Vec::new();
    let functions = catalogued();
    assert!(functions.len() > 40, "{} functions", functions.len());
    for (name, function) in &functions {
        let doc = &function.doc;
        if !doc.summary.ends_with('.') {
            wrong.push(format!("{name}: its summary does not end: {}", doc.summary));
        }
        if doc.examples.is_empty() {
            wrong.push(format!("{name}: no example"));
        }
        for need in doc.examples.iter().filter_map(|example| example.needs.as_deref()) {
            if !NEEDS.contains(&need) {
                wrong.push(format!("{name}: nobody provides `{need}` for its example"));
            }
        }
        let unexplained = |items: &[Item]| -> Vec<String> {
            items
                .iter()
                .filter(|item| item.text.is_empty() || item.kind.is_empty())
                .map(|item| item.name.clone())
                .collect()
        };
        for item in unexplained(&doc.parameters).into_iter().chain(unexplained(&doc.options)) {
            wrong.push(format!("{name}: `{item}` is not explained, or has no type"));
        }
        let most = function.signatures.iter().max_by_key(|signature| signature.parameters.len()).unwrap();
        let own = most.parameters.iter().filter(|(_, kind)| !kind.starts_with("&mut") && !kind.contains("Context"));
        for (parameter, _) in own {
            let documented = doc.parameters.iter().any(|item| item.name == *parameter);
            if !documented && (parameter != "options" || doc.options.is_empty()) && parameter != "_" {
                wrong.push(format!("{name}: parameter `{parameter}` is not documented"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn server() -> Server {
    Server::start(|seen| match seen.path.as_str() {
        "/nowhere" => Reply::new(404, "nothing here"),
        "/echo" => Reply::new(201, seen.body.clone()),
        _ => Reply::new(200, r#"{"message": "hello"}"#),
    })
}

#[test]
fn every_example_that_needs_no_cluster_runs() {
    let server = server();
    let (secure, authority) = Server::start_with_tls(|_| Reply::new(200, ""));
    let (redis, nameserver) = (redis(&[]), NameServer::of_examples());
    let mut wrong = Vec::new();
    for (name, function) in catalogued() {
        for Example { code, needs } in &function.doc.examples {
            let given = match needs.as_deref() {
                Some("cluster") => continue,
                Some("tls") => format!("let server = \"localhost:{}\";", secure.address.port()),
                Some("redis") => match &redis {
                    Some(redis) => format!("let address = \"{}\";", redis.address()),
                    None => continue,
                },
                Some("nameserver") => format!("let nameserver = \"{}\";", nameserver.address),
                Some(_) => format!("let server = \"{}\";", server.url("")),
                None => String::new(),
            };
            // What the run engine gives needs the program around it.
            if name.starts_with("run::") {
                let ended = Runbook::new(code).run().done();
                if ended.stdout.is_empty() && code.contains("print") && name != "run::confirm" {
                    wrong.push(format!("{name}: it printed nothing\n{code}"));
                }
                ended.stdout_has("").stderr_has("");
                continue;
            }
            let (script, _folder) = script(&[FILES.as_slice(), &[("ca.pem", &*authority)]].concat());
            script.recorded.variables.lock().unwrap().insert("PATH".into(), "/usr/bin".into());
            if let Err(error) = script.run(&format!("{given}{code}")) {
                wrong.push(format!("{name}: {error}\n{code}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
