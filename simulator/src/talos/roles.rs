//! Who may call what: by the roles that a client's certificate names.

/// Who may do a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    /// Who reads, operates or administers.
    Read,
    /// And whoever only saves etcd.
    ReadOrBackUp,
    Operate,
    OperateOrBackUp,
}

pub const ADMIN: &str = "os:admin";
pub const READER: &str = "os:reader";

/// Methods by what one has to be allowed for them; whatever is not here is for administrators.
const RULES: &[(&str, May)] = &[
    ("/cluster.ClusterService/HealthCheck", May::Read),
    ("/cosi.resource.State/Get", May::Read),
    ("/cosi.resource.State/List", May::Read),
    ("/cosi.resource.State/Watch", May::Read),
    ("/inspect.InspectService/ControllerRuntimeDependencies", May::Read),
    ("/machine.ImageService/List", May::Read),
    ("/machine.ImageService/Pull", May::Operate),
    ("/machine.MachineService/CPUFreqStats", May::Read),
    ("/machine.MachineService/CPUInfo", May::Read),
    ("/machine.MachineService/Containers", May::Read),
    ("/machine.MachineService/DiskStats", May::Read),
    ("/machine.MachineService/DiskUsage", May::Read),
    ("/machine.MachineService/Dmesg", May::Read),
    ("/machine.MachineService/EtcdAlarmDisarm", May::Operate),
    ("/machine.MachineService/EtcdAlarmList", May::ReadOrBackUp),
    ("/machine.MachineService/EtcdDefragment", May::Operate),
    ("/machine.MachineService/EtcdMemberList", May::ReadOrBackUp),
    ("/machine.MachineService/EtcdSnapshot", May::OperateOrBackUp),
    ("/machine.MachineService/EtcdStatus", May::ReadOrBackUp),
    ("/machine.MachineService/Events", May::Read),
    ("/machine.MachineService/Hostname", May::Read),
    ("/machine.MachineService/ImageList", May::Read),
    ("/machine.MachineService/ImagePull", May::Operate),
    ("/machine.MachineService/List", May::Read),
    ("/machine.MachineService/LoadAvg", May::Read),
    ("/machine.MachineService/Logs", May::Read),
    ("/machine.MachineService/LogsContainers", May::Read),
    ("/machine.MachineService/Memory", May::Read),
    ("/machine.MachineService/Mounts", May::Read),
    ("/machine.MachineService/Netstat", May::Read),
    ("/machine.MachineService/NetworkDeviceStats", May::Read),
    ("/machine.MachineService/PacketCapture", May::Operate),
    ("/machine.MachineService/Processes", May::Read),
    ("/machine.MachineService/Reboot", May::Operate),
    ("/machine.MachineService/Restart", May::Operate),
    ("/machine.MachineService/ServiceList", May::Read),
    ("/machine.MachineService/ServiceRestart", May::Operate),
    ("/machine.MachineService/ServiceStart", May::Operate),
    ("/machine.MachineService/ServiceStop", May::Operate),
    ("/machine.MachineService/Shutdown", May::Operate),
    ("/machine.MachineService/Stats", May::Read),
    ("/machine.MachineService/SystemStat", May::Read),
    ("/machine.MachineService/Version", May::Read),
    ("/storage.StorageService/Disks", May::Read),
    ("/time.TimeService/Time", May::Read),
    ("/time.TimeService/TimeCheck", May::Read),
];

/// Whether somebody with these roles may call a method.
pub fn allow(roles: &[String], method: &str) -> bool {
    let rule = RULES.iter().find(|(known, _)| *known == method).map(|(_, may)| *may);
    roles.iter().any(|role| match (role.as_str(), rule) {
        (ADMIN, _) => true,
        ("os:operator", rule) => rule.is_some(),
        (READER, rule) => matches!(rule, Some(May::Read | May::ReadOrBackUp)),
        ("os:etcd:backup", rule) => matches!(rule, Some(May::ReadOrBackUp | May::OperateOrBackUp)),
        _ => false,
    })
}
