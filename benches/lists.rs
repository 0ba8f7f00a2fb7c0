//! Ten thousand pods, listed and filtered, beside `kubectl get -o json`.

use std::{path::Path, process::Command};

use crate::{
    contest::contest,
    cozyscript,
    kubernetes::Testbed,
    memory::{mebibytes, peak},
    table::{Row, millis, ratio},
    write,
};

const PODS: usize = 10_000;
/// Few: a round of the peer takes its time.
const ROUNDS: usize = 3;

pub fn rows(folder: &Path) -> Vec<Row> {
    let (time, memory) = ("10,000 pods listed and filtered", "… peak memory of that");
    let testbed = match Testbed::start(folder.join("cluster")) {
        Ok(testbed) => testbed,
        Err(why) => {
            let row = |subject| Row::new(subject, String::new(), String::new()).without("kubectl get -o json", &why);
            return vec![row(time), row(memory)];
        }
    };
    make_pods(&testbed, folder);
    write(
        folder,
        "list.rhai",
        "let pods = k8s::connect().list(\"pods\");\n\
         let odd = pods.filter(|pod| pod.metadata.labels.half == \"odd\" && pod.spec.containers.len() == 1);\n\
         print(odd.len());\n",
    );
    let ours = || testbed.known_to(cozyscript(folder, &["list.rhai", "--quiet"]));
    let theirs = || {
        let mut command = testbed.kubectl();
        command.args(["get", "pods", "--output=json"]);
        command
    };
    let [own, peers] = contest(ROUNDS, [&ours, &theirs]);
    let ratio_of_times = ratio(own.median(), peers.median());
    let json = size_of_json(testbed.kubectl());
    let most = peak(ours()) * 1024;
    let ratio_of_sizes = most as f64 / json as f64;
    vec![
        Row::timed(time, &own)
            .beside("kubectl get -o json", millis(peers.median()), ratio_of_times)
            .target("≤1× kubectl", ratio_of_times <= 1.0),
        Row::new(memory, mebibytes(most / 1024), String::new())
            .beside("the JSON", mebibytes(json / 1024), ratio_of_sizes)
            .target("≤2× the JSON", ratio_of_sizes <= 2.0),
    ]
}

/// Pods as large as real ones, which nobody schedules.
fn make_pods(testbed: &Testbed, folder: &Path) {
    let runbook = format!(
        r#"
let cluster = k8s::connect();
let variables = [];
for number in 0..30 {{
    variables.push(#{{ name: `SETTING_NUMBER_${{number}}`, value: `https://service-${{number}}.example.org:8443/api` }});
}}
for batch in 0..{} {{
    step "pods" key batch {{
        let pods = [];
        for index in 0..500 {{
            let number = batch * 500 + index;
            pods.push(#{{
                apiVersion: "v1", kind: "Pod",
                metadata: #{{
                    name: `web-7d9c5b7f6d-${{number}}`,
                    labels: #{{ app: "web", half: if number % 2 == 0 {{ "even" }} else {{ "odd" }}, "pod-template-hash": "7d9c5b7f6d" }},
                    annotations: #{{ "example.org/checksum": `sha256:${{number * 7919}}`, "example.org/number": `${{number}}` }},
                }},
                spec: #{{
                    schedulerName: "nobody",
                    containers: [#{{ name: "web", image: "registry.example.org/shop/web:1.4.2", env: variables,
                        resources: #{{ requests: #{{ cpu: "100m", memory: "128Mi" }}, limits: #{{ memory: "256Mi" }} }} }}],
                }},
            }});
        }}
        cluster.apply(pods);
        ()
    }}
}}
"#,
        PODS / 500
    );
    write(folder, "pods.rhai", &runbook);
    let status = testbed.known_to(cozyscript(folder, &["pods.rhai", "--quiet"])).status().expect("the program starts");
    assert!(status.success(), "the pods can be made");
}

/// How many bytes the server sends for all pods at once.
fn size_of_json(mut kubectl: Command) -> u64 {
    let output = kubectl.args(["get", "--raw", "/api/v1/namespaces/default/pods"]).output().expect("kubectl starts");
    assert!(output.status.success(), "the server gives all pods");
    output.stdout.len() as u64
}
