//! What is asked of a Redis server, and what is changed in it.

use std::time::Duration;

use futures::future::BoxFuture;
use redis::{Cmd, Value};
use rhai::{Array, Blob, Dynamic, Map, NativeCallContext, plugin::*};

use super::{
    connection::Redis,
    value::{of_answer, of_info},
};
use crate::{
    duration,
    host::{
        effect::{Effect, digest},
        secrets::Secret,
        wait::Waiting,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        kept,
        values::value::plain_fingerprint,
    },
};

#[export_module]
pub mod functions {
    /// Asks a server whether it is there, and tells how long the answer took.
    ///
    /// # Parameters
    /// - `redis` (redis): a connection
    /// - `address` (text or tunnel): where to connect to for this alone, in place of a connection
    ///
    /// # Returns
    /// A duration: of the answer alone, without connecting.
    ///
    /// # Faults
    /// - `unreachable`: nobody listens there
    /// - `unauthenticated`: it wants a password
    /// - `unavailable`: it is still loading its data
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// print(redis::ping(address));
    /// print(redis::connect(address).ping());
    /// ```
    #[rhai_fn(global, name = "ping", pure, return_raw)]
    pub fn ping_connected(context: NativeCallContext, redis: &mut Redis) -> Outcome<Duration> {
        ping(&context, redis)
    }

    /// Reads the text of a key.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    /// - `key` (text): the key
    ///
    /// # Returns
    /// A text, or bytes where it is none; `()` if the key is not there.
    ///
    /// # Faults
    /// - `invalid`: the key holds no text but a list, a hash …
    /// - `unavailable`: it is still loading its data
    /// - `unreachable`: the connection broke
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// let greeting = redis::connect(address).get("greeting") ?? "nothing yet";
    /// print(greeting);
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn get(context: NativeCallContext, redis: &mut Redis, key: &str) -> Outcome<Dynamic> {
        ask(&context, redis, redis::cmd("GET").arg(key).take(), format!("key `{key}`")).map(of_answer)
    }

    /// Sets a key.
    #[rhai_fn(global, pure, return_raw)]
    pub fn set(context: NativeCallContext, redis: &mut Redis, key: &str, value: Dynamic) -> Outcome<bool> {
        set_key(&context, redis, key, &value, Map::new())
    }

    /// Sets a key to a text, a number, bytes or a secret.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    /// - `key` (text): the key
    /// - `value` (text or number or bytes or secret): the value
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `ex` (duration): when it expires
    /// - `keep_ttl` (boolean, `false`): it expires when it would have before
    /// - `nx` (boolean, `false`): only if the key is not there yet
    /// - `xx` (boolean, `false`): only if the key is there already
    ///
    /// # Returns
    /// `true` if it was set, `false` if `nx` or `xx` kept it from being.
    ///
    /// # Effect
    /// The key is set. Without `nx` and `xx`, doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `usage`: the value is no text, or options contradict each other
    /// - `denied`: this user may not do it
    /// - `unsupported`: the server is a replica
    /// - `unavailable`: it is still loading its data
    /// - `in_doubt`: the connection broke, and nobody knows whether it was set
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// let store = redis::connect(address);
    /// if store.set("lock", "mine", #{ ex: "30s", nx: true }) { print("locked"); }
    /// ```
    #[rhai_fn(global, name = "set", pure, return_raw)]
    pub fn set_with_options(
        context: NativeCallContext,
        redis: &mut Redis,
        key: &str,
        value: Dynamic,
        options: Map,
    ) -> Outcome<bool> {
        set_key(&context, redis, key, &value, options)
    }

    /// Deletes keys.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    /// - `keys` (text or list): a key, or a list of keys
    ///
    /// # Returns
    /// How many of them were there.
    ///
    /// # Effect
    /// The keys go.
    ///
    /// # Faults
    /// - `usage`: there is no key
    /// - `denied`: this user may not do it
    /// - `unsupported`: the server is a replica
    /// - `in_doubt`: the connection broke
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// print(redis::connect(address).del(["lock", "greeting"]));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn del(context: NativeCallContext, redis: &mut Redis, keys: Dynamic) -> Outcome<i64> {
        let keys = match keys.read_lock::<Array>() {
            Some(keys) => keys.iter().map(ToString::to_string).collect(),
            None => vec![keys.to_string()],
        };
        if keys.is_empty() {
            return Err(context.raise(Fault::new(Kind::Usage, "there is no key to delete")));
        }
        let command = redis::cmd("DEL").arg(&keys).take();
        let told = Told::plain("DEL", keys.join(" "), true);
        change(&context, redis, command, told).map(|gone| gone.as_int().unwrap_or_default())
    }

    /// Adds one to the number of a key.
    #[rhai_fn(global, pure, return_raw)]
    pub fn incr(context: NativeCallContext, redis: &mut Redis, key: &str) -> Outcome<i64> {
        add(&context, redis, key, 1)
    }

    /// Adds to the number of a key, which begins at 0.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    /// - `key` (text): the key
    /// - `by` (integer): how much; 1 if it is left out
    ///
    /// # Returns
    /// The number as it is now.
    ///
    /// # Effect
    /// The number grows. After a crash in the middle of it a person is asked whether it did.
    ///
    /// # Faults
    /// - `invalid`: the key holds no number
    /// - `denied`: this user may not do it
    /// - `unsupported`: the server is a replica
    /// - `in_doubt`: the connection broke, and nobody knows whether it grew
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// print(redis::connect(address).incr("visits", 10));
    /// ```
    #[rhai_fn(global, name = "incr", pure, return_raw)]
    pub fn incr_by(context: NativeCallContext, redis: &mut Redis, key: &str, by: i64) -> Outcome<i64> {
        add(&context, redis, key, by)
    }

    /// Says when a key expires.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    /// - `key` (text): the key
    /// - `after` (duration): in how long
    ///
    /// # Returns
    /// `false` if the key is not there.
    ///
    /// # Effect
    /// The key goes after that time.
    ///
    /// # Faults
    /// - `usage`: `after` is no duration
    /// - `denied`: this user may not do it
    /// - `unsupported`: the server is a replica
    /// - `in_doubt`: the connection broke
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// redis::connect(address).expire("greeting", "1h");
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn expire(context: NativeCallContext, redis: &mut Redis, key: &str, after: Dynamic) -> Outcome<bool> {
        let after = period(&after, "after").map_err(|fault| context.raise(fault))?;
        let command = redis::cmd("PEXPIRE").arg(key).arg(millis(after)).take();
        change(&context, redis, command, Told::plain("PEXPIRE", format!("{key} {}", millis(after)), true))
            .map(|set| set.as_int() == Ok(1))
    }

    /// Reads how long a key still lasts.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    /// - `key` (text): the key
    ///
    /// # Returns
    /// A duration; `()` if it lasts for good.
    ///
    /// # Faults
    /// - `not_found`: the key is not there
    /// - `unreachable`: the connection broke
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// let store = redis::connect(address);
    /// store.set("session", "mine", #{ ex: "1h" });
    /// print(store.ttl("session"));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn ttl(context: NativeCallContext, redis: &mut Redis, key: &str) -> Outcome<Dynamic> {
        match ask(&context, redis, redis::cmd("PTTL").arg(key).take(), format!("key `{key}`"))? {
            Value::Int(left) if left >= 0 => Ok(Dynamic::from(Duration::from_millis(left.unsigned_abs()))),
            Value::Int(-1) => Ok(Dynamic::UNIT),
            _ => Err(context.raise(Fault::new(Kind::NotFound, format!("key `{key}` is not in `{redis}`")))),
        }
    }

    /// Reads what the server tells of itself.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    ///
    /// # Returns
    /// A map of sections (`server`, `replication`, `memory` …), each a map of fields; numbers are numbers.
    ///
    /// # Faults
    /// - `denied`: this user may not ask
    /// - `unreachable`: the connection broke
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// let info = redis::connect(address).info();
    /// print(`${info.server.redis_version}, a ${info.replication.role}`);
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn info(context: NativeCallContext, redis: &mut Redis) -> Outcome<Map> {
        let answer = of_answer(ask(&context, redis, redis::cmd("INFO"), "itself".to_owned())?);
        Ok(of_info(&answer.to_string()))
    }

    /// Sends any command.
    ///
    /// One that only reads is asked like any question: those named below, and what the server itself counts among them. All
    /// others are announced as changes that are not made twice.
    ///
    /// # Parameters
    /// - `redis` (redis): the connection
    /// - `argv` (list): the command and its arguments; texts, numbers, bytes or secrets
    ///
    /// # Returns
    /// What the server answers: a text, a number, a list, a map, or `()` for nil.
    ///
    /// # Effect
    /// What the command does. After a crash in the middle of it a person is asked whether it happened. Outside of a step only
    /// those can be sent that change nothing:
    ///
    /// - `argv`: `PING`, `ECHO`, `INFO`, `TIME`, `ROLE`, `DBSIZE`, `LASTSAVE`; `GET`, `MGET`, `STRLEN`, `GETRANGE`, `EXISTS`,
    ///   `TYPE`, `TTL`, `PTTL`, `KEYS`, `SCAN`, `RANDOMKEY`; `LLEN`, `LRANGE`, `LINDEX`; `HGET`, `HMGET`, `HGETALL`, `HKEYS`,
    ///   `HVALS`, `HLEN`, `HEXISTS`, `HSCAN`; `SMEMBERS`, `SISMEMBER`, `SCARD`, `SSCAN`; `ZRANGE`, `ZSCORE`, `ZRANK`, `ZCARD`,
    ///   `ZCOUNT`, `ZSCAN`; `XLEN`, `XRANGE`
    ///
    /// # Faults
    /// - `usage`: there is no command
    /// - `invalid`: the server refuses it
    /// - `denied`: this user may not do it
    /// - `unsupported`: the server is a replica
    /// - `in_doubt`: the connection broke, and nobody knows whether it was done
    /// - `unreachable`: no connection
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai redis
    /// let store = redis::connect(address);
    /// store.command(["RPUSH", "queue", "first", "second"]);
    /// print(store.command(["LRANGE", "queue", 0, -1]));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn command(context: NativeCallContext, redis: &mut Redis, argv: Array) -> Outcome<Dynamic> {
        let Some(verb) = argv.first().map(|verb| verb.to_string().to_uppercase()) else {
            return Err(
                context.raise(Fault::new(Kind::Usage, "there is no command to send").hint("such as `[\"DBSIZE\"]`"))
            );
        };
        let mut command = Cmd::new();
        let mut shown = Vec::new();
        for argument in &argv {
            shown.push(push(&mut command, argument).map_err(|fault| context.raise(fault))?);
        }
        let object = shown[1..].join(" ");
        if context.is_harmless("redis::command", "argv", &verb) || only_reads(&context, redis, &verb)? {
            return ask(&context, redis, command, format!("{verb} {object}")).map(of_answer);
        }
        let identity = plain_fingerprint(&argv.into());
        change(&context, redis, command, Told { verb, object, identity, repeatable: false })
    }
}

/// Asks whether the server is there.
pub fn ping(context: &NativeCallContext, redis: &Redis) -> Outcome<Duration> {
    let clock = context.host().clock;
    let begun = clock.elapsed();
    ask(context, redis, redis::cmd("PING"), "an answer".to_owned())?;
    Ok(clock.elapsed().saturating_sub(begun))
}

fn ask(context: &NativeCallContext, redis: &Redis, command: Cmd, what: String) -> Outcome<Value> {
    let asked = redis.clone();
    let waiting = Waiting::request(format!("{what} of redis at {redis}"), redis.target().timeout);
    context.wait(waiting, |_| async move { asked.ask(&command).await })
}

/// True if the server counts the command among those that only read.
fn only_reads(context: &NativeCallContext, redis: &Redis, verb: &str) -> Outcome<bool> {
    let about = redis::cmd("COMMAND").arg("INFO").arg(verb).take();
    let asked = redis.clone();
    let waiting = Waiting::request(format!("what {verb} does of redis at {redis}"), redis.target().timeout);
    // Whoever may not ask announces it as a change.
    let known = context.wait(waiting, |_| async move {
        match asked.ask(&about).await {
            Err(fault) if matches!(fault.kind, Kind::Denied | Kind::Invalid) => Ok(Value::Nil),
            answer => answer,
        }
    })?;
    let listed = of_answer(known);
    let first = listed.read_lock::<Array>().and_then(|listed| listed.first().cloned()).unwrap_or_default();
    let flags = first.read_lock::<Array>().and_then(|about| about.get(2).cloned()).unwrap_or_default();
    let reads = flags.read_lock::<Array>().is_some_and(|flags| flags.iter().any(|flag| flag.to_string() == "readonly"));
    Ok(reads)
}

fn add(context: &NativeCallContext, redis: &Redis, key: &str, by: i64) -> Outcome<i64> {
    let command = redis::cmd("INCRBY").arg(key).arg(by).take();
    let sum = change(context, redis, command, Told::plain("INCRBY", format!("{key} {by}"), false))?;
    Ok(sum.as_int().unwrap_or_default())
}

fn set_key(context: &NativeCallContext, redis: &Redis, key: &str, value: &Dynamic, options: Map) -> Outcome<bool> {
    let given = options.clone();
    let options = context.options("redis::set", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let contradiction = [["nx", "xx"], ["ex", "keep_ttl"]]
        .into_iter()
        .find(|pair| pair.iter().all(|name| options.value(name).is_some_and(|given| given.as_bool().unwrap_or(true))));
    if let Some([one, other]) = contradiction {
        let fault = Fault::new(Kind::Usage, format!("options `{one}` and `{other}` contradict each other"));
        return Err(raise(fault.hint("leave one of them out")));
    }
    let mut command = redis::cmd("SET");
    command.arg(key);
    let shown = push(&mut command, value).map_err(raise)?;
    if let Some(after) = options.duration("ex").map_err(raise)? {
        command.arg("PX").arg(millis(after));
    }
    for (option, word) in [("keep_ttl", "KEEPTTL"), ("nx", "NX"), ("xx", "XX")] {
        if options.flag(option) {
            command.arg(word);
        }
    }
    let repeatable = !options.flag("nx") && !options.flag("xx");
    let object = if value.is::<Secret>() { format!("{key} to {shown}") } else { key.to_owned() };
    let identity = plain_fingerprint(&vec![key.to_owned().into(), value.clone(), given.into()].into());
    change(context, redis, command, Told { verb: "SET".to_owned(), object, identity, repeatable })
        .map(|answer| !answer.is_unit())
}

/// A change as it is announced.
struct Told {
    verb: String,
    object: String,
    /// Another request is another change; secrets are in it by reference.
    identity: String,
    repeatable: bool,
}

impl Told {
    fn plain(verb: &str, object: String, repeatable: bool) -> Self {
        Self { verb: verb.to_owned(), identity: object.clone(), object, repeatable }
    }
}

/// Announces a command that changes something, and sends it once.
fn change(context: &NativeCallContext, redis: &Redis, command: Cmd, told: Told) -> Outcome<Dynamic> {
    let Told { verb, object, identity, repeatable } = told;
    let why = format!("a {verb} leaves nothing behind that tells whether it was done");
    let effect = Effect {
        digest: digest(&[redis.to_string().as_bytes(), verb.as_bytes(), identity.as_bytes()]),
        object: format!("{redis}: {object}").trim_end_matches([':', ' ']).to_owned(),
        verb,
        repeatable,
        destroys: None,
    };
    let title = format!("{} {}", effect.verb, effect.object);
    let (asked, secrets) = (redis.clone(), context.host().secrets);
    let perform = async move {
        let answer = if repeatable { asked.ask(&command).await? } else { asked.once(&command).await? };
        let value = of_answer(answer);
        let kept = if repeatable { serde_json::Value::Null } else { kept::keep(&value, &secrets) };
        Ok(Changed { value, kept, detail: None })
    };
    if repeatable {
        return context.change(Change::repeatable(effect, redis.target().timeout, perform));
    }
    let recall = move |kept: serde_json::Value| -> BoxFuture<'static, _> {
        Box::pin(async move { kept::recall(&title, &kept) })
    };
    let settle = async move {
        let assumed = Changed { value: Dynamic::UNIT, kept: serde_json::json!({ "value": null }), detail: None };
        Ok(Settled::Unknown { why, assumed })
    };
    context.change(Change {
        effect,
        deadline: redis.target().timeout,
        perform: Box::new(|_| Box::pin(perform)),
        recall: Box::new(recall),
        settle: Box::pin(settle),
    })
}

/// Adds an argument to a command; answers it as it may be shown.
fn push(command: &mut Cmd, argument: &Dynamic) -> Result<String, Fault> {
    if let Some(secret) = argument.read_lock::<Secret>() {
        command.arg(secret.expose());
        return Ok(format!("{:?}", *secret));
    }
    if let Some(bytes) = argument.read_lock::<Blob>() {
        command.arg(&bytes[..]);
        return Ok(format!("{} bytes", bytes.len()));
    }
    if argument.is_string() || argument.is_int() || argument.is_float() || argument.is_char() {
        let text = argument.to_string();
        command.arg(&text);
        return Ok(text);
    }
    Err(Fault::new(
        Kind::Usage,
        format!("Redis holds texts, numbers and bytes, and was given a `{}`", argument.type_name()),
    )
    .hint("`json::write` makes a text of a map or a list"))
}

fn period(given: &Dynamic, name: &str) -> Result<Duration, Fault> {
    if let Some(period) = given.read_lock::<Duration>() {
        return Ok(*period);
    }
    match given.as_int() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.max(0).unsigned_abs())),
        Err(_) => duration::parse(&given.to_string()).map_err(|why| {
            Fault::new(Kind::Usage, format!("`{name}` is no duration: {why}")).hint("such as `\"90s\"`")
        }),
    }
}

fn millis(period: Duration) -> u64 {
    u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1)
}
