//! What pods write, run and listen to, for whoever asks the API server for it: logs, commands, and ports.
//!
//! What programs say and answer is the world's to say, by their [`Behaviour`](super::behaviour::Behaviour). Nothing runs here: a
//! command or a port that the world says nothing of has no model, and is refused by its name.

mod container;
mod log;
mod machine;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use http_body_util::{BodyExt as _, Full};

use super::{
    address::{self, Address},
    answer::Refusal,
    cluster::Cluster,
    request::Request,
    server::Body,
};

/// A pod that somebody asks for, and the request.
struct Asked<'a> {
    cluster: &'a Arc<Cluster>,
    request: &'a Request,
    namespace: String,
    pod: String,
}

/// Answers a request if it is for a stream.
pub async fn answer(cluster: &Arc<Cluster>, request: &Request) -> Option<Result<Response<Body>, Refusal>> {
    let address = address::read(&request.path)?;
    let Address { group, version, resource, namespace: Some(namespace), name: Some(pod), subresource: Some(part) } =
        address
    else {
        return None;
    };
    if (group.as_str(), version.as_str(), resource.as_str()) != ("", "v1", "pods") {
        return None;
    }
    let asked = Asked { cluster, request, namespace, pod };
    match part.as_str() {
        "log" if request.method == Method::GET => Some(log::answer(&asked)),
        "log" => Some(Err(Refusal::method_not_allowed())),
        _ => None,
    }
}

/// An answer in plain text.
fn plain(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}
