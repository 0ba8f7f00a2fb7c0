//! Kinds that are defined at run time, and the definitions themselves (CustomResourceDefinitions).
//!
//! It never looks at objects of built-in kinds.

pub mod cel;
mod columns;
mod conditions;
mod defaults;
mod definitions;
mod embedded;
mod ending;
mod establishing;
mod finalizers;
mod formats;
mod items;
mod json_path;
mod naming;
mod numbers;
mod prune;
mod reading;
mod registry;
mod ruled;
mod scale;
mod served;
mod structural;
mod validate;

use std::sync::Arc;

pub use self::{columns::PrinterColumn, definitions::Definitions, registry::Registry, served::Served};
use self::{ending::Ending, establishing::Establishing, naming::Naming};
use super::{
    client::Client,
    cluster::Cluster,
    controllers::{Controller, Name, Tools, work},
    kinds::Kind,
    store::Change,
    user::User,
};

/// Under which definitions are stored.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Starts what the server itself does with definitions. To be called on the world's thread.
pub fn start(cluster: &Arc<Cluster>) {
    let controllers: [Arc<dyn Controller>; 3] = [Arc::new(Naming), Arc::new(Establishing), Arc::new(Ending)];
    for controller in controllers {
        let client = Client::new(cluster, User::api_server(), "kube-apiserver");
        tokio::spawn(work(Tools::new(client, "kube-apiserver"), controller));
    }
}

/// The definition that a change is about.
fn changed(change: &Change) -> Vec<Name> {
    let name = (&*change.key.resource == DEFINITIONS).then(|| change.key.name.clone());
    name.map(|name| Name { namespace: String::new(), name }).into_iter().collect()
}

/// True for a kind whose definition is to go: nothing of it is made any more.
pub fn is_ending(cluster: &Cluster, kind: &Kind) -> bool {
    let definition = kind.defined.as_ref().and_then(|_| cluster.store.get(&registry::key(&kind.stored)));
    definition.is_some_and(|definition| conditions::holds(&definition, "Terminating"))
}
