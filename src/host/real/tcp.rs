//! TCP: names are looked up by the system, and all their addresses are tried.
#![allow(clippy::disallowed_methods, reason = "this module is the dial")]

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::net::TcpStream;

use crate::host::dial::{Dial, Stream, first_that_answers};

/// How long an address may be silent before the next one has its turn, as RFC 8305 advises.
const PATIENCE: Duration = Duration::from_millis(250);

/// TCP.
pub struct Tcp;

impl Dial for Tcp {
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let addresses = self.look_up(host);
        Box::pin(async move {
            let connect = |address| TcpStream::connect(SocketAddr::new(address, port));
            let (_, stream) = first_that_answers(addresses.await?, connect, || tokio::time::sleep(PATIENCE)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn look_up(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Box::pin(async move {
            if let Ok(address) = name.parse() {
                return Ok(vec![address]);
            }
            let found = tokio::net::lookup_host((name, 0)).await.map_err(unknown)?;
            let mut addresses = Vec::new();
            for address in found.map(|socket| socket.ip()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            Ok(addresses)
        })
    }
}

/// The system's resolver gives its errors no kind, only a text.
fn unknown(error: io::Error) -> io::Error {
    let text = error.to_string();
    let reason = text.rsplit(": ").next().unwrap_or_default();
    let is_unknown = ["not known", "No address", "nodename"].iter().any(|words| reason.contains(words));
    let kind = if is_unknown { io::ErrorKind::NotFound } else { error.kind() };
    io::Error::new(kind, reason.to_lowercase())
}
