//! Judging: message by message what `talosctl validate` says.

use talos::{
    configuration::{Configuration, Contract},
    generate::Plan,
    patch::{Patch, apply},
    validate::{Mode, validate},
};

use super::{Talosctl, secrets};

/// What makes a good configuration of a control plane bad, or questionable.
const OF_CONTROL_PLANES: [&str; 45] = [
    "machine: { type: foo }",
    "machine: { type: init }",
    "machine: { $patch: delete }",
    "cluster: { $patch: delete }",
    "cluster: { controlPlane: { $patch: delete } }",
    "machine: { install: { $patch: delete } }",
    "machine: { install: { disk: { $patch: delete } } }",
    "machine: { install: { disk: { $patch: delete } } }\n---\napiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: nowhere",
    "machine: { install: { diskSelector: { name: x, type: floppy } } }",
    "machine: { install: { diskSelector: { type: floppy }, extensions: [{ image: a }, { image: a }] } }",
    "machine: { ca: { $patch: delete } }",
    "machine: { ca: { crt: LS0t } }",
    "machine: { ca: { $patch: delete }, acceptedCAs: [{ crt: LS0t }] }",
    "cluster: { network: { cni: { name: custom, flannel: { extraArgs: [x] } } } }",
    "cluster: { network: { cni: { name: none, urls: [a] }, dnsDomain: '-bad-' } }",
    "cluster: { network: { cni: { name: calico } } }",
    "cluster: { network: { cni: { name: custom, urls: ['https://', 'https://a:99999/', 'https://ok/x'] } } }",
    "machine: { network: { interfaces: [{ interface: eth0, addresses: [abc, 10.0.0.1/99], cidr: 10.0.0.1/24 }, {}] } }",
    "machine: { network: { interfaces: [{ interface: eth0, deviceSelector: {} }, { interface: eth1, ignore: true, addresses: [x] }] } }",
    "machine: { network: { interfaces: [{ interface: bond0, bond: { mode: foo, interfaces: [a, b], lacpRate: fast, updelay: 5, adSelect: x } }] } }",
    "machine: { network: { interfaces: [{ interface: bond0, bond: { mode: 802.3ad, interfaces: [a], miimon: 100, updelay: 250, downdelay: 50, arpValidate: all, arpInterval: 5, primary: a, packetsPerSlave: 2, arpIPTarget: [x], adActorSystem: y, tlbDynamicLb: 1 } }] } }",
    "machine: { network: { interfaces: [{ interface: bond0, bond: { mode: active-backup, interfaces: [a], deviceSelectors: [{ driver: x }], adActorSysPrio: 1, adUserPortKey: 2, xmitHashPolicy: q, arpAllTargets: q, primaryReselect: q, failOverMac: q, arpValidate: q }, bridge: { interfaces: [c] } }] } }",
    "machine: { network: { interfaces: [{ interface: br0, bridge: { interfaces: [a] } }, { interface: br1, bridge: { interfaces: [a] } }, { interface: a, dhcp: true }] } }",
    "machine: { network: { interfaces: [{ interface: wg0, wireguard: { privateKey: abc, peers: [{ publicKey: YWJj, endpoint: nowhere, allowedIPs: [x, 10.0.0.0/8] }] } }] } }",
    "machine: { network: { interfaces: [{ interface: eth0, vlans: [{ vlanId: 5, cidr: x, addresses: [y, 1.1.1.1] }], vip: { ip: x } }] } }",
    "machine: { network: { interfaces: [{ interface: eth0, routes: [{ network: x, gateway: y, source: z }, {}, { gateway: 10.0.0.1 }] }] } }",
    "machine: { network: { kubespan: { enabled: true, mtu: 500, filters: { endpoints: [x, '!10.0.0.0/8'] } } } }\ncluster: { discovery: { enabled: false } }",
    "machine: { network: { kubespan: { enabled: true } } }\ncluster: { id: { $patch: delete }, secret: { $patch: delete } }",
    "machine: { disks: [null, { device: /dev/sdb, partitions: [{ mountpoint: /a }, { size: 1GB, mountpoint: /b }] }] }",
    "machine: { kubelet: { nodeIP: { validSubnets: [x, '!1.1.1.1'] }, extraConfig: { port: 5, authentication: {}, serializeImagePulls: true } } }",
    "machine: { systemDiskEncryption: { state: { provider: luks2, keys: [] }, ephemeral: { provider: luks2, keys: [{ slot: 1, nodeID: {} }, { slot: 1 }] } } }",
    "machine: { logging: { destinations: [{ endpoint: 'http://x', format: text }, { format: json_lines, endpoint: 'tcp:///' }] } }",
    "machine: { nodeLabels: { 'a/b/c': x, '-a': '-', /x: y, 'UP/x': z }, nodeAnnotations: { talos.dev/owned-labels: x, '': y }, nodeTaints: { a: Sometimes, b: 'x:NoSchedule', c: '-:NoExecute' } }",
    "machine: { features: { rbac: false, kubernetesTalosAPIAccess: { enabled: true, allowedRoles: ['os:king'] }, nodeAddressSortAlgorithm: v9 } }",
    "persist: false\nmachine: { registries: { mirrors: { a: null }, config: { b: null } } }",
    "machine: { features: { hostDNS: { enabled: false, forwardKubeDNSToHost: false } } }",
    "cluster: { controlPlane: { endpoint: 'https://' }, externalCloudProvider: { enabled: true, manifests: [x] } }",
    "cluster: { externalCloudProvider: { manifests: [https://x] }, inlineManifests: [{ name: '' }, { name: a }, { name: a }] }",
    "cluster: { etcd: { ca: { $patch: delete }, subnet: 10.0.0.0/8, advertisedSubnets: [x], listenSubnets: [y] } }",
    "cluster: { discovery: { registries: { service: { endpoint: 'https://x/path' } } } }\nmachine: { time: { disabled: true } }",
    "cluster: { discovery: { registries: { service: { endpoint: x } } }, id: { $patch: delete } }",
    "cluster: { apiServer: { authorizationConfig: [{ type: Foo, name: x }], resources: { limits: { disk: 1 } } }, scheduler: { resources: { requests: { gpu: 1 } } } }",
    "cluster: { apiServer: { authorizationConfig: [{ type: Node, name: x }], extraArgs: { authorization-mode: x } }, controllerManager: { resources: { limits: { x: 1 } } } }",
    "apiVersion: v1alpha1\nkind: VolumeConfig\nname: STATE\nprovisioning: { minSize: 5GB, maxSize: 1GB }\nencryption: { provider: luks2, keys: [{ slot: 0, lockToState: true }, { slot: 0, tpm: {} }] }\n---\napiVersion: v1alpha1\nkind: VolumeConfig\nname: OTHER\n---\nmachine: { systemDiskEncryption: { state: { provider: luks2, keys: [{ slot: 0, tpm: {} }] } } }",
    "machine: { acceptedCAs: [{ crt: LS0t }], udev: { rules: [x] } }",
];

const OF_WORKERS: [&str; 6] = [
    "machine: { type: join }",
    "machine: { ca: { crt: '', key: LS0t } }\ncluster: { ca: { crt: LS0t, key: LS0t } }",
    "machine: { network: { interfaces: [{ interface: eth0, vip: { ip: 10.0.0.1 }, vlans: [{ vlanId: 1, vip: { ip: 10.0.0.2 } }] }] } }",
    "cluster: { etcd: { ca: { crt: LS0t, key: LS0t } } }",
    "machine: { features: { kubernetesTalosAPIAccess: { enabled: true } }, nodeLabels: { a: b } }",
    "cluster: { network: { cni: { name: calico } } }",
];

/// Documents beside the original one.
const ALONE: [&str; 24] = [
    "kind: UserVolumeConfig\nname: ''",
    "kind: UserVolumeConfig\nname: a_b\nprovisioning: { diskSelector: { match: system_disk }, maxSize: 1GB }\nfilesystem: { type: vfat }",
    "kind: UserVolumeConfig\nname: data\nprovisioning: { diskSelector: { match: system_disk }, maxSize: 1GB }\nfilesystem: { type: ext4, projectQuotaSupport: true }\nencryption: { keys: [{ slot: 1 }] }",
    "kind: RawVolumeConfig\nname: a-name-that-is-longer-than-labels-are\nencryption: { provider: luks2 }",
    "kind: SwapVolumeConfig\nname: swap1\nprovisioning: { minSize: 1GB }",
    "kind: ExistingVolumeConfig\nname: a/b",
    "kind: ZswapConfig\nmaxPoolPercent: 101",
    "kind: EthernetConfig\nname: ''",
    "kind: NetworkRuleConfig\nname: ''",
    "kind: NetworkRuleConfig\nname: a\nportSelector: { protocol: tcp }",
    "kind: NetworkRuleConfig\nname: a\nportSelector: { ports: [20-10], protocol: tcp }",
    "kind: NetworkRuleConfig\nname: a\nportSelector: { ports: [10-20, 15], protocol: tcp }",
    "kind: NetworkRuleConfig\nname: a\nportSelector: { ports: [10, 10], protocol: udp }",
    "kind: NetworkRuleConfig\nname: a\nportSelector: { ports: [10], protocol: tcp }\ningress: [{ except: 10.0.0.0/8 }]",
    "kind: EventSinkConfig\nendpoint: nowhere",
    "kind: EventSinkConfig\nendpoint: a:b:c",
    "kind: ExtensionServiceConfig\nname: a",
    "kind: ExtensionServiceConfig\nname: a\nconfigFiles: [{ content: x }]",
    "kind: KmsgLogConfig\nname: a",
    "kind: KmsgLogConfig\nname: a\nurl: http://x",
    "kind: KmsgLogConfig\nname: a\nurl: tcp://x/path",
    "kind: WatchdogTimerConfig\ndevice: /dev/w\ntimeout: 5s",
    "kind: SideroLinkConfig\napiUrl: http://x",
    "kind: WatchdogTimerConfig\ndevice: ''\n---\napiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://x/path",
];

/// By which disks are chosen, or would be if it were right.
const OF_DISKS: [&str; 48] = [
    "system_disk",
    "disk.transport == 'nvme' && !system_disk",
    "disk.size > 100u * GiB && disk.size <= 1u*TB",
    "glob('sd*', disk.dev_path)",
    "'/dev/x' in disk.symlinks || disk.symlinks.exists(s, s.startsWith('/dev/x'))",
    "disk.model.matches('x') && !disk.rotational && !disk.readonly && !disk.cdrom",
    "has(disk.wwid) && size(disk.secondary_disks) > 0",
    "true",
    "disk.readonly ? disk.cdrom : system_disk",
    "disk.symlinks.map(s, s + 'x') == ['x']",
    "disk.symlinks.all(s, size(s) == 1)",
    "disk.symlinks.filter(s, s != '').size() == 1",
    "disk.symlinks.exists_one(s, s == 'a')",
    "disk.symlinks[0] == 'x'",
    "string(disk.size) == '5' && int(disk.io_size) == 5 && double(disk.size) < 1.5",
    "{'a': 1}['a'] == 1 && {'a': 1}.a == 1",
    "type(disk.size) == uint",
    "disk != null",
    "dyn(disk.size) == 5",
    "disk.model in ['a', 'b']",
    "disk.transport == 'nvme' &&\n  disk.size > 5u",
    "''",
    "disks.transport == 'x' && volume.name == 'y'",
    "disk.transpor == 'x' || disk.nothing",
    "disk.size",
    "disk.size > 100 * GiB",
    "disk.size > 10GB",
    "disk.transport = 'nvme'",
    "disk.transport ==",
    "(disk.rotational",
    "glob(disk.dev_path)",
    "disk.dev_path.glob('x')",
    "'a' in disk",
    "disk.model.lowerAscii() == 'x'",
    "lowerAscii(disk.model) == 'x'",
    "disk.io_size == 1",
    "disk.model.startsWith(5)",
    "disk.readonly ? 1 : 2",
    "disk.model.name == 'x'",
    "disk.model.exists(x, true)",
    "!disk.model",
    "-disk.size == 5",
    "[1, 'a']",
    "[]",
    "disk.symlinks.map(s, size(s))",
    "disk.transport == 'nvme' &&\n  disk.sizes > 5u",
    "[disk.x, disk.y].size() > 0",
    "disk.transport == \"nvme",
];

const OF_VOLUMES: [&str; 5] = [
    "volume.partition_label == 'x' && disk.transport == 'nvme' && volume.size > 5u * MiB",
    "system_disk",
    "volume.encrypted",
    "volume.name ==",
    "volume.partition_index",
];

/// As talosctl writes it.
fn ours(text: &str, file: &str, mode: Mode, strict: bool) -> String {
    let configuration = match Configuration::read(text, Contract::V1_11) {
        Ok(configuration) => configuration,
        Err(error) => return format!("{error}\n"),
    };
    let findings = validate(&configuration, mode, strict);
    let warnings: String = findings.warnings.iter().map(|warning| format!("WARNING: {warning}\n")).collect();
    match findings.errors.is_empty() {
        true => format!("{warnings}{file} is valid for {mode} mode\n"),
        false => format!("{warnings}{}", findings.text()),
    }
}

/// Texts, each with what it is about.
fn same(texts: impl IntoIterator<Item = (String, &'static str)>) {
    let Some(talosctl) = Talosctl::find() else { return };
    let mut differ = Vec::new();
    for (text, about) in texts {
        talosctl.write("it.yaml", &text);
        // Clouds ask less than metal, and nothing else.
        let cloud = about.contains("install").then_some((Mode::Cloud, false));
        for (mode, strict) in [(Mode::Metal, false), (Mode::Container, true)].into_iter().chain(cloud) {
            let name = mode.to_string();
            let mut arguments = vec!["validate", "-c", "it.yaml", "-m", &name];
            arguments.extend(strict.then_some("--strict"));
            let said = talosctl.run(&arguments);
            let (ours, theirs) = (ours(&text, "it.yaml", mode, strict), format!("{}{}", said.err, said.out));
            if ours.trim_end() != theirs.trim_end() {
                differ.push(format!("{about:?}, {mode}:\n--- ours\n{ours}\n--- theirs\n{theirs}"));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn with(patch: &str, control_plane: bool) -> String {
    let good =
        Plan::new("lab", "https://10.5.0.2:6443", "v1.11.5").unwrap().machine(&secrets(), control_plane).unwrap();
    let patch = Patch::read(patch, Contract::V1_11).unwrap_or_else(|error| panic!("{patch}: {error}"));
    apply(&good, &[patch], Contract::V1_11).unwrap()
}

#[test]
fn control_planes_are_judged_as_talosctl_judges_them() {
    same(OF_CONTROL_PLANES.map(|patch| (with(patch, true), patch)));
}

#[test]
fn workers_are_judged_as_talosctl_judges_them() {
    same(OF_WORKERS.map(|patch| (with(patch, false), patch)));
}

#[test]
fn other_documents_are_judged_as_talosctl_judges_them() {
    same(ALONE.map(|document| (format!("apiVersion: v1alpha1\n{document}\n"), document)));
}

#[test]
fn what_chooses_disks_and_volumes_is_judged_as_talosctl_judges_it() {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let disks = OF_DISKS.map(|text| {
        let chosen = format!("provisioning: {{ maxSize: 1GB, diskSelector: {{ match: {} }} }}", quoted(text));
        (format!("apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: data\n{chosen}\n"), text)
    });
    let volumes = OF_VOLUMES.map(|text| {
        let chosen = format!("discovery: {{ volumeSelector: {{ match: {} }} }}", quoted(text));
        (format!("apiVersion: v1alpha1\nkind: ExistingVolumeConfig\nname: data\n{chosen}\n"), text)
    });
    let system = [("STATE", "disk.x"), ("EPHEMERAL", "disk.x"), ("EPHEMERAL", "system_disk")].map(|(name, text)| {
        let chosen = format!("provisioning: {{ diskSelector: {{ match: {} }} }}", quoted(text));
        (format!("apiVersion: v1alpha1\nkind: VolumeConfig\nname: {name}\n{chosen}\n"), text)
    });
    same(disks.into_iter().chain(volumes).chain(system));
}

#[test]
fn what_is_no_configuration_is_told_as_talosctl_tells_it() {
    let texts = [
        "",
        "a: b\n",
        "kind: Foo\napiVersion: v1alpha1\n",
        "machine: { typo: x, network: { interfaces: [{ foo: 1 }] } }\n",
        "debug: maybe\nmachine: { type: [], certSANs: abc }\n",
        "machine: {}\n---\nmachine: {}\n",
    ];
    same(texts.map(|text| (text.to_owned(), text)));
}
