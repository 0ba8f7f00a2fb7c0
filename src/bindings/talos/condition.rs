//! How a node is: what it runs, which stage it is in, and when it was booted.

use std::fmt;

use talos::api::{
    common::Data,
    machine::{ReadRequest, ServiceInfo, Version},
};
use tonic::Streaming;

use super::{
    reach::{Node, machine, only},
    resources::{self, MACHINE_STATUS, MACHINE_TYPE},
};
use crate::script::{
    fault::{Fault, Kind},
    values::{at, tree::Tree},
};

/// Where Linux says which boot this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    ControlPlane,
    Worker,
}

impl Role {
    /// As configurations and resources write it.
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "controlplane" | "init" => Some(Self::ControlPlane),
            "worker" | "join" => Some(Self::Worker),
            _ => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlPlane => "control plane",
            Self::Worker => "worker",
        })
    }
}

/// # Errors
/// Why nobody says.
pub async fn version(node: &Node) -> Result<Version, Fault> {
    only(node.ask(|channel| async move { machine(channel).version(()).await }).await?.messages)
}

/// Which Talos it runs: `v1.11.5`.
///
/// # Errors
/// Why nobody says.
pub async fn tag(node: &Node) -> Result<String, Fault> {
    Ok(version(node).await?.version.unwrap_or_default().tag)
}

/// The minor version of a Talos 1; 0 for what is none.
pub fn minor(tag: &str) -> u32 {
    let minor = tag.strip_prefix("v1.").and_then(|rest| rest.split('.').next());
    minor.and_then(|minor| minor.parse().ok()).unwrap_or_default()
}

/// What it calls itself.
///
/// # Errors
/// Why nobody says.
pub async fn hostname(node: &Node) -> Result<String, Fault> {
    let answer = node.ask(|channel| async move { machine(channel).hostname(()).await }).await?;
    Ok(only(answer.messages)?.hostname)
}

/// What the node was made to be; nothing if it is nothing yet.
///
/// # Errors
/// Why nobody says.
pub async fn role(node: &Node) -> Result<Option<Role>, Fault> {
    let found = resources::find(node, &MACHINE_TYPE, &MACHINE_TYPE.namespace, "machine-type").await?;
    let spec = found.and_then(|resource| resource.spec).map(|spec| spec.yaml_spec).unwrap_or_default();
    Ok(Role::of_word(spec.trim().trim_matches('"')))
}

/// The stage of a node, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    pub name: String,
    pub ready: bool,
    pub unmet: Vec<String>,
}

impl Stage {
    /// True if it has booted to the end and lacks nothing.
    pub fn is_ready(&self) -> bool {
        self.name == "running" && self.ready
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, ready, unmet } = self;
        match (ready, unmet.is_empty()) {
            (true, _) => write!(f, "{name}, ready"),
            (false, true) => write!(f, "{name}, not ready"),
            (false, false) => write!(f, "{name}, not ready: {}", unmet.join("; ")),
        }
    }
}

/// # Errors
/// Why nobody says.
pub async fn stage(node: &Node) -> Result<Stage, Fault> {
    let resource = resources::find(node, &MACHINE_STATUS, &MACHINE_STATUS.namespace, "machine").await?;
    let Some(resource) = resource else {
        return Ok(Stage { name: "unknown".to_owned(), ready: false, unmet: Vec::new() });
    };
    let tree = resources::tree(node.host(), node, &MACHINE_STATUS, &resource)?;
    let unmet = at::items(&tree, &["spec", "status", "unmetConditions"]).iter().map(|condition| {
        let text = |name: &str| at::text(condition, &[name]).unwrap_or_default();
        format!("{}: {}", text("name"), text("reason"))
    });
    Ok(Stage {
        name: at::text(&tree, &["spec", "stage"]).unwrap_or("unknown").to_owned(),
        ready: at::flag(&tree, &["spec", "status", "ready"]),
        unmet: unmet.collect(),
    })
}

/// # Errors
/// Why nobody says.
pub async fn services(node: &Node) -> Result<Vec<ServiceInfo>, Fault> {
    let answer = node.ask(|channel| async move { machine(channel).service_list(()).await }).await?;
    Ok(only(answer.messages)?.services)
}

/// One service, which may be absent.
///
/// # Errors
/// Why nobody says.
pub async fn service(node: &Node, id: &str) -> Result<Option<ServiceInfo>, Fault> {
    Ok(services(node).await?.into_iter().find(|service| service.id == id))
}

/// Why a service is not healthy; nothing if it is, or if it has no health to have.
pub fn complaint(id: &str, service: Option<&ServiceInfo>) -> Option<String> {
    let Some(service) = service else { return Some(format!("there is no service `{id}`")) };
    let last = service.events.as_ref().and_then(|events| events.events.last());
    let health = service.health.clone().unwrap_or_default();
    match (service.state.as_str(), health) {
        ("Running", health) if health.healthy || health.unknown => None,
        ("Running", health) if health.last_message.is_empty() => Some(format!("`{id}` runs and is not healthy")),
        ("Running", health) => Some(format!("`{id}` runs and is not healthy: {}", health.last_message)),
        (state, _) => match last.map(|event| event.msg.as_str()).filter(|said| !said.is_empty()) {
            Some(said) => Some(format!("`{id}` is {}: {said}", state.to_lowercase())),
            None => Some(format!("`{id}` is {}", state.to_lowercase())),
        },
    }
}

/// Which boot of the node this is.
///
/// # Errors
/// Why nobody says; `denied` to who is no admin.
pub async fn boot_id(node: &Node) -> Result<String, Fault> {
    let bytes = read(node, BOOT_ID, 1 << 10).await?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// A file of the node.
///
/// # Errors
/// `not_found`, or why it can't be read; `invalid` if it is longer than that.
pub async fn read(node: &Node, path: &str, at_most: usize) -> Result<Vec<u8>, Fault> {
    let request = ReadRequest { path: path.to_owned() };
    let stream = node.ask(|channel| {
        let request = request.clone();
        async move { machine(channel).read(request).await }
    });
    whole(node, stream.await?, at_most).await
}

/// What a stream of bytes brings until its end.
///
/// # Errors
/// What ended it early; `invalid` if it is longer than that.
pub async fn whole(node: &Node, stream: Streaming<Data>, at_most: usize) -> Result<Vec<u8>, Fault> {
    let mut whole = Vec::new();
    pieces(node, stream, |piece| {
        whole.extend_from_slice(piece);
        match whole.len() > at_most {
            true => Err(Fault::new(Kind::Invalid, format!("what node `{node}` sends is longer than {at_most} bytes"))),
            false => Ok(()),
        }
    })
    .await?;
    Ok(whole)
}

/// Takes each piece of a stream of bytes until its end.
///
/// # Errors
/// What ended it early, be it whoever takes them.
pub async fn pieces(
    node: &Node,
    mut stream: Streaming<Data>,
    mut take: impl FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    while let Some(piece) = stream.message().await.map_err(|status| node.broke(&status))? {
        if let Some(said) = piece.metadata.filter(|metadata| !metadata.error.is_empty()) {
            return Err(Fault::new(Kind::Failed, format!("node `{node}`: {}", said.error)));
        }
        take(&piece.bytes)?;
    }
    Ok(())
}

/// A member of the cluster, as its nodes find one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub hostname: String,
    pub role: Role,
    pub addresses: Vec<String>,
}

/// The members that a node has found, itself among them.
///
/// # Errors
/// Why nobody says.
pub async fn members(node: &Node) -> Result<Vec<Member>, Fault> {
    let mut members = Vec::new();
    for resource in resources::list(node, &resources::MEMBERS, &resources::MEMBERS.namespace).await? {
        let tree = resources::tree(node.host(), node, &resources::MEMBERS, &resource)?;
        let Some(role) = at::text(&tree, &["spec", "machineType"]).and_then(Role::of_word) else { continue };
        let texts = |tree: &Tree| match tree {
            Tree::Text(text) => Some(text.to_string()),
            _ => None,
        };
        members.push(Member {
            hostname: at::text(&tree, &["spec", "hostname"]).unwrap_or_default().to_owned(),
            role,
            addresses: at::items(&tree, &["spec", "addresses"]).iter().filter_map(texts).collect(),
        });
    }
    Ok(members)
}
