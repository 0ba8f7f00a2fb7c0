//! The Redis servers of the world: keys with texts in them, in the protocol's versions 2 and 3, in the words of Redis 7.0.
//!
//! A command that a real server has and this one has not is refused by name, and told as a gap of the world.

mod commands;
mod connection;
mod keys;
mod protocol;
mod session;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::Instant;

use self::keys::Databases;
use crate::{network::Server, stream::Stream, time::Calendar, tls::Tls, world::Unmodelled};

/// The version whose words these are.
pub const VERSION: &str = "7.0.15";

/// A server.
pub struct Redis {
    pub calendar: Calendar,
    /// Over TLS, if there is one.
    pub tls: Option<Tls>,
    /// Of the user `default`; nobody has to show one, if there is none.
    pub password: Option<String>,
    /// Until then it is loading its data.
    pub loaded: Instant,
    pub unmodelled: Arc<Unmodelled>,
    began: Instant,
    databases: Mutex<Databases>,
    connections: AtomicU64,
    commands: AtomicU64,
}

impl Redis {
    /// A server that begins now, with these texts in its first database.
    pub fn new(calendar: Calendar, data: &BTreeMap<String, String>, unmodelled: Arc<Unmodelled>) -> Self {
        let mut databases = Databases::default();
        for (key, value) in data {
            databases.of(0).set(key.as_bytes(), value.as_bytes().to_vec(), None);
        }
        Self {
            calendar,
            tls: None,
            password: None,
            loaded: Instant::now(),
            unmodelled,
            began: Instant::now(),
            databases: Mutex::new(databases),
            connections: AtomicU64::new(0),
            commands: AtomicU64::new(0),
        }
    }

    fn databases(&self) -> MutexGuard<'_, Databases> {
        self.databases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_loading(&self) -> bool {
        Instant::now() < self.loaded
    }

    fn up_for(&self) -> Duration {
        self.began.elapsed()
    }

    fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Server for Redis {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Some(tls) = &self.tls else { return connection::serve(self.clone(), stream).await };
            // A client that doesn't trust us goes away, and knows best why.
            let Ok(stream) = tls.accept(stream).await else { return };
            connection::serve(self.clone(), stream).await;
        })
    }
}
