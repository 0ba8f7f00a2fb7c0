//! Jobs whose pods each do a part that has a number.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::INDEX;
use crate::kubernetes::controllers::fields::{Fields, list, map};

/// Reads `0,2-4`.
pub fn read(text: &str) -> BTreeSet<i64> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    let ranges = parts.filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<i64>().ok()?..=last.parse::<i64>().ok()?)
    });
    ranges.flatten().collect()
}

/// The same as a text.
pub fn shown(indexes: &BTreeSet<i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(",")
}

/// The pod of an index.
pub fn pod(mut pod: Value, job: &str, index: i64) -> Value {
    pod["metadata"]["generateName"] = json!(format!("{job}-{index}-"));
    for field in ["annotations", "labels"] {
        map(&mut pod["metadata"], field).insert(INDEX.to_owned(), json!(index.to_string()));
    }
    if pod.text("/spec/hostname").is_empty() {
        pod["spec"]["hostname"] = json!(format!("{job}-{index}"));
    }
    let variable = json!({
        "name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"fieldPath": format!("metadata.labels['{INDEX}']")}},
    });
    for containers in ["initContainers", "containers"] {
        for container in pod["spec"][containers].as_array_mut().into_iter().flatten() {
            let environment = list(container, "env");
            if !environment.iter().any(|known| known["name"] == variable["name"]) {
                environment.push(variable.clone());
            }
        }
    }
    if pod["spec"]["initContainers"].is_null() {
        super::take(&mut pod["spec"], "initContainers");
    }
    pod
}
