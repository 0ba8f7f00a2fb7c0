//! Many watches of one server.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use simulator::{
    kubernetes::{control_plane, server::ApiServer},
    time::Calendar,
};

use crate::{Row, arms::simulated};

const WATCHES: usize = 1_000;
const CHANGES: usize = 10;

pub fn rows() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be had");
    let each = runtime.block_on(async {
        let cluster = control_plane::without_controllers(Calendar::beginning(jiff::Timestamp::now()), 1);
        let server = Arc::new(simulated::server(cluster, Arc::new(|_| {})));
        let mut watches = Vec::new();
        for _ in 0..WATCHES {
            watches.push(ask(&server, "GET", "/api/v1/namespaces/default/secrets?watch=1", "").await);
        }
        let begun = Instant::now();
        for at in 0..CHANGES {
            let secret = format!("{{\"metadata\":{{\"name\":\"secret-{at}\"}}}}");
            drop(ask(&server, "POST", "/api/v1/namespaces/default/secrets", &secret).await);
            for watch in &mut watches {
                let frame = watch.frame().await.expect("the watch goes on").expect("it is whole");
                assert!(frame.is_data());
            }
        }
        begun.elapsed() / u32::try_from(CHANGES).expect("there are few")
    });
    let subject = format!("{WATCHES} watches told of one change");
    let is_met = each < Duration::from_secs(1);
    vec![Row::told(subject, format!("{:.1} ms", each.as_secs_f64() * 1000.0)).held("<1 s", is_met)]
}

async fn ask(server: &Arc<ApiServer>, method: &str, path: &str, body: &str) -> Incoming {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    tokio::spawn(server.clone().serve_plain(theirs));
    let (mut sender, connection) = http1::handshake(TokioIo::new(ours)).await.expect("it speaks HTTP");
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "api")
        .header(header::AUTHORIZATION, "Bearer token")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .expect("the request is right");
    let answer = sender.send_request(request).await.expect("it answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.into_body()
}
