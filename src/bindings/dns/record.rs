//! Records: which there are, how one asks for them, and what an answer says.

use std::net::IpAddr;

use hickory_proto::{
    op::{Message, MessageType, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use rhai::{Dynamic, Map};

use crate::script::fault::{Fault, Kind};

/// The types that are understood.
const TYPES: [(&str, RecordType); 8] = [
    ("A", RecordType::A),
    ("AAAA", RecordType::AAAA),
    ("CNAME", RecordType::CNAME),
    ("MX", RecordType::MX),
    ("NS", RecordType::NS),
    ("PTR", RecordType::PTR),
    ("SRV", RecordType::SRV),
    ("TXT", RecordType::TXT),
];

/// How many names an answer may lead on through.
const LONGEST_CHAIN: usize = 16;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    name: Name,
    kind: RecordType,
    /// The name as it was given.
    pub shown: String,
}

impl Question {
    /// A question for the records of a type. An address is asked for by its reverse name.
    ///
    /// # Errors
    /// `usage`, if there is no such type, or the name is none.
    pub fn read(name: &str, kind: &str) -> Result<Self, Fault> {
        let wanted = kind.to_uppercase();
        let Some((_, kind)) = TYPES.into_iter().find(|(word, _)| *word == wanted) else {
            let words: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
            return Err(Fault::new(Kind::Usage, format!("there are no records of the type `{kind}` to ask for"))
                .hint(format!("the types are {}", words.join(", "))));
        };
        let name_of = match (kind, name.parse::<IpAddr>()) {
            (RecordType::PTR, Ok(address)) => Ok(Name::from(address)),
            _ => Name::from_str_relaxed(name),
        };
        let mut parsed =
            name_of.map_err(|why| Fault::new(Kind::Usage, format!("`{name}` is no name")).note(why.to_string()))?;
        parsed.set_fqdn(true);
        Ok(Self { name: parsed, kind, shown: name.to_owned() })
    }

    /// `A records of www.example.org`.
    pub fn title(&self) -> String {
        format!("{} records of `{}`", self.kind, self.shown)
    }

    /// The question on the wire, and the number that its answer bears.
    pub fn wire(&self) -> (u16, Vec<u8>) {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), self.kind));
        let bytes = message.to_vec().expect("a question of one name fits into a message");
        (message.metadata.id, bytes)
    }

    /// What the answer says: the records of the type, also those that the name leads on to. None is an answer, too.
    ///
    /// # Errors
    /// `not_found` if there is no such name, and what else the server says against the question.
    pub fn answer(&self, id: u16, bytes: &[u8], server: &str) -> Result<Vec<Dynamic>, Fault> {
        let odd = |why: &str| {
            let fault = Fault::new(Kind::Unavailable, format!("`{server}` answers with something that is no answer"));
            fault.note(why.to_owned()).hint("is this the port of a name server?")
        };
        let message = Message::from_vec(bytes).map_err(|error| odd(&error.to_string()))?;
        if message.metadata.id != id || message.metadata.message_type != MessageType::Response {
            return Err(odd("it belongs to another question"));
        }
        let name = &self.shown;
        match message.metadata.response_code {
            ResponseCode::NoError => Ok(self.records(&message)),
            ResponseCode::NXDomain => {
                Err(Fault::new(Kind::NotFound, format!("there is no name `{name}`, says `{server}` (NXDOMAIN)")))
            }
            ResponseCode::ServFail => {
                Err(Fault::new(Kind::Unavailable, format!("`{server}` could not find out about `{name}` (SERVFAIL)"))
                    .hint("look at the servers that it asks itself, and at DNSSEC"))
            }
            ResponseCode::Refused => {
                Err(Fault::new(Kind::Denied, format!("`{server}` does not answer us about `{name}` (REFUSED)"))
                    .hint("ask another server, or let it answer this network"))
            }
            other => Err(Fault::new(Kind::Unavailable, format!("`{server}` answers about `{name}` with: {other}"))),
        }
    }

    fn records(&self, message: &Message) -> Vec<Dynamic> {
        let mut name = self.name.clone();
        for _ in 0..LONGEST_CHAIN {
            let of_name = |record: &&hickory_proto::rr::Record| record.name == name;
            let found: Vec<Dynamic> = (message.answers.iter())
                .filter(of_name)
                .filter(|record| record.record_type() == self.kind)
                .map(|record| shown(&record.data))
                .collect();
            let onward = message.answers.iter().filter(of_name).find_map(|record| match &record.data {
                RData::CNAME(onward) => Some(onward.0.clone()),
                _ => None,
            });
            match onward {
                Some(onward) if found.is_empty() => name = onward,
                _ => return found,
            }
        }
        Vec::new()
    }
}

fn shown(data: &RData) -> Dynamic {
    let number = |number: u16| Dynamic::from(i64::from(number));
    match data {
        RData::A(address) => address.0.to_string().into(),
        RData::AAAA(address) => address.0.to_string().into(),
        RData::CNAME(name) => plain(&name.0).into(),
        RData::NS(name) => plain(&name.0).into(),
        RData::PTR(name) => plain(&name.0).into(),
        RData::TXT(text) => {
            let bytes: Vec<u8> = text.txt_data.concat();
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        RData::MX(exchange) => Map::from_iter([
            ("preference".into(), number(exchange.preference)),
            ("exchange".into(), plain(&exchange.exchange).into()),
        ])
        .into(),
        RData::SRV(service) => Map::from_iter([
            ("priority".into(), number(service.priority)),
            ("weight".into(), number(service.weight)),
            ("port".into(), number(service.port)),
            ("target".into(), plain(&service.target).into()),
        ])
        .into(),
        other => other.to_string().into(),
    }
}

/// A name without the dot at its end.
fn plain(name: &Name) -> String {
    let name = name.to_utf8();
    match name.strip_suffix('.') {
        Some(plain) if !plain.is_empty() => plain.to_owned(),
        _ => name,
    }
}
