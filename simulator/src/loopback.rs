//! The servers of a world for programs outside of it: on loopback addresses of this machine, in real time.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{net::TcpListener, task::AbortHandle};

use crate::{
    network::{Door, Network},
    stream::{Breakable, Breaker},
};

/// A server of the world, and where programs find it.
pub struct Open {
    pub host: String,
    pub port: u16,
    pub at: SocketAddr,
}

/// Opens a port for every server of a world: its own, if it is free. They are served for as long as the runtime lasts, and so are
/// those that come later.
///
/// # Errors
/// If the system gives no port.
pub async fn open(network: &Arc<Network>) -> io::Result<Vec<Open>> {
    let mut doors = BTreeMap::new();
    let open = follow(network, &mut doors).await?;
    let network = network.clone();
    tokio::spawn(async move {
        loop {
            network.changed().await;
            // What can't be opened stays closed, as on any machine whose ports are taken.
            drop(follow(&network, &mut doors).await);
        }
    });
    Ok(open)
}

type Doors = BTreeMap<(IpAddr, u16), AbortHandle>;

/// Opens what is new, and closes what is gone.
async fn follow(network: &Arc<Network>, doors: &mut Doors) -> io::Result<Vec<Open>> {
    let mut open = Vec::new();
    let now = network.doors();
    doors.retain(|place, welcoming| {
        let stays = now.iter().any(|door| (door.address, door.port) == *place);
        if !stays {
            welcoming.abort();
        }
        stays
    });
    for Door { host, address, port, .. } in now {
        if doors.contains_key(&(address, port)) {
            continue;
        }
        // What lives on a loopback address of its own is found there.
        let own = if address.is_loopback() { address } else { Ipv4Addr::LOCALHOST.into() };
        let listener = match TcpListener::bind((own, port)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((own, 0)).await?,
        };
        open.push(Open { host, port, at: listener.local_addr()? });
        let welcoming = tokio::spawn(welcome(listener, network.clone(), address, port));
        doors.insert((address, port), welcoming.abort_handle());
    }
    Ok(open)
}

async fn welcome(listener: TcpListener, network: Arc<Network>, address: IpAddr, port: u16) {
    loop {
        match (listener.accept().await, network.at(address, port)) {
            (Ok((stream, _)), Some(server)) => {
                // As real servers have it, no part of an answer waits until the one before was heard of.
                if stream.set_nodelay(true).is_err() {
                    continue;
                }
                let stream = Breakable::new(stream, Breaker::default());
                tokio::spawn(server.serve(Box::new(stream)));
            }
            (Ok(_), None) => {}
            // As when there are too many connections: there will be fewer in a moment.
            (Err(_), _) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}
