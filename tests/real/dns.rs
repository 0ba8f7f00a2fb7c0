//! Names as a real name server knows them.

use std::process::Command;

use crate::support::{Script, daemon::Daemon};

#[test]
fn a_real_name_server_is_understood_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, "10.17.13.1 moving.example.test\n").unwrap();
    let addn_hosts = format!("--addn-hosts={}", hosts.display());
    let arguments = [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--port=PORT",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        "--no-resolv",
        "--no-hosts",
        "--user=root",
        "--pid-file",
        &addn_hosts,
        "--local=/example.test/",
        "--host-record=web.example.test,10.17.13.242,fd00::242",
        "--cname=www.example.test,web.example.test",
        "--mx-host=example.test,mail.example.test,10",
        "--srv-host=_redis._tcp.example.test,web.example.test,6379,1,2",
        "--txt-record=example.test,v=spf1 -all",
    ];
    let Some(server) = Daemon::start("dnsmasq", &arguments) else { return };
    let script = Script::new(&cozyscript::bindings::all(), folder.path());
    let asked = |name: &str, kind: &str| -> Vec<String> {
        let address = server.address();
        let text = format!("dns::resolve(\"{name}\", #{{ server: \"{address}\", type: \"{kind}\" }})");
        script.value::<rhai::Array>(&text).iter().map(ToString::to_string).collect()
    };
    assert_eq!(asked("www.example.test", "A"), ["10.17.13.242"]);
    assert_eq!(asked("www.example.test", "AAAA"), ["fd00::242"]);
    assert_eq!(asked("www.example.test", "CNAME"), ["web.example.test"]);
    assert_eq!(asked("10.17.13.242", "PTR"), ["web.example.test"]);
    assert_eq!(asked("example.test", "TXT"), ["v=spf1 -all"]);
    assert_eq!(asked("example.test", "MX").len(), 1);
    assert_eq!(asked("_redis._tcp.example.test", "SRV").len(), 1);
    let fault =
        script.fault(&format!("dns::resolve(\"nobody.example.test\", #{{ server: \"{}\" }})", server.address()));
    assert!(fault.message.contains("NXDOMAIN"), "{fault:?}");

    let (hosts, process) = (hosts.clone(), server.id().to_string());
    let mover = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        std::fs::write(&hosts, "10.17.13.2 moving.example.test\n").unwrap();
        assert!(Command::new("kill").args(["-HUP", &process]).status().unwrap().success());
    });
    let moved = format!(
        r#"dns::expect("moving.example.test", "10.17.13.2", #{{ server: "{}", interval: "50ms", timeout: "20s" }})"#,
        server.address()
    );
    assert_eq!(script.value::<rhai::Array>(&moved).len(), 1);
    mover.join().unwrap();
    let shown = format!("{:?}", script.events());
    assert!(shown.contains("it resolves to 10.17.13.1"), "{shown}");
}
