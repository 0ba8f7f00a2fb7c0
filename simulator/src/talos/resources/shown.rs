//! What a node shows of itself, type by type.

use prost::Message;
use serde_json::{Value, json};
use talos::api::{cosi::meta::MachineConfigSpec, machine::machine_status_event::MachineStage};

use super::{Content, Key};
use crate::talos::{
    api::{model, serial},
    config::Config,
    machine::Disk,
    node::Node,
    startup::STATIC_PODS,
};

pub fn yaml(spec: &Value) -> String {
    serde_saphyr::to_string(spec).expect("specs are made of what YAML can say")
}

/// Collects what is shown.
struct Shown(Vec<(Key, Content)>);

impl Shown {
    fn add(&mut self, owner: &'static str, namespace: &str, kind: &str, id: &str, spec: &Value) {
        let content = Content { owner, yaml: yaml(spec), message: Vec::new(), annotations: &[] };
        self.0.push((Key::new(namespace, kind, id), content));
    }
}

/// Everything but the types themselves.
pub fn all(node: &Node) -> Vec<(Key, Content)> {
    let mut shown = Shown(Vec::new());
    system(node, &mut shown);
    network(node, &mut shown);
    disks(node, &mut shown);
    let config = node.state().config.clone();
    if let Some(config) = config {
        configured(node, &config, &mut shown);
        members(node, &mut shown);
    }
    shown.0
}

fn stage(stage: MachineStage) -> &'static str {
    match stage {
        MachineStage::Unknown => "unknown",
        MachineStage::Booting => "booting",
        MachineStage::Installing => "installing",
        MachineStage::Maintenance => "maintenance",
        MachineStage::Running => "running",
        MachineStage::Rebooting => "rebooting",
        MachineStage::ShuttingDown => "shutting down",
        MachineStage::Resetting => "resetting",
        MachineStage::Upgrading => "upgrading",
    }
}

fn system(node: &Node, shown: &mut Shown) {
    let status = node.status();
    let unmet = status.unmet_conditions.iter();
    let unmet: Vec<Value> = unmet.map(|unmet| json!({"name": unmet.name, "reason": unmet.reason})).collect();
    let spec = json!({
        "stage": stage(node.state().stage),
        "status": {"ready": status.ready, "unmetConditions": unmet},
    });
    shown.add("runtime.MachineStatusController", "runtime", "MachineStatuses.runtime.talos.dev", "machine", &spec);
    let version = json!({"version": node.version()});
    if node.minor() >= 10 {
        shown.add("runtime.VersionController", "runtime", "Versions.runtime.talos.dev", "version", &version);
    }
    let time = json!({"synced": node.state().time_in_sync, "epoch": 0, "syncDisabled": false});
    shown.add("time.SyncController", "runtime", "TimeStatuses.v1alpha1.talos.dev", "node", &time);
    let services: Vec<(&str, Value)> = {
        let state = node.state();
        let services = state.services.0.iter();
        services
            .map(|(name, service)| {
                let unknown = service.unasked;
                (*name, json!({"running": service.runs(), "healthy": service.healthy, "unknown": unknown}))
            })
            .collect()
    };
    for (name, spec) in services.into_iter().filter(|(_, spec)| spec["running"] == true) {
        shown.add("v1alpha1.ServiceController", "runtime", "Services.v1alpha1.talos.dev", name, &spec);
    }
    let meta: Vec<(String, Value)> = {
        let state = node.state();
        let value = |value: &[u8]| json!({"value": String::from_utf8_lossy(value)});
        state.meta.iter().map(|(key, bytes)| (format!("{key:#04x}"), value(bytes))).collect()
    };
    for (key, spec) in meta {
        shown.add("runtime.MetaController", "runtime", "MetaKeys.runtime.talos.dev", &key, &spec);
    }
}

fn network(node: &Node, shown: &mut Shown) {
    let (address, prefix) = (node.state().address, node.machine.prefix);
    let hardware = {
        let bytes = node.bytes(0x3ac);
        format!("52:54:00:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2])
    };
    let link = |index: u32, kind: &str, flags: &str, hardware: &str, mtu: u32| {
        json!({
            "index": index, "type": kind, "linkIndex": 0, "flags": flags, "hardwareAddr": hardware,
            "broadcastAddr": if kind == "ether" { "ff:ff:ff:ff:ff:ff" } else { "00:00:00:00:00:00" },
            "mtu": mtu, "queueDisc": if kind == "ether" { "fq_codel" } else { "noqueue" },
            "operationalState": if kind == "ether" { "up" } else { "unknown" },
            "kind": "", "slaveKind": "", "linkState": true, "port": "Other", "duplex": "Unknown",
        })
    };
    let links = [
        ("eth0", link(2, "ether", "UP,BROADCAST,RUNNING,MULTICAST,LOWER_UP", &hardware, 1500)),
        ("lo", link(1, "loopback", "UP,LOOPBACK,RUNNING,LOWER_UP", "00:00:00:00:00:00", 65536)),
    ];
    for (name, spec) in &links {
        shown.add("network.LinkStatusController", "network", "LinkStatuses.net.talos.dev", name, spec);
    }
    let mut own: Vec<String> = vec![format!("{address}/{prefix}")];
    own.extend(node.estate().shared_by(node).iter().map(|shared| format!("{shared}/32")));
    for (link, index, address) in
        [("lo", 1, "127.0.0.1/8".to_owned())].into_iter().chain(own.iter().map(|own| ("eth0", 2, own.clone())))
    {
        let spec = json!({
            "address": address, "linkIndex": index, "linkName": link, "family": "inet4",
            "scope": if link == "lo" { "host" } else { "global" }, "flags": "permanent", "priority": 0,
        });
        let id = format!("{link}/{address}");
        shown.add("network.AddressStatusController", "network", "AddressStatuses.net.talos.dev", &id, &spec);
    }
    let (first, spec) = (json!({"addresses": own[..1]}), json!({"addresses": own}));
    for (id, spec) in [("accumulative", &spec), ("current", &spec), ("default", &first), ("routed", &spec)] {
        shown.add("network.NodeAddressController", "network", "NodeAddresses.net.talos.dev", id, spec);
    }
    if let Some(gateway) = gateway(address, prefix) {
        let route = json!({
            "family": "inet4", "dst": "", "src": "", "gateway": gateway, "outLinkIndex": 2, "outLinkName": "eth0",
            "table": "main", "priority": 1024, "scope": "global", "type": "unicast", "flags": "", "protocol": "boot", "mtu": 0,
        });
        let id = format!("inet4/{gateway}//1024");
        shown.add("network.RouteStatusController", "network", "RouteStatuses.net.talos.dev", &id, &route);
    }
    let resolvers = json!({"dnsServers": ["1.1.1.1", "8.8.8.8"], "searchDomains": []});
    shown.add("network.ResolverSpecController", "network", "ResolverStatuses.net.talos.dev", "resolvers", &resolvers);
    let hostname = json!({"hostname": node.hostname(), "domainname": ""});
    shown.add("network.HostnameSpecController", "network", "HostnameStatuses.net.talos.dev", "hostname", &hostname);
}

/// The first address of a network.
fn gateway(address: std::net::IpAddr, prefix: u8) -> Option<std::net::Ipv4Addr> {
    let std::net::IpAddr::V4(address) = address else { return None };
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
    Some(((u32::from(address) & mask) + 1).into())
}

fn disks(node: &Node, shown: &mut Shown) {
    let machine = &node.machine;
    for disk in machine.found() {
        let spec = disk_spec(&machine.name, disk);
        shown.add("block.DisksController", "runtime", "Disks.block.talos.dev", &disk.name, &spec);
        let spec = json!({
            "dev_path": disk.path(), "type": "disk", "size": disk.size, "pretty_size": disk.shown_size(),
            "sector_size": 512, "io_size": 512, "name": if installed_on(node, disk) { "gpt" } else { "" },
        });
        let owner = "block.DiscoveryController";
        shown.add(owner, "runtime", "DiscoveredVolumes.block.talos.dev", &disk.name, &spec);
    }
    let system = node.state().system.as_ref().map(|system| system.disk.clone());
    let Some(system) = system else { return };
    let id = system.trim_start_matches("/dev/");
    let spec = json!({"diskID": id, "devPath": system});
    shown.add("block.SystemDiskController", "runtime", "SystemDisks.block.talos.dev", "system-disk", &spec);
    let size = machine.disk(&system).map_or(0, |disk| disk.size);
    let sizes = [("META", 1 << 20), ("STATE", 100 << 20), ("EPHEMERAL", size.saturating_sub(3 << 30))];
    for (number, (label, size)) in (2..).zip(sizes) {
        let shown_size = Disk { name: String::new(), size }.shown_size();
        let spec = json!({
            "phase": "ready", "type": "partition", "location": format!("{system}{number}"), "size": size,
            "prettySize": shown_size, "partitionUUID": "", "parentLocation": system,
        });
        shown.add("block.VolumeManagerController", "runtime", "VolumeStatuses.block.talos.dev", label, &spec);
    }
}

fn installed_on(node: &Node, disk: &Disk) -> bool {
    node.state().system.as_ref().is_some_and(|system| system.disk == disk.path())
}

fn disk_spec(machine: &str, disk: &Disk) -> Value {
    json!({
        "dev_path": disk.path(), "size": disk.size, "pretty_size": disk.shown_size(), "io_size": 512, "sector_size": 512,
        "readonly": false, "cdrom": false, "model": model(disk.is_nvme()), "serial": serial(machine, &disk.name),
        "wwid": format!("naa.{:016x}", disk.name.bytes().fold(0x5000_c500_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))),
        "bus_path": format!("/pci0000:00/{}", disk.name), "sub_system": "/sys/class/block",
        "transport": disk.transport(), "rotational": false, "symlinks": [],
    })
}

fn configured(node: &Node, config: &Config, shown: &mut Shown) {
    let machine_type = json!(config.machine_type());
    let owner = "config.MachineTypeController";
    shown.add(owner, "config", "MachineTypes.config.talos.dev", "machine-type", &machine_type);
    let kept = node.state().kept.clone();
    let persistent = kept.as_ref().filter(|_| node.minor() >= 10).map(|kept| ("persistent", kept));
    for (id, config) in [("v1alpha1", config)].into_iter().chain(persistent) {
        let as_text = node.minor() >= 12;
        let message = MachineConfigSpec { yaml_marshalled: config.text.clone().into_bytes() }.encode_to_vec();
        let content = Content {
            owner: "config.AcquireController",
            yaml: if as_text { yaml(&json!(config.text)) } else { config.text.clone() },
            message,
            annotations: if as_text { &[("talos.dev/yaml-spec", "")] } else { &[] },
        };
        shown.0.push((Key::new("config", "MachineConfigs.config.talos.dev", id), content));
    }
    let nodename = json!({"nodename": node.hostname(), "hostnameVersion": "1", "skipNodeRegistration": false});
    shown.add("k8s.NodenameController", "k8s", "Nodenames.kubernetes.talos.dev", "nodename", &nodename);
    let identity = json!({"nodeId": identity(node)});
    shown.add("cluster.NodeIdentityController", "cluster", "Identities.cluster.talos.dev", "local", &identity);
    let (etcd, runs_pods) = {
        let state = node.state();
        (state.etcd.filter(|_| state.services.runs("etcd")), state.control_plane)
    };
    if let Some(data) = etcd {
        let spec = json!({"memberID": format!("{:016x}", data.member)});
        shown.add("etcd.MemberController", "etcd", "EtcdMembers.etcd.talos.dev", "local", &spec);
    }
    if runs_pods {
        for pod in STATIC_PODS {
            let spec = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
            let id = format!("kube-system/{pod}-{}", node.hostname());
            shown.add("k8s.KubeletStaticPodController", "k8s", "StaticPodStatuses.kubernetes.talos.dev", &id, &spec);
        }
    }
    if node.look(|state| state.services.runs("kubelet") && state.joined.is_some()) {
        let spec = json!({"nodename": node.hostname(), "nodeReady": true, "unschedulable": false});
        let owner = "k8s.NodeStatusController";
        shown.add(owner, "k8s", "NodeStatuses.kubernetes.talos.dev", &node.hostname(), &spec);
    }
}

/// By which a node is known to its peers.
fn identity(node: &Node) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    node.bytes(0x1d).iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

fn members(node: &Node, shown: &mut Shown) {
    for peer in node.estate().peers(node) {
        let Some(config) = peer.state().config.clone() else { continue };
        let hostname = peer.hostname();
        let mut addresses = vec![peer.state().address];
        addresses.extend(peer.estate().shared_by(&peer));
        let mut spec = json!({
            "nodeId": identity(&peer), "addresses": addresses, "hostname": hostname,
            "machineType": config.machine_type(), "operatingSystem": format!("Talos ({})", peer.version()),
        });
        if config.is_control_plane() {
            spec["controlPlane"] = json!({"port": 6443});
        }
        shown.add("cluster.MemberController", "cluster", "Members.cluster.talos.dev", &hostname, &spec);
    }
}
