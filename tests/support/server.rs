//! A small HTTP server on loopback that answers as a test says, and misbehaves on demand.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cozyscript::host::dial::Stream;
use futures::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use super::certificates::Authority;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// How many requests came before it.
    pub before: usize,
}

/// The server's side of a WebSocket.
pub type Socket = WebSocketStream<Box<dyn Stream>>;

type Talk = Arc<dyn Fn(Socket) -> BoxFuture<'static, ()> + Send + Sync>;

/// What the server does with a request.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    after: Duration,
    ending: Ending,
    talk: Option<Talk>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    HalfOfTheBody,
    Reset,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            after: Duration::ZERO,
            ending: Ending::Whole,
            talk: None,
        }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn after(mut self, pause: Duration) -> Self {
        self.after = pause;
        self
    }

    /// The connection ends in the middle of the body.
    pub fn cut_off(mut self) -> Self {
        self.ending = Ending::HalfOfTheBody;
        self
    }

    /// The connection becomes a WebSocket, on which the server talks so.
    pub fn talking<F>(protocol: &str, talk: impl Fn(Socket) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut reply = Self::new(101, "").header("upgrade", "websocket").header("sec-websocket-protocol", protocol);
        reply.talk = Some(Arc::new(move |socket| Box::pin(talk(socket))));
        reply
    }

    /// The connection is reset without a word.
    pub fn reset() -> Self {
        Self { ending: Ending::Reset, ..Self::new(200, "") }
    }
}

type Answer = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// The server; it ends when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, answer)
    }

    /// With TLS, as `localhost`; gives the certificate of the authority that vouches for it.
    pub fn start_with_tls(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (Self, String) {
        let authority = Authority::new();
        (Self::start_secured(authority.server(&["localhost"], |_| {}), answer), authority.pem())
    }

    /// With TLS of these settings; it speaks HTTP/2 with those who agree on that.
    pub fn start_secured(
        settings: rustls::ServerConfig,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve(Some(TlsAcceptor::from(Arc::new(settings))), answer)
    }

    fn serve(tls: Option<TlsAcceptor>, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener = super::runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (answer, requests): (Answer, _) = (Arc::new(answer), seen.clone());
        let task = super::runtime().spawn(async move {
            let count = Arc::new(AtomicUsize::new(0));
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, requests, count, tls) = (answer.clone(), requests.clone(), count.clone(), tls.clone());
                tokio::spawn(async move {
                    // A client that goes away early is not this server's problem.
                    let _ = match tls {
                        None => serve_one(stream, &answer, &requests, &count, reset).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                                serve_http2(stream, &answer, &requests, &count).await
                            }
                            Ok(stream) => serve_one(stream, &answer, &requests, &count, drop).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self { address, scheme, seen, task }
    }

    pub fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

async fn serve_one<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    mut stream: S,
    answer: &Answer,
    requests: &Mutex<Vec<Seen>>,
    count: &AtomicUsize,
    reset: fn(S),
) -> io::Result<()> {
    let seen = read(&mut stream, count).await?;
    requests.lock().unwrap().push(seen.clone());
    let reply = answer(&seen);
    tokio::time::sleep(reply.after).await;
    if reply.ending == Ending::Reset {
        reset(stream);
        return Ok(());
    }
    if let Some(talk) = reply.talk {
        let key = seen.headers.get("sec-websocket-key").map(|key| derive_accept_key(key.as_bytes()));
        let mut head = String::from("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n");
        head.push_str(&format!("sec-websocket-accept: {}\r\n", key.unwrap_or_default()));
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;
        let stream: Box<dyn Stream> = Box::new(stream);
        talk(WebSocketStream::from_raw_socket(stream, Role::Server, None).await).await;
        return Ok(());
    }
    let mut head = format!("HTTP/1.1 {} Whatever\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let sent = if reply.ending == Ending::HalfOfTheBody { reply.body.len() / 2 } else { reply.body.len() };
    stream.write_all(&reply.body[..sent]).await?;
    stream.shutdown().await
}

async fn serve_http2<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    answer: &Answer,
    requests: &Mutex<Vec<Seen>>,
    count: &AtomicUsize,
) -> io::Result<()> {
    let mut connection = h2::server::handshake(stream).await.map_err(io::Error::other)?;
    while let Some(accepted) = connection.accept().await {
        let (request, mut respond) = accepted.map_err(io::Error::other)?;
        let headers = request.headers().iter();
        let seen = Seen {
            method: request.method().to_string(),
            path: request.uri().to_string(),
            headers: headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect(),
            body: String::new(),
            before: count.fetch_add(1, Ordering::Relaxed),
        };
        requests.lock().unwrap().push(seen.clone());
        let reply = answer(&seen);
        let mut response = http::Response::builder().status(reply.status);
        for (name, value) in &reply.headers {
            response = response.header(name, value);
        }
        let mut body = respond.send_response(response.body(()).unwrap(), false).map_err(io::Error::other)?;
        body.send_data(reply.body.into(), true).map_err(io::Error::other)?;
    }
    Ok(())
}

async fn read(stream: &mut (impl AsyncRead + Unpin), count: &AtomicUsize) -> io::Result<Seen> {
    let mut bytes: Vec<u8> = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        // What is no request, such as the hello of TLS, is answered without waiting for its end.
        if bytes.first().is_some_and(|first| !first.is_ascii_uppercase()) {
            break bytes.len();
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut request = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(bytes.len().min(end + 4));
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Seen {
        method: request.next().unwrap_or_default(),
        path: request.next().unwrap_or_default(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        before: count.fetch_add(1, Ordering::Relaxed),
    })
}
