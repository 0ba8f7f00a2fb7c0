//! Orders that an operator would get wrong: refused with their reason, and given to who asks for them by name.

use insta::assert_snapshot;

use super::{BLANK, CONNECTED, MADE, PAIR, told};

#[test]
fn workers_go_before_the_control_plane_they_are_reached_through() {
    assert_snapshot!(told(PAIR, CONNECTED, [
        r#"lab.reset("10.5.0.2", #{ graceful: false })"#,
        r#"lab.reset("10.5.0.2", #{ graceful: false, workers_left: true })"#,
        r#"lab.reset("10.5.0.2", #{ graceful: false, workers_left: true, last_control_plane: true }); "done""#,
        r#"talos::wait_maintenance("10.5.0.2", #{ timeout: "1m" }).to_string()"#,
    ]), @r#"
    refused: workers are reached through `10.5.0.2`, and would be out of reach: worker (10.5.0.3) | workers go before control planes | hint: if that is what you want: `workers_left: true`
    refused: node `10.5.0.2` is the last control plane whose etcd answers: with it goes whatever the cluster knows | hint: if that is what you want: `last_control_plane: true`
    done
    10.5.0.2
    "#);
}

#[test]
fn once_the_workers_are_gone_only_the_last_control_plane_is_left_to_ask_for() {
    assert_snapshot!(told(PAIR, CONNECTED, [
        r#"lab.reset("10.5.0.3"); "done""#,
        r#"lab.reset("10.5.0.2")"#,
        r#"lab.reset("10.5.0.2", #{ last_control_plane: true }); "done""#,
    ]), @r#"
    done
    refused: node `10.5.0.2` is the last control plane whose etcd answers: with it goes whatever the cluster knows | hint: if that is what you want: `last_control_plane: true`
    done
    "#);
}

#[test]
fn a_node_is_not_reset_through_an_endpoint_that_is_about_to_go() {
    let leaving = r#"lab.reset("10.5.0.2", #{ workers_left: true, last_control_plane: true, wait: false }); "begun""#;
    assert_snapshot!(told(PAIR, CONNECTED, [
        leaving,
        r#"lab.reset("10.5.0.3")"#,
        r#"lab.reset("10.5.0.3", #{ endpoints_leaving: true, wait: false }); "begun""#,
        r#"talos::wait_maintenance("10.5.0.3", #{ timeout: "5m" }).to_string()"#,
    ]), @r#"
    begun
    refused: node `10.5.0.3` is reached through `10.5.0.2`, which this run has sent away | nodes that are reached through others go before them: workers first | hint: if that is what you want: `endpoints_leaving: true`
    begun
    10.5.0.3
    "#);
}

#[test]
fn an_endpoint_that_came_back_with_its_configuration_passes_calls_on_again() {
    assert_snapshot!(told(PAIR, CONNECTED, [
        r#"lab.reset("10.5.0.2", #{ partitions: ["EPHEMERAL"], workers_left: true, last_control_plane: true }); "back""#,
        r#"lab.reset("10.5.0.3"); "done""#,
    ]), @r#"
    back
    done
    "#);
}

#[test]
fn two_clusters_are_not_begun_of_one_configuration() {
    let apply = r#"for node in ["10.5.0.2", "10.5.0.3"] { talos::maintenance(node).apply_config(made.controlplane); }"#;
    assert_snapshot!(told(BLANK, MADE, [
        apply,
        r#"lab.bootstrap("10.5.0.2")"#,
        r#"lab.bootstrap("10.5.0.3")"#,
        // It is told to begin, and has joined by then.
        r#"lab.bootstrap("10.5.0.3", #{ another_cluster: true })"#,
    ]), @r#"
    true
    refused: etcd runs on `10.5.0.2` already: bootstrapped again on `10.5.0.3`, there would be two clusters | once `10.5.0.3` is configured it joins on its own | hint: if that is what you want: `another_cluster: true`
    false
    "#);
}

#[test]
fn a_node_does_not_become_something_else_than_it_is() {
    let changed = "let role = lab.get(\"10.5.0.3\", \"machinetype\", \"machine-type\"); role.spec";
    assert_snapshot!(told(BLANK, MADE, [
        r#"talos::maintenance("10.5.0.2").apply_config(made.controlplane).mode"#,
        r#"talos::maintenance("10.5.0.3").apply_config(made.worker).mode"#,
        r#"lab.bootstrap("10.5.0.2")"#,
        r#"lab.wait_ready("10.5.0.3").stage"#,
        changed,
        r#"lab.apply_config("10.5.0.3", made.controlplane)"#,
        r#"lab.apply_config("10.5.0.3", made.controlplane, #{ change_role: true }).mode"#,
    ]), @r#"
    reboot
    reboot
    true
    running
    worker
    refused: node `10.5.0.3` is a worker, and this is the configuration of a control plane | is it the configuration of another node? | hint: if that is what you want: `change_role: true`
    reboot
    "#);
}
