//! How a node lives: it is switched on, finds out what it is to be, is that, and does as it is told until it is off.

use std::{sync::Arc, time::Duration};

use talos::api::{common::Code, machine::machine_status_event::MachineStage};
use tokio::time::sleep;

use super::{
    boot::Boot,
    machine::Ill,
    node::{Node, Order, System},
    sequences::{Sequence, play},
    services::State as ServiceState,
};

/// How long a node waits before it starts anew after what it couldn't do.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// How long answers that are on their way may take before their server is closed.
const GRACE: Duration = Duration::from_millis(250);

/// Why something that was begun doesn't come to its end, when something else begins instead.
const CANCELED: &str = "sequence failed: context canceled";

/// How a life ends.
enum End {
    Restart { kexec: bool },
    Off,
}

/// Lives, one life after the other.
pub async fn live(node: Arc<Node>) {
    let mut kexec = false;
    let mut first = true;
    loop {
        node.machine.until(|machine| !machine.suffers(&Ill::Off) && (first || !machine.suffers(&Ill::Away))).await;
        let stages = node.stages();
        sleep(if kexec { stages.kexec } else { stages.firmware }).await;
        let moved = match first {
            true => None,
            false => node.machine.ills().find_map(|ill| match ill {
                Ill::Moves(to) => Some(*to),
                _ => None,
            }),
        };
        if let Some(address) = moved {
            node.change(|state| state.address = address);
        }
        first = false;
        if !node.is_installed() && !node.machine.netboots {
            return;
        }
        let boot = node.starts();
        let (address, network) = (node.state().address, node.estate().network.clone());
        network.live(address, true);
        let end = tokio::select! {
            biased;
            () = node.machine.until(|machine| machine.suffers(&Ill::Off)) => End::Restart { kexec: false },
            end = one(&node, &boot) => end,
        };
        ends(&node, &boot);
        network.live(address, false);
        match end {
            End::Restart { kexec: quickly } => kexec = quickly,
            End::Off => return,
        }
    }
}

/// The node is off, or as good as off.
fn ends(node: &Arc<Node>, boot: &Boot) {
    let estate = node.estate();
    estate.stops(node);
    boot.end();
    node.change(|state| {
        state.stage = MachineStage::Unknown;
        state.services = Default::default();
        state.control_plane = false;
        state.store.end();
    });
    estate.settle();
}

async fn one(node: &Arc<Node>, boot: &Arc<Boot>) -> End {
    if let Some(version) = node.change(|state| state.staged.take()) {
        node.change(|state| upgraded(state.system.as_mut(), version));
    }
    boot.say("kern", "notice", &format!("Linux version 6.12.57-talos (Talos {})", node.version()));
    boot.say("kern", "info", "Command line: talos.platform=metal console=tty0 init_on_alloc=1 slab_nomerge pti=on");
    sleep(node.stages().kernel).await;
    node.enters(MachineStage::Booting);
    for service in ["machined", "syslogd", "udevd", "containerd", "auditd", "dashboard"] {
        node.service(service, ServiceState::Preparing);
        node.service(service, ServiceState::Running);
    }
    let configured = node.state().config.is_some();
    node.goes_through(Some(Sequence::Initialize));
    play(boot, Sequence::Initialize, configured, Duration::ZERO).await;
    node.goes_through(None);
    let order = match configured {
        true => None,
        false => maintain(node, boot).await,
    };
    if let Some(end) = order {
        return end;
    }
    if !node.is_installed() {
        return install(node, boot).await;
    }
    run(node, boot).await
}

/// Waits for a configuration. Gives how the life ends, if it does.
async fn maintain(node: &Arc<Node>, boot: &Arc<Boot>) -> Option<End> {
    boot.task("runningMaintenance", talos::api::machine::task_event::Action::Start);
    node.enters(MachineStage::Maintenance);
    boot.note("this machine is reachable at:");
    boot.note(&format!("\t{}", node.state().address));
    node.estate().opens(node, boot);
    let end = match node.next_order().await {
        Order::Configured => None,
        Order::Shutdown => Some(End::Off),
        Order::Reboot { kexec } => Some(End::Restart { kexec }),
        Order::Rollback | Order::Reset(_) | Order::Upgrade { .. } => Some(End::Restart { kexec: false }),
    };
    boot.task("runningMaintenance", talos::api::machine::task_event::Action::Stop);
    // Whoever gave the order hears that it was taken.
    sleep(GRACE).await;
    // What comes next is of another certificate. Up to 1.12 nothing does, for a while.
    node.estate().closes(node);
    if end.is_none() && node.minor() >= 13 {
        node.estate().opens(node, boot);
    }
    end
}

/// Installs the system, and starts it.
async fn install(node: &Arc<Node>, boot: &Arc<Boot>) -> End {
    node.enters(MachineStage::Installing);
    node.goes_through(Some(Sequence::Install));
    let config = node.state().config.clone();
    let (disk, image) = match &config {
        Some(config) => (config.install_disk().to_owned(), config.install_image().to_owned()),
        None => Default::default(),
    };
    boot.note(&format!("installing Talos to disk {disk}"));
    boot.note(&format!("pulling installer image {image:?}"));
    let pulled = match image.rsplit_once(':') {
        Some((_, tag)) if tag.starts_with('v') && !node.machine.suffers(&Ill::WrongImage) => Ok(tag.to_owned()),
        _ => Err(format!(
            "failed to pull image {image:?}: 1 error(s) occurred:\n\tfailed to resolve reference: not found"
        )),
    };
    let found = match node.machine.disk(&disk) {
        _ if disk.is_empty() => Ok(node.machine.found().next().map(|disk| disk.path()).unwrap_or_default()),
        Some(_) => Ok(disk.clone()),
        None => Err(format!("failed to find disk by path {disk:?}: no such file or directory")),
    };
    let (version, disk) = match (pulled, found) {
        (Ok(version), Ok(disk)) => (version, disk),
        (Err(why), _) | (_, Err(why)) => return fails(node, boot, "install", &why).await,
    };
    node.machine.until(|machine| !machine.suffers(&Ill::InstallsForever)).await;
    play(boot, Sequence::Install, true, node.stages().install).await;
    boot.note("installation of Talos is complete");
    node.change(|state| {
        state.system = Some(System { version, disk, former: None });
        state.kept.clone_from(&config);
    });
    node.enters(MachineStage::Rebooting);
    End::Restart { kexec: true }
}

/// What couldn't be done is told, and the node starts anew.
async fn fails(node: &Arc<Node>, boot: &Arc<Boot>, sequence: &str, why: &str) -> End {
    boot.note(&format!("{sequence} sequence: failed: {why}"));
    boot.fails(sequence, Code::Fatal, &format!("sequence failed: {why}"));
    sleep(AFTER_FAILURE).await;
    node.enters(MachineStage::Rebooting);
    End::Restart { kexec: false }
}

/// Runs, and does what it is told.
async fn run(node: &Arc<Node>, boot: &Arc<Boot>) -> End {
    if node.minor() < 13 || node.state().stage == MachineStage::Booting {
        node.enters(MachineStage::Booting);
    }
    node.service("apid", ServiceState::Preparing);
    node.service("apid", ServiceState::Running);
    node.estate().opens(node, boot);
    let starting = {
        let (node, boot) = (node.clone(), boot.clone());
        async move { super::startup::start(&node, &boot).await }
    };
    node.goes_through(Some(Sequence::Boot));
    let mut order = tokio::select! {
        biased;
        order = node.next_order() => {
            boot.fails(Sequence::Boot.name(), Code::Canceled, CANCELED);
            order
        }
        () = starting => {
            node.goes_through(None);
            node.next_order().await
        }
    };
    loop {
        let sequence = order.sequence();
        node.goes_through(Some(sequence));
        order = tokio::select! {
            biased;
            other = node.next_order() => {
                boot.fails(sequence.name(), Code::Canceled, CANCELED);
                other
            }
            end = obey(node, boot, order) => return end,
        };
    }
}

async fn obey(node: &Arc<Node>, boot: &Arc<Boot>, order: Order) -> End {
    let stages = node.stages();
    match order {
        Order::Configured | Order::Reboot { .. } | Order::Rollback => {
            node.enters(MachineStage::Rebooting);
            play(boot, Sequence::Reboot, true, stages.stop).await;
            stop(node).await;
            End::Restart { kexec: !matches!(order, Order::Reboot { kexec: false } | Order::Rollback) }
        }
        Order::Shutdown => {
            node.enters(MachineStage::ShuttingDown);
            play(boot, Sequence::Shutdown, true, stages.stop).await;
            stop(node).await;
            End::Off
        }
        Order::Upgrade { version } => {
            node.enters(MachineStage::Upgrading);
            play(boot, Sequence::Upgrade, true, stages.stop + stages.install).await;
            node.change(|state| upgraded(state.system.as_mut(), version));
            stop(node).await;
            End::Restart { kexec: true }
        }
        Order::Reset(request) => {
            node.enters(MachineStage::Resetting);
            if request.graceful {
                node.estate().leaves(node);
            }
            play(boot, Sequence::Reset { graceful: request.graceful }, node.is_of_the_control_plane(), stages.stop)
                .await;
            stop(node).await;
            sleep(stages.wipe).await;
            let keeps_its_system = wipe(node, &request);
            match request.reboot {
                true => End::Restart { kexec: keeps_its_system },
                false => End::Off,
            }
        }
    }
}

async fn stop(node: &Arc<Node>) {
    node.estate().stops(node);
    let running: Vec<&'static str> = node.state().services.0.keys().copied().collect();
    for service in running.into_iter().filter(|name| *name != "machined") {
        node.service(service, ServiceState::Stopping);
        node.service(service, ServiceState::Finished);
    }
    // The last words reach those who listen.
    sleep(GRACE).await;
}

fn upgraded(system: Option<&mut System>, version: String) {
    if let Some(system) = system {
        let former = std::mem::replace(&mut system.version, version);
        system.former = Some(former);
    }
}

/// Wipes what is to be wiped. True if the system is still there.
fn wipe(node: &Arc<Node>, request: &talos::api::machine::ResetRequest) -> bool {
    use talos::api::machine::reset_request::WipeMode;
    if request.mode() == WipeMode::UserDisks {
        return true;
    }
    let labels: Vec<&str> = match request.system_partitions_to_wipe.as_slice() {
        [] => vec!["META", "STATE", "EPHEMERAL", "BOOT", "EFI"],
        some => some.iter().filter(|spec| spec.wipe).map(|spec| spec.label.as_str()).collect(),
    };
    let estate = node.estate();
    node.change(|state| {
        for label in labels {
            match label {
                "META" => state.meta.clear(),
                "STATE" => state.kept = None,
                "BOOT" | "EFI" => state.system = None,
                _ => {}
            }
        }
        state.system.is_some()
    });
    let wiped = request.system_partitions_to_wipe.as_slice();
    if wiped.is_empty() || wiped.iter().any(|spec| spec.wipe && spec.label == "EPHEMERAL") {
        node.change(|state| {
            state.images.clear();
            state.saved = None;
        });
        estate.forgets(node);
    }
    node.state().system.is_some()
}
