//! Addresses of networks: `ip('10.0.0.1')`, `cidr('10.0.0.0/8')`.

use std::net::{IpAddr, Ipv6Addr};

use cel::{
    DeclarationError, Env, ExecutionError,
    common::types::{STRING_TYPE, Type},
    objects::Opaque,
};

use super::function::{answer, functions, opaque, own, text};

const ADDRESS: &str = "net.IP";
const NETWORK: &str = "net.CIDR";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Address(IpAddr);

/// An address with the length of what it shares with the rest of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    length: u8,
}

impl Opaque for Address {
    fn runtime_type_name(&self) -> &str {
        ADDRESS
    }
}

impl Opaque for Network {
    fn runtime_type_name(&self) -> &str {
        NETWORK
    }
}

pub fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let address = || Type::new_opaque_type(ADDRESS);
    let network = || Type::new_opaque_type(NETWORK);
    functions! { env:
        global "ip" (STRING_TYPE) |arguments| answer(opaque(Address(read(&text(&arguments, 0)?)?)));
        global "isIP" (STRING_TYPE) |arguments| answer(read(&text(&arguments, 0)?).is_ok());
        global "ip.isCanonical" (STRING_TYPE) |arguments| {
            let text = text(&arguments, 0)?;
            answer(read(&text)?.to_string() == **text)
        };
        global "string" (address()) |arguments| answer(own::<Address>(&arguments, 0)?.0.to_string());
        member "family" (address()) |arguments| answer(if own::<Address>(&arguments, 0)?.0.is_ipv4() { 4 } else { 6 });
        member "isUnspecified" (address()) |arguments| answer(own::<Address>(&arguments, 0)?.0.is_unspecified());
        member "isLoopback" (address()) |arguments| answer(own::<Address>(&arguments, 0)?.0.is_loopback());
        member "isLinkLocalMulticast" (address()) |arguments| answer(match own::<Address>(&arguments, 0)?.0 {
            IpAddr::V4(one) => one.octets()[..3] == [224, 0, 0],
            IpAddr::V6(one) => one.segments()[0] & 0xff0f == 0xff02,
        });
        member "isLinkLocalUnicast" (address()) |arguments| answer(match own::<Address>(&arguments, 0)?.0 {
            IpAddr::V4(one) => one.is_link_local(),
            IpAddr::V6(one) => one.is_unicast_link_local(),
        });
        member "isGlobalUnicast" (address()) |arguments| answer(is_global(own::<Address>(&arguments, 0)?.0));
        global "cidr" (STRING_TYPE) |arguments| answer(opaque(network_of(&text(&arguments, 0)?)?));
        global "isCIDR" (STRING_TYPE) |arguments| answer(network_of(&text(&arguments, 0)?).is_ok());
        global "string" (network()) |arguments| {
            let Network { address, length } = own(&arguments, 0)?;
            answer(format!("{address}/{length}"))
        };
        member "containsIP" (network(), STRING_TYPE) |arguments| {
            answer(own::<Network>(&arguments, 0)?.contains(read(&text(&arguments, 1)?)?))
        };
        member "containsIP" (network(), address()) |arguments| {
            answer(own::<Network>(&arguments, 0)?.contains(own::<Address>(&arguments, 1)?.0))
        };
        member "containsCIDR" (network(), STRING_TYPE) |arguments| {
            answer(own::<Network>(&arguments, 0)?.contains_network(network_of(&text(&arguments, 1)?)?))
        };
        member "containsCIDR" (network(), network()) |arguments| {
            answer(own::<Network>(&arguments, 0)?.contains_network(own(&arguments, 1)?))
        };
        member "ip" (network()) |arguments| answer(opaque(Address(own::<Network>(&arguments, 0)?.address)));
        member "masked" (network()) |arguments| answer(opaque(own::<Network>(&arguments, 0)?.masked()));
        member "prefixLength" (network()) |arguments| answer(i64::from(own::<Network>(&arguments, 0)?.length));
    }
    Ok(())
}

/// IPv4 within IPv6 and zones are refused, as the real server does.
fn read(text: &str) -> Result<IpAddr, ExecutionError> {
    let wrong = |why: &str| ExecutionError::function_error("ip", format!("IP Address {text:?} {why}"));
    let address: IpAddr = text.parse().map_err(|_| {
        ExecutionError::function_error("ip", format!("IP Address {text:?} parse error during conversion from string"))
    })?;
    match address {
        IpAddr::V6(one) if one.to_ipv4_mapped().is_some() => Err(wrong("is an IPv4-mapped IPv6 address")),
        address => Ok(address),
    }
}

fn network_of(text: &str) -> Result<Network, ExecutionError> {
    let wrong = || {
        ExecutionError::function_error(
            "cidr",
            format!("network address parse error during conversion from string: {text:?}"),
        )
    };
    let (address, length) = text.split_once('/').ok_or_else(wrong)?;
    let address = read(address).map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = Some(length).filter(|length| length.bytes().all(|digit| digit.is_ascii_digit()));
    let length = length.and_then(|length| length.parse().ok()).filter(|length| *length <= most).ok_or_else(wrong)?;
    Ok(Network { address, length })
}

fn is_global(address: IpAddr) -> bool {
    let local = match address {
        IpAddr::V4(one) => one.is_link_local() || one.is_broadcast(),
        IpAddr::V6(one) => one.is_unicast_link_local(),
    };
    !(local || address.is_unspecified() || address.is_loopback() || address.is_multicast())
}

impl Network {
    fn masked(self) -> Self {
        let Self { address, length } = self;
        let address = match address {
            IpAddr::V4(one) => {
                IpAddr::V4((u32::from(one) & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or_default()).into())
            }
            IpAddr::V6(one) => IpAddr::V6(Ipv6Addr::from(
                u128::from(one) & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or_default(),
            )),
        };
        Self { address, length }
    }

    fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && self.masked().address == Self { address, ..self }.masked().address
    }

    fn contains_network(self, other: Self) -> bool {
        self.length <= other.length && self.contains(other.address)
    }
}
