//! A world that is described by a file: clusters, names, sites and other servers, and what a person there would answer.
//!
//! It is read and checked here, and furnished on the thread that it lives on. It never looks for its file itself.

mod agree;
mod births;
mod certificate;
mod charts;
pub mod check;
mod cluster;
mod description;
mod faults;
mod founded;
mod kubeconfig;
mod machines;
mod node;
mod pools;
mod problem;
mod read;
mod reference;
mod repositories;
mod servers;
pub mod sets;
mod text;
mod webhooks;

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use ::talos::talosconfig::Talosconfig;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout};

use self::{births::Nursery, founded::Founded};
pub use self::{
    cluster::Placed,
    description::{Answers, Description},
    problem::{Place, Problem},
    read::{Files, read},
    reference::{EXAMPLE, reference},
    repositories::supply,
    servers::NAME_SERVER,
};
use crate::{
    certificates::CertificateAuthority,
    duration::Length,
    faults::{At, Faults},
    network::Network,
    time::{Calendar, During},
};

/// When a world begins whose file doesn't say.
const START: &str = "2026-01-01T09:00:00Z";

/// How long machines may take that are configured from the beginning.
const READY_AFTER: Duration = Duration::from_secs(30);

/// The cluster of a world that has none of its own.
const DEFAULT_CLUSTER: &str = "rehearsal";

/// A world that is there.
pub struct World {
    pub network: Arc<Network>,
    pub calendar: Calendar,
    pub clusters: Vec<Placed>,
    /// The cluster that is meant where none is named.
    pub current: String,
    pub unmodelled: Arc<Unmodelled>,
    pub authority: Arc<CertificateAuthority>,
    /// Who is who to the nodes that are there from the beginning.
    talosconfigs: Talosconfig,
    /// When it begins for whoever lives in it: what its file says of times counts from then.
    begins: Instant,
    faults: Arc<Faults>,
}

/// What was asked of the world and has no model.
#[derive(Default)]
pub struct Unmodelled(Mutex<Vec<String>>);

impl Unmodelled {
    pub fn note(&self, what: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&what) {
            all.push(what);
        }
    }

    /// Each thing once, in the order in which it was first asked for.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Description {
    /// The clusters that there are: one that nobody described, if none is. Machines are there to make one.
    pub(crate) fn clusters(&self) -> &[(String, description::Cluster)] {
        static BARE: LazyLock<[(String, description::Cluster); 1]> =
            LazyLock::new(|| [(DEFAULT_CLUSTER.to_owned(), description::Cluster::default())]);
        match self.clusters.0.as_slice() {
            [] if self.machines.0.is_empty() => &*BARE,
            clusters => clusters,
        }
    }

    /// The nodes that no machines have to make, each with the name of its cluster.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&str, String)> {
        let has_machines =
            |name: &str| self.machines.0.iter().any(|(_, machine)| machine.cluster.as_deref() == Some(name));
        let own = self.clusters().iter().filter(move |(name, cluster)| {
            cluster.bootstrapped != Some(false) && !has_machines(name) && !self.is_made(name)
        });
        own.flat_map(|(name, cluster)| {
            node::names(cluster.nodes.as_ref()).into_iter().map(move |node| (name.as_str(), node))
        })
    }

    /// What everything random follows from.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }

    /// When it begins.
    pub fn start(&self) -> Timestamp {
        self.start.as_deref().unwrap_or(START).parse().expect("the schema lets nothing but a moment pass")
    }
}

impl World {
    /// Puts everything in its place, on the world's thread. It has some time to come to rest before it begins.
    ///
    /// # Errors
    /// What can't be there, such as an object that its cluster refuses.
    pub async fn begin(
        description: &Description,
        calendar: Calendar,
        rest: Duration,
        seed: u64,
    ) -> Result<Self, String> {
        let mut world = Self {
            network: Arc::default(),
            calendar,
            clusters: Vec::new(),
            current: String::new(),
            unmodelled: Arc::default(),
            authority: Arc::new(CertificateAuthority::new("the world's authority", seed)),
            talosconfigs: Talosconfig::default(),
            begins: Instant::now() + rest,
            faults: Arc::default(),
        };
        world.faults = Arc::new(faults::of(&world, description, seed));
        let clusters = description.clusters();
        machines::address(&world, description);
        let nursery = Nursery::new(&world, description, seed);
        let estate = machines::estate(&world, description, &nursery, seed);
        for (index, cluster) in clusters.iter().enumerate() {
            if cluster.1.bootstrapped == Some(false) || description.is_made(&cluster.0) {
                continue;
            }
            let seed = births::own(seed, index);
            let founded = founded::of(&world, description, &cluster.0, &cluster.1, seed)?;
            let placed = Placed::begin(&world, &nursery, cluster, seed, founded.as_ref()).await?;
            if let Some(Founded { machines, talosconfig, .. }) = founded {
                drop(world.talosconfigs.merge(&talosconfig));
                let host = placed.host.clone();
                estate.establish(
                    &placed.name,
                    placed.cluster.clone(),
                    (placed.identities(), world.at(&host, placed.port)),
                    machines,
                );
            }
            world.clusters.push(placed);
        }
        let first = || world.clusters.first().map(|placed| placed.name.clone()).unwrap_or_default();
        world.current = description.current.clone().unwrap_or_else(first);
        estate.power_on();
        // What is there from the beginning runs before anybody looks.
        drop(timeout(READY_AFTER, estate.established()).await);
        servers::begin(&world, description)?;
        sleep_until(world.begins).await;
        world.network.trouble(world.faults.clone());
        faults::turn_off_nodes(&world, description, seed);
        Ok(world)
    }

    /// The same world without what is in it.
    fn surroundings(&self) -> Self {
        Self {
            network: self.network.clone(),
            calendar: self.calendar,
            clusters: Vec::new(),
            current: String::new(),
            unmodelled: self.unmodelled.clone(),
            authority: self.authority.clone(),
            talosconfigs: Talosconfig::default(),
            begins: self.begins,
            faults: self.faults.clone(),
        }
    }

    /// What goes wrong at a server.
    fn at(&self, host: &str, port: u16) -> At {
        At { faults: self.faults.clone(), host: host.to_owned(), port }
    }

    /// A talosconfig with a context for each cluster that machines make from the beginning; nothing, if there are none.
    pub fn talosconfig(&self) -> Option<String> {
        (!self.talosconfigs.contexts.is_empty()).then(|| self.talosconfigs.text())
    }

    /// The address of a machine.
    fn address(&self, machine: &str) -> String {
        let known = self.network.look_up(machine).unwrap_or_default();
        known.first().map(ToString::to_string).unwrap_or_default()
    }

    fn moment(&self, Length(after): Length) -> Instant {
        self.begins + after
    }

    fn during(&self, from: Option<Length>, until: Option<Length>) -> During {
        During { from: from.map(|from| self.moment(from)), until: until.map(|until| self.moment(until)) }
    }
}
