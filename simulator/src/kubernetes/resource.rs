//! Requests for resources: which kind is meant, and what is to be done with it.

use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use http::Method;
use serde_json::Value;

use super::{
    access,
    address::{self, Address},
    answer::Refusal,
    cluster::Cluster,
    kinds::Kind,
    list::{list, options::Options},
    read::{self, Selection},
    representation::{Form, Representation, Shown},
    request::Request,
    watch,
    write::Write,
};

/// Kinds of which everybody who asks is warned.
const DEPRECATED: [(&str, &str); 2] = [
    ("componentstatuses", "v1 ComponentStatus is deprecated in v1.19+"),
    ("endpoints", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
];

/// Answers a request with one value and its status, in the form that was asked for.
///
/// # Errors
/// As the real server refuses it; 501 for what has no model.
pub async fn whole(cluster: &Arc<Cluster>, request: &Request) -> Result<(u16, Value, Form), Refusal> {
    let (address, kind) = meant(cluster, request)?;
    let part = address.subresource.as_deref().unwrap_or_default();
    if address.name.is_some() && only_taken(part).is_some_and(|method| request.method != method) {
        return Err(Refusal::method_not_allowed());
    }
    let representation = Representation::of_answer(request, &kind, part)?;
    let (code, value) = answered(cluster, request, &address, &kind).await?;
    let value = representation.of(value, Shown { cluster, kind: &kind, part, request })?;
    Ok((code, value, representation.form))
}

/// The one method that a part takes, if it takes but one.
fn only_taken(part: &str) -> Option<Method> {
    match part {
        "binding" | "eviction" => Some(Method::POST),
        "finalize" => Some(Method::PUT),
        _ => None,
    }
}

async fn answered(
    cluster: &Arc<Cluster>,
    request: &Request,
    address: &Address,
    kind: &Arc<Kind>,
) -> Result<(u16, Value), Refusal> {
    let Address { resource, name, subresource, .. } = address;
    if request.method == Method::POST
        && let Some(answer) = access::review(cluster, request, kind, address.namespace.as_deref())
    {
        return answer;
    }
    if let (Some("token"), Some(name), &Method::POST) = (subresource.as_deref(), name, &request.method) {
        let account = (address.namespace.as_deref().unwrap_or_default(), name.as_str());
        return access::request_token(cluster, request, kind, account).map(|answer| (201, answer));
    }
    let part = subresource.as_deref().unwrap_or_default();
    // What follows a proxy is the business of whoever is behind it.
    let part = if part.starts_with("proxy/") { "proxy" } else { part };
    if !part.is_empty() {
        if !kind.subresources.iter().any(|known| known == part) {
            if let (Some(_), Some(name)) = (&kind.defined, name) {
                return Err(Refusal::not_found(&kind.resource, &kind.group, name));
            }
            return Err(Refusal::no_such_resource());
        }
        let modelled = match part {
            "status" | "scale" => true,
            "approval" => &**resource == "certificatesigningrequests",
            "finalize" => &**resource == "namespaces",
            "binding" | "eviction" | "ephemeralcontainers" | "resize" => &**resource == "pods",
            _ => false,
        };
        if !modelled {
            return Err(Refusal::not_modelled(format!("`{resource}/{part}`")));
        }
    }
    let namespace = address.namespace.as_deref();
    let write = Write { cluster, kind, namespace, part, request };
    match (&request.method, name) {
        (&Method::POST, Some(name)) if part == "binding" => write.bind(name).await,
        (&Method::POST, Some(name)) if part == "eviction" => write.evict(name).await,
        (&Method::PUT, Some(name)) if part == "finalize" => write.replace(name).await,
        (&Method::GET, Some(name)) => {
            let object = read::get(cluster, kind, namespace, name, request).await?;
            Ok((200, write.seen(&object)?))
        }
        (&Method::GET, None) => {
            let (selection, options) = Selection::read(request, kind, namespace.map(str::to_owned), Options::of_list)?;
            let list = list(cluster, kind, &selection, &options).await?;
            Ok((200, list.written(kind)))
        }
        (method, _) if *method != Method::GET && kind.namespaced && namespace.is_none() => {
            Err(Refusal::method_not_allowed())
        }
        (&Method::POST, None) => write.create().await,
        (&Method::PUT, Some(name)) => write.replace(name).await,
        (&Method::PATCH, Some(name)) => write.patch(name).await,
        (&Method::DELETE, Some(name)) if part.is_empty() => write.delete(name).await,
        (&Method::DELETE, None) if kind.allows("deletecollection") => write.delete_all().await,
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// Answers a request with what happens from now on, line by line.
///
/// # Errors
/// As for [`whole`].
pub fn watch(cluster: &Arc<Cluster>, request: &Request) -> Result<impl Stream<Item = Bytes> + Send + use<>, Refusal> {
    let (address, kind) = meant(cluster, request)?;
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Err(Refusal::method_not_allowed());
    }
    if address.subresource.is_some() {
        return Err(Refusal::no_such_resource());
    }
    let (mut selection, options) = Selection::read(request, &kind, address.namespace, Options::of_watch)?;
    selection.name = address.name;
    watch::watch(cluster, &kind, (selection, options), request)
}

fn meant(cluster: &Cluster, request: &Request) -> Result<(Address, Arc<Kind>), Refusal> {
    let address = address::read(&request.path);
    let address = address.ok_or_else(|| unknown(&request.path))?;
    let Address { group, version, resource, .. } = &address;
    let kind = cluster.kind(group, version, resource).ok_or_else(|| Refusal::no_such_path_in(group))?;
    let warning = DEPRECATED.iter().find(|(stored, _)| *stored == &*kind.stored);
    warning.iter().for_each(|(_, warning)| request.warn(warning));
    match kind.defined.as_ref().and_then(|defined| defined.conversion(&kind, &cluster.store)) {
        Some(what) => Err(Refusal::not_modelled(what)),
        None => Ok((address, kind)),
    }
}

/// What a real server has besides resources and is not modelled is refused as that; of all else a real server knows nothing either.
fn unknown(path: &str) -> Refusal {
    let there = ["/metrics", "/logs", "/debug", "/statusz", "/flagz", "/configz"];
    match there.iter().any(|known| path == *known || path.starts_with(&format!("{known}/"))) {
        true => Refusal::not_modelled(format!("the path `{path}`")),
        false => Refusal::no_such_path(),
    }
}
