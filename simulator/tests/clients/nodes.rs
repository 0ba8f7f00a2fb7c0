//! `talosctl` at work on machines, from the first configuration of the first one on.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use libtest_mimic::Failed;
use simulator::{
    loopback,
    time::Calendar,
    world::{Unmodelled, World, read},
};
use tokio::sync::oneshot;

use super::console::Console;

/// What somebody does with machines whose addresses begin like this.
pub type Session = fn(&Machines);

pub const SESSIONS: &[(&str, Session)] = &[
    ("a_cluster_begins_with_what_was_saved", a_cluster_begins_with_what_was_saved),
    ("machines_become_a_cluster", machines_become_a_cluster),
    ("machines_are_changed", machines_are_changed),
    ("machines_are_looked_at", machines_are_looked_at),
    ("machines_refuse_what_they_must", machines_refuse_what_they_must),
];

/// Machines that take little time for everything.
const WORLD: &str = "
machines:
  one: {address: NETWORK.2, disks: {sda: 240G, nvme0n1: 1T}, takes: QUICKLY}
  two: {address: NETWORK.3, disks: {sda: 240G}, takes: QUICKLY}
  three: {address: NETWORK.4, disks: {sda: 240G}, takes: QUICKLY}
";
const QUICKLY: &str = "{firmware: 500ms, kexec: 500ms, kernel: 200ms, install: 500ms, stop: 300ms, wipe: 100ms, cri: 200ms, \
                       time: 200ms, etcd: 300ms, control_plane: 500ms, kubelet: 200ms}";

/// A world of machines on loopback addresses of their own, and a console beside them.
pub struct Machines {
    console: Console,
    network: String,
    unmodelled: Arc<Unmodelled>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Machines {
    fn drop(&mut self) {
        drop(self.end.take());
        let ended = self.thread.take().map(thread::JoinHandle::join);
        assert!(matches!(ended, None | Some(Ok(()))) || thread::panicking(), "the world broke down");
    }
}

/// Addresses of a session's own: tests of several working copies run at a time.
fn network(place: usize) -> String {
    let number = std::process::id().wrapping_mul(8).wrapping_add(place as u32);
    format!("127.{}.{}", 64 + (number >> 8) % 128, number & 0xff)
}

/// A dashboard looks at what would have to be measured, on a terminal of its own: that is refused, and named.
pub fn a_dashboard_has_no_model(tools: &Path) -> Result<(), Failed> {
    const MEASURED: [&str; 6] = ["CPUInfo", "DiskStats", "LoadAvg", "NetworkDeviceStats", "Processes", "SystemStat"];
    let machines = Machines::begin(tools, network(SESSIONS.len()));
    machines.bootstrap();
    let talosctl = machines.console.program("talosctl");
    let line = machines.placed(&format!("/usr/bin/script -qec '{talosctl} -n THREE dashboard' /dev/null"));
    let shown = machines.console.start(&line);
    let named = |method: &str| format!("three /machine.MachineService/{method}: nodes have no model of this");
    let mut missing = Vec::new();
    for _ in 0..120 {
        let all = machines.unmodelled.all();
        missing = MEASURED.into_iter().filter(|method| !all.contains(&named(method))).collect();
        if missing.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(250));
    }
    drop(shown);
    if missing.is_empty() { Ok(()) } else { Err(format!("nobody was told that {missing:?} has no model").into()) }
}

pub fn play(tools: &Path, name: &str, session: Session) -> Result<(), Failed> {
    let place = SESSIONS.iter().position(|(known, _)| *known == name).unwrap();
    let network = network(place);
    let machines = Machines::begin(tools, network);
    session(&machines);
    let mut unmodelled = machines.unmodelled.all();
    unmodelled.sort();
    machines.console.note(&format!("not modelled: {unmodelled:#?}\n"));
    machines.console.hold_against(name, true)
}

impl Machines {
    fn begin(tools: &Path, network: String) -> Self {
        let text = WORLD.replace("QUICKLY", QUICKLY).replace("NETWORK", &network);
        let (ready, begun) = mpsc::channel();
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let described = read(&text, &|_| Err("there are no files".to_owned())).unwrap();
                let now = Calendar::beginning(jiff::Timestamp::now());
                let world = World::begin(&described, now, Duration::ZERO, 1).await.unwrap();
                loopback::open(&world.network).await.unwrap();
                ready.send(world.unmodelled.clone()).unwrap();
                drop(ended.await);
            });
        });
        let machines = Self {
            console: Console::bare(tools),
            network,
            unmodelled: begun.recv().unwrap(),
            end: Some(end),
            thread: Some(thread),
        };
        let endpoint = machines.placed("https://ONE:6443");
        let console = &machines.console;
        console.quietly(&format!("talosctl gen config lab {endpoint} --with-docs=false --with-examples=false"));
        console.quietly(&machines.placed("talosctl config endpoint ONE"));
        machines
    }

    /// A text with the addresses of machines in it.
    fn placed(&self, text: &str) -> String {
        let address = |last: u8| format!("{}.{last}", self.network);
        let text = text.replace("NETWORK", &self.network);
        text.replace("ONE", &address(2)).replace("TWO", &address(3)).replace("THREE", &address(4))
    }

    fn run(&self, line: &str) {
        self.console.run_as(line, &self.placed(line), "");
    }

    /// Runs a command, and writes down the lines with these words.
    fn run_for(&self, line: &str, words: &str) {
        let told = self.console.told_by(&self.placed(line));
        let lines: Vec<&str> = told.lines().filter(|told| told.contains(words)).collect();
        self.console.note(&format!("$ {line} | grep '{words}'\n{}", self.console.plain(&lines.join("\n"))));
    }

    /// The same for one that goes on, up to the first of these lines.
    fn run_until(&self, line: &str, words: &str) {
        let mut running = self.console.start(&self.placed(line));
        let told = running.until(words);
        let last = told.split_whitespace().last().unwrap_or_default();
        self.console.note(&format!("$ {line}\n... {}", self.console.plain(last)));
    }

    fn quietly(&self, line: &str) {
        self.console.quietly(&self.placed(line));
    }

    fn until(&self, line: &str, words: &str) {
        self.console.until(&self.placed(line), words);
    }

    /// Gives configurations to all of them, and makes a cluster of them.
    fn bootstrap(&self) {
        for (machine, role) in [("ONE", "controlplane"), ("TWO", "controlplane"), ("THREE", "worker")] {
            self.until(&format!("talosctl get machinestatus --insecure -n {machine}"), "maintenance");
            self.quietly(&format!("talosctl apply-config --insecure -n {machine} -f {role}.yaml"));
        }
        self.until("talosctl -n ONE service kubelet", "STATE    Running");
        self.quietly("talosctl -n ONE bootstrap");
        self.until("talosctl -n ONE health --wait-timeout 60s", "schedulable: OK");
    }
}

fn machines_become_a_cluster(machines: &Machines) {
    machines.until("talosctl get machinestatus --insecure -n ONE", "maintenance");
    for line in [
        "talosctl get disks --insecure -n ONE",
        "talosctl get machinestatus --insecure -n ONE",
        "talosctl get links --insecure -n ONE",
        "talosctl version --insecure -n ONE",
        "talosctl version -n ONE",
        "talosctl apply-config --insecure -n ONE -f talosconfig",
        "talosctl apply-config --insecure -n ONE -f controlplane.yaml --dry-run",
        "talosctl apply-config --insecure -n ONE -f controlplane.yaml",
    ] {
        machines.run(line);
    }
    machines.until("talosctl -n ONE get machinestatus", "booting");
    machines.until("talosctl -n ONE services", "kubelet");
    machines.until("talosctl -n ONE service kubelet", "STATE    Running");
    machines.run("talosctl -n ONE version");
    machines.run("talosctl -n ONE services");
    machines.run("talosctl -n ONE etcd members");
    machines.run("talosctl -n ONE bootstrap");
    machines.until("talosctl -n ONE get machinestatus", "running");
    machines.run("talosctl -n ONE bootstrap");
    for (machine, role) in [("TWO", "controlplane"), ("THREE", "worker")] {
        machines.until(&format!("talosctl get machinestatus --insecure -n {machine}"), "maintenance");
        machines.run(&format!("talosctl apply-config --insecure -n {machine} -f {role}.yaml"));
    }
    machines.until("talosctl -n ONE get members", "worker");
    machines.until("talosctl -n TWO get machinestatus", "running");
    machines.until("talosctl -n ONE health --wait-timeout 60s", "schedulable: OK");
    for line in [
        "talosctl -n ONE health",
        "talosctl -n ONE kubeconfig kubeconfig",
        "kubectl get nodes -o custom-columns=NAME:.metadata.name,VERSION:.status.nodeInfo.kubeletVersion,OS:.status.nodeInfo.osImage",
        "kubectl auth whoami",
        "talosctl -n ONE get members",
        "talosctl -n ONE get members -o json",
        "talosctl -n ONE get machinestatus -o yaml",
        "talosctl -n ONE get machinetype",
        "talosctl -n ONE get hostname",
        "talosctl -n ONE get systemdisk",
        "talosctl -n ONE get addresses",
        "talosctl -n ONE etcd members",
        "talosctl -n ONE etcd status",
        "talosctl -n ONE etcd snapshot db.snapshot",
        "talosctl -n ONE service etcd",
        "talosctl -n ONE logs etcd",
        "talosctl -n THREE disks",
        "talosctl -n THREE get disks sda -o yaml",
        "talosctl -n THREE get links lo -o yaml",
        "talosctl -n ONE,TWO,THREE version --short",
    ] {
        machines.run(line);
    }
    for machine in ["THREE", "TWO", "ONE"] {
        machines.run(&format!("talosctl -n {machine} reset --graceful=false --reboot --wait=false"));
    }
    for machine in ["ONE", "TWO", "THREE"] {
        machines.until(&format!("talosctl get machinestatus --insecure -n {machine}"), "maintenance");
        machines.run(&format!("talosctl get machinestatus --insecure -n {machine}"));
    }
}

fn machines_are_looked_at(machines: &Machines) {
    machines.bootstrap();
    for line in [
        "talosctl -n THREE memory",
        "talosctl -n THREE mounts",
        "talosctl -n THREE read /etc/os-release",
        "talosctl -n THREE read /etc",
        "talosctl -n THREE read /nowhere",
        "talosctl -n THREE ls /",
        "talosctl -n THREE ls /proc/sys -r",
        "talosctl -n THREE ls /proc/sys -d 2",
        "talosctl -n THREE ls / -t l",
        "talosctl -n THREE ls /etc -t d,f",
        "talosctl -n THREE usage /proc/sys -a",
        "talosctl -n THREE usage /proc/sys -d 2",
        "talosctl -n THREE copy /etc copied",
        "talosctl -n THREE containers",
        "talosctl -n ONE containers",
        "talosctl -n THREE logs kubelet",
        "talosctl -n THREE logs nobody",
        "talosctl -n ONE logs -k kube-system/nobody:nothing",
        "talosctl -n ONE time",
    ] {
        machines.run(line);
    }
    let copied = std::fs::read_to_string(machines.console.folder().join("copied/hostname"));
    machines.console.note(&format!("copied/hostname: {copied:?}\n"));
    machines.run_for("talosctl -n ONE containers -k", "kube-apiserver-one ");
    machines.run_for("talosctl -n THREE ls /etc -l", "hostname");
    machines.run_for("talosctl -n THREE dmesg", "boot sequence");
    machines.run_for("talosctl -n THREE logs machined --tail 1", "boot sequence");
    machines.run_until("talosctl -n THREE dmesg --follow", "boot sequence: done");
    machines.run_until("talosctl -n THREE events --tail -1", "MachineStatusEvent");
    // What would have to be measured has no model.
    for line in [
        "talosctl -n THREE processes",
        "talosctl -n THREE stats",
        "talosctl -n THREE netstat",
        "talosctl -n THREE image list",
    ] {
        machines.run(line);
    }
}

fn machines_are_changed(machines: &Machines) {
    machines.bootstrap();
    let console = &machines.console;
    console.file("patch.yaml", "machine:\n  nodeLabels:\n    disk: fast\n");
    console.file("restarting.yaml", "machine:\n  env:\n    GRPC_GO_LOG_VERBOSITY_LEVEL: \"99\"\n");
    for line in [
        "talosctl -n THREE patch mc -p @patch.yaml --dry-run",
        "talosctl -n THREE patch mc -p @patch.yaml",
        "talosctl -n THREE patch mc -p @patch.yaml",
        "talosctl -n THREE patch mc -p @restarting.yaml --mode no-reboot",
        "talosctl -n THREE patch mc -p @restarting.yaml --mode staged",
    ] {
        machines.run(line);
    }
    // Each of them waits until the machine is there again, and has another number of its life.
    machines.run_for("talosctl -n THREE reboot --timeout 60s", "post check passed");
    machines.until("talosctl -n THREE get machinestatus", "running");
    machines.run("talosctl -n THREE get machineconfig persistent");
    let mut watch = console.start(&machines.placed("talosctl -n THREE get machinestatus --watch"));
    console.note(&format!("THREE is {}\n", if watch.until("running").contains("running") { "running" } else { "not" }));
    drop(watch);
    let image = "ghcr.io/siderolabs/installer:v1.11.6";
    machines.run_for(&format!("talosctl -n THREE upgrade --stage --image {image} --timeout 60s"), "post check passed");
    machines.run("talosctl -n THREE version --short");
    // Whether it says that it waits for its order's number first is chance.
    machines
        .until("talosctl -n THREE upgrade --image nowhere", "error validating installer image \"nowhere\": invalid");
    machines.until("talosctl -n THREE get machinestatus", "running");
    machines.run_for("talosctl -n THREE reset --graceful=false --reboot --timeout 60s", "post check passed");
    machines.until("talosctl get machinestatus --insecure -n THREE", "maintenance");
    machines.run("talosctl -n THREE version");
    // One of two members leaves in good order, and the other one goes on by itself.
    machines.run(
        "talosctl -n TWO reset --system-labels-to-wipe STATE --system-labels-to-wipe EPHEMERAL --reboot --wait=false",
    );
    machines.until("talosctl get machinestatus --insecure -n TWO", "maintenance");
    machines.run("talosctl -n ONE etcd members");
    // The last one takes everything with it.
    machines.quietly("talosctl -n ONE kubeconfig kubeconfig");
    machines.run("talosctl -n ONE reset --graceful=false --reboot --wait=false");
    machines.until("talosctl get machinestatus --insecure -n ONE", "maintenance");
    machines.run("kubectl get nodes --request-timeout 3s");
    machines.bootstrap();
    machines.quietly("talosctl -n ONE kubeconfig kubeconfig --force");
    machines.run("kubectl get nodes -o name");
}

fn a_cluster_begins_with_what_was_saved(machines: &Machines) {
    machines.bootstrap();
    let console = &machines.console;
    machines.quietly("talosctl -n ONE kubeconfig kubeconfig");
    for line in [
        "kubectl create configmap kept --from-literal color=green",
        "talosctl -n ONE etcd snapshot db.snapshot",
        "kubectl create configmap lost --from-literal color=red",
        "talosctl -n ONE bootstrap --recover-from db.snapshot",
    ] {
        machines.run(line);
    }
    for machine in ["TWO", "ONE"] {
        machines.quietly(&format!(
            "talosctl -n {machine} reset --graceful=false --system-labels-to-wipe EPHEMERAL --reboot --wait=false"
        ));
    }
    machines.until("talosctl -n ONE service etcd", "STATE    Preparing");
    machines.until("talosctl -n ONE service kubelet", "STATE    Running");
    console.file("nothing.snapshot", "nothing");
    machines.run("talosctl -n ONE bootstrap --recover-from nothing.snapshot");
    machines.run("talosctl -n ONE bootstrap --recover-from db.snapshot");
    machines.until("talosctl -n ONE health --wait-timeout 60s", "schedulable: OK");
    machines.run("talosctl -n ONE bootstrap --recover-from db.snapshot");
    machines.run("kubectl get configmap kept lost -o jsonpath={.items[*].data.color}");
    machines.run("kubectl get nodes -o name");
}

fn machines_refuse_what_they_must(machines: &Machines) {
    machines.bootstrap();
    machines.quietly("talosctl -n ONE config new --roles os:reader reader");
    machines.quietly("talosctl --talosconfig reader config endpoint ONE");
    for line in [
        "talosctl -n THREE bootstrap",
        "talosctl -n THREE kubeconfig other",
        "talosctl -n THREE etcd members",
        "talosctl -n THREE get nothing",
        "talosctl -n THREE restart -k nothing",
        "talosctl -n THREE service etcd restart",
        "talosctl -n ONE service etcd restart",
        "talosctl -n ONE service kubelet restart",
        "talosctl -n THREE reset --wipe-mode system-disk --user-disks-to-wipe /dev/sdb --wait=false",
        "talosctl -n THREE reset --user-disks-to-wipe /dev/sdz --wait=false",
        "talosctl -e THREE -n ONE version",
        "talosctl -n ONE,NETWORK.9 version --short",
        "talosctl --talosconfig reader -n THREE version --short",
        "talosctl --talosconfig reader -n THREE reset --wait=false",
        "talosctl --talosconfig reader -n THREE get machineconfig",
        "talosctl -n ONE etcd remove-member 00000000000000aa",
        "talosctl -n ONE etcd alarm list",
        "talosctl -n THREE ls /nowhere",
        "talosctl -n THREE rollback",
    ] {
        machines.run(line);
    }
}
