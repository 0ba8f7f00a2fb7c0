//! What pods write, run and listen to, for whoever asks the API server for it: logs, commands, ports, and requests handed on to them.
//!
//! What programs say and answer is the world's to say, by their [`Behaviour`](super::behaviour::Behaviour). Nothing runs here: a
//! command or a port that the world says nothing of has no model, and is refused by its name.

mod channels;
mod container;
mod forward;
mod log;
mod machine;
mod program;
pub mod proxy;
mod spdy;
mod upgrade;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::upgrade::OnUpgrade;

pub use self::log::{Written, kept};
use self::program::Task;
use super::{
    address::{self, Address},
    answer::Refusal,
    cluster::Cluster,
    request::Request,
    server::Body,
};

/// Told of what has no model, if that is found out too late to refuse it.
pub type Unmodelled = Arc<dyn Fn(&str) + Send + Sync>;

/// A pod that somebody asks for, and the request.
struct Asked<'a> {
    cluster: &'a Arc<Cluster>,
    request: &'a Request,
    namespace: String,
    pod: String,
    unmodelled: &'a Unmodelled,
}

/// Answers a request if it is for a stream. With `on` the connection can go on with something else than HTTP.
pub fn answer(
    cluster: &Arc<Cluster>,
    request: &Request,
    on: Option<OnUpgrade>,
    unmodelled: &Unmodelled,
) -> Option<Result<Response<Body>, Refusal>> {
    let address = address::read(&request.path)?;
    let Address {
        group,
        version,
        resource,
        namespace: Some(namespace),
        name: Some(pod),
        subresource: Some(part),
        watched: false,
    } = address
    else {
        return None;
    };
    if (group.as_str(), version.as_str(), resource.as_str()) != ("", "v1", "pods") {
        return None;
    }
    let asked = Asked { cluster, request, namespace, pod, unmodelled };
    let method = &request.method;
    Some(match part.as_str() {
        "log" if method == Method::GET => log::answer(&asked),
        "exec" if method == Method::GET || method == Method::POST => program::answer(&asked, Task::Exec, on),
        "attach" if method == Method::GET || method == Method::POST => program::answer(&asked, Task::Attach, on),
        "portforward" if method == Method::GET || method == Method::POST => forward::answer(&asked, on),
        "log" | "exec" | "attach" | "portforward" => Err(Refusal::method_not_allowed()),
        _ => return None,
    })
}

/// An answer in plain text.
fn plain(form: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
    response
}

fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}
