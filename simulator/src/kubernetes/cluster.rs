//! One cluster of the world: its objects, its clock, and what it draws lots for.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};

use super::{
    access::tokens::Signer,
    behaviour::Machines,
    charts::Charts,
    custom::Registry,
    kinds::Kind,
    metrics::Requests,
    provisioners::Provisioners,
    repositories::Repositories,
    store::{Key, Store},
};
use crate::{certificates::CertificateAuthority, network::Network, time::Calendar};

/// A cluster that answers requests.
pub struct Cluster {
    pub store: Store,
    pub calendar: Calendar,
    /// What it says that it is, if that is not what it is modelled on.
    version: OnceLock<String>,
    /// What the world decides of its machines.
    pub machines: Machines,
    /// Who makes volumes in it.
    pub provisioners: Provisioners,
    /// What can be installed in it.
    pub charts: Charts,
    /// What can be fetched from it.
    pub repositories: Repositories,
    /// Who vouches for its server and signs what is asked of it, once somebody has said who.
    pub authority: OnceLock<Arc<CertificateAuthority>>,
    /// Where the webhooks of this cluster are, once somebody has said it.
    network: OnceLock<Arc<Network>>,
    definitions: Registry,
    /// What its server was asked.
    pub requests: Requests,
    /// Signs the tokens of service accounts.
    pub signer: Signer,
    lots: Mutex<fastrand::Rng>,
    /// The latest that was told.
    moment: Mutex<i128>,
}

impl Cluster {
    /// A cluster in which nothing is; its names and numbers follow from the seed.
    pub fn empty(calendar: Calendar, seed: u64) -> Self {
        let mut lots = fastrand::Rng::with_seed(seed);
        let mut key = [0; 32];
        lots.fill(&mut key);
        Self {
            store: Store::default(),
            calendar,
            version: OnceLock::new(),
            machines: Machines::default(),
            provisioners: Provisioners::default(),
            charts: Charts::default(),
            repositories: Repositories::default(),
            authority: OnceLock::new(),
            network: OnceLock::new(),
            definitions: Registry::default(),
            requests: Requests::default(),
            signer: Signer::from_seed(key),
            lots: Mutex::new(lots),
            moment: Mutex::default(),
        }
    }

    /// From now on it says that it is of this version.
    pub fn says_that_it_is(&self, version: &str) {
        // It stays with the first.
        self.version.get_or_init(|| version.to_owned());
    }

    /// The version that it says it has: `v1.36.3`.
    pub fn version(&self) -> String {
        self.all_of_version()["gitVersion"].as_str().unwrap_or_default().to_owned()
    }

    /// All that it says of its version.
    pub fn all_of_version(&self) -> Value {
        let mut whole = super::kinds::said().version.clone();
        if let Some(version) = self.version.get() {
            let minor = version.split('.').nth(1).unwrap_or_default();
            for key in ["minor", "emulationMinor"] {
                whole[key] = json!(minor);
            }
            whole["minCompatibilityMinor"] =
                json!(minor.parse::<u32>().unwrap_or_default().saturating_sub(1).to_string());
            whole["gitVersion"] = json!(version);
        }
        whole
    }

    /// From now on its server reaches webhooks by this network.
    pub fn join(&self, network: Arc<Network>) {
        // It stays on the first.
        self.network.get_or_init(|| network);
    }

    pub fn network(&self) -> Option<&Arc<Network>> {
        self.network.get()
    }

    /// Puts an object there that was there before anybody asked.
    ///
    /// # Panics
    /// If it is there already.
    pub fn begin_with(&self, resource: &str, namespace: &str, name: &str, mut object: Value) {
        object["metadata"]["name"] = json!(name);
        if !namespace.is_empty() {
            object["metadata"]["namespace"] = json!(namespace);
        }
        object["metadata"]["uid"] = json!(self.uid());
        object["metadata"]["creationTimestamp"] = json!(self.now());
        if let Some(rules) = super::rules::of(resource) {
            rules.fill_in(&mut object);
            rules.allot(&mut object, None, self, false).expect("a world begins with what can be had");
            rules.prepare_new(&mut object, self);
        }
        let key = Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() };
        self.store.put(&key, None, object).expect("a world begins with each object once");
    }

    /// The kind of a group, version and plural.
    pub fn kind(&self, group: &str, version: &str, resource: &str) -> Option<Arc<Kind>> {
        let built_in = super::kinds::built_in();
        let known = built_in.get(&(group.to_owned(), version.to_owned(), resource.to_owned())).cloned();
        known.or_else(|| self.definitions.kind(&self.store, group, version, resource))
    }

    /// Every kind that definitions make.
    pub fn defined_kinds(&self) -> Vec<Arc<Kind>> {
        self.definitions.all(&self.store)
    }

    /// The groups that it serves, each as aggregated discovery has it: those of Kubernetes itself, then those of definitions.
    pub fn groups(&self) -> Vec<Value> {
        super::kinds::said().groups.iter().cloned().chain(self.definitions.groups(&self.store)).collect()
    }

    /// Now, as objects have it: in whole seconds.
    pub fn now(&self) -> String {
        self.calendar.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Now, in nanoseconds, and never the same twice: much may happen while the clock stands still.
    pub fn moment(&self) -> i128 {
        let mut latest = self.moment.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = self.calendar.now().as_nanosecond().max(*latest + 1);
        *latest
    }

    /// A number of the form of a UUID, as every object has one.
    pub fn uid(&self) -> String {
        let mut lots = self.lots();
        // Version 4, variant 1, as the real server makes them.
        let high = (lots.u64(..) & !0xf000) | 0x4000;
        let low = (lots.u64(..) >> 2) | (1 << 63);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// What follows a `generateName`: five of the letters that make no words.
    pub fn suffix(&self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut lots = self.lots();
        (0..5).map(|_| char::from(LETTERS[lots.usize(..LETTERS.len())])).collect()
    }

    /// One of so many, by lot.
    pub fn draw(&self, of: usize) -> usize {
        if of == 0 { 0 } else { self.lots().usize(..of) }
    }

    fn lots(&self) -> std::sync::MutexGuard<'_, fastrand::Rng> {
        self.lots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
