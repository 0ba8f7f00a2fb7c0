//! Where a node's API answers: over TLS, to whom it may, for itself and for other nodes.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use http::Response;
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use super::{
    api,
    boot::Boot,
    config::Config,
    estate::PORT,
    grpc::{self, Body, Call, Code, Messages, Status},
    node::Node,
    pki::{Authority, Clients, subject},
    roles, wrapping,
};
use crate::{
    certificates::Key,
    faults::{
        Asked, At,
        http::{Voice, through},
    },
    http::converse,
    network::Server,
    stream::Stream,
    tls::Validity,
};

/// How long its certificate lasts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The API of a node during one of its lives.
pub struct Apid {
    node: Arc<Node>,
    boot: Arc<Boot>,
    /// Without one everybody may talk to it, and may do little.
    config: Option<Config>,
    /// What it shows clients: made when the first one comes, and made anew when half of its time is over.
    shown: Mutex<Option<(TlsAcceptor, Timestamp)>>,
    faults: At,
}

/// Who calls, and from where.
#[derive(Debug, Clone)]
pub struct Caller {
    pub roles: Vec<String>,
    /// The node that is called has no configuration.
    pub maintains: bool,
}

impl Apid {
    /// # Errors
    /// If its configuration gives it no certificate.
    pub fn new(node: &Arc<Node>, boot: &Arc<Boot>, faults: At) -> Result<Self, String> {
        let config = node.state().config.clone();
        if let Some(config) = &config {
            vouching(node, config)?;
        }
        Ok(Self { node: node.clone(), boot: boot.clone(), config, shown: Mutex::default(), faults })
    }

    fn tls(&self) -> Result<TlsAcceptor, String> {
        if self.faults.of_certificate() {
            return Ok(Arc::new(self.issue(Validity::Over)?).into());
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.node.calendar.now();
        let good = shown.as_ref().filter(|(_, since)| now.duration_since(*since) < DAY / 2);
        if let Some((tls, _)) = good {
            return Ok(tls.clone());
        }
        let tls = TlsAcceptor::from(Arc::new(self.issue(Validity::Usual)?));
        *shown = Some((tls.clone(), now));
        Ok(tls)
    }

    fn issue(&self, validity: Validity) -> Result<ServerConfig, String> {
        let (node, calendar) = (&self.node, self.node.calendar);
        let (hostname, address) = (node.hostname(), node.state().address);
        let mut names = vec![hostname, address.to_string(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let (authority, clients) = match &self.config {
            None => {
                names.insert(0, "maintenance-service.talos.dev".to_owned());
                (Authority::begin("talos", node.bytes(node.life() * 2), calendar.now()), Clients::Anybody)
            }
            Some(config) => {
                names.extend(config.names());
                names.extend(config.shared_addresses());
                (Authority::read(&vouching(node, config)?)?, Clients::Known)
            }
        };
        let key = Key::ed25519(node.bytes(node.life() * 2 + 1));
        Ok(authority.server(&names, &key, calendar, (clients, validity)))
    }

    fn maintains(&self) -> bool {
        self.config.is_none()
    }

    /// Answers, unless something goes wrong.
    async fn troubled(
        &self,
        request: http::Request<Incoming>,
        caller: Caller,
    ) -> std::io::Result<Response<crate::faults::http::Fragile>> {
        let path = request.uri().path().to_owned();
        let method = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        let verb = match method.as_str() {
            // What goes on for as long as somebody listens.
            "events" | "watch" => "watch",
            _ => "post",
        };
        let trouble = self.faults.of_request(&Asked { verb, path: &path, ..Asked::default() });
        let answer = async {
            let answered = match Call::read(request).await {
                Ok(call) => self.route(call, caller).await,
                Err(status) => Err(status),
            };
            grpc::response(answered)
        };
        through(trouble, answer, &Troubled).await
    }

    /// Answers for this node, or has others answer.
    async fn route(&self, call: Call, caller: Caller) -> Result<Messages, Status> {
        let (one, many) = (call.values("node"), call.values("nodes"));
        if self.maintains() || call.metadata.contains_key("proxyfrom") {
            return answer(&self.node, &self.boot, &call, &caller).await;
        }
        if !many.is_empty() {
            if let Some(why) = self.refuses_many(&call) {
                return Err(Status::new(Code::InvalidArgument, why));
            }
            return self.fan_out(call, many, caller).await;
        }
        match one.as_slice() {
            [] => answer(&self.node, &self.boot, &call, &caller).await,
            [target] => self.forward(target, &call, &caller).await,
            _ => Err(Status::new(Code::InvalidArgument, "node metadata must be single-valued")),
        }
    }

    fn refuses_many(&self, call: &Call) -> Option<String> {
        const TAKEN: [&str; 5] = [
            "machine.MachineService",
            "cluster.ClusterService",
            "inspect.InspectService",
            "storage.StorageService",
            "time.TimeService",
        ];
        let (service, _) = call.names();
        if self.node.minor() >= 13 {
            let known = TAKEN.contains(&service);
            return (!known).then(|| format!("one-2-many proxying is not supported for method {}", call.path));
        }
        service.starts_with("cosi.").then(|| "one-2-many proxying is not supported for COSI methods".to_owned())
    }

    /// What another node answers, or this one, by what it is called.
    async fn forward(&self, target: &str, call: &Call, caller: &Caller) -> Result<Messages, Status> {
        if target.is_empty() || (target.contains(':') && target.parse::<std::net::Ipv6Addr>().is_err()) {
            return Err(Status::new(Code::Internal, format!("invalid target {target:?}")));
        }
        let estate = self.node.estate();
        let found = estate.find(target);
        if found.as_ref().is_some_and(|node| node.number == self.node.number) {
            return answer(&self.node, &self.boot, call, caller).await;
        }
        let own = self.node.state().config.clone();
        if !own.as_ref().is_some_and(Config::is_control_plane) {
            return Err(Status::new(Code::PermissionDenied, "no request forwarding"));
        }
        let unavailable = |why: &str| Status::new(Code::Unavailable, format!("connection error: desc = \"{why}\""));
        if estate.network.look_up(target).is_err() {
            let why = format!("transport: Error while dialing: dial tcp: lookup {target}: no such host");
            return Err(unavailable(&why));
        }
        let Some(node) = found.filter(|node| !node.state().boot.gate.is_closed()) else {
            let why = format!("transport: Error while dialing: dial tcp {target}:{PORT}: connect: no route to host");
            return Err(unavailable(&why));
        };
        let (boot, other) = {
            let state = node.state();
            (state.boot.clone(), state.config.clone())
        };
        if !estate.is_open(&node) {
            let why = format!("transport: Error while dialing: dial tcp {target}:{PORT}: connect: connection refused");
            return Err(unavailable(&why));
        }
        let authority = |config: &Option<Config>| config.as_ref()?.system_authority().map(|pair| pair.certificate);
        if authority(&own) != authority(&other) {
            return Err(unavailable(
                "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by \
                 unknown authority",
            ));
        }
        answer(&node, &boot, call, caller).await
    }

    /// What many nodes answer, each with its name on it.
    async fn fan_out(&self, call: Call, targets: Vec<String>, caller: Caller) -> Result<Messages, Status> {
        let streams = wrapping::is_streamed(&call.path);
        let asked = targets.into_iter().map(|target| {
            let (call, caller) = (call.clone(), caller.clone());
            async move {
                let answered = self.forward(&target, &call, &caller).await;
                wrapping::wrapped(answered, target, streams)
            }
            .boxed()
        });
        let answers: Vec<Messages> = futures::future::join_all(asked).await;
        if streams {
            return Ok(stream::select_all(answers).boxed());
        }
        let mut whole = Vec::new();
        for mut answer in answers {
            while let Some(Ok(message)) = answer.next().await {
                whole.extend_from_slice(&message);
            }
        }
        let whole = Bytes::from(whole);
        Ok(stream::once(async move { Ok(whole) }).boxed())
    }
}

/// Who vouches for a node: workers ask a node of the control plane, which signs with its key.
fn vouching(node: &Node, config: &Config) -> Result<super::config::Pair, String> {
    let own = config.system_authority().ok_or("machine.ca is missing")?;
    if !own.key.is_empty() {
        return Ok(own);
    }
    let estate = node.estate();
    let others = estate.nodes.iter().filter(|other| other.number != node.number);
    let mut pairs = others.filter_map(|other| other.state().config.as_ref().and_then(Config::system_authority));
    let signing = pairs.find(|pair| pair.certificate == own.certificate && !pair.key.is_empty());
    signing.ok_or_else(|| "no node of the control plane answers".to_owned())
}

/// What the node itself answers, until its life ends.
pub async fn answer(node: &Arc<Node>, boot: &Arc<Boot>, call: &Call, caller: &Caller) -> Result<Messages, Status> {
    let broken = || Status::new(Code::Unavailable, "error reading from server: EOF");
    let answered = boot.gate.while_open(api::answer(node, boot, call, caller)).await;
    let messages = answered.ok_or_else(broken)??;
    let boot = boot.clone();
    let open = stream::unfold(Some((messages, boot)), move |open| async move {
        let (mut messages, boot) = open?;
        match boot.gate.while_open(messages.next()).await {
            Some(message) => Some((message?, Some((messages, boot)))),
            None => Some((Err(broken()), None)),
        }
    });
    Ok(open.boxed())
}

impl Server for Apid {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // A client that isn't trusted, or doesn't trust us, goes away and knows best why.
            let tls = match self.tls() {
                Ok(tls) => tls,
                Err(why) => return self.boot.note(&format!("apid has no certificate: {why}")),
            };
            let Ok(stream) = tls.accept(stream).await else { return };
            let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let roles = match (self.maintains(), shown) {
                (true, _) => vec![roles::READER.to_owned()],
                (false, Some(certificate)) => subject(certificate).1,
                (false, None) => Vec::new(),
            };
            let caller = Caller { roles, maintains: self.maintains() };
            let boot = self.boot.clone();
            let serving = converse(stream, move |request| {
                let (apid, caller) = (self.clone(), caller.clone());
                async move { apid.troubled(request, caller).await }
            });
            boot.gate.while_open(serving).await;
        })
    }
}

/// How a node says that something goes wrong with it.
struct Troubled;

impl Voice<Body> for Troubled {
    fn refuse(&self, status: u16, message: Option<&str>) -> Response<Body> {
        let (code, words) = match status {
            401 | 403 => (Code::PermissionDenied, "not authorized"),
            404 => (Code::NotFound, "not found"),
            409 => (Code::AlreadyExists, "already exists"),
            408 | 504 => (Code::DeadlineExceeded, "context deadline exceeded"),
            500 => (Code::Unknown, "unexpected error"),
            _ => (Code::Unavailable, "error reading from server: EOF"),
        };
        grpc::response(Err(Status::new(code, message.unwrap_or(words))))
    }

    fn last(&self, _: u16) -> Bytes {
        // Streams of a node end without a word.
        Bytes::new()
    }
}
