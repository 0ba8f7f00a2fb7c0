//! Emptying a node: which of its pods would go, what speaks against it, and evicting them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt, stream};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    change::Deletion,
    client::{Cluster, Query, Selection},
    object::{self, at, flag, items, text},
};
use crate::script::{
    fault::{Fault, Kind},
    values::tree::Tree,
};

/// How many evictions are on their way at once.
const AT_ONCE: usize = 16;

/// What the operator allows, and how it is done.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    pub ignore_daemon_sets: bool,
    pub delete_empty_dir: bool,
    pub force: bool,
    /// Deletes the pods, past all disruption budgets.
    pub disable_eviction: bool,
    /// Only the pods with these labels.
    pub labels: Option<String>,
    /// Pods that have been going for longer than this are not waited for.
    pub skip_going: Option<Duration>,
    /// In seconds; what the pod says itself, if it isn't given.
    pub grace: Option<u64>,
}

/// A pod that is to leave its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// `replicaset/web-6c8`; nothing makes a pod again that has no owner.
    pub owner: Option<String>,
    /// What is lost with it.
    pub loses: Option<&'static str>,
    pub state: State,
}

/// How far a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has not been asked to go.
    Staying,
    /// It may not go for now, and why.
    Held(String),
    /// It was asked to go, and ends its processes.
    Going,
}

impl Leaving {
    /// `pod/web-0 in shop`
    pub fn shown(&self) -> String {
        format!("pod/{} in {}", self.name, self.namespace)
    }

    /// The pod as the list of what goes shows it.
    pub fn described(&self) -> String {
        let owner = self.owner.as_ref().map(|owner| format!(", of {owner}")).unwrap_or_default();
        let loses = self.loses.map(|loses| format!(", with {loses}")).unwrap_or_default();
        match &self.owner {
            None => format!("{}, which nothing makes again{loses}", self.shown()),
            Some(_) => format!("{}{owner}{loses}", self.shown()),
        }
    }
}

/// What a drain would do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub leaving: Vec<Leaving>,
    /// What speaks against it, a line for each pod.
    pub objections: Vec<String>,
    /// The options that would answer the objections.
    pub answers: BTreeSet<&'static str>,
    /// The pods of daemon sets, which would come back at once.
    pub left_alone: usize,
}

const IGNORE_DAEMON_SETS: &str = "`ignore_daemon_sets: true` leaves the pods of daemon sets where they are";
const DELETE_EMPTY_DIR: &str = "`delete_empty_dir: true` gives up what is in emptyDirs";
const FORCE: &str = "`force: true` deletes pods that nothing makes again";

/// Looks at a node's pods: all of them, before any is touched.
///
/// # Errors
/// The fault of listing them.
pub async fn plan(cluster: &Cluster, node: &str, manner: &Manner) -> Result<Plan, Fault> {
    let pods = pods_on(cluster, node, manner.labels.clone()).await?;
    let daemon_sets = daemon_sets_of(cluster, &pods).await?;
    let now = cluster.host().clock.now();
    let mut plan = Plan::default();
    for pod in &pods {
        judge(pod, manner, &daemon_sets, now, &mut plan);
    }
    plan.leaving.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    plan.objections.sort();
    Ok(plan)
}

async fn pods_on(cluster: &Cluster, node: &str, labels: Option<String>) -> Result<Vec<Tree>, Fault> {
    let selection = Selection { labels, fields: Some(format!("spec.nodeName={node}")), ..Selection::default() };
    Ok(cluster.list(&cluster.resolve("pods").await?, &selection).await?.objects)
}

/// The controller of a pod, if it has one: its kind and name.
fn controller(pod: &Tree) -> Option<(&str, &str)> {
    let owners = items(pod, &["metadata", "ownerReferences"]);
    let owner = owners.iter().find(|owner| flag(owner, &["controller"]))?;
    Some((text(owner, &["kind"])?, text(owner, &["name"])?))
}

/// Whether each daemon set that owns one of these pods is still there, by namespace and name.
async fn daemon_sets_of(cluster: &Cluster, pods: &[Tree]) -> Result<BTreeMap<(String, String), bool>, Fault> {
    let owners: BTreeSet<(String, String)> = pods
        .iter()
        .filter_map(|pod| match controller(pod)? {
            ("DaemonSet", name) => Some((object::namespace(pod).unwrap_or_default().to_owned(), name.to_owned())),
            _ => None,
        })
        .collect();
    let mut found = BTreeMap::new();
    for (namespace, name) in owners {
        let is_there = cluster.find(&cluster.resolve("daemonsets").await?, &namespace, &name).await?.is_some();
        found.insert((namespace, name), is_there);
    }
    Ok(found)
}

fn judge(pod: &Tree, manner: &Manner, daemon_sets: &BTreeMap<(String, String), bool>, now: Timestamp, plan: &mut Plan) {
    let (namespace, name) = (object::namespace(pod).unwrap_or_default().to_owned(), object::name(pod).to_owned());
    let shown = format!("pod/{name} in {namespace}");
    let going_since = text(pod, &["metadata", "deletionTimestamp"]).and_then(|since| since.parse::<Timestamp>().ok());
    if let (Some(since), Some(limit)) = (going_since, manner.skip_going)
        && Duration::try_from(now.duration_since(since)).is_ok_and(|going| going > limit)
    {
        return;
    }
    // The kubelet runs it from a file; the API's copy of it can't be evicted.
    if at(pod, &["metadata", "annotations", "kubernetes.io/config.mirror"]).is_some() {
        return;
    }
    let finished = matches!(text(pod, &["status", "phase"]), Some("Succeeded" | "Failed"));
    let owner = controller(pod);
    let mut object = |objection: String, answer: &'static str| {
        plan.objections.push(objection);
        plan.answers.insert(answer);
    };
    if let Some(("DaemonSet", set)) = owner
        && !finished
    {
        let is_there = daemon_sets.get(&(namespace.clone(), set.to_owned())).copied().unwrap_or(false);
        match (is_there, manner.force, manner.ignore_daemon_sets) {
            (true, _, true) => return plan.left_alone += 1,
            (true, _, false) => {
                return object(
                    format!("{shown} would come back at once: it is of daemonset/{set}"),
                    IGNORE_DAEMON_SETS,
                );
            }
            (false, false, _) => {
                return object(format!("{shown} would not come back: its daemonset/{set} is gone"), FORCE);
            }
            (false, true, _) => {}
        }
    }
    let empty_dir = items(pod, &["spec", "volumes"]).iter().find(|volume| at(volume, &["emptyDir"]).is_some());
    if let Some(volume) = empty_dir
        && !finished
        && !manner.delete_empty_dir
    {
        let volume = text(volume, &["name"]).unwrap_or_default();
        return object(format!("{shown} has data in its emptyDir `{volume}`, which goes with it"), DELETE_EMPTY_DIR);
    }
    if owner.is_none() && !finished && !manner.force {
        return object(format!("{shown} would not come back: nothing makes it again"), FORCE);
    }
    plan.leaving.push(Leaving {
        uid: object::uid(pod).unwrap_or_default().to_owned(),
        owner: owner.map(|(kind, name)| format!("{}/{name}", kind.to_lowercase())),
        loses: (empty_dir.is_some() && !finished).then_some("what is in its emptyDirs"),
        state: State::Staying,
        namespace,
        name,
    });
}

/// Takes those out that are gone: by their uid, since another pod may have the name by now.
///
/// # Errors
/// The fault of listing the node's pods.
pub async fn without_gone(cluster: &Cluster, node: &str, mut pods: Vec<Leaving>) -> Result<Vec<Leaving>, Fault> {
    let there = pods_on(cluster, node, None).await?;
    let there: BTreeSet<&str> = there.iter().filter_map(object::uid).collect();
    pods.retain(|pod| there.contains(pod.uid.as_str()));
    Ok(pods)
}

/// Asks each pod once to go that was not asked or was held, and says how it stands with each. Those that are gone already
/// are left out.
///
/// # Errors
/// What no waiting helps with, such as `denied`, with a note for each pod; the others were asked nevertheless.
pub async fn evict(cluster: &Cluster, pods: Vec<Leaving>, manner: &Manner) -> Result<Vec<Leaving>, Fault> {
    let count = pods.len();
    let work = pods.into_iter().map(|pod| async move {
        match pod.state {
            State::Going => Ok(Some(pod)),
            State::Staying | State::Held(_) => evict_one(cluster, pod, manner).await,
        }
    });
    let ended: Vec<_> = stream::iter(work).buffered(AT_ONCE).collect().await;
    let (mut left, mut failed) = (Vec::new(), Vec::new());
    for ended in ended {
        match ended {
            Ok(pod) => left.extend(pod),
            Err(fault) => failed.push(fault),
        }
    }
    let Some(first) = failed.first().cloned() else { return Ok(left) };
    let mut fault = Fault::new(first.kind, format!("{} of {count} pods can't be evicted", failed.len()));
    fault.hint = first.hint;
    fault.status = first.status;
    Err(fault.notes(failed.into_iter().flat_map(|fault| [vec![fault.message], fault.notes].concat())))
}

async fn evict_one(cluster: &Cluster, mut pod: Leaving, manner: &Manner) -> Result<Option<Leaving>, Fault> {
    let asked = match manner.disable_eviction {
        true => delete(cluster, &pod, manner).await,
        false => post_eviction(cluster, &pod, manner).await,
    };
    pod.state = match asked {
        Ok(()) => State::Going,
        // Gone, or another pod has its name by now.
        Err(fault) if matches!(fault.kind, Kind::NotFound | Kind::Conflict) => return Ok(None),
        Err(fault) if fault.status == Some(429) => State::Held(held_by(&fault)),
        // Several budgets speak of the pod: only a person can choose.
        Err(fault) if fault.status == Some(500) => return Err(fault),
        Err(fault) if fault.kind.passes() => State::Held(fault.message),
        Err(fault) if fault.kind == Kind::Unsupported => {
            return Err(fault.hint("`disable_eviction: true` deletes the pods, past their disruption budgets"));
        }
        Err(fault) => return Err(fault),
    };
    Ok(Some(pod))
}

/// The budget's own words, such as `disruption budget web needs 2 healthy pods and has 2`.
fn held_by(fault: &Fault) -> String {
    match fault.notes.first() {
        Some(budget) => {
            budget.trim_start_matches("The ").trim_end_matches('.').trim_end_matches(" currently").to_owned()
        }
        None => fault.message.clone(),
    }
}

async fn post_eviction(cluster: &Cluster, pod: &Leaving, manner: &Manner) -> Result<(), Fault> {
    let pods = cluster.resolve("pods").await?;
    let mut subject = cluster.subject("create", &pods, Some(&pod.namespace), Some(&pod.name));
    subject.resource.push_str("/eviction");
    let mut options = json!({ "preconditions": { "uid": pod.uid } });
    if let Some(grace) = manner.grace {
        options["gracePeriodSeconds"] = Value::from(grace);
    }
    let body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": { "name": pod.name, "namespace": pod.namespace },
        "deleteOptions": options,
    });
    let path = format!("{}/eviction", pods.path(Some(&pod.namespace), Some(&pod.name)));
    let query = Query::sending(Method::POST, path, subject, "application/json", body.to_string().into_bytes());
    cluster.ask(query.impatient()).await.map(|_| ())
}

async fn delete(cluster: &Cluster, pod: &Leaving, manner: &Manner) -> Result<(), Fault> {
    let deletion = Deletion { uid: Some(pod.uid.clone()), grace: manner.grace, ..Deletion::default() };
    cluster.delete(&cluster.resolve("pods").await?, &pod.namespace, &pod.name, &deletion).await.map(|_| ())
}

/// How things stand, for whoever waits: first what is held, then what is still ending.
pub fn because(pods: &[Leaving]) -> String {
    let held = pods.iter().filter_map(|pod| match &pod.state {
        State::Held(why) => Some(format!("{} stays: {why}", pod.shown())),
        State::Staying | State::Going => None,
    });
    let mut lines: Vec<String> = held.collect();
    let going: Vec<String> = pods.iter().filter(|pod| pod.state == State::Going).map(Leaving::shown).collect();
    match going.as_slice() {
        [] => {}
        [one] => lines.push(format!("{one} is ending")),
        [first, rest @ ..] => lines.push(format!("{first} and {} more are ending", rest.len())),
    }
    lines.join("; ")
}
