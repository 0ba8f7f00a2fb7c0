//! How nodes are reached: through endpoints in turn, each with a connection that is made when it is needed.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use http::HeaderValue;
use rustls::pki_types::CertificateDer;
use talos::{
    api::{
        cosi::resource::state_client::StateClient,
        machine::{
            image_service_client::ImageServiceClient, lifecycle_service_client::LifecycleServiceClient,
            machine_service_client::MachineServiceClient,
        },
        storage::storage_service_client::StorageServiceClient,
        time::time_service_client::TimeServiceClient,
    },
    talosconfig::PORT,
};
use tokio::sync::Mutex;
use tonic::{Response, Status};

use super::{
    channel::{Channel, Connection},
    fault::{Failed, unconnected},
};
use crate::{
    host::Host,
    script::fault::{Fault, Kind},
    wire::{authority::Authority, route::Route, tls::Tls},
};

/// How long an endpoint has for making a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an endpoint may be silent before the next one is asked.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one may be silent that tells of something as it happens: longer than anybody listens.
const EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// How many connections to an endpoint may break before the next one is asked.
const ATTEMPTS: usize = 3;

/// The largest message either side takes.
const LARGEST: usize = 32 << 20;

/// Endpoints, and who we are to them.
pub struct Reach {
    pub host: Host,
    pub endpoints: Vec<Authority>,
    tls: Tls,
    live: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    made: u64,
    by_endpoint: BTreeMap<String, Connection>,
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.by_endpoint.values().for_each(Connection::close);
    }
}

impl Reach {
    pub fn new(host: &Host, endpoints: Vec<Authority>, tls: Tls) -> Self {
        Self { host: host.clone(), endpoints, tls: tls.speaking(&["h2"]), live: Mutex::default() }
    }

    /// A connection to an endpoint, and whether it was made for this. Whoever comes while it is being made waits for it.
    async fn connection(&self, endpoint: &Authority) -> Result<(Connection, bool), Fault> {
        let mut live = self.live.lock().await;
        let name = endpoint.to_string();
        if let Some(connection) = live.by_endpoint.get(&name).filter(|connection| connection.is_up()) {
            return Ok((connection.clone(), false));
        }
        let connected = Route::of(&self.host, CONNECT).connect(endpoint, Some(&self.tls)).await;
        let stream = connected.map_err(|error| unconnected(&error))?.stream;
        live.made += 1;
        let made = Connection::begin(stream, &name, live.made).await.map_err(|broken| broken.fault())?;
        if let Some(old) = live.by_endpoint.insert(name, made.clone()) {
            old.close();
        }
        Ok((made, true))
    }

    /// Whoever needs this endpoint next makes another connection.
    async fn forget(&self, endpoint: &Authority, number: u64) {
        let mut live = self.live.lock().await;
        let name = endpoint.to_string();
        if live.by_endpoint.get(&name).is_some_and(|connection| connection.number == number) {
            live.by_endpoint.remove(&name).expect("it was just seen").close();
        }
    }

    /// The certificates that whoever listens there shows, its own first, without saying who asks.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn certificates(&self, endpoint: &Authority) -> Result<Vec<CertificateDer<'static>>, Fault> {
        let connected = Route::of(&self.host, CONNECT).connect(endpoint, Some(&self.tls)).await;
        Ok(connected.map_err(|error| unconnected(&error))?.certificates)
    }
}

/// One node, and how it is reached.
#[derive(Clone)]
pub struct Node {
    reach: Arc<Reach>,
    /// As it is named, in faults and to the endpoint.
    name: Arc<str>,
    /// Nothing for whom is spoken to without an endpoint in between.
    header: Option<HeaderValue>,
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Node {
    /// A node behind endpoints.
    ///
    /// # Errors
    /// `usage`, if nothing can be called that.
    pub fn behind(reach: &Arc<Reach>, name: &str) -> Result<Self, Fault> {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_address = bare.parse::<std::net::IpAddr>().is_ok();
        let header = HeaderValue::try_from(bare).ok().filter(|_| !bare.is_empty() && !bare.contains([',', ' ', '/']));
        match header {
            Some(header) if is_address || !bare.contains(':') => {
                Ok(Self { reach: reach.clone(), name: bare.into(), header: Some(header) })
            }
            _ => Err(Fault::new(Kind::Usage, format!("`{name}` names no node"))
                .hint("a node is one address or one name, without a port")),
        }
    }

    /// The only endpoint itself.
    pub fn at(reach: &Arc<Reach>) -> Self {
        let name = reach.endpoints.first().map(|endpoint| endpoint.host.as_str()).unwrap_or_default();
        Self { reach: reach.clone(), name: name.into(), header: None }
    }

    pub fn host(&self) -> &Host {
        &self.reach.host
    }

    /// The endpoints that lead to it: itself first, if it is one, so that it hangs on no other node.
    pub fn endpoints(&self) -> Vec<&Authority> {
        let (own, others): (Vec<_>, Vec<_>) =
            self.reach.endpoints.iter().partition(|endpoint| *endpoint.host == *self.name);
        own.into_iter().chain(others).collect()
    }

    /// Where it listens itself.
    pub fn address(&self) -> Authority {
        let own = self.reach.endpoints.iter().find(|endpoint| *endpoint.host == *self.name);
        own.cloned().unwrap_or_else(|| Authority::new(&self.name, PORT))
    }

    /// Asks what may be asked twice, of the first endpoint that gets through.
    ///
    /// # Errors
    /// What the node said, or why nobody got through to it.
    pub async fn ask<T, F>(&self, call: impl Fn(Channel) -> F + Send + Sync) -> Result<T, Fault>
    where
        T: Send,
        F: Future<Output = Result<Response<T>, Status>> + Send,
    {
        let kept = Kept::default();
        self.ask_in_turn(&|channel| kept.answer(call(channel)), PATIENCE).await?;
        Ok(kept.taken())
    }

    /// The same for what is answered as soon as there is something to tell, and not before.
    ///
    /// # Errors
    /// As for [`Node::ask`].
    pub async fn listen<T, F>(&self, call: impl Fn(Channel) -> F + Send + Sync) -> Result<T, Fault>
    where
        T: Send,
        F: Future<Output = Result<Response<T>, Status>> + Send,
    {
        let kept = Kept::default();
        self.ask_in_turn(&|channel| kept.answer(call(channel)), EVER).await?;
        Ok(kept.taken())
    }

    async fn ask_in_turn(&self, call: Asking<'_>, patience: Duration) -> Result<(), Fault> {
        let mut tried = Tried::default();
        for endpoint in self.endpoints() {
            let mut broken = 0;
            loop {
                let (connection, fresh) = match self.reach.connection(endpoint).await {
                    Ok(connection) => connection,
                    Err(fault) => {
                        tried.add(endpoint, fault);
                        break;
                    }
                };
                let answer = tokio::select! {
                    biased;
                    answer = call(connection.to(self.header.as_ref())) => answer.map_err(|status| Failed::of(&status)),
                    () = self.reach.host.clock.sleep(patience) => {
                        let fault = Fault::new(Kind::Timeout, "it does not answer");
                        Err(Failed::Beyond(fault))
                    }
                };
                match answer {
                    Ok(()) => return Ok(()),
                    Err(Failed::Answered(fault)) => {
                        let fault = with_version(fault, connection.to(self.header.as_ref())).await;
                        return Err(self.told(endpoint, fault));
                    }
                    Err(failed) => {
                        let silent = matches!(&failed, Failed::Beyond(fault) if fault.kind == Kind::Timeout);
                        broken += usize::from(matches!(failed, Failed::Broken(_)) && fresh);
                        let again = matches!(&failed, Failed::Broken(why) if !why.is_trust() && broken < ATTEMPTS);
                        if silent || matches!(failed, Failed::Broken(_)) {
                            self.reach.forget(endpoint, connection.number).await;
                        }
                        // It may have been closed while nobody used it. And whoever does not accept us says so and
                        // closes, which is lost on who was writing meanwhile.
                        if again {
                            continue;
                        }
                        tried.add(endpoint, failed.fault());
                        break;
                    }
                }
            }
        }
        Err(tried.fault(self))
    }

    /// Sends what must not be sent twice, by the first endpoint that takes it.
    ///
    /// # Errors
    /// What the node said, why nobody took it, or `in_doubt` if no answer came.
    pub async fn once<T, F>(&self, call: impl Fn(Channel) -> F + Send + Sync) -> Result<T, Fault>
    where
        T: Send,
        F: Future<Output = Result<Response<T>, Status>> + Send,
    {
        let kept = Kept::default();
        self.send_once(&|channel| kept.answer(call(channel))).await?;
        Ok(kept.taken())
    }

    async fn send_once(&self, call: Asking<'_>) -> Result<(), Fault> {
        let mut tried = Tried::default();
        for endpoint in self.endpoints() {
            let connection = match self.reach.connection(endpoint).await {
                Ok((connection, _)) => connection,
                Err(fault) => {
                    tried.add(endpoint, fault);
                    continue;
                }
            };
            match call(connection.to(self.header.as_ref())).await.map_err(|status| Failed::of(&status)) {
                Ok(()) => return Ok(()),
                Err(Failed::Answered(fault)) => {
                    let fault = with_version(fault, connection.to(self.header.as_ref())).await;
                    return Err(self.told(endpoint, fault));
                }
                Err(Failed::Beyond(fault)) => tried.add(endpoint, fault),
                Err(Failed::Broken(broken)) => {
                    self.reach.forget(endpoint, connection.number).await;
                    if broken.sent {
                        return Err(Fault::new(Kind::InDoubt, format!("nobody knows whether `{self}` did it"))
                            .note(format!("endpoint `{endpoint}`: {broken}")));
                    }
                    tried.add(endpoint, broken.fault());
                }
            }
        }
        Err(tried.fault(self))
    }

    /// What a node said, with its name, and by whom it came if not by itself.
    pub fn told(&self, endpoint: &Authority, fault: Fault) -> Fault {
        let by = if endpoint.host == *self.name { String::new() } else { format!(" (by the endpoint `{endpoint}`)") };
        Fault { message: format!("node `{self}`{by}: {}", fault.message), ..fault }
    }

    /// What the stream of a call ended with.
    pub fn broke(&self, status: &Status) -> Fault {
        let fault = Failed::of(status).fault();
        Fault { message: format!("node `{self}`: {}", fault.message), ..fault }
    }
}

/// A call whose answer is kept, so that whoever looks for a way to the node is the same for all calls, and built once.
type Asking<'c> = &'c (dyn Fn(Channel) -> BoxFuture<'c, Result<(), Status>> + Send + Sync);

/// What a call answered.
struct Kept<T>(std::sync::Mutex<Option<T>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(std::sync::Mutex::default())
    }
}

impl<T: Send> Kept<T> {
    fn answer<'c>(
        &'c self,
        call: impl Future<Output = Result<Response<T>, Status>> + Send + 'c,
    ) -> BoxFuture<'c, Result<(), Status>> {
        Box::pin(async move {
            let answer = call.await?.into_inner();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            Ok(())
        })
    }

    fn taken(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).expect("the call was answered")
    }
}

/// Which Talos it is that lacks a call.
async fn with_version(fault: Fault, channel: Channel) -> Fault {
    if fault.kind != Kind::Unsupported {
        return fault;
    }
    let version =
        machine(channel).version(()).await.ok().and_then(|answer| answer.into_inner().messages.pop()?.version);
    match version {
        Some(version) => fault.note(format!("it runs Talos {}", version.tag)),
        None => fault,
    }
}

/// What was said by endpoints that did not get through.
#[derive(Default)]
struct Tried(Vec<(String, Fault)>);

impl Tried {
    fn add(&mut self, endpoint: &Authority, fault: Fault) {
        self.0.push((endpoint.to_string(), fault));
    }

    fn fault(self, node: &Node) -> Fault {
        let mut tried = self.0.into_iter();
        let Some((endpoint, first)) = tried.next() else {
            return Fault::new(Kind::Usage, format!("there is no endpoint to reach `{node}` by"));
        };
        let (others, mut kind): (Vec<_>, _) = (tried.collect(), first.kind);
        // That one of them is not trusted says less than that another is not there at all.
        if others.iter().any(|(_, other)| other.kind != kind) {
            kind = Kind::Unreachable;
        }
        let fault = Fault {
            message: format!("no answer from node `{node}`: endpoint `{endpoint}`: {}", first.message),
            kind,
            ..first
        };
        fault.notes(others.into_iter().map(|(endpoint, other)| format!("endpoint `{endpoint}`: {}", other.message)))
    }
}

pub fn machine(channel: Channel) -> MachineServiceClient<Channel> {
    MachineServiceClient::new(channel).max_decoding_message_size(LARGEST).max_encoding_message_size(LARGEST)
}

/// Since 1.13.
pub fn images(channel: Channel) -> ImageServiceClient<Channel> {
    ImageServiceClient::new(channel)
}

/// Since 1.13.
pub fn lifecycle(channel: Channel) -> LifecycleServiceClient<Channel> {
    LifecycleServiceClient::new(channel)
}

pub fn state(channel: Channel) -> StateClient<Channel> {
    StateClient::new(channel).max_decoding_message_size(LARGEST)
}

pub fn storage(channel: Channel) -> StorageServiceClient<Channel> {
    StorageServiceClient::new(channel)
}

pub fn time(channel: Channel) -> TimeServiceClient<Channel> {
    TimeServiceClient::new(channel)
}

/// The only message of an answer that came from one node.
///
/// # Errors
/// `failed`, if there is none.
pub fn only<T>(messages: Vec<T>) -> Result<T, Fault> {
    messages.into_iter().next().ok_or_else(|| Fault::new(Kind::Failed, "the node answers with nothing"))
}
