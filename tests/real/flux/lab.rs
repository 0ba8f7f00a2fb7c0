//! A cluster with Flux, a chart and two trees of manifests in its registry, and a namespace for each test: on real servers, or in
//! a world that is rehearsed.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use cozyscript::{
    host::ask::Answer,
    script::fault::{Fault, Kind},
};

use crate::{
    real::{Bed, Scripts, with_flux},
    support::{Script, played::Played},
};

/// Makes two tests of each of these bodies: one on real servers, one in a world. What only real servers can do stands behind
/// `; real:`.
macro_rules! in_both_arms {
    ($($body:ident)* $(; real: $($alone:ident)*)?) => {
        mod real {
            use super::Arm;

            $(#[test] fn $body() { insta::allow_duplicates! { super::$body(Arm::Real) } })*
            $($(#[test] fn $alone() { super::$alone(Arm::Real) })*)?
        }

        mod rehearsed {
            use super::Arm;

            $(#[test] fn $body() { insta::allow_duplicates! { super::$body(Arm::Rehearsed) } })*
        }
    };
}
pub(super) use in_both_arms;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    Real,
    Rehearsed,
}

/// What the rehearsed registry has, which is what the real one is given.
const WORLD: &str = include_str!("../../../simulator/tests/conformance/flux.world.yaml");

/// Where a lab is.
enum Place {
    Real(Bed),
    #[expect(dead_code, reason = "it is held, and asked for nothing")]
    Rehearsed(Played),
}

/// A namespace with a repository of charts and one of manifests.
pub struct Lab {
    pub space: String,
    /// Where the registry is.
    pub registry: String,
    /// What the operator runs.
    pub script: Arc<Script>,
    /// What everybody else does.
    others: Arc<Script>,
    place: Place,
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
    pub fn new(arm: Arm, space: &str) -> Option<Self> {
        let lab = match arm {
            Arm::Real => Self::real(with_flux()?, space),
            Arm::Rehearsed => Self::rehearsed(space),
        };
        let charts = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: charts}}\nspec: {{type: \
             oci, insecure: true, interval: 1h, url: \"oci://{}/charts\"}}\n---\n",
            lab.registry
        );
        lab.apply(&[charts, lab.tree("shop", "v1", ""), lab.tree("things", "v1", "")].concat());
        Some(lab)
    }

    fn real(bed: Bed, space: &str) -> Self {
        static STOCKED: OnceLock<()> = OnceLock::new();
        STOCKED.get_or_init(|| {
            let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/flux");
            bed.flux(&["push-chart", &format!("{here}/charts/app")]);
            bed.flux(&["push-tree", &format!("{here}/trees/shop"), "shop", "v1"]);
            bed.flux(&["push-tree", &format!("{here}/trees/things"), "things", "v1"]);
        });
        let (space, registry, script) = (bed.space(space), bed.registry(), bed.script());
        Self { space, registry, script, others: bed.script(), place: Place::Real(bed) }
    }

    fn rehearsed(space: &str) -> Self {
        let world = Played::begin(WORLD);
        let (script, others, space) = (world.script(), world.script(), space.to_owned());
        let registry = "registry.test:5000".to_owned();
        let lab = Self { space, registry, script, others, place: Place::Rehearsed(world) };
        lab.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {space}}}}}", space = lab.space));
        lab.somebody(r#"cluster.wait("serviceaccount", "default", "exists");"#);
        lab
    }

    /// The source of a tree of manifests; `more` is a further field of its spec.
    pub fn tree(&self, name: &str, tag: &str, more: &str) -> String {
        let registry = &self.registry;
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: {name}}}\nspec:\n  insecure: \
             true\n  interval: 1h\n  url: \"oci://{registry}/trees/{name}\"\n  ref: {{tag: {tag}}}\n  {more}\n---\n"
        )
    }

    /// Somebody applies this.
    pub fn apply(&self, manifest: &str) {
        self.somebody(&format!("cluster.apply(`{manifest}`, #{{ force: true }});"));
    }

    /// Somebody applies this by another hand than ours, on real servers.
    pub fn apply_by_kubectl(&self, manifest: &str) {
        let Place::Real(bed) = &self.place else { panic!("a world has no kubectl") };
        bed.kubectl_with(&["apply", "-n", &self.space], manifest);
    }

    /// Somebody sets the one key of a ConfigMap.
    pub fn config(&self, name: &str, key: &str, value: &str) {
        self.apply(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{{key}: \"{value}\"}}}}"
        ));
    }

    /// Keeps in a secret how this cluster is reached, on real servers.
    pub fn keep_a_key_as(&self, name: &str) {
        let Place::Real(bed) = &self.place else { panic!("a world's Flux reaches only its own cluster") };
        let kubeconfig = bed.kubectl(&["config", "view", "--raw", "--flatten"]);
        let indented = kubeconfig.replace('\n', "\n    ");
        self.apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData:\n  value: |\n    {indented}\n"
        ));
    }

    pub fn label_a_node(&self, label: &str) {
        self.somebody(&format!("cluster.label(\"node\", \"node-1\", #{{ \"{label}\": \"here\" }});"));
    }

    pub fn until_rolled_out(&self, deployment: &str) {
        self.somebody(&format!("cluster.rollout_status(\"deployment\", \"{deployment}\", #{{ timeout: \"60s\" }});"));
    }

    /// Gives a release the time that an attempt usually takes.
    pub fn be_patient_with(&self, release: &str) {
        self.somebody(&format!("cluster.patch(\"hr\", \"{release}\", #{{ spec: #{{ timeout: \"60s\" }} }});"));
    }

    /// Waits until the server refuses a ConfigMap, and why: it comes to know its rules a little later than they are made.
    pub fn until_refused(&self, name: &str, why: &str) {
        self.until(&format!("configmap/{name} is refused: {why}"), || self.refusal(name).contains(why));
    }

    pub fn until_allowed(&self, name: &str) {
        self.until(&format!("configmap/{name} is allowed"), || self.refusal(name).is_empty());
    }

    /// Why the server refuses a ConfigMap of this name, if it does.
    fn refusal(&self, name: &str) -> String {
        self.somebody(&format!(
            "try {{ cluster.diff(\"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}\"); \"\" }} \
             catch (fault) {{ `${{fault.message}} ${{fault.notes}}` }}"
        ))
    }

    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let clock = &self.script.host.clock;
        let begun = clock.elapsed();
        while !is_so() {
            assert!(clock.elapsed() - begun < Duration::from_secs(120), "never: {what}");
            self.somebody("sleep(\"300ms\");");
        }
    }

    /// What a script of the operator gives; `cluster` is the cluster with this namespace.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        self.value(&self.script, script)
    }

    /// What a script gives by which somebody else does something.
    #[track_caller]
    pub fn somebody(&self, script: &str) -> String {
        self.value(&self.others, script)
    }

    #[track_caller]
    fn value(&self, who: &Script, script: &str) -> String {
        let value = who.run(&self.with_cluster(script));
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
    #[track_caller]
    pub fn until_said(&self, object: &str, said: &str) {
        let (kind, name) = object.split_once('/').expect("an object is a kind and a name");
        self.somebody(&format!(
            "cluster.wait(\"{kind}\", \"{name}\", |it| (it.status?.conditions ?? []).some(|condition| \
             `${{condition.type}}=${{condition.status}}: ${{condition.reason}}: ${{condition.message}}`.contains({said:?})), \
             #{{ timeout: \"2m\", fail_fast: false }});"
        ));
    }
}
