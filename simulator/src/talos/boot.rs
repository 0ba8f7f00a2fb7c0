//! One life of a node, from a start of its kernel to the next: what is gone with it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use prost::Message;
use talos::api::{
    common,
    machine::{
        self, MachineStatusEvent, PhaseEvent, SequenceEvent, ServiceStateEvent, TaskEvent,
        machine_status_event::{MachineStage, MachineStatus},
    },
};

use super::{feed::Feed, gate::Gate};
use crate::time::Calendar;

/// Something that happened, as clients are told.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub actor: String,
    pub kind: &'static str,
    pub value: Vec<u8>,
    pub at: Timestamp,
}

/// One life of a node.
pub struct Boot {
    /// As `/proc/sys/kernel/random/boot_id` has it.
    pub id: String,
    pub calendar: Calendar,
    /// Open for as long as it lasts.
    pub gate: Gate,
    pub events: Feed<Event>,
    pub kernel: Feed<String>,
    logs: Mutex<BTreeMap<String, Arc<Feed<String>>>>,
    /// On whose behalf the node does what it does now.
    actor: Mutex<String>,
    count: Mutex<u32>,
    began: Timestamp,
}

impl Boot {
    pub fn begin(id: String, calendar: Calendar) -> Arc<Self> {
        Arc::new(Self {
            id,
            calendar,
            gate: Gate::default(),
            events: Feed::default(),
            kernel: Feed::default(),
            logs: Mutex::default(),
            actor: Mutex::default(),
            count: Mutex::default(),
            began: calendar.now(),
        })
    }

    /// It is over: nothing of it is told any more.
    pub fn end(&self) {
        self.gate.close();
        self.events.end();
        self.kernel.end();
        lock(&self.logs).values().for_each(|log| log.end());
    }

    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// From now on it does what it does on somebody's behalf. Answers on whose it did before.
    pub fn acts_for(&self, actor: &str) -> String {
        std::mem::replace(&mut lock(&self.actor), actor.to_owned())
    }

    /// A number that comes after all before it: twenty letters, of which the first ones are the time.
    pub fn next_id(&self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
        let mut count = lock(&self.count);
        *count += 1;
        let seconds = u32::try_from(self.calendar.now().as_second()).unwrap_or_default();
        let machine = self.id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let bits = u128::from(seconds) << 64 | u128::from(machine & 0xff_ffff_ffff) << 24 | u128::from(*count);
        // 96 bits in 20 letters of five bits: the last letter has one bit of them only.
        let shifted = bits << 4;
        (0..20).rev().map(|letter| char::from(LETTERS[(shifted >> (letter * 5)) as usize & 31])).collect()
    }

    /// Tells clients something.
    fn tell<M: Message>(&self, kind: &'static str, event: &M) {
        let actor = lock(&self.actor).clone();
        let (id, at) = (self.next_id(), self.calendar.now());
        self.events.tell(Event { id, actor, kind, value: event.encode_to_vec(), at });
    }

    pub fn sequence(&self, sequence: &str, action: machine::sequence_event::Action) {
        let event = SequenceEvent { sequence: sequence.to_owned(), action: action.into(), error: None };
        self.tell("machine.SequenceEvent", &event);
    }

    /// A sequence doesn't come to its end, or doesn't begin.
    pub fn fails(&self, sequence: &str, code: common::Code, message: &str) {
        let error = common::Error { code: code.into(), message: message.to_owned(), details: Vec::new() };
        let action = machine::sequence_event::Action::Noop;
        let event = SequenceEvent { sequence: sequence.to_owned(), action: action.into(), error: Some(error) };
        self.tell("machine.SequenceEvent", &event);
    }

    pub fn phase(&self, phase: &str, action: machine::phase_event::Action) {
        self.tell("machine.PhaseEvent", &PhaseEvent { phase: phase.to_owned(), action: action.into() });
    }

    pub fn task(&self, task: &str, action: machine::task_event::Action) {
        self.tell("machine.TaskEvent", &TaskEvent { task: task.to_owned(), action: action.into() });
    }

    pub fn stage(&self, stage: MachineStage, status: MachineStatus) {
        self.tell("machine.MachineStatusEvent", &MachineStatusEvent { stage: stage.into(), status: Some(status) });
    }

    pub fn service(&self, event: &ServiceStateEvent) {
        self.tell("machine.ServiceStateEvent", event);
    }

    /// The kernel says something, or who speaks through it.
    pub fn say(&self, facility: &str, priority: &str, text: &str) {
        let at = self.calendar.now().strftime("%Y-%m-%dT%H:%M:%S%.9fZ");
        self.kernel.tell(format!("{facility}: {priority:>7}: [{at}]: {text}\n"));
    }

    /// The node's own word in the kernel's log, and in its own.
    pub fn note(&self, text: &str) {
        self.say("user", "warning", &format!("[talos] {text}"));
        let at = self.calendar.now().strftime("%Y/%m/%d %H:%M:%S");
        self.log("machined").tell(format!("[talos] {at} {text}\n"));
    }

    /// The log of a service.
    pub fn log(&self, service: &str) -> Arc<Feed<String>> {
        lock(&self.logs).entry(service.to_owned()).or_default().clone()
    }

    /// The services that wrote something.
    pub fn logs(&self) -> Vec<String> {
        lock(&self.logs).keys().cloned().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
