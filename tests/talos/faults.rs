//! What goes wrong with machines, as a runbook meets it: what it is told, and what helps.

use insta::assert_snapshot;

use super::{BLANK, CONNECTED, LAB, MADE, told};

/// A world with something wrong in it.
fn with(world: &str, fault: &str) -> String {
    format!("{world}faults:\n- {fault}\n")
}

/// Gives the first machine its configuration.
const APPLY: &str = r#"talos::maintenance("10.5.0.2").apply_config(made.controlplane).mode"#;

#[test]
fn a_machine_without_power_is_waited_for_until_it_has_some() {
    let world = with(LAB, "{node: worker, gives: 'off', from: 1m, until: 10m}");
    assert_snapshot!(told(&world, CONNECTED, [
        r#"sleep("2m"); lab.version("10.5.0.5").tag"#,
        r#"lab.wait_ready("10.5.0.5", #{ timeout: "2m" })"#,
        r#"lab.wait_ready("10.5.0.5").stage"#,
    ]), @r#"
    unreachable: no answer from node `10.5.0.5`: endpoint `10.5.0.2:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: no route to host" | endpoint `10.5.0.3:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: no route to host" | endpoint `10.5.0.4:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: no route to host" | hint: the endpoint answers and does not get through to the node: is it up, and is this its address as the endpoint sees it?
    timeout: gave up waiting for node 10.5.0.5 to be ready after 2m | last seen: no answer from node `10.5.0.5`: endpoint `10.5.0.2:50000`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: no route to host"
    running
    "#);
}

#[test]
fn a_machine_that_never_comes_back_from_its_reset_is_given_up() {
    let world = with(LAB, "{node: worker, gives: away}");
    assert_snapshot!(told(&world, CONNECTED, [
        r#"lab.reset("10.5.0.5", #{ timeout: "10m" })"#,
        r#"lab.reboot("10.5.0.5", #{ timeout: "10m" })"#,
    ]), @r#"
    timeout: gave up waiting for node 10.5.0.5 to be in maintenance after 10m | last seen: node `10.5.0.5`: there is no route to it
    unreachable: node `10.5.0.5`: connection error: desc = "transport: Error while dialing: dial tcp 10.5.0.5:50000: connect: no route to host" | hint: the endpoint answers and does not get through to the node: is it up, and is this its address as the endpoint sees it?
    "#);
}

#[test]
fn a_machine_that_comes_back_with_another_address_is_found_there() {
    let world = with(LAB, "{node: worker, gives: moves, to: 10.5.0.77}");
    assert_snapshot!(told(&world, CONNECTED, [
        r#"lab.reset("10.5.0.5", #{ timeout: "5m" })"#,
        r#"talos::wait_maintenance(["10.5.0.5", "10.5.0.77"], #{ timeout: "5m" }).to_string()"#,
    ]), @r#"
    timeout: gave up waiting for node 10.5.0.5 to be in maintenance after 5m | last seen: node `10.5.0.5`: there is no route to it
    10.5.0.77
    "#);
}

#[test]
fn a_machine_that_installs_forever_is_told_from_one_that_is_ready() {
    let world = with(BLANK, "{node: one, gives: installs_forever}");
    assert_snapshot!(told(&world, MADE, [APPLY, r#"lab.wait_ready("10.5.0.2", #{ timeout: "10m" })"#]), @r#"
    reboot
    timeout: gave up waiting for node 10.5.0.2 to be ready after 10m | last seen: no answer from node `10.5.0.2`: endpoint `10.5.0.2:50000`: connection refused
    "#);
    // Since 1.13 its API is there while it installs.
    let world = world.replace("one: {", "one: {version: v1.13.0, ");
    assert_snapshot!(told(&world, MADE, [APPLY, r#"lab.wait_ready("10.5.0.2", #{ timeout: "10m" })"#]), @r#"
    no-reboot
    timeout: gave up waiting for node 10.5.0.2 to be ready after 10m | last seen: node `10.5.0.2` is installing, not ready
    "#);
}

#[test]
fn an_installer_that_can_t_be_pulled_leaves_the_machine_as_it_was() {
    let world = with(BLANK, "{node: one, gives: wrong_image}");
    assert_snapshot!(told(&world, MADE, [APPLY, r#"lab.wait_ready("10.5.0.2", #{ timeout: "10m" })"#]), @r#"
    reboot
    timeout: gave up waiting for node 10.5.0.2 to be ready after 10m | last seen: node `10.5.0.2` is in maintenance: it has no configuration, or its disk could not be installed to
    "#);
    let world = with(LAB, "{node: worker, gives: wrong_image}");
    assert_snapshot!(told(&world, CONNECTED, [
        r#"lab.upgrade("10.5.0.5", "ghcr.io/siderolabs/installer:v1.11.6")"#,
        r#"lab.version("10.5.0.5").tag"#,
    ]), @r#"
    failed: node `10.5.0.5` (by the endpoint `10.5.0.2:50000`): error validating installer image "ghcr.io/siderolabs/installer:v1.11.6": failed to resolve reference: not found
    v1.11.5
    "#);
}

#[test]
fn a_disk_that_is_not_there_is_named() {
    let world = with(BLANK, "{node: one, gives: no_disk, disk: sda}");
    assert_snapshot!(told(&world, MADE, [
        r#"talos::maintenance("10.5.0.2").disks()"#,
        APPLY,
        r#"lab.wait_ready("10.5.0.2", #{ timeout: "10m" })"#,
    ]), @r#"
    []
    reboot
    timeout: gave up waiting for node 10.5.0.2 to be ready after 10m | last seen: node `10.5.0.2` is in maintenance: it has no configuration, or its disk could not be installed to
    "#);
    assert_snapshot!(told(LAB, CONNECTED, [r#"lab.reset("10.5.0.5", #{ user_disks: ["/dev/sdz"] })"#]), @r#"
    failed: node `10.5.0.5` (by the endpoint `10.5.0.2:50000`): reset user disk failed: device /dev/sdz wasn't found
    "#);
}

#[test]
fn a_silent_stream_of_events_keeps_nobody_from_seeing_that_a_node_boots() {
    let world = with(LAB, "{node: worker, gives: mute}");
    assert_snapshot!(told(&world, CONNECTED, [
        r#"let told = []; lab.events("10.5.0.5", |event| { told.push(event); }, #{ timeout: "1m", last: 50 }); told"#,
        r#"lab.reboot("10.5.0.5"); lab.wait_ready("10.5.0.5").stage"#,
    ]), @r#"
    []
    running
    "#);
}

#[test]
fn a_clock_that_is_wrong_is_told_by_the_node_s_own_time() {
    let world = BLANK.replace("two: {", "two: {clock: 20m, ");
    assert_snapshot!(told(&world, MADE, [
        r#"for node in ["10.5.0.2", "10.5.0.3"] { talos::maintenance(node).apply_config(made.controlplane); }"#,
        r#"lab.bootstrap("10.5.0.2")"#,
        r#"lab.wait_etcd("10.5.0.3"); round(lab.time("10.5.0.3").off_by)"#,
    ]), @r#"
    true
    1200.0
    "#);
}
