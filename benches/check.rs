//! How long it takes to find nothing wrong with a very long runbook.

use std::{fmt::Write, path::Path, time::Duration};

use crate::{contest::contest, cozyscript, table::Row, write};

const LINES: usize = 10_000;

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "long.rhai", &runbook());
    let [times] = contest(15, [&|| cozyscript(folder, &["check", "long.rhai"])]);
    let met = times.median() < Duration::from_millis(100);
    vec![Row::timed("`check` of 10,000 lines", &times).target("<100 ms", met)]
}

/// Chapters with what runbooks are made of: prose, parameters, functions, closures, steps in steps, calls, loops, maps.
pub fn runbook() -> String {
    let mut text = String::from("//! # A long runbook\n\nlet cluster = k8s::connect();\n");
    let mut chapter = 0;
    while text.lines().count() + 25 <= LINES {
        chapter += 1;
        write!(
            text,
            r#"
/// Returns the hosts of chapter {chapter}.
fn hosts_{chapter}(count) {{
    let hosts = [];
    for number in 0..count {{
        hosts.push(`host-{chapter}-${{number}}`);
    }}
    hosts
}}

let size_{chapter} = param("size_{chapter}", #{{ default: 3 }});

// Chapter {chapter} makes its objects, one for each host.
step "chapter {chapter}" timeout 10m {{
    for host in hosts_{chapter}(size_{chapter}).filter(|host| host.len() > 3) {{
        step "configure" key host retry 2 {{
            cluster.apply(#{{
                apiVersion: "v1", kind: "ConfigMap", metadata: #{{ name: host, namespace: "default" }},
                data: #{{ chapter: "{chapter}", host: host }},
            }});
        }}
    }}
    print(`chapter {chapter} has ${{cluster.list("configmaps").len()}} objects`);
}}
"#
        )
        .expect("a text can be written to");
    }
    while text.lines().count() < LINES {
        text.push_str("// The end.\n");
    }
    text
}
