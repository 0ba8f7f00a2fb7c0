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
