use std::sync::atomic::Ordering;

use cozyscript::event::What;
use jiff::{SignedDuration, Timestamp};

use super::script;
use crate::support::{
    Planned, Script,
    certificates::Authority,
    node::{Node, talosconfig},
};

/// A script beside a talosconfig with these endpoints.
fn beside(authority: &Authority, endpoints: &[String]) -> (Script, tempfile::TempDir) {
    script(&[("talosconfig", &talosconfig(authority, endpoints))])
}

fn warnings(script: &Script) -> Vec<String> {
    let events = script.recorded.events.lock().unwrap();
    let warned = events.iter().filter_map(|event| match &event.what {
        What::Warned { text } => Some(text.clone()),
        _ => None,
    });
    warned.collect()
}

/// What a script prints, or what it fails with: its kind, its message, its notes and its hint.
fn said(script: &Script, text: &str) -> String {
    let caught = format!(
        "try {{ {text} }} catch (fault) {{ `${{fault.kind}}: ${{fault.message}}\n${{fault.notes}}\n${{fault.hint}}` }}"
    );
    script.run(&caught).unwrap().to_string()
}

#[test]
fn a_call_goes_to_the_node_that_is_named_by_an_endpoint() {
    let authority = Authority::new();
    let node = Node::configured(&authority);
    let (script, _folder) = beside(&authority, &[node.address.to_string()]);
    let lab = r#"let lab = talos::connect("talosconfig"); "#;
    assert_eq!(said(&script, &format!("{lab} lab.version(\"10.0.0.1\").tag")), "v1.11.5");
    assert_eq!(said(&script, &format!("{lab} lab.version(\"127.0.0.1\").arch")), "amd64");
    assert_eq!(said(&script, &format!("{lab} lab.boot_id(\"10.0.0.2\")")), "4e3a-1");
    assert_eq!(said(&script, &format!("{lab} lab.nodes() + [lab.to_string()]")), r#"["10.0.0.1", "10.0.0.2", "lab"]"#);
    assert_eq!(node.asked(), ["version of 10.0.0.1", "version of 127.0.0.1", "read of 10.0.0.2"]);
    assert_eq!(warnings(&script), [] as [&str; 0]);
}

#[test]
fn an_endpoint_that_is_away_is_passed_over() {
    let authority = Authority::new();
    let node = Node::configured(&authority);
    let away = Node::configured(&authority).address;
    let (script, _folder) = beside(&authority, &[away.to_string(), node.address.to_string()]);
    assert_eq!(said(&script, r#"talos::connect("talosconfig").version("10.0.0.1").tag"#), "v1.11.5");
}

#[test]
fn a_node_that_no_endpoint_gets_through_to_is_told_from_an_endpoint_that_is_away() {
    let authority = Authority::new();
    let node = Node::configured(&authority);
    let away = Node::configured(&authority).address;
    let (script, _folder) = beside(&authority, &[node.address.to_string(), away.to_string()]);
    let endpoint = node.address;
    assert_eq!(
        said(&script, r#"talos::connect("talosconfig").version("10.0.0.9").tag"#),
        format!(
            "unreachable: no answer from node `10.0.0.9`: endpoint `{endpoint}`: connection error: error while dialing: dial tcp \
             10.0.0.9:50000: no route\n[\"endpoint `{away}`: connection refused\"]\nthe endpoint answers and does not get through \
             to the node: is it up, and is this its address as the endpoint sees it?"
        )
    );
}

#[test]
fn a_connection_that_broke_while_nobody_used_it_is_made_again() {
    let authority = Authority::new();
    let first = Node::configured(&authority);
    let (script, folder) = beside(&authority, &[first.address.to_string()]);
    drop(folder);
    let text = talosconfig(&authority, &[first.address.to_string()]);
    let lab = script.run_with(&[("text", text.into())], "talos::connect(text)").unwrap();
    let ask = "lab.version(\"10.0.0.1\").tag";
    assert_eq!(script.run_with(&[("lab", lab.clone())], ask).unwrap().to_string(), "v1.11.5");
    first.hang_up();
    assert_eq!(script.run_with(&[("lab", lab)], ask).unwrap().to_string(), "v1.11.5");
}

#[test]
fn another_cluster_is_not_spoken_to() {
    let (authority, other) = (Authority::new(), Authority::new());
    let node = Node::configured(&other);
    let (script, _folder) = beside(&authority, &[node.address.to_string()]);
    let said = said(&script, r#"talos::connect("talosconfig").version("10.0.0.1")"#);
    assert!(said.starts_with("tls: no answer from node `10.0.0.1`"), "{said}");
    assert!(said.contains("its certificate is not trusted") && said.contains("`talos::maintenance`"), "{said}");
    assert_eq!(node.asked(), [] as [&str; 0]);
}

#[test]
fn a_node_takes_no_client_of_another_cluster() {
    let (authority, other) = (Authority::new(), Authority::new());
    let node = Node::configured(&authority);
    let (theirs, ours) = (talosconfig(&other, &[]), talosconfig(&authority, &[node.address.to_string()]));
    let line = |text: &str, name: &str| text.lines().find(|line| line.trim().starts_with(name)).unwrap().to_owned();
    let mixed = ours
        .replace(&line(&ours, "crt:"), &line(&theirs, "crt:"))
        .replace(&line(&ours, "key:"), &line(&theirs, "key:"));
    let (script, _folder) = script(&[("talosconfig", &mixed)]);
    let said = said(&script, r#"talos::connect("talosconfig").version("10.0.0.1")"#);
    assert!(said.starts_with("tls: ") && said.contains("it does not accept our client certificate"), "{said}");
}

#[test]
fn a_node_in_maintenance_is_known_by_its_key() {
    let authority = Authority::new();
    let node = Node::in_maintenance(&authority);
    let (script, _folder) = script(&[]);
    let at = node.address;
    let fingerprint = said(&script, &format!("talos::maintenance(\"{at}\").fingerprint()"));
    assert_eq!(fingerprint.len(), 44);
    assert_eq!(
        warnings(&script),
        [format!(
            "nobody vouches for node `127.0.0.1`, which is in maintenance: the fingerprint of its key is `{fingerprint}`"
        )]
    );
    let pinned = format!("talos::maintenance(\"{at}\", #{{ fingerprint: \"{fingerprint}\" }})");
    assert_eq!(said(&script, &format!("{pinned}.disks()[0].path")), "/dev/sda");
    assert_eq!(said(&script, &format!("{pinned}.get(\"hostname\", \"hostname\").spec.hostname")), "cp-1");
    let other = said(&script, &format!("talos::maintenance(\"{at}\", #{{ fingerprint: [\"AAAA\"] }})"));
    assert!(other.starts_with("tls: node `127.0.0.1`: ") && other.contains("not the one asked for"), "{other}");
    assert_eq!(warnings(&script).len(), 1);
}

#[test]
fn a_configured_node_is_not_taken_for_one_in_maintenance() {
    let authority = Authority::new();
    let node = Node::configured(&authority);
    let (script, _folder) = script(&[]);
    assert_eq!(
        said(&script, &format!("talos::maintenance(\"{}\")", node.address)),
        "tls: node `127.0.0.1` has a configuration and wants to know who asks\n[]\n`talos::connect` speaks to it, by its \
         talosconfig"
    );
    assert_eq!(warnings(&script), [] as [&str; 0]);
}

#[test]
fn a_resource_is_found_by_any_name_of_its_type() {
    let authority = Authority::new();
    let node = Node::configured(&authority);
    let (script, _folder) = beside(&authority, &[node.address.to_string()]);
    let lab = r#"let lab = talos::connect("talosconfig"); "#;
    for name in ["hostname", "HS", "hostnamestatuses.net.talos.dev"] {
        let text = format!("{lab} lab.get(\"10.0.0.1\", \"{name}\", \"hostname\").spec.hostname");
        assert_eq!(said(&script, &text), "cp-1", "{name}");
    }
    assert_eq!(said(&script, &format!("{lab} lab.get(\"10.0.0.1\", \"hs\", \"nobody\") == ()")), "true");
    assert_eq!(
        said(&script, &format!("{lab} lab.list(\"10.0.0.1\", \"hostnam\")")),
        "unsupported: node `10.0.0.1` has no resources called `hostnam`\n[]\ndid you mean `hostname`?"
    );
}

#[test]
fn a_node_has_no_port() {
    let authority = Authority::new();
    let (script, _folder) = beside(&authority, &["10.0.0.1".to_owned()]);
    assert_eq!(
        said(&script, r#"talos::connect("talosconfig").version("10.0.0.1:50000")"#),
        "usage: `10.0.0.1:50000` names no node\n[]\na node is one address or one name, without a port"
    );
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of_and_one_that_has_ended_is_not_used() {
    let authority = Authority::new();
    let text = talosconfig(&authority, &["10.0.0.1".to_owned()]);
    // The certificates of tests last from 1975 to 4096.
    let end: Timestamp = "4096-01-01T00:00:00Z".parse().unwrap();
    for (left, expected) in [(100, None), (3, Some("expires at")), (-3, Some("has expired"))] {
        let (mut script, _folder) = script(&[("talosconfig", &text)]);
        script.set_clock(&(end - SignedDuration::from_hours(24 * left)).to_string());
        let said = said(&script, r#"talos::connect("talosconfig").to_string()"#);
        let all = format!("{said}{}", warnings(&script).concat());
        match expected {
            None => assert_eq!(all, "lab"),
            Some(words) => assert!(all.contains(words), "{left}: {all}"),
        }
    }
}

#[test]
fn a_talosconfig_that_says_too_little_says_what() {
    let authority = Authority::new();
    let text = talosconfig(&authority, &[]);
    let (script, _folder) = script(&[("talosconfig", &text), ("empty", ""), ("odd", "- a list\n")]);
    for (call, expected) in [
        (r#"talos::connect("talosconfig")"#, "usage: context `lab` of talosconfig `talosconfig` has no endpoints"),
        (r#"talos::connect("empty")"#, "not_found: talosconfig `empty` can't be used: there is no context in it"),
        (r#"talos::connect("odd")"#, "parse: talosconfig `odd` can't be used: it is no talosconfig"),
        (r#"talos::connect("absent")"#, "file: "),
        (
            r#"talos::connect("talosconfig", #{ context: "other" })"#,
            "not_found: talosconfig `talosconfig` can't be used: it has no context `other`, only `lab`",
        ),
    ] {
        let said = said(&script, call);
        assert!(said.starts_with(expected), "{call}: {said}");
    }
}

/// What a script was about to change: its verb, its object, and what dies.
fn changes(script: &Script) -> Vec<String> {
    let effects = script.recorded.effects.lock().unwrap();
    let told = effects.iter().map(|(effect, _)| {
        let dies = effect.destroys.clone().unwrap_or_default().join("; ");
        format!("{} {} {dies}", effect.verb, effect.object).trim().to_owned()
    });
    told.collect()
}

/// A script, the node that it is connected to as `lab`, and the node's name.
fn one_node() -> (Script, Node, tempfile::TempDir) {
    let authority = Authority::new();
    let node = Node::configured(&authority);
    let files = [("talosconfig", talosconfig(&authority, &[node.address.to_string()]))];
    let worker = "machine:\n  type: worker\n";
    let plane = "machine:\n  type: controlplane\n  token: not-for-your-eyes\n";
    let (script, folder) = script(&[("talosconfig", &files[0].1), ("worker.yaml", worker), ("plane.yaml", plane)]);
    (script, node, folder)
}

const LAB: &str = r#"let lab = talos::connect("talosconfig"); let node = "127.0.0.1"; "#;

#[test]
fn a_cluster_is_begun_as_soon_as_the_node_takes_it_and_only_once() {
    let (script, node, _folder) = one_node();
    node.boots_for.store(1, Ordering::Relaxed);
    assert_eq!(said(&script, &format!("{LAB} lab.bootstrap(node)")), "true");
    assert_eq!(said(&script, &format!("{LAB} lab.bootstrap(node)")), "false");
    let told = node.asked().iter().filter(|asked| asked.starts_with("bootstrap")).count();
    assert_eq!(told, 3);
    assert_eq!(changes(&script), ["bootstrap lab: node 127.0.0.1", "bootstrap lab: node 127.0.0.1"]);
}

#[test]
fn whether_a_cluster_was_begun_is_seen_after_a_crash() {
    let (script, node, _folder) = one_node();
    for began in [false, true] {
        script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
        assert_eq!(said(&script, &format!("{LAB} lab.bootstrap(node)")), "true", "{began}");
    }
    // In doubt the first time it is told, and the second time it is seen that it was.
    let told = node.asked().iter().filter(|asked| asked.starts_with("bootstrap")).count();
    assert_eq!(told, 1);
}

#[test]
fn a_second_cluster_is_not_begun_by_mistake() {
    let (script, _node, _folder) = one_node();
    assert_eq!(said(&script, &format!("{LAB} lab.bootstrap(node)")), "true");
    assert_eq!(
        said(&script, &format!("{LAB} lab.bootstrap(\"10.0.0.2\")")),
        "refused: etcd runs on `127.0.0.1` already: bootstrapped again on `10.0.0.2`, there would be two clusters\n\
         [\"once `10.0.0.2` is configured it joins on its own\"]\nif that is what you want: `another_cluster: true`"
    );
}

#[test]
fn a_kubeconfig_is_read_out_of_an_archive_without_an_end_and_is_not_shown() {
    let (script, _node, _folder) = one_node();
    let config = script.run(&format!("{LAB} lab.kubeconfig(node)")).unwrap();
    let secret: cozyscript::host::secrets::Secret = config.cast();
    assert_eq!(secret.expose(), "users:\n- name: admin\n  user: {client-key-data: c2VjcmV0LWtleQ==}\n");
    assert_eq!(
        script.host.secrets.redact("key c2VjcmV0LWtleQ=="),
        "key [secret key in kubeconfig from node 127.0.0.1 of lab]"
    );
}

#[test]
fn a_control_plane_does_not_get_the_configuration_of_a_worker() {
    let (script, node, _folder) = one_node();
    assert_eq!(
        said(&script, &format!("{LAB} lab.apply_config(node, \"worker.yaml\")")),
        "refused: node `127.0.0.1` is a control plane, and this is the configuration of a worker\n\
         [\"is it the configuration of another node?\"]\nif that is what you want: `change_role: true`"
    );
    let applied = said(
        &script,
        &format!("{LAB} let done = lab.apply_config(node, \"plane.yaml\"); done.mode + \": \" + done.details"),
    );
    assert_eq!(applied, "no-reboot: Applied configuration without a reboot");
    assert_eq!(warnings(&script), ["node `127.0.0.1`: the disk is slow"]);
    assert_eq!(changes(&script), ["apply config lab: node 127.0.0.1"]);
    assert_eq!(node.asked().iter().filter(|asked| asked.starts_with("apply")).count(), 1);
    assert!(!script.host.secrets.redact("not-for-your-eyes").contains("eyes"));
}

#[test]
fn what_a_configuration_would_change_is_told_without_a_change() {
    let (script, node, _folder) = one_node();
    said(&script, &format!("{LAB} lab.apply_config(node, \"plane.yaml\", #{{ dry_run: true }})"));
    assert_eq!(node.asked(), ["apply of 127.0.0.1"]);
    assert_eq!(changes(&script), [] as [&str; 0]);
}

#[test]
fn the_last_control_plane_is_wiped_only_by_who_means_it_and_it_is_told_what_dies() {
    let (script, node, _folder) = one_node();
    assert_eq!(
        said(&script, &format!("{LAB} lab.reset(node)")),
        "refused: node `127.0.0.1` is the last control plane whose etcd answers: with it goes whatever the cluster knows\n\
         []\nif that is what you want: `last_control_plane: true`"
    );
    assert_eq!(changes(&script), [] as [&str; 0]);
    let options = "#{ last_control_plane: true, wait: false, user_disks: [\"/dev/sdb\"] }";
    assert_eq!(said(&script, &format!("{LAB} lab.reset(node, {options}); \"done\"")), "done");
    assert_eq!(
        changes(&script),
        [
            "reset lab: node 127.0.0.1 the system disk of 127.0.0.1 (cp-1), with its configuration; disk /dev/sdb of 127.0.0.1 \
          (cp-1); the last member of etcd that answers, and all that its cluster knows"
        ]
    );
    assert_eq!(node.asked().iter().filter(|asked| asked.starts_with("reset")).count(), 1);
}

#[test]
fn a_node_that_answers_as_before_was_not_reset() {
    let (script, node, _folder) = one_node();
    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    let options = "#{ last_control_plane: true, wait: false }";
    assert_eq!(said(&script, &format!("{LAB} lab.reset(node, {options}); \"done\"")), "done");
    assert_eq!(node.asked().iter().filter(|asked| asked.starts_with("reset")).count(), 1);
}

#[test]
fn a_reset_that_is_known_to_be_done_is_not_done_again() {
    let (script, node, _folder) = one_node();
    script.recorded.decisions.lock().unwrap().push(Planned::Done(serde_json::Value::Null));
    let options = "#{ last_control_plane: true, wait: false }";
    assert_eq!(said(&script, &format!("{LAB} lab.reset(node, {options}); \"done\"")), "done");
    assert_eq!(node.asked().iter().filter(|asked| asked.starts_with("reset")).count(), 0);
}

#[test]
fn ways_to_wipe_that_contradict_each_other_are_refused_before_anything_is_asked() {
    let (script, node, _folder) = one_node();
    for (options, expected) in [
        ("wipe: \"everything\"", "option `wipe` of `talos::reset` is no `everything`"),
        ("wipe: \"user-disks\"", "`wipe: \"user-disks\"` wipes no disk that is not named"),
        ("wipe: \"system-disk\", user_disks: [\"/dev/sdb\"]", "`wipe: \"system-disk\"` wipes no user disks"),
    ] {
        let said = said(&script, &format!("{LAB} lab.reset(node, #{{ {options} }})"));
        assert!(said.starts_with(&format!("usage: {expected}")), "{said}");
    }
    assert_eq!(node.asked(), [] as [&str; 0]);
}

#[test]
fn a_snapshot_is_kept_if_its_hash_is_that_of_what_came() {
    let (script, _node, folder) = one_node();
    let size = said(&script, &format!("{LAB} lab.etcd_snapshot(node, \"whole.db\").size"));
    assert_eq!(size, "1568");
    assert_eq!(std::fs::read(folder.path().join("whole.db")).unwrap().len(), 1568);
    let broken = said(&script, &format!("{LAB} lab.etcd_snapshot(\"10.0.0.2\", \"broken.db\")"));
    assert!(broken.starts_with("failed: the snapshot of node `10.0.0.2` is not whole"), "{broken}");
    assert!(!folder.path().join("broken.db").exists());
}

#[test]
fn a_wait_says_what_a_node_lacks() {
    let (script, _node, _folder) = one_node();
    assert_eq!(
        said(&script, &format!("{LAB} lab.wait_ready(node, #{{ timeout: \"1s\" }})")),
        "timeout: gave up waiting for node 127.0.0.1 to be ready after 1s\n[\"last seen: node `127.0.0.1` is running, not ready: \
         time: time is not synced\"]\n"
    );
}

#[test]
fn a_call_that_a_version_lacks_is_a_fault_that_names_the_version() {
    let (script, _node, _folder) = one_node();
    let said = said(&script, &format!("{LAB} lab.dmesg(node)"));
    assert!(said.starts_with("unsupported: node `127.0.0.1`: ") && said.contains("it runs Talos v1.11.5"), "{said}");
}

#[test]
fn a_watch_goes_on_where_it_broke_and_tells_nothing_twice() {
    let (script, _node, _folder) = one_node();
    let watch = r#"
        let told = [];
        lab.watch(node, "hostname", |change, name| { told.push(`${change} ${name.metadata.version}`); change == "deleted" });
        told
    "#;
    assert_eq!(said(&script, &format!("{LAB} {watch}")), r#"["added 1", "modified 2", "deleted 2"]"#);
}

#[test]
fn events_are_told_until_the_node_ends_them_and_unknown_ones_are_passed_over() {
    let (script, _node, _folder) = one_node();
    let listen =
        "let told = []; lab.events(node, |event| { told.push(`${event.kind} ${event.name} ${event.action}`); }); told";
    assert_eq!(said(&script, &format!("{LAB} {listen}")), r#"["phase stopEverything stop"]"#);
}
