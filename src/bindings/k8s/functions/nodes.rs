//! Taking nodes out of service and back.

use std::time::Duration;

use rhai::{Array, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::given;
use crate::{
    duration,
    event::{WaitEnd, What},
    host::{
        effect::{Effect, digest},
        wait::{Interrupted, Waiting},
    },
    kubernetes::{
        client::Cluster,
        drain::{self, Leaving, Manner, Plan, State},
        object,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Lets no more pods be placed on a node.
    #[rhai_fn(global, pure, return_raw)]
    pub fn cordon(context: NativeCallContext, cluster: &mut Cluster, node: &str) -> Outcome<bool> {
        set_cordoned(&context, cluster, node, true, Map::new())
    }

    /// Lets no more pods be placed on a node. Those that are there stay.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `node` (text): the node's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// `true`, or `false` if it was cordoned already.
    ///
    /// # Effect
    /// The scheduler passes the node over. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `not_found`: there is no such node
    /// - `denied`: this user may not do it
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// if cluster.cordon("node-1") { print("no more pods come to node-1"); }
    /// cluster.uncordon("node-1");
    /// ```
    #[rhai_fn(global, name = "cordon", pure, return_raw)]
    pub fn cordon_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        node: &str,
        options: Map,
    ) -> Outcome<bool> {
        set_cordoned(&context, cluster, node, true, options)
    }

    /// Lets pods be placed on a node again.
    #[rhai_fn(global, pure, return_raw)]
    pub fn uncordon(context: NativeCallContext, cluster: &mut Cluster, node: &str) -> Outcome<bool> {
        set_cordoned(&context, cluster, node, false, Map::new())
    }

    /// Lets pods be placed on a node again.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `node` (text): the node's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// `true`, or `false` if it was not cordoned.
    ///
    /// # Effect
    /// The scheduler considers the node again. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `not_found`: there is no such node
    /// - `denied`: this user may not do it
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.uncordon("node-1");
    /// ```
    #[rhai_fn(global, name = "uncordon", pure, return_raw)]
    pub fn uncordon_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        node: &str,
        options: Map,
    ) -> Outcome<bool> {
        set_cordoned(&context, cluster, node, false, options)
    }

    /// Cordons a node and evicts its pods, and waits until they are gone.
    #[rhai_fn(global, pure, return_raw)]
    pub fn drain(context: NativeCallContext, cluster: &mut Cluster, node: &str) -> Outcome<Array> {
        drain_node(&context, cluster, node, Map::new())
    }

    /// Cordons a node and evicts its pods, all at once and as their disruption budgets allow, and waits until they are gone.
    ///
    /// First all pods are looked at. If anything would be lost that no option gives up, nothing is touched: not even the
    /// node is cordoned. The pods of daemon sets stay if `ignore_daemon_sets` says so, and those that the kubelet itself
    /// runs from files always do. Afterwards the node stays cordoned, also if the drain fails or is stopped.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `node` (text): the node's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `ignore_daemon_sets` (boolean, `false`): leave the pods of daemon sets where they are
    /// - `delete_empty_dir` (boolean, `false`): give up what pods keep in emptyDirs
    /// - `force` (boolean, `false`): delete pods that no controller makes again
    /// - `grace` (duration): how long the pods' processes may take to end, instead of what they say themselves
    /// - `labels` (text or map): only the pods with these labels: `app=web,tier!=db`, or a map of those that must be equal
    /// - `skip_going` (duration): don't wait for pods that have been going for longer than this
    /// - `disable_eviction` (boolean, `false`): delete the pods, past their disruption budgets
    /// - `timeout` (duration, `10m`): how long all of it may take
    ///
    /// # Returns
    /// A list of the pods that were on the node and are gone: objects with `namespace`, `name` and `owner`.
    ///
    /// # Effect
    /// The node is cordoned. The pods that go are shown beforehand, and counted as something that is destroyed. Doing it
    /// twice is the same as doing it once.
    ///
    /// # Faults
    /// - `refused`: something would be lost that no option gives up; the notes name each pod
    /// - `not_found`: there is no such node
    /// - `timeout`: some pods are still there; the notes say what holds them, such as a disruption budget
    /// - `denied`: this user may not do it
    /// - `unavailable`: a pod has several disruption budgets, which the server can't decide between
    /// - `unsupported`: the server knows no evictions; `disable_eviction` does without
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let gone = cluster.drain("node-1", #{ labels: "app=nothing-has-this", timeout: "1m" });
    /// print(`${gone.len()} pods left node-1`);
    /// cluster.uncordon("node-1");
    /// ```
    #[rhai_fn(global, name = "drain", pure, return_raw)]
    pub fn drain_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        node: &str,
        options: Map,
    ) -> Outcome<Array> {
        drain_node(&context, cluster, node, options)
    }
}

/// How often a node's pods are looked at while they end, and how often those that are held are asked again.
const LOOK: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_secs(5);

fn set_cordoned(
    context: &NativeCallContext,
    cluster: &Cluster,
    node: &str,
    cordoned: bool,
    options: Map,
) -> Outcome<bool> {
    let function = if cordoned { "k8s::cordon" } else { "k8s::uncordon" };
    let options = context.options(function, options)?;
    let deadline = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    change_cordon(context, &cluster.here(), node, cordoned, deadline)
}

/// Cordons or uncordons; false if there was nothing to change.
fn change_cordon(
    context: &NativeCallContext,
    cluster: &Cluster,
    node: &str,
    cordoned: bool,
    deadline: Duration,
) -> Outcome<bool> {
    let verb = if cordoned { "cordon" } else { "uncordon" };
    let object = format!("{cluster}: node/{node}");
    let effect = Effect {
        verb: verb.to_owned(),
        digest: digest(&[verb.as_bytes(), object.as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let (cluster, node) = (cluster.clone(), node.to_owned());
    let perform = async move {
        let nodes = cluster.resolve("nodes").await?;
        let is_so = object::flag(&cluster.read(&nodes, "", &node).await?, &["spec", "unschedulable"]) == cordoned;
        if !is_so {
            let wanted = if cordoned { Value::Bool(true) } else { Value::Null };
            cluster.merge_patch(&nodes, "", &node, None, &json!({ "spec": { "unschedulable": wanted } })).await?;
        }
        Ok(Changed { value: !is_so, kept: Value::Null, detail: is_so.then(|| "it was so already".to_owned()) })
    };
    context.change(Change::repeatable(effect, deadline, perform))
}

fn manner(options: &Options) -> Result<Manner, Fault> {
    Ok(Manner {
        ignore_daemon_sets: options.flag("ignore_daemon_sets"),
        delete_empty_dir: options.flag("delete_empty_dir"),
        force: options.flag("force"),
        disable_eviction: options.flag("disable_eviction"),
        labels: given::selector(options, "labels")?,
        skip_going: options.duration("skip_going")?,
        grace: options.duration("grace")?.map(|grace| grace.as_secs()),
    })
}

fn drain_node(context: &NativeCallContext, cluster: &Cluster, node: &str, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::drain", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let manner = manner(&options).map_err(raise)?;
    let cluster = cluster.here();
    let clock = cluster.host().clock.clone();
    let begun = clock.elapsed();
    let left = || timeout.saturating_sub(clock.elapsed().saturating_sub(begun));

    // Once before anything is touched, and once after no more pods can come.
    planned(context, &cluster, node, &manner, left())?;
    change_cordon(context, &cluster, node, true, left())?;
    let leaving = planned(context, &cluster, node, &manner, left())?.leaving;
    let gone = leaving.iter().map(shown).collect();
    if !leaving.is_empty() {
        let asked = begin(context, &cluster, node, &manner, leaving, left())?;
        wait_until_empty(context, &cluster, node, &manner, asked, left())?;
    }
    Ok(gone)
}

fn shown(pod: &Leaving) -> rhai::Dynamic {
    Tree::from_json(json!({ "namespace": pod.namespace, "name": pod.name, "owner": pod.owner })).to_dynamic()
}

fn planned(
    context: &NativeCallContext,
    cluster: &Cluster,
    node: &str,
    manner: &Manner,
    deadline: Duration,
) -> Outcome<Plan> {
    let plan = {
        let (cluster, node, manner) = (cluster.clone(), node.to_owned(), manner.clone());
        let asked = Waiting::request(format!("what runs on node/{node} of {cluster}"), deadline);
        context.wait(asked, |_| async move {
            cluster.read(&cluster.resolve("nodes").await?, "", &node).await?;
            drain::plan(&cluster, &node, &manner).await
        })?
    };
    if plan.objections.is_empty() {
        return Ok(plan);
    }
    let count = plan.objections.len();
    let what = if count == 1 { "1 pod speaks".to_owned() } else { format!("{count} pods speak") };
    let fault = Fault::new(Kind::Refused, format!("node/{node} is not drained: {what} against it"));
    let answers: Vec<&str> = plan.answers.into_iter().collect();
    Err(context.raise(fault.notes(plan.objections).hint(answers.join("; "))))
}

/// Asks all pods to go, once.
fn begin(
    context: &NativeCallContext,
    cluster: &Cluster,
    node: &str,
    manner: &Manner,
    leaving: Vec<Leaving>,
    deadline: Duration,
) -> Outcome<Vec<Leaving>> {
    let object = format!("{cluster}: node/{node}");
    let effect = Effect {
        verb: "drain".to_owned(),
        digest: digest(&[object.as_bytes(), format!("{manner:?}").as_bytes()]),
        object,
        repeatable: true,
        destroys: Some(leaving.iter().map(Leaving::described).collect()),
    };
    let (cluster, manner) = (cluster.clone(), manner.clone());
    let perform = async move {
        let asked = drain::evict(&cluster, leaving, &manner).await?;
        let held = asked.iter().filter(|pod| matches!(pod.state, State::Held(_))).count();
        let detail = match held {
            0 => "all were asked to go".to_owned(),
            held => format!("all were asked to go, {held} may not yet"),
        };
        Ok(Changed { value: asked, kept: Value::Null, detail: Some(detail) })
    };
    context.change(Change::repeatable(effect, deadline, perform))
}

fn wait_until_empty(
    context: &NativeCallContext,
    cluster: &Cluster,
    node: &str,
    manner: &Manner,
    mut pods: Vec<Leaving>,
    deadline: Duration,
) -> Outcome<()> {
    let host = context.host();
    let all = pods.len();
    let mut wait = host.begin(Waiting::until(format!("{all} pods to leave node/{node}"), deadline));
    let progress = wait.progress();
    let mut asked_at = host.clock.elapsed();
    while !pods.is_empty() {
        progress.because(drain::because(&pods));
        let again = host.clock.elapsed().saturating_sub(asked_at) >= AGAIN;
        if again {
            asked_at = host.clock.elapsed();
        }
        let piece = {
            let (cluster, node, manner, pods) = (cluster.clone(), node.to_owned(), manner.clone(), pods.clone());
            async move {
                cluster.host().clock.sleep(LOOK).await;
                let left = match drain::without_gone(&cluster, &node, pods.clone()).await {
                    Err(fault) if fault.kind.passes() => return Ok((pods, Some(fault.message))),
                    left => left?,
                };
                if again {
                    drain::evict(&cluster, left, &manner).await.map(|left| (left, None))
                } else {
                    Ok((left, None))
                }
            }
        };
        match wait.drive(piece) {
            Ok(Ok((left, away))) => {
                pods = left;
                if let Some(away) = away {
                    progress.because(away);
                }
            }
            Ok(Err(fault)) => return Err(context.raise(fault.notes(still_there(&pods)).hint(stays_cordoned(node)))),
            Err(Interrupted::TimedOut { what, after, .. }) => {
                let message = format!("gave up waiting for {what} after {}", duration::show(after));
                let fault = Fault::new(Kind::Timeout, message).notes(still_there(&pods));
                return Err(context.raise(fault.hint(stays_cordoned(node))));
            }
            Err(stopped) => {
                let text = format!("{}; {}", still_there(&pods).join("; "), stays_cordoned(node));
                host.events.emit(What::Warned { text });
                return Err(context.interrupted(stopped));
            }
        }
    }
    wait.end(WaitEnd::Met);
    Ok(())
}

fn still_there(pods: &[Leaving]) -> Vec<String> {
    let line = |pod: &Leaving| match &pod.state {
        State::Held(why) => format!("{} stays: {why}", pod.shown()),
        State::Going => format!("{} is ending", pod.shown()),
        State::Staying => format!("{} was not asked to go", pod.shown()),
    };
    pods.iter().map(line).collect()
}

fn stays_cordoned(node: &str) -> String {
    format!("node/{node} stays cordoned: drain it again to go on, or `uncordon` it")
}
