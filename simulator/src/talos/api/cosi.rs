//! Resources: one, all of a type, and what becomes of them.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message;
use regex::Regex;
use talos::api::cosi::resource::{
    Event, EventType, GetRequest, GetResponse, ListRequest, ListResponse, Metadata, Resource, Spec, WatchRequest,
    WatchResponse,
};

use super::{Asked, unmodelled};
use crate::talos::{
    grpc::{Code, Messages, Status, one},
    node::moment,
    resources::{self, Change, Kept, Key, Store},
    roles::ADMIN,
};

pub async fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "Get" => {
            let request: GetRequest = asked.call.message()?;
            let store = allowed(asked, &request.namespace, &request.r#type)?;
            let key = Key::new(&request.namespace, &request.r#type, &request.id);
            let kept = store.get(&key).ok_or_else(|| missing(&key))?;
            Ok(one(&GetResponse { resource: Some(written(&key, &kept)) }))
        }
        "List" => {
            let request: ListRequest = asked.call.message()?;
            let store = allowed(asked, &request.namespace, &request.r#type)?;
            let ids = pattern(request.options.and_then(|options| options.id_query).map(|query| query.regexp))?;
            let all = store.list(&request.namespace, &request.r#type).into_iter();
            let fits = all.filter(|(key, _)| ids.as_ref().is_none_or(|ids| ids.is_match(&key.id)));
            let messages: Vec<Result<Bytes, Status>> = fits
                .map(|(key, kept)| ListResponse { resource: Some(written(&key, &kept)) })
                .map(|message| Ok(message.encode_to_vec().into()))
                .collect();
            Ok(stream::iter(messages).boxed())
        }
        "Watch" => watch(asked),
        "Create" | "Update" | "Destroy" => Err(Status::new(Code::PermissionDenied, "write access is not allowed")),
        _ => Err(unmodelled(asked)),
    }
}

/// The resources as they are now, if whoever asks may see those of this type.
fn allowed(asked: &Asked<'_>, namespace: &str, kind: &str) -> Result<Arc<Store>, Status> {
    let denied = |message: String| Err(Status::new(Code::PermissionDenied, message));
    let Some(definition) = resources::definition(kind) else {
        let known = format!("{} watches {kind}: nodes have no model of these resources", asked.node.machine.name);
        (asked.node.estate().unmodelled)(&known);
        return denied(format!("resource type {kind:?} is not supported"));
    };
    if !resources::NAMESPACES.contains(&namespace) {
        return denied(format!("namespace {namespace:?} is not supported"));
    }
    if definition.sensitive && !asked.caller.roles.iter().any(|role| role == ADMIN) {
        return denied("not authorized".to_owned());
    }
    resources::settle(asked.node);
    Ok(asked.node.state().store.clone())
}

fn missing(key: &Key) -> Status {
    let message = format!("resource {}({}/{}@undefined) doesn't exist", key.kind, key.namespace, key.id);
    Status::new(Code::NotFound, message)
}

fn pattern(text: Option<String>) -> Result<Option<Regex>, Status> {
    let regex = text.filter(|text| !text.is_empty()).map(|text| Regex::new(&text)).transpose();
    regex.map_err(|error| Status::new(Code::InvalidArgument, error.to_string()))
}

fn written(key: &Key, kept: &Kept) -> Resource {
    Resource {
        metadata: Some(Metadata {
            namespace: key.namespace.clone(),
            r#type: key.kind.clone(),
            id: key.id.clone(),
            version: kept.version.to_string(),
            owner: kept.owner.to_owned(),
            phase: "running".to_owned(),
            created: Some(moment(kept.created)),
            updated: Some(moment(kept.updated)),
            annotations: kept.annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..Metadata::default()
        }),
        spec: Some(Spec { proto_spec: kept.message.clone(), yaml_spec: kept.yaml.clone() }),
    }
}

fn event(kind: EventType, resource: Option<Resource>, old: Option<Resource>) -> Bytes {
    let event = Event { resource, event_type: kind.into(), old, ..Event::default() };
    WatchResponse { event: vec![event] }.encode_to_vec().into()
}

fn watch(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: WatchRequest = asked.call.message()?;
    let store = allowed(asked, &request.namespace, &request.r#type)?;
    let options = request.options.clone().unwrap_or_default();
    if request.id.is_some() && (options.bootstrap_contents || !options.label_query.is_empty()) {
        return Err(Status::new(Code::Unimplemented, "bootstrap contents and label queries are of types only"));
    }
    let ids = pattern(options.id_query.map(|query| query.regexp))?;
    let (from, watching) = store.watch();
    // The stream is there.
    let mut first = vec![Bytes::from(WatchResponse::default().encode_to_vec())];
    match &request.id {
        Some(id) => {
            let key = Key::new(&request.namespace, &request.r#type, id);
            first.push(match store.get(&key) {
                Some(kept) => event(EventType::Created, Some(written(&key, &kept)), None),
                None => event(EventType::Destroyed, Some(tombstone(&key)), None),
            });
        }
        None if options.bootstrap_contents => {
            let fits = |key: &Key| ids.as_ref().is_none_or(|ids| ids.is_match(&key.id));
            let all = store.list(&request.namespace, &request.r#type).into_iter().filter(|(key, _)| fits(key));
            first.extend(all.map(|(key, kept)| event(EventType::Created, Some(written(&key, &kept)), None)));
            if request.api_version > 0 {
                first.push(event(EventType::Bootstrapped, Some(Resource::default()), None));
            }
        }
        None => {}
    }
    let changes = stream::unfold((store, from, watching), move |(store, mut at, watching)| {
        let (request, ids) = (request.clone(), ids.clone());
        async move {
            loop {
                let Change { key, before, after } = store.changes().after(at).await?;
                at += 1;
                let fits = key.namespace == request.namespace
                    && key.kind == request.r#type
                    && request.id.as_ref().is_none_or(|id| *id == key.id)
                    && ids.as_ref().is_none_or(|ids| ids.is_match(&key.id));
                if !fits {
                    continue;
                }
                let told = match (&before, &after) {
                    (None, Some(after)) => event(EventType::Created, Some(written(&key, after)), None),
                    (Some(before), Some(after)) => {
                        event(EventType::Updated, Some(written(&key, after)), Some(written(&key, before)))
                    }
                    (Some(before), None) => event(EventType::Destroyed, Some(written(&key, before)), None),
                    (None, None) => continue,
                };
                return Some((Ok(told), (store, at, watching)));
            }
        }
    });
    Ok(stream::iter(first.into_iter().map(Ok)).chain(changes).boxed())
}

/// What is said of something that is not there.
fn tombstone(key: &Key) -> Resource {
    Resource {
        metadata: Some(Metadata {
            namespace: key.namespace.clone(),
            r#type: key.kind.clone(),
            id: key.id.clone(),
            version: "undefined".to_owned(),
            phase: "running".to_owned(),
            ..Metadata::default()
        }),
        spec: Some(Spec::default()),
    }
}
