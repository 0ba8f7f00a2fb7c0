//! Networks, and the arithmetic of their addresses.

use cozyscript::bindings::net::network::{LONGEST_LIST, contains, hosts, nth, overlap, read, size, subnets};
use ipnet::IpNet;

use super::mutate::mutated;

pub fn text(seed: u64) -> String {
    mutated(&NETWORKS, &TOKENS, seed)
}

/// What can be said of a network in two ways is said the same.
pub fn read_and_compute(text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let Ok(network) = read(words.next().unwrap_or_default()) else { return Ok(()) };
    let same = |is: bool, what: &str| if is { Ok(()) } else { Err(format!("{network}: {what}")) };
    same(read(&network.to_string()).as_ref() == Ok(&network), "it is not read again as it was written")?;
    let (first, last) = (nth(&network, 0)?, nth(&network, -1)?);
    same(first == network.network() && last == network.broadcast(), "its ends are not its ends")?;
    for address in [first, last] {
        same(contains(&network, &IpNet::from(address)), "it does not contain its own ends")?;
    }
    if let Some(size) = size(&network).and_then(|size| i64::try_from(size).ok()) {
        same(nth(&network, size - 1) == Ok(last) && nth(&network, -size) == Ok(first), "its size leads elsewhere")?;
        same(nth(&network, size).is_err() && nth(&network, -size - 1).is_err(), "there is something beyond its ends")?;
    }
    if let Ok(hosts) = hosts(&network) {
        same(hosts.iter().all(|host| network.contains(host)), "a host is outside")?;
        same(hosts.len() as u128 <= LONGEST_LIST, "the list of its hosts is too long")?;
    }
    for prefix in [-1, 0, 8, 24, 33, 64, 127, 128, 129] {
        let Ok(parts) = subnets(&network, prefix) else { continue };
        same(parts.len() as u128 <= LONGEST_LIST, "the list of its parts is too long")?;
        same(parts.iter().all(|part| contains(&network, part)), "a part is outside")?;
        // The whole of IPv6 is one more than can be counted.
        let together = || parts.iter().filter_map(size).sum::<u128>();
        same(size(&network).is_none_or(|size| size == together()), "its parts are not the whole")?;
    }
    if let Ok(other) = read(words.next().unwrap_or_default()) {
        same(overlap(&network, &other) == overlap(&other, &network), "it overlaps on one side only")?;
        let ends = [other.network(), other.broadcast()].iter().any(|end| network.contains(end));
        let within = [network.network(), network.broadcast()].iter().any(|end| other.contains(end));
        same(overlap(&network, &other) == (ends || within), "it overlaps with what it shares nothing with")?;
    }
    Ok(())
}

const NETWORKS: [&str; 8] = [
    "10.17.13.242/24 10.17.0.0/16",
    "0.0.0.0/0 255.255.255.255/32",
    "192.168.1.128/25 192.168.1.0/25",
    "127.0.0.1 10.0.0.0/31",
    "fd00:10:244::/56 fd00::/8",
    "::/0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
    "::ffff:10.0.0.1/96 ::1",
    "2001:db8::/127 2001:db8::1",
];

const TOKENS: [&str; 22] = [
    "/", ":", "::", ".", "0", "1", "255", "256", "-1", "/0", "/32", "/33", "/64", "/128", "/129", " ", "ffff", "fe80",
    "%eth0", "10.", "\u{661}", "+",
];
