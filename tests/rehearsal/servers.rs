//! The servers of a world as the bindings meet them: what they answer, from when on, and what goes wrong.

use crate::support::program::{Ended, Runbook};

fn rehearsed(script: &str, world: &str) -> Ended {
    Runbook::new(script).file("book.world.yaml", world).call(["rehearse", "book.rhai"]).done()
}

#[test]
fn names_lead_where_the_world_says_from_when_on_it_says() {
    let script = r#"
        fn told(name, options) {
            try { return `${dns::resolve(name, options)}`; } catch (fault) { return fault.kind; }
        }
        print(dns::resolve("www.example.test"));
        print(dns::resolve("example.test", #{ type: "MX" }));
        print(dns::resolve("_redis._tcp.example.test", #{ type: "SRV" }));
        print(dns::resolve("alias.example.test", #{ type: "CNAME" }));
        print(dns::resolve("www.example.test", #{ type: "TXT" }));
        print(told("nobody.example.test", #{}));
        print(told("late.example.test", #{}));
        print(told("www.example.test", #{ server: "10.0.0.99", timeout: "2s" }));
        dns::expect("late.example.test", "10.0.0.8", #{ timeout: "2m", interval: "5s" });
        print(time::now());
        print(told("www.example.test", #{}));
    "#;
    let world = "
names:
  www.example.test: 10.0.0.7
  late.example.test: {address: 10.0.0.8, from: 1m}
  example.test: {MX: 10 mail.example.test}
  _redis._tcp.example.test: {SRV: 0 5 6379 redis.example.test}
  alias.example.test: {CNAME: www.example.test}
faults: [{of: www.example.test, from: 30s, gives: missing}]
";
    rehearsed(script, world).stdout(
        r#"["10.0.0.7"]
[#{"exchange": "mail.example.test", "preference": 10}]
[#{"port": 6379, "priority": 0, "target": "redis.example.test", "weight": 5}]
["www.example.test"]
[]
not_found
not_found
unreachable
2026-01-01T09:01:00Z
not_found
"#,
    );
}

#[test]
fn a_port_is_open_closed_or_nowhere() {
    let script = r#"
        for address in ["ssh.example.test:22", "ssh.example.test:23", "10.9.9.9:22", "nobody.example.test:22"] {
            let tcp = net::tcp(address, #{ timeout: "2s" });
            print(`${tcp.ok} ${tcp.reason}`);
        }
        net::wait_tcp("late.example.test:22", #{ timeout: "5m", interval: "10s" });
        print(time::now());
        print(net::ping("late.example.test:22", #{ count: 3 }).received);
        for address in ["ssh.example.test:22", "late.example.test:22"] { print(net::tcp(address).reason); }
    "#;
    let world = "
ports:
  ssh.example.test:22: {says: 'SSH-2.0-OpenSSH_9.6'}
  late.example.test:22: {from: 2m}
faults: [{of: 'ssh.example.test:22', from: 1m, gives: refused}]
";
    rehearsed(script, world).stdout(
        "true \nfalse connection refused\nfalse there is no route to it\nfalse its name is not known\n\
         2026-01-01T09:02:00Z\n3\nconnection refused\n\n",
    );
}

#[test]
fn a_redis_loads_wants_a_password_and_forgets_what_expires() {
    let script = r#"
        fn told(address, options) {
            try { redis::connect(address, options); return "connected"; } catch (fault) { return fault.kind; }
        }
        print(told("store.example.test", #{ tls: true }));
        print(told("store.example.test", #{ tls: true, password: "wrong" }));
        print(told("store.example.test", #{ password: "open sesame", timeout: "2s" }));
        let store = redis::wait("store.example.test", #{ tls: true, password: "open sesame", timeout: "1m" });
        print(time::now());
        print(store.get("greeting"));
        step "count" {
            for protocol in [2, 3] {
                let store = redis::connect("store.example.test", #{ tls: true, password: "open sesame", protocol: protocol });
                print(store.incr("visits"));
            }
            store.set("note", "soon gone", #{ ex: "10s" });
        }
        sleep(11.seconds);
        print(`${store.get("note")}, ${store.info().server.redis_version}`);
    "#;
    let world = "
redis:
  store.example.test:6379: {tls: true, password: open sesame, loading: 20s, data: {greeting: hello}}
";
    rehearsed(script, world)
        .stdout("unauthenticated\nunauthenticated\nunavailable\n2026-01-01T09:00:20Z\nhello\n1\n2\n, 7.0.15\n");
}

#[test]
fn a_certificate_that_has_expired_is_told_of_and_trusted_again_when_it_is_renewed() {
    let script = r#"
        let cluster = k8s::connect();
        fn site() {
            try { return `${http::get("https://www.example.test").status}`; }
            catch (fault) { return `${fault.kind}: ${fault.message}`; }
        }
        print(site());
        sleep(90.seconds);
        print(site());
        let shown = net::tls("www.example.test:443");
        print(`${shown.trusted} ${shown.valid} ${shown.not_after}`);
        try { redis::connect("store.example.test", #{ tls: true }); } catch (fault) { print(fault.kind); }
        cluster.get("namespace", "default");
        sleep(2.minutes);
        print(site());
        print(net::tls("www.example.test:443").trusted);
        redis::connect("store.example.test", #{ tls: true });
        try { k8s::connect().get("namespace", "default", #{ timeout: "3s" }); }
        catch (fault) { print(`${fault.kind}: ${fault.message}`); }
    "#;
    let world = "
clusters: {lab: {}}
sites: {'https://www.example.test': {answers: [{body: fine}]}}
redis: {'store.example.test:6379': {tls: true}}
faults:
  - {of: 'https://www.example.test', from: 1m, until: 3m, gives: expired}
  - {of: 'store.example.test:6379', from: 1m, until: 3m, gives: expired}
  - {of: lab, from: 3m, gives: expired}
";
    rehearsed(script, world).stdout(
        "200\ntls: `www.example.test:443` can't be trusted: its certificate has expired, at 2020-01-01T00:00:00Z\n\
         false false 2020-01-01T00:00:00Z\ntls\n200\ntrue\n\
         tls: the certificate of `lab` at `lab.example.test:6443` has expired\n",
    );
}

#[test]
fn a_connection_that_is_reset_in_the_middle_is_told_as_that() {
    let script = r#"
        fn told(path) {
            try { return `${http::get("http://www.example.test" + path).status}`; }
            catch (fault) { return `${fault.kind}: ${fault.message}`; }
        }
        for path in ["/fine", "/breaks", "/short", "/fine"] { print(told(path)); }
    "#;
    let world = "
sites: {'http://www.example.test': {answers: [{body: fine}]}}
faults:
  - {of: 'http://www.example.test', path: /breaks, gives: reset}
  - {of: 'http://www.example.test', path: /short, gives: truncated}
";
    rehearsed(script, world).stdout(
        "200\nunreachable: `GET http://www.example.test/breaks` was cut off: connection reset\n\
         unreachable: `GET http://www.example.test/short` was cut off: end of file before message length reached\n200\n",
    );
}
