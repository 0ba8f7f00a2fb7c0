//! Events are forgotten an hour after they were last told, as a real server's store does on its own.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;

use super::{Controller, Name, Tools};
use crate::kubernetes::{
    answer::Refusal,
    store::{Change, Key},
};

const EVENTS: &str = "events";
const KEPT: Duration = Duration::from_secs(3600);

#[derive(Default)]
pub struct Expiry {
    /// As which version each was seen last, and when.
    seen: Mutex<BTreeMap<Name, (Value, Timestamp)>>,
}

impl Controller for Expiry {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        if &*change.key.resource == EVENTS { vec![Name::changed(change)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(event) = tools.there(EVENTS, name) else {
                seen.remove(name);
                return Ok(None);
            };
            let version = &event["metadata"]["resourceVersion"];
            let now = tools.now();
            let (known, since) = seen.entry(name.clone()).or_insert_with(|| (version.clone(), now));
            if known != version {
                (*known, *since) = (version.clone(), now);
            }
            let age = Duration::try_from(now.duration_since(*since)).unwrap_or_default();
            if age < KEPT {
                return Ok(Some(KEPT - age));
            }
            let key = Key { resource: EVENTS.into(), namespace: name.namespace.clone(), name: name.name.clone() };
            // If it was told again meanwhile, it stays.
            drop(tools.client.cluster().store.remove(&key, &event));
            Ok(None)
        })
    }
}
