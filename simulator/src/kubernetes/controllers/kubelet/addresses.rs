//! The addresses of pods: each machine has a network of its own.

use std::collections::{BTreeMap, BTreeSet};

/// How many addresses a machine has for its pods.
const ADDRESSES: u32 = 253;

#[derive(Default)]
pub struct Addresses {
    networks: BTreeMap<String, Network>,
    /// Whose each address is: the machine and the number.
    held: BTreeMap<String, (String, u32)>,
}

#[derive(Default)]
struct Network {
    number: u32,
    latest: u32,
    taken: BTreeSet<u32>,
}

impl Addresses {
    /// An address on a machine for a pod: the next one that nobody has.
    pub fn take(&mut self, node: &str, uid: &str) -> String {
        let number = u32::try_from(self.networks.len()).expect("there are fewer machines than numbers");
        let network = self.networks.entry(node.to_owned()).or_insert_with(|| Network { number, ..Network::default() });
        let next = |latest: u32| latest % ADDRESSES + 1;
        let mut found = next(network.latest);
        while network.taken.contains(&found) && found != network.latest {
            found = next(found);
        }
        network.latest = found;
        network.taken.insert(found);
        self.held.insert(uid.to_owned(), (node.to_owned(), found));
        format!("10.{}.{}.{}", 244 + network.number / 256 % 8, network.number % 256, found + 1)
    }

    pub fn give_back(&mut self, uid: &str) {
        if let Some((node, number)) = self.held.remove(uid)
            && let Some(network) = self.networks.get_mut(&node)
        {
            network.taken.remove(&number);
        }
    }
}
