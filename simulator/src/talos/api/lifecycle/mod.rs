//! What changes a node: bootstrap, reset, restarts, upgrades.

pub mod apply;
pub mod installer;

use std::time::Duration;

use talos::api::{
    common,
    machine::{
        self, reboot_request::Mode as RebootMode, reset_request::WipeMode, upgrade_request::RebootMode as AfterUpgrade,
    },
};

use super::{Asked, unmodelled};
use crate::talos::{
    grpc::{Code, Messages, Status, one},
    machine::Ill,
    node::{Node, Order, State},
    snapshot,
};

fn precondition(message: &str) -> Status {
    Status::new(Code::FailedPrecondition, message)
}

pub async fn bootstrap(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: machine::BootstrapRequest = asked.call.message()?;
    let node = asked.node;
    let soon = |seconds| Duration::from_secs(seconds);
    if !in_time(node, soon(1), |state| state.services.runs("cri")).await {
        return Err(precondition("bootstrap is not available yet"));
    }
    if !node.is_of_the_control_plane() {
        return Err(match node.minor() {
            ..13 => precondition("bootstrap can only be performed on a control plane node"),
            _ => Status::new(Code::Unimplemented, "bootstrap is only available on control plane nodes"),
        });
    }
    if !in_time(node, soon(5), |state| state.time_in_sync).await {
        return Err(precondition("time is not in sync yet"));
    }
    if node.look(|state| state.etcd.is_some() || state.bootstraps) {
        return Err(Status::new(Code::AlreadyExists, "etcd data directory is not empty"));
    }
    let fits = |saved: &snapshot::Saved| saved.whole || request.recover_skip_hash_check;
    // An etcd that can't begin with what it is to begin with tries again and again.
    if request.recover_etcd && !node.look(|state| state.saved.as_ref().is_some_and(fits)) {
        return Err(unmodelled(asked));
    }
    node.change(|state| {
        state.saved = state.saved.take().filter(|_| request.recover_etcd);
        state.bootstraps = true;
    });
    Ok(one(&machine::BootstrapResponse { messages: vec![machine::Bootstrap { metadata: None }] }))
}

async fn in_time(node: &Node, time: Duration, holds: impl Fn(&State) -> bool) -> bool {
    tokio::time::timeout(time, node.until(holds)).await.is_ok()
}

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    let actor = asked.node.uuid(0xac70_0000 + (asked.node.life() << 32) + asked.boot.events.len() as u64);
    match method {
        "Reset" => reset(asked, actor),
        "Reboot" => {
            let request: machine::RebootRequest = asked.call.message()?;
            order(asked, &actor, Order::Reboot { kexec: request.mode() != RebootMode::Powercycle });
            let reboot = machine::Reboot { metadata: None, actor_id: actor };
            Ok(one(&machine::RebootResponse { messages: vec![reboot] }))
        }
        "Shutdown" => {
            order(asked, &actor, Order::Shutdown);
            let shutdown = machine::Shutdown { metadata: None, actor_id: actor };
            Ok(one(&machine::ShutdownResponse { messages: vec![shutdown] }))
        }
        "Upgrade" => upgrade(asked, actor),
        "Rollback" => rollback(asked, &actor),
        "MetaWrite" | "MetaDelete" => meta(asked, method),
        _ => Err(unmodelled(asked)),
    }
}

/// The node does this next. If it is in the midst of something else, only its events say that nothing comes of it.
fn order(asked: &Asked<'_>, actor: &str, order: Order) {
    let (boot, sequence) = (asked.boot, order.sequence());
    let before = boot.acts_for(actor);
    if !asked.node.order(order) {
        boot.fails(sequence.name(), common::Code::Locked, "sequence not started: locked");
        boot.acts_for(&before);
    }
}

fn reset(asked: &Asked<'_>, actor: String) -> Result<Messages, Status> {
    let request: machine::ResetRequest = asked.call.message()?;
    let invalid = |what: &str| Status::plain(format!("reset failed: invalid input, {what}"));
    match request.mode() {
        WipeMode::SystemDisk if !request.user_disks_to_wipe.is_empty() => {
            return Err(invalid("wipe mode SYSTEM_DISK doesn't support UserDisksToWipe parameter"));
        }
        WipeMode::UserDisks if !request.system_partitions_to_wipe.is_empty() => {
            return Err(invalid("wipe mode USER_DISKS doesn't support SystemPartitionsToWipe parameter"));
        }
        _ => {}
    }
    for spec in &request.system_partitions_to_wipe {
        if !["META", "STATE", "EPHEMERAL", "BOOT", "EFI"].contains(&spec.label.as_str()) {
            let label = &spec.label;
            let why = format!(
                "failed to get volume status with label {label:?}: resource VolumeStatuses.block.talos.dev\
                               (runtime/{label}@undefined) doesn't exist"
            );
            return Err(Status::plain(why));
        }
    }
    let system = asked.node.state().system.as_ref().map(|system| system.disk.clone());
    for disk in &request.user_disks_to_wipe {
        let wrong = |why: &str| Err(Status::plain(format!("reset user disk failed: device {disk} {why}")));
        if asked.node.machine.disk(disk).is_none() {
            return wrong("wasn't found");
        }
        if system.as_ref() == Some(disk) {
            return wrong("is the system disk");
        }
    }
    order(asked, &actor, Order::Reset(Box::new(request)));
    let reset = machine::Reset { metadata: None, actor_id: actor };
    Ok(one(&machine::ResetResponse { messages: vec![reset] }))
}

fn upgrade(asked: &Asked<'_>, actor: String) -> Result<Messages, Status> {
    let request: machine::UpgradeRequest = asked.call.message()?;
    let node = asked.node;
    if node.state().system.is_none() {
        return Err(precondition("Talos is not installed"));
    }
    let wrong = |why: &str| Err(Status::plain(format!("error validating installer image {:?}: {why}", request.image)));
    let version = match request.image.rsplit_once(':') {
        _ if node.machine.suffers(&Ill::WrongImage) => {
            return wrong("failed to resolve reference: not found");
        }
        Some((_, tag)) if tag.starts_with('v') => tag.to_owned(),
        _ => return wrong("invalid reference format"),
    };
    if node.is_of_the_control_plane() && !request.force && !node.estate().is_in_quorum(node) {
        return Err(Status::plain(
            "error validating etcd for upgrade: etcd member is not healthy: context deadline exceeded",
        ));
    }
    match request.stage {
        true => {
            node.change(|state| state.staged = Some(version));
            order(asked, &actor, Order::Reboot { kexec: request.reboot_mode() == AfterUpgrade::Default });
        }
        false => order(asked, &actor, Order::Upgrade { version }),
    }
    let upgrade = machine::Upgrade { metadata: None, ack: "Upgrade request received".to_owned(), actor_id: actor };
    Ok(one(&machine::UpgradeResponse { messages: vec![upgrade] }))
}

fn rollback(asked: &Asked<'_>, actor: &str) -> Result<Messages, Status> {
    let former = asked.node.state().system.as_ref().and_then(|system| system.former.clone());
    let former = former.ok_or_else(|| precondition("cannot rollback, no fallback installation found"))?;
    asked.node.change(|state| state.staged = Some(former));
    order(asked, actor, Order::Rollback);
    Ok(one(&machine::RollbackResponse { messages: vec![machine::Rollback { metadata: None }] }))
}

fn meta(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    let key = |key: u32| {
        let wrong = || Status::new(Code::InvalidArgument, "key must be a uint8");
        u8::try_from(key).map_err(|_| wrong())
    };
    if method == "MetaWrite" {
        let request: machine::MetaWriteRequest = asked.call.message()?;
        let key = key(request.key)?;
        asked.node.change(|state| drop(state.meta.insert(key, request.value)));
        return Ok(one(&machine::MetaWriteResponse { messages: vec![machine::MetaWrite { metadata: None }] }));
    }
    let request: machine::MetaDeleteRequest = asked.call.message()?;
    let key = key(request.key)?;
    if asked.node.change(|state| state.meta.remove(&key)).is_none() {
        return Err(Status::new(Code::NotFound, "key not found"));
    }
    Ok(one(&machine::MetaDeleteResponse { messages: vec![machine::MetaDelete { metadata: None }] }))
}
