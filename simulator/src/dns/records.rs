//! Records as they are written: `10 mail.example.test` for `MX`, `1 2 6379 cache.example.test` for `SRV`.

use std::str::FromStr as _;

use hickory_proto::rr::{
    Name, RData,
    rdata::{CNAME, MX, NS, PTR, SRV, TXT},
};

/// Reads a record of a type; addresses are none of its business, for they are where the network says.
///
/// # Errors
/// If it can't be one.
pub fn record(kind: &str, text: &str) -> Result<RData, String> {
    let wrong = |how: &str| format!("`{text}` is no `{kind}` record: write it like `{how}`");
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |text: &str| text.parse::<u16>().ok();
    match (kind, words.as_slice()) {
        ("CNAME", [name]) => Ok(RData::CNAME(CNAME(host(name)?))),
        ("NS", [name]) => Ok(RData::NS(NS(host(name)?))),
        ("PTR", [name]) => Ok(RData::PTR(PTR(host(name)?))),
        ("MX", [preference, name]) => {
            let preference = number(preference).ok_or_else(|| wrong("10 mail.example.test"))?;
            Ok(RData::MX(MX::new(preference, host(name)?)))
        }
        ("SRV", [priority, weight, port, name]) => match (number(priority), number(weight), number(port)) {
            (Some(priority), Some(weight), Some(port)) => Ok(RData::SRV(SRV::new(priority, weight, port, host(name)?))),
            _ => Err(wrong("1 2 6379 cache.example.test")),
        },
        ("TXT", _) => Ok(RData::TXT(TXT::new(vec![text.to_owned()]))),
        ("MX", _) => Err(wrong("10 mail.example.test")),
        ("SRV", _) => Err(wrong("1 2 6379 cache.example.test")),
        _ => Err(wrong("www.example.test")),
    }
}

/// A whole name.
///
/// # Errors
/// If it can't be one.
pub fn host(name: &str) -> Result<Name, String> {
    let mut name = Name::from_str(name).map_err(|why| format!("`{name}` is no name: {why}"))?;
    name.set_fqdn(true);
    Ok(name)
}
