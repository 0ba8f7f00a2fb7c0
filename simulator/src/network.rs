//! The network of the world: which names lead where, and who answers there, by a stream inside of this process.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::{
    faults::{Dead, Faults, Trouble},
    stream::{Breakable, Breaker, Stream},
    time::During,
};

/// How much may be on its way in one direction.
const BUFFER: usize = 64 << 10;

/// Where servers live whose names nobody gave an address: a network that is set aside for such play.
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// Somebody who answers.
pub trait Server: Send + Sync {
    /// Serves one connection to its end.
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()>;
}

/// Who answers where.
#[derive(Default)]
pub struct Network {
    places: Mutex<Places>,
    /// Told when somebody comes or goes.
    others: Notify,
}

#[derive(Default)]
struct Places {
    servers: BTreeMap<(IpAddr, u16), (Arc<dyn Server>, During)>,
    names: BTreeMap<String, Vec<(IpAddr, During)>>,
    /// Where somebody lives who may not answer anywhere.
    alive: BTreeSet<IpAddr>,
    /// How many servers had no address of their own.
    given: u32,
    faults: Arc<Faults>,
}

/// A server, and where it is found.
pub struct Door {
    /// The name that leads there, or its address.
    pub host: String,
    pub address: IpAddr,
    pub port: u16,
}

impl Network {
    /// From now on this goes wrong.
    pub fn trouble(&self, faults: Arc<Faults>) {
        self.lock().faults = faults;
    }

    /// The name leads to an address, too.
    pub fn name(&self, name: &str, address: IpAddr, during: During) {
        self.lock().names.entry(plain(name)).or_default().push((address, during));
    }

    /// `server` answers at `host` and `port`. A name that leads nowhere yet gets an address.
    pub fn place(&self, host: &str, port: u16, server: Arc<dyn Server>, during: During) -> IpAddr {
        let mut places = self.lock();
        let address = places.address(host);
        places.servers.insert((address, port), (server, during));
        drop(places);
        self.others.notify_one();
        address
    }

    /// Nobody answers there any more.
    pub fn remove(&self, host: &str, port: u16) {
        let mut places = self.lock();
        let address = places.address(host);
        places.servers.remove(&(address, port));
        drop(places);
        self.others.notify_one();
    }

    /// Somebody lives at an address, even if nothing is answered there, or doesn't any more.
    pub fn live(&self, address: IpAddr, lives: bool) {
        let alive = &mut self.lock().alive;
        if lives {
            alive.insert(address)
        } else {
            alive.remove(&address)
        };
    }

    /// Waits until somebody answers elsewhere than before. One at a time may wait.
    pub async fn changed(&self) {
        self.others.notified().await;
    }

    /// The addresses behind a name.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] for a name that the world doesn't have.
    pub fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let name = plain(name);
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        let places = self.lock();
        let known = match places.faults.hide(&name) {
            true => Vec::new(),
            false => places.names.get(&name).cloned().unwrap_or_default(),
        };
        let now: Vec<IpAddr> =
            known.iter().filter(|(_, during)| during.is_now()).map(|(address, _)| *address).collect();
        Some(now)
            .filter(|now| !now.is_empty())
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("the world has no name `{name}`")))
    }

    /// Connects to `host` at `port`.
    ///
    /// # Errors
    /// If nobody answers there: [`io::ErrorKind::ConnectionRefused`] where somebody lives,
    /// [`io::ErrorKind::HostUnreachable`] where none is, [`io::ErrorKind::NotFound`] for a name that the world doesn't have.
    pub fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let found = self.find(host, port);
        Box::pin(async move {
            let (server, trouble) = found?;
            match trouble {
                Some(Trouble::Refused) => return Err(io::ErrorKind::ConnectionRefused.into()),
                Some(trouble) => return Ok(Box::new(Dead { breaks: trouble == Trouble::Reset }) as Box<dyn Stream>),
                None => {}
            }
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            let breaker = Breaker::default();
            let [ours, theirs] = [ours, theirs].map(|end| Breakable::new(end, breaker.clone()));
            tokio::spawn(server.serve(Box::new(theirs)));
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }

    /// Who answers there, and what goes wrong with the connection.
    fn find(&self, host: &str, port: u16) -> io::Result<(Arc<dyn Server>, Option<Trouble>)> {
        let addresses = self.look_up(host)?;
        let places = self.lock();
        let here = |address: &IpAddr| Some((*address, places.servers.get(&(*address, port))?));
        let mut here = addresses.iter().filter_map(here);
        if let Some((address, (server, _))) = here.find(|(_, (_, during))| during.is_now()) {
            let trouble = places.faults.of_connection(&places.name_of(&address), port);
            return Ok((server.clone(), trouble));
        }
        let lives = |address: &IpAddr| {
            places.alive.contains(address)
                || places.servers.range((*address, 0)..=(*address, u16::MAX)).next().is_some()
        };
        Err(match addresses.iter().any(lives) {
            true => io::ErrorKind::ConnectionRefused.into(),
            false => io::Error::new(io::ErrorKind::HostUnreachable, format!("the world has nobody at `{host}:{port}`")),
        })
    }

    /// Who answers at an address.
    pub fn at(&self, address: IpAddr, port: u16) -> Option<Arc<dyn Server>> {
        self.lock().servers.get(&(address, port)).map(|(server, _)| server.clone())
    }

    /// Everybody who answers, by the name that leads there, if there is one.
    pub fn doors(&self) -> Vec<Door> {
        let places = self.lock();
        let doors = &places.servers;
        doors
            .keys()
            .map(|(address, port)| Door { host: places.name_of(address), address: *address, port: *port })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// The name that leads to an address, or the address itself.
    fn name_of(&self, address: &IpAddr) -> String {
        let leads_here = |addresses: &[(IpAddr, During)]| addresses.iter().any(|(known, _)| known == address);
        let name = self.names.iter().find(|(_, addresses)| leads_here(addresses));
        name.map_or_else(|| address.to_string(), |(name, _)| name.clone())
    }

    fn address(&mut self, host: &str) -> IpAddr {
        let host = plain(host);
        if let Ok(address) = host.parse() {
            return address;
        }
        if let Some((address, _)) = self.names.get(&host).and_then(|addresses| addresses.first()) {
            return *address;
        }
        let address = IpAddr::V4(Ipv4Addr::from(u32::from(FIRST_ADDRESS) + self.given));
        self.given += 1;
        self.names.insert(host, vec![(address, During::default())]);
        address
    }
}

/// Names are equal whatever the case of their letters; addresses may stand in brackets.
fn plain(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches([']', '.']).to_lowercase()
}
