//! Connecting to Redis, and waiting until it can be.

use std::time::Duration;

use redis::ProtocolVersion;
use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use super::{
    commands,
    connection::{Redis, Target},
};
use crate::{
    host::{Host, tunnel::Tunnel, wait::Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
    wire::{
        authority::Authority,
        tls::{Settings, Tls, Trust},
    },
};

/// The port that Redis listens on where none is named.
const PORT: u16 = 6379;

#[export_module]
pub mod functions {
    /// Connects to a Redis server.
    #[rhai_fn(return_raw)]
    pub fn connect(context: NativeCallContext, address: Dynamic) -> Outcome<Redis> {
        open(&context, "redis::connect", &address, Map::new())
    }

    /// Connects to a Redis server.
    ///
    /// The connection is made at once, so that a wrong password is known here; one that broke is made again when it is needed.
    ///
    /// # Parameters
    /// - `address` (text or tunnel): `host:port`, a host with the port 6379, or what `port_forward` gave
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `password` (secret or text): the password
    /// - `user` (text): the user, where it is not the default one
    /// - `database` (integer, `0`): the number of the database
    /// - `protocol` (integer, `3`): the version of the protocol, 2 for servers before Redis 6
    /// - `tls` (boolean, `false`): speak TLS
    /// - `ca` (text): whom to trust, and nobody else: a file below the runbook's folder, or certificates in PEM
    /// - `server_name` (text): the name in the server's certificate, if it is not the host's
    /// - `insecure` (boolean, `false`): trust whoever answers; it is warned of
    /// - `timeout` (duration, `5s`): how long connecting, and each answer, may take
    ///
    /// # Returns
    /// A `Redis`.
    ///
    /// # Faults
    /// - `unreachable`: nobody listens there, or the name is not known
    /// - `unauthenticated`: it wants a password, or another one
    /// - `tls`: the server can't be trusted
    /// - `unavailable`: whoever listens there is no Redis, or a tunnel finds no pod
    /// - `unsupported`: it does not speak that version of the protocol
    /// - `usage`: the address or an option can't be used
    /// - `file`: the file `ca` can't be read
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// let store = redis::connect(address, #{ database: 1 });
    /// store.set("greeting", "hello", #{ ex: "1m" });
    /// print(store.get("greeting"));
    /// ```
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_with_options(context: NativeCallContext, address: Dynamic, options: Map) -> Outcome<Redis> {
        open(&context, "redis::connect", &address, options)
    }

    /// Asks a server whether it is there.
    #[rhai_fn(name = "ping", return_raw)]
    pub fn ping_address(context: NativeCallContext, address: Dynamic) -> Outcome<Duration> {
        let redis = open(&context, "redis::connect", &address, Map::new())?;
        commands::ping(&context, &redis)
    }

    /// Waits until a server answers.
    #[rhai_fn(return_raw)]
    pub fn wait(context: NativeCallContext, address: Dynamic) -> Outcome<Redis> {
        wait_for(&context, &address, Map::new())
    }

    /// Waits until a server can be connected to, and has loaded its data.
    ///
    /// A password that is not accepted ends the wait at once: no waiting helps with that.
    ///
    /// # Parameters
    /// - `address` (text or tunnel): `host:port`, a host with the port 6379, or what `port_forward` gave
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `5m`): how long to wait
    /// - `interval` (duration, `1s`): how long to pause between two attempts
    /// - `answer_within` (duration, `5s`): how long a single attempt, and later each answer, may take
    /// - `password` (secret or text): the password
    /// - `user` (text): the user, where it is not the default one
    /// - `database` (integer, `0`): the number of the database
    /// - `protocol` (integer, `3`): the version of the protocol, 2 for servers before Redis 6
    /// - `tls` (boolean, `false`): speak TLS
    /// - `ca` (text): whom to trust, and nobody else: a file below the runbook's folder, or certificates in PEM
    /// - `server_name` (text): the name in the server's certificate, if it is not the host's
    /// - `insecure` (boolean, `false`): trust whoever answers; it is warned of
    ///
    /// # Returns
    /// A `Redis` that is connected.
    ///
    /// # Faults
    /// - `timeout`: it did not answer in time; the note has what was seen last
    /// - `unauthenticated`: it wants a password, or another one
    /// - `denied`: this user may do nothing
    /// - `tls`: the server can't be trusted
    /// - `usage`: the address or an option can't be used
    /// - `file`: the file `ca` can't be read
    ///
    /// # Example
    /// ```rhai redis
    /// let store = redis::wait(address, #{ timeout: "1m" });
    /// print(store.info().server.redis_version);
    /// ```
    #[rhai_fn(name = "wait", return_raw)]
    pub fn wait_with_options(context: NativeCallContext, address: Dynamic, options: Map) -> Outcome<Redis> {
        wait_for(&context, &address, options)
    }
}

fn open(context: &NativeCallContext, function: &str, address: &Dynamic, options: Map) -> Outcome<Redis> {
    let options = context.options(function, options)?;
    let target = target(&context.host(), address, &options, "timeout").map_err(|fault| context.raise(fault))?;
    let (redis, timeout) = (Redis::new(&context.host(), target.clone()), target.timeout);
    let opened = redis.clone();
    context.wait(Waiting::request(format!("a connection to {redis}"), timeout), |_| async move {
        opened.connect().await
    })?;
    Ok(redis)
}

fn wait_for(context: &NativeCallContext, address: &Dynamic, options: Map) -> Outcome<Redis> {
    let options = context.options("redis::wait", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let target = target(&context.host(), address, &options, "answer_within").map_err(raise)?;
    let (timeout, attempt) = (options.deadline("timeout").map_err(raise)?, target.timeout);
    let interval = options.deadline("interval").map_err(raise)?;
    let redis = Redis::new(&context.host(), target);
    let (waited, clock) = (redis.clone(), context.host().clock);
    context.wait(Waiting::until(format!("redis at {redis} to answer"), timeout), |progress| async move {
        loop {
            let asked = async {
                // Unlike a ping, this is refused while data is being loaded.
                waited.ask(redis::cmd("EXISTS").arg("")).await.map(drop)
            };
            let answer = tokio::select! {
                biased;
                answer = asked => answer,
                () = clock.sleep(attempt) => Err(Fault::new(Kind::Timeout, "it does not answer")),
            };
            match answer {
                Ok(()) => return Ok(()),
                Err(fault) if matches!(fault.kind, Kind::Unauthenticated | Kind::Denied | Kind::Tls) => {
                    return Err(fault);
                }
                Err(fault) => progress.because(fault.message),
            }
            clock.sleep(interval).await;
        }
    })?;
    Ok(redis)
}

fn target(host: &Host, address: &Dynamic, options: &Options, timeout: &str) -> Result<Target, Fault> {
    let (authority, through) = match address.read_lock::<Tunnel>() {
        Some(tunnel) => (Authority::new(tunnel.host(), tunnel.port()), Some(tunnel.clone())),
        None => {
            let authority = Authority::parse(&address.to_string(), Some(PORT)).map_err(|why| {
                Fault::new(Kind::Usage, format!("there is no Redis at such an address: {why}"))
                    .hint("write it like `10.17.13.242:6379`, or give a tunnel")
            })?;
            (authority, None)
        }
    };
    let password = options.secret("password");
    if let Some(password) = &password {
        host.secrets.remember(password);
    }
    let protocol = match options.integer("protocol") {
        Some(2) => ProtocolVersion::RESP2,
        Some(3) => ProtocolVersion::RESP3,
        other => {
            let message = format!("there is no version {} of the protocol", other.unwrap_or_default());
            return Err(Fault::new(Kind::Usage, message).hint("it is 2 or 3"));
        }
    };
    let tls = tls(host, &authority, options)?;
    Ok(Target {
        authority,
        through,
        tls,
        user: options.text("user"),
        password,
        database: options.integer("database").unwrap_or_default(),
        protocol,
        timeout: options.deadline(timeout)?,
    })
}

fn tls(host: &Host, authority: &Authority, options: &Options) -> Result<Option<Tls>, Fault> {
    if !options.flag("tls") {
        let unused = ["ca", "server_name", "insecure"].into_iter().find(|name| options.value(name).is_some());
        return match unused {
            None => Ok(None),
            Some(name) => Err(Fault::new(Kind::Usage, format!("option `{name}` is of no use without `tls: true`"))),
        };
    }
    let trust = match (options.text("ca"), options.flag("insecure")) {
        (Some(_), true) => {
            return Err(Fault::new(Kind::Usage, "`ca` says whom to trust and `insecure` to trust anybody")
                .hint("leave one of them out"));
        }
        (None, true) => {
            host.events
                .warn_once(format!("nobody checks who answers as redis at `{authority}`: `insecure` was asked for"));
            Trust::Anybody
        }
        (None, false) => Trust::System,
        (Some(pem), false) if pem.contains("-----BEGIN") => Trust::Authority(pem.as_bytes().into()),
        (Some(path), false) => Trust::Authority(host.files.read(&path)?.as_bytes().into()),
    };
    let settings = Settings { trust, identity: None, server_name: options.text("server_name") };
    let tls = Tls::new(host, &settings)
        .map_err(|unfit| Fault::new(Kind::Tls, format!("{} can't be used: {}", unfit.part.words(), unfit.why)))?;
    Ok(Some(tls))
}
