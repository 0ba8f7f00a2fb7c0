//! What goes wrong with a Redis server, as faults.

use redis::{ErrorKind, RedisError};

use crate::{
    script::fault::{Fault, Kind},
    wire::failure::Unconnected,
};

/// Why there is no connection.
pub fn of_no_connection(error: &Unconnected, shown: &str) -> Fault {
    // A tunnel says itself why it leads nowhere.
    if let Some(fault) = Fault::behind(error) {
        return fault.clone();
    }
    let kind = if error.is_trust() { Kind::Tls } else { Kind::Unreachable };
    let fault = Fault::new(kind, format!("no connection to `{shown}`: {error}"));
    match error {
        _ if kind == Kind::Tls => {
            fault.hint("name whom to trust with the option `ca`; a server without TLS needs none of it")
        }
        Unconnected::Dial(_) => fault.hint("is Redis running, and is this its address and port?"),
        Unconnected::Tls(_) => fault.hint("does this port speak TLS? leave the option `tls` out if it doesn't"),
        _ => fault.hint("check the name, and the way to it"),
    }
}

/// The fault for an error of the protocol, and whether the server may have acted on what was sent.
pub struct Broken {
    pub fault: Fault,
    pub doubt: bool,
}

pub fn of_error(error: &RedisError, shown: &str) -> Broken {
    let said = error.detail().unwrap_or_default().to_owned();
    let answer = |kind: Kind, message: String| {
        let fault = Fault::new(kind, message);
        Broken { fault: if said.is_empty() { fault } else { fault.note(said.clone()) }, doubt: false }
    };
    let with_hint = |broken: Broken, hint: &str| Broken { fault: broken.fault.hint(hint), ..broken };
    match (error.code(), error.kind()) {
        (Some("NOAUTH"), _) => with_hint(
            answer(Kind::Unauthenticated, format!("`{shown}` wants a password")),
            "give it as the option `password`, such as `secret::env(\"REDIS_PASSWORD\")`",
        ),
        (Some("WRONGPASS"), _) | (_, ErrorKind::AuthenticationFailed) => with_hint(
            answer(Kind::Unauthenticated, format!("`{shown}` does not accept the user or the password")),
            "check the options `user` and `password`; a server without a password wants none",
        ),
        (Some("NOPERM"), _) => answer(Kind::Denied, format!("`{shown}` does not allow this user to do it")),
        (Some("LOADING"), _) => with_hint(
            answer(Kind::Unavailable, format!("`{shown}` is still loading its data")),
            "`redis::wait` waits until it is done",
        ),
        (Some("READONLY"), _) => with_hint(
            answer(Kind::Unsupported, format!("`{shown}` is a replica, which takes no changes")),
            "change the primary; `info().replication` says where it is",
        ),
        (Some(code @ ("MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "BUSY" | "MISCONF")), _) => {
            answer(Kind::Unavailable, format!("`{shown}` can't do it for now: {code}"))
        }
        (Some(code @ ("MOVED" | "ASK" | "CROSSSLOT")), _) => with_hint(
            answer(Kind::Unsupported, format!("`{shown}` is one of a cluster, and the key lies elsewhere: {code}")),
            "connect to the server that it names",
        ),
        (_, ErrorKind::RESP3NotSupported) => with_hint(
            answer(Kind::Unsupported, format!("`{shown}` does not speak RESP3")),
            "the option `protocol: 2` is for servers before Redis 6",
        ),
        (Some(code), _) => answer(Kind::Invalid, format!("`{shown}` refuses it: {code}")),
        (None, ErrorKind::Parse) => {
            let fault =
                Fault::new(Kind::Unavailable, format!("`{shown}` answers with something that Redis does not say"));
            let fault = fault.note(error.to_string()).hint("is this the port of a Redis server, and does it want TLS?");
            Broken { fault, doubt: true }
        }
        (None, _) => {
            let behind = Fault::behind(error).cloned();
            let broke =
                || Fault::new(Kind::Unreachable, format!("the connection to `{shown}` broke")).note(error.to_string());
            Broken { fault: behind.unwrap_or_else(broke), doubt: true }
        }
    }
}
