//! All machines of a world, and what they make together: an etcd, a control plane, shared addresses.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{
    apid::Apid,
    boot::Boot,
    config::Config,
    control_plane,
    etcd::{Data, Member, Ring},
    gate::Gate,
    machine::{Disk, Machine},
    node::{Node, System},
};
use crate::{
    faults::At,
    kubernetes::{access::identities::Identities, cluster::Cluster},
    network::{Network, Server},
    stream::Stream,
    time::{Calendar, During},
};

/// The port of a node's API.
pub const PORT: u16 = 50000;

/// Begins a cluster that is known by a name, with what the world has decided of it.
pub type Bear = dyn Fn(&str, Calendar, u64) -> Arc<Cluster> + Send + Sync;

/// What has no model, and was asked for.
pub type Unmodelled = Arc<dyn Fn(&str) + Send + Sync>;

/// A host and a port.
type Place = (String, u16);

pub struct Estate {
    pub network: Arc<Network>,
    pub calendar: Calendar,
    pub seed: u64,
    pub unmodelled: Unmodelled,
    pub nodes: Vec<Arc<Node>>,
    /// What goes wrong with what is asked of a machine.
    faults: Box<dyn Fn(&str) -> At + Send + Sync>,
    bear: Box<Bear>,
    rings: Mutex<Rings>,
    /// Told whenever the nodes may be able to do together what they couldn't before.
    changed: Notify,
    /// Where something answers now, and until when.
    doors: Mutex<BTreeMap<Place, (String, Arc<Gate>)>>,
}

#[derive(Default)]
struct Rings {
    all: Vec<Ring>,
    count: u64,
}

/// What an estate needs of its world.
pub struct World {
    pub network: Arc<Network>,
    pub calendar: Calendar,
    pub seed: u64,
    pub unmodelled: Unmodelled,
    pub faults: Box<dyn Fn(&str) -> At + Send + Sync>,
    pub bear: Box<Bear>,
}

impl Estate {
    /// Machines that nobody has switched on yet.
    pub fn new(machines: Vec<Machine>, world: World) -> Arc<Self> {
        let World { network, calendar, seed, unmodelled, faults, bear } = world;
        Arc::new_cyclic(|estate| Self {
            nodes: (1..)
                .zip(machines)
                .map(|(number, machine)| Node::new(machine, number, calendar, estate.clone()))
                .collect(),
            network,
            calendar,
            seed,
            unmodelled,
            faults,
            bear,
            rings: Mutex::default(),
            changed: Notify::default(),
            doors: Mutex::default(),
        })
    }

    /// A cluster that machines make from the beginning, with whom its API server knows and what goes wrong there.
    pub fn establish(
        &self,
        name: &str,
        cluster: Arc<Cluster>,
        (identities, faults): (Identities, At),
        machines: Vec<(String, Config)>,
    ) {
        let id = {
            let mut rings = self.rings();
            rings.count += 1;
            rings.count
        };
        let mut members = Vec::new();
        let cluster_id = machines.first().map(|(_, config)| config.cluster_id().to_owned()).unwrap_or_default();
        for (machine, config) in machines {
            let Some(node) = self.nodes.iter().find(|node| node.machine.name == machine) else { continue };
            let disk = node.machine.disks.first().map(Disk::path).unwrap_or_default();
            let member = config.is_control_plane().then(|| self.member(node, id));
            node.change(|state| {
                state.system = Some(System { version: node.machine.version.clone(), disk, former: None });
                state.kept = Some(config);
                state.etcd = member.as_ref().map(|member| Data { ring: id, member: member.id });
                state.rushes = true;
            });
            members.extend(member);
        }
        let name = name.to_owned();
        let ring = Ring { id, cluster_id, name, members, leader: 0, term: 1, cluster, identities, faults };
        self.rings().all.push(ring);
    }

    /// Waits until the nodes run that are configured from the beginning.
    pub async fn established(&self) {
        for node in &self.nodes {
            node.until(|state| !state.rushes).await;
        }
    }

    /// Switches all machines on. They are there from now on, also those that are off again.
    pub fn power_on(self: &Arc<Self>) {
        for node in &self.nodes {
            let (estate, node) = (self.clone(), node.clone());
            tokio::spawn(async move {
                super::life::live(node).await;
                let _estate = estate;
                std::future::pending::<()>().await;
            });
        }
    }

    /// The node that has an address or a name, now.
    pub fn find(&self, target: &str) -> Option<Arc<Node>> {
        let addresses = self.network.look_up(target).ok()?;
        let has = |node: &&Arc<Node>| addresses.contains(&node.state().address);
        self.nodes.iter().find(has).cloned().or_else(|| addresses.iter().find_map(|address| self.holder(*address)))
    }

    /// The node that has a shared address now: the first of the control plane nodes that run.
    fn holder(&self, address: IpAddr) -> Option<Arc<Node>> {
        let address = address.to_string();
        let may = |node: &&Arc<Node>| {
            let state = node.state();
            state.control_plane
                && state.config.as_ref().is_some_and(|config| config.shared_addresses().contains(&address))
        };
        self.nodes.iter().find(may).cloned()
    }

    /// The shared addresses that a node has now.
    pub fn shared_by(&self, node: &Node) -> Vec<IpAddr> {
        let shared = node.state().config.as_ref().map(Config::shared_addresses).unwrap_or_default();
        let shared = shared.iter().filter_map(|address| address.parse().ok());
        shared.filter(|address| self.holder(*address).is_some_and(|holder| holder.number == node.number)).collect()
    }

    /// The nodes that found each other, by what their configurations have in common.
    pub fn peers(&self, node: &Node) -> Vec<Arc<Node>> {
        let Some(id) = node.state().config.as_ref().map(|config| config.cluster_id().to_owned()) else {
            return Vec::new();
        };
        let same = |other: &&Arc<Node>| {
            let state = other.state();
            state.services.runs("apid") && state.config.as_ref().is_some_and(|config| config.cluster_id() == id)
        };
        self.nodes.iter().filter(same).cloned().collect()
    }

    /// The node's API answers at its address from now on.
    pub fn opens(&self, node: &Arc<Node>, boot: &Arc<Boot>) {
        let address = node.state().address;
        let faults = (self.faults)(&node.machine.name);
        match Apid::new(node, boot, faults) {
            Ok(apid) => self.place(&address.to_string(), PORT, "apid", Arc::new(apid)),
            Err(why) => boot.note(&format!("apid can't be served: {why}")),
        }
    }

    pub fn closes(&self, node: &Node) {
        self.remove(&(node.state().address.to_string(), PORT));
    }

    /// Nothing of a node answers any more.
    pub fn stops(&self, node: &Arc<Node>) {
        self.closes(node);
        self.etcd_runs(node, false);
        node.change(|state| state.control_plane = false);
        let id = node.state().config.as_ref().map(|config| config.cluster_id().to_owned());
        let rings = self.rings();
        for ring in rings.all.iter().filter(|ring| Some(&ring.cluster_id) == id.as_ref()) {
            ring.cluster.machines.turn_off(&node.hostname());
        }
        drop(rings);
        self.settle();
    }

    /// Begins an etcd of which a node is the only member, and a cluster with it.
    pub fn founds(&self, node: &Arc<Node>) {
        let Some(config) = node.state().config.clone() else { return };
        let mut rings = self.rings();
        rings.count += 1;
        let id = rings.count;
        let cluster = (self.bear)(config.cluster_name(), self.calendar, self.seed.wrapping_add(id << 8));
        let member = self.member(node, id);
        let data = Data { ring: id, member: member.id };
        rings.all.push(Ring {
            id,
            cluster_id: config.cluster_id().to_owned(),
            name: config.cluster_name().to_owned(),
            leader: 0,
            members: vec![member],
            term: 1,
            cluster: cluster.clone(),
            identities: Identities::default(),
            faults: At::default(),
        });
        drop(rings);
        let saved = node.change(|state| {
            state.etcd = Some(data);
            state.saved.take()
        });
        match saved {
            Some(saved) => saved.restore(&cluster),
            None => control_plane::furnish(&cluster, &config),
        }
        self.changed.notify_waiters();
    }

    fn member(&self, node: &Node, salt: u64) -> Member {
        let bytes = node.bytes(0xe7cd ^ (salt << 16) ^ (node.life() << 32));
        let id = u64::from_be_bytes(bytes[..8].try_into().expect("there are eight")) >> 1;
        Member {
            id,
            machine: node.machine.name.clone(),
            hostname: node.hostname(),
            address: node.state().address,
            runs: false,
            learns: false,
        }
    }

    /// A node becomes a member of the etcd of its cluster, if there is one that can take it.
    pub fn joins(&self, node: &Arc<Node>) -> bool {
        let Some(id) = node.state().config.as_ref().map(|config| config.cluster_id().to_owned()) else { return false };
        let mut rings = self.rings();
        let Some(ring) = rings.all.iter_mut().find(|ring| ring.cluster_id == id && ring.has_quorum()) else {
            return false;
        };
        let member = self.member(node, ring.id);
        let data = Data { ring: ring.id, member: member.id };
        ring.add(Member { learns: true, ..member });
        drop(rings);
        node.change(|state| state.etcd = Some(data));
        true
    }

    /// The etcd on a node runs, or doesn't any more.
    pub fn etcd_runs(&self, node: &Node, runs: bool) {
        let Some(data) = node.state().etcd else { return };
        let mut rings = self.rings();
        if let Some(ring) = rings.all.iter_mut().find(|ring| ring.id == data.ring) {
            ring.runs(data.member, runs);
        }
        drop(rings);
        self.settle();
    }

    /// A node leaves its etcd in good order.
    pub fn leaves(&self, node: &Node) {
        let Some(data) = node.state().etcd else { return };
        let mut rings = self.rings();
        if let Some(ring) = rings.all.iter_mut().find(|ring| ring.id == data.ring)
            && ring.members.len() > 1
        {
            ring.remove(data.member);
        }
    }

    /// What a node kept of its etcd is gone. An etcd that nobody keeps anything of is gone, too, and its cluster with it.
    pub fn forgets(&self, node: &Node) {
        let data = node.change(|state| state.etcd.take());
        let Some(Data { ring, .. }) = data else { return };
        let kept = self.nodes.iter().any(|node| node.state().etcd.is_some_and(|data| data.ring == ring));
        if !kept {
            self.rings().all.retain(|known| known.id != ring);
        }
        self.settle();
    }

    /// Asks about the etcd that a node is a member of.
    pub fn ring<T>(&self, node: &Node, ask: impl FnOnce(&mut Ring, Data) -> T) -> Option<T> {
        let data = node.state().etcd?;
        let mut rings = self.rings();
        let ring = rings.all.iter_mut().find(|ring| ring.id == data.ring)?;
        Some(ask(ring, data))
    }

    pub fn is_in_quorum(&self, node: &Node) -> bool {
        self.ring(node, |ring, _| ring.has_quorum()).unwrap_or(false)
    }

    /// Whether the API of a node answers now.
    pub fn is_open(&self, node: &Node) -> bool {
        lock(&self.doors).contains_key(&(node.state().address.to_string(), PORT))
    }

    /// The cluster that a node is of, if its control plane answers.
    pub fn cluster(&self, node: &Node) -> Option<Arc<Cluster>> {
        let id = node.state().config.as_ref()?.cluster_id().to_owned();
        let rings = self.rings();
        let found = rings.all.iter().find(|ring| ring.cluster_id == id && ring.has_quorum())?;
        Some(found.cluster.clone())
    }

    /// Waits until this holds of what the nodes are together.
    pub async fn until(&self, mut holds: impl FnMut() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on nothing is missed.
            changed.as_mut().enable();
            if holds() {
                return;
            }
            changed.await;
        }
    }

    /// Lets API servers answer where their nodes are able to, and nowhere else, and nodes be known to their clusters.
    pub fn settle(&self) {
        let mut wanted: BTreeMap<Place, (String, u64, Arc<Node>)> = BTreeMap::new();
        let rings = self.rings();
        for ring in rings.all.iter().filter(|ring| ring.has_quorum()) {
            let run = |node: &&Arc<Node>| {
                let state = node.state();
                state.control_plane && state.etcd.is_some_and(|data| data.ring == ring.id)
            };
            for node in self.nodes.iter().filter(run) {
                let config = node.state().config.clone().expect("who runs a control plane was told to");
                let mut hosts = vec![(node.state().address.to_string(), 6443)];
                hosts.extend(config.shared_addresses().into_iter().map(|address| (address, 6443)));
                hosts.extend(config.endpoint_address());
                for host in hosts {
                    wanted.entry(host).or_insert_with(|| (format!("api {}", ring.id), ring.id, node.clone()));
                }
                for address in config.shared_addresses() {
                    let name = format!("apid {}", node.machine.name);
                    wanted.entry((address, PORT)).or_insert_with(|| (name, ring.id, node.clone()));
                }
            }
        }
        let served = |ring: &Ring| (ring.cluster.clone(), ring.identities.clone(), ring.faults.clone());
        let served: BTreeMap<u64, _> = rings.all.iter().map(|ring| (ring.id, served(ring))).collect();
        drop(rings);
        let known = lock(&self.doors).clone();
        for (door, (name, _)) in &known {
            let own = wanted.get(door).is_some_and(|(wanted, ..)| wanted == name);
            if !own && name != "apid" {
                self.remove(door);
            }
        }
        for ((host, port), (name, ring, node)) in &wanted {
            if known.get(&(host.clone(), *port)).is_some_and(|(known, _)| known == name || known == "apid") {
                continue;
            }
            let boot = node.state().boot.clone();
            if *port == PORT {
                let apid = Apid::new(node, &boot, (self.faults)(&node.machine.name));
                if let Ok(apid) = apid {
                    self.place(host, *port, name, Arc::new(apid));
                }
                continue;
            }
            let config = node.state().config.clone().expect("who runs a control plane was told to");
            let hosts: Vec<String> = wanted.keys().map(|(host, _)| host.clone()).collect();
            match control_plane::server(&served[ring], &config, &hosts, self.unmodelled.clone(), self.calendar) {
                Ok(server) => self.place(host, *port, name, Arc::new(server)),
                Err(why) => boot.note(&format!("kube-apiserver can't be served: {why}")),
            }
        }
        for node in &self.nodes {
            if let Some(cluster) = self.cluster(node).filter(|_| node.runs("kubelet")) {
                control_plane::join(&cluster, node);
            }
        }
        self.changed.notify_waiters();
    }

    fn place(&self, host: &str, port: u16, name: &str, server: Arc<dyn Server>) {
        let gate = Arc::new(Gate::default());
        let door = Door { server, gate: gate.clone() };
        self.network.place(host, port, Arc::new(door), During::default());
        let before = lock(&self.doors).insert((host.to_owned(), port), (name.to_owned(), gate));
        if let Some((_, gate)) = before {
            gate.close();
        }
    }

    fn remove(&self, door: &Place) {
        let before = lock(&self.doors).remove(door);
        if let Some((_, gate)) = before {
            self.network.remove(&door.0, door.1);
            gate.close();
        }
    }

    fn rings(&self) -> MutexGuard<'_, Rings> {
        lock(&self.rings)
    }
}

/// A server for as long as its gate is open; then every connection breaks.
struct Door {
    server: Arc<dyn Server>,
    gate: Arc<Gate>,
}

impl Server for Door {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> futures::future::BoxFuture<'static, ()> {
        Box::pin(async move {
            let serving = self.server.clone().serve(stream);
            self.gate.while_open(serving).await;
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
