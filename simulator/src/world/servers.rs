//! The servers of a world beside its clusters, each put where its file says.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::{
    World, certificate,
    check::{host_and_port, origin},
    description::{self, Certificate, Description, Name, Records, Redis as DescribedRedis, Site as DescribedSite},
};
use crate::{
    dns::{self, Entry, NameServer},
    duration::Length,
    http::{Answer, Ending, Site},
    port::Port,
    redis::Redis,
    time::During,
};

/// Where a name server answers if nobody says.
pub const NAME_SERVER: &str = "198.19.0.53";

/// Puts all of them in their places.
///
/// # Errors
/// What can't be as it is described.
pub fn begin(world: &World, described: &Description) -> Result<(), String> {
    names(world, described)?;
    for (address, redis) in &described.redis.0 {
        begin_redis(world, address, redis)?;
    }
    for (origin, site) in &described.sites.0 {
        begin_site(world, origin, site)?;
    }
    for (address, port) in &described.ports.0 {
        let (host, number) = split(address)?;
        let server = Port { says: port.says.clone() };
        world.network.place(host, number, Arc::new(server), world.during(port.from, port.until));
    }
    Ok(())
}

fn split(address: &str) -> Result<(&str, u16), String> {
    host_and_port(address).ok_or_else(|| format!("`{address}` is no address of a server"))
}

fn names(world: &World, described: &Description) -> Result<(), String> {
    let mut entries = Vec::new();
    for (name, said) in &described.names.0 {
        let (addresses, during) = match said {
            Name::Address(address) => (vec![*address], During::default()),
            Name::Addresses(addresses) => (addresses.clone(), During::default()),
            Name::Records(records) => {
                let during = world.during(records.from, records.until);
                entries.extend(records_of(name, records, during)?);
                (records.address.all().to_vec(), during)
            }
        };
        addresses.into_iter().for_each(|address| world.network.name(name, address, during));
    }
    let server = Arc::new(NameServer { network: world.network.clone(), entries });
    let usual = [NAME_SERVER.parse::<IpAddr>().expect("it is an address")];
    let at = if described.nameservers.is_empty() { &usual[..] } else { &described.nameservers };
    for address in at {
        world.network.place(&address.to_string(), 53, server.clone(), During::default());
    }
    Ok(())
}

fn records_of(name: &str, records: &Records, during: During) -> Result<Vec<Entry>, String> {
    let Records { cname, mx, ns, ptr, srv, txt, .. } = records;
    let kinds = [("CNAME", cname), ("MX", mx), ("NS", ns), ("PTR", ptr), ("SRV", srv), ("TXT", txt)];
    let each = kinds.into_iter().flat_map(|(kind, texts)| texts.all().iter().map(move |text| (kind, text)));
    each.map(|(kind, text)| Ok(Entry { name: dns::host(name)?, data: dns::record(kind, text)?, during })).collect()
}

fn begin_redis(world: &World, address: &str, described: &DescribedRedis) -> Result<(), String> {
    let (host, port) = split(address)?;
    let mut server = Redis::new(world.calendar, &described.data, world.unmodelled.clone());
    server.password.clone_from(&described.password);
    if described.tls {
        let tls = certificate::of(&world.authority, &Certificate::default(), &[host], world.at(host, port));
        server.tls = Some(tls.map_err(|why| format!("the certificate of `{address}` {why}"))?);
    }
    server.loaded = world.moment(described.loading.unwrap_or_default());
    world.network.place(host, port, Arc::new(server), world.during(described.from, described.until));
    Ok(())
}

fn begin_site(world: &World, at: &str, described: &DescribedSite) -> Result<(), String> {
    let (tls, host, port) = origin(at).ok_or_else(|| format!("`{at}` is no origin of a site"))?;
    let faults = world.at(host, port);
    let tls = tls.then(|| certificate::of(&world.authority, &described.certificate, &[host], faults.clone()));
    let tls = tls.transpose().map_err(|why| format!("the certificate of `{at}` {why}"))?;
    let answers = described.answers.iter().map(|answer| answer_of(world, answer));
    let answers = answers.collect::<Result<_, _>>().map_err(|why| format!("an answer of `{at}` can't be: {why}"))?;
    let site = Site { tls, answers, faults };
    world.network.place(host, port, Arc::new(site), world.during(described.from, described.until));
    Ok(())
}

fn answer_of(world: &World, described: &description::Answer) -> Result<Answer, String> {
    let description::Answer { path, method, status, headers, body, json, after, slowly, breaks, from, until } =
        described;
    let mut sent = HeaderMap::new();
    if json.is_some() {
        sent.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in headers {
        let name: HeaderName = name.parse().map_err(|_| format!("`{name}` is no name of a header"))?;
        sent.insert(name, value.parse().map_err(|_| format!("`{value}` can't be in a header"))?);
    }
    let method = method.as_deref().map(|method| method.parse::<Method>().map_err(|error| error.to_string()));
    Ok(Answer {
        method: method.transpose()?,
        path: path.clone().unwrap_or_else(|| "/*".to_owned()),
        during: world.during(*from, *until),
        status: StatusCode::from_u16(status.unwrap_or(200)).map_err(|error| error.to_string())?,
        headers: sent,
        body: json.as_ref().map(Value::to_string).or_else(|| body.clone()).unwrap_or_default().into(),
        after: after.unwrap_or_default().0,
        ending: match (breaks, slowly) {
            (true, _) => Ending::Never,
            (false, Some(Length(length))) => Ending::Slowly(*length),
            (false, None) => Ending::AtOnce,
        },
    })
}
