//! Flux: what its controllers make of sources, charts, releases and Kustomizations, and what they say of them.

pub mod manifests;
pub mod releases;
pub mod sources;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::arms::Arm;

const SOURCES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/SPACE";
const RELEASES: &str = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/SPACE/helmreleases";
const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/SPACE/kustomizations";

/// A body's own part of the cluster.
pub struct Lab<'a> {
    arm: &'a Arm,
    registry: String,
}

impl<'a> Lab<'a> {
    /// With a repository of charts, and trees of manifests.
    pub fn new(arm: &'a Arm) -> Self {
        arm.look_until(KUSTOMIZATIONS, |answer| answer.code == 200);
        arm.look_until(RELEASES, |answer| answer.code == 200);
        arm.look_until(&format!("{SOURCES}/ocirepositories"), |answer| answer.code == 200);
        arm.look_until(&format!("{SOURCES}/helmrepositories"), |answer| answer.code == 200);
        let known = "/api/v1/namespaces/flux-system/configmaps/registry";
        arm.look_until(known, |answer| answer.code == 200);
        let registry = arm.look(known).body["data"]["address"].as_str().unwrap().to_owned();
        let lab = Self { arm, registry };
        lab.make(
            &format!("{SOURCES}/helmrepositories"),
            "charts",
            json!({"type": "oci", "insecure": true, "interval": "1h", "url": "oci://REGISTRY/charts"}),
        );
        lab
    }

    pub fn sent(&self, method: &str, path: &str, content: &str, body: &Value) {
        let body = self.arm.placed(&body.to_string()).replace("REGISTRY", &self.registry);
        let answer = self.arm.exchange(method, &self.arm.placed(path), content, &serde_json::from_str(&body).unwrap());
        assert!(answer.code < 300, "{method} {path}: {:#}", answer.body);
    }

    pub fn make(&self, path: &str, name: &str, spec: Value) {
        let parts: Vec<&str> = path.split('/').collect();
        let kind = match parts.last() {
            Some(&"gitrepositories") => "GitRepository",
            Some(&"helmreleases") => "HelmRelease",
            Some(&"helmrepositories") => "HelmRepository",
            Some(&"ocirepositories") => "OCIRepository",
            _ => "Kustomization",
        };
        let api_version = format!("{}/{}", parts[2], parts[3]);
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec});
        self.sent("POST", path, "application/json", &object);
    }

    pub fn data(&self, kind: &str, name: &str, data: Value) {
        let field = if kind == "secrets" { "stringData" } else { "data" };
        let object = json!({"metadata": {"name": name}, field: data});
        self.sent("POST", &format!("/api/v1/namespaces/SPACE/{kind}"), "application/json", &object);
    }

    pub fn change(&self, path: &str, patch: Value) {
        self.sent("PATCH", path, "application/merge-patch+json", &patch);
    }

    pub fn tree(&self, name: &str, tree: &str, reference: Value) {
        let spec = json!({"insecure": true, "interval": "1h", "url": format!("oci://REGISTRY/trees/{tree}"), "ref": reference});
        self.make(&format!("{SOURCES}/ocirepositories"), name, spec);
    }

    /// A release of the chart; `more` is laid over its spec.
    pub fn release(&self, name: &str, timeout: &str, more: Value) {
        let mut spec = json!({
            "interval": "1h", "timeout": timeout, "releaseName": name,
            "chart": {"spec": {"chart": "app", "version": "1.0.0", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}},
        });
        lay(&mut spec, &more);
        self.make(RELEASES, name, spec);
    }

    /// A Kustomization of a tree of the same name, or of what `more` says.
    pub fn kustomization(&self, name: &str, tree: &str, more: Value) {
        let mut spec = json!({
            "interval": "1h", "timeout": "30s", "prune": true, "targetNamespace": "SPACE",
            "sourceRef": {"kind": "OCIRepository", "name": tree},
        });
        lay(&mut spec, &more);
        self.make(KUSTOMIZATIONS, name, spec);
    }

    pub fn ask(&self, path: &str, token: &str, more: &[&str]) {
        let mut annotations = json!({"reconcile.fluxcd.io/requestedAt": token});
        for what in more {
            annotations[format!("reconcile.fluxcd.io/{what}")] = json!(token);
        }
        self.change(path, json!({"metadata": {"annotations": annotations}}));
    }

    /// Waits until a condition says this of what it is now, and until the controller has nothing more to do about it.
    #[track_caller]
    pub fn until(&self, path: &str, kind: &str, reason: &str) {
        self.arm.look_until(path, |answer| said(&answer.body, kind, reason));
    }

    /// The same, and writes down all that is said of it and told of it.
    #[track_caller]
    pub fn tells(&self, path: &str, kind: &str, reason: &str) {
        // The last event may be told a little later; and who tries again is busy now and then.
        let object = loop {
            self.until(path, kind, reason);
            self.arm.pass(Duration::from_millis(700));
            let object = self.arm.look(path).body;
            if said(&object, kind, reason) {
                break object;
            }
        };
        self.note(path, &object);
    }

    pub fn note(&self, path: &str, object: &Value) {
        let mut told = object["status"].clone();
        let current = |value: &Value| *value == object["metadata"]["generation"];
        for condition in told["conditions"].as_array_mut().into_iter().flatten() {
            let map = condition.as_object_mut().unwrap();
            map.remove("lastTransitionTime");
            let observed = map.remove("observedGeneration").unwrap_or_default();
            assert!(!observed.is_null(), "a condition says of which generation it speaks");
        }
        if let Some(map) = told.as_object_mut() {
            let observed = map
                .remove("observedGeneration")
                .map(|observed| if current(&observed) { json!("CURRENT") } else { observed });
            map.insert("observedGeneration".to_owned(), observed.unwrap_or_default());
            let attempted = map.remove("lastAttemptedGeneration").map(|observed| current(&observed));
            map.insert("attemptedIsCurrent".to_owned(), json!(attempted));
            // How much of it is a matter of form: of archives, and of how often somebody looks.
            for part in ["artifact", "history"] {
                let parts: Vec<&mut Value> = match map.get_mut(part) {
                    Some(Value::Array(items)) => items.iter_mut().collect(),
                    Some(one) => vec![one],
                    None => Vec::new(),
                };
                for part in parts.into_iter().filter_map(Value::as_object_mut) {
                    ["size", "totalReconciliations"].iter().for_each(|field| drop(part.remove(*field)));
                    if let Some(metadata) = part.get_mut("metadata").and_then(Value::as_object_mut) {
                        metadata.retain(|key, _| !key.starts_with("org.opencontainers"));
                        metadata.remove("originRevision");
                    }
                }
            }
        }
        self.arm.note(&format!("{path} says"), self.plain("", &told));
        self.arm.note(&format!("{path} tells"), self.events(object));
    }

    /// The events of an object, each once, in the order in which they first happened.
    pub fn events(&self, object: &Value) -> Value {
        let all = self.arm.look("/api/v1/namespaces/SPACE/events").body;
        let mut own: Vec<&Value> = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["involvedObject"]["uid"] == object["metadata"]["uid"])
            .collect();
        // Their names end with when they were first told.
        own.sort_by_key(|event| event["metadata"]["name"].to_string());
        let mut lines: Vec<Value> = Vec::new();
        for event in own {
            let line = json!({
                "type": event["type"], "reason": event["reason"], "message": event["message"],
                "from": event["reportingComponent"],
                "marks": event["metadata"]["annotations"].as_object().map(|map| map.keys().collect::<BTreeSet<_>>()),
            });
            let line = self.plain("", &line);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        Value::Array(lines)
    }

    /// Without times, sums and folders.
    fn plain(&self, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), self.plain(key, value))).collect(),
            Value::Array(items) => items.iter().map(|item| self.plain(key, item)).collect(),
            Value::String(text) => match key {
                "lastAttemptedReleaseActionDuration" | "lastReconciledDuration" => json!("DURATION"),
                "url" if text.starts_with("http") => {
                    json!(format!("http://SOURCES/{}", self.text(text.splitn(4, '/').nth(3).unwrap_or_default())))
                }
                _ => json!(self.text(text)),
            },
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        let text = text.split("\n\nLast Helm logs:").next().unwrap_or_default();
        let text = text.replace(&self.registry, "REGISTRY");
        let text = text.split(", origin source").next().unwrap_or_default();
        // What is wrong with a folder each says in its own words.
        let unbuilt = text.find("kustomize build failed: ").map_or(text, |_| "kustomize build failed");
        let folders: Vec<String> = unbuilt
            .split(' ')
            .map(|word| match word.split_once("/kustomization-") {
                Some((_, rest)) if word.starts_with('/') => {
                    format!("FOLDER/{}", rest.split_once('/').map_or("", |(_, rest)| rest))
                }
                _ => word.to_owned(),
            })
            .collect();
        let mut text = folders.join(" ");
        for (before, after) in
            [("retrying in ", ""), ("finished in ", ","), ("failed after ", ":"), ("passed in ", ""), ("Timeout ", "")]
        {
            if let Some((begin, rest)) = text.clone().split_once(before) {
                let end = if after.is_empty() { rest.len() } else { rest.find(after).unwrap_or(rest.len()) };
                text = format!("{begin}{before}DURATION{}", &rest[end..]);
            }
        }
        hexless(&text)
    }
}

/// With words for sums: what is made of so many hexadecimal digits.
fn hexless(text: &str) -> String {
    let is_inside = |letter: char| letter.is_ascii_hexdigit();
    let mut whole = String::new();
    let mut run = String::new();
    for letter in text.chars().chain(['\0']) {
        if is_inside(letter) {
            run.push(letter);
            continue;
        }
        let is_tail = whole.ends_with('+') && run.len() == 12;
        whole.push_str(if run.len() == 64 || run.len() == 40 || is_tail { "SUM" } else { &run });
        run.clear();
        whole.push(letter);
    }
    whole.pop();
    whole
}

/// True if a condition of what an object is now gives this reason, in the end.
fn said(object: &Value, kind: &str, reason: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let of = |kind: &str| conditions.and_then(|all| all.iter().find(|condition| condition["type"] == kind));
    let busy = of("Reconciling").is_some_and(|busy| busy["reason"] == "Progressing");
    of(kind).is_some_and(|found| {
        found["reason"] == reason && found["observedGeneration"] == object["metadata"]["generation"]
    }) && (!busy
        || matches!(
            reason,
            "SourceNotReady"
                | "DependencyNotReady"
                | "ValuesError"
                | "ArtifactFailed"
                | "RESTClientError"
                | "InstallFailed"
        ))
}

fn lay(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(map), Value::Object(more)) => {
            more.iter().for_each(|(key, value)| lay(map.entry(key).or_insert(Value::Null), value));
        }
        (below, above) => *below = above.clone(),
    }
}
