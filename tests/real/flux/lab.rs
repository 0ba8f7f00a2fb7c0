//! A cluster with Flux, a chart and two trees of manifests in its registry, and a namespace for each test.

use std::{
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use cozyscript::{
    host::ask::Answer,
    script::fault::{Fault, Kind},
};

use crate::{
    real::{Bed, Scripts, with_flux},
    support::Script,
};

/// A namespace with a repository of charts and one of manifests.
pub struct Lab {
    pub bed: Bed,
    pub space: String,
    pub script: Arc<Script>,
}

/// A release of the chart; `more` are further fields of its spec.
pub fn release(name: &str, more: &str) -> String {
    release_within("60s", name, more)
}

/// The same with the time that an attempt may take.
pub fn release_within(timeout: &str, name: &str, more: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}}}\nspec:\n  interval: 1h\n  \
         timeout: {timeout}\n  releaseName: {name}\n  chart: {{spec: {{chart: app, version: 1.0.0, sourceRef: {{kind: \
         HelmRepository, name: charts}}}}}}\n{more}\n---\n"
    )
}

/// A Kustomization of a tree; `more` are further fields of its spec.
pub fn kustomization(name: &str, source: &str, space: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}}}\nspec:\n  interval: \
         1h\n  timeout: 30s\n  prune: true\n  targetNamespace: {space}\n  sourceRef: {{kind: OCIRepository, name: \
         {source}}}\n{more}\n---\n"
    )
}

impl Lab {
    /// None, and said so, if there is no testbed.
    pub fn new(space: &str) -> Option<Self> {
        static STOCKED: OnceLock<()> = OnceLock::new();
        let bed = with_flux()?;
        STOCKED.get_or_init(|| {
            let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/flux");
            bed.flux(&["push-chart", &format!("{here}/charts/app")]);
            bed.flux(&["push-tree", &format!("{here}/trees/shop"), "shop", "v1"]);
            bed.flux(&["push-tree", &format!("{here}/trees/things"), "things", "v1"]);
        });
        let lab = Self { space: bed.space(space), script: bed.script(), bed };
        let charts = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: charts}}\nspec: {{type: \
             oci, insecure: true, interval: 1h, url: \"oci://{}/charts\"}}\n---\n",
            lab.bed.registry()
        );
        lab.apply(&[charts, lab.tree("shop", "v1", ""), lab.tree("things", "v1", "")].concat());
        Some(lab)
    }

    /// The source of a tree of manifests; `more` is a further field of its spec.
    pub fn tree(&self, name: &str, tag: &str, more: &str) -> String {
        let registry = self.bed.registry();
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: {name}}}\nspec:\n  insecure: \
             true\n  interval: 1h\n  url: \"oci://{registry}/trees/{name}\"\n  ref: {{tag: {tag}}}\n  {more}\n---\n"
        )
    }

    pub fn apply(&self, manifest: &str) {
        self.bed.kubectl_with(&["apply", "-n", &self.space], manifest);
    }

    /// What kubectl says of this namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.bed.kubectl(&[&["-n", &self.space], arguments].concat())
    }

    /// Waits until the server refuses a ConfigMap, and why: it comes to know its rules a little later than they are made.
    pub fn until_refused(&self, name: &str, why: &str) {
        self.until(&format!("configmap/{name} is refused: {why}"), || {
            let tried = self.bed.try_kubectl(&["create", "configmap", name, "-n", &self.space, "--dry-run=server"]);
            tried.is_err_and(|said| said.contains(why))
        });
    }

    pub fn until_allowed(&self, name: &str) {
        self.until(&format!("configmap/{name} is allowed"), || {
            self.bed.try_kubectl(&["create", "configmap", name, "-n", &self.space, "--dry-run=server"]).is_ok()
        });
    }

    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(120), "never: {what}");
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// What a script gives; `cluster` is the cluster with this namespace.
    pub fn run(&self, script: &str) -> String {
        let value = self.script.run(&self.with_cluster(script));
        let value = value.unwrap_or_else(|error| match Fault::of(&error) {
            Some(fault) => panic!("{script}: {fault}\n{}", fault.notes.join("\n")),
            None => panic!("{script}: {error}"),
        });
        value.to_string()
    }

    pub fn with_cluster(&self, script: &str) -> String {
        format!("let cluster = k8s::connect(#{{ namespace: \"{}\" }});\n{script}", self.space)
    }

    /// What keeps an object: the word for it, and the sentence.
    pub fn explained(&self, kind: &str, name: &str) -> String {
        let why =
            format!("let why = flux::explain(cluster, \"{kind}\", \"{name}\"); `${{why.blocker}}: ${{why.sentence}}`");
        self.run(&why)
    }

    /// Unsticks an object, says yes to the plan, and gives its steps. What it brought is there then, or this fails.
    pub fn unstuck(&self, kind: &str, name: &str) -> Vec<String> {
        self.script.recorded.answers.lock().unwrap().push(Answer::Yes);
        let unstick = format!("flux::unstick(cluster, \"{kind}\", \"{name}\", #{{ timeout: \"2m\" }}).state");
        assert_eq!(self.run(&unstick), "ready");
        let healthy = format!("flux::explain(cluster, \"{kind}\", \"{name}\").healthy.to_string()");
        assert_eq!(self.run(&healthy), "true");
        self.script.recorded.answers.lock().unwrap().clear();
        let asked = self.script.recorded.questions.lock().unwrap().pop();
        let steps = asked.map(|question| question.preface).unwrap_or_default();
        steps.iter().filter_map(|line| line.strip_prefix("  - ").map(str::to_owned)).collect()
    }

    /// Unsticking gives up at once and says what a person has to do.
    pub fn needs_a_hand(&self, kind: &str, name: &str) -> String {
        let fault = self.script.fault(&self.with_cluster(&format!("flux::unstick(cluster, \"{kind}\", \"{name}\");")));
        assert_eq!(fault.kind, Kind::Failed);
        assert!(self.script.recorded.effects.lock().unwrap().is_empty(), "nothing was touched");
        fault.hint.expect("it says what to do")
    }

    /// Waits until a condition of an object says this, whatever its status.
    pub fn until_said(&self, object: &str, said: &str) {
        let path = "jsonpath={range .status.conditions[*]}{.type}={.status}: {.reason}: {.message}{\"\\n\"}{end}";
        self.until(&format!("`{said}` is said of {object}"), || {
            self.bed.try_kubectl(&["-n", &self.space, "get", object, "-o", path]).is_ok_and(|now| now.contains(said))
        });
    }
}
