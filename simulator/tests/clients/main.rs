//! Unmodified programs of Kubernetes and Helm at work on a rehearsed cluster.
//!
//! Each session is a sequence of commands. What the same programs print against a real control plane is kept in `recorded/`, and
//! the simulator is held against that; with the filter `real::` they are played there again, and `UPDATE=1` writes down what it
//! says. What no real control plane of the testbed can do, such as running programs in pods, was read by a person before it was
//! kept.
#![allow(clippy::disallowed_methods, reason = "tests run real programs, by the system's own clock")]

#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "../arms/mod.rs"]
mod arms;
mod changing;
mod console;
mod forwarding;
mod looking;
mod machines;
mod making;
mod nodes;
mod releases;
mod rolling;
mod running;

use std::{path::Path, sync::Arc};

use console::{Console, Place};
use libtest_mimic::{Arguments, Failed, Trial};
use simulator::{
    kubernetes::{behaviour::Rule, cluster::Cluster, control_plane},
    time::Calendar,
};

type Session = fn(&Console);

/// Sessions that go alike on both.
const COMPARED: &[(&str, Session)] = &[
    ("a_chart_lives_and_dies", releases::a_chart_lives_and_dies),
    ("a_machine_is_drained", machines::a_machine_is_drained),
    ("files_are_applied", changing::files_are_applied),
    ("it_is_known_what_there_is", looking::it_is_known_what_there_is),
    ("objects_are_changed", changing::objects_are_changed),
    ("things_are_described", looking::things_are_described),
    ("things_are_listed", looking::things_are_listed),
    ("things_are_made", making::things_are_made),
    ("versions_are_rolled_out", rolling::versions_are_rolled_out),
];

/// Sessions that need pods in which programs run.
const RUNNING: &[(&str, Session)] = &[
    ("logs_are_read", running::logs_are_read),
    ("commands_are_run", running::commands_are_run),
    ("files_are_copied", running::files_are_copied),
    ("programs_are_attached_to", running::programs_are_attached_to),
    ("ports_are_forwarded", forwarding::ports_are_forwarded),
];

fn main() {
    let Some(tools) = testbed::programs() else { return };
    let tools: &'static Path = Box::leak(tools.assets.into_boxed_path());
    let arguments = Arguments::from_args();
    // The real one takes its time: it is looked at again when somebody asks for it.
    let real = console::updating() || arguments.filter.as_deref().is_some_and(|filter| filter.starts_with("real::"));
    let mut trials = Vec::new();
    for (name, session) in COMPARED {
        if real {
            trials.push(Trial::test(format!("real::{name}"), || on_the_real_one(name, *session)));
        }
        if !console::updating() {
            trials.push(Trial::test(format!("simulated::{name}"), || simulated(tools, name, *session, false)));
        }
    }
    for (name, session) in RUNNING {
        trials.push(Trial::test(format!("simulated::{name}"), || simulated(tools, name, *session, true)));
    }
    for (name, session) in nodes::SESSIONS {
        trials.push(Trial::test(format!("simulated::{name}"), || nodes::play(tools, name, *session)));
    }
    trials.push(Trial::test("simulated::a_dashboard_has_no_model", || nodes::a_dashboard_has_no_model(tools)));
    libtest_mimic::run(&arguments, trials).exit();
}

/// What containers do in these sessions.
const RULES: &str = include_str!("../streams/rules.json");

fn begin(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = control_plane::begin(calendar, seed);
    cluster.machines.behave(serde_json::from_str::<Vec<Rule>>(RULES).unwrap());
    cluster
}

fn simulated(tools: &Path, name: &str, session: Session, keeps: bool) -> Result<(), Failed> {
    let served = arms::loopback::serve(begin);
    let console = Console::open(tools, &Place { kubeconfig: served.kubeconfig(), space: space(name) });
    session(&console);
    let result = console.hold_against(name, keeps);
    let unmodelled = served.unmodelled.lock().unwrap().clone();
    testbed::say(&format!("{name}: {} commands, not modelled: {unmodelled:?}", console.count()));
    result
}

fn on_the_real_one(name: &str, session: Session) -> Result<(), Failed> {
    let Some(bed) = testbed::alone() else { return Ok(()) };
    let console = Console::open(bed.programs(), &Place { kubeconfig: bed.kubeconfig(), space: space(name) });
    session(&console);
    console.hold_against(name, true)
}

fn space(name: &str) -> String {
    name.replace('_', "-")
}
