//! The services of a node, from outside.

use talos::api::machine;

use super::{Asked, unmodelled};
use crate::talos::{
    grpc::{Messages, Status, one},
    services::{State, allows},
};

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "ServiceList" => Ok(one(&list(asked))),
        "ServiceStart" => {
            let id = asked.call.message::<machine::ServiceStartRequest>()?.id;
            let resp = act(asked, &id, "start")?;
            Ok(one(&machine::ServiceStartResponse { messages: vec![machine::ServiceStart { metadata: None, resp }] }))
        }
        "ServiceStop" => {
            let id = asked.call.message::<machine::ServiceStopRequest>()?.id;
            let resp = act(asked, &id, "stop")?;
            Ok(one(&machine::ServiceStopResponse { messages: vec![machine::ServiceStop { metadata: None, resp }] }))
        }
        "ServiceRestart" => {
            let id = asked.call.message::<machine::ServiceRestartRequest>()?.id;
            let resp = act(asked, &id, "restart")?;
            let messages = vec![machine::ServiceRestart { metadata: None, resp }];
            Ok(one(&machine::ServiceRestartResponse { messages }))
        }
        _ => Err(unmodelled(asked)),
    }
}

fn list(asked: &Asked<'_>) -> machine::ServiceListResponse {
    let names: Vec<&'static str> = asked.node.state().services.0.keys().copied().collect();
    let services = names.into_iter().filter_map(|name| {
        let (events, health, state) = asked.node.told_of(name)?;
        Some(machine::ServiceInfo {
            id: name.to_owned(),
            state: state.to_owned(),
            events: Some(events),
            health: Some(health),
        })
    });
    machine::ServiceListResponse {
        messages: vec![machine::ServiceList { metadata: None, services: services.collect() }],
    }
}

fn act(asked: &Asked<'_>, id: &str, action: &str) -> Result<String, Status> {
    let known: Option<&'static str> = asked.node.state().services.0.keys().copied().find(|name| *name == id);
    let Some(name) = known else { return Err(Status::plain(format!("service {id:?} not defined"))) };
    if !allows(name, action) {
        return Err(Status::plain(format!("service {id:?} doesn't support {action} operation via API")));
    }
    if action == "restart" {
        asked.node.service(name, State::Stopping);
        asked.node.service(name, State::Finished);
        asked.node.service(name, State::Preparing);
        asked.node.service(name, State::Running);
    }
    let done = match action {
        "start" => "started",
        "stop" => "stopped",
        _ => "restarted",
    };
    Ok(format!("Service {id:?} {done}"))
}
