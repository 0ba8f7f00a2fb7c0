//! How long everything takes that a machine does, as data.

use std::time::Duration;

/// The lengths of a machine's stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// From power on, or a full restart, until the kernel runs.
    pub firmware: Duration,
    /// The same where a kernel starts the next one.
    pub kexec: Duration,
    /// From the kernel's start until its programs begin their work.
    pub kernel: Duration,
    /// Writing the system to a disk, with its image pulled.
    pub install: Duration,
    /// Stopping everything before a restart.
    pub stop: Duration,
    /// Wiping disks.
    pub wipe: Duration,
    /// Until the container runtime of Kubernetes is there.
    pub cri: Duration,
    /// Until the time is in sync.
    pub time: Duration,
    /// Until etcd runs, once it may.
    pub etcd: Duration,
    /// Until the static pods run, once etcd does.
    pub control_plane: Duration,
    /// Until the kubelet runs.
    pub kubelet: Duration,
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            firmware: seconds(40),
            kexec: seconds(12),
            kernel: seconds(6),
            install: seconds(50),
            stop: seconds(8),
            wipe: seconds(5),
            cri: seconds(4),
            time: seconds(3),
            etcd: seconds(12),
            control_plane: seconds(25),
            kubelet: seconds(6),
        }
    }
}

impl Stages {
    /// Of a machine that has been there for long.
    pub const OVER: Self = Self {
        firmware: Duration::ZERO,
        kexec: Duration::ZERO,
        kernel: Duration::ZERO,
        install: Duration::ZERO,
        stop: Duration::ZERO,
        wipe: Duration::ZERO,
        cri: Duration::ZERO,
        time: Duration::ZERO,
        etcd: Duration::ZERO,
        control_plane: Duration::ZERO,
        kubelet: Duration::ZERO,
    };

    /// The names under which a world's file knows them.
    pub const NAMES: [&str; 11] =
        ["firmware", "kexec", "kernel", "install", "stop", "wipe", "cri", "time", "etcd", "control_plane", "kubelet"];

    /// The stage of a name.
    pub fn named(&mut self, name: &str) -> Option<&mut Duration> {
        Some(match name {
            "firmware" => &mut self.firmware,
            "kexec" => &mut self.kexec,
            "kernel" => &mut self.kernel,
            "install" => &mut self.install,
            "stop" => &mut self.stop,
            "wipe" => &mut self.wipe,
            "cri" => &mut self.cri,
            "time" => &mut self.time,
            "etcd" => &mut self.etcd,
            "control_plane" => &mut self.control_plane,
            "kubelet" => &mut self.kubelet,
            _ => return None,
        })
    }
}
