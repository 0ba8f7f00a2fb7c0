//! The services of a node: which there are, how they depend on what happens, and what became of them.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

/// How many of its states a service remembers.
const REMEMBERED: usize = 64;

/// A state of a service, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Preparing,
    Running,
    Stopping,
    Finished,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Preparing => "Preparing",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Finished => "Finished",
        }
    }

    /// Its number in events.
    pub fn action(self) -> talos::api::machine::service_state_event::Action {
        use talos::api::machine::service_state_event::Action;
        match self {
            Self::Preparing => Action::Preparing,
            Self::Running => Action::Running,
            Self::Stopping => Action::Stopping,
            Self::Finished => Action::Finished,
        }
    }
}

/// Something that became of a service.
#[derive(Debug, Clone)]
pub struct Past {
    pub state: State,
    pub message: String,
    pub at: Timestamp,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    pub past: VecDeque<Past>,
    pub healthy: bool,
    /// Nobody asks it how it is.
    pub unasked: bool,
    pub since: Timestamp,
}

impl Service {
    pub fn state(&self) -> State {
        self.past.back().map_or(State::Preparing, |past| past.state)
    }

    pub fn runs(&self) -> bool {
        self.state() == State::Running
    }
}

/// The services of a node by their names.
#[derive(Debug, Clone, Default)]
pub struct Services(pub BTreeMap<&'static str, Service>);

/// What nobody asks how it is.
const UNASKED: [&str; 2] = ["auditd", "dashboard"];

impl Services {
    /// From now on it is so with a service.
    pub fn become_so(&mut self, name: &'static str, state: State, message: &str, at: Timestamp) {
        let unasked = UNASKED.contains(&name);
        let service =
            self.0.entry(name).or_insert_with(|| Service { past: VecDeque::new(), healthy: false, unasked, since: at });
        service.past.push_back(Past { state, message: message.to_owned(), at });
        if service.past.len() > REMEMBERED {
            service.past.pop_front();
        }
        let healthy = state == State::Running && !service.unasked;
        if service.healthy != healthy {
            (service.healthy, service.since) = (healthy, at);
        }
    }

    pub fn runs(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Service::runs)
    }
}

/// The number of the process of this name.
pub fn pid(name: &str) -> u32 {
    1000 + name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 3000
}

/// What is said when a service has come to a state.
pub fn words(name: &str, state: State) -> String {
    match (name, state) {
        (_, State::Preparing) => "Running pre state".to_owned(),
        ("machined" | "auditd" | "syslogd", State::Running) => "Service started as goroutine".to_owned(),
        ("apid" | "etcd" | "kubelet" | "trustd", State::Running) => {
            format!("Started task {name} (PID {}) for container {name}", pid(name))
        }
        ("containerd" | "cri" | "dashboard" | "udevd", State::Running) => {
            format!("Process Process([\"/usr/bin/{name}\"]) started with PID {}", pid(name))
        }
        (_, State::Running) => "Running".to_owned(),
        (_, State::Stopping) => "Sending SIGTERM to task".to_owned(),
        (_, State::Finished) => "Service finished successfully".to_owned(),
    }
}

/// What may be done to a service from outside.
pub fn allows(name: &str, action: &str) -> bool {
    name.starts_with("ext-") || (name == "kubelet" && action != "stop")
}
