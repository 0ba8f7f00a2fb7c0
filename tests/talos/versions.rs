//! Nodes of other versions of Talos.

use insta::assert_snapshot;

use super::{CONNECTED, LAB, told};

/// The same machines with another version.
fn lab(version: &str) -> String {
    LAB.replace("cluster: lab", &format!("version: {version}, cluster: lab"))
}

#[test]
fn who_can_t_be_forced_to_boot_is_not() {
    assert_snapshot!(told(LAB, CONNECTED, [r#"lab.reboot("10.5.0.5", #{ mode: "force" })"#]), @r#"
    unsupported: node `10.5.0.5` runs Talos v1.11.5, which can't be forced to boot: 1.12 can
    "#);
    assert_snapshot!(told(&lab("v1.12.0"), CONNECTED, [r#"lab.reboot("10.5.0.5", #{ mode: "force" }); "done""#]), @r#"
    done
    "#);
}

#[test]
fn a_node_of_1_13_is_upgraded_by_a_row_of_calls() {
    assert_snapshot!(told(&lab("v1.13.0"), CONNECTED, [
        r#"lab.upgrade("10.5.0.5", "ghcr.io/siderolabs/installer:v1.13.1"); lab.version("10.5.0.5").tag"#,
        r#"lab.upgrade("10.5.0.2", "ghcr.io/siderolabs/installer:v1.13.1"); lab.version("10.5.0.2").tag"#,
        r#"lab.rollback("10.5.0.5"); lab.version("10.5.0.5").tag"#,
        r#"lab.upgrade("10.5.0.5", "ghcr.io/siderolabs/installer"); "upgraded""#,
        r#"lab.upgrade("10.5.0.5", ""); "upgraded""#,
        r#"lab.shutdown("10.5.0.4"); lab.upgrade("10.5.0.2", "ghcr.io/siderolabs/installer:v1.13.2"); "upgraded""#,
        r#"lab.shutdown("10.5.0.3"); lab.upgrade("10.5.0.2", "ghcr.io/siderolabs/installer:v1.13.2"); "upgraded""#,
    ]), @r#"
    v1.13.1
    v1.13.1
    v1.13.0
    failed: node `10.5.0.5`: the installer ended with 1: the image is no installer
    invalid: node `10.5.0.5`: image reference is required
    failed: node `10.5.0.2`: etcd would not stand it: only 1 of its 3 members answer besides this one | hint: mend the others first; or, if it must be: `force: true`
    failed: node `10.5.0.2`: etcd would not stand it: it does not say which members it has | hint: mend the others first; or, if it must be: `force: true`
    "#);
}

#[test]
fn files_of_a_node_are_told_alike_by_each_version() {
    let asked = [
        r#"lab.list_files("10.5.0.5", "/etc").map(|file| file.name)"#,
        r#"lab.list_files("10.5.0.5", "/", #{ depth: 2 }).filter(|file| file.folder && file.path.contains("system")).map(|file| file.path)"#,
        r#"lab.list_files("10.5.0.5", "/bin")[0].link"#,
    ];
    let told = ["v1.11.5", "v1.13.0"].map(|version| told(&lab(version), CONNECTED, asked));
    assert_eq!(told[0], told[1]);
    assert_snapshot!(told[1], @r#"
    [".", "hostname", "hosts", "os-release", "resolv.conf"]
    ["/system", "/system/secrets", "/system/state"]
    usr/bin
    "#);
}

#[test]
fn nodes_of_every_version_tell_the_same_of_themselves() {
    for version in ["v1.7.7", "v1.8.4", "v1.11.5", "v1.12.0", "v1.13.0", "v1.14.0"] {
        let said = told(
            &lab(version),
            CONNECTED,
            [
                r#"lab.version("10.5.0.5").tag"#,
                r#"lab.status("10.5.0.5")"#,
                r#"lab.members("10.5.0.2").map(|member| `${member.hostname} ${member.role}`)"#,
                r#"lab.disks("10.5.0.5").map(|disk| `${disk.path} ${disk.size}`)"#,
                r#"lab.services("10.5.0.5").filter(|service| service.state != "Running")"#,
                r#"lab.etcd_members("10.5.0.2").map(|member| member.hostname)"#,
                r#"lab.patch_config("10.5.0.5", #{ machine: #{ sysctls: #{ "vm.swappiness": "10" } } }).mode"#,
                r#"lab.health(#{ timeout: "5m" }); "healthy""#,
            ],
        );
        assert_eq!(said.replace(version, "its version"), SAID);
    }
}

const SAID: &str = r#"its version
{"ready":true,"stage":"running","unmet":[]}
["cp-1 control plane", "cp-2 control plane", "cp-3 control plane", "worker worker"]
["/dev/sda 100000000000", "/dev/sdb 50000000000"]
[]
["cp-1", "cp-2", "cp-3"]
no-reboot
healthy
"#;
