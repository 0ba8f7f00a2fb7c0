//! Calls that one node hands on to others.

use talos::api::machine::{HostnameResponse, ReadRequest, ServiceListResponse};

use super::{Client, MACHINE, WORLD, method};
use crate::lived::within;

type Answered = Result<Vec<HostnameResponse>, (i32, String)>;

/// Asks nodes for their names through one of them: each with the name that was put on its answer, or what is said instead.
async fn names(world: &simulator::world::World, at: &str, metadata: &[(&'static str, &str)]) -> String {
    let answered: Answered = Client::administrator(world).all(world, at, &method("Hostname"), metadata, &()).await;
    let told = |hostname: talos::api::machine::Hostname| match hostname.metadata {
        None => hostname.hostname,
        Some(metadata) if metadata.error.is_empty() => format!("{}={}", metadata.hostname, hostname.hostname),
        Some(metadata) => format!("{}: {} ({})", metadata.hostname, metadata.error, metadata.status.unwrap().code),
    };
    match answered {
        Ok(answers) => answers.into_iter().flat_map(|answer| answer.messages).map(told).collect::<Vec<_>>().join("; "),
        Err((code, why)) => format!("{code} {why}"),
    }
}

#[test]
fn a_call_goes_to_the_nodes_that_its_metadata_names() {
    let unreachable = "connection error: desc = \"transport: Error while dialing: dial tcp";
    let unknown = format!("{unreachable}: lookup 10.0.0.2,10.0.0.3: no such host\"");
    let away = format!("{unreachable} 10.0.0.9:50000: connect: no route to host\"");
    for (at, metadata, expected) in [
        ("first", vec![], "first".to_owned()),
        ("first", vec![("node", "10.0.0.3")], "second".to_owned()),
        ("first", vec![("node", "second")], "second".to_owned()),
        ("first", vec![("node", "10.0.0.9")], format!("14 {away}")),
        ("first", vec![("node", "10.0.0.2,10.0.0.3")], format!("14 {unknown}")),
        ("first", vec![("node", "10.0.0.2"), ("node", "10.0.0.3")], "3 node metadata must be single-valued".to_owned()),
        ("first", vec![("node", "")], "13 invalid target \"\"".to_owned()),
        ("first", vec![("node", "10.0.0.3:50000")], "13 invalid target \"10.0.0.3:50000\"".to_owned()),
        ("first", vec![("nodes", "10.0.0.2"), ("nodes", "second")], "10.0.0.2=first; second=second".to_owned()),
        (
            "first",
            vec![("nodes", "10.0.0.2"), ("nodes", "10.0.0.9")],
            format!("10.0.0.2=first; 10.0.0.9: rpc error: code = Unavailable desc = {away} (14)"),
        ),
        ("first", vec![("nodes", "10.0.0.3"), ("node", "10.0.0.2")], "10.0.0.3=second".to_owned()),
        ("second", vec![("node", "10.0.0.3")], "second".to_owned()),
        ("second", vec![("node", "10.0.0.2")], "7 no request forwarding".to_owned()),
        ("second", vec![("node", "10.0.0.2"), ("proxyfrom", "first")], "second".to_owned()),
    ] {
        within(WORLD, async |world| assert_eq!(names(&world, at, &metadata).await, expected, "{at} {metadata:?}"));
    }
}

#[test]
fn a_node_in_maintenance_answers_for_itself_whatever_node_is_named() {
    within(WORLD, async |world| {
        let stranger = Client::stranger(&world);
        let disks: talos::api::storage::DisksResponse = {
            let metadata = [("node", "10.0.0.3")];
            let all = stranger.all(&world, "blank", "storage.StorageService/Disks", &metadata, &()).await;
            all.unwrap().remove(0)
        };
        assert_eq!(disks.messages[0].disks.len(), 2);
    });
}

#[test]
fn what_is_streamed_from_several_nodes_has_the_name_of_each_on_every_piece() {
    within(WORLD, async |world| {
        let admin = Client::administrator(&world);
        let metadata = [("nodes", "10.0.0.2"), ("nodes", "10.0.0.9"), ("nodes", "10.0.0.3")];
        let request = ReadRequest { path: "/etc/hostname".to_owned() };
        let read: Vec<talos::api::common::Data> =
            admin.all(&world, "first", &method("Read"), &metadata, &request).await.unwrap();
        let mut told: Vec<String> = read
            .into_iter()
            .map(|piece| {
                let metadata = piece.metadata.unwrap();
                let code = metadata.status.map(|status| format!(" {}", status.code)).unwrap_or_default();
                format!("{}{code} {}", metadata.hostname, String::from_utf8(piece.bytes).unwrap().trim())
            })
            .collect();
        told.sort();
        assert_eq!(told, ["10.0.0.2 first", "10.0.0.3 second", "10.0.0.9 14 "]);
    });
}

#[test]
fn some_services_are_asked_of_one_node_at_a_time() {
    let many = [("nodes", "10.0.0.2")];
    for (version, call, expected) in [
        ("v1.11.5", "cosi.resource.State/List", Some("one-2-many proxying is not supported for COSI methods")),
        (
            "v1.13.0",
            "cosi.resource.State/List",
            Some("one-2-many proxying is not supported for method /cosi.resource.State/List"),
        ),
        (
            "v1.13.0",
            "machine.ImageService/List",
            Some("one-2-many proxying is not supported for method /machine.ImageService/List"),
        ),
        ("v1.13.0", "machine.MachineService/ServiceList", None),
    ] {
        assert!(call.starts_with(MACHINE) == expected.is_none());
        let text = WORLD.replace("first: {", &format!("first: {{version: {version}, "));
        within(&text, async |world| {
            let admin = Client::administrator(&world);
            let answer: Result<Vec<ServiceListResponse>, _> = admin.all(&world, "first", call, &many, &()).await;
            let refused = expected.map(|why| (3, why.to_owned()));
            assert_eq!(answer.err(), refused, "{version} {call}");
        });
    }
}
