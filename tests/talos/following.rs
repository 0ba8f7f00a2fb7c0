//! Logs that are followed, line by line as they come.

use insta::assert_snapshot;

use super::{CONNECTED, LAB, told};

#[test]
fn a_log_is_read_whole_or_from_its_end() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"json::parse(lab.logs("10.5.0.2", "etcd").split("\n")[0]).msg"#,
        r#"lab.logs("10.5.0.2", "etcd", #{ tail: 0 })"#,
        r#"lab.logs("10.5.0.2", "nothing")"#,
        r#"lab.logs("10.5.0.2", "etcd", #{ tail: -1 })"#,
        r#"lab.dmesg("10.5.0.2").contains("boot sequence: done")"#,
    ]), @r#"
    ready to serve client requests

    failed: node `10.5.0.2`: log "nothing" was not registered
    usage: a log has no -1 lines
    true
    "#);
}

#[test]
fn a_line_is_waited_for_and_told_when_it_comes() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"json::parse(lab.logs("10.5.0.2", "etcd", #{ until: "ready to serve" })).level"#,
        r#"lab.logs("10.5.0.2", "etcd", #{ tail: 0, until: "never said", timeout: "1m" })"#,
        r#"lab.logs("10.5.0.2", "etcd", #{ tail: 0, follow: true, timeout: "1m" })"#,
        r#"let told = 0; lab.dmesg("10.5.0.2", #{}, |line| { told += 1; line.contains("boot sequence: done") }); told > 5"#,
        r#"lab.dmesg("10.5.0.2", #{ new: true, until: "anything", timeout: "1m" })"#,
    ]), @r#"
    info
    timeout: gave up waiting for the log etcd of node 10.5.0.2 to say `never said` after 1m

    true
    timeout: gave up waiting for the kernel's log of node 10.5.0.2 to say `anything` after 1m
    "#);
}

#[test]
fn a_node_that_boots_ends_what_it_tells() {
    assert_snapshot!(told(LAB, CONNECTED, [
        r#"lab.reboot("10.5.0.5", #{ wait: false }); lab.dmesg("10.5.0.5", #{ new: true, timeout: "1h" }); lab.wait_ready("10.5.0.5").stage"#,
        r#"lab.reboot("10.5.0.5", #{ wait: false }); lab.dmesg("10.5.0.5", #{ new: true, until: "never said", timeout: "1h" })"#,
    ]), @r#"
    running
    failed: waiting for the kernel's log of node 10.5.0.5 to say `never said` is in vain: it has ended
    "#);
}
