//! A definition that has its names is established a moment later: then its kinds are listed.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::sleep;

use super::{
    conditions::{self, Said},
    registry::key,
};
use crate::kubernetes::{
    answer::Refusal,
    controllers::{Controller, Name, Tools},
    store::Change,
};

/// How long a server takes from the names of a definition to serving its kinds.
const A_MOMENT: Duration = Duration::from_millis(10);

/// Establishes definitions.
pub struct Establishing;

impl Controller for Establishing {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        super::changed(change)
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let cluster = tools.client.cluster();
            let due = |there: &_| conditions::holds(there, "NamesAccepted") && !conditions::holds(there, "Established");
            if !cluster.store.get(&key(&name.name)).is_some_and(|there| due(&there)) {
                return Ok(None);
            }
            sleep(A_MOMENT).await;
            if let Some(there) = cluster.store.get(&key(&name.name)).filter(|there| due(there)) {
                let mut definition = (*there).clone();
                let said = Said {
                    name: "Established",
                    holds: true,
                    reason: "InitialNamesAccepted",
                    message: "the initial names have been accepted",
                };
                conditions::set(&mut definition, said, &cluster.now());
                conditions::write(cluster, &there, definition);
            }
            Ok(None)
        })
    }
}
