//! Who holds which addresses, and whether somebody else may hold them, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde_json::Value;

use super::{ingress, pools::Pool, valued};
use crate::kubernetes::controllers::{Name, fields::Fields};

#[derive(Debug, Default)]
pub struct Book {
    holders: BTreeMap<IpAddr, BTreeMap<Name, Share>>,
    held: BTreeMap<Name, Vec<IpAddr>>,
}

/// What of an address somebody uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    ports: BTreeSet<String>,
    /// Those who say the same may share an address.
    sharing: String,
    /// What those who share have to lead to.
    backend: String,
}

impl Share {
    pub fn of(service: &Value) -> Self {
        let port = |port: &Value| format!("{}/{}", port.text("/protocol"), port["port"]);
        let is_local = service.text("/spec/externalTrafficPolicy") == "Local";
        Self {
            ports: service.list("/spec/ports").iter().map(port).collect(),
            sharing: valued(service, "allow-shared-ip").to_owned(),
            backend: if is_local { service.at("/spec/selector").to_string() } else { String::new() },
        }
    }

    fn goes_with(&self, other: &Self) -> bool {
        !self.sharing.is_empty() && self.sharing == other.sharing && self.backend == other.backend
    }
}

impl Book {
    /// Notes what a service holds, as it says itself.
    pub fn note(&mut self, name: &Name, service: Option<&Value>) {
        for address in self.held.remove(name).unwrap_or_default() {
            if let Some(holders) = self.holders.get_mut(&address) {
                holders.remove(name);
                if holders.is_empty() {
                    self.holders.remove(&address);
                }
            }
        }
        let Some(service) = service.filter(|service| super::is_balanced(service)) else { return };
        let addresses = ingress(service);
        for address in &addresses {
            self.holders.entry(*address).or_default().insert(name.clone(), Share::of(service));
        }
        if !addresses.is_empty() {
            self.held.insert(name.clone(), addresses);
        }
    }

    /// How many addresses of a pool are held, of one family.
    pub fn used(&self, pool: &Pool, of_version_6: bool) -> usize {
        self.holders.keys().filter(|address| address.is_ipv6() == of_version_6 && pool.has(**address)).count()
    }

    /// Why a service can't have an address, if it can't.
    pub fn obstacle(&self, name: &Name, share: &Share, address: IpAddr) -> Option<String> {
        let others: Vec<_> = self.holders.get(&address)?.iter().filter(|(other, _)| *other != name).collect();
        if others.iter().any(|(_, theirs)| !share.goes_with(theirs)) {
            let named: Vec<String> = others.iter().map(|(other, _)| shown(other)).collect();
            let (own, others) = (shown(name), named.join(","));
            return Some(format!("can't change sharing key for {own:?}, address also in use by {others}"));
        }
        let taken = others.iter().flat_map(|(_, theirs)| &theirs.ports).find(|port| share.ports.contains(*port))?;
        Some(format!("port {taken} is already in use on {:?}", address.to_string()))
    }
}

/// A service, as MetalLB names it.
pub fn shown(name: &Name) -> String {
    format!("{}/{}", name.namespace, name.name)
}
