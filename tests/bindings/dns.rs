//! Questions to a name server, and what it may say.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cozyscript::{event::What, script::fault::Kind};
use hickory_proto::{
    op::ResponseCode,
    rr::{RData, rdata::A},
};
use tokio::net::TcpListener;

use super::script;
use crate::support::{Script, nameserver::NameServer, runtime};

fn ask(server: &NameServer, text: &str) -> (Script, String) {
    let (script, _folder) = script(&[]);
    (script, text.replace("HERE", &format!("server: \"{}\"", server.address)))
}

fn texts(server: &NameServer, text: &str) -> Vec<String> {
    let (script, text) = ask(server, text);
    script.value::<rhai::Array>(&text).iter().map(ToString::to_string).collect()
}

#[test]
fn every_type_of_record_has_its_shape() {
    let server = NameServer::of_examples();
    let asked =
        |name: &str, kind: &str| texts(&server, &format!("dns::resolve(\"{name}\", #{{ HERE, type: \"{kind}\" }})"));
    assert_eq!(asked("www.example.test", "a"), ["10.17.13.242"], "an alias leads on");
    assert_eq!(asked("WWW.Example.test.", "A"), ["10.17.13.242"]);
    assert_eq!(asked("www.example.test", "CNAME"), ["web.example.test"]);
    assert_eq!(asked("example.test", "TXT"), ["v=spf1 -all"]);
    assert_eq!(asked("example.test", "A"), [""; 0], "a name may have no such records");
    let (script, text) = ask(
        &server,
        r#"let srv = dns::resolve("_redis._tcp.example.test", #{ HERE, type: "SRV" })[0];
           let mx = dns::resolve("example.test", #{ HERE, type: "MX" })[0];
           `${srv.priority} ${srv.weight} ${srv.port} ${srv.target} ${mx.preference} ${mx.exchange}`"#,
    );
    assert_eq!(script.value::<String>(&text), "1 2 6379 web.example.test 10 mail.example.test");
}

#[test]
fn what_a_server_says_against_a_question_is_a_fault() {
    let server = NameServer::of_examples();
    let fault = |text: &str| {
        let (script, text) = ask(&server, text);
        let fault = script.fault(&text);
        (fault.kind, fault.message.replace(&server.address.to_string(), "SERVER"))
    };
    assert_eq!(
        fault(r#"dns::resolve("nobody.test", #{ HERE })"#),
        (Kind::NotFound, "there is no name `nobody.test`, says `SERVER` (NXDOMAIN)".into())
    );
    assert_eq!(
        fault(r#"dns::resolve("broken.test", #{ HERE })"#),
        (Kind::Unavailable, "`SERVER` could not find out about `broken.test` (SERVFAIL)".into())
    );
    assert_eq!(
        fault(r#"dns::resolve("private.test", #{ HERE })"#),
        (Kind::Denied, "`SERVER` does not answer us about `private.test` (REFUSED)".into())
    );
    assert_eq!(fault(r#"dns::resolve("x.test", #{ HERE, type: "LOC" })"#).0, Kind::Usage);
    assert_eq!(fault(r#"dns::resolve("two..dots", #{ HERE })"#).0, Kind::Usage);
    assert_eq!(fault(r#"dns::resolve("x.test", #{ server: "1.2.3.4:x" })"#).0, Kind::Usage);
    assert_eq!(fault(r#"dns::resolve("x.test", #{ server: "127.0.0.1:1" })"#).0, Kind::Unreachable);
}

#[test]
fn a_silent_server_is_not_waited_for_longer_than_said() {
    let silent = runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let (script, _folder) = script(&[]);
    let server = silent.local_addr().unwrap();
    let fault = script.fault(&format!(r#"dns::resolve("x.test", #{{ server: "{server}", timeout: "200ms" }})"#));
    assert_eq!(fault.kind, Kind::Timeout);
    let fault = script.fault(&format!(
        r#"dns::expect("x.test", "10.0.0.1", #{{ server: "{server}", timeout: "300ms", answer_within: "100ms", interval: "10ms" }})"#
    ));
    assert_eq!(fault.notes, [format!("last seen: `{server}` did not answer within 100ms")]);
}

#[test]
fn an_expectation_says_what_the_name_resolves_to_until_it_is_met() {
    let asked = Arc::new(AtomicUsize::new(0));
    let server = NameServer::start(move |name, _| {
        let addresses: &[&str] = match asked.fetch_add(1, Ordering::Relaxed) {
            0 => return (ResponseCode::NXDomain, Vec::new()),
            1 => &[],
            2 => &["10.17.13.1"],
            3 => &["10.17.13.2", "10.17.13.3", "10.17.13.4"],
            _ => &["10.17.13.3", "10.17.13.2"],
        };
        let records = addresses.iter().map(|address| (name.to_owned(), RData::A(A(address.parse().unwrap()))));
        (ResponseCode::NoError, records.collect())
    });
    let (script, text) = ask(
        &server,
        r#"dns::expect("web.test", ["10.17.13.2", "10.17.13.3"], #{ HERE, interval: "10ms", timeout: "10s" }).len()"#,
    );
    assert_eq!(script.value::<i64>(&text), 2);
    let because: Vec<String> = (script.events().into_iter())
        .filter_map(|what| match what {
            What::WaitChanged { because, .. } => Some(because),
            _ => None,
        })
        .collect();
    assert_eq!(
        because,
        [
            format!("there is no name `web.test`, says `{}` (NXDOMAIN)", server.address),
            "the name has no such records".to_owned(),
            "it resolves to 10.17.13.1".to_owned(),
            "it resolves to 10.17.13.2, 10.17.13.3, 10.17.13.4".to_owned(),
        ]
    );
}

#[test]
fn an_expectation_can_be_stopped() {
    let server = NameServer::of_examples();
    let (script, text) = ask(&server, r#"dns::expect("www.example.test", "10.0.0.1", #{ HERE })"#);
    script.stop_after(Duration::from_millis(100));
    assert!(script.end(&text).1.is_some());
}
