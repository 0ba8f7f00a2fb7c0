//! A small name server on loopback that says of names what a test wants.

use std::net::SocketAddr;

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{A, CNAME, MX, SRV, TXT},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// The server; it ends when it is dropped.
pub struct NameServer {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What it says: how it went, and records with the names they belong to.
pub type Said = (ResponseCode, Vec<(String, RData)>);

impl NameServer {
    /// A server that is asked with a name, without its last dot, and a type.
    pub fn start(answer: impl Fn(&str, &str) -> Said + Clone + Send + 'static) -> Self {
        let listener = super::runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let task = super::runtime().spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    while let Ok(length) = stream.read_u16().await {
                        let mut question = vec![0; length.into()];
                        stream.read_exact(&mut question).await.unwrap();
                        let bytes = reply(&question, &answer);
                        stream.write_u16(bytes.len().try_into().unwrap()).await.unwrap();
                        stream.write_all(&bytes).await.unwrap();
                    }
                });
            }
        });
        Self { address, task }
    }

    /// One that knows `example.test` and what is in it.
    pub fn of_examples() -> Self {
        Self::start(|name, kind| {
            let records = match (name, kind) {
                ("www.example.test", "A") => vec![
                    (name, RData::CNAME(CNAME(host("web.example.test")))),
                    ("web.example.test", RData::A(A("10.17.13.242".parse().unwrap()))),
                ],
                ("www.example.test", "CNAME") => vec![(name, RData::CNAME(CNAME(host("web.example.test"))))],
                ("example.test", "MX") => vec![(name, RData::MX(MX::new(10, host("mail.example.test"))))],
                ("_redis._tcp.example.test", "SRV") => {
                    vec![(name, RData::SRV(SRV::new(1, 2, 6379, host("web.example.test"))))]
                }
                ("example.test", "TXT") => vec![(name, RData::TXT(TXT::new(vec!["v=spf1 ".into(), "-all".into()])))],
                (known, _) if known.ends_with("example.test") && !known.starts_with("nobody") => Vec::new(),
                ("broken.test", _) => return (ResponseCode::ServFail, Vec::new()),
                ("private.test", _) => return (ResponseCode::Refused, Vec::new()),
                _ => return (ResponseCode::NXDomain, Vec::new()),
            };
            (ResponseCode::NoError, records.into_iter().map(|(name, data)| (name.to_owned(), data)).collect())
        })
    }
}

pub fn host(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    name
}

fn reply(question: &[u8], answer: &impl Fn(&str, &str) -> Said) -> Vec<u8> {
    let question = Message::from_vec(question).unwrap();
    let asked = question.queries[0].clone();
    let name = asked.name().to_string();
    let (code, records) = answer(name.trim_end_matches('.'), &asked.query_type().to_string());
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    reply.metadata.response_code = code;
    reply.add_query(asked);
    for (name, data) in records {
        reply.add_answer(Record::from_rdata(host(&name), 60, data));
    }
    reply.to_vec().unwrap()
}
