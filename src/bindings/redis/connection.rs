//! A connection to a Redis server, made when it is needed and again when it broke.

use std::{fmt, sync::Arc, time::Duration};

use redis::{AsyncConnectionConfig, Cmd, ProtocolVersion, RedisConnectionInfo, Value, aio::MultiplexedConnection};
use tokio::{sync::Mutex, task::JoinHandle};

use super::fault::{Broken, of_error, of_no_connection};
use crate::{
    host::{Host, secrets::Secret, tunnel::Tunnel},
    script::fault::{Fault, Kind},
    wire::{authority::Authority, route::Route, tls::Tls},
};

/// Where a server is and how it is spoken to.
#[derive(Clone)]
pub struct Target {
    pub authority: Authority,
    pub through: Option<Tunnel>,
    pub tls: Option<Tls>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub database: i64,
    pub protocol: ProtocolVersion,
    /// How long connecting, and each answer, may take.
    pub timeout: Duration,
}

/// A handle on a server.
#[derive(Clone)]
pub struct Redis(Arc<Held>);

struct Held {
    host: Host,
    target: Target,
    live: Mutex<Connections>,
}

/// The connection that is up, and how many were made.
#[derive(Default)]
struct Connections {
    made: u64,
    live: Option<Live>,
}

/// A connection that is up, and the task that moves its bytes.
struct Live {
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The address, or what the tunnel leads to; with the database, if it is not the first.
impl fmt::Display for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Target { authority, through, database, .. } = self.target();
        match through {
            Some(tunnel) => write!(f, "{tunnel}")?,
            None => write!(f, "{authority}")?,
        }
        if *database == 0 { Ok(()) } else { write!(f, "/{database}") }
    }
}

impl Redis {
    /// A handle. Nothing is sent yet.
    pub fn new(host: &Host, target: Target) -> Self {
        Self(Arc::new(Held { host: host.clone(), target, live: Mutex::default() }))
    }

    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// Makes the connection, and says who asks.
    ///
    /// # Errors
    /// `unreachable`, `tls`, `unauthenticated` and the like.
    pub async fn connect(&self) -> Result<(), Fault> {
        self.connection().await.map(drop)
    }

    /// Asks what may be asked twice.
    ///
    /// # Errors
    /// The server's refusal, or why no answer came.
    pub async fn ask(&self, command: &Cmd) -> Result<Value, Fault> {
        match self.send(command).await {
            // It may have been closed while nobody used it.
            Err(broken) if broken.doubt => self.send(command).await,
            answer => answer,
        }
        .map_err(|broken| broken.fault)
    }

    /// Sends what must not be sent twice.
    ///
    /// # Errors
    /// The server's refusal, or `in_doubt` if no answer came.
    pub async fn once(&self, command: &Cmd) -> Result<Value, Fault> {
        self.send(command).await.map_err(|Broken { fault, doubt }| match doubt {
            false => fault,
            true => Fault::new(Kind::InDoubt, format!("nobody knows whether `{self}` did it"))
                .note(fault.message)
                .notes(fault.notes),
        })
    }

    async fn send(&self, command: &Cmd) -> Result<Value, Broken> {
        let (mut connection, number) = self.connection().await.map_err(|fault| Broken { fault, doubt: false })?;
        let error = match connection.send_packed_command(command).await.and_then(Value::extract_error) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let broken = of_error(&error, &self.to_string());
        let mut connections = self.0.live.lock().await;
        // Somebody else may have made another one already.
        if broken.doubt && connections.made == number {
            connections.live = None;
        }
        Err(broken)
    }

    /// The connection, and its number. Whoever comes while it is being made waits for it.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), Fault> {
        let mut connections = self.0.live.lock().await;
        if let Some(live) = connections.live.as_ref().filter(|live| !live.driver.is_finished()) {
            return Ok((live.connection.clone(), connections.made));
        }
        let Target { authority, through, tls, user, password, database, protocol, timeout } = self.target();
        let route = Route::of(&self.0.host, *timeout);
        let route = through.iter().fold(route, |route, tunnel| route.through(tunnel));
        let connected = route.connect(authority, tls.as_ref()).await;
        let stream = connected.map_err(|error| of_no_connection(&error, &self.to_string()))?.stream;
        let mut info = RedisConnectionInfo::default().set_db(*database).set_protocol(*protocol).set_skip_set_lib_name();
        if let Some(user) = user {
            info = info.set_username(user);
        }
        if let Some(password) = password {
            info = info.set_password(password.expose());
        }
        // Time is the host's: whoever waits for an answer has a deadline.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&info, stream, config).await;
        let (connection, driver) = made.map_err(|error| of_error(&error, &self.to_string()).fault)?;
        connections.live = Some(Live { connection: connection.clone(), driver: tokio::spawn(driver) });
        connections.made += 1;
        Ok((connection, connections.made))
    }
}
