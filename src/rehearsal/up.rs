//! A world that other programs look into: the same servers on loopback addresses, in real time.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use simulator::{
    loopback,
    time::Calendar,
    world::{Description, Unmodelled, World},
};

/// A world that is up.
pub struct Up {
    /// Which servers there are, by the addresses that they have in the world, and where they are found.
    pub servers: Vec<(String, SocketAddr)>,
    pub kubeconfig: String,
    /// Of the nodes that have a configuration from the beginning.
    pub talosconfig: Option<String>,
    unmodelled: Arc<Unmodelled>,
}

impl Up {
    /// Begins a world, now.
    ///
    /// # Errors
    /// What can't be as its file has it, or if this machine gives no ports.
    pub async fn begin(description: Description, now: Timestamp, seed: u64) -> Result<Self, String> {
        let world = World::begin(&description, Calendar::beginning(now), Duration::ZERO, seed).await?;
        let open = loopback::open(&world.network).await.map_err(|error| format!("no port on this machine: {error}"))?;
        let at = |host: &str, port: u16| {
            let found = open.iter().find(|open| open.host == host && open.port == port);
            found.map_or_else(|| format!("{host}:{port}"), |open| open.at.to_string())
        };
        Ok(Self {
            kubeconfig: world.kubeconfig(at),
            talosconfig: world.talosconfig(),
            unmodelled: world.unmodelled.clone(),
            servers: open.iter().map(|open| (format!("{}:{}", open.host, open.port), open.at)).collect(),
        })
    }

    /// What was asked of the world and has no model.
    pub fn unmodelled(&self) -> Vec<String> {
        self.unmodelled.all()
    }
}
