//! The controllers of a cluster: each watches what is there and works towards what is wanted.
//!
//! One file or folder a controller. They ask the server as everybody does, and know nothing of each other. They never look at
//! all objects because of one change: the census tells whose they are.

mod abandoned;
mod aggregation;
mod api_services;
mod autoscalers;
mod budgets;
mod census;
mod conditions;
mod cronjobs;
mod daemonsets;
mod deployments;
mod events;
mod expiry;
pub(super) mod fields;
pub mod flux;
mod garbage;
mod jobs;
mod kinds;
mod kubelet;
pub mod load_balancers;
mod namespaces;
mod nodes;
mod operators;
mod owners;
mod pods;
mod quotas;
mod replicasets;
mod revisions;
mod scheduler;
mod served_kinds;
mod services;
mod signers;
mod statefulsets;
mod tokens;
mod volumes;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use self::{
    census::Census,
    events::{Event, Teller},
};
use super::{
    answer::Refusal,
    client::Client,
    cluster::Cluster,
    operators::{Births, Operator},
    store::Change,
    user::User,
};

/// How long a controller waits after its first failure with an object; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1000);

/// How many objects a controller looks after before others get their turn.
const MANY: usize = 50;

/// What a controller looks after, by namespace (empty for what belongs to none) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub namespace: String,
    pub name: String,
}

/// Looks after objects of one sort.
pub trait Controller: Send + Sync {
    /// Whether heartbeats concern it.
    fn hears_heartbeats(&self) -> bool {
        false
    }

    /// What has to be looked after because of a change. At its start a controller is told of everything that is there.
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name>;

    /// Does what is due for one of its objects; the answer says when to look again even if nothing changes.
    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>>;
}

/// What a controller works with.
pub struct Tools {
    pub client: Client,
    census: Arc<Census>,
    teller: Teller,
}

impl Tools {
    /// Tools of somebody who tells events by this name.
    pub fn new(client: Client, component: &'static str) -> Self {
        let census = Arc::new(Census::new(client.cluster()));
        Self { client, census, teller: Teller::new(component) }
    }

    pub fn now(&self) -> Timestamp {
        self.client.cluster().calendar.now()
    }

    /// What is there under a resource's stored name.
    pub fn there(&self, stored: &str, name: &Name) -> Option<Arc<Value>> {
        let key =
            super::store::Key { resource: stored.into(), namespace: name.namespace.clone(), name: name.name.clone() };
        self.client.cluster().store.get(&key)
    }

    pub async fn normal(&self, object: &Value, reason: &str, message: &str) {
        self.teller
            .tell(
                &self.client,
                object,
                Event { weight: "Normal", reason, message, part: "", host: "", marks: &Value::Null },
            )
            .await;
    }

    pub async fn warning(&self, object: &Value, reason: &str, message: &str) {
        self.teller
            .tell(
                &self.client,
                object,
                Event { weight: "Warning", reason, message, part: "", host: "", marks: &Value::Null },
            )
            .await;
    }
}

impl Name {
    pub fn of(object: &Value) -> Self {
        use fields::Fields as _;
        Self { namespace: object.namespace().to_owned(), name: object.name().to_owned() }
    }

    /// The object of a change, as it is or was.
    fn changed(change: &Change) -> Self {
        Self { namespace: change.key.namespace.clone(), name: change.key.name.clone() }
    }
}

/// What was there before a change and what is there after it.
fn sides(change: &Change) -> impl Iterator<Item = &Value> {
    [change.before.as_deref(), change.after.as_deref()].into_iter().flatten()
}

/// The controllers of this kind that a changed object belongs or belonged to.
fn owners_of_kind(change: &Change, kind: &str) -> Vec<Name> {
    use fields::Fields as _;
    let owners = sides(change).filter_map(owners::controller_of).filter(|owner| owner["kind"] == kind);
    let mut names: Vec<Name> = owners
        .map(|owner| Name { namespace: change.key.namespace.clone(), name: owner.text("/name").to_owned() })
        .collect();
    names.dedup();
    names
}

/// The controllers of the controller manager, each with the name of its service account and the name by which it tells events.
fn managed() -> Vec<(&'static str, &'static str, Arc<dyn Controller>)> {
    vec![
        ("deployment-controller", "deployment-controller", Arc::new(deployments::Deployments)),
        ("replicaset-controller", "replicaset-controller", Arc::new(replicasets::ReplicaSets::SETS)),
        ("generic-garbage-collector", "garbage-collector-controller", Arc::new(garbage::Garbage)),
        ("namespace-controller", "namespace-controller", Arc::new(namespaces::Endings)),
        ("disruption-controller", "controllermanager", Arc::new(budgets::Budgets)),
        ("job-controller", "job-controller", Arc::new(jobs::Jobs)),
        (
            "clusterrole-aggregation-controller",
            "clusterrole-aggregation-controller",
            Arc::new(aggregation::Aggregation),
        ),
        ("certificate-controller", "certificate-controller", Arc::new(signers::Signers)),
        ("pod-garbage-collector", "pod-garbage-collector", Arc::<abandoned::Abandoned>::default()),
        ("cronjob-controller", "cronjob-controller", Arc::<cronjobs::CronJobs>::default()),
        ("ttl-after-finished-controller", "ttl-after-finished-controller", Arc::new(jobs::Retirements)),
        ("daemon-set-controller", "daemonset-controller", Arc::new(daemonsets::DaemonSets)),
        ("statefulset-controller", "statefulset-controller", Arc::new(statefulsets::StatefulSets)),
        ("endpoint-controller", "endpoint-controller", Arc::new(services::Endpoints)),
        ("endpointslice-controller", "endpoint-slice-controller", Arc::new(services::EndpointSlices)),
        ("persistent-volume-binder", "persistentvolume-controller", Arc::new(volumes::Claims)),
        ("persistent-volume-binder", "persistentvolume-controller", Arc::new(volumes::Volumes)),
        ("pvc-protection-controller", "pvc-protection-controller", Arc::new(volumes::ProtectedClaims)),
        ("pv-protection-controller", "pv-protection-controller", Arc::new(volumes::ProtectedVolumes)),
        ("endpointslicemirroring-controller", "endpoint-slice-mirroring-controller", Arc::new(services::Mirrors)),
        ("horizontal-pod-autoscaler", "horizontal-pod-autoscaler", Arc::new(autoscalers::Autoscalers)),
        ("tokens-controller", "tokens-controller", Arc::new(tokens::Tokens)),
        ("node-controller", "node-controller", Arc::new(nodes::Nodes)),
        ("node-controller", "taint-eviction-controller", Arc::new(nodes::Evictions)),
        ("root-ca-cert-publisher", "root-ca-cert-publisher", Arc::new(namespaces::Authorities)),
        ("service-account-controller", "service-account-controller", Arc::new(namespaces::Accounts)),
        ("replication-controller", "replication-controller", Arc::new(replicasets::ReplicaSets::CONTROLLERS)),
        ("resourcequota-controller", "resourcequota-controller", Arc::new(quotas::Quotas)),
    ]
}

/// Starts all controllers of a cluster, its scheduler and its kubelets. To be called on the world's thread.
pub fn start(cluster: &Arc<Cluster>) {
    let census = Arc::new(Census::new(cluster));
    for (account, component, controller) in managed() {
        let user = User::controller(account);
        begin(cluster, &census, user, "kube-controller-manager", Teller::new(component), controller);
    }
    for controller in [
        Arc::new(api_services::ApiServices) as Arc<dyn Controller>,
        Arc::<expiry::Expiry>::default(),
        Arc::new(served_kinds::ServedKinds),
    ] {
        begin(cluster, &census, User::api_server(), "kube-apiserver", Teller::new("apiserver"), controller);
    }
    let provisioner = User::service_account("kube-system", "csi-provisioner");
    begin(
        cluster,
        &census,
        provisioner,
        "csi-provisioner",
        Teller::new("csi-provisioner"),
        Arc::new(volumes::Provisioning),
    );
    let balancers = load_balancers::LoadBalancers::default();
    let statuses = Arc::new(load_balancers::PoolStatuses(balancers.clone()));
    for controller in [Arc::new(balancers) as Arc<dyn Controller>, statuses] {
        let account = User::service_account("metallb-system", "controller");
        begin(cluster, &census, account, "metallb-controller", Teller::new("metallb-controller"), controller);
    }
    start_nodes_with(cluster, &census);
}

/// Starts the scheduler and the kubelets alone, for a controller manager of somebody else. To be called on the world's thread.
pub fn start_nodes(cluster: &Arc<Cluster>) {
    start_nodes_with(cluster, &Arc::new(Census::new(cluster)));
}

fn start_nodes_with(cluster: &Arc<Cluster>, census: &Arc<Census>) {
    let (user, teller) = (User::component("kube-scheduler"), Teller::acting("default-scheduler"));
    begin(cluster, census, user, "kube-scheduler", teller, Arc::<scheduler::Scheduler>::default());
    for controller in [Arc::<kubelet::Kubelets>::default() as Arc<dyn Controller>, Arc::new(kubelet::Heartbeats)] {
        begin(cluster, census, User::component("node"), "kubelet", Teller::new("kubelet"), controller);
    }
}

/// Starts the operators that the world has for a cluster. To be called on the world's thread.
pub fn start_operators(cluster: &Arc<Cluster>, all: Vec<Operator>, births: Arc<dyn Births>) {
    if !all.is_empty() {
        let (census, teller) = (Arc::new(Census::new(cluster)), Teller::new(operators::MANAGER));
        let controller = Arc::new(operators::Operators::new(all, births));
        begin(cluster, &census, User::administrator(), operators::MANAGER, teller, controller);
    }
}

fn begin(
    cluster: &Arc<Cluster>,
    census: &Arc<Census>,
    user: User,
    agent: &str,
    teller: Teller,
    controller: Arc<dyn Controller>,
) {
    let tools = Tools { client: Client::new(cluster, user, agent), census: census.clone(), teller };
    tokio::spawn(work(tools, controller));
}

/// Lets a controller do its work for as long as the world lasts: one object after the other, in the order in which they are due.
pub async fn work(tools: Tools, controller: Arc<dyn Controller>) {
    let cluster = tools.client.cluster().clone();
    let mut queue = Queue::default();
    let mut latest = match controller.hears_heartbeats() {
        true => cluster.store.follow(),
        false => cluster.store.follow_all_but_heartbeats(),
    };
    let mut revision = cluster.store.revision();
    for change in cluster.store.everything() {
        controller.concerned(&tools, &change).into_iter().for_each(|name| queue.add(name, Instant::now()));
    }
    let mut at_once = 0;
    loop {
        // Who has much to do lets others have their turn.
        if at_once == MANY {
            at_once = 0;
            tokio::task::yield_now().await;
        }
        latest.catch_up();
        let now = cluster.store.revision();
        if now != revision {
            // If too much happened meanwhile, it looks at everything anew.
            let changes = cluster.store.all_since(revision).unwrap_or_else(|_| cluster.store.everything());
            revision = now;
            for change in &changes {
                controller.concerned(&tools, change).into_iter().for_each(|name| queue.add(name, Instant::now()));
            }
        }
        let Some((name, due)) = queue.first() else {
            at_once = 0;
            latest.changed().await;
            continue;
        };
        if due > Instant::now() {
            at_once = 0;
            tokio::select! {
                biased;
                () = latest.changed() => {}
                () = sleep_until(due) => {}
            }
            continue;
        }
        queue.take(&name);
        at_once += 1;
        match controller.tend(&tools, &name).await {
            Ok(again) => {
                queue.failures.remove(&name);
                if let Some(pause) = again {
                    queue.add(name, Instant::now() + pause);
                }
            }
            Err(_) => queue.add_after_failure(name),
        }
    }
}

/// What is to be looked after, and when.
#[derive(Default)]
struct Queue {
    due: BTreeMap<(Instant, u64), Name>,
    at: BTreeMap<Name, (Instant, u64)>,
    failures: BTreeMap<Name, u32>,
    order: u64,
}

impl Queue {
    fn add(&mut self, name: Name, due: Instant) {
        match self.at.get(&name) {
            Some((known, _)) if *known <= due => {}
            known => {
                if let Some(known) = known {
                    self.due.remove(known);
                }
                self.order += 1;
                self.at.insert(name.clone(), (due, self.order));
                self.due.insert((due, self.order), name);
            }
        }
    }

    fn add_after_failure(&mut self, name: Name) {
        let failures = self.failures.entry(name.clone()).or_default();
        let pause = FIRST_PAUSE.saturating_mul(1 << (*failures).min(20)).min(LONGEST_PAUSE);
        *failures += 1;
        self.add(name, Instant::now() + pause);
    }

    fn first(&self) -> Option<(Name, Instant)> {
        self.due.first_key_value().map(|((due, _), name)| (name.clone(), *due))
    }

    fn take(&mut self, name: &Name) {
        if let Some(at) = self.at.remove(name) {
            self.due.remove(&at);
        }
    }
}
