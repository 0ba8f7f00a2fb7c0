//! Ports of pods, forwarded: each connection is a WebSocket of its own to a pod that is ready at that moment.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::{Sink, Stream as _, future::BoxFuture};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::{self, Message};

use super::{
    client::{Cluster, Query, Selection},
    object::{self, integer, items, name, text},
    pods::{is_ready, none_ready},
    websocket::{PIECE, PING, Socket, heard, message},
};
use crate::{
    host::{
        clock::Clock,
        dial::{Dial, Stream},
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

const PROTOCOL: &str = "v4.channel.k8s.io";

const DATA: u8 = 0;
const ERROR: u8 = 1;

/// A port of whatever stands behind a name: `pod/web-0`, `deployment/web`, `svc/web`.
#[derive(Clone)]
pub struct Forward {
    pub cluster: Cluster,
    pub namespace: String,
    pub target: String,
    /// A number, or a name that the service or the container has for it.
    pub port: String,
}

impl Forward {
    /// The pods that a connection can lead to, each with the number of the port; those come first that are ready.
    ///
    /// # Errors
    /// `not_found` if there is no such target or port, `unavailable` if none of its pods is ready.
    pub async fn ends(&self) -> Result<Vec<(String, u16)>, Fault> {
        let (kind, name) = self.target.rsplit_once('/').unwrap_or(("pod", &self.target));
        let resource = self.cluster.resolve(kind).await?;
        let target = self.cluster.read(&resource, &self.namespace, name).await?;
        let ends = match resource.is_core("services") {
            true => self.ends_of_service(&target).await?,
            false => {
                let pods = self.cluster.pods_of(&target).await?;
                let ready = pods.iter().filter(|pod| is_ready(pod));
                ready.map(|pod| Ok((object::name(pod).to_owned(), self.port_of(pod)?))).collect::<Result<_, Fault>>()?
            }
        };
        match ends.is_empty() {
            true => Err(none_ready(&self.namespace, &self.target)),
            false => Ok(ends),
        }
    }

    fn shown_target(&self) -> String {
        format!("`{}` in `{}`", self.target, self.namespace)
    }

    fn no_port(&self, there: &[String]) -> Fault {
        let fault = Fault::new(Kind::NotFound, format!("{} has no port `{}`", self.shown_target(), self.port));
        match there.is_empty() {
            true => fault,
            false => fault.hint(format!("its ports are {}", there.join(", "))),
        }
    }

    /// The number of the port in a pod: containers listen on more than they tell, so any number will do.
    fn port_of(&self, pod: &Tree) -> Result<u16, Fault> {
        if let Some(port) = number(&self.port) {
            return Ok(port);
        }
        let ports: Vec<&Tree> =
            items(pod, &["spec", "containers"]).iter().flat_map(|container| items(container, &["ports"])).collect();
        let named = ports.iter().find(|port| text(port, &["name"]) == Some(&self.port));
        named
            .and_then(|port| u16::try_from(integer(port, &["containerPort"])?).ok())
            .ok_or_else(|| self.no_port(&shown_ports(&ports, "containerPort")))
    }

    async fn ends_of_service(&self, service: &Tree) -> Result<Vec<(String, u16)>, Fault> {
        let ports: Vec<&Tree> = items(service, &["spec", "ports"]).iter().collect();
        let wanted = ports.iter().find(|port| match number(&self.port) {
            Some(wanted) => integer(port, &["port"]) == Some(i64::from(wanted)),
            None => text(port, &["name"]) == Some(&self.port),
        });
        let wanted = wanted.ok_or_else(|| self.no_port(&shown_ports(&ports, "port")))?;
        let port_name = text(wanted, &["name"]).unwrap_or_default();
        let slices = self.cluster.resolve("endpointslices.discovery.k8s.io").await?;
        let selection = Selection {
            namespace: Some(self.namespace.clone()),
            labels: Some(format!("kubernetes.io/service-name={}", name(service))),
            ..Selection::default()
        };
        let mut ends = Vec::new();
        for slice in &self.cluster.list(&slices, &selection).await?.objects {
            // A slice has the number that the name of a target port stands for in its pods.
            let port = items(slice, &["ports"])
                .iter()
                .find(|port| text(port, &["name"]).unwrap_or_default() == port_name)
                .and_then(|port| u16::try_from(integer(port, &["port"])?).ok());
            let Some(port) = port else { continue };
            for endpoint in items(slice, &["endpoints"]) {
                let pod = text(endpoint, &["targetRef", "name"])
                    .filter(|_| text(endpoint, &["targetRef", "kind"]) == Some("Pod"));
                if let (Some(pod), true) = (pod, object::flag(endpoint, &["conditions", "ready"])) {
                    ends.push((pod.to_owned(), port));
                }
            }
        }
        ends.sort();
        ends.dedup();
        Ok(ends)
    }

    async fn connect(&self) -> Result<Forwarded, Fault> {
        let mut gone = None;
        for (pod, port) in self.ends().await? {
            match self.open(&pod, port).await {
                // It went after it was listed.
                Err(fault) if fault.kind == Kind::NotFound => gone = Some(fault),
                opened => return opened,
            }
        }
        Err(gone.expect("there is at least one end"))
    }

    async fn open(&self, pod: &str, port: u16) -> Result<Forwarded, Fault> {
        let pods = self.cluster.resolve("pods").await?;
        let mut subject = self.cluster.subject("create", &pods, Some(&self.namespace), Some(pod));
        subject.resource.push_str("/portforward");
        let path = format!("{}/portforward", pods.path(Some(&self.namespace), Some(pod)));
        let query = Query::get(path, subject).accepting("*/*").with("ports", port.to_string());
        let (socket, _) = self.cluster.socket(query, &[PROTOCOL]).await?;
        let clock = self.cluster.host().clock.clone();
        let shown = format!("port {port} of pod `{pod}` in `{}`", self.namespace);
        let ping = clock.sleep(PING);
        Ok(Forwarded { socket, clock, ping, channels: Channels::default(), rest: Bytes::new(), shown })
    }
}

impl Dial for Forward {
    fn dial(&self, _host: &str, _port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let forward = self.clone();
        Box::pin(async move {
            forward.connect().await.map(|stream| Box::new(stream) as Box<dyn Stream>).map_err(io::Error::other)
        })
    }
}

fn number(port: &str) -> Option<u16> {
    port.parse().ok().filter(|port| *port > 0)
}

fn shown_ports(ports: &[&Tree], field: &str) -> Vec<String> {
    let shown = |port: &&Tree| {
        let number = integer(port, &[field]).unwrap_or_default();
        text(port, &["name"]).map_or_else(|| number.to_string(), |name| format!("{number} ({name})"))
    };
    ports.iter().map(shown).collect()
}

/// The two channels of a forwarded port. The first message on each is the number of the port.
#[derive(Debug, Default)]
pub struct Channels {
    announced: [bool; 2],
}

impl Channels {
    /// What a message brings; nothing if it is about the connection itself.
    ///
    /// # Errors
    /// What the other side says against it.
    pub fn take(&mut self, channel: u8, piece: Bytes) -> Result<Bytes, String> {
        let Some(announced) = self.announced.get_mut(usize::from(channel)) else { return Ok(Bytes::new()) };
        if !std::mem::replace(announced, true) {
            return Ok(Bytes::new());
        }
        match channel {
            ERROR => Err(String::from_utf8_lossy(&piece).trim().to_owned()),
            _ => Ok(piece),
        }
    }
}

/// One connection to a forwarded port.
struct Forwarded {
    socket: Socket,
    clock: Arc<dyn Clock>,
    ping: BoxFuture<'static, ()>,
    channels: Channels,
    rest: Bytes,
    shown: String,
}

impl Forwarded {
    fn refused(&self, why: &str) -> io::Error {
        let fault = Fault::new(Kind::Unreachable, format!("no connection to {}", self.shown)).note(why.to_owned());
        io::Error::other(fault.hint("does anything listen there?"))
    }

    /// Keeps the connection from being taken for idle by what stands in between.
    fn poll_ping(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.ping.as_mut().poll(cx).is_ready() {
            self.ping = self.clock.sleep(PING);
            if Pin::new(&mut self.socket).poll_ready(cx).map_err(broken)?.is_ready() {
                Pin::new(&mut self.socket).start_send(Message::Ping(Bytes::new())).map_err(broken)?;
                // What can't be sent at once goes with what is sent next.
                let _: Poll<()> = Pin::new(&mut self.socket).poll_flush(cx).map_err(broken)?;
            }
        }
        Ok(())
    }
}

impl AsyncRead for Forwarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_ping(cx)?;
        while self.rest.is_empty() {
            let said = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                None | Some(Ok(Message::Close(_))) => return Poll::Ready(Ok(())),
                Some(message) => heard(message.map_err(broken)?).map_err(|why| self.refused(&why))?,
            };
            if let Some((channel, piece)) = said {
                self.rest = self.channels.take(channel, piece).map_err(|why| self.refused(&why))?;
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(broken)?;
        let piece = &bytes[..bytes.len().min(PIECE)];
        Pin::new(&mut self.socket).start_send(message(DATA, piece)).map_err(broken)?;
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map_err(broken)
    }
}

fn broken(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::other(other),
    }
}
