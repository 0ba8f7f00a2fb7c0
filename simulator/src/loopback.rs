//! The servers of a world for programs outside of it: on loopback addresses of this machine, in real time.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::net::TcpListener;

use crate::network::{Network, Server};

/// A server of the world, and where programs find it.
pub struct Open {
    pub host: String,
    pub port: u16,
    pub at: SocketAddr,
}

/// Opens a port for every server of a world: its own, if it is free. They are served for as long as the runtime lasts.
///
/// # Errors
/// If the system gives no port.
pub async fn open(network: &Network) -> io::Result<Vec<Open>> {
    let mut open = Vec::new();
    for door in network.doors() {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, door.port)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        };
        open.push(Open { host: door.host, port: door.port, at: listener.local_addr()? });
        tokio::spawn(welcome(listener, door.server));
    }
    Ok(open)
}

async fn welcome(listener: TcpListener, server: Arc<dyn Server>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(server.clone().serve(Box::new(stream)))),
            // As when there are too many connections: there will be fewer in a moment.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}
