//! How much a world of many objects takes.

use serde_json::{Value, json};

use crate::{Row, arms::simulated};

const OBJECTS: usize = 10_000;

pub fn rows() -> Vec<Row> {
    let arm = simulated::bare_arm("space");
    // Without controllers nobody else makes it, and pods need it.
    create(&arm, "serviceaccounts", &json!({"metadata": {"name": "default"}}));
    let before = resident();
    for at in 0..OBJECTS / 2 {
        let name = format!("object-{at}");
        create(&arm, "configmaps", &json!({"metadata": {"name": name}, "data": {"key": "value ".repeat(50)}}));
        let container = json!({"name": "main", "image": "image:1", "env": [{"name": "KEY", "value": name}], "ports": [{"containerPort": 80}]});
        create(
            &arm,
            "pods",
            &json!({"metadata": {"name": name, "labels": {"app": "web"}}, "spec": {"containers": [container]}}),
        );
    }
    let after = resident();
    let subject = format!("{OBJECTS} objects (half pods, half ConfigMaps), resident");
    vec![
        Row::told(subject, format!("{after} MB")).held("<300 MB", after < 300),
        Row::told("… of which they are", format!("{} MB", after.saturating_sub(before))),
    ]
}

fn create(arm: &crate::arms::Arm, resource: &str, object: &Value) {
    let path = format!("/api/v1/namespaces/space/{resource}");
    let answer = arm.exchange("POST", &path, "application/json", object);
    assert_eq!(answer.code, 201, "{}", answer.body);
}

/// The memory of this process, in megabytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}
