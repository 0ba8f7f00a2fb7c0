//! How many addresses of each pool are taken, and how many are left.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;

use super::{ALLOCATED, LoadBalancers, POOLS, Pool};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{Controller, Name, Tools, fields::Fields, owners, sides},
    store::Change,
};

pub struct PoolStatuses(pub LoadBalancers);

impl Controller for PoolStatuses {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            POOLS => {
                self.0.memory().learn(tools.client.cluster());
                vec![Name::changed(change)]
            }
            "services" => {
                let pools: Vec<&str> = sides(change).filter_map(|service| service.annotation(ALLOCATED)).collect();
                if pools.is_empty() {
                    return Vec::new();
                }
                self.0.memory().book.note(&Name::changed(change), change.after.as_deref());
                let objects = tools.client.cluster().store.list(&POOLS.into(), None).1;
                let named = objects.into_iter().filter(|(key, _)| pools.contains(&key.name.as_str()));
                named.map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(there) = tools.there(POOLS, name) else { return Ok(None) };
            let status = {
                let memory = self.0.memory();
                // One that was not taken over has no status.
                let is_known = memory.pools.iter().any(|known| known.name == name.name);
                let Some(pool) = Pool::read(&there).filter(|_| is_known) else { return Ok(None) };
                let [used, used_6] =
                    [false, true].map(|of_6| i64::try_from(memory.book.used(&pool, of_6)).unwrap_or(i64::MAX));
                json!({
                    "assignedIPv4": used,
                    "assignedIPv6": used_6,
                    "availableIPv4": pool.size(false) - used,
                    "availableIPv6": pool.size(true) - used_6,
                })
            };
            if there["status"] != status {
                let mut pool = (*there).clone();
                pool["status"] = status;
                let place =
                    Place { api_version: "metallb.io/v1beta1", resource: "ipaddresspools", namespace: &name.namespace };
                owners::gone_is_fine(tools.client.update(place, "status", &pool).await)?;
            }
            Ok(None)
        })
    }
}
