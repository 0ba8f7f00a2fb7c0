//! What nodes are together: one etcd, many machines, and the same each time.

use std::time::Duration;

use simulator::{time::pass, world::World};
use talos::{
    api::{
        common::Data,
        machine::{EtcdMemberListResponse, EventsRequest, ResetRequest, ResetResponse},
        storage::DisksResponse,
    },
    prost::Message as _,
};

use super::{Client, method, reboot, seconds, stage};
use crate::lived::within;

/// A cluster of five machines, three of which are its control plane.
const FIVE: &str = "
clusters:
  lab: {server: 'lab.example.test:6443'}
machines:
  one: {cluster: lab}
  two: {cluster: lab}
  three: {cluster: lab}
  four: {cluster: lab, role: worker}
  five: {cluster: lab, role: worker}
";

async fn reset(world: &World, client: &Client, node: &str, graceful: bool) {
    let request = ResetRequest { graceful, reboot: true, ..ResetRequest::default() };
    let _: ResetResponse = client.ask(world, node, &method("Reset"), &request).await.unwrap();
}

/// The names of the members of etcd, as a node knows them.
async fn members(world: &World, client: &Client, node: &str) -> Result<Vec<String>, super::Refused> {
    let told: EtcdMemberListResponse = client.ask(world, node, &method("EtcdMemberList"), &()).await?;
    Ok(told.messages[0].members.iter().map(|member| member.hostname.clone()).collect())
}

async fn api_answers(world: &World) -> bool {
    world.network.dial("lab.example.test", 6443).await.is_ok()
}

#[test]
fn control_planes_that_are_torn_away_take_the_quorum_along_and_those_that_leave_do_not() {
    for (graceful, last) in
        [(false, Err((4, "context deadline exceeded".to_owned()))), (true, Ok(vec!["three".to_owned()]))]
    {
        within(FIVE, async |world| {
            let admin = Client::administrator(&world);
            assert_eq!(members(&world, &admin, "three").await.unwrap(), ["one", "two", "three"]);
            reset(&world, &admin, "one", graceful).await;
            seconds(60).await;
            assert!(api_answers(&world).await);
            let rest: &[&str] = if graceful { &["two", "three"] } else { &["one", "two", "three"] };
            assert_eq!(members(&world, &admin, "three").await.unwrap(), rest);
            reset(&world, &admin, "two", graceful).await;
            seconds(60).await;
            assert_eq!(members(&world, &admin, "three").await, last);
            assert_eq!(api_answers(&world).await, graceful);
        });
    }
}

#[test]
fn a_member_that_restarts_is_missed_by_nobody() {
    within(FIVE, async |world| {
        let admin = Client::administrator(&world);
        reboot(&world, &admin, "one").await;
        for _ in 0..30 {
            seconds(3).await;
            assert!(api_answers(&world).await);
        }
        assert_eq!(stage(&world, &admin, "one").await.unwrap(), "running");
    });
}

/// Everything that nodes of a world with this seed say for a while, as bytes.
fn said(seed: u64) -> Vec<u8> {
    within(&format!("seed: {seed}\n{FIVE}"), async |world| {
        let admin = Client::administrator(&world);
        let mut said = world.talosconfig().unwrap().into_bytes();
        let all = EventsRequest { tail_events: -1, ..EventsRequest::default() };
        let mut events = admin.begin(&world, "four", &method("Events"), &[], &all).await.unwrap();
        reset(&world, &admin, "four", true).await;
        while let Ok(Some(event)) = events.next::<talos::api::machine::Event>().await {
            said.extend(event.encode_to_vec());
        }
        seconds(60).await;
        let kubeconfig: Vec<Data> = admin.all(&world, "one", &method("Kubeconfig"), &[], &()).await.unwrap();
        said.extend(kubeconfig.into_iter().flat_map(|piece| piece.bytes));
        for kind in ["MachineConfigs.config", "Members.cluster", "Identities.cluster", "LinkStatuses.net"] {
            let namespace = match kind.rsplit('.').next() {
                Some("net") => "network",
                other => other.unwrap_or_default(),
            };
            let request = talos::api::cosi::resource::ListRequest {
                namespace: namespace.to_owned(),
                r#type: format!("{kind}.talos.dev"),
                ..Default::default()
            };
            let all: Vec<talos::api::cosi::resource::ListResponse> =
                admin.all(&world, "one", "cosi.resource.State/List", &[], &request).await.unwrap();
            assert!(!all.is_empty(), "{kind}");
            said.extend(all.iter().flat_map(|resource| resource.encode_to_vec()));
        }
        said
    })
}

#[test]
fn equal_seeds_make_equal_nodes_byte_for_byte() {
    let worlds: Vec<Vec<u8>> = (1..=3).map(said).collect();
    for (seed, world) in (1..).zip(&worlds) {
        assert!(said(seed) == *world, "{seed}");
    }
    assert_ne!(worlds[0], worlds[1]);
    assert_ne!(worlds[1], worlds[2]);
}

#[test]
fn a_hundred_machines_are_switched_on_and_wait_for_ten_minutes() {
    let machines: String = (1..=100).map(|number| format!("  machine-{number}: {{}}\n")).collect();
    within(&format!("machines:\n{machines}"), async |world| {
        pass(Duration::from_secs(600)).await;
        let stranger = Client::stranger(&world);
        for number in [1, 50, 100] {
            let machine = format!("machine-{number}");
            let disks: DisksResponse =
                stranger.ask(&world, &machine, "storage.StorageService/Disks", &()).await.unwrap();
            assert_eq!(disks.messages[0].disks[0].serial, format!("MACHINE-{number}-SDA"));
        }
    });
}
