//! Redis, held against Debian's own server where there is one: the same commands, the same bytes.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use simulator::{
    network::Server as _,
    redis::Redis,
    time::{Calendar, pass},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// What is sent on one connection, a line a command; `+1s` lets time pass.
const TALKS: &[&[&str]] = &[
    &["PING", "ping hello", "PING a b", "ECHO hello", "ECHO", "FOO a b", "foo", "QUIT"],
    &[
        "GET a",
        "SET a 1",
        "GET a",
        "INCR a",
        "INCRBY a 41",
        "DECR a",
        "DECRBY a 2",
        "GET a",
        "STRLEN a",
        "APPEND a 0",
        "GET a",
    ],
    &[
        "SET a x",
        "INCR a",
        "INCRBY a y",
        "SET a 9223372036854775807",
        "INCR a",
        "DECRBY a -9223372036854775808",
        "SET a 01",
        "INCR a",
    ],
    &["SET a 1 NX", "SET a 2 NX", "SET a 3 XX", "SET b 1 XX", "SET a 4 GET", "SET c 1 GET", "SET c 2 NX GET", "GET c"],
    &[
        "SET a 1 EX 0",
        "SET a 1 EX x",
        "SET a 1 EX -5",
        "SET a 1 NX XX",
        "SET a 1 EX 10 PX 10",
        "SET a 1 EX",
        "SET a 1 WHAT",
        "SET a",
    ],
    &[
        "SET a 1 EX 100",
        "TTL a",
        "SET a 2 KEEPTTL",
        "TTL a",
        "SET a 3",
        "TTL a",
        "TTL nothing",
        "PTTL nothing",
        "PERSIST a",
    ],
    &["SET a 1", "EXPIRE a 100", "TTL a", "PERSIST a", "TTL a", "EXPIRE a x", "EXPIRE nothing 10", "EXPIRE a 10 FOO"],
    &[
        "SET a 1",
        "EXPIRE a 10 XX",
        "EXPIRE a 10 NX",
        "EXPIRE a 20 NX",
        "EXPIRE a 5 GT",
        "EXPIRE a 20 GT",
        "EXPIRE a 5 LT",
        "TTL a",
    ],
    &["SET a 1", "EXPIRE a 10 NX XX", "EXPIRE a 10 GT LT", "EXPIRE a -1", "EXISTS a", "EXPIRE a 9223372036854775807"],
    &["SET a 1 PX 300", "EXISTS a", "+1s", "EXISTS a", "GET a", "TTL a"],
    &[
        "SETEX a 100 v",
        "TTL a",
        "PSETEX b 100000 v",
        "TTL b",
        "SETEX a 0 v",
        "SETEX a x v",
        "SETNX a w",
        "SETNX n w",
        "GETSET n x",
        "GET n",
    ],
    &[
        "MSET a 1 b 2",
        "MSET a",
        "MSET a 1 b",
        "MGET a b c",
        "DEL a c",
        "UNLINK b",
        "EXISTS a b",
        "EXISTS a a",
        "GETDEL a",
        "DEL",
    ],
    &[
        "MSET one 1 two 2 three 3",
        "KEYS t*",
        "KEYS ???",
        "KEYS [ot]*e",
        "KEYS [^o]??",
        "KEYS \\o*",
        "KEYS [n-p]*",
        "DBSIZE",
        "TYPE one",
        "TYPE none",
    ],
    &[
        "SELECT 1",
        "SET a 1",
        "SELECT 0",
        "GET a",
        "SELECT 16",
        "SELECT x",
        "SELECT -1",
        "SELECT 1",
        "GET a",
        "FLUSHDB",
        "DBSIZE",
    ],
    &[
        "CLIENT GETNAME",
        "CLIENT SETNAME me",
        "CLIENT GETNAME",
        "CLIENT FOO",
        "CLIENT",
        "CLIENT SETINFO lib-name x",
        "CLIENT KILL",
        "RESET",
    ],
    &["AUTH x", "AUTH default x", "AUTH nobody x", "AUTH a b c", "AUTH"],
    &["HELLO 4", "HELLO x", "HELLO 3 FOO", "HELLO 3 AUTH nobody x", "GET a", "HELLO 2 SETNAME you", "CLIENT GETNAME"],
    &["SET a 1", "FLUSHALL", "GET a", "CONFIG FOO", "get", "type", "keys", "incr a b", "SELECT"],
];

/// The same, in version 3 of the protocol.
const THIRD: &[&str] =
    &["HELLO 3", "GET nothing", "SET a 1 EX 100", "MGET a b", "CLIENT GETNAME", "SET a 1 NX", "FOO", "RESET", "GET b"];

struct Real {
    child: Child,
    port: u16,
}

impl Drop for Real {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Real {
    fn start(options: &[&str]) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"]).args(options);
        let child = command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let Ok(child) = child else {
            println!("redis-server: not there, skipped");
            return None;
        };
        let real = Self { child, port };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(real);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    fn talk(&self, lines: &[&str]) -> Vec<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(&packed("FLUSHALL")).unwrap();
        let mut said = Vec::new();
        let receive = |stream: &mut TcpStream| {
            let mut piece = [0; 65536];
            let length = stream.read(&mut piece).unwrap();
            String::from_utf8_lossy(&piece[..length]).into_owned()
        };
        receive(&mut stream);
        for line in lines {
            if *line == "+1s" {
                std::thread::sleep(Duration::from_secs(1));
                continue;
            }
            stream.write_all(&packed(line)).unwrap();
            said.push(format!("{line}: {}", told(&receive(&mut stream))));
        }
        said
    }
}

fn packed(line: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut out = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| out.push_str(&format!("${}\r\n{word}\r\n", word.len())));
    out.into_bytes()
}

/// Without the number of the connection.
fn told(reply: &str) -> String {
    let mut lines: Vec<&str> = reply.split("\r\n").collect();
    if let Some(at) = lines.iter().position(|line| *line == "id") {
        lines[at + 1] = ":ID";
    }
    lines.join("\\r\\n")
}

async fn begin(server: Redis) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    tokio::spawn(Arc::new(server).serve(Box::new(theirs)));
    ours
}

async fn exchange(stream: &mut DuplexStream, line: &str) -> String {
    stream.write_all(&packed(line)).await.unwrap();
    let mut piece = [0; 65536];
    let length = stream.read(&mut piece).await.unwrap();
    String::from_utf8_lossy(&piece[..length]).into_owned()
}

fn simulated(prepare: impl FnOnce(&mut Redis), lines: &[&str]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let calendar = Calendar::beginning("2026-01-01T09:00:00Z".parse().unwrap());
        let mut server = Redis::new(calendar, &[].into(), Arc::default());
        prepare(&mut server);
        let mut stream = begin(server).await;
        let mut said = Vec::new();
        for line in lines {
            match *line {
                "+1s" => pass(Duration::from_secs(1)).await,
                line => said.push(format!("{line}: {}", told(&exchange(&mut stream, line).await))),
            }
        }
        said
    })
}

#[test]
fn the_same_commands_have_the_same_answers_as_on_the_real_server() {
    let Some(real) = Real::start(&[]) else { return };
    for talk in TALKS.iter().chain([&THIRD]) {
        let (mut ours, mut theirs) = (simulated(|_| {}, talk), real.talk(talk));
        // It lists keys in an order of its own.
        for said in ours.iter_mut().chain(&mut theirs).filter(|line| line.starts_with("KEYS")) {
            let mut words: Vec<&str> = said.split("\\r\\n").collect();
            words.sort_unstable();
            *said = words.join(" ");
        }
        assert_eq!(ours, theirs);
    }
}

#[test]
fn who_shows_no_password_is_told_so_as_by_the_real_server() {
    let Some(real) = Real::start(&["--requirepass", "secret"]) else { return };
    let talk = ["PING", "AUTH wrong", "AUTH secret", "PING"];
    let locked = |lines: &[&str]| simulated(|server| server.password = Some("secret".to_owned()), lines);
    assert_eq!(locked(&talk), real.talk(&talk));
    let talk =
        ["HELLO 3", "GET a", "HELLO 3 AUTH default wrong", "HELLO 3 AUTH default secret", "GET a", "RESET", "GET a"];
    assert_eq!(locked(&talk), real.talk(&talk));
}

#[test]
fn a_server_that_loads_its_data_says_so_until_it_has() {
    let loading = |server: &mut Redis| server.loaded = tokio::time::Instant::now() + Duration::from_millis(1500);
    let said = simulated(loading, &["GET a", "PING", "+1s", "GET a", "+1s", "GET a"]);
    let refused = "-LOADING Redis is loading the dataset in memory\\r\\n";
    assert_eq!(
        said,
        [
            format!("GET a: {refused}"),
            format!("PING: {refused}"),
            format!("GET a: {refused}"),
            "GET a: $-1\\r\\n".into()
        ]
    );
}

#[test]
fn what_has_no_model_is_refused_by_name_and_noted() {
    let unmodelled = Arc::new(simulator::world::Unmodelled::default());
    let noted = unmodelled.clone();
    let said = simulated(|server| server.unmodelled = noted, &["LPUSH a b", "CLIENT LIST", "LPUSH a b"]);
    assert!(said[0].contains("-ERR the simulator has no model of the command 'lpush'"), "{said:?}");
    assert_eq!(
        unmodelled.all(),
        [
            "redis: the simulator has no model of the command `lpush`",
            "redis: the simulator has no model of the command `client|list`"
        ]
    );
}
