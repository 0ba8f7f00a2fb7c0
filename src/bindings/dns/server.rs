//! Name servers: which is asked, and how.

use std::{io, path::Path, time::Duration};

use rhai::Dynamic;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::record::Question;
use crate::{
    host::{Host, dial::Stream},
    script::fault::{Fault, Kind},
    wire::{authority::Authority, route::Route},
};

const PORT: u16 = 53;

/// Where the system's servers are named.
const CONFIGURATION: &str = "/etc/resolv.conf";

/// A server that can be asked.
#[derive(Clone)]
pub struct Server {
    authority: Authority,
    route: Route,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.authority)
    }
}

/// The server of that address, or the first of the system's.
///
/// # Errors
/// `usage` for what is no address, `file` if the system names no server.
pub fn find(host: &Host, given: Option<&str>, connect_within: Duration) -> Result<Server, Fault> {
    let address = match given {
        Some(given) => given.to_owned(),
        None => of_system(host)?,
    };
    let authority = Authority::parse(&address, Some(PORT)).map_err(|why| {
        Fault::new(Kind::Usage, format!("there is no name server at such an address: {why}"))
            .hint("write it like `10.96.0.10` or `127.0.0.1:5353`")
    })?;
    Ok(Server { authority, route: Route::of(host, connect_within) })
}

fn of_system(host: &Host) -> Result<String, Fault> {
    let hint = "name a server with the option `server`";
    let text = host.files.read_personal(Path::new(CONFIGURATION)).map_err(|error| {
        Fault::new(Kind::File, format!("can't read which name server the system asks, `{CONFIGURATION}`: {error}"))
            .hint(hint)
    })?;
    first_server(&text)
        .ok_or_else(|| Fault::new(Kind::File, format!("`{CONFIGURATION}` names no name server")).hint(hint))
}

/// The first server in the text of a `resolv.conf`.
fn first_server(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next() == Some("nameserver")).then(|| words.next().map(str::to_owned)).flatten())
}

impl Server {
    /// Asks.
    ///
    /// # Errors
    /// `unreachable`, or what the server says against the question.
    pub async fn ask(&self, question: &Question) -> Result<Vec<Dynamic>, Fault> {
        let connected = self.route.connect(&self.authority, None).await.map_err(|error| {
            let fault = Fault::new(Kind::Unreachable, format!("no connection to the name server `{self}`: {error}"));
            fault.hint("it is asked over TCP: is that let through to its port?")
        })?;
        let (id, bytes) = question.wire();
        let answer = talk(connected.stream, &bytes).await.map_err(|error| {
            Fault::new(Kind::Unreachable, format!("the connection to the name server `{self}` broke"))
                .note(error.to_string())
        })?;
        question.answer(id, &answer, &self.to_string())
    }
}

/// Over a stream, each message follows its length.
async fn talk(mut stream: Box<dyn Stream>, question: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    stream.flush().await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
