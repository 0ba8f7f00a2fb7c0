//! Each behaviour of a Kubernetes API server has one body, which plays against the simulator and against a real control plane.
//!
//! What the real one answers is kept in `recorded/`. The simulator is always held against that; the real one, where the testbed
//! is there, too, and `UPDATE=1` writes down what it says.

#![allow(clippy::disallowed_methods, reason = "tests read their settings from the environment")]

macro_rules! bodies {
    ($($name:ident)*) => {
        pub const BODIES: &[(&str, fn(&crate::arms::Arm))] = &[$((stringify!($name), $name)),*];
    };
}

mod access;
mod admission;
mod aggregation;
#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "../arms/mod.rs"]
mod arms;
mod attended;
mod backends;
mod certificates;
mod claims;
mod commands;
mod configmaps;
mod cronjobs;
mod daemonsets;
mod data;
mod decoding;
mod definitions;
mod deletion;
mod deployments;
mod devices;
mod discovery;
mod disruption;
mod ending_definitions;
mod endings;
mod endpoints;
mod events;
mod extending;
mod flux;
mod garbage;
mod jobs;
mod limits;
mod lists;
mod load_balancers;
mod logs;
mod metadata;
mod mutations;
mod namespaces;
mod networking;
mod nodes;
mod objects_of_definitions;
mod oddities;
mod patches;
mod pod_changes;
mod pod_checks;
mod pod_defaults;
mod proxies;
mod rbac;
mod recorded;
mod replicasets;
mod representations;
mod rules_of_values;
mod scheduling;
mod serviceaccounts;
mod services;
mod settled;
mod statefulsets;
mod storage;
mod subresources;
mod tables;
mod upstream;
mod values;
mod volumes;
mod watches;
mod words;
mod workload_changes;
mod workload_checks;
mod workload_defaults;
mod wrong_definitions;

use std::thread;

use arms::{Arm, real, simulated};
use libtest_mimic::{Arguments, Failed, Trial};

type Bodies = &'static [(&'static str, fn(&Arm))];

/// The area whose bodies need a control plane with MetalLB.
const BALANCED: &str = "load_balancers";

/// Areas whose bodies need Flux's controllers.
const FLUX: [&str; 3] = ["flux_manifests", "flux_releases", "flux_sources"];

/// What bodies are about.
const AREAS: &[(&str, Bodies)] = &[
    ("access", access::BODIES),
    ("admission", admission::BODIES),
    ("aggregation", aggregation::BODIES),
    ("attended", attended::BODIES),
    ("backends", backends::BODIES),
    ("certificates", certificates::BODIES),
    ("claims", claims::BODIES),
    ("commands", commands::BODIES),
    ("configmaps", configmaps::BODIES),
    ("cronjobs", cronjobs::BODIES),
    ("daemonsets", daemonsets::BODIES),
    ("data", data::BODIES),
    ("decoding", decoding::BODIES),
    ("definitions", definitions::BODIES),
    ("deletion", deletion::BODIES),
    ("deployments", deployments::BODIES),
    ("devices", devices::BODIES),
    ("discovery", discovery::BODIES),
    ("disruption", disruption::BODIES),
    ("ending_definitions", ending_definitions::BODIES),
    ("endings", endings::BODIES),
    ("endpoints", endpoints::BODIES),
    ("events", events::BODIES),
    ("extending", extending::BODIES),
    (FLUX[0], flux::manifests::BODIES),
    (FLUX[1], flux::releases::BODIES),
    (FLUX[2], flux::sources::BODIES),
    ("garbage", garbage::BODIES),
    ("jobs", jobs::BODIES),
    ("limits", limits::BODIES),
    ("lists", lists::BODIES),
    (BALANCED, load_balancers::BODIES),
    ("logs", logs::BODIES),
    ("metadata", metadata::BODIES),
    ("mutations", mutations::BODIES),
    ("namespaces", namespaces::BODIES),
    ("networking", networking::BODIES),
    ("nodes", nodes::BODIES),
    ("objects_of_definitions", objects_of_definitions::BODIES),
    ("oddities", oddities::BODIES),
    ("patches", patches::BODIES),
    ("pod_changes", pod_changes::BODIES),
    ("pod_checks", pod_checks::BODIES),
    ("pod_defaults", pod_defaults::BODIES),
    ("proxies", proxies::BODIES),
    ("rbac", rbac::BODIES),
    ("replicasets", replicasets::BODIES),
    ("representations", representations::BODIES),
    ("rules_of_values", rules_of_values::BODIES),
    ("scheduling", scheduling::BODIES),
    ("serviceaccounts", serviceaccounts::BODIES),
    ("services", services::BODIES),
    ("statefulsets", statefulsets::BODIES),
    ("storage", storage::BODIES),
    ("subresources", subresources::BODIES),
    ("tables", tables::BODIES),
    ("upstream", upstream::BODIES),
    ("values", values::BODIES),
    ("volumes", volumes::BODIES),
    ("watches", watches::BODIES),
    ("words", words::BODIES),
    ("workload_changes", workload_changes::BODIES),
    ("workload_checks", workload_checks::BODIES),
    ("workload_defaults", workload_defaults::BODIES),
    ("wrong_definitions", wrong_definitions::BODIES),
];

/// Areas whose bodies make nodes, or are told how many there are.
const COUNTING_NODES: [&str; 3] = ["daemonsets", "nodes", "scheduling"];

fn main() {
    let mut trials = Vec::new();
    for (area, bodies) in AREAS {
        if *area == "upstream" && !upstream::all().exists() {
            testbed::say("definitions of projects: skipped, because `../shared/crds` is not there");
            continue;
        }
        for (name, body) in *bodies {
            trials.push(Trial::test(format!("real::{area}::{name}"), || on_the_real_one(area, name, *body)));
            if updating() {
                continue;
            }
            trials.push(Trial::test(format!("simulated::{area}::{name}"), || simulated(area, name, *body)));
        }
    }
    let mut arguments = Arguments::from_args();
    // On the real arm, bodies wait for controllers most of the time.
    arguments.test_threads.get_or_insert(2 * thread::available_parallelism().map_or(1, usize::from));
    let conclusion = libtest_mimic::run(&arguments, trials);
    println!("{:<40} bodies", "area");
    for (area, bodies) in AREAS {
        println!("{area:<40} {:>6}", bodies.len());
    }
    println!("{:<40} {:>6}", "all", AREAS.iter().map(|(_, bodies)| bodies.len()).sum::<usize>());
    conclusion.exit()
}

/// Then the real server is asked what is right, and the simulator nothing.
fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn simulated(area: &str, name: &str, body: fn(&Arm)) -> Result<(), Failed> {
    let arm = match area {
        area if FLUX.contains(&area) => simulated::arm_of(&space(area, name), arms::flux::begin),
        _ => simulated::arm(&space(area, name)),
    };
    body(&arm);
    recorded::hold_against(area, name, &arm.told())
}

fn on_the_real_one(area: &str, name: &str, body: fn(&Arm)) -> Result<(), Failed> {
    let bed = match area {
        BALANCED => testbed::balancing(),
        area if FLUX.contains(&area) => arms::flux::stocked(),
        area if COUNTING_NODES.contains(&area) => testbed::alone(),
        _ => testbed::shared(),
    };
    let Some(bed) = bed else { return Ok(()) };
    let arm = real::arm(&bed, &space(area, name));
    body(&arm);
    if updating() {
        recorded::write(area, name, &arm.told());
    }
    recorded::hold_against(area, name, &arm.told())
}

/// The namespace of a body: long enough to tell it from others, short enough to be one.
fn space(area: &str, name: &str) -> String {
    let digest =
        format!("{area} {name}").bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("space-{digest:08x}")
}
