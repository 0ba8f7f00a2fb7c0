//! Connections to the servers of a world.

use std::{io, net::IpAddr, sync::Arc};

use futures::future::{self, BoxFuture};
use simulator::network::Network;

use crate::host::dial::{Dial, Stream};

/// The network of a world.
pub struct WorldDial(Arc<Network>);

impl WorldDial {
    pub(super) fn new(network: Arc<Network>) -> Self {
        Self(network)
    }
}

impl Dial for WorldDial {
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let dialled = self.0.dial(host, port);
        Box::pin(async move { Ok(Box::new(dialled.await?) as Box<dyn Stream>) })
    }

    fn look_up(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(future::ready(self.0.look_up(name)))
    }
}
