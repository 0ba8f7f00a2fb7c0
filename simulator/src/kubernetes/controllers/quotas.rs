//! Quotas: what of each is used is counted anew whenever something comes or goes, and now and then besides, whoever has written what.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;

use super::{Controller, Name, Tools};
use crate::kubernetes::{admission::quota, answer::Refusal, client::Place, store::Change};

const QUOTAS: &str = "resourcequotas";

/// How long nobody counts if nothing comes or goes.
const PAUSE: Duration = Duration::from_secs(5 * 60);

/// Keeps the quotas of a namespace counted, all at once.
pub struct Quotas;

impl Controller for Quotas {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let namespace = &change.key.namespace;
        let weight =
            |object: &Value| (object["spec"].clone(), ["phase", "used"].map(|field| object["status"][field].clone()));
        let same = match (&change.before, &change.after) {
            (Some(before), Some(after)) => weight(before) == weight(after),
            _ => false,
        };
        if namespace.is_empty() || same {
            return Vec::new();
        }
        vec![Name { namespace: namespace.clone(), name: String::new() }]
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let cluster = tools.client.cluster();
            let place = Place { api_version: "v1", resource: QUOTAS, namespace: &name.namespace };
            let quotas = cluster.store.list(&QUOTAS.into(), Some(&name.namespace)).1;
            let again = (!quotas.is_empty()).then_some(PAUSE);
            for (_, there) in quotas {
                let status = quota::status(cluster, &there);
                if there["status"] != status {
                    let mut counted = (*there).clone();
                    counted["status"] = status;
                    tools.client.update(place, "status", &counted).await?;
                }
            }
            Ok(again)
        })
    }
}
