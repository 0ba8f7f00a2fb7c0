//! What is answered in the name of several nodes: each answer has the name of its node on it, and what went wrong with one goes
//! in the place of its answer.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message;
use talos::api::{common, google::rpc};

use super::grpc::{Messages, Status};

/// Methods that answer with more than one message.
const STREAMED: [&str; 12] = [
    "Copy",
    "DiskUsage",
    "Dmesg",
    "EtcdSnapshot",
    "Events",
    "HealthCheck",
    "ImageList",
    "Kubeconfig",
    "List",
    "Logs",
    "PacketCapture",
    "Read",
];

pub fn is_streamed(path: &str) -> bool {
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    method.ends_with("Stream") || (!service.starts_with("cosi.") && STREAMED.contains(&method))
}

/// The first field of a message, with so many bytes in it.
fn first_field(content: &[u8]) -> Vec<u8> {
    let mut field = vec![0x0a];
    prost::encoding::encode_varint(content.len() as u64, &mut field);
    field.extend_from_slice(content);
    field
}

/// Who answered, and what went wrong.
fn signed(hostname: &str, failed: Option<&Status>) -> Vec<u8> {
    let metadata = common::Metadata {
        hostname: hostname.to_owned(),
        error: failed.map(Status::in_go).unwrap_or_default(),
        status: failed.map(|status| rpc::Status {
            code: status.code,
            message: status.message.clone(),
            details: Vec::new(),
        }),
    };
    first_field(&metadata.encode_to_vec())
}

/// Answers with the name of their node on them.
pub fn wrapped(answered: Result<Messages, Status>, target: String, streams: bool) -> Messages {
    let messages = match answered {
        Ok(messages) => messages,
        Err(status) => stream::once(async move { Err(status) }).boxed(),
    };
    let name = move |message: Result<Bytes, Status>| {
        let named = match (&message, streams) {
            (Ok(message), true) => [&message[..], &signed(&target, None)].concat(),
            (Err(status), true) => signed(&target, Some(status)),
            (Ok(message), false) => into_element(message, &signed(&target, None)),
            (Err(status), false) => first_field(&signed(&target, Some(status))),
        };
        Ok(Bytes::from(named))
    };
    messages.map(name).boxed()
}

/// Puts this into the one element that a message holds as its first field.
fn into_element(mut message: &[u8], signature: &[u8]) -> Vec<u8> {
    let element = match message.split_first() {
        Some((0x0a, rest)) => {
            message = rest;
            let length = prost::encoding::decode_varint(&mut message).unwrap_or_default();
            &message[..usize::try_from(length).unwrap_or_default().min(message.len())]
        }
        _ => message,
    };
    first_field(&[element, signature].concat())
}
