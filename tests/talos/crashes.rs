//! A run that is stopped after each record of its journal, at once or before the next, and resumed: what must not be done twice
//! is answered with an error by the world if it is.

use super::{BLANK, LAB, MADE, play};
use crate::support::rehearsal::Cut;

/// A world in which a second call of these methods to one of its machines is an error that no other word stands for.
fn once(world: &str, machine: &str, methods: &[&str]) -> String {
    let fault = |method: &&str| {
        format!(
            "- {{of: {machine}, path: /machine.MachineService/{method}, nth: 2, gives: 500, message: {method} for the second time}}\n"
        )
    };
    format!("{world}faults:\n{}", methods.iter().map(fault).collect::<String>())
}

/// Stops the runbook everywhere, and looks that it came to its end each time.
#[track_caller]
fn survives(world: &str, runbook: &str) {
    for cut in [Cut::AtOnce, Cut::BeforeTheNext] {
        let (play, _folder) = play(world, runbook);
        let told = play.run_with_a_stop_after_each_record(cut);
        assert_eq!(told.status, 0, "{cut:?}: {}", told.said);
        assert!(!told.said.contains("for the second time"), "{cut:?}: {}", told.said);
    }
}

#[test]
fn a_node_is_reset_once() {
    let runbook = r#"
let lab = talos::connect();
step "wipe" { lab.reset("10.5.0.5"); }
step "look" { if talos::maintenance("10.5.0.5").disks().len() != 2 { fail("it has lost a disk"); } }
"#;
    // Its endpoint is who is asked.
    survives(&once(LAB, "cp-1", &["Reset"]), runbook);
    let kept = r#"
let lab = talos::connect();
step "wipe" { lab.reset("10.5.0.2", #{ partitions: ["EPHEMERAL"], graceful: false }); }
step "look" { lab.wait_etcd("10.5.0.2"); }
"#;
    survives(&once(LAB, "cp-1", &["Reset"]), kept);
}

#[test]
fn a_node_is_given_its_configuration_once() {
    let runbook = format!(
        r#"{}
step "configure" {{ talos::maintenance("10.5.0.2").apply_config("lab/controlplane.yaml"); }}
step "look" {{ lab().wait_service("10.5.0.2", "kubelet"); }}
"#,
        configurations()
    );
    survives(&once(BLANK, "one", &["ApplyConfiguration"]), &runbook);
}

#[test]
fn a_cluster_is_begun_once() {
    let runbook = format!(
        r#"{}
step "configure" {{ talos::maintenance("10.5.0.2").apply_config("lab/controlplane.yaml"); lab().wait_service("10.5.0.2", "kubelet"); }}
step "begin" {{ lab().bootstrap("10.5.0.2"); }}
"#,
        configurations()
    );
    survives(&once(BLANK, "one", &["Bootstrap"]), &runbook);
}

#[test]
fn a_node_is_upgraded_and_booted_once() {
    let runbook = r#"
let lab = talos::connect();
step "upgrade" { lab.upgrade("10.5.0.2", "ghcr.io/siderolabs/installer:v1.11.6"); }
step "reboot" { lab.reboot("10.5.0.3"); }
step "look" {
    if lab.version("10.5.0.2").tag != "v1.11.6" { fail("it was not upgraded"); }
    lab.wait_ready("10.5.0.3");
}
"#;
    let world = once(LAB, "cp-1", &["Upgrade"]);
    survives(
        &format!(
            "{world}- {{of: cp-2, path: /machine.MachineService/Reboot, nth: 2, gives: 500, message: Reboot for the second time}}\n"
        ),
        runbook,
    );
}

/// Writes configurations into files, which a run that goes on finds again.
fn configurations() -> String {
    let made = MADE.replace("let lab = talos::connect(made.talosconfig);\n", "");
    format!(
        r#"step "write" {{
    {made}
    fs::write("lab/controlplane.yaml", made.controlplane, #{{ mode: "600" }});
    fs::write("lab/talosconfig", made.talosconfig, #{{ mode: "600" }});
}}
fn lab() {{ talos::connect("lab/talosconfig") }}
"#
    )
}
