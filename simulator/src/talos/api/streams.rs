//! What a node tells as it happens: events, the kernel's log, the logs of services.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message;
use talos::api::{common, machine};

use super::{Asked, containers, unmodelled};
use crate::talos::{
    boot::{Boot, Event},
    feed::Feed,
    grpc::{Code, Messages, Status, one},
    machine::Ill,
};

/// The most that a piece of a log holds.
const PIECE: usize = 1024;

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "Events" => events(asked),
        "Dmesg" => {
            let request: machine::DmesgRequest = asked.call.message()?;
            let from = if request.tail { asked.boot.kernel.len() } else { 0 };
            Ok(told(KernelLog(asked.boot.clone()), from, request.follow))
        }
        "Logs" => logs(asked),
        "LogsContainers" => {
            let mut ids = asked.boot.logs();
            ids.extend(asked.node.state().services.0.keys().map(|name| (*name).to_owned()));
            ids.sort();
            ids.dedup();
            let messages = vec![machine::LogsContainer { metadata: None, ids }];
            Ok(one(&machine::LogsContainersResponse { messages }))
        }
        _ => Err(unmodelled(asked)),
    }
}

/// Bytes as they are sent, in pieces.
pub fn data(bytes: &[u8]) -> Vec<Bytes> {
    let piece = |bytes: &[u8]| common::Data { metadata: None, bytes: bytes.to_vec() }.encode_to_vec().into();
    bytes.chunks(PIECE).map(piece).collect()
}

struct KernelLog(Arc<Boot>);

impl AsRef<Feed<String>> for KernelLog {
    fn as_ref(&self) -> &Feed<String> {
        &self.0.kernel
    }
}

/// What was told after so many others, and what is told from now on if somebody follows.
fn told(feed: impl AsRef<Feed<String>> + Send + Sync + 'static, from: usize, follow: bool) -> Messages {
    let end = if follow { usize::MAX } else { feed.as_ref().len() };
    let pieces = stream::unfold((feed, from), move |(feed, at)| async move {
        if at >= end {
            return None;
        }
        let text = feed.as_ref().after(at).await?;
        Some((stream::iter(data(text.as_bytes()).into_iter().map(Ok)), (feed, at + 1)))
    });
    pieces.flatten().boxed()
}

fn logs(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: machine::LogsRequest = asked.call.message()?;
    if request.namespace != "system" && request.id != "kubelet" {
        return containers::logs(asked, &request);
    }
    let known =
        asked.boot.logs().contains(&request.id) || asked.node.state().services.0.contains_key(request.id.as_str());
    if !known {
        return Err(Status::new(Code::Unknown, format!("log {:?} was not registered", request.id)));
    }
    let feed = asked.boot.log(&request.id);
    let from = match usize::try_from(request.tail_lines) {
        Ok(lines) => feed.len().saturating_sub(lines),
        Err(_) => 0,
    };
    Ok(told(feed, from, request.follow))
}

fn events(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: machine::EventsRequest = asked.call.message()?;
    let ways = [request.tail_events != 0, !request.tail_id.is_empty(), request.tail_seconds != 0];
    if ways.iter().filter(|way| **way).count() > 1 {
        let message = "only one of tail_events, tail_id or tail_seconds can be specified";
        return Err(Status::new(Code::InvalidArgument, message));
    }
    let all = asked.boot.events.all();
    let count = all.len();
    let from = if request.tail_events < 0 {
        0
    } else if request.tail_events > 0 {
        count.saturating_sub(usize::try_from(request.tail_events).unwrap_or(usize::MAX))
    } else if !request.tail_id.is_empty() {
        all.iter().position(|event| event.id > request.tail_id).unwrap_or(count)
    } else if request.tail_seconds != 0 {
        let since = asked.node.calendar.now() - jiff::SignedDuration::from_secs(request.tail_seconds.into());
        all.iter().position(|event| event.at >= since).unwrap_or(count)
    } else {
        count
    };
    let hello = machine::Event {
        metadata: None,
        data: Some(prost_types::Any::default()),
        id: asked.boot.next_id(),
        actor_id: request.with_actor_id.clone(),
    };
    let hello = stream::iter([Ok(Bytes::from(hello.encode_to_vec()))]);
    if asked.node.machine.suffers(&Ill::Mute) {
        return Ok(hello.chain(stream::pending()).boxed());
    }
    let (boot, actor) = (asked.boot.clone(), request.with_actor_id);
    let events = stream::unfold((boot, from, actor), |(boot, mut at, actor)| async move {
        loop {
            let event = boot.events.after(at).await?;
            at += 1;
            if actor.is_empty() || event.actor == actor {
                return Some((Ok(written(event)), (boot, at, actor)));
            }
        }
    });
    Ok(hello.chain(events).boxed())
}

fn written(event: Event) -> Bytes {
    let data = prost_types::Any { type_url: format!("talos/runtime/{}", event.kind), value: event.value };
    let event = machine::Event { metadata: None, data: Some(data), id: event.id, actor_id: event.actor };
    event.encode_to_vec().into()
}
