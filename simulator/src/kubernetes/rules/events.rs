//! Events: one storage, two shapes.

use serde_json::{Map, Value, json};

use super::{Rules, field::Field, form};
use crate::kubernetes::answer::Cause;

pub struct Events;

const CORE: &str = "v1";
const NEWER: &str = "events.k8s.io";

/// The names of fields in the core group, and in `events.k8s.io`.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// How long texts may be.
const LENGTHS: [(&str, usize); 4] = [("reportingInstance", 128), ("action", 128), ("reason", 128), ("message", 1024)];

impl Rules for Events {
    fn stored_version(&self) -> Option<&str> {
        Some(CORE)
    }

    fn convert(&self, event: &mut Value, api_version: &str) {
        let to_core = api_version == CORE;
        let Value::Object(fields) = event.take() else { return };
        let renamed = fields.into_iter().map(|(field, value)| {
            let known = NAMES.iter().find(|(core, newer)| field == if to_core { *newer } else { *core });
            (known.map_or(field, |(core, newer)| if to_core { *core } else { *newer }.to_owned()), value)
        });
        *event = Value::Object(Map::from_iter(renamed));
        event["apiVersion"] = json!(api_version);
        // Either shape has some fields always, the other one only if there is something in them.
        for field in ["reportingComponent", "reportingInstance"].iter().filter(|_| to_core) {
            super::fill::default(event, field, "");
        }
        for field in ["reportingController", "reportingInstance"].iter().filter(|_| !to_core) {
            if event[*field] == "" {
                super::fill::remove(event, field);
            }
        }
    }

    fn check(&self, event: &Value) -> Vec<Cause> {
        let [time, namespace] = ["eventTime", "involvedObject.namespace"].map(|path| Field::of(event, path));
        let own = event["metadata"]["namespace"].as_str().unwrap_or_default();
        let told = |why: &str| Cause::invalid(&namespace.path, &json!(namespace.text()), why);
        let mut wrong = Vec::new();
        if time.is_empty() {
            if namespace.text() != own && !(namespace.is_empty() && own == "default") {
                wrong.push(told("does not match event.namespace"));
            }
            return wrong;
        }
        if namespace.is_empty() && !matches!(own, "default" | "kube-system") {
            wrong.push(told("does not match event.namespace"));
        }
        let controller = Field { path: "reportingController".to_owned(), ..Field::of(event, "reportingComponent") };
        if controller.is_empty() {
            wrong.push(controller.required(""));
        }
        let malformed = form::qualified_name(controller.text());
        wrong.extend(malformed.iter().map(|why| Cause::invalid(&controller.path, &json!(controller.text()), why)));
        for (field, most) in LENGTHS {
            let text = Field::of(event, field);
            if text.is_empty() && field != "message" {
                wrong.push(text.required(""));
            }
            if text.text().len() > most {
                wrong.push(Cause::invalid(field, &json!(""), &format!("can have at most {most} characters")));
            }
        }
        wrong
    }

    fn check_given(&self, event: &Value) -> Vec<Cause> {
        let mut wrong = Vec::new();
        if event["apiVersion"] == CORE {
            return wrong;
        }
        let told = |field: &str, why: &str| Cause::invalid(field, &json!(""), why);
        if Field::of(event, "eventTime").is_empty() {
            wrong.push(Cause::required("eventTime", ""));
        }
        let kind = event["type"].as_str().unwrap_or_default();
        if !matches!(kind, "Normal" | "Warning") {
            wrong.push(told("type", &format!("has invalid value: {kind}")));
        }
        let old = ["firstTimestamp", "lastTimestamp", "count"].map(|core| {
            let newer = NAMES.iter().find(|(known, _)| *known == core).map_or(core, |(_, newer)| *newer);
            (core, !Field::of(event, newer).is_empty())
        });
        let set = old.iter().filter(|(_, set)| *set);
        wrong.extend(set.map(|(core, _)| told(core, "needs to be unset")));
        wrong
    }

    fn replacing_creates(&self) -> bool {
        true
    }

    fn owns_nothing(&self) -> bool {
        true
    }

    fn words_of(&self, group: &str) -> Option<&'static [(&'static str, &'static str)]> {
        (group == NEWER).then_some(&[
            ("metadata.name", "metadata.name"),
            ("metadata.namespace", "metadata.namespace"),
            ("reason", "reason"),
            ("regarding.kind", "involvedObject.kind"),
            ("regarding.namespace", "involvedObject.namespace"),
            ("regarding.name", "involvedObject.name"),
            ("regarding.uid", "involvedObject.uid"),
            ("regarding.apiVersion", "involvedObject.apiVersion"),
            ("regarding.resourceVersion", "involvedObject.resourceVersion"),
            ("regarding.fieldPath", "involvedObject.fieldPath"),
            ("reportingController", "reportingComponent"),
            ("type", "type"),
        ])
    }

    fn selectable(&self) -> Vec<&str> {
        vec![
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ]
    }
}
