//! A node: what is on its disks, what runs of it now, and what it is told to do.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use jiff::Timestamp;
use talos::api::machine::{
    ResetRequest, ServiceEvent, ServiceEvents, ServiceHealth, ServiceStateEvent,
    machine_status_event::{MachineStage, MachineStatus, machine_status::UnmetCondition},
};
use tokio::sync::Notify;

use super::{
    boot::Boot,
    config::Config,
    estate::Estate,
    etcd,
    machine::{Machine, minor},
    resources::Store,
    sequences::Sequence,
    services::{Services, State as ServiceState, words},
    snapshot::Saved,
    stages::Stages,
};
use crate::{kubernetes::cluster::Cluster, time::Calendar};

/// What a node is told to do next.
#[derive(Debug, Clone)]
pub enum Order {
    /// It has a configuration now.
    Configured,
    Reboot {
        kexec: bool,
    },
    Rollback,
    Shutdown,
    Reset(Box<ResetRequest>),
    Upgrade {
        version: String,
    },
}

impl Order {
    /// What it makes a node go through.
    pub fn sequence(&self) -> Sequence {
        match self {
            Self::Configured | Self::Reboot { .. } | Self::Rollback => Sequence::Reboot,
            Self::Shutdown => Sequence::Shutdown,
            Self::Reset(request) => Sequence::Reset { graceful: request.graceful },
            Self::Upgrade { .. } => Sequence::Upgrade,
        }
    }

    /// Whether it is followed although the node is in the midst of something.
    fn interrupts(&self, running: Sequence) -> bool {
        match self {
            Self::Configured | Self::Rollback | Self::Shutdown => true,
            Self::Reboot { .. } => !matches!(running, Sequence::Install | Sequence::Upgrade | Sequence::Shutdown),
            Self::Reset(_) | Self::Upgrade { .. } => running == Sequence::Boot,
        }
    }
}

/// A system on a disk.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    pub version: String,
    /// The disk that it is on.
    pub disk: String,
    /// The version that was there before, to which it can be rolled back.
    pub former: Option<String>,
}

/// An image, and in which runtime and space of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    pub driver: i32,
    pub namespace: i32,
    pub name: String,
}

/// What a node is at this moment.
pub struct State {
    pub address: IpAddr,
    pub system: Option<System>,
    /// The configuration on its disk.
    pub kept: Option<Config>,
    /// The one that it follows now.
    pub config: Option<Config>,
    pub meta: BTreeMap<u8, Vec<u8>>,
    pub etcd: Option<etcd::Data>,
    /// An upgrade that waits for the next start.
    pub staged: Option<String>,
    /// An installer writes to its disk.
    pub installs: bool,
    /// Images that somebody had it pull, and when.
    pub images: BTreeMap<Image, Timestamp>,
    /// How many certificates it made for others.
    pub granted: u64,
    pub stage: MachineStage,
    pub services: Services,
    pub time_in_sync: bool,
    /// Its static pods run.
    pub control_plane: bool,
    /// Somebody said that etcd begins here.
    pub bootstraps: bool,
    /// What its etcd is to begin with.
    pub saved: Option<Saved>,
    pub boot: Arc<Boot>,
    pub store: Arc<Store>,
    /// It was there before the world began: nothing takes it any time until it runs.
    pub rushes: bool,
    /// What it goes through now.
    pub sequence: Option<Sequence>,
    order: Option<Order>,
    /// How often it was started.
    starts: u64,
    /// What a configuration that is only tried replaces.
    pub tried: Option<Config>,
    /// The cluster that its kubelet is known to.
    pub joined: Option<Arc<Cluster>>,
    /// Its static pods are known there, too.
    pub pods_shown: bool,
}

pub struct Node {
    pub machine: Machine,
    pub number: u64,
    pub calendar: Calendar,
    estate: Weak<Estate>,
    state: Mutex<State>,
    /// Told whenever anything of the state is another.
    pub changed: Notify,
}

impl Node {
    pub fn new(machine: Machine, number: u64, calendar: Calendar, estate: Weak<Estate>) -> Arc<Self> {
        let calendar = calendar.ahead(machine.ahead);
        let boot = Boot::begin(String::new(), calendar);
        boot.end();
        let state = State {
            address: machine.address,
            system: None,
            kept: None,
            config: None,
            meta: BTreeMap::new(),
            etcd: None,
            staged: None,
            installs: false,
            images: BTreeMap::new(),
            granted: 0,
            stage: MachineStage::Unknown,
            services: Services::default(),
            time_in_sync: false,
            control_plane: false,
            bootstraps: false,
            saved: None,
            boot,
            store: Arc::default(),
            rushes: false,
            sequence: None,
            order: None,
            starts: 0,
            tried: None,
            joined: None,
            pods_shown: false,
        };
        Arc::new(Self { machine, number, calendar, estate, state: Mutex::new(state), changed: Notify::new() })
    }

    pub fn estate(&self) -> Arc<Estate> {
        self.estate.upgrade().expect("nodes live in their estate")
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what it is.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state())
    }

    pub fn is_of_the_control_plane(&self) -> bool {
        self.look(|state| state.config.as_ref().is_some_and(Config::is_control_plane))
    }

    pub fn runs(&self, service: &str) -> bool {
        self.look(|state| state.services.runs(service))
    }

    /// Changes what it is, and tells whoever looks at it.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.shows_anew();
        changed
    }

    /// What it shows may be another now.
    pub fn shows_anew(&self) {
        let store = self.state().store.clone();
        if store.is_watched() {
            super::resources::settle(self);
        }
        self.changed.notify_waiters();
    }

    /// Waits until this holds.
    pub async fn until(&self, holds: impl Fn(&State) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on nothing is missed.
            changed.as_mut().enable();
            if holds(&self.state()) {
                return;
            }
            changed.await;
        }
    }

    /// Tells it what to do next. False, if it is in the midst of something that this may not interrupt.
    pub fn order(&self, order: Order) -> bool {
        self.change(|state| {
            let free = state.sequence.is_none_or(|running| order.interrupts(running));
            if free {
                state.order = Some(order);
            }
            free
        })
    }

    /// The next thing to do, as soon as there is one.
    pub async fn next_order(&self) -> Order {
        self.until(|state| state.order.is_some()).await;
        self.state().order.take().expect("it was there a moment ago")
    }

    /// It is started: nothing is left of its life before.
    pub fn starts(&self) -> Arc<Boot> {
        let mut state = self.state();
        state.starts += 1;
        let boot = Boot::begin(self.uuid(state.starts), self.calendar);
        state.boot = boot.clone();
        state.store = Arc::default();
        state.services = Services::default();
        (state.time_in_sync, state.control_plane, state.bootstraps) = (false, false, false);
        (state.sequence, state.order) = (None, None);
        state.config = state.kept.clone().filter(|_| self.finds(state.system.as_ref()));
        (state.tried, state.joined, state.pods_shown) = (None, None, false);
        boot
    }

    /// Bytes that follow from the seed of the world, from this node and from what they are for.
    pub fn bytes(&self, salt: u64) -> [u8; 32] {
        let seed =
            self.estate().seed ^ self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xd1b5_4a32);
        let mut bytes = [0; 32];
        fastrand::Rng::with_seed(seed).fill(&mut bytes);
        bytes
    }

    /// Bytes for a key that nobody got before.
    pub fn next_key(&self) -> [u8; 32] {
        let count = self.change(|state| {
            state.granted += 1;
            state.granted
        });
        self.bytes(0xc11e_0000 + count)
    }

    /// A number of the form of a UUID.
    pub fn uuid(&self, salt: u64) -> String {
        let bytes = self.bytes(salt.wrapping_add(0x1000));
        let hex: String = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    /// How long everything takes now.
    pub fn stages(&self) -> Stages {
        match self.look(|state| state.rushes) {
            true => Stages::OVER,
            false => self.machine.stages,
        }
    }

    /// Whether this system is on a disk that is found.
    fn finds(&self, system: Option<&System>) -> bool {
        system.is_some_and(|system| self.machine.disk(&system.disk).is_some())
    }

    /// Whether it starts from its disk.
    pub fn is_installed(&self) -> bool {
        self.finds(self.state().system.as_ref())
    }

    /// How often it was started.
    pub fn life(&self) -> u64 {
        self.state().starts
    }

    pub fn version(&self) -> String {
        let state = self.state();
        let system = state.system.as_ref().filter(|system| self.finds(Some(system)));
        system.map_or_else(|| self.machine.version.clone(), |system| system.version.clone())
    }

    /// The minor version of the system that runs.
    pub fn minor(&self) -> u32 {
        minor(&self.version())
    }

    pub fn hostname(&self) -> String {
        let state = self.state();
        state.config.as_ref().and_then(Config::hostname).unwrap_or_else(|| self.machine.name.clone())
    }

    pub fn goes_through(&self, sequence: Option<Sequence>) {
        self.state().sequence = sequence;
    }

    pub fn enters(&self, stage: MachineStage) {
        self.change(|state| {
            state.stage = stage;
            state.rushes &= stage != MachineStage::Running;
        });
        let (status, boot) = (self.status(), self.state().boot.clone());
        boot.stage(stage, status);
    }

    /// Whether it is ready, and if not, what stands in the way.
    pub fn status(&self) -> MachineStatus {
        let state = self.state();
        let mut unmet = Vec::new();
        let mut add = |name: &str, reason: String| {
            unmet.push(UnmetCondition { name: name.to_owned(), reason });
        };
        if matches!(state.stage, MachineStage::Booting | MachineStage::Running) {
            if !state.time_in_sync {
                add("time", "time is not synced".to_owned());
            }
            let ills: Vec<String> = state
                .services
                .0
                .iter()
                .filter(|(_, service)| !service.unasked)
                .filter_map(|(name, service)| match (service.runs(), service.healthy) {
                    (false, _) => Some(format!("{name} not running")),
                    (true, false) => Some(format!("{name} not healthy")),
                    (true, true) => None,
                })
                .collect();
            if !ills.is_empty() {
                add("services", ills.join(", "));
            }
            if state.config.as_ref().is_some_and(Config::is_control_plane) && !state.control_plane {
                add("staticPods", "kube-apiserver not running".to_owned());
            }
        }
        let settled = matches!(state.stage, MachineStage::Booting | MachineStage::Running | MachineStage::Maintenance);
        MachineStatus { ready: settled && unmet.is_empty(), unmet_conditions: unmet }
    }

    /// A service has come to another state.
    pub fn service(&self, name: &'static str, state: ServiceState) {
        let message = words(name, state);
        let now = self.calendar.now();
        let boot = self.change(|of| {
            of.services.become_so(name, state, &message, now);
            of.boot.clone()
        });
        boot.service(&ServiceStateEvent {
            service: name.to_owned(),
            action: state.action().into(),
            message: message.clone(),
            health: Some(ServiceHealth {
                unknown: state != ServiceState::Running,
                healthy: state == ServiceState::Running,
                last_message: String::new(),
                last_change: Some(moment(now)),
            }),
        });
        boot.note(&format!("service[{name}]({}): {message}", state.name()));
    }

    /// What became of a service, as it is told.
    pub fn told_of(&self, name: &str) -> Option<(ServiceEvents, ServiceHealth, &'static str)> {
        let state = self.state();
        let service = state.services.0.get(name)?;
        let events = service.past.iter().map(|past| ServiceEvent {
            msg: past.message.clone(),
            state: past.state.name().to_owned(),
            ts: Some(moment(past.at)),
        });
        let health = ServiceHealth {
            unknown: service.unasked || !service.runs(),
            healthy: service.healthy,
            last_message: String::new(),
            last_change: Some(moment(service.since)),
        };
        Some((ServiceEvents { events: events.collect() }, health, service.state().name()))
    }
}

/// A moment as messages have it.
pub fn moment(at: jiff::Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}
