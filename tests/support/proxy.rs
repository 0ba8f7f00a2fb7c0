//! A proxy on loopback: HTTP, with TLS or without, or SOCKS5; with a login or without.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cozyscript::host::dial::Stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Http,
    /// Its name is `localhost`.
    Https,
    Socks,
}

type Login = Option<(&'static str, &'static str)>;

/// Leads to whatever it is asked for while this lives.
pub struct ProxyServer {
    pub address: SocketAddr,
    kind: Kind,
    led_to: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ProxyServer {
    pub fn start(kind: Kind, login: Login) -> Self {
        Self::start_with(kind, login, None)
    }

    /// With TLS to the proxy itself.
    pub fn start_secured(settings: ServerConfig, login: Login) -> Self {
        Self::start_with(Kind::Https, login, Some(TlsAcceptor::from(Arc::new(settings))))
    }

    fn start_with(kind: Kind, login: Login, tls: Option<TlsAcceptor>) -> Self {
        let listener = super::runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let led_to = Arc::new(Mutex::new(Vec::new()));
        let targets = led_to.clone();
        let task = super::runtime().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (targets, tls) = (targets.clone(), tls.clone());
                tokio::spawn(async move {
                    let stream: Box<dyn Stream> = match tls {
                        None => Box::new(stream),
                        Some(tls) => match tls.accept(stream).await {
                            Ok(secured) => Box::new(secured),
                            Err(_) => return,
                        },
                    };
                    // Whoever goes away early is not this proxy's problem.
                    let _ = match kind {
                        Kind::Http | Kind::Https => lead_by_http(stream, login, &targets).await,
                        Kind::Socks => lead_by_socks(stream, login, &targets).await,
                    };
                });
            }
        });
        Self { address, kind, led_to, task }
    }

    /// Its URL, with `login@` or without.
    pub fn url(&self, login: &str) -> String {
        match self.kind {
            Kind::Http => format!("http://{login}{}", self.address),
            Kind::Https => format!("https://{login}localhost:{}", self.address.port()),
            Kind::Socks => format!("socks5://{login}{}", self.address),
        }
    }

    /// The servers that it led to so far.
    pub fn led_to(&self) -> Vec<String> {
        self.led_to.lock().unwrap().clone()
    }
}

async fn lead_by_http(
    mut client: Box<dyn Stream>,
    login: Option<(&str, &str)>,
    led_to: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let wanted = login.map(|(user, password)| format!("basic {}", STANDARD.encode(format!("{user}:{password}"))));
    let authorized = wanted
        .is_none_or(|wanted| head.to_lowercase().contains(&format!("proxy-authorization: {}", wanted.to_lowercase())));
    if !authorized {
        return client.write_all(b"HTTP/1.1 407 Login\r\ncontent-length: 0\r\n\r\n").await;
    }
    let (authority, path) = match target.strip_prefix("http://").and_then(|rest| rest.split_once('/')) {
        Some((authority, path)) => (authority.to_owned(), format!("/{path}")),
        None => (target.to_owned(), String::new()),
    };
    let Ok(mut server) = TcpStream::connect(&authority).await else {
        return client.write_all(b"HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n").await;
    };
    led_to.lock().unwrap().push(authority);
    if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Fine\r\n\r\n").await?;
    } else {
        server.write_all(head.replacen(target, &path, 1).as_bytes()).await?;
    }
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

async fn lead_by_socks(
    mut client: Box<dyn Stream>,
    login: Option<(&str, &str)>,
    led_to: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let (_, count) = (client.read_u8().await?, client.read_u8().await?);
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods).await?;
    let method = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return client.write_all(&[5, 0xff]).await;
    }
    client.write_all(&[5, method]).await?;
    if let Some((user, password)) = login {
        client.read_u8().await?;
        let given = (text(&mut client).await?, text(&mut client).await?);
        let accepted = given == (user.to_owned(), password.to_owned());
        client.write_all(&[1, u8::from(!accepted)]).await?;
        if !accepted {
            return Ok(());
        }
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(client.read_u128().await?)),
        _ => text(&mut client).await?,
    };
    let authority = format!("{host}:{}", client.read_u16().await?);
    let Ok(mut server) = TcpStream::connect(&authority).await else {
        return client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await;
    };
    led_to.lock().unwrap().push(authority);
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// A text with its length before it.
async fn text(client: &mut Box<dyn Stream>) -> io::Result<String> {
    let mut text = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
