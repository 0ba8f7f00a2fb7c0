//! Life in a world: visitors who speak to its servers.

use std::{io, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};
use simulator::{
    stream::Stream,
    time::Calendar,
    world::{Description, World, read},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub fn no_files(path: &Path) -> Result<Vec<(String, String)>, String> {
    Err(format!("there is no {}", path.display()))
}

pub fn described(text: &str) -> Description {
    read(text, &no_files).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Lives in a world: from its beginning on, in virtual time.
pub fn within<T>(text: &str, life: impl AsyncFnOnce(World) -> T) -> T {
    within_described(&described(text), life)
}

pub fn within_described<T>(description: &Description, life: impl AsyncFnOnce(World) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let calendar = Calendar::beginning(description.start());
        let world = World::begin(description, calendar, Duration::from_secs(60), description.seed()).await;
        life(world.unwrap_or_else(|why| panic!("{why}"))).await
    })
}

/// Sends a text and reads until the server ends it.
pub async fn send(world: &World, host: &str, port: u16, text: &str) -> String {
    let mut stream = world.network.dial(host, port).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    drop(stream.read_to_end(&mut said).await);
    String::from_utf8(said).unwrap()
}

/// What the site `http://www.example.test` answers.
pub async fn fetch(world: &World, path: &str) -> String {
    send(world, "www.example.test", 80, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
}

pub fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// What came of a request.
#[derive(Debug)]
pub struct Came {
    pub code: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The body broke off.
    pub broke: bool,
}

impl Came {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks the API server of the world's first cluster.
///
/// # Errors
/// Why there is no answer.
pub async fn ask(world: &World, method: &str, path: &str, body: Value) -> io::Result<Came> {
    let placed = &world.clusters[0];
    let stream = secure(world, &placed.authority, &placed.host, placed.port).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let form = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let request = Request::builder().method(method).uri(path).header(header::HOST, "api");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", placed.token));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = request.header(header::CONTENT_TYPE, form).body(Full::new(Bytes::from(body))).unwrap();
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let (parts, mut body) = answer.into_parts();
    let (mut whole, mut broke) = (Vec::new(), false);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => whole.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Err(_) => broke = true,
        }
    }
    Ok(Came { code: parts.status.as_u16(), headers: parts.headers, body: whole.into(), broke })
}

/// A connection over TLS by somebody who trusts this authority.
///
/// # Errors
/// If there is none, or its certificate is no good.
pub async fn secure(world: &World, authority: &str, host: &str, port: u16) -> io::Result<impl Stream + use<>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = world.network.dial(host, port).await?;
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
}
