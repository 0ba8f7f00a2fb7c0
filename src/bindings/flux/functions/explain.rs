//! Finding out what keeps an object, and doing the least that helps.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::{
    reconcile::{reconcile_sources, reconciled},
    suspend::{await_ready, switched},
    target,
};
use crate::{
    bindings::flux::{
        explain::{self, Explanation},
        kind::Reference,
        release::name_of,
        remedy::{self, Plan, Step},
        request::{self, Manner},
        standing,
        suspension::Way,
    },
    event::What,
    host::{
        ask::{Answer, Question, QuestionKind},
        effect::{Effect, digest},
        wait::Waiting,
    },
    kubernetes::{
        change::{Deleted, Deletion},
        client::Cluster,
        object::text,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
};

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(30);

#[export_module]
pub mod functions {
    /// Finds what keeps an object of Flux from being as it should be.
    #[rhai_fn(pure, return_raw)]
    pub fn explain(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        explain_one(&context, cluster, kind, name, Map::new())
    }

    /// Finds what keeps an object of Flux from being as it should be: the root of it, not the first complaint.
    ///
    /// It goes from the object to what that waits for: dependencies (and whether they wait for each other), its source and chart,
    /// the values, keys and namespaces that it names, what the API server refused, hooks, the objects that it brought, their
    /// pods with warnings and logs, and the attempts that it has left. What is told is what stands on the cluster now.
    ///
    /// *The blockers* are `suspended`, `dependency_missing`, `dependency_cycle`, `source_missing`, `values_missing`,
    /// `substitutes_missing`, `kubeconfig_missing`, `credentials_missing`, `namespace_missing`, `kind_missing`; of sources
    /// `chart_missing`, `chart_version`, `artifact_missing`, `unverified`, `credentials_refused`, `source_unreachable`,
    /// `fetch_failed`; of what was applied `policy_refused`, `webhook_refused`, `webhook_down`, `quota`, `immutable`, `not_allowed`,
    /// `path_missing`, `ownership`; of objects `hook`, `image`, `unschedulable`, `crash`, `object_unready`, `object_gone`; and of the attempts
    /// themselves `locked`, `first_failed`, `rolled_back`, `no_way_back`, `attempts_used_up`, `outdated`, `going_on`, `not_looked_at`,
    /// `failed`.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long to look
    ///
    /// # Returns
    /// An object with `object` and `healthy`; if it isn't, also `blocker` (one of the words above), `sentence`, `at` (the object
    /// that it keeps), `chain` (how the one waits for the other, a line each), `evidence` (what was seen, a line each), `remedy`
    /// (`mend`, `wait`, `resume`, `reconcile`, `reset`, `force`, `adopt`, `forget` or `replace`) and `advice`.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind
    /// - `denied`: this user may not read what has to be looked at
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let why = flux::explain(cluster, "helmrelease", "web", #{ namespace: "shop" });
    /// if !why.healthy {
    ///     print(`${why.sentence}: ${why.advice}`);
    ///     for line in why.chain { print(line); }
    /// }
    /// ```
    #[rhai_fn(name = "explain", pure, return_raw)]
    pub fn explain_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        explain_one(&context, cluster, kind, name, options)
    }

    /// Gets an object of Flux moving again.
    #[rhai_fn(pure, return_raw)]
    pub fn unstick(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        unstick_one(&context, cluster, kind, name, Map::new())
    }

    /// Gets an object of Flux moving again, by the least that helps against what `flux::explain` finds.
    ///
    /// The plan is shown first, and done once a person says yes: what is suspended goes on; what has not tried again is
    /// reconciled, its source first; a release without attempts gets them back; one that can go neither on nor back is forced; an
    /// object that is there already and of no release is given to the one that brings it; a first install that failed is
    /// forgotten, to be made once more; an object that can't be changed any more is deleted, to be made anew. Then all that waited is
    /// reconciled, and looked at once more: it is done when the object is Ready and what it brought is as it should be. Where
    /// somebody has to mend something first nothing is done; with `take_back`, a release whose upgrade brought what is wrong goes
    /// back to what worked before, and still has to be mended.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `ask` (boolean, `true`): ask before the plan is done
    /// - `take_back` (boolean, `false`): where only mending helps, have a failed upgrade taken back
    /// - `timeout` (duration, `5m`): how long each step of the plan may take
    ///
    /// # Returns
    /// How it stands then, as `flux::get` gives it.
    ///
    /// # Effect
    /// The steps of the plan, each as the function of its name makes it. Doing it twice is the same as doing it once: what is as it
    /// should be is left alone.
    ///
    /// # Faults
    /// - `refused`: nobody said yes to the plan
    /// - `failed`: somebody has to mend something first, which the hint says; or it was tried, and something keeps it still
    /// - `timeout`: it did not become ready in time
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind
    /// - `denied`: this user may not do what is needed
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// step "get the shop moving" {
    ///     flux::unstick(cluster, "helmrelease", "web", #{ namespace: "shop", timeout: "10m" });
    /// }
    /// ```
    #[rhai_fn(name = "unstick", pure, return_raw)]
    pub fn unstick_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        unstick_one(&context, cluster, kind, name, options)
    }
}

fn explain_one(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("flux::explain", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let reference = target::one(cluster, kind, name, &options).map_err(|fault| context.raise(fault))?;
    let found = explained(context, &cluster.here(), &reference, timeout)?;
    Ok(explain::shown(&reference, found.as_ref()).to_dynamic())
}

fn explained(
    context: &NativeCallContext,
    cluster: &Cluster,
    reference: &Reference,
    timeout: Duration,
) -> Outcome<Option<Explanation>> {
    let (cluster, reference) = (cluster.clone(), reference.clone());
    let asked = Waiting::request(format!("what keeps {reference}"), timeout);
    context.wait(asked, |_| async move { explain::explain(&cluster, &reference).await })
}

fn unstick_one(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("flux::unstick", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let reference = target::one(cluster, kind, name, &options).map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    if let Some(explanation) = explained(context, &cluster, &reference, LOOK)? {
        let steps = match remedy::plan(&explanation) {
            Plan::Do(steps) => steps,
            Plan::ByHand(_) if options.flag("take_back") => {
                return take_back(context, &cluster, &reference, &explanation, &options);
            }
            Plan::ByHand(what) => {
                return Err(
                    context.raise(still_stuck(&reference, &explanation).hint(format!("{what}; then unstick it again")))
                );
            }
        };
        agree(context, &reference, &explanation, &steps, options.flag("ask"))?;
        for step in &steps {
            perform(context, &cluster, step, timeout)?;
        }
    }
    let object = await_ready(context, &cluster, &reference, timeout)?;
    match explained(context, &cluster, &reference, LOOK)? {
        None => Ok(standing::shown(&reference, &object).to_dynamic()),
        Some(explanation) => {
            let hint = explanation.blocker.remedy.to_string();
            Err(context.raise(still_stuck(&reference, &explanation).hint(hint)))
        }
    }
}

/// Has the release that is kept go back to what worked, after a yes, and looks whether what it brought is as it should be.
fn take_back(
    context: &NativeCallContext,
    cluster: &Cluster,
    asked: &Reference,
    explanation: &Explanation,
    options: &Options,
) -> Outcome<Dynamic> {
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let blocked = explanation.path.last().expect("an explanation begins with the object that was asked about").clone();
    let release = {
        let (cluster, blocked) = (cluster.clone(), blocked.clone());
        let looking = Waiting::request(blocked.to_string(), LOOK);
        context.wait(looking, |_| async move { blocked.read(&cluster).await })?
    };
    if !remedy::can_be_taken_back(&release) {
        let hint = format!("{}; {blocked} has no upgrade that could be taken back", explanation.blocker.remedy);
        return Err(context.raise(still_stuck(asked, explanation).hint(hint)));
    }
    let steps = [Step::TakeBack(blocked.clone())];
    agree(context, asked, explanation, &steps, options.flag("ask"))?;
    perform(context, cluster, &steps[0], timeout)?;
    match explained(context, cluster, &blocked, LOOK)? {
        Some(left) if left.blocker.kind != "rolled_back" => {
            let hint = left.blocker.remedy.to_string();
            Err(context.raise(still_stuck(asked, &left).hint(hint)))
        }
        _ => {
            let (cluster, reference) = (cluster.clone(), asked.clone());
            let looking = Waiting::request(reference.to_string(), LOOK);
            context.wait(looking, |_| async move {
                Ok(standing::shown(&reference, &reference.read(&cluster).await?).to_dynamic())
            })
        }
    }
}

fn still_stuck(reference: &Reference, explanation: &Explanation) -> Fault {
    let Explanation { blocker, chain, .. } = explanation;
    let fault = Fault::new(Kind::Failed, format!("{reference} is stuck: {}", blocker.sentence));
    fault.notes(chain.iter().cloned()).notes(blocker.evidence.iter().cloned())
}

/// Shows the plan, and asks for a yes.
fn agree(
    context: &NativeCallContext,
    reference: &Reference,
    explanation: &Explanation,
    steps: &[Step],
    ask: bool,
) -> Outcome<()> {
    let mut preface = explanation.chain.clone();
    preface.push(explanation.blocker.sentence.clone());
    preface.extend(steps.iter().map(|step| format!("  - {step}")));
    if !ask || steps.is_empty() {
        for text in preface {
            context.host().events.emit(What::Noted { text, minor: false });
        }
        return Ok(());
    }
    let question = Question {
        preface,
        text: format!("unstick {reference}?"),
        kind: QuestionKind::Confirm,
        key: Some(format!("unstick@{}/{}", reference.namespace, reference.name)),
    };
    let refused = match context.context().conductor().ask(context, question)? {
        Answer::Yes => return Ok(()),
        Answer::Nobody(nobody) => format!("nobody was asked, because {nobody}"),
        Answer::No | Answer::Text(_) => "the answer was no".to_owned(),
    };
    let fault = Fault::new(Kind::Refused, format!("{reference} is not unstuck: {refused}"));
    Err(context
        .raise(fault.notes(steps.iter().map(|step| format!("it would {step}"))).hint("`ask: false` does it unasked")))
}

fn perform(context: &NativeCallContext, cluster: &Cluster, step: &Step, timeout: Duration) -> Outcome<()> {
    let manner = |force, reset| Manner { force, reset };
    match step {
        Step::Resume(reference) => {
            switched(context, cluster, reference, Way::Resume, timeout)?;
            await_ready(context, cluster, reference, timeout).map(drop)
        }
        Step::ReconcileSources(reference) => reconcile_sources(context, cluster, reference, timeout),
        Step::Reconcile(reference) => reconciled(context, cluster, reference, manner(false, false), timeout).map(drop),
        Step::Reset(reference) => reconciled(context, cluster, reference, manner(false, true), timeout).map(drop),
        Step::Force(reference) => reconciled(context, cluster, reference, manner(true, true), timeout).map(drop),
        Step::TakeBack(reference) => taken_back(context, cluster, reference, timeout),
        Step::Adopt { release, kind, namespace, name } => {
            adopt(context, cluster, release, [kind, namespace, name], timeout)
        }
        Step::Delete { kind, namespace, name } => delete(context, cluster, [kind, namespace, name], timeout),
    }
}

/// Deletes an object that is in the way, with what it owns.
fn delete(
    context: &NativeCallContext,
    cluster: &Cluster,
    [kind, namespace, name]: [&String; 3],
    timeout: Duration,
) -> Outcome<()> {
    let shown = format!("{}/{name} in {namespace}", kind.to_lowercase());
    let object = format!("{cluster}: {shown}");
    let effect = Effect {
        verb: "delete".to_owned(),
        digest: digest(&[b"delete", object.as_bytes()]),
        object,
        repeatable: true,
        destroys: Some(vec![format!("{shown}, with its pods, until it is made anew")]),
    };
    let cluster = cluster.clone();
    let (kind, namespace, name) = (kind.clone(), namespace.clone(), name.clone());
    let perform = async move {
        let resource = cluster.resolve(&kind).await?;
        let deletion = Deletion { propagation: Some("Foreground".to_owned()), ..Deletion::default() };
        let detail = match cluster.delete(&resource, &namespace, &name, &deletion).await? {
            Deleted::Missing => "it is not there",
            Deleted::Accepted(_) => {
                while cluster.find(&resource, &namespace, &name).await?.is_some() {
                    cluster.host().clock.sleep(Duration::from_millis(300)).await;
                }
                "gone"
            }
        };
        Ok(Changed { value: (), kept: Value::Null, detail: Some(detail.to_owned()) })
    };
    context.change(Change::repeatable(effect, timeout, perform))
}

/// Marks an object as one that a release of Helm brought.
fn adopt(
    context: &NativeCallContext,
    cluster: &Cluster,
    release: &Reference,
    [kind, namespace, name]: [&String; 3],
    timeout: Duration,
) -> Outcome<()> {
    let object = format!("{cluster}: {}/{name} in {namespace}", kind.to_lowercase());
    let effect = Effect {
        verb: "adopt".to_owned(),
        digest: digest(&[b"adopt", object.as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let (cluster, release) = (cluster.clone(), release.clone());
    let (kind, namespace, name) = (kind.clone(), namespace.clone(), name.clone());
    let perform = async move {
        let found = release.read(&cluster).await?;
        let target = text(&found, &["spec", "targetNamespace"]).unwrap_or(&release.namespace);
        let marks = json!({ "metadata": {
            "labels": { "app.kubernetes.io/managed-by": "Helm" },
            "annotations": {
                "meta.helm.sh/release-name": name_of(&release, &found),
                "meta.helm.sh/release-namespace": target,
            },
        } });
        cluster.merge_patch(&cluster.resolve(&kind).await?, &namespace, &name, None, &marks).await?;
        Ok(Changed { value: (), kept: Value::Null, detail: Some(format!("it is {release}'s now")) })
    };
    context.change(Change::repeatable(effect, timeout, perform))
}

/// Has a failed upgrade tried once more, and taken back when it fails again: only its controller can go back.
fn taken_back(context: &NativeCallContext, cluster: &Cluster, release: &Reference, timeout: Duration) -> Outcome<()> {
    let object = format!("{cluster}: {release}");
    let effect = Effect {
        verb: "take back".to_owned(),
        digest: digest(&[b"take back", object.as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let perform = {
        let (cluster, release) = (cluster.clone(), release.clone());
        async move {
            let change = json!({ "spec": { "upgrade": { "remediation": {
                "strategy": "rollback",
                "remediateLastFailure": true,
            } } } });
            let resource = release.kind.resolve(&cluster).await?;
            cluster.merge_patch(&resource, &release.namespace, &release.name, None, &change).await?;
            let token = request::ask(&cluster, &release, Manner { force: false, reset: true }).await?;
            Ok(Changed { value: token, kept: Value::Null, detail: Some("its controller was asked".to_owned()) })
        }
    };
    let token = context.change(Change::repeatable(effect, LOOK, perform))?;
    let awaited = Waiting::until(format!("{release} to be taken back"), timeout);
    let (cluster, release) = (cluster.clone(), release.clone());
    let watched = context.wait(awaited, |progress| async move {
        let judge = |object: &Tree| standing::judge_taking_back(object, &token);
        request::watched(&cluster, &release, &progress, judge).await
    });
    watched.map(drop)
}
