use std::{
    future::pending,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use cozyscript::{host::dial::first_that_answers, wire::authority::Authority};

use crate::support::runtime;

#[test]
fn an_authority_is_a_host_and_a_port() {
    for (text, default, host, port, shown) in [
        ("example.org:443", None, "example.org", 443, "example.org:443"),
        ("example.org", Some(80), "example.org", 80, "example.org:80"),
        ("10.0.0.1:8443", Some(80), "10.0.0.1", 8443, "10.0.0.1:8443"),
        ("[fd00::1]:443", None, "fd00::1", 443, "[fd00::1]:443"),
        ("fd00::1", Some(443), "fd00::1", 443, "[fd00::1]:443"),
    ] {
        let authority = Authority::parse(text, default).unwrap();
        assert_eq!((authority.host.as_str(), authority.port), (host, port), "{text}");
        assert_eq!(authority.to_string(), shown);
    }
}

#[test]
fn what_is_no_authority_says_why() {
    for (text, default, why) in [
        ("example.org", None, "`example.org` has no port, as in `example.org:443`"),
        ("fd00::1", None, "`fd00::1` has no port, as in `fd00::1:443`"),
        ("example.org:", Some(80), "`example.org:` is not `host:port`"),
        (":443", None, "`:443` is not `host:port`"),
        ("example.org:0", None, "the port of `example.org:0` is not a number from 1 to 65535"),
        ("example.org:https", None, "the port of `example.org:https` is not a number from 1 to 65535"),
        ("[example.org]:443", None, "`[example.org]` is neither a name nor an address"),
        ("two words:443", None, "`two words` is neither a name nor an address"),
        ("a/b:443", None, "`a/b` is neither a name nor an address"),
    ] {
        assert_eq!(Authority::parse(text, default).unwrap_err(), why);
    }
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Connects to those in `open`; the rest refuse, or say nothing if they are in `silent`. With the order of attempts.
fn first(given: &[&str], open: &[&str], silent: &[&str]) -> (io::Result<String>, Vec<String>) {
    let tried = Arc::new(Mutex::new(Vec::new()));
    let (open, silent) = (addresses(open), addresses(silent));
    let connect = |address: IpAddr| {
        tried.lock().unwrap().push(address.to_string());
        let (is_open, is_silent) = (open.contains(&address), silent.contains(&address));
        async move {
            match (is_open, is_silent) {
                (_, true) => pending().await,
                (true, _) => Ok(()),
                _ if address.is_ipv6() => Err(io::ErrorKind::NetworkUnreachable.into()),
                _ => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        }
    };
    let patience = || tokio::time::sleep(Duration::from_millis(5));
    let ended = runtime().block_on(first_that_answers(addresses(given), connect, patience));
    let tried = tried.lock().unwrap().clone();
    (ended.map(|(address, ())| address.to_string()), tried)
}

#[test]
fn all_addresses_of_a_name_are_tried_and_the_families_take_turns() {
    let (ended, tried) = first(&["fd00::1", "fd00::2", "10.0.0.1"], &["fd00::2"], &[]);
    assert_eq!(ended.unwrap(), "fd00::2");
    assert_eq!(tried, ["fd00::1", "10.0.0.1", "fd00::2"]);
}

#[test]
fn a_silent_address_does_not_keep_the_next_one_from_its_turn() {
    let (ended, tried) = first(&["10.0.0.1", "10.0.0.2"], &["10.0.0.2"], &["10.0.0.1"]);
    assert_eq!(ended.unwrap(), "10.0.0.2");
    assert_eq!(tried, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn what_is_said_of_no_connection_is_what_a_reachable_address_said() {
    let (ended, _) = first(&["fd00::1", "10.0.0.1"], &[], &[]);
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let (ended, _) = first(&["10.0.0.1", "fd00::1"], &[], &[]);
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let (ended, _) = first(&[], &[], &[]);
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::NotFound);
}
