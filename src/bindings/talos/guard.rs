//! Orders that an operator would get wrong: each is explained, and given all the same if it is asked for by its own name.

use std::time::Duration;

use super::{
    condition::{self, Role, complaint},
    etcd,
    machines::Talos,
    reach::Node,
};
use crate::script::fault::{Fault, Kind};
use futures::future::join_all;

/// How long a node is asked about that may be away.
const LOOK: Duration = Duration::from_secs(5);

/// What is known of a node that is to be taken away, as far as anybody answers.
#[derive(Debug, Clone, Default)]
pub struct Prospect {
    pub hostname: Option<String>,
    pub role: Option<Role>,
    pub etcd: Option<Etcd>,
    /// Workers that answer, and are reached through control planes.
    pub workers: Vec<String>,
}

/// What is known of etcd on a control plane.
#[derive(Debug, Clone)]
pub struct Etcd {
    pub members: usize,
    /// How many members besides this node's answer for themselves.
    pub others: usize,
}

impl Etcd {
    async fn of(talos: &Talos, node: &Node, hostname: Option<&str>) -> Option<Self> {
        let members = soon(node, etcd::members(node, false)).await?;
        let name = node.to_string();
        let own = etcd::named(&members, &name).or_else(|| etcd::named(&members, hostname?)).map(|own| own.id);
        let others = members.iter().filter(|member| Some(member.id) != own).map(|member| async move {
            let other = talos.node(&etcd::addresses(member).next()?).ok()?;
            soon(&other, etcd::status(&other)).await
        });
        let others = join_all(others).await.into_iter().flatten().count();
        Some(Self { members: members.len(), others })
    }
}

impl Prospect {
    /// Looks, and takes silence for an answer: what is to be reset may be broken.
    pub async fn of(talos: &Talos, node: &Node) -> Self {
        let Some(role) = soon(node, condition::role(node)).await.flatten() else { return Self::default() };
        let hostname = soon(node, condition::hostname(node)).await;
        if role == Role::Worker {
            return Self { hostname, role: Some(role), ..Self::default() };
        }
        let members = soon(node, condition::members(node)).await.unwrap_or_default();
        let workers = members.into_iter().filter(|member| member.role == Role::Worker);
        let answering = workers.filter_map(|worker| {
            let address = worker.addresses.first()?.clone();
            let leads_there = talos.endpoints().iter().any(|endpoint| endpoint.host == address);
            (!leads_there && !talos.is_leaving(&address)).then_some((worker.hostname, address))
        });
        let asked = answering.map(|(hostname, address)| async move {
            let worker = talos.node(&address).ok()?;
            soon(&worker, condition::version(&worker)).await?;
            Some(format!("{hostname} ({address})"))
        });
        let workers = join_all(asked).await.into_iter().flatten().collect();
        let etcd = Etcd::of(talos, node, hostname.as_deref()).await;
        Self { hostname, role: Some(role), etcd, workers }
    }

    /// How the node is called: `10.0.0.1 (cp-1)`.
    pub fn called(&self, node: &Node) -> String {
        match &self.hostname {
            Some(hostname) => format!("{node} ({hostname})"),
            None => node.to_string(),
        }
    }

    /// True if no other control plane has what etcd holds.
    pub fn is_last(&self) -> bool {
        self.etcd.as_ref().is_some_and(|etcd| etcd.others == 0)
    }
}

async fn soon<T>(node: &Node, work: impl Future<Output = Result<T, Fault>>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => done.ok(),
        () = node.host().clock.sleep(LOOK) => None,
    }
}

fn refused(message: String, option: &str) -> Fault {
    Fault::new(Kind::Refused, message).hint(format!("if that is what you want: `{option}: true`"))
}

/// What speaks against taking a node away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed {
    pub last_control_plane: bool,
    pub workers_left: bool,
    pub endpoints_leaving: bool,
}

/// # Errors
/// `refused`, with the option that allows it.
pub fn taking_away(talos: &Talos, node: &Node, prospect: &Prospect, allowed: Allowed) -> Result<(), Fault> {
    let name = node.to_string();
    let others: Vec<String> =
        talos.endpoints().iter().map(|endpoint| endpoint.host.clone()).filter(|endpoint| *endpoint != name).collect();
    let own = talos.endpoints().iter().any(|endpoint| endpoint.host == name);
    let nobody_stays = others.iter().all(|endpoint| talos.is_leaving(endpoint));
    if !own && nobody_stays && !allowed.endpoints_leaving {
        return Err(refused(
            format!("node `{name}` is reached through {}, which this run has sent away", shown(&others)),
            "endpoints_leaving",
        )
        .note("nodes that are reached through others go before them: workers first"));
    }
    if own && nobody_stays && !prospect.workers.is_empty() && !allowed.workers_left {
        return Err(refused(
            format!("workers are reached through `{name}`, and would be out of reach: {}", prospect.workers.join(", ")),
            "workers_left",
        )
        .note("workers go before control planes"));
    }
    if prospect.is_last() && !allowed.last_control_plane {
        return Err(refused(
            format!(
                "node `{name}` is the last control plane whose etcd answers: with it goes whatever the cluster knows"
            ),
            "last_control_plane",
        ));
    }
    Ok(())
}

fn shown(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// # Errors
/// `refused`, if another control plane runs etcd already: it would be a cluster of its own.
pub async fn bootstrapping(talos: &Talos, node: &Node, allowed: bool) -> Result<(), Fault> {
    if allowed || runs_etcd(node).await {
        return Ok(());
    }
    let name = node.to_string();
    let found = soon(node, condition::members(node)).await.unwrap_or_default();
    let found = found.into_iter().filter(|member| member.role == Role::ControlPlane);
    let found = found.filter(|member| !member.addresses.contains(&name));
    let endpoints = talos.endpoints().iter().map(|endpoint| endpoint.host.clone());
    let mut others: Vec<String> =
        found.filter_map(|member| member.addresses.first().cloned()).chain(endpoints).collect();
    others.sort();
    others.dedup();
    others.retain(|other| *other != name);
    let asked = others.into_iter().map(|other| async move {
        let node = talos.node(&other).ok()?;
        runs_etcd(&node).await.then_some(other)
    });
    match join_all(asked).await.into_iter().flatten().next() {
        None => Ok(()),
        Some(other) => Err(refused(
            format!("etcd runs on `{other}` already: bootstrapped again on `{name}`, there would be two clusters"),
            "another_cluster",
        )
        .note(format!("once `{name}` is configured it joins on its own"))),
    }
}

async fn runs_etcd(node: &Node) -> bool {
    let services = soon(node, condition::services(node)).await.unwrap_or_default();
    let etcd = services.iter().find(|service| service.id == "etcd");
    etcd.is_some() && complaint("etcd", etcd).is_none()
}

/// # Errors
/// `refused`, if a node would become something else than it is.
pub fn changing_role(node: &Node, is: Option<Role>, becomes: Option<Role>, allowed: bool) -> Result<(), Fault> {
    match (is, becomes) {
        (Some(is), Some(becomes)) if is != becomes && !allowed => Err(refused(
            format!("node `{node}` is a {is}, and this is the configuration of a {becomes}"),
            "change_role",
        )
        .note("is it the configuration of another node?")),
        _ => Ok(()),
    }
}
