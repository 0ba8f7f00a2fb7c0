//! Whether something listens at an address, and how long a connection takes.

use std::time::Duration;

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use crate::{
    event::WaitEnd,
    host::{tunnel::Tunnel, wait::Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
    wire::{authority::Authority, route::Route},
};

#[export_module]
pub mod functions {
    #[rhai_fn(return_raw)]
    pub fn tcp(context: NativeCallContext, address: &str) -> Outcome<Map> {
        reached(&context, address, Map::new())
    }

    /// Says whether something listens at an address, and if not, why.
    ///
    /// # Parameters
    /// - `address` (text): such as `10.17.13.86:6443`; all addresses of a name are tried
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `5s`): how long making the connection may take
    /// - `through` (tunnel): a tunnel to connect through, such as one of `port_forward`
    ///
    /// # Returns
    /// A map with `ok`, `reason` (`()` if it is reached) and `elapsed`.
    ///
    /// # Faults
    /// - `usage`: it is not an address with a port
    ///
    /// # Example
    /// ```rhai server
    /// let address = server.split("//")[1];
    /// let api = net::tcp(address, #{ timeout: "2s" });
    /// if !api.ok {
    ///     print(`${address} is not there: ${api.reason}`);
    /// }
    /// ```
    #[rhai_fn(name = "tcp", return_raw)]
    pub fn tcp_with_options(context: NativeCallContext, address: &str, options: Map) -> Outcome<Map> {
        reached(&context, address, options)
    }

    #[rhai_fn(return_raw)]
    pub fn wait_tcp(context: NativeCallContext, address: &str) -> Outcome<()> {
        until(&context, address, Map::new())
    }

    /// Waits until something listens at an address, or until nothing does any more.
    ///
    /// # Parameters
    /// - `address` (text): such as `10.17.13.86:6443`; all addresses of a name are tried
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `listening` (boolean, `true`): what is waited for; `false` is that nothing listens
    /// - `successes` (integer, `1`): how many times in a row it must be so
    /// - `interval` (duration, `1s`): the pause between two attempts
    /// - `timeout` (duration, `5m`): how long to wait
    /// - `connect_timeout` (duration, `5s`): how long making a connection may take
    /// - `through` (tunnel): a tunnel to connect through, such as one of `port_forward`
    ///
    /// # Faults
    /// - `timeout`: it was not so in time; the note has what was seen last
    /// - `usage`: it is not an address with a port
    ///
    /// # Example
    /// ```rhai server
    /// net::wait_tcp(server.split("//")[1], #{ successes: 2, interval: "10ms", timeout: "1m" });
    /// ```
    #[rhai_fn(name = "wait_tcp", return_raw)]
    pub fn wait_tcp_with_options(context: NativeCallContext, address: &str, options: Map) -> Outcome<()> {
        until(&context, address, options)
    }

    #[rhai_fn(return_raw)]
    pub fn ping(context: NativeCallContext, address: &str) -> Outcome<Map> {
        measured(&context, address, Map::new())
    }

    /// Connects several times, and says how long it took: a ping by TCP, which passes where ICMP does not.
    ///
    /// # Parameters
    /// - `address` (text): such as `10.17.13.86:6443`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `count` (integer, `4`): how many times
    /// - `interval` (duration, `200ms`): the pause between two attempts
    /// - `timeout` (duration, `2s`): how long one may take
    /// - `through` (tunnel): a tunnel to connect through, such as one of `port_forward`
    ///
    /// # Returns
    /// A map with `sent`, `received`, `times` (a list), `least`, `average` and `most` (`()` if none was received), and the
    /// `reason` of the last that was not (`()` if all were).
    ///
    /// # Faults
    /// - `usage`: it is not an address with a port
    ///
    /// # Example
    /// ```rhai server
    /// let ping = net::ping(server.split("//")[1], #{ count: 3, interval: "10ms" });
    /// print(`${ping.received} of ${ping.sent}, ${ping.average} on average`);
    /// ```
    #[rhai_fn(name = "ping", return_raw)]
    pub fn ping_with_options(context: NativeCallContext, address: &str, options: Map) -> Outcome<Map> {
        measured(&context, address, options)
    }
}

/// An address and the way to it.
#[derive(Clone)]
pub struct Probe {
    pub to: Authority,
    pub route: Route,
}

impl Probe {
    /// # Errors
    /// A usage fault, if the text is not an address with a port.
    pub fn read(context: &NativeCallContext, address: &str, options: &Options, patience: Duration) -> Outcome<Self> {
        let to = Authority::parse(address, None).map_err(|why| context.raise(Fault::new(Kind::Usage, why)))?;
        let route = Route::of(&context.host(), patience);
        let tunnel = options.value("through").and_then(|tunnel| tunnel.try_cast::<Tunnel>());
        Ok(Self { to, route: tunnel.map_or(route.clone(), |tunnel| route.through(&tunnel)) })
    }

    /// How long connecting took, without looking up the name, or why there is no connection.
    async fn connect(self) -> Result<Duration, String> {
        match self.route.connect(&self.to, None).await {
            Ok(connected) => Ok(connected.phases.connect),
            Err(error) => Err(Fault::behind(&error).map_or_else(|| error.to_string(), |fault| fault.message.clone())),
        }
    }
}

fn reached(context: &NativeCallContext, address: &str, options: Map) -> Outcome<Map> {
    let options = context.options("net::tcp", options)?;
    let patience = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let probe = Probe::read(context, address, &options, patience)?;
    let host = context.host();
    let begun = host.clock.elapsed();
    let seen = attempt(context, probe, patience)?;
    let elapsed = host.clock.elapsed().saturating_sub(begun);
    let facts: [(&str, Dynamic); 3] = [
        ("ok", seen.is_ok().into()),
        ("reason", seen.err().map_or(Dynamic::UNIT, Dynamic::from)),
        ("elapsed", Dynamic::from(elapsed)),
    ];
    Ok(facts.into_iter().map(|(name, fact)| (name.into(), fact)).collect())
}

/// One connection; the route itself gives up in time.
fn attempt(context: &NativeCallContext, probe: Probe, patience: Duration) -> Outcome<Result<Duration, String>> {
    let waiting = Waiting::request(format!("a connection to `{}`", probe.to), patience.saturating_mul(2));
    context.wait(waiting, |_| async move { Ok(probe.connect().await) })
}

fn until(context: &NativeCallContext, address: &str, options: Map) -> Outcome<()> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options("net::wait_tcp", options)?;
    let listening = options.flag("listening");
    let successes = options.integer("successes").unwrap_or(1).max(1);
    let interval = options.deadline("interval").map_err(raise)?;
    let timeout = options.deadline("timeout").map_err(raise)?;
    let probe = Probe::read(context, address, &options, options.deadline("connect_timeout").map_err(raise)?)?;

    let host = context.host();
    let goal = if listening { "to listen" } else { "to listen no more" };
    let mut wait = host.begin(Waiting::until(format!("`{}` {goal}", probe.to), timeout));
    let progress = wait.progress();
    let mut in_a_row = 0;
    loop {
        let attempt = probe.clone().connect();
        let seen = context.drive(&mut wait, async move { Ok(attempt.await) })?;
        let reason = match (seen, listening) {
            (Ok(_), true) | (Err(_), false) => {
                in_a_row += 1;
                if in_a_row >= successes {
                    wait.end(WaitEnd::Met);
                    return Ok(());
                }
                format!("as it should be {in_a_row} of {successes} times in a row")
            }
            (Err(reason), true) => {
                in_a_row = 0;
                reason
            }
            (Ok(_), false) => {
                in_a_row = 0;
                "it still listens".to_owned()
            }
        };
        progress.because(reason);
        let pause = host.clock.sleep(interval);
        context.drive(&mut wait, async move {
            pause.await;
            Ok(())
        })?;
    }
}

fn measured(context: &NativeCallContext, address: &str, options: Map) -> Outcome<Map> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options("net::ping", options)?;
    let count = u32::try_from(options.integer("count").unwrap_or(0)).unwrap_or(0).max(1);
    let interval = options.deadline("interval").map_err(raise)?;
    let patience = options.deadline("timeout").map_err(raise)?;
    let probe = Probe::read(context, address, &options, patience)?;

    let host = context.host();
    let mut times = Vec::new();
    let mut reason = None;
    for number in 0..count {
        if number > 0 {
            let pause = host.clock.sleep(interval);
            context.wait(Waiting::pause(interval.saturating_mul(2)), |_| async move {
                pause.await;
                Ok(())
            })?;
        }
        match attempt(context, probe.clone(), patience)? {
            Ok(took) => times.push(took),
            Err(why) => reason = Some(why),
        }
    }
    let duration = |time: Option<Duration>| time.map_or(Dynamic::UNIT, Dynamic::from);
    let received = u32::try_from(times.len()).expect("there are no more than were sent");
    let average = (received > 0).then(|| times.iter().sum::<Duration>() / received);
    let facts: [(&str, Dynamic); 7] = [
        ("sent", i64::from(count).into()),
        ("received", i64::from(received).into()),
        ("least", duration(times.iter().min().copied())),
        ("average", duration(average)),
        ("most", duration(times.iter().max().copied())),
        ("times", Dynamic::from_array(times.into_iter().map(Dynamic::from).collect::<Array>())),
        ("reason", reason.map_or(Dynamic::UNIT, Dynamic::from)),
    ];
    Ok(facts.into_iter().map(|(name, fact)| (name.into(), fact)).collect())
}
