//! The etcd that a node is a member of.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message as _;
use talos::api::{common, machine};

use super::{Asked, streams::data, unmodelled};
use crate::talos::{
    etcd::{Data, Ring},
    grpc::{Code, Messages, Status, one},
    snapshot,
};

/// The version of etcd whose members these are.
const VERSION: &str = "3.6.5";
const STORAGE: &str = "3.6.0";

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    let what = match method {
        "EtcdMemberList" => "member list",
        "EtcdStatus" => "etcd status",
        "EtcdSnapshot" => "etcd snapshot",
        "EtcdRecover" => "etcd recover",
        "EtcdRemoveMemberByID" => "etcd remove member",
        "EtcdLeaveCluster" => "etcd leave",
        "EtcdForfeitLeadership" => "etcd forfeit leadership",
        "EtcdAlarmList" => "etcd alarm list",
        "EtcdAlarmDisarm" => "etcd alarm disarm",
        "EtcdDefragment" => "etcd defragmentation",
        _ => return Err(unmodelled(asked)),
    };
    asked.of_control_planes(what)?;
    match method {
        "EtcdMemberList" => members(asked),
        "EtcdStatus" => status(asked),
        "EtcdSnapshot" => save(asked),
        "EtcdRecover" => recover(asked),
        "EtcdRemoveMemberByID" => remove(asked),
        "EtcdLeaveCluster" => leave(asked),
        "EtcdForfeitLeadership" => forfeit(asked),
        "EtcdAlarmList" => decided(asked, |_, _| machine::EtcdAlarmListResponse {
            messages: vec![machine::EtcdAlarm { metadata: None, member_alarms: Vec::new() }],
        }),
        "EtcdAlarmDisarm" => decided(asked, |_, _| machine::EtcdAlarmDisarmResponse {
            messages: vec![machine::EtcdAlarmDisarm { metadata: None, member_alarms: Vec::new() }],
        }),
        _ => local(asked, |_, _| machine::EtcdDefragmentResponse {
            messages: vec![machine::EtcdDefragment { metadata: None }],
        }),
    }
}

/// Asks the member on this node alone.
fn local<M: prost::Message>(asked: &Asked<'_>, ask: impl FnOnce(&mut Ring, Data) -> M) -> Result<Messages, Status> {
    if !asked.node.runs("etcd") {
        let why = "error creating etcd client: failed to build TLS config: open /system/secrets/etcd/admin.crt: no such file \
                   or directory";
        return Err(Status::plain(why));
    }
    asked.node.estate().ring(asked.node, |ring, data| one(&ask(ring, data))).ok_or_else(no_quorum)
}

/// Asks what more than half of the members have to agree on.
fn decided<M: prost::Message>(asked: &Asked<'_>, ask: impl FnOnce(&mut Ring, Data) -> M) -> Result<Messages, Status> {
    if asked.node.runs("etcd") && !asked.node.estate().is_in_quorum(asked.node) {
        return Err(no_quorum());
    }
    local(asked, ask)
}

fn no_quorum() -> Status {
    Status::new(Code::DeadlineExceeded, "context deadline exceeded")
}

fn members(asked: &Asked<'_>) -> Result<Messages, Status> {
    decided(asked, |ring, _| {
        let member = |member: &crate::talos::etcd::Member| machine::EtcdMember {
            id: member.id,
            hostname: member.hostname.clone(),
            peer_urls: vec![format!("https://{}:2380", member.address)],
            client_urls: vec![format!("https://{}:2379", member.address)],
            is_learner: member.learns,
        };
        machine::EtcdMemberListResponse {
            messages: vec![machine::EtcdMembers {
                metadata: None,
                legacy_members: ring.members.iter().map(|member| member.hostname.clone()).collect(),
                members: ring.members.iter().map(member).collect(),
            }],
        }
    })
}

fn status(asked: &Asked<'_>) -> Result<Messages, Status> {
    local(asked, |ring, data| {
        let revision = ring.cluster.store.revision();
        let size = 4096 * (8 + i64::try_from(revision / 4).unwrap_or_default());
        machine::EtcdStatusResponse {
            messages: vec![machine::EtcdStatus {
                metadata: None,
                member_status: Some(machine::EtcdMemberStatus {
                    protocol_version: VERSION.to_owned(),
                    storage_version: STORAGE.to_owned(),
                    db_size: size,
                    db_size_in_use: size / 2,
                    leader: ring.leader,
                    raft_index: revision,
                    raft_term: ring.term,
                    raft_applied_index: revision,
                    errors: match ring.leader {
                        0 => vec!["etcdserver: no leader".to_owned()],
                        _ => Vec::new(),
                    },
                    is_learner: false,
                    member_id: data.member,
                }),
            }],
        }
    })
}

fn save(asked: &Asked<'_>) -> Result<Messages, Status> {
    if !asked.node.runs("etcd") {
        return local(asked, |_, _| ());
    }
    let cluster = asked.node.estate().ring(asked.node, |ring, _| ring.cluster.clone()).ok_or_else(no_quorum)?;
    let pieces: Vec<Bytes> = data(&snapshot::of(&cluster));
    Ok(stream::iter(pieces.into_iter().map(Ok)).boxed())
}

/// Keeps a snapshot, for an etcd that is to begin with it.
fn recover(asked: &Asked<'_>) -> Result<Messages, Status> {
    if asked.node.look(|state| !state.services.0.contains_key("etcd")) {
        return Err(Status::new(Code::FailedPrecondition, "etcd service is not ready for recovery yet"));
    }
    let mut sent = Vec::new();
    for message in &asked.call.messages {
        let piece = common::Data::decode(message.clone());
        let piece = piece
            .map_err(|error| Status::new(Code::Internal, format!("grpc: error unmarshalling request: {error}")))?;
        sent.extend_from_slice(&piece.bytes);
    }
    let saved = snapshot::read(&sent).map_err(|why| Status::plain(format!("failed to verify etcd snapshot: {why}")))?;
    asked.node.change(|state| state.saved = Some(saved));
    Ok(one(&machine::EtcdRecoverResponse { messages: vec![machine::EtcdRecover { metadata: None }] }))
}

fn remove(asked: &Asked<'_>) -> Result<Messages, Status> {
    let id = asked.call.message::<machine::EtcdRemoveMemberByIdRequest>()?.member_id;
    let known = asked.node.estate().ring(asked.node, |ring, _| ring.member(id).is_some()).unwrap_or_default();
    if !known && asked.node.runs("etcd") {
        return Err(Status::new(Code::NotFound, "etcdserver: member not found"));
    }
    let removed = decided(asked, |ring, _| {
        ring.remove(id);
        machine::EtcdRemoveMemberByIdResponse { messages: vec![machine::EtcdRemoveMemberById { metadata: None }] }
    });
    asked.node.estate().settle();
    removed
}

fn leave(asked: &Asked<'_>) -> Result<Messages, Status> {
    let alone = asked.node.estate().ring(asked.node, |ring, _| ring.members.len() < 2).unwrap_or_default();
    if alone {
        return Err(Status::plain(
            "failed to leave cluster: etcdserver: re-configuration failed due to not enough started members",
        ));
    }
    let left = decided(asked, |ring, data| {
        ring.remove(data.member);
        machine::EtcdLeaveClusterResponse { messages: vec![machine::EtcdLeaveCluster { metadata: None }] }
    })?;
    asked.node.service("etcd", crate::talos::services::State::Finished);
    asked.node.estate().forgets(asked.node);
    Ok(left)
}

fn forfeit(asked: &Asked<'_>) -> Result<Messages, Status> {
    decided(asked, |ring, data| {
        let leads = ring.leader == data.member;
        let other = if leads { ring.hand_over().map(|member| member.hostname.clone()) } else { None };
        machine::EtcdForfeitLeadershipResponse {
            messages: vec![machine::EtcdForfeitLeadership { metadata: None, member: other.unwrap_or_default() }],
        }
    })
}
