//! What a server counts, as Prometheus reads it: what it was asked for, how many objects it has, and which build it is. A real
//! one counts some hundred things more.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use http::Method;
use serde_json::Value;

use super::{
    access::Attributes,
    address::{self, Address},
    cluster::Cluster,
    kinds,
    request::{APPLY, Request},
};

pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

const OBJECTS: (&str, &str, &str) = (
    "apiserver_resource_objects",
    "gauge",
    "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
);
const REQUESTS: (&str, &str, &str) = (
    "apiserver_request_total",
    "counter",
    "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
);
const BUILD: (&str, &str, &str) = (
    "kubernetes_build_info",
    "gauge",
    "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
);

/// How often each sort of request for resources was answered with each code, by its labels.
#[derive(Default)]
pub struct Requests(Mutex<BTreeMap<String, u64>>);

impl Requests {
    /// Counts one that was answered; one that leads to no resource is not counted.
    pub fn count(&self, request: &Request, code: u16) {
        let Some(Address { group, version, resource, namespace, name, subresource, .. }) = address::read(&request.path)
        else {
            return;
        };
        let asked = Attributes::of(request).verb;
        let part = subresource.unwrap_or_default();
        let part = part.split('/').next().unwrap_or_default();
        let verb = match (request.method.as_str(), asked.as_str()) {
            _ if matches!(part, "attach" | "exec" | "portforward" | "proxy") => "CONNECT".to_owned(),
            (_, "list" | "watch") => asked.to_uppercase(),
            ("PATCH", _) if request.media_type() == APPLY => "APPLY".to_owned(),
            (method, _) => method.to_owned(),
        };
        let scope = match (&name, &namespace, &request.method) {
            (Some(_), _, _) | (None, _, &Method::POST) => "resource",
            (None, Some(_), _) => "namespace",
            (None, None, _) => "cluster",
        };
        let dry_run = request.parameter("dryRun").unwrap_or_default();
        let labels = labels([
            ("code", &code.to_string()),
            ("component", "apiserver"),
            ("dry_run", dry_run),
            ("group", &group),
            ("resource", &resource),
            ("scope", scope),
            ("subresource", part),
            ("verb", &verb),
            ("version", &version),
        ]);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(labels).or_default() += 1;
    }
}

/// What is there to be read now.
pub fn text(cluster: &Cluster) -> String {
    let mut text = String::new();
    let requests = cluster.requests.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    write(&mut text, REQUESTS, requests);
    let kinds = kinds::built_in().values().cloned().chain(cluster.defined_kinds());
    let objects = kinds.filter(|kind| kind.allows("list")).map(|kind| {
        let labels = labels([("group", &kind.group), ("resource", &kind.resource)]);
        (labels, cluster.store.count(&kind.stored))
    });
    write(&mut text, OBJECTS, objects.collect());
    let build = cluster.all_of_version();
    let said = |key: &str| build[key].as_str().unwrap_or_default().to_owned();
    let build = labels([
        ("build_date", &said("buildDate")),
        ("compiler", &said("compiler")),
        ("git_commit", &said("gitCommit")),
        ("git_tree_state", &said("gitTreeState")),
        ("git_version", &said("gitVersion")),
        ("go_version", &said("goVersion")),
        ("major", &said("major")),
        ("minor", &said("minor")),
        ("platform", &said("platform")),
    ]);
    write(&mut text, BUILD, BTreeMap::from([(build, 1)]));
    text
}

fn write(text: &mut String, (name, form, help): (&str, &str, &str), values: BTreeMap<String, u64>) {
    if values.is_empty() {
        return;
    }
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {form}").expect("a text can be written to");
    for (labels, value) in values {
        writeln!(text, "{name}{{{labels}}} {value}").expect("a text can be written to");
    }
}

fn labels<const N: usize>(labels: [(&str, &str); N]) -> String {
    let written = labels.map(|(name, value)| format!("{name}={}", Value::String(value.to_owned())));
    written.join(",")
}
