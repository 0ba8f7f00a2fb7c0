//! One connection, from its first command to its end.

use std::sync::{Arc, atomic::Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    Redis,
    protocol::{Reply, take},
    session::{Next, Session},
};
use crate::stream::Stream;

pub async fn serve(server: Arc<Redis>, mut stream: impl Stream) {
    let mut session = Session::new(&server);
    let mut input = Vec::new();
    loop {
        let mut out = Vec::new();
        let mut next = Next::Goes;
        while next == Next::Goes {
            let reply = match take(&input) {
                Ok(None) => break,
                Ok(Some((words, taken))) => {
                    input.drain(..taken);
                    if words.is_empty() {
                        continue;
                    }
                    server.commands.fetch_add(1, Ordering::Relaxed);
                    let (reply, then) = session.obey(&words);
                    next = then;
                    reply
                }
                Err(why) => {
                    next = Next::Ends;
                    Reply::error(format!("ERR Protocol error: {why}"))
                }
            };
            reply.write(session.version(), &mut out);
        }
        // Whoever has gone reads no answer and asks no more.
        if stream.write_all(&out).await.is_err() || stream.flush().await.is_err() || next == Next::Ends {
            return;
        }
        match stream.read_buf(&mut input).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
