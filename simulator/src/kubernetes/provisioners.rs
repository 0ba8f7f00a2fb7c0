//! Who makes volumes on demand, as the world says.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The provisioners that are at work in a cluster, each with the time that it takes for a volume.
#[derive(Debug, Default)]
pub struct Provisioners(Mutex<BTreeMap<String, Duration>>);

impl Provisioners {
    /// From now on volumes of this provisioner are made, each in this time.
    pub fn provide(&self, provisioner: &str, takes: Duration) {
        self.all().insert(provisioner.to_owned(), takes);
    }

    /// How long this one takes for a volume, if it is at work.
    pub fn takes(&self, provisioner: &str) -> Option<Duration> {
        self.all().get(provisioner).copied()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
