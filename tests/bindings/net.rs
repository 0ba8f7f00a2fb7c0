use std::{net::TcpListener, time::Duration};

use cozyscript::script::fault::Kind;
use rcgen::date_time_ymd;

use super::{run, script};
use crate::support::{
    certificates::Authority,
    server::{Reply, Server},
};

fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn what_listens_and_what_does_not_is_told_with_the_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (script, _folder) = script(&[]);
    assert!(
        script.value::<bool>(&format!("let t = net::tcp(\"{address}\"); t.ok && t.reason == () && t.elapsed < 5.s"))
    );
    let by_name = format!("net::tcp(\"localhost:{}\").ok", address.port());
    assert!(script.value::<bool>(&by_name), "all addresses of a name are tried");
    let told =
        |address: &str| script.value::<String>(&format!("let t = net::tcp(\"{address}\"); `${{t.ok}}: ${{t.reason}}`"));
    assert_eq!(told(&nobody()), "false: connection refused");
    for wrong in ["localhost", "localhost:0", "http://localhost:80"] {
        assert_eq!(script.fault(&format!("net::tcp(\"{wrong}\")")).kind, Kind::Usage, "{wrong}");
    }
}

#[test]
fn a_wait_ends_when_somebody_listens_or_when_nobody_does_any_more() {
    let address = nobody();
    let (script, _folder) = script(&[]);
    let fault = script.fault(&format!("net::wait_tcp(\"{address}\", #{{ timeout: \"50ms\", interval: \"5ms\" }})"));
    assert_eq!(fault.message, format!("gave up waiting for `{address}` to listen after 50ms"));
    assert_eq!(fault.notes, ["last seen: connection refused"]);
    let listening = address.clone();
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        TcpListener::bind(listening).unwrap()
    });
    run(&script, &format!("net::wait_tcp(\"{address}\", #{{ successes: 2, interval: \"5ms\" }})"));
    let listener = late.join().unwrap();
    let gone = format!("net::wait_tcp(\"{address}\", #{{ listening: false, interval: \"5ms\", timeout: \"50ms\" }})");
    assert_eq!(script.fault(&gone).notes, ["last seen: it still listens"]);
    drop(listener);
    run(&script, &gone.replace("50ms", "1m"));
}

#[test]
fn a_ping_counts_and_measures_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (script, _folder) = script(&[]);
    let claims = "p.sent == 3 && p.received == 3 && p.times.len == 3 && p.least <= p.average && p.average <= p.most && p.reason == ()";
    let ping = |address: &str| format!("let p = net::ping(\"{address}\", #{{ count: 3, interval: \"1ms\" }});");
    assert!(script.value::<bool>(&format!("{} {claims}", ping(&address.to_string()))));
    let claims = "p.received == 0 && p.times == [] && p.average == () && p.reason == \"connection refused\"";
    assert!(script.value::<bool>(&format!("{} {claims}", ping(&nobody()))));
}

#[test]
fn the_certificate_of_a_server_is_told_whether_it_is_trusted_or_not() {
    let authority = Authority::new();
    let (script, _folder) = script(&[("ca.pem", &authority.pem())]);
    let settings = authority.server(&["localhost"], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 2);
    });
    let good = Server::start_secured(authority.server(&["localhost"], |_| {}), |_| Reply::new(200, ""));
    let old = Server::start_secured(settings, |_| Reply::new(200, ""));
    let claims = "c.trusted && c.reason == () && c.valid && c.days_left > 1000 && c.names == [\"localhost\"]";
    let look = |port: u16, options: &str| format!("let c = net::tls(\"localhost:{port}\", {options});");
    let (good, old) = (good.address.port(), old.address.port());
    assert!(script.value::<bool>(&format!("{} {claims}", look(good, "#{ ca: \"ca.pem\" }"))));
    let claims = "!c.trusted && !c.valid && c.days_left < -2000 && c.not_after == \"2020-01-02T00:00:00Z\" \
                  && c.reason == \"its certificate has expired, at 2020-01-02T00:00:00Z\"";
    assert!(script.value::<bool>(&format!("{} {claims}", look(old, "#{ ca: \"ca.pem\" }"))));
    let reason = |options: &str| script.value::<String>(&format!("{} c.reason", look(good, options)));
    assert!(reason("#{}").contains("nobody who is trusted vouches for it"));
    let named = reason("#{ ca: \"ca.pem\", server_name: \"example.org\" }");
    assert_eq!(named, "its certificate is not for `example.org` but for `localhost`");
    let plain = Server::start(|_| Reply::new(200, ""));
    let fault = script.fault(&format!("net::tls(\"{}\")", plain.address));
    assert_eq!(fault.kind, Kind::Tls);
    assert!(fault.message.ends_with("it does not speak TLS at that port"), "{fault}");
    assert_eq!(script.fault(&format!("net::tls(\"{}\")", nobody())).kind, Kind::Unreachable);
}

#[test]
fn networks_of_both_families_are_computed_with() {
    let (script, _folder) = script(&[]);
    for (call, value) in [
        ("contains(\"10.0.0.0/8\", \"10.1.2.3\")", "true"),
        ("contains(\"10.0.0.0/8\", \"10.1.0.0/16\")", "true"),
        ("contains(\"10.1.0.0/16\", \"10.0.0.0/8\")", "false"),
        ("contains(\"10.0.0.0/8\", \"fd00::1\")", "false"),
        ("contains(\"fd00::/8\", \"fdff::/16\")", "true"),
        ("contains(\"0.0.0.0/0\", \"255.255.255.255\")", "true"),
        ("overlap(\"10.244.0.0/16\", \"10.96.0.0/12\")", "false"),
        ("overlap(\"10.0.0.0/8\", \"10.96.0.0/12\")", "true"),
        ("overlap(\"10.96.0.0/12\", \"10.0.0.0/8\")", "true"),
        ("size(\"10.17.13.7/24\")", "256"),
        ("size(\"10.17.13.7\")", "1"),
        ("size(\"fd00::/66\")", "4611686018427387904"),
        ("nth(\"10.17.13.0/24\", 0)", "\"10.17.13.0\""),
        ("nth(\"10.17.13.0/24\", 255)", "\"10.17.13.255\""),
        ("nth(\"10.17.13.0/24\", -1)", "\"10.17.13.255\""),
        ("nth(\"10.17.13.0/24\", -256)", "\"10.17.13.0\""),
        ("nth(\"::/0\", -1)", "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\""),
        ("nth(\"fd00::/64\", 10)", "\"fd00::a\""),
        ("hosts(\"10.17.13.0/30\")", "[\"10.17.13.1\", \"10.17.13.2\"]"),
        ("hosts(\"10.17.13.0/31\")", "[\"10.17.13.0\", \"10.17.13.1\"]"),
        ("hosts(\"10.17.13.9\")", "[\"10.17.13.9\"]"),
        ("subnets(\"10.0.0.0/8\", 9)", "[\"10.0.0.0/9\", \"10.128.0.0/9\"]"),
        ("subnets(\"fd00::/16\", 17)", "[\"fd00::/17\", \"fd00:8000::/17\"]"),
        ("subnets(\"10.0.0.0/8\", 8)", "[\"10.0.0.0/8\"]"),
        ("cidr(\"10.1.2.3/16\").network", "\"10.1.0.0/16\""),
        ("cidr(\"10.1.2.3/16\").netmask", "\"255.255.0.0\""),
        ("cidr(\"fd00::7/16\").version", "6"),
    ] {
        assert_eq!(format!("{:?}", script.run(&format!("net::{call}")).unwrap()), value, "{call}");
    }
}

#[test]
fn what_no_network_has_is_told() {
    let (script, _folder) = script(&[]);
    for (call, kind, wrong) in [
        ("size(\"10.0.0.0/33\")", Kind::Parse, "`10.0.0.0/33` is not a network such as `10.0.0.0/8`"),
        ("size(\"::/0\")", Kind::Usage, "`::/0` has 2^128 addresses, more than a number can count"),
        ("size(\"::/64\")", Kind::Usage, "`::/64` has 2^64 addresses, more than a number can count"),
        ("nth(\"10.0.0.0/30\", 4)", Kind::Usage, "`10.0.0.0/30` has 4 addresses, and none at 4"),
        ("nth(\"10.0.0.0/30\", -5)", Kind::Usage, "`10.0.0.0/30` has 4 addresses, and none at -5"),
        ("hosts(\"10.0.0.0/8\")", Kind::Usage, "`10.0.0.0/8` has 16777216 addresses, too many for a list"),
        ("hosts(\"::/0\")", Kind::Usage, "`::/0` has 2^128 addresses, too many for a list"),
        ("subnets(\"::/0\", 128)", Kind::Usage, "`::/0` has 2^128 such parts, too many for a list"),
        ("subnets(\"10.0.0.0/8\", 33)", Kind::Usage, "the parts of `10.0.0.0/8` have a prefix from 8 to 32, not 33"),
        ("subnets(\"10.0.0.0/8\", -1)", Kind::Usage, "the parts of `10.0.0.0/8` have a prefix from 8 to 32, not -1"),
    ] {
        let fault = script.fault(&format!("net::{call}"));
        assert_eq!((fault.kind, fault.message.as_str()), (kind, wrong), "{call}");
    }
}
