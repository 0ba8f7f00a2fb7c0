//! Patches: what talosctl makes of a configuration, and what it refuses.

use talos::{
    configuration::Contract,
    patch::{Patch, apply},
};

use super::{Talosctl, differences, values};

const RICH: &str = include_str!("rich.yaml");

/// The original document alone, for steps of RFC 6902.
fn single() -> &'static str {
    RICH.split("---\n").next().unwrap()
}

/// Patches of documents.
const MERGED: [&str; 50] = [
    "machine: { type: worker }",
    "machine: { certSANs: [lab.example.org] }",
    "machine: { certSANs: [10.5.0.9] }",
    "machine: { certSANs: null, network: null, install: { disk: '', wipe: true } }",
    "persist: false\ndebug: true",
    "machine: { kubelet: { extraArgs: { v: 5, max-pods: '', new: yes } } }",
    "machine: { kubelet: { extraMounts: [{ destination: /b, options: [ro] }], nodeIP: { validSubnets: ['!10.5.0.4/32'] } } }",
    "machine: { kubelet: { extraConfig: { serializeImagePulls: false, nested: { a: [1, 2.5, x] } } } }",
    "machine: { network: { hostname: '', nameservers: [9.9.9.9], searchDomains: [example.org] } }",
    "machine: { network: { interfaces: [{ interface: eth0, mtu: 1400, addresses: [10.5.0.12/24] }] } }",
    "machine: { network: { interfaces: [{ interface: eth1, dhcp: true }, { interface: eth0, dhcp: false }] } }",
    "machine: { network: { interfaces: [{ interface: eth0, vlans: [{ vlanId: 100, mtu: 1500 }, { vlanId: 300, dhcp: true }] }] } }",
    "machine: { network: { interfaces: [{ deviceSelector: { busPath: '00:*', driver: virtio_net }, mtu: 1500, dhcp: false }] } }",
    "machine: { network: { interfaces: [{ deviceSelector: { driver: e1000 }, dhcp: true }] } }",
    "machine: { network: { interfaces: [{ interface: eth0, vip: { ip: 10.5.0.254 }, routes: [{ network: 10.0.0.0/8, gateway: 10.5.0.2, metric: 100 }] }] } }",
    "machine: { network: { interfaces: [{ interface: bond0, bond: { mode: 802.3ad, lacpRate: fast, interfaces: [eth2, eth3], miimon: 100 } }] } }",
    "machine: { network: { kubespan: { mtu: 0, enabled: false, filters: { endpoints: [0.0.0.0/0] } } } }",
    "machine: { files: [{ content: a, permissions: 0o600, path: /b, op: create }, { content: b, permissions: 0644, path: /c, op: append }] }",
    "machine: { time: { bootTimeout: 90s, disabled: true } }",
    "machine: { time: { bootTimeout: 1h0.5s, servers: [] } }",
    "machine: { disks: [{ device: /dev/sdb, partitions: [{ size: 10GB, mountpoint: /var/x }, { size: 1234567 }, { size: 1.5TB }, { mountpoint: /var/y }] }] }",
    "machine: { registries: { mirrors: { docker.io: { endpoints: [http://10.5.0.1:5000], skipFallback: true }, ghcr.io: { endpoints: [http://10.5.0.1:5001] } } } }",
    "machine: { registries: { config: { mirror.example.org: { tls: { ca: LS0t, clientIdentity: { crt: LS0t, key: LS0t } } } } } }",
    "machine: { install: { diskSelector: { size: '>= 10 GB', type: nvme }, extraKernelArgs: [-console] } }",
    "machine: { features: { kubernetesTalosAPIAccess: { enabled: true, allowedRoles: ['os:reader'], allowedKubernetesNamespaces: [kube-system] } } }",
    "machine: { kernel: { modules: [{ name: zfs }] }, udev: { rules: [a] }, env: { http_proxy: x }, sysfs: { a: '1' } }",
    "machine: { logging: { destinations: [{ endpoint: 'udp://127.0.0.1:12345/', format: json_lines, extraTags: { a: b } }] } }",
    "machine: { systemDiskEncryption: { ephemeral: { provider: luks2, keys: [{ nodeID: {}, slot: 0 }], keySize: 256 } } }",
    "machine: { nodeLabels: { zone: '', new: b }, nodeTaints: { role: 'x:NoSchedule' }, nodeAnnotations: { a: b } }",
    "machine: { ca: { crt: bmV3 }, acceptedCAs: [{ crt: bmV3 }] }",
    "machine: { seccompProfiles: [{ name: a.json, value: { defaultAction: SCMP_ACT_LOG } }], pods: [{ kind: Pod, metadata: { name: x } }] }",
    "cluster: { controlPlane: { endpoint: 'https://lab.example.org', localAPIServerPort: 443 } }",
    "cluster: { network: { podSubnets: [10.0.0.0/16, fd00::/64], cni: { name: custom, urls: [https://example.org/cni.yaml] } } }",
    "cluster: { network: { podSubnets: [], serviceSubnets: null } }",
    "cluster: { apiServer: { auditPolicy: { apiVersion: audit.k8s.io/v1, kind: Policy, rules: [] } } }",
    "cluster: { apiServer: { auditPolicy: {}, resources: { requests: { cpu: 1, memory: 1Gi } }, env: { A: b } } }",
    "cluster: { apiServer: { admissionControl: [{ name: PodSecurity, configuration: { exemptions: { namespaces: [x] }, defaults: { enforce: privileged } } }, { name: Other, configuration: { a: 0 } }] } }",
    "cluster: { apiServer: { certSANs: [a], extraVolumes: [{ hostPath: /a, mountPath: /b, readonly: true }], authorizationConfig: [{ type: Node, name: node }] } }",
    "cluster: { inlineManifests: [{ name: two, contents: \"\\n\\nkind: Secret\\n\" }], extraManifests: [https://example.org/two.yaml], extraManifestHeaders: { Token: x } }",
    "cluster: { etcd: { advertisedSubnets: [10.6.0.0/24], extraArgs: { quota: 8 } }, coreDNS: { disabled: true }, proxy: { disabled: true, mode: ipvs } }",
    "cluster: { discovery: { enabled: false, registries: { service: { endpoint: 'https://disc.example.org/' } } }, adminKubeconfig: { certLifetime: 24h } }",
    "cluster: { allowSchedulingOnControlPlanes: true, externalCloudProvider: { enabled: true, manifests: [https://example.org/ccm.yaml] } }",
    "apiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\nprovisioning: { grow: true }",
    "apiVersion: v1alpha1\nkind: VolumeConfig\nname: STATE\nencryption: { provider: luks2, keys: [{ slot: 1, tpm: {} }] }",
    "apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: kubelet\nportSelector: { ports: [50000] }\ningress: [{ subnet: 0.0.0.0/0 }]",
    "apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: tailscale\nconfigFiles: [{ content: two, mountPath: /etc/one }, { content: x, mountPath: /etc/two }]\nenvironment: [A=b]",
    "apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: nut\nenvironment: [A=b]\n---\napiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevice: /dev/watchdog0\ntimeout: 90s",
    "apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://siderolink.example.org/?jointoken=x\n---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote\nurl: tcp://10.5.0.1:3478/",
    "apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: data\nprovisioning: { diskSelector: { match: '!system_disk' }, minSize: 100MiB }\nfilesystem: { type: ext4 }\n---\napiVersion: v1alpha1\nkind: EthernetConfig\nname: eth0\nfeatures: { tx-tcp-segmentation: false }\nrings: { rx: 256, tx-push: true }",
    "apiVersion: v1alpha1\nkind: NetworkDefaultActionConfig\ningress: block\n---\nmachine: { token: other }",
];

/// What takes something away.
const REMOVED: [&str; 13] = [
    "machine: { network: { $patch: delete } }",
    "machine: { nodeLabels: { zone: { $patch: delete } } }",
    "machine: { network: { interfaces: [{ interface: eth0, $patch: delete }] } }",
    "machine: { network: { interfaces: [{ interface: eth0, $patch: delete }, { interface: eth9, dhcp: true }] } }",
    "machine: { kernel: { $patch: delete }, certSANs: [x], sysctls: { net.core.somaxconn: { $patch: delete }, a: b } }",
    "machine: { install: { diskSelector: { $patch: delete }, wipe: { $patch: delete } } }",
    "cluster: { apiServer: { admissionControl: [{ name: PodSecurity, $patch: delete }] } }",
    "cluster: { apiServer: { admissionControl: { $patch: delete } } }\n---\ncluster: { token: { $patch: delete } }",
    "machine: { registries: { mirrors: { docker.io: { $patch: delete } } } }",
    "apiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\n$patch: delete",
    "apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: kubelet\ningress: { $patch: delete }",
    "apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: tailscale\nconfigFiles: [{ mountPath: /etc/one, $patch: delete }]",
    "machine: { files: [{ path: /var/etc/greeting, $patch: delete }], time: { bootTimeout: { $patch: delete } } }",
];

/// Steps of RFC 6902.
const STEPS: [&str; 18] = [
    r#"[{"op": "add", "path": "/machine/certSANs/-", "value": "x"}]"#,
    r#"[{"op": "add", "path": "/machine/certSANs/0", "value": "x"}, {"op": "add", "path": "/machine/certSANs/-1", "value": "y"}]"#,
    r#"[{"op": "remove", "path": "/machine/network/interfaces/0/vlans/-1"}]"#,
    r#"[{"op": "replace", "path": "/machine/type", "value": "worker"}, {"op": "test", "path": "/machine/type", "value": "worker"}]"#,
    r#"[{"op": "replace", "path": "/machine/unknown", "value": {"a": [1, 2.5, null]}}]"#,
    r#"[{"op": "move", "from": "/machine/install", "path": "/machine/moved"}]"#,
    r#"[{"op": "copy", "from": "/machine/kubelet/extraArgs", "path": "/machine/sysctls/a~1b"}]"#,
    r#"[{"op": "copy", "from": "/machine/nothing", "path": "/machine/x"}]"#,
    r#"[{"op": "test", "path": "/machine/nothing", "value": null}]"#,
    r#"[{"op": "add", "path": "/x"}]"#,
    r#"[{"op": "replace", "path": "", "value": {"a": 1}}]"#,
    "[]",
    "- op: add\n  path: /machine/sysctls/kernel.x\n  value: 0x10\n- op: remove\n  path: /cluster/etcd",
    r#"[{"op": "add", "path": "/machine/registries/mirrors/ghcr.io", "value": {"endpoints": ["https://a"]}}]"#,
    r#"[{"op": "replace", "path": "/machine/network/interfaces/0/addresses/0", "value": "10.5.0.99/24"}]"#,
    r#"[{"op": "add", "path": "/cluster/network/cni/name", "value": "none"}, {"op": "remove", "path": "/cluster/extraManifests/0"}]"#,
    r#"[{"op": "add", "path": "/machine/certSANs/01", "value": "x"}]"#,
    r#"[{"op": "test", "path": "/cluster/etcd/advertisedSubnets", "value": ["10.5.0.0/24"]}]"#,
];

/// What is refused, with the same words.
const REFUSED: [&str; 35] = [
    "machine: { typo: 1 }",
    "machine: { network: { foo: 1, interfaces: [{ bar: 2 }] }, kubelet: { baz: a } }",
    "machine: { ca: { crt: LS0t, cert: x } }",
    "machine: { certSANs: abc }",
    "debug: maybe\nmachine: { type: [], time: { bootTimeout: 5 }, install: { wipe: 7 } }",
    "machine: { network: { interfaces: { eth0: {} } } }",
    "machine: { network: { interfaces: [{ mtu: a long word, vlans: [{ vlanId: 70000 }] }] } }",
    "machine: { type: worker, type: controlplane }",
    "machine: { ca: { crt: '&&&' } }",
    "machine: { nodeLabels: { zone: { a: b } } }",
    "machine: { disks: [{ partitions: [{ size: 10 Flops }] }] }",
    "machine: { install: { diskSelector: { size: '>= much' } } }",
    "cluster: { controlPlane: { endpoint: '10.5.0.2:6443' } }",
    "cluster: { controlPlane: { endpoint: ':6443' } }",
    "kind: Foo\napiVersion: v1alpha1",
    "kind: VolumeConfig\napiVersion: v1beta1",
    "apiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable",
    "foo: bar",
    "apiVersion: v1alpha1\nkind: NetworkDefaultActionConfig\ningress: sometimes",
    "apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: a\nportSelector: { ports: [a-b], protocol: tcp }",
    "apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: a\nportSelector: { protocol: foo }",
    "machine: { token: a }\n---\nmachine: { token: b }",
    "machine: { nodeLabels: { absent: { $patch: delete } } }",
    "cluster: { apiServer: { admissionControl: [{ name: Absent, $patch: delete }] } }",
    "machine: { network: { interfaces: [{ interface: eth0, dhcp: { $patch: delete } }] } }",
    "kind: VolumeConfig\n$patch: delete",
    "$patch: delete",
    "machine: { network: { interfaces: [{ $patch: delete }] } }",
    r#"[{"op": "remove", "path": "/machine/certSANs/0"}]"#,
    r#"["a"]"#,
    "machine: { network: { nameservers: [{ a: b }] } }",
    "machine: { time: { bootTimeout: soon } }",
    "machine: { kubelet: { extraConfig: [] } }",
    "apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: a\ningress: [{ subnet: 10.0.0.0 }]",
    "apiVersion: v1alpha1\nkind: ZswapConfig\nmaxPoolPercent: many",
];

/// Steps that can't be taken.
const IMPOSSIBLE: [&str; 15] = [
    r#"[{"op": "add", "path": "/nope/a", "value": 1}]"#,
    r#"[{"op": "replace", "path": "/nope/a", "value": 1}]"#,
    r#"[{"op": "remove", "path": "/nope/a"}]"#,
    r#"[{"op": "remove", "path": "/machine/nope"}]"#,
    r#"[{"op": "test", "path": "/machine/type", "value": "worker"}]"#,
    r#"[{"op": "move", "from": "/machine/nope", "path": "/machine/x"}]"#,
    r#"[{"op": "move", "from": "/nope/x", "path": "/machine/x"}]"#,
    r#"[{"op": "copy", "from": "/nope/x", "path": "/machine/x"}]"#,
    r#"[{"op": "foo", "path": "/a"}]"#,
    r#"[{"op": "add", "value": 1}]"#,
    r#"[{"op": "copy", "path": "/machine/x"}]"#,
    r#"[{"op": "add", "path": "/machine/certSANs/7", "value": 1}]"#,
    r#"[{"op": "add", "path": "/machine/certSANs/x", "value": 1}]"#,
    r#"[{"op": "replace", "path": "/machine/certSANs/7", "value": 1}]"#,
    r#"[{"op": "add", "path": "/machine/type/x", "value": 1}]"#,
];

fn patched(base: &str, patches: &[&str]) -> Result<String, String> {
    let read = patches.iter().map(|patch| Patch::read(patch, Contract::V1_11)).collect::<Result<Vec<_>, _>>();
    read.and_then(|patches| apply(base, &patches, Contract::V1_11)).map_err(|error| error.to_string())
}

/// Patches in pairs, too, so that each meets what another one made.
fn same(base: &str, patches: &[&str]) {
    let Some(talosctl) = Talosctl::find() else { return };
    talosctl.write("base.yaml", base);
    let pairs = patches.chunks(2).map(<[&str]>::to_vec).filter(|pair| pair.len() == 2);
    let mut differ = Vec::new();
    for patches in patches.iter().map(|patch| vec![*patch]).chain(pairs) {
        let mut arguments = vec!["machineconfig", "patch", "base.yaml"];
        arguments.extend(patches.iter().flat_map(|patch| ["--patch", *patch]));
        let said = talosctl.run(&arguments);
        match (patched(base, &patches), said.fine) {
            (Ok(ours), true) => {
                let differences = differences(&values(&ours), &values(&said.out));
                differ.extend((!differences.is_empty()).then(|| format!("{patches:?}: {differences:?}")));
            }
            // What one takes away, the next one can't find.
            (Err(_), false) if patches.len() == 2 => {}
            (ours, _) => differ.push(format!("{patches:?}: {:?}, and talosctl {}", ours.err(), said.err)),
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn refused(base: &str, patches: &[&str]) {
    let Some(talosctl) = Talosctl::find() else { return };
    talosctl.write("base.yaml", base);
    let mut differ = Vec::new();
    for patch in patches {
        let said = talosctl.run(&["machineconfig", "patch", "base.yaml", "--patch", patch]);
        assert!(!said.fine, "talosctl takes {patch:?}");
        let ours = patched(base, &[patch]).err().unwrap_or_default();
        if ours.trim_end() != said.err.trim_end() {
            differ.push(format!("{patch:?}:\n  ours   {ours}\n  theirs {}", said.err));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn documents_are_merged_as_talosctl_merges_them() {
    same(RICH, &MERGED);
}

#[test]
fn what_a_patch_takes_away_is_gone_as_with_talosctl() {
    same(RICH, &REMOVED);
}

#[test]
fn steps_are_taken_as_talosctl_takes_them() {
    same(single(), &STEPS);
}

#[test]
fn what_talosctl_refuses_is_refused_with_its_words() {
    refused(RICH, &REFUSED);
    refused(single(), &IMPOSSIBLE);
}

#[test]
fn what_makes_talosctl_panic_is_told_or_let_be() {
    // A null where the configuration has something, in a part that has no shape.
    let nothing =
        "cluster: { apiServer: { admissionControl: [{ name: PodSecurity, configuration: { kind: null } }] } }";
    assert_eq!(
        patched(RICH, &[nothing]).unwrap_err(),
        "`cluster.apiServer.admissionControl.configuration.kind` is a text, and the patch has nothing there"
    );
    // A document that isn't there need not be taken away.
    let absent = "apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote\n$patch: delete";
    assert_eq!(values(&patched(RICH, &[absent]).unwrap()), values(&patched(RICH, &["debug: false"]).unwrap()));
}

#[test]
fn a_newer_contract_knows_newer_documents() {
    let hostname = "apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: srv1";
    let patch = Patch::read(hostname, Contract::V1_12).unwrap();
    let text = apply(RICH, &[patch], Contract::V1_12).unwrap();
    assert_eq!(values(&text).last().unwrap()["hostname"], "srv1");
    assert_eq!(patched(RICH, &[hostname]).unwrap_err(), "\"HostnameConfig\" \"v1alpha1\": not registered");
}

#[test]
fn what_is_wrong_can_be_told_without_what_stands_there() {
    for (patch, told) in [
        (
            "machine: { tokn: secret, network: { interfaces: [{ bar: 2 }] } }",
            "unknown keys: `machine.tokn`, `machine.network.interfaces[0].bar`",
        ),
        (
            "machine: { token: [], persist: x }\ndebug: secret",
            "error decoding  to *v1alpha1.Config: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string\n  \
             line 2: cannot unmarshal !!str into bool",
        ),
        (
            "apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: ':secret'",
            "error decoding SideroLinkConfig to *siderolink.ConfigV1Alpha1: line 3: what stands there is not what belongs there",
        ),
    ] {
        let error = Patch::read(patch, Contract::V1_11).unwrap_err();
        assert_eq!(error.discreet(), told);
    }
}
