//! Networks in scripts, as texts in CIDR notation.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::network;
use crate::script::{
    conductor::Outcome,
    context::Call,
    fault::{Fault, Kind},
};

#[export_module]
pub mod functions {
    /// Says what there is to know of a network.
    ///
    /// # Parameters
    /// - `network` (text): such as `10.1.2.3/16`; bits beyond the prefix don't count
    ///
    /// # Returns
    /// A map with `network` (the text without bits that don't count), `version`, `prefix`, `netmask`, `first` and `last` address.
    ///
    /// # Faults
    /// - `parse`: it is not a network
    ///
    /// # Example
    /// ```rhai
    /// let pods = net::cidr("10.244.7.1/16");
    /// print(`${pods.network} from ${pods.first} to ${pods.last}`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn cidr(context: NativeCallContext, network: &str) -> Outcome<Map> {
        let read = read(&context, network)?;
        let facts: [(&str, Dynamic); 6] = [
            ("network", read.to_string().into()),
            ("version", if read.network().is_ipv4() { 4_i64 } else { 6 }.into()),
            ("prefix", i64::from(read.prefix_len()).into()),
            ("netmask", read.netmask().to_string().into()),
            ("first", read.network().to_string().into()),
            ("last", read.broadcast().to_string().into()),
        ];
        Ok(facts.into_iter().map(|(name, fact)| (name.into(), fact)).collect())
    }

    /// Says whether an address, or all of another network, is in a network.
    ///
    /// # Parameters
    /// - `network` (text): such as `10.0.0.0/8`
    /// - `inner` (text): an address or a network
    ///
    /// # Returns
    /// `true` or `false`.
    ///
    /// # Faults
    /// - `parse`: one of them is not a network
    ///
    /// # Example
    /// ```rhai
    /// if !net::contains("10.17.0.0/16", "10.17.13.242") {
    ///     fail("the address of the load balancer is not in its pool");
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn contains(context: NativeCallContext, network: &str, inner: &str) -> Outcome<bool> {
        Ok(network::contains(&read(&context, network)?, &read(&context, inner)?))
    }

    /// Says whether two networks have an address in common.
    ///
    /// # Parameters
    /// - `network` (text): such as `10.0.0.0/8`
    /// - `other` (text): another one
    ///
    /// # Returns
    /// `true` or `false`.
    ///
    /// # Faults
    /// - `parse`: one of them is not a network
    ///
    /// # Example
    /// ```rhai
    /// if net::overlap("10.244.0.0/16", "10.96.0.0/12") {
    ///     fail("pods and services must not share addresses");
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn overlap(context: NativeCallContext, network: &str, other: &str) -> Outcome<bool> {
        Ok(network::overlap(&read(&context, network)?, &read(&context, other)?))
    }

    /// Counts the addresses of a network.
    ///
    /// # Parameters
    /// - `network` (text): such as `10.0.0.0/8`
    ///
    /// # Returns
    /// A number.
    ///
    /// # Faults
    /// - `parse`: it is not a network
    /// - `usage`: there are more than a number can count
    ///
    /// # Example
    /// ```rhai
    /// print(net::size("10.17.13.0/24"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn size(context: NativeCallContext, network: &str) -> Outcome<i64> {
        let read = read(&context, network)?;
        network::size(&read).and_then(|size| i64::try_from(size).ok()).ok_or_else(|| {
            let bits = read.max_prefix_len() - read.prefix_len();
            let message = format!("`{read}` has 2^{bits} addresses, more than a number can count");
            context.raise(Fault::new(Kind::Usage, message))
        })
    }

    /// Gives the address at a place of a network.
    ///
    /// # Parameters
    /// - `network` (text): such as `10.0.0.0/8`
    /// - `index` (integer): from 0 at the beginning, or from -1 at the end
    ///
    /// # Returns
    /// The address as a text.
    ///
    /// # Faults
    /// - `parse`: it is not a network
    /// - `usage`: it has no such address
    ///
    /// # Example
    /// ```rhai
    /// let gateway = net::nth("10.17.13.0/24", 1);
    /// print(`the gateway is ${gateway}`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn nth(context: NativeCallContext, network: &str, index: i64) -> Outcome<String> {
        let address = network::nth(&read(&context, network)?, index);
        address.map(|address| address.to_string()).map_err(|why| context.raise(Fault::new(Kind::Usage, why)))
    }

    /// Lists the addresses that hosts of a network can have.
    ///
    /// For IPv4 these are all but the first and the last, where there are more than two.
    ///
    /// # Parameters
    /// - `network` (text): such as `10.17.13.0/28`
    ///
    /// # Returns
    /// A list of texts.
    ///
    /// # Faults
    /// - `parse`: it is not a network
    /// - `usage`: there are more than 65,536
    ///
    /// # Example
    /// ```rhai
    /// for host in net::hosts("10.17.13.0/30") {
    ///     print(host);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn hosts(context: NativeCallContext, network: &str) -> Outcome<Array> {
        let hosts = network::hosts(&read(&context, network)?).map_err(|why| too_many(&context, why))?;
        Ok(hosts.into_iter().map(|address| address.to_string().into()).collect())
    }

    /// Lists the parts of a network that have a longer prefix.
    ///
    /// # Parameters
    /// - `network` (text): such as `10.244.0.0/16`
    /// - `prefix` (integer): the length of their prefix, such as 24
    ///
    /// # Returns
    /// A list of texts.
    ///
    /// # Faults
    /// - `parse`: it is not a network
    /// - `usage`: it has no such parts, or more than 65,536
    ///
    /// # Example
    /// ```rhai
    /// let zones = net::subnets("10.244.0.0/16", 18);
    /// print(zones[0]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn subnets(context: NativeCallContext, network: &str, prefix: i64) -> Outcome<Array> {
        let parts = network::subnets(&read(&context, network)?, prefix).map_err(|why| too_many(&context, why))?;
        Ok(parts.into_iter().map(|part| part.to_string().into()).collect())
    }
}

fn read(context: &NativeCallContext, network: &str) -> Outcome<ipnet::IpNet> {
    network::read(network).map_err(|why| context.raise(Fault::new(Kind::Parse, why)))
}

fn too_many(context: &NativeCallContext, why: String) -> Box<rhai::EvalAltResult> {
    context.raise(Fault::new(Kind::Usage, why).hint("`net::nth` gives one address of however many"))
}
