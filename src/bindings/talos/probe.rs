//! Looking at a node from outside until it is as it should be, whatever it goes through meanwhile: refused connections, another
//! authority, silence, another boot.

use std::time::Duration;

use super::{
    condition::{self, Stage, complaint},
    etcd,
    machines::Maintenance,
    opening,
    reach::Node,
};
use crate::{
    host::{Host, wait::Progress},
    script::fault::{Fault, Kind},
    wire::authority::Authority,
};

/// Until a node tells anybody about itself, for it has no configuration; at one of these addresses.
pub async fn maintenance(host: &Host, at: &[Authority], every: Duration, progress: &Progress) -> Maintenance {
    loop {
        let mut whys = Vec::new();
        for address in at {
            match opening::maintenance(host, address, &[]).await {
                Ok(node) => return node,
                Err(fault) => whys.push(fault.message),
            }
        }
        progress.because(whys.join("; "));
        host.clock.sleep(every).await;
    }
}

/// Until a node runs in another boot than this.
pub async fn boot(node: &Node, before: &str, every: Duration, progress: &Progress) -> String {
    loop {
        match condition::boot_id(node).await {
            Ok(now) if now != before => return now,
            Ok(_) => progress.because(format!("node `{node}` still runs in the boot of before")),
            Err(fault) => progress.because(explained(node, fault).await),
        }
        node.host().clock.sleep(every).await;
    }
}

/// Why a node that is to have a configuration does not answer.
async fn explained(node: &Node, fault: Fault) -> String {
    if fault.kind == Kind::Tls && opening::met(node.host(), &node.address(), &[]).await.is_ok() {
        return format!(
            "node `{node}` is in maintenance: it has no configuration, or its disk could not be installed to"
        );
    }
    fault.message
}

/// Until nobody answers for a node any more.
pub async fn away(node: &Node, every: Duration, progress: &Progress) {
    loop {
        match condition::version(node).await {
            Err(fault) if matches!(fault.kind, Kind::Unreachable | Kind::Timeout) => return,
            Err(fault) => progress.because(fault.message),
            Ok(_) => progress.because(format!("node `{node}` still answers")),
        }
        node.host().clock.sleep(every).await;
    }
}

/// Until a node has booted to the end and lacks nothing.
pub async fn ready(node: &Node, every: Duration, progress: &Progress) -> Stage {
    loop {
        match condition::stage(node).await {
            Ok(stage) if stage.is_ready() => return stage,
            Ok(stage) => progress.because(format!("node `{node}` is {stage}")),
            Err(fault) => progress.because(explained(node, fault).await),
        }
        node.host().clock.sleep(every).await;
    }
}

/// Until a service runs, and is healthy if it has a health.
pub async fn service(node: &Node, id: &str, every: Duration, progress: &Progress) {
    loop {
        match condition::services(node).await {
            Ok(services) => match complaint(id, services.iter().find(|service| service.id == id)) {
                None => return,
                Some(why) => progress.because(format!("node `{node}`: {why}")),
            },
            Err(fault) => progress.because(fault.message),
        }
        node.host().clock.sleep(every).await;
    }
}

/// Until etcd on a node is healthy, and has so many members that vote.
pub async fn etcd(node: &Node, members: Option<usize>, every: Duration, progress: &Progress) {
    loop {
        service(node, "etcd", every, progress).await;
        match (etcd::members(node, false).await, members) {
            (Ok(_), None) => return,
            (Ok(there), Some(wanted)) => {
                let voting = there.iter().filter(|member| !member.is_learner).count();
                if voting >= wanted {
                    return;
                }
                progress.because(format!("{voting} of {wanted} members of etcd vote"));
            }
            (Err(fault), _) => progress.because(fault.message),
        }
        node.host().clock.sleep(every).await;
    }
}

/// Where a node is found, whatever was done to it.
pub enum Whereabouts {
    /// It has no configuration.
    Blank,
    /// It answers those who configured it, or somebody else did since.
    Configured(Stage),
    Foreign(String),
    Away(String),
}

/// How long is looked for a node of which nobody knows what became.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Looks for a node, for as long as one may take to boot.
pub async fn whereabouts(node: &Node) -> Whereabouts {
    let (host, begun) = (node.host(), node.host().clock.elapsed());
    let at = node.address();
    loop {
        let fault = match condition::stage(node).await {
            Ok(stage) => return Whereabouts::Configured(stage),
            Err(fault) => fault,
        };
        if opening::met(host, &at, &[]).await.is_ok() {
            return Whereabouts::Blank;
        }
        if fault.kind == Kind::Tls {
            return Whereabouts::Foreign(fault.message);
        }
        if host.clock.elapsed().saturating_sub(begun) > PATIENCE {
            return Whereabouts::Away(fault.message);
        }
        host.clock.sleep(Duration::from_secs(5)).await;
    }
}

/// The boot that a node is in; nothing if only others may know.
///
/// # Errors
/// Why nobody says.
pub async fn known_boot(node: &Node) -> Result<Option<String>, Fault> {
    match condition::boot_id(node).await {
        Ok(boot) => Ok(Some(boot)),
        Err(fault) if fault.kind == Kind::Denied => Ok(None),
        Err(fault) => Err(fault),
    }
}
