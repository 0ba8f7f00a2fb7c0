//! What a node answers, a file for each part of its API. Whatever is not here has no model: it is refused, and named.

mod archive;
mod cluster;
mod containers;
mod cosi;
mod etcd;
mod identity;
mod images;
mod kubeconfig;
mod lifecycle;
mod services;
mod storage;
mod streams;
mod tree;

use std::sync::Arc;

pub use self::storage::{model, serial};
use super::{
    apid::Caller,
    boot::Boot,
    grpc::{Call, Code, Messages, Status},
    node::Node,
    roles,
};

/// What a call is answered from.
pub struct Asked<'a> {
    pub node: &'a Arc<Node>,
    pub boot: &'a Arc<Boot>,
    pub call: &'a Call,
    pub caller: &'a Caller,
}

impl Asked<'_> {
    /// Refuses what only nodes of the control plane do.
    fn of_control_planes(&self, what: &str) -> Result<(), Status> {
        match self.node.is_of_the_control_plane() {
            true => Ok(()),
            false => Err(Status::new(Code::Unimplemented, format!("{what} is only available on control plane nodes"))),
        }
    }
}

/// Answers a call, if its sender may make it.
pub async fn answer(node: &Arc<Node>, boot: &Arc<Boot>, call: &Call, caller: &Caller) -> Result<Messages, Status> {
    let asked = Asked { node, boot, call, caller };
    lacks(&asked)?;
    let old_maintenance = caller.maintains && node.minor() < 13;
    match old_maintenance {
        true => maintained(&asked)?,
        false if caller.maintains && APPLY == call.path => {}
        false if !roles::allow(&caller.roles, &call.path) => {
            return Err(Status::new(Code::PermissionDenied, "not authorized"));
        }
        false => {}
    }
    let (service, method) = call.names();
    match service {
        "machine.ImageService" => images::answer(&asked, method),
        "machine.LifecycleService" => lifecycle::installer::answer(&asked, method),
        "machine.MachineService" => machine(&asked, method).await,
        "cosi.resource.State" => cosi::answer(&asked, method).await,
        "storage.StorageService" => storage::answer(&asked, method),
        "time.TimeService" => identity::time(&asked, method),
        "cluster.ClusterService" => cluster::answer(&asked, method),
        _ => Err(unmodelled(&asked)),
    }
}

/// Services and methods that there are from a minor version on.
const LATER: [(&str, u32); 9] = [
    ("machine.DebugService", 13),
    ("machine.ImageService", 13),
    ("machine.LifecycleService", 13),
    ("machine.MachineService/CPUFreqStats", 9),
    ("machine.MachineService/EtcdDowngradeCancel", 11),
    ("machine.MachineService/EtcdDowngradeEnable", 11),
    ("machine.MachineService/EtcdDowngradeValidate", 11),
    ("machine.StorageService", 14),
    ("storage.StorageService/BlockDeviceWipe", 9),
];

/// Those that there are up to one.
const FORMER: [(&str, u32); 1] = [("machine.MachineService/GenerateConfiguration", 12)];

/// Refuses what its version doesn't have.
fn lacks(asked: &Asked<'_>) -> Result<(), Status> {
    let (service, method) = asked.call.names();
    let whole = asked.call.path.trim_start_matches('/');
    let minor = asked.node.minor();
    let too_early = LATER.iter().any(|(known, since)| (*known == service || *known == whole) && minor < *since);
    let too_late = FORMER.iter().any(|(known, until)| *known == whole && minor > *until);
    match (too_early, too_late) {
        (false, false) => Ok(()),
        _ if LATER.iter().any(|(known, _)| *known == service) => {
            Err(Status::new(Code::Unimplemented, format!("unknown service {service}")))
        }
        _ => Err(Status::new(Code::Unimplemented, format!("unknown method {method} for service {service}"))),
    }
}

const APPLY: &str = "/machine.MachineService/ApplyConfiguration";

async fn machine(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "Version" | "Hostname" | "Memory" | "GenerateClientConfiguration" => identity::answer(asked, method),
        "ApplyConfiguration" => lifecycle::apply::apply(asked),
        "Bootstrap" => lifecycle::bootstrap(asked).await,
        "Reset" | "Reboot" | "Shutdown" | "Upgrade" | "Rollback" | "MetaWrite" | "MetaDelete" => {
            lifecycle::answer(asked, method)
        }
        "ServiceList" | "ServiceStart" | "ServiceStop" | "ServiceRestart" => services::answer(asked, method),
        "Events" | "Dmesg" | "Logs" | "LogsContainers" => streams::answer(asked, method),
        "Containers" => containers::list(asked),
        "Copy" => tree::copy(asked),
        "DiskUsage" => tree::usage(asked),
        "Kubeconfig" => kubeconfig::answer(asked),
        "List" => tree::list(asked),
        "Mounts" => storage::mounts(asked),
        "Read" => tree::read(asked),
        method if method.starts_with("Etcd") => etcd::answer(asked, method),
        _ => Err(unmodelled(asked)),
    }
}

/// What a node up to 1.12 without a configuration answers at all.
fn maintained(asked: &Asked<'_>) -> Result<(), Status> {
    const REFUSED: [&str; 5] = ["Version", "Reset", "Upgrade", "MetaWrite", "MetaDelete"];
    let (service, method) = asked.call.names();
    let refused = |message: String| Err(Status::new(Code::Unimplemented, message));
    match (service, method) {
        ("machine.MachineService", "ApplyConfiguration") => Ok(()),
        ("storage.StorageService", "Disks" | "BlockDeviceWipe") | ("cosi.resource.State", "Get" | "List" | "Watch") => {
            Ok(())
        }
        ("machine.MachineService", "GenerateClientConfiguration") => {
            refused("client configuration (talosconfig) can't be generated in the maintenance mode".to_owned())
        }
        ("machine.MachineService", method) if REFUSED.contains(&method) => {
            refused("API is not implemented in maintenance mode".to_owned())
        }
        ("machine.MachineService" | "storage.StorageService" | "cosi.resource.State", method) => {
            refused(format!("method {method} not implemented"))
        }
        (service, _) => refused(format!("unknown service {service}")),
    }
}

/// Refuses what has no model, and says so to whoever looks after the world.
fn unmodelled(asked: &Asked<'_>) -> Status {
    let (service, method) = asked.call.names();
    let estate = asked.node.estate();
    (estate.unmodelled)(&format!("{} {}: nodes have no model of this", asked.node.machine.name, asked.call.path));
    Status::new(Code::Unimplemented, format!("unknown method {method} for service {service}"))
}
