//! Pools of addresses, as IPAddressPools describe them, and for whom they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use crate::kubernetes::{controllers::fields::Fields, selector::Labels};

#[derive(Debug, Clone)]
pub struct Pool {
    pub name: String,
    /// Each from its first to its last address, in the order in which they are given out.
    ranges: Vec<(IpAddr, IpAddr)>,
    /// False for a pool that is only given out of to those who name it, or one of its addresses.
    automatic: bool,
    /// Addresses that end with 0 or 255 are left out.
    avoids_edges: bool,
    allocation: Option<Allocation>,
}

/// For whom a pool is.
#[derive(Debug, Clone)]
struct Allocation {
    /// Less comes first; none comes last.
    priority: i64,
    namespaces: Vec<String>,
    namespace_selectors: Vec<Labels>,
    service_selectors: Vec<Labels>,
}

impl Pool {
    /// Nothing, if one of its ranges is none.
    pub fn read(object: &Value) -> Option<Self> {
        let ranges = object.list("/spec/addresses").iter().map(|range| read_range(range.as_str()?));
        let allocation = object.at("/spec/serviceAllocation");
        let selectors = |field: &str| allocation.list(field).iter().map(Labels::of).collect();
        Some(Self {
            name: object.name().to_owned(),
            ranges: ranges.collect::<Option<_>>()?,
            automatic: object.at("/spec/autoAssign") != false,
            avoids_edges: object.flag("/spec/avoidBuggyIPs"),
            allocation: allocation.is_object().then(|| Allocation {
                priority: Some(allocation.number("/priority")).filter(|priority| *priority > 0).unwrap_or(i64::MAX),
                namespaces: allocation
                    .list("/namespaces")
                    .iter()
                    .filter_map(|name| Some(name.as_str()?.to_owned()))
                    .collect(),
                namespace_selectors: selectors("/namespaceSelectors"),
                service_selectors: selectors("/serviceSelectors"),
            }),
        })
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.ranges.iter().any(|(first, last)| other.ranges.iter().any(|(from, to)| first <= to && from <= last))
    }

    pub fn has(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&address))
            && !(self.avoids_edges && is_edge(address))
    }

    /// Its addresses, in the order in which they are given out.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let each = self.ranges.iter().flat_map(|(first, last)| {
            std::iter::successors(Some(*first), |address| next(*address)).take_while(move |address| address <= last)
        });
        each.filter(|address| !(self.avoids_edges && is_edge(*address)))
    }

    /// How many addresses of a family it has.
    pub fn size(&self, of_version_6: bool) -> i64 {
        let ranges = self.ranges.iter().filter(|(first, _)| first.is_ipv6() == of_version_6);
        let sizes = ranges.map(|(first, last)| {
            let (from, to) = (number(*first), number(*last));
            let edges = if self.avoids_edges && !of_version_6 { edges_up_to(to) - edges_before(from) } else { 0 };
            i64::try_from((to - from).saturating_add(1) - edges).unwrap_or(i64::MAX)
        });
        sizes.fold(0, i64::saturating_add)
    }

    /// True if a service of a namespace may have an address of it.
    pub fn admits(&self, service: &Value, namespace: &Value) -> bool {
        let Some(allocation) = &self.allocation else { return true };
        let anywhere = allocation.namespaces.is_empty() && allocation.namespace_selectors.is_empty();
        let there = anywhere
            || allocation.namespaces.iter().any(|name| name == service.namespace())
            || allocation.namespace_selectors.iter().any(|selector| selector.select(namespace));
        let selectors = &allocation.service_selectors;
        there && (selectors.is_empty() || selectors.iter().any(|selector| selector.select(service)))
    }

    /// What comes first of those that are given out of without being named; nothing for others.
    pub fn rank(&self) -> Option<(bool, i64)> {
        let priority = self.allocation.as_ref().map(|allocation| allocation.priority);
        self.automatic.then_some((priority.is_none(), priority.unwrap_or_default()))
    }
}

/// `192.0.2.10-192.0.2.20` or `192.0.2.0/24`.
pub fn read_range(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some((first, last)) = text.split_once('-') {
        let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        return (first.is_ipv4() == last.is_ipv4() && first <= last).then_some((first, last));
    }
    let (address, length) = text.split_once('/')?;
    let (address, length): (IpAddr, u32) = (address.trim().parse().ok()?, length.trim().parse().ok()?);
    let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
    let rest = bits.checked_sub(length)?;
    let hosts = 1_u128.checked_shl(rest).map_or(u128::MAX, |size| size - 1);
    let first = number(address) & !hosts;
    Some((address_of(first, address.is_ipv6()), address_of(first | hosts, address.is_ipv6())))
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn address_of(number: u128, of_version_6: bool) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if !of_version_6 => Ipv4Addr::from(number).into(),
        _ => Ipv6Addr::from(number).into(),
    }
}

fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|next| Ipv4Addr::from(next).into()),
        IpAddr::V6(address) => u128::from(address).checked_add(1).map(|next| Ipv6Addr::from(next).into()),
    }
}

fn is_edge(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if matches!(address.octets()[3], 0 | 255))
}

/// How many addresses up to this one, inclusive, end with 0 or 255.
fn edges_up_to(number: u128) -> u128 {
    number / 256 * 2 + if number % 256 == 255 { 2 } else { 1 }
}

fn edges_before(number: u128) -> u128 {
    number.checked_sub(1).map_or(0, edges_up_to)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pool(addresses: &[&str], avoids_edges: bool) -> Pool {
        Pool::read(&json!({
            "metadata": {"name": "pool"}, "spec": {"addresses": addresses, "avoidBuggyIPs": avoids_edges},
        }))
        .unwrap()
    }

    #[test]
    fn a_pool_has_as_many_addresses_as_it_gives_out() {
        for addresses in ["192.0.2.0/30", "192.0.2.0/23", "192.0.2.250-192.0.3.5", "192.0.2.255/32", "192.0.2.1/32"] {
            for avoids_edges in [false, true] {
                let pool = pool(&[addresses], avoids_edges);
                assert_eq!(pool.size(false), i64::try_from(pool.addresses().count()).unwrap(), "{addresses}");
            }
        }
    }

    #[test]
    fn the_largest_pool_can_be_counted() {
        assert_eq!(pool(&["::/0"], false).size(true), i64::MAX);
    }
}
