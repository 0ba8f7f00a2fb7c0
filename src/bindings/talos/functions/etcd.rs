//! etcd on control planes.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;
use sha2::{Digest, Sha256};
use talos::api::machine::{
    EtcdForfeitLeadershipRequest, EtcdLeaveClusterRequest, EtcdRemoveMemberByIdRequest, EtcdSnapshotRequest,
    etcd_member_alarm::AlarmType,
};

use super::{
    look::{ask, known, object, text},
    save::{Saving, save},
};
use crate::{
    bindings::talos::{
        condition::pieces,
        etcd::{self, hex},
        machines::Talos,
        reach::{Node, machine, only},
    },
    host::{
        effect::{Effect, digest},
        files::Arriving,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// How long etcd may take for a change.
const CHANGE: Duration = Duration::from_secs(120);

#[export_module]
pub mod functions {
    /// Lists the members of etcd.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane that is asked
    ///
    /// # Returns
    /// A list of objects with `id` (hexadecimal), `hostname`, `peer_urls`, `client_urls` and `learner`.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `unavailable`: etcd does not run, or has no majority
    /// - `failed`: the same, as some versions say it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// for member in talos::connect().etcd_members("10.17.13.86") { print(member.hostname); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_members(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "members of etcd", |node| async move {
            Ok(etcd::members(&node, false).await?.iter().map(etcd::tree).collect())
        })
    }

    /// Tells how etcd on a node is.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    ///
    /// # Returns
    /// An object with `member` and `leader` (hexadecimal ids), `is_leader`, `learner`, `version`, `size` and `used` in bytes,
    /// `index`, `applied`, `term` and `errors`.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `unavailable`: etcd does not run
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let status = talos::connect().etcd_status("10.17.13.86");
    /// print(`${status.used} of ${status.size} bytes`);
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_status(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "status of etcd", |node| async move {
            let status = etcd::status(&node).await?;
            let number = |number: u64| Tree::from_json(number.into());
            Ok(object([
                ("member", text(&hex(status.member_id))),
                ("leader", text(&hex(status.leader))),
                ("is_leader", Tree::Bool(status.leader == status.member_id)),
                ("learner", Tree::Bool(status.is_learner)),
                ("version", text(&status.protocol_version)),
                ("size", Tree::Int(status.db_size)),
                ("used", Tree::Int(status.db_size_in_use)),
                ("index", number(status.raft_index)),
                ("applied", number(status.raft_applied_index)),
                ("term", number(status.raft_term)),
                ("errors", status.errors.iter().map(|error| text(error)).collect()),
            ]))
        })
    }

    /// Lists the alarms of etcd.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    ///
    /// # Returns
    /// A list of objects with `member` (hexadecimal id) and `alarm`: `nospace` or `corrupt`.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `unavailable`: etcd does not run
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::connect().etcd_alarms("10.17.13.86"));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_alarms(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "alarms of etcd", |node| async move {
            let answer = node.ask(|channel| async move { machine(channel).etcd_alarm_list(()).await }).await?;
            let alarms = only(answer.messages)?.member_alarms.into_iter();
            let alarms = alarms.filter(|alarm| alarm.alarm != i32::from(AlarmType::None)).map(|alarm| {
                let word = known(alarm.alarm, AlarmType::as_str_name);
                object([("member", text(&hex(alarm.member_id))), ("alarm", text(&word))])
            });
            Ok(alarms.collect())
        })
    }

    /// Takes the alarms of etcd back, once their cause is gone.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// etcd has no alarms, until it has a reason for one.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `denied`: the certificate may not do it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// step "disarm" { talos::connect().etcd_disarm("10.17.13.86"); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_disarm(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        change(&context, talos, node, "disarm etcd", "", None, |node| async move {
            node.ask(|channel| async move { machine(channel).etcd_alarm_disarm(()).await }).await.map(drop)
        })
    }

    /// Lets etcd on a node give back the room that it does not use; meanwhile it does not answer.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// The database is written anew, without what is not used.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `denied`: the certificate may not do it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// step "defragment" { talos::connect().etcd_defragment("10.17.13.86"); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_defragment(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        change(&context, talos, node, "defragment etcd", "", None, |node| async move {
            node.once(|channel| async move { machine(channel).etcd_defragment(()).await }).await.map(drop)
        })
    }

    /// Lets another member of etcd lead.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane that leads no more
    ///
    /// # Returns
    /// Nothing. If it did not lead, nothing happens.
    ///
    /// # Effect
    /// Another member leads.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `denied`: the certificate may not do it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// step "forfeit" { talos::connect().etcd_forfeit_leadership("10.17.13.86"); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_forfeit_leadership(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        change(&context, talos, node, "forfeit leadership of etcd", "", None, |node| async move {
            let request = EtcdForfeitLeadershipRequest {};
            node.once(|channel| async move { machine(channel).etcd_forfeit_leadership(request).await }).await.map(drop)
        })
    }

    /// Lets a node leave etcd, as before it is taken away.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// The node is no member any more, and its copy of the data goes. One that is none already has left.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `denied`: the certificate may not do it
    /// - `failed`: it can't, such as when it is the only one
    /// - `in_doubt`: the connection broke
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// step "leave" { talos::connect().etcd_leave("10.17.13.139"); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_leave(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        let dies = vec![format!("the copy that node {node} has of the cluster's data")];
        let others: Vec<Node> =
            talos.endpoints().iter().filter_map(|endpoint| talos.node(&endpoint.host).ok()).collect();
        change(&context, talos, node, "leave etcd", "", Some(dies), |node| async move {
            if etcd::has_left(&node, &others).await {
                return Ok(());
            }
            let request = EtcdLeaveClusterRequest {};
            node.once(|channel| async move { machine(channel).etcd_leave_cluster(request).await }).await.map(drop)
        })
    }

    /// Removes a member from etcd that is gone for good.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane that is told
    /// - `member` (text): the member's hostname, address or hexadecimal id
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// It is no member any more. One that is none already is left as it is.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `denied`: the certificate may not do it
    /// - `failed`: etcd can't do without it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// step "remove" { talos::connect().etcd_remove_member("10.17.13.86", "cp-3"); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_remove_member(context: NativeCallContext, talos: &mut Talos, node: &str, member: &str) -> Outcome<()> {
        let (wanted, dies) = (member.to_owned(), vec![format!("member {member} of etcd")]);
        change(&context, talos, node, "remove member of etcd", member, Some(dies), |node| async move {
            let members = etcd::members(&node, false).await?;
            let Some(member) = etcd::named(&members, &wanted) else { return Ok(()) };
            let request = EtcdRemoveMemberByIdRequest { member_id: member.id };
            let removed =
                node.once(|channel| async move { machine(channel).etcd_remove_member_by_id(request).await }).await;
            match removed {
                Err(fault) if fault.kind != Kind::NotFound => Err(fault),
                _ => Ok(()),
            }
        })
    }

    /// Writes a snapshot of etcd to a file.
    ///
    /// It comes piece by piece, and is in its place when it is whole: etcd ends it with a hash, which is checked.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    /// - `path` (text): the file, relative to the runbook's folder
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `30m`): how long it may take
    ///
    /// # Returns
    /// An object with `path`, `size` and `sha256`.
    ///
    /// # Effect
    /// The file is there, or there anew.
    ///
    /// # Faults
    /// - `unsupported`: the node is no control plane
    /// - `denied`: the certificate may not do it
    /// - `failed`: what came is not whole
    /// - `file`: the file can't be written
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it did not come to an end
    ///
    /// # Example
    /// ```rhai cluster
    /// step "save" { talos::connect().etcd_snapshot("10.17.13.86", "etcd.snapshot", #{ timeout: "10m" }); }
    /// ```
    #[rhai_fn(global, name = "etcd_snapshot", pure, return_raw)]
    pub fn etcd_snapshot_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        path: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        snapshot(&context, talos, node, path, options)
    }

    /// Writes a snapshot of etcd to a file.
    #[rhai_fn(global, pure, return_raw)]
    pub fn etcd_snapshot(context: NativeCallContext, talos: &mut Talos, node: &str, path: &str) -> Outcome<Dynamic> {
        snapshot(&context, talos, node, path, Map::new())
    }
}

/// A change that is the same if it is made twice.
fn change<F>(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    verb: &str,
    asked: &str,
    destroys: Option<Vec<String>>,
    work: impl FnOnce(Node) -> F + Send + 'static,
) -> Outcome<()>
where
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let node = talos.node(name).map_err(|fault| context.raise(fault))?;
    let what = if asked.is_empty() { String::new() } else { format!(": {asked}") };
    let effect = Effect {
        verb: verb.to_owned(),
        object: format!("{talos}: node {node}{what}"),
        digest: digest(&[talos.to_string().as_bytes(), name.as_bytes(), asked.as_bytes()]),
        repeatable: true,
        destroys,
    };
    context.change(Change::repeatable(effect, CHANGE, async move {
        work(node).await?;
        Ok(Changed { value: (), kept: Value::Null, detail: Some("done".to_owned()) })
    }))
}

/// The length of the hash at the end of a snapshot, and of what a database is a multiple of.
const HASH: usize = 32;
const SECTOR: u64 = 512;

fn snapshot(context: &NativeCallContext, talos: &Talos, name: &str, path: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("talos::etcd_snapshot", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let saving = Saving { talos, node: name, verb: "snapshot etcd", of: "", path, timeout };
    save(context, &saving, fill)
}

/// Fills a file with a snapshot that is whole.
async fn fill(node: Node, mut file: Arriving) -> Result<Arriving, Fault> {
    let request = EtcdSnapshotRequest {};
    let stream = node.ask(|channel| async move { machine(channel).etcd_snapshot(request).await }).await?;
    let mut hash = Sha256::new();
    // The hash of all before it comes last: as much is held back.
    let mut last = Vec::with_capacity(2 * HASH);
    pieces(&node, stream, |piece| {
        last.extend_from_slice(piece);
        let whole = last.len().saturating_sub(HASH);
        hash.update(&last[..whole]);
        last.drain(..whole);
        Ok(file.add(piece)?)
    })
    .await?;
    if file.size() % SECTOR != HASH as u64 || last.as_slice() != hash.finalize().as_slice() {
        return Err(Fault::new(
            Kind::Failed,
            format!("the snapshot of node `{node}` is not whole: its hash is not that of what came"),
        )
        .hint("nothing was written; try it once more"));
    }
    Ok(file)
}
