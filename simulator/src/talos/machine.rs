//! A machine before any system runs on it: what a world's file says of it.

use std::net::IpAddr;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep_until};

use super::stages::Stages;
use crate::time::During;

#[derive(Debug, Clone)]
pub struct Machine {
    pub name: String,
    pub address: IpAddr,
    /// How many bits of its address are those of its network.
    pub prefix: u8,
    pub disks: Vec<Disk>,
    /// In KiB.
    pub memory: u64,
    /// The version of the system that it gets from the network.
    pub version: String,
    /// It starts from the network what it doesn't find on its disks; otherwise it stays off.
    pub netboots: bool,
    /// How much its clock is ahead.
    pub ahead: SignedDuration,
    pub stages: Stages,
    pub troubles: Vec<Trouble>,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// `sda`
    pub name: String,
    /// In bytes.
    pub size: u64,
}

impl Disk {
    pub fn path(&self) -> String {
        format!("/dev/{}", self.name)
    }

    pub fn is_nvme(&self) -> bool {
        self.name.starts_with("nvme")
    }

    pub fn transport(&self) -> &'static str {
        match self.name.as_str() {
            name if name.starts_with("nvme") => "nvme",
            name if name.starts_with("vd") => "virtio",
            _ => "sata",
        }
    }

    /// As it is shown: `240 GB`.
    pub fn shown_size(&self) -> String {
        const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
        let (mut size, mut unit) = (self.size as f64, 0);
        while size >= 1000.0 && unit + 1 < UNITS.len() {
            size /= 1000.0;
            unit += 1;
        }
        if size < 10.0 && unit > 0 {
            format!("{size:.1} {}", UNITS[unit])
        } else {
            format!("{size:.0} {}", UNITS[unit])
        }
    }
}

/// What goes wrong with a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ill {
    /// It has no power.
    Off,
    /// After its next restart it stays away.
    Away,
    /// After its next restart it has another address.
    Moves(IpAddr),
    /// Installing never ends.
    InstallsForever,
    /// Images of the system can't be had.
    WrongImage,
    /// This disk is not found.
    NoDisk(String),
    /// Streams of events are silent.
    Mute,
}

/// What goes wrong, and when.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub ill: Ill,
    pub during: During,
}

impl Machine {
    /// What goes wrong now.
    pub fn ills(&self) -> impl Iterator<Item = &Ill> {
        self.troubles.iter().filter(|trouble| trouble.during.is_now()).map(|trouble| &trouble.ill)
    }

    pub fn suffers(&self, ill: &Ill) -> bool {
        self.ills().any(|known| known == ill)
    }

    /// The disks that are found.
    pub fn found(&self) -> impl Iterator<Item = &Disk> {
        self.disks.iter().filter(|disk| !self.ills().any(|ill| matches!(ill, Ill::NoDisk(name) if *name == disk.name)))
    }

    pub fn disk(&self, path: &str) -> Option<&Disk> {
        self.found().find(|disk| disk.path() == path)
    }

    /// Waits until this is so of it.
    pub async fn until(&self, so: impl Fn(&Self) -> bool) {
        while !so(self) {
            let now = Instant::now();
            let turns = self.troubles.iter().flat_map(|trouble| [trouble.during.from, trouble.during.until]);
            match turns.flatten().filter(|turn| *turn > now).min() {
                Some(turn) => sleep_until(turn).await,
                None => std::future::pending().await,
            }
        }
    }
}

/// The minor version of `v1.11.5`.
pub fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}
