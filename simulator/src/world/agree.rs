//! Whether the parts of a world agree with each other, which no schema can say.

use std::net::IpAddr;

use super::{
    charts,
    check::{host_and_port, origin},
    cluster::server,
    description::{Cluster, Description, Fault, Gives},
    faults::target,
    pools,
    problem::{Problem, meant},
    text::{Text, below},
    webhooks,
};
use crate::{faults::Target, kubernetes::charts::fill};

/// Everything in which they disagree.
pub fn agree(description: &Description, text: &Text, problems: &mut Vec<Problem>) {
    let names = description.clusters.0.iter().map(|(name, _)| name.as_str());
    if let Some(current) = &description.current
        && !names.clone().any(|name| name == current)
    {
        problems.push(Problem {
            message: format!("the world has no cluster `{current}`"),
            hint: Some(meant(current, names, "its clusters are")),
            place: text.place("/current"),
        });
    }
    for (name, cluster) in &description.clusters.0 {
        agree_on_networks(description, &below("/clusters", name), cluster, text, problems);
    }
    agree_on_births(description, text, problems);
    for (name, machine) in &description.machines.0 {
        let at = below("/machines", name);
        agree_on_network(description, &below(&at, "network"), machine.network.as_deref(), text, problems);
        let clusters = description.clusters.0.iter().map(|(name, _)| name.as_str());
        let is_absent = |cluster: &&str| !clusters.clone().any(|name| name == *cluster);
        if let Some(cluster) = machine.cluster.as_deref().filter(is_absent) {
            problems.push(Problem {
                message: format!("the world has no cluster `{cluster}`"),
                hint: Some(meant(cluster, clusters, "its clusters are")),
                place: text.place(&below(&at, "cluster")),
            });
        }
    }
    agree_on_charts(description, text, problems);
    for (index, fault) in description.faults.iter().enumerate() {
        agree_on_fault(description, &below("/faults", &index.to_string()), fault, text, problems);
    }
}

fn agree_on_births(description: &Description, text: &Text, problems: &mut Vec<Problem>) {
    for (name, cluster) in &description.clusters.0 {
        let at = below(&below("/clusters", name), "operators");
        for (number, operator) in cluster.operators.iter().enumerate() {
            let at = below(&below(&at, &number.to_string()), "phases");
            for (index, phase) in operator.phases.iter().enumerate() {
                let at = below(&below(&at, &index.to_string()), "clusters");
                for (which, made) in phase.clusters.iter().enumerate() {
                    let has_machines =
                        description.machines.0.iter().any(|(_, machine)| machine.cluster.as_ref() == Some(made));
                    let names = description.clusters.0.iter().map(|(name, _)| name.as_str());
                    let (message, hint) = if !names.clone().any(|name| name == made) {
                        (format!("the world has no cluster `{made}`"), Some(meant(made, names, "its clusters are")))
                    } else if has_machines || made == name {
                        (format!("cluster `{made}` can't come out of cluster `{name}`"), None)
                    } else {
                        continue;
                    };
                    problems.push(Problem { message, hint, place: text.place(&below(&at, &which.to_string())) });
                }
            }
        }
    }
}

fn agree_on_network(
    description: &Description,
    at: &str,
    named: Option<&str>,
    text: &Text,
    problems: &mut Vec<Problem>,
) {
    let networks = description.networks.keys().map(String::as_str);
    if let Some(network) = named.filter(|network| !networks.clone().any(|name| name == *network)) {
        problems.push(Problem {
            message: format!("the world has no network `{network}`"),
            hint: Some(meant(network, networks, "its networks are")),
            place: text.place(at),
        });
    }
}

fn agree_on_networks(description: &Description, at: &str, cluster: &Cluster, text: &Text, problems: &mut Vec<Problem>) {
    agree_on_network(description, &below(at, "network"), cluster.network.as_deref(), text, problems);
    let network = pools::network(description, cluster.network.as_deref());
    for (pool, index, message) in pools::disagreements(&cluster.pools, network) {
        let pool = below(&below(at, "pools"), &pool);
        let range = [below(&pool, "addresses"), pool].map(|list| below(&list, &index.to_string()));
        let place = range.iter().find_map(|pointer| text.known_place(pointer)).unwrap_or_default();
        problems.push(Problem { message, hint: None, place });
    }
}

fn agree_on_charts(description: &Description, text: &Text, problems: &mut Vec<Problem>) {
    let known = &description.charts.0;
    let names = known.iter().map(|(name, _)| name.as_str());
    let mut look = |named: &str, at: &str, index: usize| {
        let (name, version) = charts::split(named);
        let versions = known.iter().find(|(known, _)| known == name).map(|(_, versions)| versions);
        let (message, hint) = match (versions, version) {
            (None, _) => (format!("the world has no chart `{name}`"), meant(name, names.clone(), "its charts are")),
            (Some(versions), Some(version)) if !versions.iter().any(|chart| chart.version == version) => {
                let known = versions.iter().map(|chart| chart.version.as_str());
                (format!("the chart `{name}` has no version `{version}`"), meant(version, known, "it has"))
            }
            _ => return,
        };
        problems.push(Problem { message, hint: Some(hint), place: text.place(&below(at, &index.to_string())) });
    };
    for (name, cluster) in &description.clusters.0 {
        let at = below(&below("/clusters", name), "charts");
        cluster.charts.iter().enumerate().for_each(|(index, named)| look(named, &at, index));
    }
    for (url, repository) in &description.repositories.0 {
        let at = below(&below("/repositories", url), "charts");
        repository.charts.iter().enumerate().for_each(|(index, named)| look(named, &at, index));
    }
    for (name, versions) in known {
        for (version, chart) in versions.iter().enumerate() {
            let at = below(&below(&below("/charts", name), &version.to_string()), "needs");
            chart.needs.iter().enumerate().for_each(|(index, named)| look(named, &at, index));
        }
    }
    for (name, versions) in known {
        for (version, chart) in versions.iter().enumerate() {
            let at = below(&below(&below("/charts", name), &version.to_string()), "parts");
            for (index, part) in chart.parts.iter().enumerate() {
                let objects = part.objects.iter().filter_map(charts::inline);
                let Some(strange) = objects.into_iter().find_map(|object| fill::strange(&object)) else { continue };
                let hint = "charts of a world know `.Values.NAME`, `.Release.Name`, `.Release.Namespace`, `.Chart.Name` and `.Chart.Version`";
                problems.push(Problem {
                    message: format!("`{{{{ {strange} }}}}` can't be filled in"),
                    hint: Some(hint.to_owned()),
                    place: text.place(&below(&at, &index.to_string())),
                });
            }
        }
    }
}

fn agree_on_fault(description: &Description, at: &str, fault: &Fault, text: &Text, problems: &mut Vec<Problem>) {
    let mut wrong = |message: String, hint: String, at: &str| {
        problems.push(Problem { message, hint: Some(hint), place: text.place(at) });
    };
    let machines = || description.machines.0.iter().map(|(name, _)| name.clone());
    if fault.is_of_a_machine() {
        let word = match &fault.gives {
            Gives::Word(word) => word.as_str(),
            Gives::Status(_) => "",
        };
        let needs = match word {
            "moves" => Some(("to: ADDRESS", fault.to.is_some())),
            "no_disk" => Some(("disk: NAME", fault.disk.is_some())),
            _ => None,
        };
        let known: Vec<String> = machines().collect();
        if !known.contains(&fault.node) {
            let hint = meant(&fault.node, known.iter().map(String::as_str), "its machines are");
            wrong(format!("the world has no machine `{}`", fault.node), hint, at);
        } else if let Some((missing, false)) = needs {
            wrong(format!("`{word}` lacks a word of where"), format!("write `{missing}`, too"), at);
        }
    } else if fault.is_off() == fault.node.is_empty() {
        let hint = "write both `node: NAME` and `gives: off`, or neither".to_owned();
        wrong("a node is `off`, and nothing else happens to it".to_owned(), hint, at);
    } else if fault.is_off() {
        let meant_by = |(name, _): &(&str, String)| fault.of.as_ref().is_none_or(|of| of == name);
        let nodes = description.nodes().filter(meant_by).map(|(_, node)| node);
        let known: Vec<String> = nodes.chain(machines()).collect();
        if !known.contains(&fault.node) {
            let hint = meant(&fault.node, known.iter().map(String::as_str), "it has");
            wrong(format!("the world has no node `{}`", fault.node), hint, &below(at, "node"));
        }
    } else if let Some(of) = fault.of.as_deref() {
        let hosts = hosts(description);
        let is_there = match target(description, Some(of)) {
            Target::Anywhere => true,
            Target::Name(host) | Target::Server(host, _) => hosts.contains(&host) || host.parse::<IpAddr>().is_ok(),
        };
        if !is_there {
            let clusters = description.clusters().iter().map(|(name, _)| name.clone());
            let known: Vec<String> = clusters.chain(hosts).collect();
            let hint = meant(of, known.iter().map(String::as_str), "it has");
            wrong(format!("the world has no server or name `{of}`"), hint, &below(at, "of"));
        }
    }
}

/// Every name at which somebody is, or that leads somewhere.
fn hosts(description: &Description) -> Vec<String> {
    let of_address = |address: &str| host_and_port(address).map(|(host, _)| host.to_owned());
    let clusters = description.clusters().iter();
    let servers = clusters.clone().filter_map(|(name, cluster)| of_address(&server(name, cluster)));
    let sites = description.sites.0.iter().filter_map(|(at, _)| origin(at).map(|(_, host, _)| host.to_owned()));
    let redis = description.redis.0.iter().filter_map(|(at, _)| of_address(at));
    let ports = description.ports.0.iter().filter_map(|(at, _)| of_address(at));
    let names = description.names.0.iter().map(|(name, _)| name.clone());
    let machines = description.machines.0.iter().map(|(name, _)| name.clone());
    let webhooks = clusters.map(|(name, _)| webhooks::host(name));
    servers.chain(sites).chain(redis).chain(ports).chain(names).chain(machines).chain(webhooks).collect()
}
