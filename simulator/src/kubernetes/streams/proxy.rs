//! Pods and services asked through the API server, which hands a request on to whoever is behind a port, and the answer back.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, future::ready};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::{body::Frame, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::{
    Unmodelled,
    forward::{Pod, Silence},
    machine, whole,
};
use crate::kubernetes::{
    address::{self, Address},
    answer::Refusal,
    cluster::Cluster,
    controllers::fields::Fields as _,
    request::Request,
    server::Body,
    store::Key,
};

/// What belongs to one connection, and to who asks the API server.
const OWN: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Who is asked, as in `http:web:80`.
struct Whom<'w> {
    scheme: &'w str,
    name: &'w str,
    port: &'w str,
}

/// Where that is.
struct Place {
    pod: Arc<Value>,
    address: String,
    port: u16,
}

/// Answers a request if it is for a proxy.
pub async fn answer(
    cluster: &Arc<Cluster>,
    request: &Request,
    unmodelled: &Unmodelled,
) -> Option<Result<Response<Body>, Refusal>> {
    let Address { group, resource, namespace, name: Some(name), subresource: Some(part), watched: false, .. } =
        address::read(&request.path)?
    else {
        return None;
    };
    if part.split('/').next() != Some("proxy") {
        return None;
    }
    let space = namespace.filter(|_| group.is_empty())?;
    let place = match resource.as_str() {
        "pods" => of_pod(cluster, &space, &name),
        "services" => of_service(cluster, &space, &name),
        _ => return None,
    };
    // `/api/v1/namespaces/prod/pods/web/proxy/` and what follows it.
    let rest = request.path.splitn(9, '/').nth(8);
    Some(match (place, rest) {
        (Err(refusal), _) => Err(refusal),
        (Ok(_), None) if [Method::GET, Method::HEAD].contains(&request.method) => Ok(folder(request)),
        (Ok(place), rest) => handed_on(cluster, request, place, rest.unwrap_or_default(), unmodelled).await,
    })
}

impl<'w> Whom<'w> {
    fn read(id: &'w str, what: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = id.split(':').collect();
        let whom = match parts.as_slice() {
            [name] => Self { scheme: "", name, port: "" },
            [name, port] => Self { scheme: "", name, port },
            [scheme @ ("" | "http" | "https"), name, port] => Self { scheme, name, port },
            _ => Self { scheme: "", name: "", port: "" },
        };
        match whom.name {
            "" => Err(Refusal::bad_request(format!("invalid {what} request {id:?}"))),
            _ => Ok(whom),
        }
    }
}

fn there(cluster: &Cluster, resource: &str, space: &str, name: &str) -> Result<Arc<Value>, Refusal> {
    let key = Key { resource: resource.into(), namespace: space.to_owned(), name: name.to_owned() };
    cluster.store.get(&key).ok_or_else(|| Refusal::not_found(resource, "", name))
}

fn of_pod(cluster: &Cluster, space: &str, id: &str) -> Result<Place, Refusal> {
    let whom = Whom::read(id, "pod")?;
    let pod = there(cluster, "pods", space, whom.name)?;
    let address = pod.text("/status/podIP").to_owned();
    if address.is_empty() {
        return Err(Refusal::bad_request("address not allowed"));
    }
    let first =
        pod.list("/spec/containers").iter().find_map(|container| container["ports"][0]["containerPort"].as_u64());
    let port = match whom.port {
        "" => first.and_then(|port| u16::try_from(port).ok()).unwrap_or(80),
        port => port.parse().map_err(|_| Refusal::not_modelled(format!("the port `{port}` of a pod")))?,
    };
    plain(&whom)?;
    Ok(Place { pod, address, port })
}

fn of_service(cluster: &Cluster, space: &str, id: &str) -> Result<Place, Refusal> {
    let whom = Whom::read(id, "service")?;
    let service = there(cluster, "services", space, whom.name)?;
    let name = match whom.port.parse::<i64>() {
        Err(_) => whom.port,
        Ok(number) => {
            let port = service.list("/spec/ports").iter().find(|port| port["port"] == number);
            let why = || format!("no service port {number} found for service {:?}", whom.name);
            port.map(|port| port.text("/name")).ok_or_else(|| Refusal::unavailable(why()))?
        }
    };
    let (_, slices) = cluster.store.list(&"endpointslices.discovery.k8s.io".into(), Some(space));
    let slices: Vec<Arc<Value>> = slices.into_iter().map(|(_, slice)| slice).collect();
    let own = slices.iter().filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == *whom.name);
    let own: Vec<&Arc<Value>> = own.filter(|slice| slice.list("/endpoints").iter().any(is_ready)).collect();
    let nobody = |whom: &str| Refusal::unavailable(format!("no endpoints available for service {whom:?}"));
    if own.is_empty() {
        return Err(nobody(whom.name));
    }
    let of_port = |slice: &&Arc<Value>| {
        let port = slice.list("/ports").iter().find(|port| port.text("/name") == name)?;
        let endpoint = slice.list("/endpoints").iter().find(|endpoint| is_ready(endpoint))?;
        Some((endpoint.clone(), u16::try_from(port["port"].as_u64()?).ok()?))
    };
    let (endpoint, port) = own.iter().find_map(of_port).ok_or_else(|| nobody(id))?;
    plain(&whom)?;
    let address = endpoint["addresses"][0].as_str().unwrap_or_default().to_owned();
    let pod = match endpoint.text("/targetRef/kind") {
        "Pod" => there(cluster, "pods", space, endpoint.text("/targetRef/name"))?,
        _ => return Err(Refusal::not_modelled(format!("whoever is at {address}:{port}, which is no pod"))),
    };
    Ok(Place { pod, address, port })
}

fn is_ready(endpoint: &Value) -> bool {
    endpoint["conditions"]["ready"] != false
}

fn plain(whom: &Whom<'_>) -> Result<(), Refusal> {
    match whom.scheme {
        "https" => Err(Refusal::not_modelled("a proxy that speaks TLS")),
        _ => Ok(()),
    }
}

/// Whoever asks for nothing in particular is led to where paths begin.
fn folder(request: &Request) -> Response<Body> {
    let query = marked(request);
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let place = HeaderValue::from_str(&format!("{}/{query}", request.path));
    response.headers_mut().insert(header::LOCATION, place.expect("it came as part of a path"));
    response
}

/// The query of a request, with its mark.
fn marked(request: &Request) -> String {
    if request.query.is_empty() { String::new() } else { format!("?{}", request.query) }
}

async fn handed_on(
    cluster: &Arc<Cluster>,
    request: &Request,
    Place { pod, address, port }: Place,
    rest: &str,
    unmodelled: &Unmodelled,
) -> Result<Response<Body>, Refusal> {
    if request.headers.contains_key(header::UPGRADE) {
        return Err(Refusal::not_modelled("a proxy for something else than HTTP"));
    }
    let unreached = |why: &str| Refusal::unavailable(format!("error trying to reach service: {why}"));
    let dialled = |why: &str| unreached(&format!("dial tcp {address}:{port}: {why}"));
    if machine::reach(cluster, &pod)?.is_err() {
        return Err(dialled("connect: no route to host"));
    }
    if pod.text("/status/phase") != "Running" {
        return Err(dialled("connect: connection refused"));
    }
    let behind = Pod { cluster: cluster.clone(), pod, unmodelled: unmodelled.clone() };
    let stream = behind.reach(port).await.map_err(|silence| match silence {
        Silence::Unmodelled(refusal) => refusal,
        Silence::Refused(why) => dialled(&why),
    })?;
    let mut asked = http::Request::builder().method(request.method.clone());
    asked = asked.uri(format!("/{rest}{}", marked(request)));
    asked = asked.header(header::HOST, format!("{address}:{port}"));
    for (name, value) in request.headers.iter().filter(|(name, _)| !OWN.contains(name)) {
        asked = asked.header(name, value);
    }
    let asked = asked.body(Full::new(request.body.clone())).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let broken = |error: hyper::Error| unreached(&error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with the answer, and what breaks it the sender is told.
    tokio::spawn(connection);
    let (mut parts, body) = sender.send_request(asked).await.map_err(broken)?.into_parts();
    OWN.iter().filter(|name| **name != header::CONTENT_LENGTH).for_each(|name| drop(parts.headers.remove(name)));
    let pieces = body.into_data_stream().take_while(|piece| ready(piece.is_ok()));
    let pieces = pieces.filter_map(|piece| ready(piece.ok().map(|piece| Ok(Frame::data(piece)))));
    Ok(Response::from_parts(parts, StreamBody::new(pieces).boxed_unsync()))
}
