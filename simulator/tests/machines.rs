//! Machines in a world: what they make together, and what becomes of it when they go.

use std::time::Duration;

use serde_json::Value;
use simulator::{time::pass, world::World};

use crate::lived::{ask, secure, within};

/// A control plane of one machine, and a worker.
const WORLD: &str = "
clusters:
  lab: {server: 'lab.example.test:6443'}
machines:
  first: {cluster: lab}
  second: {cluster: lab, role: worker}
";

/// The names of the cluster's nodes; nothing, if nobody answers.
async fn nodes(world: &World) -> Option<Vec<String>> {
    let came = ask(world, "GET", "/api/v1/nodes", Value::Null).await.ok()?;
    let names = came.json()["items"].as_array().cloned().unwrap_or_default();
    Some(names.iter().map(|node| node["metadata"]["name"].as_str().unwrap().to_owned()).collect())
}

/// The same world some hours ago: visitors look at certificates by the wall's clock, and it stays behind.
#[allow(clippy::disallowed_methods, reason = "visitors live on the wall's time")]
fn lately(more: &str) -> String {
    format!("start: {}\n{WORLD}{more}", jiff::Timestamp::now() - jiff::SignedDuration::from_hours(3))
}

async fn minutes(count: u64) {
    pass(Duration::from_secs(count * 60)).await;
}

#[test]
fn machines_are_a_cluster_from_the_beginning() {
    within(&lately(""), async |world| {
        assert_eq!(nodes(&world).await.unwrap(), ["first", "second"]);
        let talosconfig = world.talosconfig().unwrap();
        assert!(talosconfig.contains("context: lab"), "{talosconfig}");
    });
}

#[test]
fn nobody_answers_while_the_only_control_plane_is_off() {
    let faults = "faults: [{node: first, gives: off, from: 1m, until: 5m}]\n";
    within(&lately(faults), async |world| {
        assert!(nodes(&world).await.is_some());
        minutes(2).await;
        assert!(nodes(&world).await.is_none());
        minutes(10).await;
        assert_eq!(nodes(&world).await.unwrap(), ["first", "second"]);
    });
}

#[test]
fn what_machines_show_expires_for_a_while() {
    let expired = |of: &str| format!("faults: [{{of: {of}, from: 1m, until: 3m, gives: expired}}]\n");
    within(&lately(&expired("lab")), async |world| {
        assert!(nodes(&world).await.is_some());
        minutes(2).await;
        assert!(nodes(&world).await.is_none());
        minutes(2).await;
        assert!(nodes(&world).await.is_some());
    });
    within(&lately(&expired("first")), async |world| {
        let mut met = Vec::new();
        for _ in 0..3 {
            let greeted = secure(&world, &authority(&world), "first", 50000).await;
            met.push(greeted.map_or_else(|error| error.to_string(), |_| "fine".to_owned()));
            minutes(2).await;
        }
        assert!(met[0] == "fine" && met[1].contains("certificate expired") && met[2] == "fine", "{met:?}");
        assert!(nodes(&world).await.is_some());
    });
}

/// The certificate that vouches for the machines of the only cluster.
fn authority(world: &World) -> String {
    let talosconfig = world.talosconfig().unwrap();
    let letters = talosconfig.lines().find_map(|line| line.trim().strip_prefix("ca: ")).unwrap();
    talos::pem::unwrap(letters).unwrap()
}

#[test]
fn a_machine_that_stays_away_after_it_was_off_takes_its_cluster_along() {
    let faults = "faults:\n- {node: first, gives: off, from: 1m, until: 2m}\n- {node: first, gives: away}\n";
    within(&lately(faults), async |world| {
        minutes(60).await;
        assert!(nodes(&world).await.is_none());
    });
}

#[test]
fn without_clusters_machines_are_blank_and_nobody_is_anybody_to_them() {
    within("machines: {first: {address: 10.0.0.2}}\n", async |world| {
        assert!(world.clusters.is_empty());
        assert_eq!(world.talosconfig(), None);
        assert!(world.network.dial("first", 50000).await.is_ok());
        assert!(world.network.dial("10.0.0.2", 6443).await.is_err());
    });
}
