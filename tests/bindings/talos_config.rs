use cozyscript::{host::secrets::Secret, script::fault::Kind};

use super::{run, script};

const TALM_TEST: &str = include_str!("../../stdlib/talm_test.rhai");

/// A cluster's secrets and configurations.
const MADE: &str = r#"
    let secrets = talos::gen_secrets();
    let made = talos::gen_config("lab", "https://10.17.13.253:6443", secrets, #{
        talos_version: "v1.11.5", install_disk: "/dev/vda", additional_sans: ["lab.example.org"], kubespan: true,
        registry_mirrors: #{ "docker.io": "https://mirror.example.org" }, endpoints: "10.17.13.86",
        patches: #{ machine: #{ time: #{ servers: ["time.example.org"] } } },
        controlplane_patches: [#{ op: "add", path: "/cluster/allowSchedulingOnControlPlanes", value: true }],
        worker_patches: ["{machine: {nodeLabels: {role: storage}}}", #{ machine: #{ sysctls: #{ a: "b" } } }],
    });
"#;

#[test]
fn configurations_of_a_cluster_are_made_of_its_secrets_and_are_valid() {
    let (script, _folder) = script(&[]);
    let claims = r#"
        fs::write("controlplane.yaml", made.controlplane);
        fs::write("worker.yaml", made.worker);
        let control = yaml("controlplane.yaml");
        let worker = yaml("worker.yaml");
        talos::validate(made.controlplane) == [] && talos::validate(made.worker, #{ mode: "container", strict: true }) == []
            && control.machine.type == "controlplane" && worker.machine.type == "worker"
            && control.machine.install.disk == "/dev/vda" && control.machine.network.kubespan.enabled
            && control.cluster.allowSchedulingOnControlPlanes && worker.cluster.allowSchedulingOnControlPlanes == ()
            && worker.machine.nodeLabels.role == "storage" && worker.machine.sysctls.a == "b"
            && control.machine.time.servers == ["time.example.org"] && worker.machine.time.servers == ["time.example.org"]
    "#;
    assert!(script.value::<bool>(&format!("{MADE} {claims}")));
}

#[test]
fn nothing_secret_of_a_cluster_is_shown() {
    let (script, _folder) = script(&[]);
    let secrets: Secret = script.value("talos::gen_secrets()");
    let token = secrets.expose().lines().find_map(|line| line.trim().strip_prefix("bootstraptoken: ")).unwrap();
    assert_eq!(script.host.secrets.redact(token), "[secret talos secrets: secrets.bootstraptoken]");
    run(&script, &format!("{MADE} print(secrets); print(made.worker); print(made.talosconfig);"));
    assert_eq!(
        script.printed(),
        ["[secret talos secrets]", "[secret talos lab: worker]", "[secret talos lab: talosconfig]"]
    );
}

#[test]
fn a_talosconfig_says_who_one_is_and_two_become_one() {
    let (mut script, _folder) = script(&[]);
    script.set_clock("2040-05-06T07:08:09Z");
    let claims = r#"
        let both = talos::merge_talosconfig(made.talosconfig, made.talosconfig);
        let facts = talos::contexts(both);
        let lab = facts.contexts[0];
        facts.context == "lab-1" && facts.contexts.map(|each| each.name) == ["lab", "lab-1"] && lab.endpoints == ["10.17.13.86"]
            && lab.subject == "O=os:admin" && lab.days_left == 365 && lab.not_after == "2041-05-06T07:08:09Z"
    "#;
    assert!(script.value::<bool>(&format!("{MADE} {claims}")));
}

#[test]
fn a_patched_configuration_is_a_text_if_it_was_one() {
    let (script, _folder) =
        script(&[("patch.yaml", "machine:\n  certSANs: [b]\n"), ("node.yaml", "machine:\n  certSANs: [a]\n")]);
    let patched =
        |patches: &str| script.value::<String>(&format!("talos::patch(\"node.yaml\", {patches}).to_string()"));
    let is = |names: &str| {
        format!("version: \"\"\nmachine:\n    type: \"\"\n    token: \"\"\n    certSANs:{names}\ncluster: null\n")
    };
    for (patches, names) in [
        ("\"patch.yaml\"", "\n        - a\n        - b"),
        ("#{ machine: #{ certSANs: [\"c\"] } }", "\n        - a\n        - c"),
        ("[\"patch.yaml\", \"{machine: {certSANs: [d]}}\"]", "\n        - a\n        - b\n        - d"),
        ("#{ machine: #{ certSANs: #{ \"$patch\": \"delete\" } } }", " []"),
    ] {
        assert_eq!(patched(patches), is(names), "{patches}");
    }
}

#[test]
fn what_is_wrong_names_the_file_and_the_place_and_shows_no_value() {
    let (script, _folder) = script(&[("node.yaml", "machine:\n  tokn: very-secret\n"), ("good.yaml", "machine: {}\n")]);
    for (text, kind, message) in [
        ("talos::validate(\"node.yaml\")", Kind::Parse, "`node.yaml` can't be read: unknown keys: `machine.tokn`"),
        (
            "talos::validate(\"good.yaml\")",
            Kind::Invalid,
            "`good.yaml` is not valid for metal mode: cluster instructions are required; install instructions are required \
             in \"metal\" mode; use \"worker\" instead of \"\" for machine type",
        ),
        ("talos::validate(\"good.yaml\", #{ mode: \"moon\" })", Kind::Usage, "unknown runtime mode: \"moon\""),
        (
            "talos::patch(\"good.yaml\", \"{machine: {nodeLabels: {a: {$patch: delete}}}}\")",
            Kind::Invalid,
            "`good.yaml` can't be patched: patch delete: path 'machine.nodeLabels.a' in document '/v1alpha1': failed to delete \
             path 'machine.nodeLabels.a': lookup failed",
        ),
        (
            "talos::gen_config(\"lab\", \"10.0.0.1\", talos::gen_secrets())",
            Kind::Usage,
            "the endpoint `10.0.0.1` is no URL",
        ),
        (
            "talos::gen_config(\"lab\", \"https://10.0.0.1\", \"a: b\\n\")",
            Kind::Parse,
            "the file of secrets can't be read: cluster.id",
        ),
    ] {
        let fault = script.fault(text);
        let start = message.split("; use").next().unwrap();
        assert_eq!((fault.kind, fault.message.starts_with(start)), (kind, true), "{text}: {}", fault.message);
    }
}

#[test]
fn every_promise_of_talm_holds() {
    let tests = TALM_TEST.lines().filter_map(|line| line.strip_prefix("fn test_")?.split('(').next());
    let mut wrong = Vec::new();
    for test in tests {
        let (script, _folder) = script(&[("nodes/other.yaml", "")]);
        if let Some(diagnostic) = script.diagnostic("talm_test.rhai", &format!("{TALM_TEST}\ntest_{test}()")) {
            wrong.push(format!("{test}: {}", diagnostic.message));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
