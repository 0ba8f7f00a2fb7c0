//! Rollouts: starting pods anew, going back to an earlier template, holding changes back.

use futures::future::BoxFuture;
use rhai::{Array, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::given;
use crate::{
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    kubernetes::{
        client::Cluster,
        object,
        rollout::{self, Revision},
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        values::object::Object,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Lists the revisions of a workload.
    #[rhai_fn(global, pure, return_raw)]
    pub fn rollout_history(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
    ) -> Outcome<Array> {
        history(&context, cluster, kind, name, Map::new())
    }

    /// Lists the revisions of a workload: the templates that it had, and has.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `deployment`, `statefulset` or `daemonset`
    /// - `name` (text): its name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// A list, oldest first, of objects with `revision` (a number), `current`, `images`, `cause` (the annotation
    /// `kubernetes.io/change-cause`), `created`, `kept_by` (the name of the ReplicaSet or ControllerRevision) and, of a
    /// deployment, `replicas`.
    ///
    /// # Faults
    /// - `not_found`: the workload is not there
    /// - `unsupported`: this kind has no rollouts
    /// - `denied`: this user may not read what keeps the revisions
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// for each in cluster.rollout_history("deployment", "web", #{ namespace: "default" }) {
    ///     print(`${each.revision}: ${each.images}`);
    /// }
    /// ```
    #[rhai_fn(global, name = "rollout_history", pure, return_raw)]
    pub fn rollout_history_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Array> {
        history(&context, cluster, kind, name, options)
    }

    /// Starts all pods of a workload anew.
    #[rhai_fn(global, pure, return_raw)]
    pub fn rollout_restart(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
    ) -> Outcome<Object> {
        restart(&context, cluster, kind, name, Map::new())
    }

    /// Starts all pods of a workload anew, a few at a time, as a new image would. It does not wait for them;
    /// `rollout_status` does.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `deployment`, `statefulset` or `daemonset`
    /// - `name` (text): its name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The workload as it is now.
    ///
    /// # Effect
    /// The pods are replaced, one after the other. A resumed run does not do it again.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `failed`: it is a deployment that is paused
    /// - `unsupported`: this kind has no rollouts
    /// - `denied`: this user may not do it
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.rollout_restart("deployment", "web", #{ namespace: "default" });
    /// ```
    #[rhai_fn(global, name = "rollout_restart", pure, return_raw)]
    pub fn rollout_restart_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Object> {
        restart(&context, cluster, kind, name, options)
    }

    /// Gives a workload the template back that it had before.
    #[rhai_fn(global, pure, return_raw)]
    pub fn rollout_undo(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Object> {
        undo(&context, cluster, kind, name, Map::new())
    }

    /// Gives a workload a template back that it had before: its pods are replaced by such pods. It does not wait for them;
    /// `rollout_status` does.
    ///
    /// Whoever applies the workload from a manifest (Flux, Helm, the next run) brings the newer template back.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `deployment`, `statefulset` or `daemonset`
    /// - `name` (text): its name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `to` (integer, the revision before the current one): the number of a revision, as `rollout_history` has them
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The workload as it is now. Its template counts as a new revision from now on.
    ///
    /// # Effect
    /// The template is changed. A resumed run does not do it again.
    ///
    /// # Faults
    /// - `not_found`: the workload or the revision is not there
    /// - `failed`: it is a deployment that is paused
    /// - `unsupported`: this kind has no rollouts
    /// - `denied`: this user may not do it
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let history = cluster.rollout_history("deployment", "web", #{ namespace: "default" });
    /// if history.len() > 1 {
    ///     cluster.rollout_undo("deployment", "web", #{ namespace: "default", to: history[0].revision });
    /// }
    /// ```
    #[rhai_fn(global, name = "rollout_undo", pure, return_raw)]
    pub fn rollout_undo_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Object> {
        undo(&context, cluster, kind, name, options)
    }

    /// Holds the changes of a deployment back until `rollout_resume`.
    #[rhai_fn(global, pure, return_raw)]
    pub fn rollout_pause(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<bool> {
        set_paused(&context, cluster, kind, name, true, Map::new())
    }

    /// Holds the changes of a deployment back until `rollout_resume`, so that several make one rollout.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `deployment`
    /// - `name` (text): its name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// `true`, or `false` if it was paused already.
    ///
    /// # Effect
    /// Changes of its template no longer replace pods. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: it is no deployment
    /// - `denied`: this user may not do it
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.rollout_pause("deployment", "web", #{ namespace: "default" });
    /// cluster.rollout_resume("deployment", "web", #{ namespace: "default" });
    /// ```
    #[rhai_fn(global, name = "rollout_pause", pure, return_raw)]
    pub fn rollout_pause_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<bool> {
        set_paused(&context, cluster, kind, name, true, options)
    }

    /// Lets the changes of a paused deployment go ahead.
    #[rhai_fn(global, pure, return_raw)]
    pub fn rollout_resume(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<bool> {
        set_paused(&context, cluster, kind, name, false, Map::new())
    }

    /// Lets the changes of a paused deployment go ahead.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `deployment`
    /// - `name` (text): its name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// `true`, or `false` if it was not paused.
    ///
    /// # Effect
    /// What was changed of its template since it was paused is rolled out. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: it is no deployment
    /// - `denied`: this user may not do it
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// if cluster.rollout_resume("deployment", "web", #{ namespace: "default" }) { print("it goes on"); }
    /// ```
    #[rhai_fn(global, name = "rollout_resume", pure, return_raw)]
    pub fn rollout_resume_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<bool> {
        set_paused(&context, cluster, kind, name, false, options)
    }
}

/// The workload that a call is about.
#[derive(Clone)]
struct Workload {
    cluster: Cluster,
    kind: String,
    namespace: String,
    name: String,
}

impl Workload {
    /// `deployment/web in shop`
    fn shown(&self) -> String {
        self.cluster.shown(&self.kind, &self.namespace, &self.name)
    }

    async fn read(&self) -> Result<Tree, Fault> {
        let resource = self.cluster.resolve(&self.kind).await?;
        rollout::supported(&resource)?;
        self.cluster.read(&resource, &self.namespace, &self.name).await
    }

    /// Reads it to change its pods, which a pause would only put off.
    async fn read_unpaused(&self) -> Result<Tree, Fault> {
        let workload = self.read().await?;
        match rollout::is_paused(&workload) {
            false => Ok(workload),
            true => Err(Fault::new(Kind::Failed, format!("{} is paused, so its pods would stay", self.shown()))
                .hint("`rollout_resume` it first")),
        }
    }

    async fn merge(&self, patch: &Value) -> Result<Tree, Fault> {
        let resource = self.cluster.resolve(&self.kind).await?;
        self.cluster.merge_patch(&resource, &self.namespace, &self.name, None, patch).await
    }

    fn effect(&self, verb: &str, repeatable: bool, more: &str) -> Effect {
        let object = format!("{}: {}{more}", self.cluster, self.shown());
        Effect {
            verb: verb.to_owned(),
            digest: digest(&[verb.as_bytes(), object.as_bytes()]),
            object,
            repeatable,
            destroys: None,
        }
    }
}

fn workload(cluster: &Cluster, kind: &str, name: &str, options: &crate::script::options::Options) -> Workload {
    let cluster = cluster.here();
    let namespace = given::namespace(options, &cluster);
    Workload { cluster, kind: kind.to_owned(), namespace, name: name.to_owned() }
}

fn without_bookkeeping(mut tree: Tree) -> Result<Object, Fault> {
    object::strip_managed_fields(&mut tree);
    object::whole(tree)
}

fn history(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::rollout_history", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let workload = workload(cluster, kind, name, &options);
    let asked = Waiting::request(format!("the revisions of {}", workload.shown()), timeout);
    let revisions = context.wait(asked, |_| async move {
        let read = workload.read().await?;
        rollout::revisions(&workload.cluster, &read).await
    })?;
    let shown = |revision: &Revision| {
        let mut shown = json!({
            "revision": revision.number,
            "current": revision.current,
            "images": revision.images(),
            "cause": revision.cause,
            "created": revision.created,
            "kept_by": revision.kept_by,
        });
        if let Some(replicas) = revision.replicas {
            shown["replicas"] = replicas.into();
        }
        Tree::from_json(shown).to_dynamic()
    };
    Ok(revisions.iter().map(shown).collect())
}

fn restart(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::rollout_restart", options)?;
    let deadline = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let workload = workload(cluster, kind, name, &options);
    let effect = workload.effect("restart", false, "");
    let perform = {
        let workload = workload.clone();
        async move {
            workload.read_unpaused().await?;
            let at = format!("{:.0}", workload.cluster.host().clock.now());
            let annotations = json!({ rollout::RESTARTED: at });
            let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
            changed(workload.merge(&patch).await?, None)
        }
    };
    let settle = {
        let workload = workload.clone();
        async move {
            let found = workload.read().await?;
            let Some(at) = rollout::restarted_at(&found).map(str::to_owned) else { return Ok(Settled::DidNot) };
            let why = format!("{} was told to start its pods anew at {at}", workload.shown());
            Ok(Settled::Unknown { why, assumed: changed(found, None)? })
        }
    };
    context.change(Change {
        effect,
        deadline,
        perform: Box::new(|_| Box::pin(perform)),
        recall: recall(workload),
        settle: Box::pin(settle),
    })
}

fn undo(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::rollout_undo", options)?;
    let deadline = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let to = options.integer("to");
    let workload = workload(cluster, kind, name, &options);
    // Which revision is the one before changes with the undoing itself, so that the effect is named as it was asked for.
    let which = to.map_or_else(|| " to the revision before".to_owned(), |to| format!(" to revision {to}"));
    let effect = workload.effect("undo", false, &which);
    let perform = {
        let workload = workload.clone();
        async move {
            let found = workload.read_unpaused().await?;
            let revisions = rollout::revisions(&workload.cluster, &found).await?;
            let target = rollout::target(&revisions, to, &workload.shown())?;
            let detail = Some(format!("back to {}", target.shown()));
            let Some(patch) = rollout::going_back(&found, target) else {
                return changed(found, Some(format!("it is as in {}", target.shown())));
            };
            let resource = workload.cluster.resolve(&workload.kind).await?;
            changed(workload.cluster.json_patch(&resource, &workload.namespace, &workload.name, &patch).await?, detail)
        }
    };
    let settle = {
        let workload = workload.clone();
        async move {
            let found = workload.read().await?;
            let revisions = rollout::revisions(&workload.cluster, &found).await?;
            let Some(current) = revisions.iter().find(|revision| revision.current) else { return Ok(Settled::DidNot) };
            if to.is_some_and(|to| current.earlier.contains(&to)) {
                return Ok(Settled::Happened(changed(found, Some(format!("back to {}", current.shown())))?));
            }
            // Going back takes a revision's number away from it.
            if to.is_some_and(|to| to != current.number && revisions.iter().any(|revision| revision.number == to)) {
                return Ok(Settled::DidNot);
            }
            let why = format!("{} is at {}", workload.shown(), current.shown());
            Ok(Settled::Unknown { why, assumed: changed(found, None)? })
        }
    };
    context.change(Change {
        effect,
        deadline,
        perform: Box::new(|_| Box::pin(perform)),
        recall: recall(workload),
        settle: Box::pin(settle),
    })
}

fn changed(workload: Tree, detail: Option<String>) -> Result<Changed<Object>, Fault> {
    Ok(Changed { value: without_bookkeeping(workload)?, kept: Value::Null, detail })
}

/// What became of a change that was made earlier is what the workload is now.
fn recall(workload: Workload) -> Box<dyn FnOnce(Value) -> BoxFuture<'static, Result<Object, Fault>> + Send> {
    Box::new(move |_| Box::pin(async move { without_bookkeeping(workload.read().await?) }))
}

fn set_paused(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    paused: bool,
    options: Map,
) -> Outcome<bool> {
    let function = if paused { "k8s::rollout_pause" } else { "k8s::rollout_resume" };
    let options = context.options(function, options)?;
    let deadline = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let workload = workload(cluster, kind, name, &options);
    let effect = workload.effect(if paused { "pause" } else { "resume" }, true, "");
    let perform = async move {
        let resource = workload.cluster.resolve(&workload.kind).await?;
        if resource.plural != "deployments" || resource.group != "apps" {
            let message = format!("the rollout of a {} can't be held back", resource.shown());
            return Err(Fault::new(Kind::Unsupported, message).hint("only that of a deployment can"));
        }
        let is_so = rollout::is_paused(&workload.read().await?) == paused;
        if !is_so {
            let wanted = if paused { Value::Bool(true) } else { Value::Null };
            workload.merge(&json!({ "spec": { "paused": wanted } })).await?;
        }
        Ok(Changed { value: !is_so, kept: Value::Null, detail: is_so.then(|| "it was so already".to_owned()) })
    };
    context.change(Change::repeatable(effect, deadline, perform))
}
