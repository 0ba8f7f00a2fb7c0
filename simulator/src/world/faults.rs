//! What goes wrong, as the world's file has it.

use std::time::Duration;

use tokio::time::sleep_until;

use super::{
    World,
    check::{host_and_port, origin},
    cluster,
    description::{Description, Fault, Gives},
};
use crate::{
    duration::Length,
    faults::{Choice, Faults, Matching, Rule, Target, Trouble, bad_day},
    talos::estate::PORT,
};

/// How long a slow body takes, and a watch that ends lasts, if nobody says.
const USUAL: Duration = Duration::from_secs(30);

/// Everything that goes wrong with requests in a world, and on a bad day more than its file says.
pub fn of(world: &World, described: &Description, seed: u64) -> Faults {
    let mut rules: Vec<Rule> = described.faults.iter().filter_map(|fault| rule(world, described, fault)).collect();
    if described.bad_day {
        rules.extend(bad_day(seed, world.begins));
    }
    Faults::new(rules, seed)
}

/// Turns nodes off when their time has come, and on again if they ever return.
pub fn turn_off_nodes(world: &World, described: &Description) {
    for fault in described.faults.iter().filter(|fault| fault.is_off()) {
        let clusters = world.clusters.iter().filter(|placed| fault.of.as_ref().is_none_or(|of| *of == placed.name));
        for placed in clusters {
            let (cluster, node) = (placed.cluster.clone(), fault.node.clone());
            let during = world.during(fault.from, fault.until);
            tokio::spawn(async move {
                if let Some(from) = during.from {
                    sleep_until(from).await;
                }
                cluster.machines.turn_off(&node);
                if let Some(until) = during.until {
                    sleep_until(until).await;
                    cluster.machines.turn_on(&node);
                }
            });
        }
    }
}

fn rule(world: &World, described: &Description, fault: &Fault) -> Option<Rule> {
    if fault.is_of_a_node() {
        return None;
    }
    let length = fault.lasts.map_or(USUAL, |Length(length)| length);
    let trouble = match &fault.gives {
        Gives::Status(code) => Trouble::Status {
            code: *code,
            message: fault.message.clone(),
            retry_after: fault.retry_after.map(|Length(pause)| pause),
        },
        Gives::Word(word) => match word.as_str() {
            "refused" => Trouble::Refused,
            "missing" => Trouble::Missing,
            "reset" => Trouble::Reset,
            "lost" => Trouble::Lost,
            "silent" => Trouble::Silent,
            "slow" => Trouble::Slow(length),
            "truncated" => Trouble::Truncated,
            "ends" => Trouble::Ends { after: length, code: fault.with },
            other => unreachable!("the schema lets no `{other}` pass"),
        },
    };
    let matching = Matching {
        target: target(described, fault.of.as_deref()),
        verb: fault.verb.clone(),
        resource: fault.resource.clone(),
        namespace: fault.namespace.clone(),
        name: fault.name.clone(),
        path: fault.path.clone(),
    };
    let choice = Choice {
        during: world.during(fault.from, fault.until),
        nth: fault.nth,
        every: fault.every,
        times: fault.times,
        chance: fault.chance.unwrap_or(1.0),
    };
    Some(Rule { matching, choice, trouble })
}

fn target(described: &Description, of: Option<&str>) -> Target {
    let Some(of) = of else { return Target::Anywhere };
    if described.machines.0.iter().any(|(name, _)| name == of) {
        return Target::Server(of.to_owned(), PORT);
    }
    let cluster = described.clusters.0.iter().find(|(name, _)| name == of);
    let server = cluster.map(|(name, cluster)| cluster::server(name, cluster));
    let of = server.as_deref().unwrap_or(of);
    match (origin(of), host_and_port(of)) {
        (Some((_, host, port)), _) | (None, Some((host, port))) => Target::Server(host.to_owned(), port),
        (None, None) => Target::Name(of.to_owned()),
    }
}
