//! talm's way with machines: a file each, made of what the machine says.

use insta::assert_snapshot;

use super::{BLANK, told};

const BEGUN: &str = r#"
import "talm" as talm;
let lab = #{ name: "lab", endpoint: "https://10.5.0.2:6443", secrets: "secrets.yaml" };
step "secrets" { fs::write("secrets.yaml", talos::gen_secrets()); }
"#;

#[test]
fn a_node_s_file_is_made_of_what_it_says_and_the_node_of_its_file() {
    assert_snapshot!(told(BLANK, BEGUN, [
        r#"fs::write("nodes/one.yaml", talm::template(talos::maintenance("10.5.0.2"), #{})); fs::read("nodes/one.yaml").split("\n")"#,
        r#"let one = talm::node("nodes/one.yaml"); let made = talm::configuration(one, lab); talm::apply(one, made); talos::validate(made)"#,
        r#"fs::write("talosconfig", talos::gen_config(lab.name, lab.endpoint, lab.secrets, #{ endpoints: "10.5.0.2" }).talosconfig); "written""#,
        r#"talos::connect("talosconfig").bootstrap("10.5.0.2")"#,
        r#"talos::connect("talosconfig").hostname("10.5.0.2")"#,
        r#"talm::reset(talos::connect("talosconfig"), talm::node("nodes/one.yaml"), #{ graceful: false, last_control_plane: true }); "reset""#,
        r#"talos::maintenance("10.5.0.2").get("systemdisk", "system-disk").spec.devPath"#,
    ]), @r##"
    ["# talm: nodes=[\"10.5.0.2\"], endpoints=[\"10.5.0.2\"], templates=[]", "cluster:", "  etcd:", "    advertisedSubnets:", "    - 10.5.0.2/24", "machine:", "  install:", "    disk: /dev/sda", "  kubelet:", "    nodeIP:", "      validSubnets:", "      - 10.5.0.2/24", "  network:", "    hostname: one", "    interfaces:", "    - addresses:", "      - 10.5.0.2/24", "      interface: eth0", "      routes:", "      - gateway: \"10.5.0.1\"", "        network: 0.0.0.0/0", "    nameservers:", "    - \"1.1.1.1\"", "    - \"8.8.8.8\"", "  type: controlplane", ""]
    []
    written
    true
    one
    reset
    /dev/sda
    "##);
}

#[test]
fn what_a_node_can_t_know_is_said_for_it() {
    let told = told(
        BLANK,
        BEGUN,
        [
            r#"talm::template(talos::maintenance("10.5.0.3"), #{ floating_ip: "10.5.0.9", hostname: "first", disk: "/dev/sdb", subnets: ["10.5.0.0/24"] }).split("\n")"#,
            r#"talm::template(talos::maintenance("10.5.0.3"), #{ type: "worker", floating_ip: "10.5.0.9", endpoints: ["10.5.0.2"], templates: ["templates/worker.yaml"], talos_version: "v1.12" }).split("\n")"#,
            r#"yaml::parse(talm::template(talos::maintenance("10.5.0.3"), #{ interfaces: [#{ interface: "bond0", dhcp: true }] })).machine.network.interfaces"#,
            r#"talm::template(talos::maintenance("10.5.0.3"), #{ talos_version: "1" })"#,
        ],
    );
    assert_snapshot!(told, @r##"
    ["# talm: nodes=[\"10.5.0.3\"], endpoints=[\"10.5.0.3\"], templates=[]", "cluster:", "  etcd:", "    advertisedSubnets:", "    - 10.5.0.0/24", "machine:", "  install:", "    disk: /dev/sdb", "  kubelet:", "    nodeIP:", "      validSubnets:", "      - 10.5.0.0/24", "  network:", "    hostname: first", "    interfaces:", "    - addresses:", "      - 10.5.0.3/24", "      interface: eth0", "      routes:", "      - gateway: \"10.5.0.1\"", "        network: 0.0.0.0/0", "      vip:", "        ip: \"10.5.0.9\"", "    nameservers:", "    - \"1.1.1.1\"", "    - \"8.8.8.8\"", "  type: controlplane", ""]
    ["# talm: nodes=[\"10.5.0.3\"], endpoints=[\"10.5.0.2\"], templates=[\"templates/worker.yaml\"]", "machine:", "  install:", "    disk: /dev/sda", "  kubelet:", "    nodeIP:", "      validSubnets:", "      - 10.5.0.3/24", "  network:", "    interfaces:", "    - addresses:", "      - 10.5.0.3/24", "      interface: eth0", "      routes:", "      - gateway: \"10.5.0.1\"", "        network: 0.0.0.0/0", "    nameservers:", "    - \"1.1.1.1\"", "    - \"8.8.8.8\"", "  type: worker", "---", "apiVersion: v1alpha1", "auto: \"off\"", "hostname: two", "kind: HostnameConfig", ""]
    [{"dhcp":true,"interface":"bond0"}]
    usage: 1 is no version of Talos | hint: such as `v1.11`
    "##);
}
