//! Machines, as the world's file has them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use super::{
    World,
    births::Nursery,
    check::{bytes, skew},
    cluster, description,
    description::{Description, Fault, Gives},
    faults::{Struck, struck},
    node, pools,
};
use crate::{
    certificates::CertificateAuthority,
    duration::Length,
    kubernetes::controllers::load_balancers::range,
    talos::{
        estate::{self, Estate, PORT},
        machine::{Disk, Ill, Machine, Trouble},
        stages::Stages,
    },
    time::During,
};

/// Where machines are whose file names no network.
const NETWORK: &str = "10.5.0.0/24";

pub const VERSION: &str = "v1.11.5";
const MEMORY: u64 = 16 << 20;
const DISK: u64 = 100_000_000_000;

/// Addresses that nobody has yet.
type Addresses = Box<dyn Iterator<Item = IpAddr>>;

/// Gives every machine its address.
pub fn address(world: &World, described: &Description) {
    let mut free: BTreeMap<Option<&str>, Addresses> = BTreeMap::new();
    for (name, machine) in &described.machines.0 {
        let network = machine.network.as_deref();
        let free = free.entry(network).or_insert_with(|| {
            let usual = || range(NETWORK).expect("it is a network");
            node::addresses(pools::network(described, network).unwrap_or_else(usual))
        });
        let address = machine.address.or_else(|| free.next()).unwrap_or(Ipv4Addr::LOCALHOST.into());
        world.network.name(name, address, During::default());
    }
}

/// The machines of a world, all of them off.
pub fn estate(world: &World, described: &Description, nursery: &Arc<Nursery>, seed: u64) -> Arc<Estate> {
    let mut machines: Vec<Machine> =
        described.machines.0.iter().map(|(name, machine)| of(world, described, name, machine)).collect();
    if let Some((Struck::Machine(name, ill), during)) = struck(world, described, seed) {
        let machine = machines.iter_mut().filter(|machine| machine.name == name);
        machine.for_each(|machine| machine.troubles.push(Trouble { ill: ill.clone(), during }));
    }
    let (nursery, surroundings) = (nursery.clone(), world.surroundings());
    let (unmodelled, at) = (world.unmodelled.clone(), world.faults.clone());
    Estate::new(
        machines,
        estate::World {
            network: world.network.clone(),
            calendar: world.calendar,
            seed,
            unmodelled: Arc::new(move |what| unmodelled.note(what.to_owned())),
            faults: Box::new(move |name| crate::faults::At { faults: at.clone(), host: name.to_owned(), port: PORT }),
            bear: Box::new(move |name, calendar, seed| {
                let described = nursery.whole.clusters.0.iter().find(|(known, _)| known == name);
                let described = described.map(|(_, cluster)| cluster.clone()).unwrap_or_default();
                let authority = Arc::new(CertificateAuthority::new(&cluster::authority(name), seed));
                cluster::empty((&surroundings, &nursery), calendar, (name, &described), &authority, seed)
            }),
        },
    )
}

fn of(world: &World, whole: &Description, name: &str, described: &description::Machine) -> Machine {
    let address = world.address(name).parse().expect("every machine has one");
    let network = described.network.as_ref().and_then(|network| whole.networks.get(network));
    let prefix = network.map_or(NETWORK, String::as_str).rsplit_once('/').and_then(|(_, length)| length.parse().ok());
    let disk = |(name, size): (&String, &String)| Disk { name: name.clone(), size: bytes(size).unwrap_or(DISK) };
    let mut disks: Vec<Disk> = described.disks.iter().map(disk).collect();
    if disks.is_empty() {
        disks.push(Disk { name: "sda".to_owned(), size: DISK });
    }
    let mut stages = Stages::default();
    for (stage, Length(takes)) in &described.takes {
        if let Some(stage) = stages.named(stage) {
            *stage = *takes;
        }
    }
    let own = whole.faults.iter().filter(|fault| fault.node == name);
    let trouble = |fault: &Fault| Some(Trouble { ill: ill(fault)?, during: world.during(fault.from, fault.until) });
    Machine {
        name: name.to_owned(),
        address,
        prefix: prefix.unwrap_or(24),
        disks,
        memory: described.memory.as_deref().and_then(bytes).map_or(MEMORY, |bytes| bytes >> 10),
        version: described.version.clone().unwrap_or_else(|| VERSION.to_owned()),
        netboots: described.netboot.unwrap_or(true),
        ahead: described.clock.as_deref().and_then(skew).unwrap_or_default(),
        stages,
        troubles: own.filter_map(trouble).collect(),
    }
}

fn ill(fault: &Fault) -> Option<Ill> {
    let Gives::Word(word) = &fault.gives else { return None };
    Some(match word.as_str() {
        "off" => Ill::Off,
        "away" => Ill::Away,
        "moves" => Ill::Moves(fault.to?),
        "installs_forever" => Ill::InstallsForever,
        "wrong_image" => Ill::WrongImage,
        "no_disk" => Ill::NoDisk(fault.disk.clone()?),
        "mute" => Ill::Mute,
        _ => return None,
    })
}
