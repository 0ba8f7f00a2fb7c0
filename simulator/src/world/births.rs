//! Clusters that operators of another cluster make: they begin when those are that far, and end with what they were made for.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use serde_json::Value;

use super::{
    World,
    check::host_and_port,
    cluster::{self, Placed},
    description::{Cluster, Description},
    kubeconfig::{self, Entry},
};
use crate::{
    certificates::CertificateAuthority,
    kubernetes::operators::{Births, Operator},
};

/// What an operator writes for a kubeconfig: `${kubeconfig of harvey}`.
const KUBECONFIG: &str = "${kubeconfig of ";

/// Where they come from.
pub struct Nursery {
    itself: Weak<Self>,
    world: World,
    pub whole: Description,
    seed: u64,
    there: Mutex<BTreeSet<String>>,
}

impl Description {
    /// Whether there is such a cluster only once an operator has made it.
    pub(super) fn is_made(&self, cluster: &str) -> bool {
        let operators = self.clusters().iter().flat_map(|(_, cluster)| &cluster.operators);
        operators.flat_map(|operator| &operator.phases).any(|phase| phase.clusters.iter().any(|made| made == cluster))
    }
}

impl Nursery {
    pub fn new(world: &World, whole: &Description, seed: u64) -> Arc<Self> {
        let mut whole = whole.clone();
        let kubeconfigs: Vec<(String, String)> = whole
            .clusters()
            .iter()
            .enumerate()
            .filter(|(_, (name, _))| whole.is_made(name))
            .map(|(index, (name, described))| (name.clone(), kubeconfig_of(name, described, own(seed, index))))
            .collect();
        for (_, cluster) in &mut whole.clusters.0 {
            for phase in cluster.operators.iter_mut().flat_map(|operator| &mut operator.phases) {
                phase.objects.iter_mut().for_each(|object| written_into(object, &kubeconfigs));
            }
        }
        let world = world.surroundings();
        Arc::new_cyclic(|itself| Self { itself: itself.clone(), world, whole, seed, there: Mutex::default() })
    }

    /// The operators of a cluster.
    pub fn operators(&self, cluster: &str) -> Vec<Operator> {
        self.find(cluster).map(|(_, (_, cluster))| cluster.operators.clone()).unwrap_or_default()
    }

    fn find(&self, cluster: &str) -> Option<(usize, &(String, Cluster))> {
        self.whole.clusters().iter().enumerate().find(|(_, (name, _))| name == cluster)
    }
}

impl Births for Nursery {
    fn begin(&self, cluster: &str) {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(nursery) = self.itself.upgrade().filter(|_| there.insert(cluster.to_owned())) else { return };
        let name = cluster.to_owned();
        tokio::spawn(async move {
            let Some((index, found)) = nursery.find(&name) else { return };
            let placed = Placed::begin(&nursery.world, &nursery, found, own(nursery.seed, index), None).await;
            if let Err(why) = placed {
                nursery.world.unmodelled.note(format!("cluster `{name}` can't begin: {why}"));
            }
        });
    }

    fn end(&self, cluster: &str) {
        if !self.there.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster) {
            return;
        }
        if let Some((_, (name, described))) = self.find(cluster)
            && let Some((host, port)) = host_and_port(&cluster::server(name, described))
        {
            self.world.network.remove(host, port);
        }
    }
}

/// What everything random in the cluster of a number follows from.
pub fn own(seed: u64, index: usize) -> u64 {
    seed.wrapping_add(index as u64)
}

fn kubeconfig_of(name: &str, described: &Cluster, seed: u64) -> String {
    kubeconfig::of(
        &[Entry {
            cluster: name,
            context: described.context.as_deref().unwrap_or(name),
            server: cluster::server(name, described),
            authority: &CertificateAuthority::new(&cluster::authority(name), seed).pem(),
            token: &cluster::token(name),
        }],
        name,
    )
}

/// Puts the kubeconfigs in their places among the texts of an object.
fn written_into(value: &mut Value, kubeconfigs: &[(String, String)]) {
    match value {
        Value::String(text) if text.contains(KUBECONFIG) => {
            for (cluster, kubeconfig) in kubeconfigs {
                *text = text.replace(&format!("{KUBECONFIG}{cluster}}}"), kubeconfig);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| written_into(item, kubeconfigs)),
        Value::Object(fields) => fields.values_mut().for_each(|field| written_into(field, kubeconfigs)),
        _ => {}
    }
}
