use talos::talosconfig::{Endpoint, Unusable, endpoint, read};

#[test]
fn an_endpoint_is_a_host_with_a_port_or_without() {
    let at = |host: &str, port| Ok(Endpoint { host: host.to_owned(), port });
    for (text, expected) in [
        ("10.0.0.1", at("10.0.0.1", 50_000)),
        ("10.0.0.1:51000", at("10.0.0.1", 51_000)),
        ("lab.example.org", at("lab.example.org", 50_000)),
        ("[fd00::1]:51000", at("fd00::1", 51_000)),
        ("fd00::1", at("fd00::1", 50_000)),
        ("https://lab.example.org", at("lab.example.org", 443)),
        ("https://lab.example.org:50000/", at("lab.example.org", 50_000)),
    ] {
        assert_eq!(endpoint(text), expected, "{text}");
    }
    for text in ["", "10.0.0.1:port", "[fd00::1", "10.0.0.1 10.0.0.2"] {
        assert_eq!(endpoint(text), Err(Unusable::Endpoint(text.to_owned())));
    }
}

#[test]
fn the_current_context_is_meant_where_none_is_named() {
    let config =
        read("context: lab\ncontexts:\n    lab: {endpoints: [10.0.0.1], nodes: [10.0.0.2]}\n    other: {}\n").unwrap();
    let (name, context) = config.chosen(None).unwrap();
    assert_eq!((name, context.nodes.as_slice()), ("lab", ["10.0.0.2".to_owned()].as_slice()));
    assert_eq!(config.chosen(Some("other")).unwrap().0, "other");
    assert_eq!(config.chosen(Some("lob")).unwrap_err().to_string(), "it has no context `lob`, only `lab`, `other`");
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(read("").unwrap().chosen(None).unwrap_err(), Unusable::Empty);
    assert_eq!(read("contexts: {lab: {}}").unwrap().chosen(None).unwrap_err(), Unusable::NoCurrent);
    let config = read("contexts: {lab: {crt: LS0tLS1CRUdJTg==}, odd: {ca: '?'}}").unwrap();
    let reason = |name: &str| {
        let (_, context) = config.chosen(Some(name)).unwrap();
        context.authority().err().or_else(|| context.identity().err()).map(|error| error.to_string())
    };
    assert_eq!(reason("lab").as_deref(), Some("it has a `crt` and no `key`"));
    assert_eq!(reason("odd").as_deref(), Some("its `ca` is not base64 of PEM"));
}
