//! Networks of addresses, of both families, as numbers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Nobody reads a list longer than this.
pub const LONGEST_LIST: u128 = 1 << 16;

/// Reads `10.0.0.0/8`, where bits beyond the prefix don't count, or an address, which is a network of one.
///
/// # Errors
/// Why it is none.
pub fn read(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    let network: Result<IpNet, _> = text.parse();
    network.map(|network| network.trunc()).map_err(|_| format!("`{text}` is not a network such as `10.0.0.0/8`"))
}

/// How many addresses it has; nothing for the whole of IPv6, which is one more than can be counted.
pub fn size(network: &IpNet) -> Option<u128> {
    1_u128.checked_shl(u32::from(network.max_prefix_len() - network.prefix_len()))
}

/// True if all addresses of `inner` are in `outer`.
pub fn contains(outer: &IpNet, inner: &IpNet) -> bool {
    outer.contains(inner)
}

/// True if there are addresses that are in both.
pub fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// The address at `index`, from 0 at the beginning or from -1 at the end.
///
/// # Errors
/// How many it has.
pub fn nth(network: &IpNet, index: i64) -> Result<IpAddr, String> {
    let distance = u128::from(index.unsigned_abs());
    let last = last_index(network);
    let reached = if index < 0 { distance - 1 <= last } else { distance <= last };
    if !reached {
        return Err(format!("`{network}` has {} addresses, and none at {index}", count(last)));
    }
    let at =
        if index < 0 { number(network.broadcast()) - (distance - 1) } else { number(network.network()) + distance };
    Ok(address(at, network))
}

/// The addresses that hosts can have: without the network's own and, for IPv4, that of everybody, where there are more than two.
///
/// # Errors
/// If there are too many to be listed.
pub fn hosts(network: &IpNet) -> Result<Vec<IpAddr>, String> {
    listed(network, last_index(network), "addresses")?;
    Ok(network.hosts().collect())
}

/// Its parts with a longer prefix.
///
/// # Errors
/// If the prefix is not longer, is too long, or there would be too many.
pub fn subnets(network: &IpNet, prefix: i64) -> Result<Vec<IpNet>, String> {
    let longer = u8::try_from(prefix).ok().filter(|prefix| *prefix >= network.prefix_len());
    let Some(prefix) = longer.filter(|prefix| *prefix <= network.max_prefix_len()) else {
        let (own, most) = (network.prefix_len(), network.max_prefix_len());
        return Err(format!("the parts of `{network}` have a prefix from {own} to {most}, not {prefix}"));
    };
    let parts = 1_u128.checked_shl(u32::from(prefix - network.prefix_len())).map_or(u128::MAX, |parts| parts - 1);
    listed(network, parts, "such parts")?;
    Ok(network.subnets(prefix).map_err(|error| error.to_string())?.collect())
}

fn listed(network: &IpNet, last: u128, what: &str) -> Result<(), String> {
    match last < LONGEST_LIST {
        true => Ok(()),
        false => Err(format!("`{network}` has {} {what}, too many for a list", count(last))),
    }
}

fn last_index(network: &IpNet) -> u128 {
    number(network.broadcast()) - number(network.network())
}

/// One more than the last index, in words if it is beyond counting.
fn count(last: u128) -> String {
    last.checked_add(1).map_or_else(|| "2^128".to_owned(), |count| count.to_string())
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn address(number: u128, network: &IpNet) -> IpAddr {
    match network {
        IpNet::V4(_) => Ipv4Addr::from(u32::try_from(number).expect("it lies in the network")).into(),
        IpNet::V6(_) => Ipv6Addr::from(number).into(),
    }
}
