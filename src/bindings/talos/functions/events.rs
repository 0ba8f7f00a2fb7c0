//! What a node tells of its own doing: information, never a proof that something happened.

use rhai::{Dynamic, FnPtr, Map, NativeCallContext, plugin::*};
use talos::{
    api::machine::{
        AddressEvent, ConfigLoadErrorEvent, ConfigValidationErrorEvent, Event, EventsRequest, MachineStatusEvent,
        PhaseEvent, RestartEvent, SequenceEvent, ServiceStateEvent, TaskEvent, machine_status_event::MachineStage,
        phase_event, sequence_event, service_state_event, task_event,
    },
    prost::{DecodeError, Message},
};

use super::look::{known, object, text};
use crate::{
    bindings::talos::{machines::Talos, reach::machine},
    event::WaitEnd,
    host::wait::{Interrupted, Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Calls a closure for each event of a node.
    #[rhai_fn(global, pure, return_raw)]
    pub fn events(context: NativeCallContext, talos: &mut Talos, node: &str, each: FnPtr) -> Outcome<()> {
        follow(&context, talos, node, &each, Map::new())
    }

    /// Calls a closure for each event of a node, until it says `true`, the node ends the stream, or the time is up.
    ///
    /// Events are information: a node that boots forgets them, and one that goes away does not tell that it did. What is to be
    /// relied on is waited for (`wait_boot`, `wait_ready`, `talos::wait_maintenance`).
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `each` (function): is given each event; `true` ends it
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `last` (integer, `0`): so many of those before, first; -1 for all that the node remembers
    /// - `timeout` (duration, `5m`): how long to listen
    ///
    /// # Returns
    /// Nothing. An event is an object with `id`, `actor` and `kind`, which is `sequence`, `phase`, `task`, `service`, `status`,
    /// `addresses`, `restart` or `config`, and with `name`, `action` and `message` as far as there are any.
    ///
    /// # Faults
    /// - `denied`: the certificate may not see them
    /// - `unreachable`: no endpoint gets through to the node
    /// - `usage`: the number can't be one
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// lab.events("10.17.13.86", |event| { print(`${event.kind} ${event.name}: ${event.action}`); }, #{ last: -1, timeout: "10s" });
    /// ```
    #[rhai_fn(global, name = "events", pure, return_raw)]
    pub fn events_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        each: FnPtr,
        options: Map,
    ) -> Outcome<()> {
        follow(&context, talos, node, &each, options)
    }
}

fn follow(context: &NativeCallContext, talos: &Talos, name: &str, each: &FnPtr, options: Map) -> Outcome<()> {
    let options = context.options("talos::events", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let last = options.integer("last").and_then(|last| i32::try_from(last).ok());
    let last = last.ok_or_else(|| raise(Fault::new(Kind::Usage, "there can't be so many events")))?;
    let host = context.host();
    let mut wait = host.begin(Waiting::until(format!("events of node {node}"), timeout));
    let asked = node.clone();
    let mut stream = context.drive(&mut wait, async move {
        let request = EventsRequest { tail_events: last, ..EventsRequest::default() };
        asked
            .ask(|channel| {
                let request = request.clone();
                async move { machine(channel).events(request).await }
            })
            .await
    })?;
    loop {
        let (came, back) = match wait.drive(async move { (stream.message().await, stream) }) {
            Ok(next) => next,
            Err(Interrupted::TimedOut { .. }) => break,
            Err(interrupted) => return Err(context.interrupted(interrupted)),
        };
        stream = back;
        // A node that goes away ends what it tells of itself.
        let Ok(Some(event)) = came else { break };
        let Some(told) = told(&event) else { continue };
        let said = each.call_within_context::<Dynamic>(context, (told.to_dynamic(),))?;
        if said.as_bool().unwrap_or_default() {
            break;
        }
    }
    wait.end(WaitEnd::Met);
    Ok(())
}

/// An event as scripts see it; nothing for the first one, which is empty, and for what a later version tells.
fn told(event: &Event) -> Option<Tree> {
    let data = event.data.as_ref()?;
    let kind = data.type_url.strip_prefix("talos/runtime/machine.")?;
    let [kind, name, action, message] = read(kind, &data.value).ok()??;
    Some(object([
        ("id", text(&event.id)),
        ("actor", text(&event.actor_id)),
        ("kind", text(&kind)),
        ("name", text(&name)),
        ("action", text(&action)),
        ("message", text(&message)),
    ]))
}

/// The kind of an event, what it is about, what happens to it, and what is said of it.
fn read(kind: &str, bytes: &[u8]) -> Result<Option<[String; 4]>, DecodeError> {
    let words =
        |kind: &str, name: String, action: String, message: String| Some([kind.to_owned(), name, action, message]);
    Ok(match kind {
        "SequenceEvent" => {
            let event = SequenceEvent::decode(bytes)?;
            let action = known(event.action, sequence_event::Action::as_str_name);
            words("sequence", event.sequence, action, event.error.map(|error| error.message).unwrap_or_default())
        }
        "PhaseEvent" => {
            let event = PhaseEvent::decode(bytes)?;
            let action = known(event.action, phase_event::Action::as_str_name);
            words("phase", event.phase, action, String::new())
        }
        "TaskEvent" => {
            let event = TaskEvent::decode(bytes)?;
            let action = known(event.action, task_event::Action::as_str_name);
            words("task", event.task, action, String::new())
        }
        "ServiceStateEvent" => {
            let event = ServiceStateEvent::decode(bytes)?;
            let action = known(event.action, service_state_event::Action::as_str_name);
            words("service", event.service, action, event.message)
        }
        "MachineStatusEvent" => {
            let event = MachineStatusEvent::decode(bytes)?;
            let stage = known(event.stage, MachineStage::as_str_name);
            let status = event.status.unwrap_or_default();
            let unmet = status.unmet_conditions.iter().map(|unmet| format!("{}: {}", unmet.name, unmet.reason));
            let ready = if status.ready { "ready" } else { "not ready" };
            words("status", stage, ready.to_owned(), unmet.collect::<Vec<_>>().join("; "))
        }
        "AddressEvent" => {
            let event = AddressEvent::decode(bytes)?;
            words("addresses", event.hostname, String::new(), event.addresses.join(", "))
        }
        "RestartEvent" => {
            RestartEvent::decode(bytes)?;
            words("restart", String::new(), String::new(), String::new())
        }
        "ConfigLoadErrorEvent" => {
            words("config", String::new(), "not loaded".to_owned(), ConfigLoadErrorEvent::decode(bytes)?.error)
        }
        "ConfigValidationErrorEvent" => {
            words("config", String::new(), "not valid".to_owned(), ConfigValidationErrorEvent::decode(bytes)?.error)
        }
        _ => None,
    })
}
