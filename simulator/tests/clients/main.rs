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
mod flux;
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
use testbed::Bed;

type Session = fn(&Console);

/// How a simulated cluster begins.
type Begin = fn(Calendar, u64) -> Arc<Cluster>;

/// A kind of cluster: how the simulated one begins, and where the real one is.
type Kind = (Begin, fn() -> Option<Bed>);

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

/// Sessions that go alike on both where Flux is.
const WITH_FLUX: &[(&str, Session)] = &[
    ("flux_leads_back_to_where_it_came_from", flux::flux_leads_back_to_where_it_came_from),
    ("flux_looks_whether_all_is_well", flux::flux_looks_whether_all_is_well),
    ("flux_reconciles", flux::flux_reconciles),
    ("flux_says_what_there_is", flux::flux_says_what_there_is),
    ("flux_suspends_and_goes_on", flux::flux_suspends_and_goes_on),
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
    let bare: Kind = (begin, testbed::alone);
    let with_flux: Kind = (arms::flux::begin, arms::flux::stocked);
    let compared = COMPARED.iter().map(|session| (session, bare));
    for ((name, session), (begin, bed)) in compared.chain(WITH_FLUX.iter().map(|session| (session, with_flux))) {
        if real {
            trials.push(Trial::test(format!("real::{name}"), move || on_the_real_one(bed(), name, *session)));
        }
        if !console::updating() {
            let trial = move || simulated(tools, begin, (name, *session), false);
            trials.push(Trial::test(format!("simulated::{name}"), trial));
        }
    }
    for (name, session) in RUNNING {
        let trial = || simulated(tools, begin, (name, *session), true);
        trials.push(Trial::test(format!("simulated::{name}"), trial));
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

fn simulated(tools: &Path, begin: Begin, (name, session): (&str, Session), keeps: bool) -> Result<(), Failed> {
    let served = arms::loopback::serve(begin);
    let console = Console::open(tools, &Place { kubeconfig: served.kubeconfig(), space: space(name) });
    session(&console);
    let result = console.hold_against(name, keeps);
    let unmodelled = served.unmodelled.lock().unwrap().clone();
    testbed::say(&format!("{name}: {} commands, not modelled: {unmodelled:?}", console.count()));
    result
}

fn on_the_real_one(bed: Option<Bed>, name: &str, session: Session) -> Result<(), Failed> {
    let Some(bed) = bed else { return Ok(()) };
    let console = Console::open(bed.programs(), &Place { kubeconfig: bed.kubeconfig(), space: space(name) });
    session(&console);
    console.hold_against(name, true)
}

fn space(name: &str) -> String {
    name.replace('_', "-")
}
