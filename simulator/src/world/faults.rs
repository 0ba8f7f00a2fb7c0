//! What goes wrong, as the world's file has it.

use std::time::Duration;

use tokio::time::sleep_until;

use super::{
    World,
    check::{host_and_port, origin},
    cluster::{self, Placed},
    description::{Description, Fault, Gives},
};
use crate::{
    duration::Length,
    faults::{Choice, Faults, Matching, Rule, Target, Trouble, bad_day, stroke},
    talos::{estate::PORT, machine::Ill},
    time::During,
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
pub fn turn_off_nodes(world: &World, described: &Description, seed: u64) {
    for fault in described.faults.iter().filter(|fault| fault.is_off()) {
        let clusters = world.clusters.iter().filter(|placed| fault.of.as_ref().is_none_or(|of| *of == placed.name));
        for placed in clusters {
            turn_off(placed, fault.node.clone(), world.during(fault.from, fault.until));
        }
    }
    if let Some((Struck::Node(cluster, node), during)) = struck(world, described, seed)
        && let Some(placed) = world.clusters.iter().find(|placed| placed.name == cluster)
    {
        turn_off(placed, node, during);
    }
}

/// The machine that has a bad day.
pub enum Struck<'d> {
    /// A cluster's node: it is off.
    Node(&'d str, String),
    /// A machine of its own.
    Machine(&'d str, Ill),
}

/// Whom a bad day strikes, and when.
pub fn struck<'d>(world: &World, described: &'d Description, seed: u64) -> Option<(Struck<'d>, During)> {
    const ILLS: [Ill; 5] = [Ill::Off, Ill::Away, Ill::Mute, Ill::InstallsForever, Ill::WrongImage];
    let nodes: Vec<_> = described.nodes().collect();
    let machines = &described.machines.0;
    let stroke = described.bad_day.then(|| stroke(seed, nodes.len() + machines.len(), world.begins))??;
    let struck = match nodes.get(stroke.machine) {
        Some((cluster, node)) => Struck::Node(cluster, node.clone()),
        None => {
            let (name, _) = &machines[stroke.machine - nodes.len()];
            Struck::Machine(name, ILLS[stroke.sort % ILLS.len()].clone())
        }
    };
    Some((struck, stroke.during))
}

fn turn_off(placed: &Placed, node: String, during: During) {
    let cluster = placed.cluster.clone();
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
            "expired" => Trouble::Expired,
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

/// Whom a fault strikes.
pub fn target(described: &Description, of: Option<&str>) -> Target {
    let Some(of) = of else { return Target::Anywhere };
    if described.machines.0.iter().any(|(name, _)| name == of) {
        return Target::Server(of.to_owned(), PORT);
    }
    let cluster = described.clusters().iter().find(|(name, _)| name == of);
    let server = cluster.map(|(name, cluster)| cluster::server(name, cluster));
    let of = server.as_deref().unwrap_or(of);
    match (origin(of), host_and_port(of)) {
        (Some((_, host, port)), _) | (None, Some((host, port))) => Target::Server(host.to_owned(), port),
        (None, None) => Target::Name(of.to_owned()),
    }
}
