//! What a node does one after the other, as its events tell it.

use std::time::Duration;

use talos::api::machine::{
    phase_event::Action as Phase, sequence_event::Action as SequenceAction, task_event::Action as Task,
};
use tokio::time::sleep;

use super::boot::Boot;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    Initialize,
    Install,
    Boot,
    Reboot,
    Reset { graceful: bool },
    Upgrade,
    Shutdown,
}

/// A phase and its task. `Graceful` ones are only gone through where nothing is torn away, `Leaving` ones by members of etcd alone.
type Step = (&'static str, &'static str, Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Always,
    Graceful,
    Leaving,
    /// Only with a configuration.
    Configured,
    /// What takes the time.
    Long,
}

use Kind::{Always, Configured, Graceful, Leaving, Long};

const INITIALIZE: &[Step] = &[
    ("systemRequirements", "enforceKSPPRequirements", Always),
    ("earlyServices", "startUdevd", Always),
    ("meta", "reloadMeta", Always),
    ("dashboard", "startDashboard", Always),
    ("config", "loadConfig", Configured),
];
const INSTALL: &[Step] = &[
    ("env", "setUserEnvVars", Always),
    ("install", "install", Long),
    ("meta", "reloadMeta", Always),
    ("saveMeta", "flushMeta", Always),
    ("volumeFinalize", "teardownLifecycle", Always),
    ("stopEverything", "stopAllServices", Always),
    ("kexec", "kexecPrepare", Always),
    ("reboot", "reboot", Always),
];
const BOOT: &[Step] = &[
    ("memorySizeCheck", "memorySizeCheck", Always),
    ("diskSizeCheck", "diskSizeCheck", Always),
    ("env", "setUserEnvVars", Always),
    ("dbus", "startDBus", Always),
    ("ephemeral", "mountEphemeralPartition", Always),
    ("userSetup", "writeUserFiles", Always),
];
const REBOOT: &[Step] = &[
    ("cleanup", "stopAllPods", Long),
    ("dbus", "stopDBus", Always),
    ("stopServices", "stopServicesForUpgrade", Always),
    ("umount", "unmountPodMounts", Always),
    ("unmountBind", "unmountSystemDiskBindMounts", Always),
    ("unmountSystem", "unmountEphemeralPartition", Always),
    ("volumeFinalize", "teardownLifecycle", Always),
    ("kexec", "kexecPrepare", Always),
    ("stopEverything", "stopAllServices", Always),
    ("reboot", "reboot", Always),
];
const RESET: &[Step] = &[
    ("drain", "cordonAndDrainNode", Graceful),
    ("cleanup", "removeAllPods", Long),
    ("dbus", "stopDBus", Always),
    ("leave", "leaveEtcd", Leaving),
    ("preReset", "sendResetSignal", Always),
    ("stopServices", "stopServicesForUpgrade", Always),
    ("umount", "unmountPodMounts", Always),
    ("unmountBind", "unmountSystemDiskBindMounts", Always),
    ("unmountSystem", "unmountEphemeralPartition", Always),
    ("volumeFinalize", "teardownLifecycle", Always),
    ("stopEverything", "stopAllServices", Always),
    ("forceCleanup", "forceCleanup", Always),
    ("reset", "resetSystemDisk", Always),
];
const UPGRADE: &[Step] = &[
    ("drain", "cordonAndDrainNode", Always),
    ("cleanup", "removeAllPods", Always),
    ("dbus", "stopDBus", Always),
    ("stopServices", "stopServicesForUpgrade", Always),
    ("unmount", "unmountPodMounts", Always),
    ("unmountBind", "unmountSystemDiskBindMounts", Always),
    ("unmountSystem", "unmountEphemeralPartition", Always),
    ("volumeFinalize", "teardownLifecycle", Always),
    ("upgrade", "upgrade", Long),
    ("meta", "reloadMeta", Always),
    ("stopEverything", "stopAllServices", Always),
    ("reboot", "reboot", Always),
];
const SHUTDOWN: &[Step] = &[
    ("storeShutdown", "storeShutdownEmergency", Always),
    ("drain", "cordonAndDrainNode", Always),
    ("cleanup", "stopAllPods", Long),
    ("dbus", "stopDBus", Always),
    ("stopEverything", "stopAllServices", Always),
    ("shutdown", "shutdown", Always),
];

impl Sequence {
    pub fn name(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Install => "install",
            Self::Boot => "boot",
            Self::Reboot => "reboot",
            Self::Reset { .. } => "reset",
            Self::Upgrade => "upgrade",
            Self::Shutdown => "shutdown",
        }
    }

    fn steps(self) -> &'static [Step] {
        match self {
            Self::Initialize => INITIALIZE,
            Self::Install => INSTALL,
            Self::Boot => BOOT,
            Self::Reboot => REBOOT,
            Self::Reset { .. } => RESET,
            Self::Upgrade => UPGRADE,
            Self::Shutdown => SHUTDOWN,
        }
    }
}

/// Goes through a sequence, which takes so long. What it ends in, such as a restart, is up to whoever calls; the sequence is over for
/// those who listen only where the node goes on.
pub async fn play(boot: &Boot, sequence: Sequence, has: bool, length: Duration) {
    boot.sequence(sequence.name(), SequenceAction::Start);
    for (phase, task, kind) in sequence.steps() {
        let graceful = matches!(sequence, Sequence::Reset { graceful: true });
        let meant = match kind {
            Always | Long => true,
            Graceful => graceful,
            Leaving => graceful && has,
            Configured => has,
        };
        if !meant {
            continue;
        }
        boot.phase(phase, Phase::Start);
        boot.task(task, Task::Start);
        if *kind == Long {
            sleep(length).await;
        }
        boot.task(task, Task::Stop);
        boot.phase(phase, Phase::Stop);
    }
    if matches!(sequence, Sequence::Initialize | Sequence::Install) {
        boot.sequence(sequence.name(), SequenceAction::Stop);
    }
}
