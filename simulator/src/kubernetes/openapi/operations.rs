//! The requests that there are for some kinds.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};

use super::documents::name_of;
use crate::kubernetes::kinds::Kind;

/// The paths of these kinds; `definitions` is where a document keeps what it refers to.
pub fn paths(kinds: &[Arc<Kind>], definitions: &str) -> Value {
    let mut paths: BTreeMap<String, Value> = BTreeMap::new();
    for kind in kinds {
        let root = match kind.group.as_str() {
            "" => format!("/api/{}", kind.version),
            group => format!("/apis/{group}/{}", kind.version),
        };
        let place = if kind.namespaced { format!("{root}/namespaces/{{namespace}}") } else { root.clone() };
        let collection = format!("{place}/{}", kind.resource);
        let whole = Of { kind, definitions, part: "" };
        paths.insert(
            collection.clone(),
            whole.operations(&[("get", "list"), ("post", "create"), ("delete", "deletecollection")]),
        );
        let item = [("get", "get"), ("put", "update"), ("patch", "patch"), ("delete", "delete")];
        paths.insert(format!("{collection}/{{name}}"), whole.operations(&item));
        if kind.namespaced {
            paths.insert(format!("{root}/{}", kind.resource), whole.operations(&[("get", "list")]));
        }
        for part in &kind.subresources {
            let of = Of { kind, definitions, part };
            paths.insert(format!("{collection}/{{name}}/{part}"), of.operations(&item[..3]));
        }
    }
    paths.retain(|_, operations| operations.as_object().is_some_and(|operations| operations.len() > 1));
    json!(paths)
}

struct Of<'o> {
    kind: &'o Kind,
    definitions: &'o str,
    part: &'o str,
}

impl Of<'_> {
    /// The operations by the method of HTTP, for those verbs that the kind has.
    fn operations(&self, verbs: &[(&str, &str)]) -> Value {
        let there = verbs.iter().filter(|(_, verb)| !self.part.is_empty() || self.kind.allows(verb));
        let mut operations: Map<String, Value> =
            there.map(|(method, verb)| ((*method).to_owned(), self.operation(method, verb))).collect();
        let names = [("name", !self.part.is_empty()), ("namespace", self.kind.namespaced)];
        let named = names.iter().filter(|(_, there)| *there).map(|(name, _)| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}})
        });
        operations.insert("parameters".to_owned(), Value::Array(named.collect()));
        Value::Object(operations)
    }

    fn operation(&self, method: &str, verb: &str) -> Value {
        let Self { kind, definitions, part } = self;
        let known_as = match *part {
            "scale" => json!({"group": "autoscaling", "version": "v1", "kind": "Scale"}),
            _ => json!({"group": kind.group, "version": kind.version, "kind": kind.kind}),
        };
        let parameters: &[&str] = match verb {
            "create" | "update" => &["dryRun", "fieldManager", "fieldValidation"],
            "patch" => &["dryRun", "fieldManager", "fieldValidation", "force"],
            "delete" => &["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"],
            "list" => &[
                "allowWatchBookmarks",
                "continue",
                "fieldSelector",
                "labelSelector",
                "limit",
                "resourceVersion",
                "resourceVersionMatch",
                "sendInitialEvents",
                "timeoutSeconds",
                "watch",
            ],
            _ => &[],
        };
        let parameters = parameters.iter().map(|name| {
            let of = match *name {
                "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
                "allowWatchBookmarks" | "force" | "orphanDependents" | "sendInitialEvents" | "watch" => "boolean",
                _ => "string",
            };
            json!({"name": name, "in": "query", "schema": {"type": of, "uniqueItems": true}})
        });
        let name = name_of(kind);
        let shown = if verb == "list" { format!("{name}List") } else { name.clone() };
        let answer = json!({"$ref": format!("{definitions}{shown}")});
        let mut operation = json!({
            "tags": [tag(kind)],
            "operationId": format!("{verb}{}{}{}{}", capital(&tag(kind)), if kind.namespaced { "Namespaced" } else { "" }, kind.kind, capital(part)),
            "parameters": parameters.collect::<Vec<_>>(),
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": answer}}}, "401": {"description": "Unauthorized"}},
            "x-kubernetes-action": if verb == "create" { "post" } else if verb == "update" { "put" } else { verb },
            "x-kubernetes-group-version-kind": known_as,
        });
        let body = match method {
            "post" | "put" => Some(("*/*", name)),
            "patch" => Some(("application/merge-patch+json", "io.k8s.apimachinery.pkg.apis.meta.v1.Patch".to_owned())),
            _ => None,
        };
        if let Some((form, name)) = body {
            let schema = json!({"$ref": format!("{definitions}{name}")});
            operation["requestBody"] = json!({"required": true, "content": {form: {"schema": schema}}});
        }
        operation
    }
}

/// `apps_v1`.
fn tag(kind: &Kind) -> String {
    let group = match kind.group.as_str() {
        "" => "core",
        group => group.strip_suffix(".k8s.io").unwrap_or(group),
    };
    format!("{}_{}", group.replace('.', "_"), kind.version)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
