//! The disks of a node.

use talos::api::{
    machine::{MountStat, Mounts, MountsResponse},
    storage::{Disk, Disks, DisksResponse, disk::DiskType},
};

use super::{Asked, unmodelled};
use crate::talos::grpc::{Messages, Status, one};

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    if method != "Disks" {
        return Err(unmodelled(asked));
    }
    let system = asked.node.state().system.as_ref().map(|system| system.disk.clone());
    let disks = asked.node.machine.found().map(|disk| Disk {
        size: disk.size,
        model: model(disk.is_nvme()).to_owned(),
        device_name: disk.path(),
        serial: serial(&asked.node.machine.name, &disk.name),
        r#type: if disk.is_nvme() { DiskType::Nvme } else { DiskType::Ssd }.into(),
        bus_path: format!("/pci0000:00/{}", disk.name),
        system_disk: system.as_ref() == Some(&disk.path()),
        subsystem: "/sys/class/block".to_owned(),
        ..Disk::default()
    });
    Ok(one(&DisksResponse { messages: vec![Disks { metadata: None, disks: disks.collect() }] }))
}

/// What is mounted where. Of the system's own there is always the same.
pub fn mounts(asked: &Asked<'_>) -> Result<Messages, Status> {
    const SYSTEM: [(&str, &str, u64); 4] = [
        ("devtmpfs", "/dev", 64 << 20),
        ("tmpfs", "/run", 64 << 20),
        ("tmpfs", "/system", 64 << 20),
        ("tmpfs", "/tmp", 64 << 20),
    ];
    let node = asked.node;
    let mut mounts: Vec<(String, &str, u64)> =
        SYSTEM.into_iter().map(|(filesystem, place, size)| (filesystem.to_owned(), place, size)).collect();
    let system = node.look(|state| state.system.as_ref().map(|system| system.disk.clone()));
    if let Some(disk) = system.and_then(|path| node.machine.disk(&path)) {
        let partition = |number: u32| match disk.is_nvme() {
            true => format!("{}p{number}", disk.path()),
            false => format!("{}{number}", disk.path()),
        };
        mounts.push((partition(5), "/system/state", 92 << 20));
        mounts.push((partition(6), "/var", disk.size.saturating_sub(3 << 30)));
    }
    let stat = |(filesystem, place, size): (String, &str, u64)| MountStat {
        filesystem,
        size,
        available: size - size / 20,
        mounted_on: place.to_owned(),
    };
    let stats = mounts.into_iter().map(stat).collect();
    Ok(one(&MountsResponse { messages: vec![Mounts { metadata: None, stats }] }))
}

pub fn model(nvme: bool) -> &'static str {
    if nvme { "REHEARSAL NVME" } else { "REHEARSAL SSD" }
}

pub fn serial(machine: &str, disk: &str) -> String {
    format!("{machine}-{disk}").to_uppercase()
}
