//! How the services of a configured node come up, each when what it needs is there.

use std::{sync::Arc, time::Duration};

use talos::api::machine::{
    machine_status_event::MachineStage, phase_event::Action as Phase, sequence_event::Action as SequenceAction,
    task_event::Action as Task,
};
use tokio::time::sleep;

use super::{
    boot::Boot,
    node::Node,
    sequences::{Sequence, play},
    services::State,
};

/// How often a node that waits to be bootstrapped says so.
const NAGS_EVERY: Duration = Duration::from_secs(30);

/// The pods of a control plane.
pub const STATIC_PODS: [&str; 3] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// Starts everything, and says so when all of it runs.
pub async fn start(node: &Arc<Node>, boot: &Arc<Boot>) {
    play(boot, Sequence::Boot, true, Duration::ZERO).await;
    boot.phase("startEverything", Phase::Start);
    boot.task("startAllServices", Task::Start);
    let control_plane = node.is_of_the_control_plane();
    let (time, cri) = (keep_time(node), container_runtime(node));
    let etcd = async {
        if control_plane {
            etcd(node, boot).await;
            static_pods(node).await;
        }
    };
    tokio::join!(biased; time, async { tokio::join!(biased; cri, kubelet(node)) }, etcd);
    boot.task("startAllServices", Task::Stop);
    boot.phase("startEverything", Phase::Stop);
    boot.sequence(Sequence::Boot.name(), SequenceAction::Stop);
    boot.note("boot sequence: done");
    node.enters(MachineStage::Running);
}

async fn keep_time(node: &Node) {
    sleep(node.stages().time).await;
    node.change(|state| state.time_in_sync = true);
}

async fn container_runtime(node: &Node) {
    node.service("cri", State::Preparing);
    sleep(node.stages().cri).await;
    node.service("cri", State::Running);
    if node.is_of_the_control_plane() {
        node.service("trustd", State::Preparing);
        node.service("trustd", State::Running);
    }
}

async fn kubelet(node: &Arc<Node>) {
    node.service("kubelet", State::Preparing);
    node.until(|state| state.services.runs("cri") && state.time_in_sync).await;
    sleep(node.stages().kubelet).await;
    node.service("kubelet", State::Running);
    node.estate().settle();
}

/// Waits until there is an etcd to be a member of, and runs as one.
async fn etcd(node: &Arc<Node>, boot: &Arc<Boot>) {
    node.service("etcd", State::Preparing);
    node.until(|state| state.services.runs("cri") && state.time_in_sync).await;
    let estate = node.estate();
    if node.look(|state| state.etcd.is_none()) {
        tokio::select! {
            biased;
            () = estate.until(|| estate.joins(node)) => {}
            () = node.until(|state| state.bootstraps) => estate.founds(node),
            () = nag(node, boot) => {}
        }
    }
    sleep(node.stages().etcd).await;
    node.service("etcd", State::Running);
    boot.log("etcd").tell(etcd_says(node, "ready to serve client requests"));
    estate.etcd_runs(node, true);
}

/// Says again and again what is waited for.
async fn nag(node: &Node, boot: &Boot) {
    loop {
        boot.note(
            "etcd is waiting to join the cluster, if this node is the first node of the cluster, please run \
             `talosctl bootstrap` against one of the following IPs:",
        );
        boot.note(&format!("[{}]", node.state().address));
        sleep(NAGS_EVERY).await;
    }
}

fn etcd_says(node: &Node, message: &str) -> String {
    let at = node.calendar.now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    format!("{{\"level\":\"info\",\"ts\":\"{at}\",\"caller\":\"embed/serve.go:124\",\"msg\":\"{message}\"}}\n")
}

/// Runs the static pods once the members of etcd agree with each other.
async fn static_pods(node: &Arc<Node>) {
    let estate = node.estate();
    estate.until(|| estate.is_in_quorum(node)).await;
    sleep(node.stages().control_plane).await;
    node.change(|state| state.control_plane = true);
    estate.settle();
}
