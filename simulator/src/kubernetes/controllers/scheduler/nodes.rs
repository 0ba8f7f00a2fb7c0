//! What the scheduler knows of nodes: what they offer, and who is there already.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::kubernetes::{
    controllers::{fields::Fields, owners},
    quantity::Quantity,
};

/// Amounts of resources, in thousandths.
pub type Amounts = BTreeMap<String, i128>;

/// All nodes, and where each pod is.
#[derive(Default)]
pub struct Nodes {
    nodes: BTreeMap<String, Node>,
    /// By uid.
    placed: BTreeMap<String, String>,
}

#[derive(Default)]
pub struct Node {
    pub object: Option<Arc<Value>>,
    offers: Amounts,
    taken: Amounts,
    pub pods: BTreeMap<String, Arc<Value>>,
    pub ports: BTreeMap<(String, i64), usize>,
    /// How many pods there are of each controller.
    owners: BTreeMap<String, usize>,
    /// The pods that don't want others near, by uid.
    pub apart: BTreeMap<String, Arc<Value>>,
}

impl Nodes {
    /// Those that are there.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.nodes.iter().filter(|(_, node)| node.object.is_some())
    }

    pub fn set(&mut self, name: &str, object: Option<Arc<Value>>) {
        let node = self.nodes.entry(name.to_owned()).or_default();
        node.offers = object.as_deref().map(|node| amounts(node.at("/status/allocatable"))).unwrap_or_default();
        node.object = object;
    }

    /// Notes where a pod is by now; `None` for one that is gone or needs nothing any more.
    pub fn place(&mut self, uid: &str, pod: Option<&Arc<Value>>) {
        if let Some(name) = self.placed.remove(uid)
            && let Some(node) = self.nodes.get_mut(&name)
            && let Some(pod) = node.pods.remove(uid)
        {
            node.count(&pod, -1);
            node.apart.remove(uid);
        }
        let Some(pod) = pod else { return };
        let name = pod.text("/spec/nodeName").to_owned();
        let node = self.nodes.entry(name.clone()).or_default();
        node.count(pod, 1);
        if pod.has("/spec/affinity/podAntiAffinity") {
            node.apart.insert(uid.to_owned(), pod.clone());
        }
        node.pods.insert(uid.to_owned(), pod.clone());
        self.placed.insert(uid.to_owned(), name);
    }
}

impl Node {
    /// Counts a pod in, or, with -1, out again.
    fn count(&mut self, pod: &Value, sign: isize) {
        for (resource, amount) in requests(pod) {
            *self.taken.entry(resource).or_default() += i128::try_from(sign).expect("it is one") * amount;
        }
        for port in ports(pod) {
            count(&mut self.ports, port, sign);
        }
        if let Some(owner) = owners::controller_of(pod) {
            count(&mut self.owners, owner.text("/uid").to_owned(), sign);
        }
    }

    pub fn siblings(&self, owner: &str) -> usize {
        self.owners.get(owner).copied().unwrap_or_default()
    }

    pub fn object(&self) -> &Value {
        self.object.as_deref().unwrap_or(&Value::Null)
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.object().label(key)
    }

    /// Which resources a node has too little of for these requests; and whether it would have too little even if it were empty.
    pub fn lacks(&self, wanted: &Amounts) -> (Vec<String>, bool) {
        let mut lacks = Vec::new();
        let mut ever = false;
        for (resource, amount) in wanted.iter().filter(|(_, amount)| **amount > 0) {
            let offered = self.offers.get(resource).copied().unwrap_or_default();
            let taken = self.taken.get(resource).copied().unwrap_or_default();
            if taken + amount > offered {
                lacks.push(resource.clone());
                ever |= *amount > offered;
            }
        }
        (lacks, ever)
    }

    /// How many more pods there may be.
    pub fn has_room(&self) -> bool {
        let most = self.offers.get("pods").copied().unwrap_or_default() / 1000;
        i128::try_from(self.pods.len()).expect("there are fewer pods than numbers") < most
    }

    /// How full a node would be with these requests, in thousandths, by its fullest resource.
    pub fn fill(&self, wanted: &Amounts) -> i128 {
        let share = |resource: &str| {
            let offered = self.offers.get(resource).copied().unwrap_or_default().max(1);
            let of = |amounts: &Amounts| amounts.get(resource).copied().unwrap_or_default();
            (of(&self.taken) + of(wanted)) * 1000 / offered
        };
        share("cpu") + share("memory")
    }
}

fn count<K: Ord + Clone>(counts: &mut BTreeMap<K, usize>, key: K, sign: isize) {
    let count = counts.entry(key.clone()).or_default();
    *count = count.saturating_add_signed(sign);
    if *count == 0 {
        counts.remove(&key);
    }
}

fn amounts(given: &Value) -> Amounts {
    let given = given.as_object().into_iter().flatten();
    given.filter_map(|(resource, amount)| Some((resource.clone(), Quantity::read(amount).ok()?.milli()))).collect()
}

/// What a pod asks for: what its containers do together, or the largest of those that prepare, whichever is more.
pub fn requests(pod: &Value) -> Amounts {
    let of = |container: &Value| amounts(container.at("/resources/requests"));
    let mut total = Amounts::new();
    let add = |total: &mut Amounts, amounts: Amounts| {
        for (resource, amount) in amounts {
            *total.entry(resource).or_default() += amount;
        }
    };
    for container in pod.list("/spec/containers") {
        add(&mut total, of(container));
    }
    let mut beside = Amounts::new();
    let mut peak = Amounts::new();
    for container in pod.list("/spec/initContainers") {
        if container.text("/restartPolicy") == "Always" {
            add(&mut beside, of(container));
            continue;
        }
        let mut at_once = beside.clone();
        add(&mut at_once, of(container));
        for (resource, amount) in at_once {
            let known = peak.entry(resource).or_default();
            *known = amount.max(*known);
        }
    }
    add(&mut total, beside);
    for (resource, amount) in peak {
        let known = total.entry(resource).or_default();
        *known = amount.max(*known);
    }
    add(&mut total, amounts(pod.at("/spec/overhead")));
    total
}

/// The ports of its machine that a pod wants.
pub fn ports(pod: &Value) -> BTreeSet<(String, i64)> {
    let ports = pod.list("/spec/containers").iter().flat_map(|container| container.list("/ports"));
    let ports = ports.filter(|port| port.number("/hostPort") > 0);
    ports.map(|port| (port.text("/protocol").to_owned(), port.number("/hostPort"))).collect()
}
