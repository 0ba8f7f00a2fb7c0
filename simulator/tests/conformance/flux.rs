//! Flux: what its controllers make of sources, charts, releases and Kustomizations, and what they say of them.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Value, json};
use simulator::{
    kubernetes::{
        client::{Client, Place},
        cluster::Cluster,
        control_plane,
        controllers::flux,
        user::User,
    },
    time::Calendar,
    world::{self, sets},
};
use testbed::Bed;

use super::arms::Arm;

const SOURCES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/SPACE";
const RELEASES: &str = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/SPACE/helmreleases";
const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/SPACE/kustomizations";
const WORLD: &str = include_str!("flux.world.yaml");
/// Where the simulated registry is.
const REGISTRY: &str = "registry.test:5000";

bodies! {
    a_release_is_installed
    a_release_keeps_its_history
    a_release_goes_with_its_object
    a_suspended_release_waits_until_it_is_resumed
    a_release_is_forced
    a_release_is_tested
    a_release_makes_its_namespace
    a_release_comes_from_an_image
    a_chart_that_is_not_there
    a_version_that_no_chart_has
    a_chart_of_no_repository
    values_that_are_not_there
    values_without_the_key
    values_are_laid_over_each_other
    a_dependency_that_is_not_there
    a_dependency_that_is_not_ready
    pods_that_are_never_ready
    attempts_are_made_again
    attempts_are_given_back
    a_hook_that_does_not_end
    a_field_that_can_not_be_changed
    an_upgrade_is_taken_back
    an_upgrade_without_a_way_back
    a_namespace_that_is_not_there
    a_kind_that_is_not_there
    a_cluster_without_a_key
    drift_is_corrected
    drift_is_told
    an_image_without_the_tag
    an_image_outside_of_the_range
    a_source_without_its_secret
    a_registry_that_is_not_there
    a_source_is_looked_at_again
    manifests_are_applied
    manifests_are_taken_away
    manifests_go_with_their_object
    manifests_are_filled_in
    manifests_that_are_never_healthy
    a_folder_that_is_not_there
    a_source_that_is_not_there
    a_source_that_has_nothing
    a_dependency_of_manifests_that_is_not_there
    manifests_that_wait_for_each_other
    substitutes_that_are_not_there
    manifests_of_a_kind_that_is_not_there
    manifests_for_a_namespace_that_is_not_there
    secrets_that_can_not_be_read
}

/// A cluster with Flux, and what it can fetch.
pub fn begin(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = control_plane::begin(calendar, seed);
    let files = |path: &Path| Err(format!("{} is not asked for", path.display()));
    let described = world::read(WORLD, &files).unwrap_or_else(|problems| panic!("{problems:?}"));
    world::supply(&described, &cluster, tokio::time::Instant::now());
    flux::start(&cluster);
    let client = Client::new(&cluster, User::administrator(), "kubectl");
    tokio::spawn(async move {
        let place =
            Place { api_version: "apiextensions.k8s.io/v1", resource: "customresourcedefinitions", namespace: "" };
        let object = |name: &str| json!({"metadata": {"name": name}});
        let namespaces = Place { api_version: "v1", resource: "namespaces", namespace: "" };
        client.create(namespaces, &object("flux-system")).await.expect("there is no such namespace");
        let mut registry = object("registry");
        registry["data"] = json!({"address": REGISTRY});
        let maps = Place { api_version: "v1", resource: "configmaps", namespace: "flux-system" };
        client.create(maps, &registry).await.expect("there is no such ConfigMap");
        for definition in sets::of("flux").expect("there is a set of that name") {
            client.create(place, &definition).await.expect("definitions of Flux are fine");
        }
    });
    cluster
}

/// The real one, with the same to be fetched.
pub fn stocked() -> Option<Bed> {
    static STOCKED: OnceLock<()> = OnceLock::new();
    let bed = testbed::with_flux()?;
    STOCKED.get_or_init(|| {
        let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/real/flux");
        let text = |path: &Path| path.to_str().expect("paths here are texts").to_owned();
        bed.flux(&["push-chart", &text(&lab.join("charts/app"))]);
        let newer = tempfile::tempdir().unwrap();
        let app = newer.path().join("app");
        std::fs::create_dir_all(app.join("templates")).unwrap();
        for file in ["Chart.yaml", "values.yaml", "templates/app.yaml"] {
            let of = std::fs::read_to_string(lab.join("charts/app").join(file)).unwrap();
            std::fs::write(app.join(file), of.replace("version: 1.0.0", "version: 1.1.0")).unwrap();
        }
        bed.flux(&["push-chart", &text(&app)]);
        for tree in ["shop", "things", "front"] {
            bed.flux(&["push-tree", &text(&lab.join("trees").join(tree)), tree, "v1"]);
        }
        let address = format!("--from-literal=address={}", bed.registry());
        bed.kubectl(&["create", "configmap", "registry", "-n", "flux-system", &address]);
    });
    Some(bed)
}

/// A body's own part of the cluster.
struct Lab<'a> {
    arm: &'a Arm,
    registry: String,
}

impl<'a> Lab<'a> {
    /// With a repository of charts, and trees of manifests.
    fn new(arm: &'a Arm) -> Self {
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

    fn sent(&self, method: &str, path: &str, content: &str, body: &Value) {
        let body = self.arm.placed(&body.to_string()).replace("REGISTRY", &self.registry);
        let answer = self.arm.exchange(method, &self.arm.placed(path), content, &serde_json::from_str(&body).unwrap());
        assert!(answer.code < 300, "{method} {path}: {:#}", answer.body);
    }

    fn make(&self, path: &str, name: &str, spec: Value) {
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

    fn data(&self, kind: &str, name: &str, data: Value) {
        let field = if kind == "secrets" { "stringData" } else { "data" };
        let object = json!({"metadata": {"name": name}, field: data});
        self.sent("POST", &format!("/api/v1/namespaces/SPACE/{kind}"), "application/json", &object);
    }

    fn change(&self, path: &str, patch: Value) {
        self.sent("PATCH", path, "application/merge-patch+json", &patch);
    }

    fn tree(&self, name: &str, tree: &str, reference: Value) {
        let spec = json!({"insecure": true, "interval": "1h", "url": format!("oci://REGISTRY/trees/{tree}"), "ref": reference});
        self.make(&format!("{SOURCES}/ocirepositories"), name, spec);
    }

    /// A release of the chart; `more` is laid over its spec.
    fn release(&self, name: &str, timeout: &str, more: Value) {
        let mut spec = json!({
            "interval": "1h", "timeout": timeout, "releaseName": name,
            "chart": {"spec": {"chart": "app", "version": "1.0.0", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}},
        });
        lay(&mut spec, &more);
        self.make(RELEASES, name, spec);
    }

    /// A Kustomization of a tree of the same name, or of what `more` says.
    fn kustomization(&self, name: &str, tree: &str, more: Value) {
        let mut spec = json!({
            "interval": "1h", "timeout": "30s", "prune": true, "targetNamespace": "SPACE",
            "sourceRef": {"kind": "OCIRepository", "name": tree},
        });
        lay(&mut spec, &more);
        self.make(KUSTOMIZATIONS, name, spec);
    }

    fn ask(&self, path: &str, token: &str, more: &[&str]) {
        let mut annotations = json!({"reconcile.fluxcd.io/requestedAt": token});
        for what in more {
            annotations[format!("reconcile.fluxcd.io/{what}")] = json!(token);
        }
        self.change(path, json!({"metadata": {"annotations": annotations}}));
    }

    /// Waits until a condition says this of what it is now, and until the controller has nothing more to do about it.
    #[track_caller]
    fn until(&self, path: &str, kind: &str, reason: &str) {
        self.arm.look_until(path, |answer| said(&answer.body, kind, reason));
    }

    /// The same, and writes down all that is said of it and told of it.
    #[track_caller]
    fn tells(&self, path: &str, kind: &str, reason: &str) {
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

    fn note(&self, path: &str, object: &Value) {
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
    fn events(&self, object: &Value) -> Value {
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
        let folders: Vec<String> = text
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

fn web() -> String {
    format!("{RELEASES}/web")
}

fn nowhere() -> Value {
    json!({"where": {"zone": "nowhere"}})
}

fn a_release_is_installed(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
    let chart = arm.look(&format!("{SOURCES}/helmcharts/SPACE-web")).body;
    lab.note(&format!("{SOURCES}/helmcharts/SPACE-web"), &chart);
    arm.note("its chart", json!([chart["metadata"]["labels"], chart["spec"]]));
    let marker = arm.look("/api/v1/namespaces/SPACE/configmaps/web-marker").body;
    arm.note("its object", json!([marker["metadata"]["labels"], marker["metadata"]["annotations"], marker["data"]]));
    arm.note("its owner", marker["metadata"]["managedFields"].clone());
    let secrets = arm.look("/api/v1/namespaces/SPACE/secrets?labelSelector=owner=helm").body;
    for secret in secrets["items"].as_array().unwrap() {
        let mut labels = secret["metadata"]["labels"].clone();
        labels["modifiedAt"] = json!("TIME");
        arm.note("its secret", json!([secret["metadata"]["name"], labels, secret["type"]]));
    }
}

fn a_release_keeps_its_history(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.change(&web(), json!({"spec": {"chart": {"spec": {"version": "1.1.0"}}}}));
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
    lab.change(&web(), json!({"spec": {"values": {"marker": "second"}}}));
    lab.arm.look_until("/api/v1/namespaces/SPACE/configmaps/web-marker", |answer| {
        answer.body["data"]["marker"] == "second"
    });
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
}

fn a_release_goes_with_its_object(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.sent("DELETE", &web(), "", &Value::Null);
    for left in [&web(), "/apis/apps/v1/namespaces/SPACE/deployments/web", &format!("{SOURCES}/helmcharts/SPACE-web")] {
        arm.look_until(left, |answer| answer.code == 404);
    }
    let secrets = arm.look("/api/v1/namespaces/SPACE/secrets?labelSelector=owner=helm").body;
    arm.note("secrets", json!(secrets["items"].as_array().unwrap().len()));
}

fn a_suspended_release_waits_until_it_is_resumed(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"suspend": true}));
    arm.look_until(&web(), |answer| answer.body["status"]["observedGeneration"] == 1);
    lab.note(&web(), &arm.look(&web()).body);
    lab.change(&web(), json!({"spec": {"suspend": false}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
}

fn a_release_is_forced(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.ask(&web(), "one", &[]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Ready", "InstallSucceeded");
    lab.ask(&web(), "two", &["forceAt"]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "two");
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
}

fn a_release_is_tested(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"test": {"enable": true}}));
    lab.tells(&web(), "Ready", "TestSucceeded");
}

fn a_release_makes_its_namespace(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"targetNamespace": "SPACE-else", "install": {"createNamespace": true}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
    let namespace = arm.look("/api/v1/namespaces/SPACE-else").body;
    arm.note("its namespace", namespace["metadata"]["labels"].clone());
}

fn a_release_comes_from_an_image(arm: &Arm) {
    let lab = Lab::new(arm);
    let media = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    lab.make(
        &format!("{SOURCES}/ocirepositories"),
        "app",
        json!({
            "insecure": true, "interval": "1h", "url": "oci://REGISTRY/charts/app", "ref": {"semver": ">=1.0.0"},
            "layerSelector": {"mediaType": media, "operation": "copy"},
        }),
    );
    lab.make(
        RELEASES,
        "web",
        json!({"interval": "1h", "timeout": "60s", "chartRef": {"kind": "OCIRepository", "name": "app"}}),
    );
    lab.make(
        RELEASES,
        "lost",
        json!({"interval": "1h", "timeout": "60s", "chartRef": {"kind": "OCIRepository", "name": "nobody"}}),
    );
    lab.tells(&format!("{SOURCES}/ocirepositories/app"), "Ready", "Succeeded");
    lab.tells(&web(), "Ready", "InstallSucceeded");
    lab.tells(&format!("{RELEASES}/lost"), "Ready", "ArtifactFailed");
}

fn a_chart_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"chart": {"spec": {"chart": "application"}}}));
    lab.tells(&format!("{SOURCES}/helmcharts/SPACE-web"), "Ready", "ChartPullError");
    arm.look_until(&web(), |answer| answer.body["status"].to_string().contains("chart pull error"));
    lab.tells(&web(), "Ready", "SourceNotReady");
    lab.change(&web(), json!({"spec": {"chart": {"spec": {"chart": "app"}}}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
}

fn a_version_that_no_chart_has(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"chart": {"spec": {"version": "9.x"}}}));
    lab.release("other", "60s", json!({"chart": {"spec": {"chart": "application", "version": "1.x"}}}));
    for name in ["web", "other"] {
        lab.tells(&format!("{SOURCES}/helmcharts/SPACE-{name}"), "Ready", "ChartPullError");
    }
}

fn a_chart_of_no_repository(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"chart": {"spec": {"sourceRef": {"name": "nobody"}}}}));
    lab.tells(&format!("{SOURCES}/helmcharts/SPACE-web"), "Ready", "SourceUnavailable");
}

fn values_that_are_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"valuesFrom": [{"kind": "ConfigMap", "name": "settings"}]}));
    lab.tells(&web(), "Ready", "ValuesError");
}

fn values_without_the_key(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.data("configmaps", "settings", json!({"other": "a: b"}));
    lab.release("web", "60s", json!({"valuesFrom": [{"kind": "ConfigMap", "name": "settings"}]}));
    lab.tells(&web(), "Ready", "ValuesError");
}

fn values_are_laid_over_each_other(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.data("configmaps", "settings", json!({"values.yaml": "marker: second\nimage: app:2"}));
    lab.data("secrets", "hidden", json!({"marker": "third"}));
    lab.release(
        "web",
        "60s",
        json!({
            "valuesFrom": [
                {"kind": "ConfigMap", "name": "settings"},
                {"kind": "Secret", "name": "hidden", "valuesKey": "marker", "targetPath": "marker"},
                {"kind": "Secret", "name": "nobody", "optional": true},
            ],
            "values": {"selector": "web"},
        }),
    );
    lab.tells(&web(), "Ready", "InstallSucceeded");
    let deployment = arm.look("/apis/apps/v1/namespaces/SPACE/deployments/web").body;
    let marker = arm.look("/api/v1/namespaces/SPACE/configmaps/web-marker").body;
    arm.note(
        "values",
        json!([
            deployment["spec"]["template"]["spec"]["containers"][0]["image"],
            deployment["spec"]["selector"],
            marker["data"]
        ]),
    );
}

fn a_dependency_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"dependsOn": [{"name": "database"}]}));
    lab.tells(&web(), "Ready", "DependencyNotReady");
    lab.release("database", "60s", json!({}));
    lab.until(&format!("{RELEASES}/database"), "Ready", "InstallSucceeded");
    lab.ask(&web(), "now", &[]);
    lab.until(&web(), "Ready", "InstallSucceeded");
}

fn a_dependency_that_is_not_ready(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("database", "60s", json!({"suspend": true}));
    lab.release("web", "60s", json!({"dependsOn": [{"name": "database"}]}));
    lab.tells(&web(), "Ready", "DependencyNotReady");
}

fn pods_that_are_never_ready(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "3s", json!({"values": nowhere()}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn attempts_are_made_again(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "2s", json!({"values": nowhere(), "install": {"remediation": {"retries": 1}}}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn attempts_are_given_back(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "3s", json!({"values": nowhere()}));
    lab.until(&web(), "Stalled", "RetriesExceeded");
    lab.ask(&web(), "one", &["resetAt"]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn a_hook_that_does_not_end(arm: &Arm) {
    let lab = Lab::new(arm);
    let mut values = nowhere();
    values["hook"] = json!(true);
    lab.release("web", "3s", json!({"values": values}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn a_field_that_can_not_be_changed(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.change(&web(), json!({"spec": {"values": {"selector": "other"}}}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn an_upgrade_is_taken_back(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "30s", json!({}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    let upgrade = json!({"remediation": {"retries": 0, "remediateLastFailure": true}, "timeout": "3s"});
    let values = json!({"hook": true, "where": {"zone": "nowhere"}});
    lab.change(&web(), json!({"spec": {"upgrade": upgrade, "values": values}}));
    lab.tells(&web(), "Ready", "RollbackSucceeded");
    lab.change(&web(), json!({"spec": {"values": {"hook": null, "where": null, "marker": "second"}}}));
    lab.tells(&web(), "Ready", "UpgradeSucceeded");
}

fn an_upgrade_without_a_way_back(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "3s", json!({"values": nowhere(), "upgrade": {"remediation": {"retries": 1}}}));
    lab.until(&web(), "Stalled", "RetriesExceeded");
    lab.change(&web(), json!({"spec": {"values": {"marker": "second"}}}));
    lab.tells(&web(), "Stalled", "MissingRollbackTarget");
}

fn a_namespace_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"targetNamespace": "SPACE-else"}));
    lab.tells(&web(), "Stalled", "RetriesExceeded");
}

fn a_kind_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"values": {"thing": true}}));
    lab.until(&web(), "Ready", "InstallFailed");
    let mut told = arm.look(&web()).body["status"].clone();
    told["conditions"].as_array_mut().unwrap().retain(|condition| condition["type"] == "Released");
    arm.note("conditions", lab.plain("", &json!(told["conditions"][0]["message"])));
    arm.note("history", told["history"].clone());
    arm.note("installFailures", told["installFailures"].clone());
}

fn a_cluster_without_a_key(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"kubeConfig": {"secretRef": {"name": "tenant"}}}));
    lab.tells(&web(), "Ready", "RESTClientError");
}

fn drift_is_corrected(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"driftDetection": {"mode": "enabled"}}));
    lab.tells(&web(), "Ready", "InstallSucceeded");
    lab.change("/apis/apps/v1/namespaces/SPACE/deployments/web", json!({"spec": {"replicas": 3}}));
    lab.ask(&web(), "one", &[]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Ready", "InstallSucceeded");
}

fn drift_is_told(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.release("web", "60s", json!({"driftDetection": {"mode": "warn"}}));
    lab.until(&web(), "Ready", "InstallSucceeded");
    lab.sent("DELETE", "/api/v1/namespaces/SPACE/configmaps/web-marker", "", &Value::Null);
    lab.ask(&web(), "one", &[]);
    arm.look_until(&web(), |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&web(), "Ready", "InstallSucceeded");
}

fn an_image_without_the_tag(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("shop", "shop", json!({"tag": "v9"}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "OCIArtifactPullFailed");
    lab.change(&format!("{SOURCES}/ocirepositories/shop"), json!({"spec": {"ref": {"tag": "v1"}}}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "Succeeded");
}

fn an_image_outside_of_the_range(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("shop", "shop", json!({"semver": "9.x"}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "ReadOperationFailed");
}

fn a_source_without_its_secret(arm: &Arm) {
    let lab = Lab::new(arm);
    let login = json!({"name": "login"});
    let git = json!({"interval": "1h", "url": "https://127.0.0.1:1/fleet.git", "ref": {"branch": "main"}, "secretRef": login});
    lab.make(&format!("{SOURCES}/gitrepositories"), "fleet", git);
    lab.make(
        &format!("{SOURCES}/helmrepositories"),
        "index",
        json!({"interval": "1h", "url": "http://127.0.0.1:1", "secretRef": login}),
    );
    for source in ["gitrepositories/fleet", "helmrepositories/index"] {
        lab.tells(&format!("{SOURCES}/{source}"), "Ready", "AuthenticationFailed");
    }
}

fn a_registry_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.make(
        &format!("{SOURCES}/ocirepositories"),
        "shop",
        json!({"interval": "1h", "insecure": true, "url": "oci://127.0.0.1:1/trees/shop"}),
    );
    lab.make(
        &format!("{SOURCES}/gitrepositories"),
        "fleet",
        json!({"interval": "1h", "url": "http://127.0.0.1:1/fleet.git"}),
    );
    lab.make(&format!("{SOURCES}/helmrepositories"), "index", json!({"interval": "1h", "url": "http://127.0.0.1:1"}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "OCIArtifactPullFailed");
    lab.tells(&format!("{SOURCES}/gitrepositories/fleet"), "Ready", "GitOperationFailed");
    lab.tells(&format!("{SOURCES}/helmrepositories/index"), "Ready", "Failed");
}

fn a_source_is_looked_at_again(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = format!("{SOURCES}/ocirepositories/shop");
    lab.tree("shop", "shop", json!({"tag": "v1"}));
    lab.until(&shop, "Ready", "Succeeded");
    lab.ask(&shop, "one", &[]);
    arm.look_until(&shop, |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&shop, "Ready", "Succeeded");
}

/// A Kustomization with its tree.
fn shop(lab: &Lab<'_>, more: Value) -> String {
    lab.tree("shop", "shop", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "Succeeded");
    lab.kustomization("shop", "shop", more);
    format!("{KUSTOMIZATIONS}/shop")
}

/// The same with a Deployment, whose pods may run where there is no zone.
fn front(lab: &Lab<'_>, more: Value) -> String {
    lab.tree("front", "front", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/front"), "Ready", "Succeeded");
    lab.kustomization("front", "front", more);
    format!("{KUSTOMIZATIONS}/front")
}

fn manifests_are_applied(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({}));
    lab.tells(&shop, "Ready", "ReconciliationSucceeded");
    let settings = arm.look("/api/v1/namespaces/SPACE/configmaps/settings").body;
    arm.note("its object", json!([settings["metadata"]["labels"], settings["metadata"]["managedFields"]]));
    lab.ask(&shop, "one", &[]);
    arm.look_until(&shop, |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&shop, "Ready", "ReconciliationSucceeded");
    lab.change("/api/v1/namespaces/SPACE/configmaps/settings", json!({"data": {"colour": "red"}}));
    lab.ask(&shop, "two", &[]);
    arm.look_until("/api/v1/namespaces/SPACE/configmaps/settings", |answer| answer.body["data"]["colour"] == "blue");
    lab.tells(&shop, "Ready", "ReconciliationSucceeded");
}

fn manifests_are_taken_away(arm: &Arm) {
    let lab = Lab::new(arm);
    let front = front(&lab, json!({"postBuild": {"substitute": {"zone": "nowhere", "colour": "red"}}}));
    lab.until(&front, "Ready", "ReconciliationSucceeded");
    lab.tree("shop", "shop", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "Succeeded");
    lab.change(&front, json!({"spec": {"sourceRef": {"name": "shop"}}}));
    arm.look_until("/apis/apps/v1/namespaces/SPACE/deployments/front", |answer| answer.code == 404);
    lab.tells(&front, "Ready", "ReconciliationSucceeded");
}

fn manifests_go_with_their_object(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({}));
    lab.until(&shop, "Ready", "ReconciliationSucceeded");
    let object = arm.look(&shop).body;
    lab.sent("DELETE", &shop, "", &Value::Null);
    for left in [&shop, "/api/v1/namespaces/SPACE/configmaps/settings"] {
        arm.look_until(left, |answer| answer.code == 404);
    }
    arm.pass(Duration::from_millis(500));
    let mut events = lab.events(&object);
    // It says that it is done for another time, as for the last.
    events
        .as_array_mut()
        .unwrap()
        .retain(|event| event["message"].as_str().is_some_and(|message| message.contains("settings")));
    arm.note("events", events);
}

fn manifests_are_filled_in(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.data("configmaps", "colours", json!({"colour": "green", "zone": "nowhere"}));
    let filled = json!({"substituteFrom": [{"kind": "ConfigMap", "name": "colours"}], "substitute": {"colour": "red"}});
    let front = front(&lab, json!({"postBuild": filled}));
    lab.tells(&front, "Ready", "ReconciliationSucceeded");
    let settings = arm.look("/api/v1/namespaces/SPACE/configmaps/settings").body;
    let deployment = arm.look("/apis/apps/v1/namespaces/SPACE/deployments/front").body;
    arm.note("filled in", json!([settings["data"], deployment["spec"]["template"]["spec"]["nodeSelector"]]));
}

fn manifests_that_are_never_healthy(arm: &Arm) {
    let lab = Lab::new(arm);
    let checks = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "front", "namespace": "SPACE"}]);
    let filled = json!({"substitute": {"zone": "nowhere", "colour": "red"}});
    let front = front(&lab, json!({"healthChecks": checks, "postBuild": filled}));
    lab.tells(&front, "Ready", "HealthCheckFailed");
}

fn a_folder_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"path": "./nowhere"}));
    lab.tells(&shop, "Ready", "ArtifactFailed");
}

fn a_source_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.kustomization("shop", "nobody", json!({}));
    lab.tells(&format!("{KUSTOMIZATIONS}/shop"), "Ready", "ArtifactFailed");
}

fn a_source_that_has_nothing(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("shop", "shop", json!({"tag": "v9"}));
    lab.kustomization("shop", "shop", json!({}));
    lab.tells(&format!("{KUSTOMIZATIONS}/shop"), "Ready", "ArtifactFailed");
}

fn a_dependency_of_manifests_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"dependsOn": [{"name": "nobody"}]}));
    lab.tells(&shop, "Ready", "DependencyNotReady");
}

fn manifests_that_wait_for_each_other(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"dependsOn": [{"name": "egg"}]}));
    lab.kustomization("egg", "shop", json!({"dependsOn": [{"name": "shop"}]}));
    let ready = |answer: &super::arms::Answer| answer.body["status"].to_string().contains("is not ready");
    lab.ask(&shop, "one", &[]);
    arm.look_until(&shop, ready);
    lab.tells(&format!("{KUSTOMIZATIONS}/egg"), "Ready", "DependencyNotReady");
}

fn substitutes_that_are_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "colours"}]}}));
    lab.tells(&shop, "Ready", "BuildFailed");
}

fn manifests_of_a_kind_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("things", "things", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/things"), "Ready", "Succeeded");
    lab.kustomization("things", "things", json!({}));
    lab.tells(&format!("{KUSTOMIZATIONS}/things"), "Ready", "ReconciliationFailed");
}

fn manifests_for_a_namespace_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"targetNamespace": "SPACE-nowhere"}));
    lab.tells(&shop, "Ready", "ReconciliationFailed");
}

fn secrets_that_can_not_be_read(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"decryption": {"provider": "sops", "secretRef": {"name": "age"}}}));
    lab.tells(&shop, "Ready", "BuildFailed");
}
