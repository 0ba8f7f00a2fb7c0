//! What servers of other protocols may say: DNS answers, ends of commands, forwarded channels, Redis replies, followed logs.

use cozyscript::{
    bindings::{
        dns::record::Question,
        redis::value::{of_answer, of_info},
    },
    kubernetes::{
        exec::{Command, Ended, outcome},
        forward::Channels,
        logs::Told,
    },
};

use super::mutate::mutated;

/// Each letter of a text below 256 is a byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|letter| letter as u32 as u8).collect()
}

pub fn dns(seed: u64) -> String {
    mutated(&DNS, &DNS_TOKENS, seed)
}

/// An answer to another question is never taken, and records are never without a text.
pub fn read_dns(text: &str) -> Result<(), String> {
    let bytes = bytes(text);
    for (name, kind) in [("www.example.test", "A"), ("example.test", "MX"), ("10.17.13.242", "PTR"), ("x.test", "TXT")]
    {
        let question = Question::read(name, kind).map_err(|fault| fault.message)?;
        if !bytes.starts_with(&[8, 8]) && question.answer(0x0808, &bytes, "10.96.0.10:53").is_ok() {
            return Err("an answer with another number was taken".to_owned());
        }
        // Nearly every message bears the number 7.
        if let Ok(records) = question.answer(7, &bytes, "10.96.0.10:53")
            && kind == "A"
            && records.iter().any(|record| record.to_string().parse::<std::net::Ipv4Addr>().is_err())
        {
            return Err(format!("these are no addresses: {records:?}"));
        }
    }
    Ok(())
}

pub fn frames(seed: u64) -> String {
    mutated(&FRAMES, &FRAME_TOKENS, seed)
}

/// A command ends with a number or a reason, and the announcement of a port is never taken for data.
pub fn read_frames(text: &str) -> Result<(), String> {
    let bytes = bytes(text);
    let command = Command { argv: vec!["date".to_owned()], ..Command::default() };
    match outcome(&command, "web-0", Ended::default(), &bytes) {
        Ok(_) => {}
        Err(fault) if fault.notes.len() == 1 => {}
        Err(fault) => return Err(format!("there is no reason in {fault:?}")),
    }
    let mut channels = Channels::default();
    let mut announced = [false; 2];
    for piece in bytes.chunks(5) {
        let (channel, rest) = (piece[0], bytes::Bytes::copy_from_slice(&piece[1..]));
        let said = channels.take(channel, rest.clone());
        let first =
            announced.get_mut(usize::from(channel)).is_some_and(|announced| !std::mem::replace(announced, true));
        let data = matches!(&said, Ok(data) if !data.is_empty());
        if data && (first || channel != 0) {
            return Err(format!("{piece:?} was taken for data"));
        }
        if said.is_err() && channel != 1 {
            return Err(format!("{piece:?} was taken for an error"));
        }
    }
    Ok(())
}

pub fn redis(seed: u64) -> String {
    mutated(&REDIS, &REDIS_TOKENS, seed)
}

/// What the protocol allows has a value in a script.
pub fn read_redis(text: &str) -> Result<(), String> {
    if let Ok(value) = redis::parse_redis_value(&bytes(text)) {
        let shown = of_answer(value).to_string();
        if shown.contains("ServerError(") {
            return Err(format!("an error is shown as `{shown}`"));
        }
    }
    let fields = text.lines().filter(|line| line.contains(':') && !line.starts_with('#')).count();
    let told: usize =
        of_info(text).values().map(|section| section.read_lock::<rhai::Map>().map_or(0, |section| section.len())).sum();
    if told > fields { Err(format!("{told} fields were made of {fields}")) } else { Ok(()) }
}

pub fn log(seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut at = 0;
    let mut log = String::new();
    for line in 0..random.usize(1..40) {
        at += random.choice([0, 0, 1, 300, 1500]).expect("there are steps");
        log.push_str(&format!("2026-11-21T10:{:02}:{:02}.{:03}Z {line}\n", at / 60_000, at / 1000 % 60, at % 1000));
    }
    log
}

/// Wherever a followed log breaks, each of its lines is told once.
pub fn follow_log(text: &str) -> Result<(), String> {
    let lines: Vec<&str> = text.lines().collect();
    let expected: Vec<&str> = lines.iter().map(|line| line.split_once(' ').expect("a line has a time").1).collect();
    for rounds in 1..=lines.len() {
        let mut told = Told::default();
        let mut seen: Vec<String> = Vec::new();
        let mut from = 0;
        loop {
            // It breaks after so many lines that are new, and begins again with the second of the last one.
            let until = (seen.len() + rounds).min(lines.len());
            seen.extend(lines[from..until].iter().filter_map(|line| told.take(line, false)));
            if until == lines.len() {
                break;
            }
            told.begin_again();
            let second = &lines[until - 1][..19];
            from = lines.iter().position(|line| line.starts_with(second)).expect("it is there");
        }
        if seen != expected {
            return Err(format!("broken after every {rounds}: {seen:?}"));
        }
    }
    Ok(())
}

const DNS: [&str; 3] = [
    "\0\u{7}\u{81}\u{80}\0\u{1}\0\u{2}\0\0\0\0\u{3}www\u{7}example\u{4}test\0\0\u{1}\0\u{1}\u{c0}\u{c}\0\u{5}\0\u{1}\0\0\0\u{3c}\0\u{6}\u{3}web\u{c0}\u{10}\u{c0}\u{2e}\0\u{1}\0\u{1}\0\0\0\u{3c}\0\u{4}\u{a}\u{11}\u{d}\u{f2}",
    "\0\u{7}\u{81}\u{80}\0\u{1}\0\u{1}\0\0\0\0\u{7}example\u{4}test\0\0\u{f}\0\u{1}\u{c0}\u{c}\0\u{f}\0\u{1}\0\0\0\u{3c}\0\u{9}\0\u{a}\u{4}mail\u{c0}\u{c}",
    "\0\u{7}\u{81}\u{83}\0\u{1}\0\0\0\0\0\0\u{6}nobody\u{4}test\0\0\u{1}\0\u{1}",
];

const DNS_TOKENS: [&str; 12] = [
    "\u{c0}\u{c}",
    "\u{c0}\0",
    "\u{c0}\u{ff}",
    "\0\u{1}\0\u{1}",
    "\0\u{5}\0\u{1}",
    "\0\u{10}\0\u{1}",
    "\0\u{21}\0\u{1}",
    "\0\u{29}",
    "\0\0\0\u{3c}\0\u{4}",
    "\u{ff}\u{ff}",
    "\u{3f}",
    "\u{7}example",
];

const FRAMES: [&str; 4] = [
    r#"{"metadata":{},"status":"Success"}"#,
    r#"{"metadata":{},"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}"#,
    r#"{"status":"Failure","reason":"InternalError","message":"executable file not found","code":500}"#,
    "\0P\0\0\0\u{1}P\0\0\0\0data\u{1}none\u{0}more",
];

const FRAME_TOKENS: [&str; 9] =
    ["\"ExitCode\"", "\"message\":", "\"3\"", "-1", "99999999999999999999", "[", "{", "\u{1}", "\u{ff}"];

const REDIS: [&str; 5] = [
    "*3\r\n$5\r\nhello\r\n:42\r\n$-1\r\n",
    "%2\r\n+role\r\n$6\r\nmaster\r\n+slots\r\n~2\r\n#t\r\n,1.5\r\n",
    "-NOAUTH Authentication required.\r\n",
    "|1\r\n+ttl\r\n:3600\r\n=15\r\ntxt:Some string\r\n",
    "# Server\r\nredis_version:7.0.15\r\ntcp_port:6379\r\n\r\n# Memory\r\nmem_fragmentation_ratio:1.52\r\ndb0:keys=1,expires=0\r\n",
];

const REDIS_TOKENS: [&str; 14] = [
    "\r\n",
    "*1\r\n",
    "*-1\r\n",
    "$-1\r\n",
    "%1\r\n",
    "~1\r\n",
    ">2\r\n",
    "_\r\n",
    "#f\r\n",
    "(123\r\n",
    "!5\r\n",
    "-ERR x\r\n",
    ":",
    "# ",
];
