//! Addresses of load balancers out of MetalLB's pools, as its controller gives them.
//!
//! It follows IPAddressPools; where there are none, services wait. Where several pools would do, the real controller takes any,
//! and this one the first by name.

mod book;
mod pools;
mod statuses;

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use self::{
    book::{Book, Share, shown},
    pools::Pool,
};
pub use self::{pools::read_range as range, statuses::PoolStatuses};
use super::{
    Controller, Name, Tools,
    fields::{Fields, map, take},
    owners,
};
use crate::kubernetes::{answer::Refusal, client::Place, cluster::Cluster, store::Change};

const POOLS: &str = "ipaddresspools.metallb.io";
const ALLOCATED: &str = "metallb.io/ip-allocated-from-pool";

/// What is known of pools and of who holds their addresses.
#[derive(Clone, Default)]
pub struct LoadBalancers(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    pools: Vec<Pool>,
    book: Book,
    /// Those who got no address.
    waiting: BTreeSet<Name>,
}

/// What an annotation of MetalLB says, under its present or its former name.
fn valued<'s>(service: &'s Value, key: &str) -> &'s str {
    let value = |prefix: &str| service.annotation(&format!("{prefix}/{key}"));
    value("metallb.io").or_else(|| value("metallb.universe.tf")).unwrap_or_default()
}

/// True for a service that wants an address from here.
fn is_balanced(service: &Value) -> bool {
    service.text("/spec/type") == "LoadBalancer" && !service.has("/spec/loadBalancerClass")
}

/// The addresses that a service has.
fn ingress(service: &Value) -> Vec<IpAddr> {
    let points = service.list("/status/loadBalancer/ingress").iter();
    points.filter_map(|point| point.text("/ip").parse().ok()).collect()
}

impl LoadBalancers {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Controller for LoadBalancers {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        let mut memory = self.memory();
        match &*change.key.resource {
            "services" => {
                let name = Name::changed(change);
                memory.book.note(&name, change.after.as_deref());
                let [before, after] = [&change.before, &change.after].map(|side| side.as_deref().map(ingress));
                let released = before
                    .unwrap_or_default()
                    .iter()
                    .any(|address| !after.as_ref().is_some_and(|addresses| addresses.contains(address)));
                let mut concerned = if released { std::mem::take(&mut memory.waiting) } else { BTreeSet::new() };
                concerned.insert(name);
                concerned.into_iter().collect()
            }
            POOLS => {
                let wanted = |side: &Option<Arc<Value>>| side.as_deref().map(|pool| pool["spec"].clone());
                if wanted(&change.before) == wanted(&change.after) {
                    return Vec::new();
                }
                let cluster = tools.client.cluster();
                memory.learn(cluster);
                let services = cluster.store.list(&"services".into(), None).1;
                let balanced = services.into_iter().filter(|(_, service)| is_balanced(service));
                balanced.map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(there) = tools.there("services", name) else { return Ok(None) };
            if there.has("/spec/loadBalancerClass") {
                return Ok(None);
            }
            let outcome = self.decide(tools, name, &there);
            for note in &outcome.notes {
                match note.weight {
                    "Warning" => tools.warning(&there, note.reason, &note.message).await,
                    _ => tools.normal(&there, note.reason, &note.message).await,
                }
            }
            let mut service = (*there).clone();
            match &outcome.given {
                Some((pool, addresses)) => {
                    let points: Vec<Value> =
                        addresses.iter().map(|address| json!({"ip": address, "ipMode": "VIP"})).collect();
                    service["status"]["loadBalancer"] = json!({"ingress": points});
                    map(&mut service["metadata"], "annotations").insert(ALLOCATED.to_owned(), json!(pool));
                }
                None => {
                    if there.has("/status/loadBalancer/ingress") {
                        service["status"]["loadBalancer"] = json!({});
                    }
                    if there.annotation(ALLOCATED).is_some() {
                        take(&mut service["metadata"]["annotations"], ALLOCATED);
                    }
                }
            }
            if service != *there {
                let place = Place { api_version: "v1", resource: "services", namespace: &name.namespace };
                owners::gone_is_fine(tools.client.update(place, "status", &service).await)?;
            }
            Ok(None)
        })
    }
}

/// What a service is to have, and what is told of it.
#[derive(Default)]
struct Outcome {
    given: Option<(String, Vec<IpAddr>)>,
    notes: Vec<Note>,
}

struct Note {
    weight: &'static str,
    reason: &'static str,
    message: String,
}

impl LoadBalancers {
    fn decide(&self, tools: &Tools, name: &Name, service: &Value) -> Outcome {
        let mut memory = self.memory();
        let mut outcome = Outcome::default();
        memory.waiting.remove(name);
        if !is_balanced(service) || memory.pools.is_empty() {
            return outcome;
        }
        let owner = Name { namespace: String::new(), name: name.namespace.clone() };
        let namespace = tools.there("namespaces", &owner).unwrap_or_default();
        let asking = Asking { name, service, namespace: &namespace, share: Share::of(service) };
        let mut note = |weight, reason, message| outcome.notes.push(Note { weight, reason, message });

        let held = ingress(service);
        if !held.is_empty() {
            match memory.assign(&asking, &held) {
                Ok(pool) if asking.is_content_with(&pool, &held) => {
                    return Outcome { given: Some((pool, held)), ..outcome };
                }
                Ok(_) => {}
                Err(why) => {
                    let shown = shown(name);
                    let message = format!(
                        "current IP for {shown:?} not allowed by config, will attempt for new IP assignment: {why}"
                    );
                    note("Normal", "ClearAssignment", message);
                }
            }
        }
        match memory.allocate(&asking) {
            Ok((pool, addresses)) => {
                note("Normal", "IPAllocated", format!("Assigned IP {}", quoted(&addresses)));
                outcome.given = Some((pool, addresses));
            }
            Err(why) => {
                note("Warning", "AllocationFailed", format!("Failed to allocate IP for {:?}: {why}", shown(name)));
                memory.waiting.insert(name.clone());
            }
        }
        outcome
    }
}

/// A service that asks for an address.
struct Asking<'a> {
    name: &'a Name,
    service: &'a Value,
    namespace: &'a Value,
    share: Share,
}

impl Asking<'_> {
    /// The pool that it names, or nothing.
    fn pool(&self) -> &str {
        valued(self.service, "address-pool")
    }

    /// The addresses that it names.
    fn addresses(&self) -> Result<Vec<IpAddr>, String> {
        let (listed, single) = (valued(self.service, "loadBalancerIPs"), self.service.text("/spec/loadBalancerIP"));
        match (listed, single) {
            ("", "") => Ok(Vec::new()),
            ("", single) => single
                .parse()
                .map(|address| vec![address])
                .map_err(|_| format!("invalid spec.loadBalancerIP {single:?}")),
            (listed, "") => {
                let addresses = listed.split(',').map(|address| address.trim().parse().ok());
                addresses
                    .collect::<Option<_>>()
                    .ok_or_else(|| format!("invalid metallb.io/loadBalancerIPs: {listed:?}"))
            }
            _ => Err("service can not have both metallb.io/loadBalancerIPs and svc.Spec.LoadBalancerIP".to_owned()),
        }
    }

    fn is_content_with(&self, pool: &str, held: &[IpAddr]) -> bool {
        let asked = self.addresses().unwrap_or_default();
        let same = |asked: &[IpAddr]| BTreeSet::from_iter(asked) == BTreeSet::from_iter(held);
        (self.pool().is_empty() || self.pool() == pool) && (asked.is_empty() || same(&asked))
    }

    fn is_of_version_6(&self) -> bool {
        self.service.text("/spec/clusterIP").contains(':')
    }
}

impl Memory {
    /// Learns which pools there are; if one of them is wrong, it stays with those that it knows.
    fn learn(&mut self, cluster: &Cluster) {
        let objects = cluster.store.list(&POOLS.into(), None).1;
        let read = objects.iter().map(|(_, object)| Pool::read(object)).collect::<Option<Vec<Pool>>>();
        let is_consistent = |pools: &Vec<Pool>| {
            pools.iter().enumerate().all(|(at, pool)| !pools[..at].iter().any(|other| pool.overlaps(other)))
        };
        if let Some(pools) = read.filter(is_consistent) {
            self.pools = pools;
        }
    }

    /// The pool of these addresses, if the service may have them.
    fn assign(&self, asking: &Asking<'_>, addresses: &[IpAddr]) -> Result<String, String> {
        let owner = self.pools.iter().find(|pool| addresses.iter().all(|address| pool.has(*address)));
        let pool = owner.ok_or_else(|| format!("{} is not allowed in config", quoted(addresses)))?;
        if !pool.admits(asking.service, asking.namespace) {
            return Err(format!("pool {} not compatible for ip assignment", pool.name));
        }
        match addresses.iter().find_map(|address| self.book.obstacle(asking.name, &asking.share, *address)) {
            Some(why) => Err(why),
            None => Ok(pool.name.clone()),
        }
    }

    fn allocate(&self, asking: &Asking<'_>) -> Result<(String, Vec<IpAddr>), String> {
        let asked = asking.addresses()?;
        if !asked.is_empty() {
            if asked.iter().any(|address| address.is_ipv6() != asking.is_of_version_6()) {
                let asked = quoted(&asked);
                return Err(format!("requested loadBalancer IP(s) {asked} does not match the ipFamily of the service"));
            }
            let pool = self.assign(asking, &asked)?;
            if !asking.pool().is_empty() && asking.pool() != pool {
                let (asked, wanted) = (quoted(&asked), asking.pool());
                return Err(format!(
                    "requested loadBalancer IP(s) {asked} is not compatible with requested address pool {wanted}"
                ));
            }
            return Ok((pool, asked));
        }
        if !asking.pool().is_empty() {
            let named = self.pools.iter().find(|pool| pool.name == asking.pool());
            let pool = named.ok_or_else(|| format!("unknown pool {:?}", asking.pool()))?;
            // The real controller looks for the pool of an address that it did not find.
            let free = self.free(asking, pool).ok_or_else(|| "[\"<nil>\"] is not allowed in config".to_owned())?;
            return Ok((self.assign(asking, &[free])?, vec![free]));
        }
        let open = self.pools.iter().filter(|pool| pool.admits(asking.service, asking.namespace));
        let mut pools: Vec<_> = open.filter_map(|pool| Some((pool.rank()?, pool))).collect();
        pools.sort_by_key(|(rank, _)| *rank);
        let found = pools.iter().find_map(|(_, pool)| Some((pool.name.clone(), vec![self.free(asking, pool)?])));
        found.ok_or_else(|| "no available IPs".to_owned())
    }

    /// The first address of a pool that nobody keeps from a service.
    fn free(&self, asking: &Asking<'_>, pool: &Pool) -> Option<IpAddr> {
        let mut fitting = pool.addresses().filter(|address| address.is_ipv6() == asking.is_of_version_6());
        fitting.find(|address| self.book.obstacle(asking.name, &asking.share, *address).is_none())
    }
}

/// `["192.0.2.1" "192.0.2.2"]`.
fn quoted(addresses: &[IpAddr]) -> String {
    let each: Vec<String> = addresses.iter().map(|address| format!("{:?}", address.to_string())).collect();
    format!("[{}]", each.join(" "))
}
