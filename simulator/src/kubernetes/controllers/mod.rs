//! The controllers of a cluster: each watches what is there and works towards what is wanted.
//!
//! One file a controller. They ask the server as everybody does, and know nothing of each other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

use super::{answer::Refusal, client::Client, cluster::Cluster, store::Change, user::User};

/// How long a controller waits after its first failure with an object; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1000);

/// What a controller looks after, by namespace (empty for what belongs to none) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub namespace: String,
    pub name: String,
}

/// Looks after objects of one sort.
pub trait Controller: Send + Sync {
    /// What has to be looked after because of a change. At its start a controller is told of everything that is there.
    fn concerned(&self, change: &Change) -> Vec<Name>;

    /// Does what is due for one of its objects; the answer says when to look again even if nothing changes.
    fn tend<'c>(&'c self, client: &'c Client, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>>;
}

/// Every controller with the name of its service account.
fn all() -> Vec<(&'static str, Arc<dyn Controller>)> {
    Vec::new()
}

/// Starts all controllers of a cluster. To be called on the world's thread.
pub fn start(cluster: &Arc<Cluster>) {
    for (name, controller) in all() {
        let client = Client::new(cluster, User::controller(name), "kube-controller-manager");
        tokio::spawn(work(cluster.clone(), client, controller));
    }
}

/// Lets a controller do its work for as long as the world lasts: one object after the other, in the order in which they are due.
pub async fn work(cluster: Arc<Cluster>, client: Client, controller: Arc<dyn Controller>) {
    let mut queue = Queue::default();
    let mut latest = cluster.store.follow();
    let mut revision = cluster.store.revision();
    for change in cluster.store.everything() {
        controller.concerned(&change).into_iter().for_each(|name| queue.add(name, Instant::now()));
    }
    loop {
        latest.mark_unchanged();
        let changes = match cluster.store.since(revision) {
            Ok(changes) => changes,
            // Too much happened meanwhile: it looks at everything anew.
            Err(_) => cluster.store.everything(),
        };
        revision = cluster.store.revision();
        for change in &changes {
            controller.concerned(change).into_iter().for_each(|name| queue.add(name, Instant::now()));
        }
        let Some((name, due)) = queue.first() else {
            if latest.changed().await.is_err() {
                return;
            }
            continue;
        };
        if due > Instant::now() {
            tokio::select! {
                biased;
                changed = latest.changed() => if changed.is_err() { return },
                () = sleep_until(due) => {}
            }
            continue;
        }
        queue.take(&name);
        match controller.tend(&client, &name).await {
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
