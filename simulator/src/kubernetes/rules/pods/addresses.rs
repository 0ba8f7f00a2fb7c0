//! The addresses of a pod: the one that everybody knows, and all of them.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, formed},
        fill::remove,
        form,
    },
};

/// The one address is the first of all. Where both are given and differ, it is the one that counts.
pub fn fill_in(status: &mut Value) {
    let one = status["podIP"].as_str().filter(|one| !one.is_empty()).map(str::to_owned);
    match (one, status.pointer("/podIPs/0/ip").and_then(Value::as_str).map(str::to_owned)) {
        (Some(one), first) if first.as_ref() != Some(&one) => status["podIPs"] = json!([{"ip": one}]),
        (None, Some(first)) => status["podIP"] = json!(first),
        (None, None) => drop(remove(status, "podIP")),
        (Some(_), _) => {}
    }
}

/// Addresses are new ones that are right, or old ones, and of each family there is one.
pub fn check(now: &Field<'_>, then: &Field<'_>) -> Vec<Cause> {
    let known: Vec<&str> = then.items().map(|address| address.at("ip").text()).collect();
    let all: Vec<&str> = now.items().map(|address| address.at("ip").text()).collect();
    let mut wrong = Vec::new();
    for item in now.items().filter(|item| !known.contains(&item.at("ip").text())) {
        wrong.extend(formed(&item.with(item.at("ip").value), form::ip));
    }
    if all.len() < 2 {
        return wrong;
    }
    let read: Vec<Option<IpAddr>> = all.iter().map(|address| address.parse().ok()).collect();
    if let Some(at) = read.iter().position(Option::is_none) {
        let why = format!("failed to check for dual stack with error:invalid IP[{at}]: {}", all[at]);
        wrong.push(Cause::internal(&now.path, &why));
    }
    let is_sixth = |address: &Option<IpAddr>| address.is_some_and(|address| address.is_ipv6());
    let both = read.iter().all(Option::is_some) && read.iter().any(is_sixth) && !read.iter().all(is_sixth);
    if !both || all.len() > 2 {
        let shown: Vec<Value> = now.items().map(|address| json!({"IP": address.at("ip").text()})).collect();
        wrong.push(now.with(&json!(shown)).invalid("may specify no more than one IP for each IP family"));
    }
    wrong
}
