//! Who is connected: what they showed, which database they chose, and what they may do.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use super::{
    Redis, VERSION, commands,
    keys::DATABASES,
    protocol::{Reply, number},
};

/// All commands of the real server with how many words they take: at least so many, if it is negative.
const COMMANDS: &str = include_str!("commands-7.0.txt");

const WRONG_PASSWORD: &str = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD: &str = "ERR AUTH <password> called without any password configured for the default user. Are you sure \
                           your configuration is correct?";
const HELLO_FIRST: &str = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
                           AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol \
                           version at the same time";

/// What becomes of a connection after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Goes,
    Ends,
}

/// One client.
pub struct Session {
    pub server: Arc<Redis>,
    pub database: usize,
    id: u64,
    name: Vec<u8>,
    version: u8,
    authenticated: bool,
}

impl Session {
    pub fn new(server: &Arc<Redis>) -> Self {
        Self {
            server: server.clone(),
            database: 0,
            id: server.next_connection(),
            name: Vec::new(),
            version: 2,
            authenticated: server.password.is_none(),
        }
    }

    /// Of the protocol.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Does what a command says.
    pub fn obey(&mut self, words: &[Vec<u8>]) -> (Reply, Next) {
        let name = lower(&words[0]);
        if let Err(refused) = admitted(&name, words) {
            return (refused, Next::Goes);
        }
        if !self.authenticated && !["auth", "hello", "quit", "reset"].contains(&name.as_str()) {
            return (Reply::error("NOAUTH Authentication required."), Next::Goes);
        }
        if self.server.is_loading() && !["auth", "hello", "quit", "reset", "info", "client"].contains(&name.as_str()) {
            return (Reply::error("LOADING Redis is loading the dataset in memory"), Next::Goes);
        }
        let rest = &words[1..];
        let reply = match name.as_str() {
            "quit" => return (Reply::Simple("OK"), Next::Ends),
            "auth" => self.auth(rest),
            "hello" => self.hello(rest),
            "reset" => self.reset(),
            "select" => self.select(&rest[0]),
            "client" => self.client(words),
            _ => match commands::obey(self, &name, rest) {
                Some(reply) => reply,
                None => self.not_modelled(&name),
            },
        };
        (reply, Next::Goes)
    }

    fn not_modelled(&self, what: &str) -> Reply {
        self.server.unmodelled.note(format!("redis: the simulator has no model of the command `{what}`"));
        Reply::error(format!("ERR the simulator has no model of the command '{what}'"))
    }

    fn auth(&mut self, words: &[Vec<u8>]) -> Reply {
        let (user, password) = match words {
            [password] => (&b"default"[..], password),
            [user, password] => (user.as_slice(), password),
            _ => return Reply::error("ERR syntax error"),
        };
        if words.len() == 1 && self.server.password.is_none() {
            return Reply::error(NO_PASSWORD);
        }
        match self.known(user, password) {
            true => {
                self.authenticated = true;
                Reply::Simple("OK")
            }
            false => Reply::error(WRONG_PASSWORD),
        }
    }

    fn known(&self, user: &[u8], password: &[u8]) -> bool {
        user == b"default" && self.server.password.as_ref().is_none_or(|known| known.as_bytes() == password)
    }

    fn hello(&mut self, words: &[Vec<u8>]) -> Reply {
        let mut version = self.version;
        if let Some(wanted) = words.first() {
            version = match number(wanted) {
                Some(2) => 2,
                Some(3) => 3,
                Some(_) => return Reply::error("NOPROTO unsupported protocol version"),
                None => return Reply::error("ERR Protocol version is not an integer or out of range"),
            };
        }
        let mut options = words.iter().skip(1);
        while let Some(option) = options.next() {
            let wrong =
                || Reply::error(format!("ERR Syntax error in HELLO option '{}'", String::from_utf8_lossy(option)));
            match (lower(option).as_str(), options.next(), option) {
                ("auth", Some(user), _) => {
                    let Some(password) = options.next() else { return wrong() };
                    if !self.known(user, password) {
                        return Reply::error(WRONG_PASSWORD);
                    }
                    self.authenticated = true;
                }
                ("setname", Some(name), _) => self.name = name.clone(),
                _ => return wrong(),
            }
        }
        if !self.authenticated {
            return Reply::error(HELLO_FIRST);
        }
        self.version = version;
        let said = [
            ("server", Reply::text("redis")),
            ("version", Reply::text(VERSION)),
            ("proto", Reply::Number(version.into())),
            ("id", Reply::Number(i64::try_from(self.id).expect("there are not so many connections"))),
            ("mode", Reply::text("standalone")),
            ("role", Reply::text("master")),
            ("modules", Reply::List(Vec::new())),
        ];
        Reply::Map(said.into_iter().map(|(name, value)| (Reply::text(name), value)).collect())
    }

    fn reset(&mut self) -> Reply {
        self.database = 0;
        self.version = 2;
        self.name.clear();
        self.authenticated = self.server.password.is_none();
        Reply::Simple("RESET")
    }

    fn select(&mut self, wanted: &[u8]) -> Reply {
        match number(wanted).map(usize::try_from) {
            None => Reply::error(commands::NO_NUMBER),
            Some(Ok(database @ 0..DATABASES)) => {
                self.database = database;
                Reply::Simple("OK")
            }
            Some(_) => Reply::error("ERR DB index is out of range"),
        }
    }

    fn client(&mut self, words: &[Vec<u8>]) -> Reply {
        let part = lower(&words[1]);
        match part.as_str() {
            "id" => Reply::Number(i64::try_from(self.id).expect("there are not so many connections")),
            "getname" if self.name.is_empty() => Reply::Nothing,
            "getname" => Reply::Text(self.name.clone()),
            "setname" if words[2].iter().any(|letter| !(b'!'..=b'~').contains(letter)) => {
                Reply::error("ERR Client names cannot contain spaces, newlines or special characters.")
            }
            "setname" => {
                self.name.clone_from(&words[2]);
                Reply::Simple("OK")
            }
            _ => self.not_modelled(&format!("client|{part}")),
        }
    }
}

/// Whether there is such a command, with so many words.
fn admitted(name: &str, words: &[Vec<u8>]) -> Result<(), Reply> {
    let shown = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let Some(arity) = arities().get(name) else {
        let mut arguments = String::new();
        for word in words.iter().skip(1).take_while(|_| true) {
            if arguments.len() >= 128 {
                break;
            }
            arguments.push_str(&format!("'{}' ", shown(&word[..word.len().min(128 - arguments.len())])));
        }
        let first = shown(&words[0]);
        return Err(Reply::error(format!("ERR unknown command '{first}', with args beginning with: {arguments}")));
    };
    fits(*arity, words.len(), name)?;
    let has_parts =
        arities().range(format!("{name}|")..).next().is_some_and(|(other, _)| other.starts_with(&format!("{name}|")));
    if let (true, Some(part)) = (has_parts, words.get(1)) {
        let whole = format!("{name}|{}", lower(part));
        match arities().get(whole.as_str()) {
            Some(arity) => fits(*arity, words.len(), &whole)?,
            None => {
                let help = name.to_uppercase();
                return Err(Reply::error(format!("ERR unknown subcommand '{}'. Try {help} HELP.", shown(part))));
            }
        }
    }
    Ok(())
}

fn fits(arity: i64, count: usize, name: &str) -> Result<(), Reply> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if count == arity || arity < 0 && count >= -arity {
        return Ok(());
    }
    Err(Reply::error(format!("ERR wrong number of arguments for '{name}' command")))
}

fn arities() -> &'static BTreeMap<String, i64> {
    static READ: OnceLock<BTreeMap<String, i64>> = OnceLock::new();
    READ.get_or_init(|| {
        let lines = COMMANDS.lines().filter_map(|line| line.split_once(' '));
        lines.filter_map(|(name, arity)| Some((name.to_owned(), arity.parse().ok()?))).collect()
    })
}

pub fn lower(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_lowercase()
}
