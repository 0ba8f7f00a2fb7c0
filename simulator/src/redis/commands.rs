//! What commands do with keys.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::Instant;

use super::{
    VERSION,
    keys::{Keys, like},
    protocol::{Reply, number},
    session::{Session, lower},
};

pub const NO_NUMBER: &str = "ERR value is not an integer or out of range";
const SYNTAX: &str = "ERR syntax error";

/// The answer to a command; nothing for one that is not modelled.
pub fn obey(session: &Session, name: &str, words: &[Vec<u8>]) -> Option<Reply> {
    let mut databases = session.server.databases();
    let keys = databases.of(session.database);
    Some(match name {
        "ping" => match words {
            [] => Reply::Simple("PONG"),
            [text] => Reply::Text(text.clone()),
            _ => Reply::error("ERR wrong number of arguments for 'ping' command"),
        },
        "echo" => Reply::Text(words[0].clone()),
        "get" => got(keys.get(&words[0])),
        "set" => set(keys, words),
        "setnx" => Reply::Number(i64::from(
            !keys.has(&words[0]) && {
                keys.set(&words[0], words[1].clone(), None);
                true
            },
        )),
        "setex" | "psetex" => set_for(keys, name, words),
        "getset" => {
            let before = got(keys.get(&words[0]));
            keys.set(&words[0], words[1].clone(), None);
            before
        }
        "getdel" => got(keys.remove(&words[0]).as_ref()),
        "append" => {
            let whole = [keys.get(&words[0]).cloned().unwrap_or_default(), words[1].clone()].concat();
            let length = counted(whole.len());
            keys.change(&words[0], whole);
            length
        }
        "strlen" => counted(keys.get(&words[0]).map_or(0, Vec::len)),
        "mget" => Reply::List(words.iter().map(|key| got(keys.get(key))).collect()),
        "mset" if words.len() % 2 == 1 => Reply::error("ERR wrong number of arguments for 'mset' command"),
        "mset" => {
            words.chunks(2).for_each(|pair| keys.set(&pair[0], pair[1].clone(), None));
            Reply::Simple("OK")
        }
        "del" | "unlink" => counted(words.iter().filter(|key| keys.remove(key).is_some()).count()),
        "exists" => counted(words.iter().filter(|key| keys.has(key)).count()),
        "incr" => add(keys, &words[0], 1),
        "decr" => add(keys, &words[0], -1),
        "incrby" => number(&words[1]).map_or_else(no_number, |more| add(keys, &words[0], more)),
        "decrby" => match number(&words[1]) {
            None => no_number(),
            Some(i64::MIN) => Reply::error("ERR decrement would overflow"),
            Some(less) => add(keys, &words[0], -less),
        },
        "expire" | "pexpire" => expire(keys, name, words),
        "persist" => {
            let expires = keys.expires(&words[0]).flatten().is_some();
            Reply::Number(i64::from(expires && keys.expire(&words[0], None)))
        }
        "ttl" | "pttl" => left(keys, name, &words[0]),
        "type" => Reply::Simple(if keys.has(&words[0]) { "string" } else { "none" }),
        "keys" => Reply::List(keys.names().into_iter().filter(|key| like(&words[0], key)).map(Reply::Text).collect()),
        "dbsize" => counted(keys.names().len()),
        "flushdb" => {
            keys.clear();
            Reply::Simple("OK")
        }
        "flushall" => {
            databases.all().for_each(|(_, keys)| keys.clear());
            Reply::Simple("OK")
        }
        "time" => {
            let now = session.server.calendar.now().as_microsecond();
            let parts = [now / 1_000_000, now % 1_000_000];
            Reply::List(parts.map(|part| Reply::text(part.to_string())).to_vec())
        }
        "info" => {
            let spaces: Vec<_> = databases.all().map(|(number, keys)| (number, keys.counts())).collect();
            Reply::Prose(info(session, words, &spaces))
        }
        _ => return None,
    })
}

fn got(value: Option<&Vec<u8>>) -> Reply {
    value.map_or(Reply::Nothing, |value| Reply::Text(value.clone()))
}

fn counted(count: usize) -> Reply {
    Reply::Number(i64::try_from(count).expect("there are not so many"))
}

fn no_number() -> Reply {
    Reply::error(NO_NUMBER)
}

fn add(keys: &mut Keys, key: &[u8], more: i64) -> Reply {
    let Some(before) = keys.get(key).map_or(Some(0), |value| number(value)) else { return no_number() };
    let Some(sum) = before.checked_add(more) else {
        return Reply::error("ERR increment or decrement would overflow");
    };
    keys.change(key, sum.to_string().into_bytes());
    Reply::Number(sum)
}

/// How `SET` is to be done.
#[derive(Default)]
struct Manner {
    only_new: bool,
    only_there: bool,
    gets: bool,
    keeps: bool,
    lasts: Option<(Vec<u8>, &'static str)>,
}

impl Manner {
    fn read(words: &[Vec<u8>]) -> Option<Self> {
        let mut manner = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let dated = manner.lasts.is_some() || manner.keeps;
            match lower(word).as_str() {
                "nx" if !manner.only_there => manner.only_new = true,
                "xx" if !manner.only_new => manner.only_there = true,
                "get" => manner.gets = true,
                "keepttl" if !dated => manner.keeps = true,
                unit @ ("ex" | "px" | "exat" | "pxat") if !dated => {
                    let unit = ["ex", "px", "exat", "pxat"].into_iter().find(|known| *known == unit)?;
                    manner.lasts = Some((words.next()?.clone(), unit));
                }
                _ => return None,
            }
        }
        Some(manner)
    }
}

fn set(keys: &mut Keys, words: &[Vec<u8>]) -> Reply {
    let (key, value) = (&words[0], &words[1]);
    let Some(manner) = Manner::read(&words[2..]) else { return Reply::error(SYNTAX) };
    let expires = match &manner.lasts {
        None => None,
        Some((text, unit)) => match moment(text, unit, "set") {
            Ok(expires) => Some(expires),
            Err(refused) => return refused,
        },
    };
    let before = keys.get(key).cloned();
    let refused = manner.only_new && before.is_some() || manner.only_there && before.is_none();
    if !refused {
        match manner.keeps {
            true => keys.change(key, value.clone()),
            false => keys.set(key, value.clone(), expires),
        }
    }
    match (manner.gets, refused) {
        (true, _) => got(before.as_ref()),
        (false, true) => Reply::Nothing,
        (false, false) => Reply::Simple("OK"),
    }
}

fn set_for(keys: &mut Keys, name: &str, words: &[Vec<u8>]) -> Reply {
    match moment(&words[1], if name == "setex" { "ex" } else { "px" }, name) {
        Ok(expires) => {
            keys.set(&words[0], words[2].clone(), Some(expires));
            Reply::Simple("OK")
        }
        Err(refused) => refused,
    }
}

/// When something expires that lasts so many seconds (`ex`) or milliseconds (`px`).
fn moment(text: &[u8], unit: &str, command: &str) -> Result<Instant, Reply> {
    let invalid = || Reply::error(format!("ERR invalid expire time in '{command}' command"));
    let length = number(text).ok_or_else(no_number)?;
    let length = u64::try_from(length).ok().filter(|length| *length > 0).ok_or_else(invalid)?;
    let length = match unit {
        "ex" => Duration::from_millis(length.checked_mul(1000).ok_or_else(invalid)?),
        "px" => Duration::from_millis(length),
        _ => return Err(Reply::error("ERR the simulator has no model of moments in the option EXAT")),
    };
    Instant::now().checked_add(length).ok_or_else(invalid)
}

fn expire(keys: &mut Keys, name: &str, words: &[Vec<u8>]) -> Reply {
    let Some(length) = number(&words[1]) else { return no_number() };
    let options: Vec<String> = words[2..].iter().map(|word| lower(word)).collect();
    if let Some(index) = options.iter().position(|option| !["nx", "xx", "gt", "lt"].contains(&option.as_str())) {
        return Reply::error(format!("ERR Unsupported option {}", String::from_utf8_lossy(&words[2 + index])));
    }
    let has = |option: &str| options.iter().any(|given| given == option);
    if has("nx") && (has("xx") || has("gt") || has("lt")) {
        return Reply::error("ERR NX and XX, GT or LT options at the same time are not compatible");
    }
    if has("gt") && has("lt") {
        return Reply::error("ERR GT and LT options at the same time are not compatible");
    }
    let unit = if name == "expire" { 1000 } else { 1 };
    let Some(length) = length.checked_mul(unit) else {
        return Reply::error(format!("ERR invalid expire time in '{name}' command"));
    };
    let Some(current) = keys.expires(&words[0]) else { return Reply::Number(0) };
    let Ok(length) = u64::try_from(length) else {
        keys.remove(&words[0]);
        return Reply::Number(1);
    };
    let expires = Instant::now() + Duration::from_millis(length);
    let unwanted = has("nx") && current.is_some()
        || has("xx") && current.is_none()
        || has("gt") && current.is_none_or(|current| expires <= current)
        || has("lt") && current.is_some_and(|current| expires >= current);
    Reply::Number(i64::from(!unwanted && keys.expire(&words[0], Some(expires))))
}

fn left(keys: &mut Keys, name: &str, key: &[u8]) -> Reply {
    let left = match keys.expires(key) {
        None => -2,
        Some(None) => -1,
        Some(Some(expires)) => {
            let left = expires.saturating_duration_since(Instant::now()).as_millis();
            let left = i64::try_from(left).unwrap_or(i64::MAX);
            // In seconds it is rounded.
            if name == "ttl" { left.saturating_add(500) / 1000 } else { left }
        }
    };
    Reply::Number(left)
}

/// The parts of `INFO` that a runbook looks at.
fn info(session: &Session, sections: &[Vec<u8>], spaces: &[(usize, (usize, usize, u128))]) -> String {
    let server = &session.server;
    let up = server.up_for().as_secs();
    let count = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::Relaxed);
    let keyspace = spaces.iter().filter(|(_, (keys, ..))| *keys > 0);
    let keyspace = keyspace
        .map(|(number, (keys, expires, left))| format!("db{number}:keys={keys},expires={expires},avg_ttl={left}\r\n"));
    let all = [
        (
            "Server",
            format!(
                "redis_version:{VERSION}\r\nredis_mode:standalone\r\nos:Linux\r\narch_bits:64\r\nuptime_in_seconds:{up}\r\n\
                 uptime_in_days:{}\r\n",
                up / 86_400
            ),
        ),
        ("Clients", "connected_clients:1\r\nblocked_clients:0\r\n".to_owned()),
        (
            "Memory",
            "used_memory:1048576\r\nused_memory_human:1.00M\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
                .to_owned(),
        ),
        ("Persistence", format!("loading:{}\r\nrdb_last_bgsave_status:ok\r\n", u8::from(server.is_loading()))),
        (
            "Stats",
            format!(
                "total_connections_received:{}\r\ntotal_commands_processed:{}\r\n",
                count(&server.connections),
                count(&server.commands)
            ),
        ),
        ("Replication", "role:master\r\nconnected_slaves:0\r\n".to_owned()),
        ("Keyspace", keyspace.collect()),
    ];
    let wanted: Vec<String> = sections.iter().map(|section| lower(section)).collect();
    let everything =
        wanted.is_empty() || wanted.iter().any(|word| ["all", "default", "everything"].contains(&word.as_str()));
    let chosen = all.iter().filter(|(title, _)| everything || wanted.contains(&title.to_lowercase()));
    chosen.map(|(title, lines)| format!("# {title}\r\n{lines}")).collect::<Vec<_>>().join("\r\n")
}
