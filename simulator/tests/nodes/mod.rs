//! What nodes answer over the wire, in virtual time.

mod client;
mod faults;
mod looking;
mod orders;
mod proxying;
mod roles;
mod together;
mod upgrades;

use std::time::Duration;

use simulator::{time::pass, world::World};
use talos::api::{
    cosi::resource::{GetRequest, GetResponse},
    machine::{self, ApplyConfigurationRequest, ApplyConfigurationResponse, apply_configuration_request::Mode},
};

use self::client::{Client, Refused};

/// A control plane of one machine, a worker, and a machine that is blank.
const WORLD: &str = "
clusters:
  lab: {server: 'lab.example.test:6443'}
machines:
  first: {cluster: lab, address: 10.0.0.2}
  second: {cluster: lab, role: worker, address: 10.0.0.3}
  blank: {address: 10.0.0.4, disks: {sda: 100G, sdb: 1T}}
";

const MACHINE: &str = "machine.MachineService";

fn method(name: &str) -> String {
    format!("{MACHINE}/{name}")
}

async fn seconds(count: u64) {
    pass(Duration::from_secs(count)).await;
}

/// The configuration of a node, as its administrator reads it.
async fn configuration(world: &World, client: &Client, node: &str) -> Vec<u8> {
    let request = GetRequest {
        namespace: "config".to_owned(),
        r#type: "MachineConfigs.config.talos.dev".to_owned(),
        id: "v1alpha1".to_owned(),
        ..GetRequest::default()
    };
    let got: GetResponse = client.ask(world, node, "cosi.resource.State/Get", &request).await.unwrap();
    got.resource.unwrap().spec.unwrap().yaml_spec.into_bytes()
}

/// Gives a node a configuration.
async fn apply(world: &World, client: &Client, node: &str, data: Vec<u8>, mode: Mode) -> Result<String, Refused> {
    let request = ApplyConfigurationRequest { data, mode: mode.into(), ..ApplyConfigurationRequest::default() };
    let done: ApplyConfigurationResponse = client.ask(world, node, &method("ApplyConfiguration"), &request).await?;
    Ok(done.messages[0].mode_details.clone())
}

/// The stage of a node, as whoever asks is told; or why it isn't.
async fn stage(world: &World, client: &Client, node: &str) -> Result<String, Refused> {
    let request = GetRequest {
        namespace: "runtime".to_owned(),
        r#type: "MachineStatuses.runtime.talos.dev".to_owned(),
        id: "machine".to_owned(),
        ..GetRequest::default()
    };
    let got: GetResponse = client.ask(world, node, "cosi.resource.State/Get", &request).await?;
    let text = got.resource.unwrap().spec.unwrap().yaml_spec;
    let line = text.lines().find_map(|line| line.strip_prefix("stage: ")).unwrap_or_default();
    Ok(line.trim_matches('"').to_owned())
}

/// What a node says in the midst of so many seconds, each time that it is something else.
async fn told(world: &World, client: &Client, node: &str, length: u64) -> Vec<String> {
    let mut told: Vec<(u64, String)> = Vec::new();
    pass(Duration::from_millis(500)).await;
    for second in 0..length {
        let says = match stage(world, client, node).await {
            Ok(stage) => stage,
            Err((_, why)) => why,
        };
        if told.last().is_none_or(|(_, before)| *before != says) {
            told.push((second, says));
        }
        seconds(1).await;
    }
    told.into_iter().map(|(second, says)| format!("{second}s {says}")).collect()
}

/// Has a node start anew.
async fn reboot(world: &World, client: &Client, node: &str) {
    let request = machine::RebootRequest::default();
    let _: machine::RebootResponse = client.ask(world, node, &method("Reboot"), &request).await.unwrap();
}
