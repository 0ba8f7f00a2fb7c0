//! What the functions of `talos::` give and refuse, by script.

use insta::assert_snapshot;

use super::{BLANK, CONNECTED, LAB, MADE, told};

#[test]
fn a_node_tells_what_it_is() {
    assert_snapshot!(told(LAB, CONNECTED, [
        "lab.nodes() + lab.endpoints()",
        r#"lab.version("10.5.0.5")"#,
        r#"lab.hostname("10.5.0.5")"#,
        r#"lab.boot_id("10.5.0.5") == lab.boot_id("10.5.0.5")"#,
        r#"lab.status("10.5.0.5")"#,
        r#"lab.services("10.5.0.5").map(|service| `${service.id} ${service.state} ${service.healthy}`)"#,
        r#"lab.members("10.5.0.5").map(|member| `${member.hostname} ${member.role} ${member.addresses}`)"#,
        r#"lab.disks("10.5.0.5").map(|disk| `${disk.path} ${disk.size} ${disk.type} ${disk.system}`)"#,
        r#"abs(lab.time("10.5.0.5").off_by) < 1.0"#,
        r#"lab.version("10.5.0.99")"#,
        r#"lab.version("nobody.example.test")"#,
    ]), @r#"
    ["10.5.0.2:50000", "10.5.0.3:50000", "10.5.0.4:50000"]
    {"arch":"amd64","mode":"metal","platform":"metal","sha":"00000000","tag":"v1.11.5"}
    worker
    true
    {"ready":true,"stage":"running","unmet":[]}
    ["apid Running true", "auditd Running ", "containerd Running true", "cri Running true", "dashboard Running ", "kubelet Running true", "machined Running true", "syslogd Running true", "udevd Running true"]
    ["cp-1 control plane [\"10.5.0.2\"]", "cp-2 control plane [\"10.5.0.3\"]", "cp-3 control plane [\"10.5.0.4\"]", "worker worker [\"10.5.0.5\"]"]
    ["/dev/sda 100000000000 ssd true", "/dev/sdb 50000000000 ssd false"]
    true
    unreachable: no answer from node `10.5.0.99`: endpoint `10.5.0.2:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.99:50000: connect: no route to host" | endpoint `10.5.0.3:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.99:50000: connect: no route to host" | endpoint `10.5.0.4:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.99:50000: connect: no route to host" | hint: the endpoint answers and does not get through to the node: is it up, and is this its address as the endpoint sees it?
    unreachable: no answer from node `nobody.example.test`: endpoint `10.5.0.2:50000`: connection error: desc = "transport: Error while dialing: dial tcp: lookup nobody.example.test: no such host" | endpoint `10.5.0.3:50000`: connection error: desc = "transport: Error while dialing: dial tcp: lookup nobody.example.test: no such host" | endpoint `10.5.0.4:50000`: connection error: desc = "transport: Error while dialing: dial tcp: lookup nobody.example.test: no such host" | hint: the endpoint answers and does not get through to the node: is it up, and is this its address as the endpoint sees it?
    "#);
}

#[test]
fn resources_are_read_by_any_name_and_watched() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.get("10.5.0.5", "hostname", "hostname").spec"#,
        r#"lab.get("10.5.0.5", "machinetypes.config.talos.dev", "machine-type").spec"#,
        r#"lab.get("10.5.0.5", "hostname", "nobody")"#,
        r#"lab.list("10.5.0.5", "members").map(|member| member.metadata.id)"#,
        r#"lab.list("10.5.0.5", "hostnam")"#,
        r#"lab.watch("10.5.0.5", "members", |change, it| { it.metadata.id == "cp-3" }).metadata.type"#,
        r#"lab.watch("10.5.0.5", "members", |change, it| { false }, #{ timeout: "1m" })"#,
        r#"let told = []; lab.watch("10.5.0.5", "members", |change, it| { told.push(change); }, #{ timeout: "1m" }); told"#,
        r#"lab.list("10.5.0.5", "machineconfig").len() > 0"#,
    ]), @r#"
    {"domainname":"","hostname":"worker"}
    worker

    ["cp-1", "cp-2", "cp-3", "worker"]
    unsupported: node `10.5.0.5` has no resources called `hostnam` | hint: did you mean `hostname`?
    Members.cluster.talos.dev
    timeout: gave up waiting for changes of members of node 10.5.0.5 after 1m | last seen: no change so far was the one
    ["added", "added", "added", "added"]
    true
    "#);
}

#[test]
fn files_are_read_and_listed() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.read_file("10.5.0.5", "/etc/os-release").contains("Talos")"#,
        r#"lab.list_files("10.5.0.5", "/etc", #{ depth: -1 })"#,
    ]), @r#"
    true
    usage: a depth is 0 or more
    "#);
}

#[test]
fn what_lies_on_a_node_is_counted_and_copied() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.mounts("10.5.0.5").filter(|mount| mount.path == "/var").map(|mount| `${mount.from} ${mount.size} ${mount.available < mount.size}`)"#,
        r#"lab.disk_usage("10.5.0.5", "/etc", #{ files: true, depth: 0 }).map(|file| file.name)"#,
        r#"lab.disk_usage("10.5.0.5", "/etc").len()"#,
        r#"lab.disk_usage("10.5.0.5", "/etc", #{ depth: -1 })"#,
        r#"let kept = lab.copy_files("10.5.0.5", "/var/log", "logs.tar.gz"); kept.size == fs::stat("logs.tar.gz").size && kept.sha256.len() == 64"#,
        r#"lab.copy_files("10.5.0.5", "var", "var.tar.gz")"#,
        r#"fs::exists("var.tar.gz")"#,
    ]), @r#"
    ["/dev/sda6 96778774528 true"]
    ["hostname", "hosts", "os-release", "resolv.conf", "."]
    1
    usage: a depth is 0 or more
    true
    failed: node `10.5.0.5`: path is not absolute var
    false
    "#);
}

#[test]
fn containers_are_listed_by_whom_they_belong_to() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.containers("10.5.0.2").map(|container| `${container.id} ${container.status} ${container.pid > 0}`)"#,
        r#"lab.containers("10.5.0.2", #{ kubernetes: true }).filter(|container| container.pod == "kube-system/kube-apiserver-cp-1").map(|container| `${container.name} ${container.status}`)"#,
        r#"let one = lab.containers("10.5.0.2", #{ kubernetes: true }).filter(|container| container.name == "kube-apiserver")[0]; lab.logs("10.5.0.2", one.id, #{ kubernetes: true, tail: 0 })"#,
    ]), @r#"
    ["apid RUNNING true", "trustd RUNNING true"]
    ["kube-system/kube-apiserver-cp-1 SANDBOX_READY", "kube-apiserver CONTAINER_RUNNING"]

    "#);
}

/// The names that operators know resources by, and how many there are of each.
#[test]
fn what_a_machine_is_made_of_is_found_by_each_of_its_names() {
    let names = [
        "members member",
        "affiliates",
        "identity identities",
        "machinestatus machinestatuses ms",
        "machineconfig mc machineconfigs",
        "machinetype machinetypes",
        "links link linkstatus linkstatuses",
        "addresses address addressstatus",
        "nodeaddress nodeaddresses na",
        "routes route routestatus",
        "resolvers resolverstatus",
        "hostname hostnamestatus hostnamestatuses",
        "disks disk",
        "systemdisk systemdisks sd",
        "volumestatus volumestatuses",
        "discoveredvolumes dv",
        "service services svc",
        "staticpodstatus podstatus",
        "nodename nodenames",
        "nodestatus nodestatuses",
        "etcdmember etcdmembers",
        "timestatus timestatuses",
        "extensions extensionstatus",
        "diagnostics diagnostic",
        "version versions",
        "metakeys metakey meta",
        "kubespanpeerstatus ksps",
        "rd api-resources",
        "namespaces namespace",
    ];
    let calls = names.map(|names| {
        let names: Vec<String> = names.split(' ').map(|name| format!("{name:?}")).collect();
        format!(
            r#"let told = []; for name in [{}] {{ let all = lab.list("10.5.0.2", name); told.push(`${{name}} ${{all.len()}}`); }} told"#,
            names.join(", ")
        )
    });
    assert_snapshot!(told(LAB, CONNECTED, calls.each_ref().map(String::as_str)), @r#"
    ["members 4", "member 4"]
    ["affiliates 0"]
    ["identity 1", "identities 1"]
    ["machinestatus 1", "machinestatuses 1", "ms 1"]
    ["machineconfig 2", "mc 2", "machineconfigs 2"]
    ["machinetype 1", "machinetypes 1"]
    ["links 2", "link 2", "linkstatus 2", "linkstatuses 2"]
    ["addresses 2", "address 2", "addressstatus 2"]
    ["nodeaddress 4", "nodeaddresses 4", "na 4"]
    ["routes 1", "route 1", "routestatus 1"]
    ["resolvers 1", "resolverstatus 1"]
    ["hostname 1", "hostnamestatus 1", "hostnamestatuses 1"]
    ["disks 1", "disk 1"]
    ["systemdisk 1", "systemdisks 1", "sd 1"]
    ["volumestatus 3", "volumestatuses 3"]
    ["discoveredvolumes 1", "dv 1"]
    ["service 11", "services 11", "svc 11"]
    ["staticpodstatus 3", "podstatus 3"]
    ["nodename 1", "nodenames 1"]
    ["nodestatus 1", "nodestatuses 1"]
    ["etcdmember 1", "etcdmembers 1"]
    ["timestatus 1", "timestatuses 1"]
    ["extensions 0", "extensionstatus 0"]
    ["diagnostics 0", "diagnostic 0"]
    ["version 1", "versions 1"]
    ["metakeys 0", "metakey 0", "meta 0"]
    ["kubespanpeerstatus 0", "ksps 0"]
    ["rd 30", "api-resources 30"]
    ["namespaces 10", "namespace 10"]
    "#);
}

#[test]
fn services_are_started_and_ended_where_talos_lets_them() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.restart_service("10.5.0.5", "kubelet")"#,
        r#"lab.wait_service("10.5.0.5", "kubelet"); "healthy""#,
        r#"lab.start_service("10.5.0.5", "kubelet")"#,
        r#"lab.stop_service("10.5.0.5", "kubelet")"#,
        r#"lab.restart_service("10.5.0.2", "etcd")"#,
        r#"lab.wait_service("10.5.0.5", "etcd", #{ timeout: "10s" })"#,
    ]), @r#"
    Service "kubelet" restarted
    healthy
    Service "kubelet" started
    failed: node `10.5.0.5` (by the endpoint `10.5.0.2:50000`): service "kubelet" doesn't support stop operation via API
    failed: node `10.5.0.2`: service "etcd" doesn't support restart operation via API
    timeout: gave up waiting for service etcd of node 10.5.0.5 after 10s | last seen: node `10.5.0.5`: there is no service `etcd`
    "#);
}

#[test]
fn etcd_is_looked_at_saved_and_left() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.etcd_members("10.5.0.2").map(|member| member.hostname)"#,
        r#"let status = lab.etcd_status("10.5.0.2"); `${status.learner} ${status.errors} ${status.size > 0}`"#,
        r#"lab.etcd_alarms("10.5.0.2")"#,
        r#"lab.etcd_disarm("10.5.0.2"); lab.etcd_defragment("10.5.0.2"); "done""#,
        r#"let saved = lab.etcd_snapshot("10.5.0.2", "etcd.db"); saved.size == fs::stat("etcd.db").size && saved.sha256.len() == 64"#,
        r#"lab.etcd_forfeit_leadership("10.5.0.2"); lab.etcd_status("10.5.0.2").is_leader"#,
        r#"lab.etcd_leave("10.5.0.4"); lab.wait_etcd("10.5.0.2", #{ members: 2 }); lab.etcd_members("10.5.0.2").len()"#,
        r#"lab.etcd_leave("10.5.0.4"); "as it is""#,
        r#"lab.etcd_remove_member("10.5.0.2", "cp-2"); lab.etcd_members("10.5.0.2").map(|member| member.hostname)"#,
        r#"lab.etcd_members("10.5.0.5")"#,
        r#"lab.wait_etcd("10.5.0.2", #{ members: 3, timeout: "10s" })"#,
        r#"lab.wait_etcd("10.5.0.2", #{ members: 0 })"#,
    ]), @r#"
    ["cp-1", "cp-2", "cp-3"]
    false [] true
    []
    done
    true
    false
    2
    as it is
    ["cp-1"]
    unsupported: node `10.5.0.5` (by the endpoint `10.5.0.2:50000`): member list is only available on control plane nodes | it runs Talos v1.11.5
    timeout: gave up waiting for etcd on node 10.5.0.2 to be healthy after 10s | last seen: 1 of 3 members of etcd vote
    usage: etcd can't have 0 members
    "#);
}

#[test]
fn a_cluster_begins_with_what_was_saved() {
    // All control planes lose at once what they have of etcd.
    let connected = r#"
        let lab = talos::connect();
        const LOST = #{ graceful: false, partitions: ["EPHEMERAL"], last_control_plane: true, workers_left: true, endpoints_leaving: true };
    "#;
    let kept =
        r#"k8s::connect(#{ text: lab.kubeconfig("10.5.0.2") }).get("configmap", "kept", #{ namespace: "default" })"#;
    let keeps = format!(
        r#"{}.apply(#{{ apiVersion: "v1", kind: "ConfigMap", metadata: #{{ name: "kept" }}, data: #{{ color: "green" }} }}); "kept""#,
        kept.split(".get").next().unwrap()
    );
    assert_snapshot!(told(LAB, connected, [
        keeps.as_str(),
        r#"lab.etcd_snapshot("10.5.0.2", "etcd.snapshot"); "saved""#,
        r#"lab.bootstrap("10.5.0.2", #{ recover_from: "etcd.snapshot" })"#,
        r#"parallel for node in ["10.5.0.2", "10.5.0.3", "10.5.0.4"] { lab.reset(node, LOST); } "reset""#,
        r#"fs::write("torn.snapshot", "nothing"); lab.bootstrap("10.5.0.2", #{ recover_from: "torn.snapshot" })"#,
        r#"lab.bootstrap("10.5.0.2", #{ recover_from: "etcd.snapshot" })"#,
        r#"lab.wait_etcd("10.5.0.2", #{ members: 3 }); lab.health(); "healthy""#,
        &format!("{kept}.data.color"),
    ]), @r"
    kept
    saved
    already_exists: node `10.5.0.2`: etcd data directory is not empty | hint: reset the `EPHEMERAL` partition of each control plane, and then recover on one of them
    reset
    failed: node `10.5.0.2`: failed to verify etcd snapshot: invalid database
    true
    healthy
    green
    ");
}

#[test]
fn a_configuration_is_patched_tried_and_taken_back() {
    let sysctls = r#"json::write(lab.get("10.5.0.5", "machineconfig", "v1alpha1").spec).contains("swappiness")"#;
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.patch_config("10.5.0.5", #{ machine: #{ sysctls: #{ "vm.swappiness": "10" } } }, #{ dry_run: true }).details.contains("+")"#,
        r#"lab.patch_config("10.5.0.5", #{ machine: #{ sysctls: #{ "vm.swappiness": "10" } } }, #{ mode: "try", try_timeout: "1m" }).mode"#,
        sysctls,
        r#"sleep("2m"); json::write(lab.get("10.5.0.5", "machineconfig", "v1alpha1").spec).contains("swappiness")"#,
        r#"lab.patch_config("10.5.0.5", #{ machine: #{ sysctls: #{ "vm.swappiness": "10" } } }).mode"#,
        r#"lab.patch_config("10.5.0.5", #{ machine: #{ sysctls: #{ "vm.swappiness": "10" } } })"#,
        r#"lab.patch_config("10.5.0.5", #{ machine: #{ nothing: "here" } })"#,
        r#"lab.patch_config("10.5.0.5", "{\"machine\": {\"sysctls\": {\"a\": \"b\"}}}", #{ mode: "soon" })"#,
    ]), @r#"
    true
    try
    true
    false
    no-reboot

    invalid: the patch can't be applied: unknown keys: `machine.nothing`
    usage: option `mode` of `talos::patch_config` is no `soon` | hint: it is one of `auto`, `no-reboot`, `reboot`, `staged`, `try`
    "#);
}

#[test]
fn a_cluster_is_healthy_or_it_is_said_what_it_lacks() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.health(); "healthy""#,
        r#"lab.health(#{ workers: ["10.5.0.5"] })"#,
        r#"lab.shutdown("10.5.0.5"); "off""#,
        r#"lab.health(#{ control_planes: lab.endpoints().map(|endpoint| endpoint.split(":")[0]), workers: ["10.5.0.5"], timeout: "3m" })"#,
        r#"k8s::connect(#{ text: lab.kubeconfig("10.5.0.2") }).list("nodes").len()"#,
        r#"lab.kubeconfig("10.5.0.2").to_string()"#,
    ]), @r#"
    healthy
    usage: workers are named, and no control planes | hint: name them with `control_planes`, or leave both out
    off
    timeout: gave up waiting for lab to be healthy (9 checks) after 3m | last seen: 4 of 9, all nodes to answer: no answer from node `10.5.0.5`: endpoint `10.5.0.2:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: no route to host"
    4
    [secret kubeconfig from node 10.5.0.2 of lab]
    "#);
}

#[test]
fn a_blank_machine_tells_its_disks_and_takes_its_configuration() {
    assert_snapshot!(told(BLANK, MADE, [
        r#"talos::maintenance("10.5.0.2").disks().map(|disk| `${disk.path} ${disk.size}`)"#,
        r#"talos::maintenance("10.5.0.2", #{ fingerprint: "AAAA" })"#,
        r#"talos::maintenance("10.5.0.99")"#,
        r#"talos::maintenance("not an address")"#,
        r#"talos::maintenance("10.5.0.2").apply_config("machine: {type: controlplane}\ncluster: {}\n")"#,
        r#"talos::maintenance("10.5.0.2").apply_config("machine: {type: [\n")"#,
        r#"talos::maintenance("10.5.0.2").apply_config(made.controlplane, #{ dry_run: true }).details.contains("maintenance mode")"#,
        r#"talos::maintenance("10.5.0.2").apply_config(made.controlplane, #{ mode: "staged" })"#,
        r#"talos::maintenance("10.5.0.2").apply_config(made.controlplane).mode"#,
        r#"lab.wait_ready("10.5.0.2", #{ timeout: "3m" })"#,
        r#"lab.bootstrap("10.5.0.2")"#,
        r#"lab.bootstrap("10.5.0.2")"#,
        r#"talos::maintenance("10.5.0.2")"#,
        r#"lab.version("10.5.0.3")"#,
    ]), @r#"
    ["/dev/sda 100000000000"]
    tls: node `10.5.0.2`: its certificate is not trusted: the fingerprint of its key is `8wQXyo7dIMIQcw+69/gbEe5pM7ZgOpIL+gBQcw8KIAc=`, which is not the one asked for | hint: is this talosconfig the one of this cluster? a node that was wiped is in maintenance: `talos::maintenance`
    unreachable: node `10.5.0.99`: there is no route to it
    usage: there is no node at `not an address` | hint: write its address; its port is 50000
    invalid: node `10.5.0.2`: configuration validation failed: 4 errors occurred: / 	* cluster controlplane endpoint is required / 	* install instructions are required in "metal" mode / 	* issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs) / 	* issuing CA is required (.machine.ca) /  / 
    parse: the configuration is no configuration: the configuration:1:17: unclosed bracket '['
    true
    unsupported: node `10.5.0.2`: apply configuration --mode='staged' is not supported in maintenance mode
    reboot
    timeout: gave up waiting for node 10.5.0.2 to be ready after 3m | last seen: node `10.5.0.2` is booting, not ready: services: etcd not running; staticPods: kube-apiserver not running
    true
    false
    tls: node `10.5.0.2` has a configuration and wants to know who asks | hint: `talos::connect` speaks to it, by its talosconfig
    unreachable: no answer from node `10.5.0.3`: endpoint `10.5.0.3:50000`: its certificate is not trusted: nobody who is trusted vouches for it | endpoint `10.5.0.2:50000`: connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority" | hint: is this talosconfig the one of this cluster? a node that was wiped is in maintenance: `talos::maintenance`
    "#);
}

#[test]
fn a_node_goes_through_its_life_and_is_waited_for() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"let before = lab.boot_id("10.5.0.5"); lab.reboot("10.5.0.5", #{ wait: false }); lab.wait_boot("10.5.0.5", before) != before"#,
        r#"lab.wait_boot("10.5.0.5", lab.boot_id("10.5.0.5"), #{ timeout: "10s" })"#,
        r#"lab.reboot("10.5.0.5", #{ mode: "sometime" })"#,
        r#"lab.rollback("10.5.0.5")"#,
        r#"lab.upgrade("10.5.0.5", "ghcr.io/siderolabs/installer:v1.11.6"); lab.version("10.5.0.5").tag"#,
        r#"lab.upgrade("10.5.0.5", "ghcr.io/siderolabs/installer:v1.11.7", #{ stage: true }); lab.version("10.5.0.5").tag"#,
        r#"lab.rollback("10.5.0.5"); lab.version("10.5.0.5").tag"#,
        r#"lab.upgrade("10.5.0.5", "nothing")"#,
        r#"lab.reset("10.5.0.5", #{ wipe: "everything" })"#,
        r#"lab.reset("10.5.0.5", #{ partitions: ["NOTHING"] })"#,
        r#"lab.reset("10.5.0.5", #{ wipe: "user-disks", user_disks: ["/dev/sdb"] }); lab.wait_ready("10.5.0.5").stage"#,
        r#"lab.reset("10.5.0.5", #{ reboot: false }); "off""#,
        r#"lab.version("10.5.0.5")"#,
    ]), @r#"
    true
    timeout: gave up waiting for node 10.5.0.5 to boot after 10s | last seen: node `10.5.0.5` still runs in the boot of before
    usage: option `mode` of `talos::reboot` is no `sometime` | hint: it is one of `default`, `powercycle`, `force`
    unavailable: node `10.5.0.5` (by the endpoint `10.5.0.2:50000`): cannot rollback, no fallback installation found
    v1.11.6
    v1.11.7
    v1.11.6
    failed: node `10.5.0.5` (by the endpoint `10.5.0.2:50000`): error validating installer image "nothing": invalid reference format
    usage: option `wipe` of `talos::reset` is no `everything` | hint: it is one of `all`, `system-disk`, `user-disks`
    failed: node `10.5.0.5` (by the endpoint `10.5.0.2:50000`): failed to get volume status with label "NOTHING": resource VolumeStatuses.block.talos.dev(runtime/NOTHING@undefined) doesn't exist
    running
    off
    unreachable: no answer from node `10.5.0.5`: endpoint `10.5.0.2:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: connection refused" | endpoint `10.5.0.3:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: connection refused" | endpoint `10.5.0.4:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: connection refused" | hint: the endpoint answers and does not get through to the node: is it up, and is this its address as the endpoint sees it?
    "#);
}
