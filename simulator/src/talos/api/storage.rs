//! The disks of a node.

use talos::api::storage::{Disk, Disks, DisksResponse, disk::DiskType};

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

pub fn model(nvme: bool) -> &'static str {
    if nvme { "REHEARSAL NVME" } else { "REHEARSAL SSD" }
}

pub fn serial(machine: &str, disk: &str) -> String {
    format!("{machine}-{disk}").to_uppercase()
}
