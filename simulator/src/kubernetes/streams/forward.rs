//! Ports of pods, forwarded: each connection leads to what the world says is behind the port.

use std::{collections::BTreeMap, num::IntErrorKind, sync::Arc};

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::Response;
use hyper::upgrade::OnUpgrade;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream},
    sync::mpsc,
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    Asked, Unmodelled,
    channels::{Socket, close, message},
    container::Container,
    machine,
    spdy::{Event, Session, Speaker},
    upgrade::{self, Offer, Spoken},
};
use crate::{
    kubernetes::{
        answer::Refusal, behaviour::Listener, cluster::Cluster, controllers::fields::Fields as _, server::Body,
    },
    network::Server as _,
    port::Port,
    stream::Stream,
};

/// SPDY within the messages of a WebSocket.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

const OFFER: Offer = Offer {
    web_socket: &[TUNNEL, "v4.channel.k8s.io"],
    unmodelled: &["v4.base64.channel.k8s.io"],
    spdy: &["portforward.k8s.io"],
    refusals: 1,
};

/// How many bytes are on their way at most, and how many are taken at once.
const BUFFER: usize = 64 << 10;
const PIECE: usize = 32 << 10;
/// How many pieces may wait to be taken by whoever is behind a port.
const QUEUE: usize = 64;

pub fn answer(asked: &Asked<'_>, on: Option<OnUpgrade>) -> Result<Response<Body>, Refusal> {
    let ports = ports(asked)?;
    let container = asked.placed_pod()?;
    let upgrade = match upgrade::negotiate(&OFFER, &asked.request.headers, on)? {
        Ok(upgrade) => upgrade,
        Err(refused) => return Ok(refused),
    };
    if let Err(unreachable) = machine::reach(asked.cluster, &container)? {
        return Err(Refusal::failed(format!("error dialing backend: {}", unreachable.why())));
    }
    let numbered = !matches!(upgrade.spoken, Spoken::Spdy(_) | Spoken::WebSocket(TUNNEL));
    if numbered && ports.is_empty() {
        return Ok(upgrade::refused(400, "query parameter \"port\" is required"));
    }
    if container["status"]["phase"] != "Running" {
        return Ok(upgrade::refused(500, &format!("pod not found (\"{}_{}\")", asked.pod, asked.namespace)));
    }
    let pod = Pod { cluster: asked.cluster.clone(), pod: container, unmodelled: asked.unmodelled.clone() };
    let spoken = upgrade.spoken;
    Ok(upgrade.accept(move |connection| async move {
        match spoken {
            Spoken::Spdy(_) => pod.forward_streams(connection).await,
            Spoken::WebSocket(TUNNEL) => pod.forward_streams(tunnel(upgrade::socket(connection).await)).await,
            Spoken::WebSocket(_) => pod.forward_numbered(upgrade::socket(connection).await, &ports).await,
        }
    }))
}

fn ports(asked: &Asked<'_>) -> Result<Vec<u16>, Refusal> {
    let given = asked.request.parameters("ports").unwrap_or_default();
    let each = given.iter().flat_map(|ports| ports.split(','));
    each.map(|text| {
        let why = match text.parse::<u16>() {
            Ok(port) if !text.starts_with('+') => return Ok(port),
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => "value out of range",
            _ => "invalid syntax",
        };
        Err(Refusal::bad_request(format!("cannot convert to []int32: strconv.ParseUint: parsing \"{text}\": {why}")))
    })
    .collect()
}

/// A pod whose ports are reached.
#[derive(Clone)]
pub struct Pod {
    pub cluster: Arc<Cluster>,
    pub pod: Arc<Value>,
    pub unmodelled: Unmodelled,
}

/// Why nobody answers at a port.
pub enum Silence {
    /// The world doesn't say what is there.
    Unmodelled(Refusal),
    Refused(String),
}

impl Pod {
    /// Connects to a port for who forwards it; why not, if nobody answers there.
    async fn connect(&self, port: u16) -> Result<Box<dyn Stream>, String> {
        self.reach(port).await.map_err(|silence| match silence {
            Silence::Unmodelled(refusal) => {
                (self.unmodelled)(&refusal.message);
                refusal.message
            }
            Silence::Refused(why) => self.refused(port, &why),
        })
    }

    /// Connects to a port.
    ///
    /// # Errors
    /// If nobody answers there.
    pub async fn reach(&self, port: u16) -> Result<Box<dyn Stream>, Silence> {
        let names = self.pod.list("/spec/containers").iter().map(|spec| spec.text("/name").to_owned());
        let mut behaviours = names.map(|name| Container { pod: self.pod.clone(), name }.behaviour(&self.cluster));
        let Some(listener) = behaviours.find_map(|mut behaviour| behaviour.ports.remove(&port)) else {
            let place = format!("port {port} of pod `{}` in `{}`", self.pod.name(), self.pod.namespace());
            return Err(Silence::Unmodelled(Refusal::not_modelled(place)));
        };
        match listener {
            Listener::Says(says) => {
                let (ours, theirs) = tokio::io::duplex(BUFFER);
                tokio::spawn(Arc::new(Port { says }).serve(Box::new(theirs)));
                Ok(Box::new(ours))
            }
            Listener::Echoes => {
                let (ours, theirs) = tokio::io::duplex(BUFFER);
                let (mut hears, mut says) = tokio::io::split(theirs);
                tokio::spawn(async move { tokio::io::copy(&mut hears, &mut says).await });
                Ok(Box::new(ours))
            }
            Listener::LeadsTo(address) => {
                let refused = Silence::Refused;
                let place = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
                let (host, there) = place.ok_or_else(|| refused(format!("`{address}` is no address of a server")))?;
                let network = self.cluster.network().ok_or_else(|| refused("the world has no network".to_owned()))?;
                network.dial(host, there).await.map_err(|error| refused(error.to_string()))
            }
            Listener::Nobody => Err(Silence::Refused("connect: connection refused".to_owned())),
        }
    }

    /// As a container runtime says it.
    fn refused(&self, port: u16, why: &str) -> String {
        let uid = self.pod.uid();
        let space = format!("/var/run/netns/cni-{uid}");
        format!(
            "error forwarding port {port} to pod {uid}, uid : failed to execute portforward in network namespace \
             \"{space}\": failed to connect to localhost:{port} inside namespace \"{uid}\", IPv4: dial tcp4 \
             127.0.0.1:{port}: {why} IPv6 dial tcp6 [::1]:{port}: {why} "
        )
    }

    /// Two streams of SPDY for each connection, which belong together by a number of the client's.
    async fn forward_streams<S: AsyncRead + AsyncWrite + Send + 'static>(&self, connection: S) {
        let mut session = Session::begin(connection);
        let mut errors: BTreeMap<String, u32> = BTreeMap::new();
        let mut inputs: BTreeMap<u32, mpsc::Sender<Bytes>> = BTreeMap::new();
        while let Some(event) = session.next().await {
            match event {
                Event::Opened { stream, headers, .. } => {
                    session.take(stream).await;
                    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
                    if header("streamtype") == "error" {
                        errors.insert(header("requestid"), stream);
                        continue;
                    }
                    let (Some(error), Ok(port)) = (errors.remove(&header("requestid")), header("port").parse()) else {
                        session.speaker().end(stream).await;
                        continue;
                    };
                    let mouth = Mouth::Streams { speaker: session.speaker(), data: stream, error };
                    inputs.insert(stream, self.carry(port, mouth));
                }
                Event::Said { stream, piece } => {
                    if let Some(input) = inputs.get(&stream) {
                        // Whoever is behind the port may have gone.
                        drop(input.send(piece).await);
                    }
                }
                Event::Ended { stream } => drop(inputs.remove(&stream)),
            }
        }
    }

    /// One connection for each of the ports, on two numbered channels: what is said, and what goes wrong.
    async fn forward_numbered(&self, mut socket: Socket, ports: &[u16]) {
        let (mouth, mut messages) = mpsc::channel(QUEUE);
        let mut inputs = Vec::new();
        for (index, port) in ports.iter().enumerate() {
            let Ok(number) = u8::try_from(index * 2) else { break };
            for channel in [number, number + 1] {
                drop(socket.send(message(channel, &port.to_le_bytes())).await);
            }
            inputs.push(self.carry(*port, Mouth::Numbered { messages: mouth.clone(), number }));
        }
        drop(mouth);
        loop {
            let heard = tokio::select! {
                biased;
                said = messages.recv() => match said {
                    Some(said) => {
                        drop(socket.send(said).await);
                        continue;
                    }
                    // All connections are over.
                    None => break,
                },
                heard = socket.next() => heard,
            };
            match heard {
                Some(Ok(Message::Binary(mut bytes))) if !bytes.is_empty() => {
                    let number = bytes.split_to(1)[0];
                    if let Some(input) = inputs.get(usize::from(number / 2)).filter(|_| number % 2 == 0) {
                        drop(input.send(bytes).await);
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            }
        }
        close(socket).await;
    }

    /// Carries what is said between a client and a port, in both directions. Answers where the client's words go.
    fn carry(&self, port: u16, mouth: Mouth) -> mpsc::Sender<Bytes> {
        let (input, mut words) = mpsc::channel::<Bytes>(QUEUE);
        let pod = self.clone();
        tokio::spawn(async move {
            match pod.connect(port).await {
                Err(why) => mouth.complain(&why).await,
                Ok(stream) => {
                    let (mut reader, mut writer) = tokio::io::split(stream);
                    let inward = async {
                        while let Some(piece) = words.recv().await {
                            if writer.write_all(&piece).await.is_err() {
                                break;
                            }
                        }
                        // They may have gone before.
                        drop(writer.shutdown().await);
                        std::future::pending::<()>().await;
                    };
                    let outward = async {
                        let mut buffer = vec![0; PIECE];
                        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
                            mouth.say(&buffer[..length]).await;
                        }
                    };
                    tokio::select! {
                        biased;
                        () = outward => {}
                        () = inward => {}
                    }
                }
            }
            mouth.end().await;
        });
        input
    }
}

/// Where the words from behind a port go.
enum Mouth {
    Streams { speaker: Speaker, data: u32, error: u32 },
    Numbered { messages: mpsc::Sender<Message>, number: u8 },
}

impl Mouth {
    async fn say(&self, piece: &[u8]) {
        match self {
            Self::Streams { speaker, data, .. } => speaker.say(*data, piece).await,
            Self::Numbered { messages, number } => drop(messages.send(message(*number, piece)).await),
        }
    }

    async fn complain(&self, why: &str) {
        match self {
            Self::Streams { speaker, error, .. } => speaker.say(*error, why.as_bytes()).await,
            Self::Numbered { messages, number } => drop(messages.send(message(number + 1, why.as_bytes())).await),
        }
    }

    async fn end(&self) {
        if let Self::Streams { speaker, data, error } = self {
            speaker.end(*data).await;
            speaker.end(*error).await;
        }
    }
}

/// The bytes within the messages of a WebSocket, as a connection of its own.
fn tunnel(socket: Socket) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    tokio::spawn(async move {
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let (mut says, mut hears) = socket.split();
        let outward = async {
            let mut buffer = vec![0; PIECE];
            while let Ok(length @ 1..) = reader.read(&mut buffer).await {
                let piece = Bytes::copy_from_slice(&buffer[..length]);
                if says.send(Message::Binary(piece)).await.is_err() {
                    break;
                }
            }
        };
        let inward = async {
            while let Some(Ok(said)) = hears.next().await {
                match said {
                    Message::Binary(bytes) if writer.write_all(&bytes).await.is_err() => break,
                    Message::Close(_) => break,
                    _ => {}
                }
            }
        };
        // Neither direction waits for the other: who answers may do so while it is still spoken to.
        tokio::select! {
            biased;
            () = outward => {}
            () = inward => {}
        }
        if let Ok(socket) = says.reunite(hears) {
            close(socket).await;
        }
    });
    ours
}
