//! Each object has a life of its own, so that one that waits keeps no other waiting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{sync::Notify, time::sleep};

use super::super::{Controller, Name, Tools};
use crate::kubernetes::{answer::Refusal, store::Change};

/// How long an object waits after its first failure; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(750);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// When to look at an object again, even if nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is not there any more.
    Gone,
    /// Soon, and later with every time.
    Retry,
    After(Duration),
    /// Not before it changes.
    Never,
}

/// Looks after the objects of one kind.
pub trait Keeper: Send + Sync {
    /// Which of them are concerned by a change.
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name>;

    /// # Errors
    /// What the server refused; it is tried again.
    fn keep<'k>(&'k self, tools: &'k Tools, name: &'k Name) -> BoxFuture<'k, Result<Next, Refusal>>;
}

/// Objects that are looked after.
pub struct Lives {
    keeper: Arc<dyn Keeper>,
    tools: Arc<Tools>,
    calls: Arc<Mutex<BTreeMap<Name, Arc<Notify>>>>,
}

impl Lives {
    pub fn new(keeper: Arc<dyn Keeper>, tools: Tools) -> Self {
        Self { keeper, tools: Arc::new(tools), calls: Arc::default() }
    }

    /// Has an object looked at.
    fn call(&self, name: &Name) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(call) = calls.get(name) {
            call.notify_one();
            return;
        }
        let call = Arc::<Notify>::default();
        calls.insert(name.clone(), call.clone());
        let (keeper, tools, all, name) = (self.keeper.clone(), self.tools.clone(), self.calls.clone(), name.clone());
        tokio::spawn(async move {
            live(&*keeper, &tools, &name, &call).await;
            all.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        });
    }
}

/// Looks after an object until it is gone.
async fn live(keeper: &dyn Keeper, tools: &Tools, name: &Name, call: &Notify) {
    let mut failures = 0_u32;
    loop {
        let next = keeper.keep(tools, name).await.unwrap_or(Next::Retry);
        failures = if next == Next::Retry { failures + 1 } else { 0 };
        let pause = match next {
            Next::Gone => return,
            Next::Retry => FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(20)).min(LONGEST_PAUSE),
            Next::After(pause) => pause,
            Next::Never => {
                call.notified().await;
                continue;
            }
        };
        tokio::select! {
            biased;
            () = call.notified() => {}
            () = sleep(pause) => {}
        }
    }
}

impl Controller for Lives {
    fn concerned(&self, _: &Tools, change: &Change) -> Vec<Name> {
        self.keeper.concerned(&self.tools, change)
    }

    fn tend<'c>(&'c self, _: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        self.call(name);
        Box::pin(async { Ok(None) })
    }
}
