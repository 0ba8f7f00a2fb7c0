//! The name servers of the world: every name that leads somewhere, and what else is written about names, over TCP.

mod records;

use std::sync::Arc;

use futures::future::BoxFuture;
use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub use self::records::{host, record};
use crate::{
    network::{Network, Server},
    stream::Stream,
    time::During,
};

/// How long an answer may be remembered, in seconds.
const REMEMBERED: u32 = 60;

/// How many names an answer leads on through.
const LONGEST_CHAIN: usize = 8;

/// A name server.
pub struct NameServer {
    pub network: Arc<Network>,
    pub entries: Vec<Entry>,
}

/// A record of a name, and when it is there.
pub struct Entry {
    pub name: Name,
    pub data: RData,
    pub during: During,
}

impl Server for NameServer {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Whoever breaks the connection off wants no more answers.
            drop(self.converse(stream).await);
        })
    }
}

impl NameServer {
    async fn converse(&self, mut stream: Box<dyn Stream>) -> std::io::Result<()> {
        loop {
            let mut question = vec![0; usize::from(stream.read_u16().await?)];
            stream.read_exact(&mut question).await?;
            let Ok(question) = Message::from_vec(&question) else { return Ok(()) };
            let answer = self.answer(&question).to_vec().map_err(std::io::Error::other)?;
            stream.write_u16(u16::try_from(answer.len()).map_err(std::io::Error::other)?).await?;
            stream.write_all(&answer).await?;
            stream.flush().await?;
        }
    }

    fn answer(&self, question: &Message) -> Message {
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        answer.metadata.message_type = MessageType::Response;
        answer.metadata.recursion_desired = question.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        let Some(asked) = question.queries.first() else {
            answer.metadata.response_code = ResponseCode::FormErr;
            return answer;
        };
        answer.add_query(asked.clone());
        let mut name = asked.name().clone();
        for _ in 0..LONGEST_CHAIN {
            let Some(all) = self.records(&name) else {
                if answer.answers.is_empty() {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                break;
            };
            let wanted = |data: &&RData| data.record_type() == asked.query_type();
            let onward = all.iter().find_map(|data| match data {
                RData::CNAME(onward) if asked.query_type() != RecordType::CNAME => Some(onward.0.clone()),
                _ => None,
            });
            for data in all.iter().filter(|data| wanted(data) || matches!(data, RData::CNAME(_)) && onward.is_some()) {
                answer.add_answer(Record::from_rdata(name.clone(), REMEMBERED, data.clone()));
            }
            match onward {
                Some(onward) => name = onward,
                None => break,
            }
        }
        answer
    }

    /// Everything that is known of a name now; nothing, if there is no such name.
    fn records(&self, name: &Name) -> Option<Vec<RData>> {
        let own = self.entries.iter().filter(|entry| entry.name == *name);
        let mut own: Vec<RData> = own.filter(|entry| entry.during.is_now()).map(|entry| entry.data.clone()).collect();
        let addresses = self.network.look_up(&name.to_utf8());
        if own.is_empty() && addresses.is_err() {
            return None;
        }
        own.extend(addresses.into_iter().flatten().map(|address| match address {
            std::net::IpAddr::V4(address) => RData::A(address.into()),
            std::net::IpAddr::V6(address) => RData::AAAA(address.into()),
        }));
        Some(own)
    }
}
