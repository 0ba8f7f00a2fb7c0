//! Server-side applies over loopback, by one client: to the simulator and to the real API server in turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::json;
use simulator::kubernetes::control_plane;

use crate::{
    Row,
    arms::{
        connection::Connect,
        loopback,
        real::{self, OnLoopback},
    },
};

const MAPS: usize = 1_000;
const AT_ONCE: usize = 8;
const ROUNDS: usize = 3;

pub fn rows() -> Vec<Row> {
    let served = loopback::serve(control_plane::begin);
    let ours = Arc::new(real::connect(&served.kubeconfig()));
    let bed = testbed::shared();
    let theirs = bed.as_ref().map(|bed| Arc::new(real::connect(&bed.kubeconfig())));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be had");
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..ROUNDS {
        let space = format!("apply-{round}");
        times[0].push(runtime.block_on(apply(&ours, &space)));
        if let Some(theirs) = &theirs {
            times[1].push(runtime.block_on(apply(theirs, &space)));
        }
    }
    let [ours, theirs] = times.map(median);
    let subject = format!("{MAPS} ConfigMaps by server-side apply, {AT_ONCE} at once");
    let mut rows = vec![Row::told(subject, shown(ours))];
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        rows.push(Row::told("… by the real kube-apiserver", shown(Some(theirs))));
        rows.push(Row::told("… beside it", format!("{ratio:.2}×")).held("≤1×", ratio <= 1.0));
    }
    rows
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

fn shown(time: Option<Duration>) -> String {
    time.map_or_else(String::new, |time| format!("{:.0} ms", time.as_secs_f64() * 1000.0))
}

type Sender = SendRequest<Full<Bytes>>;

async fn apply(to: &Arc<OnLoopback>, space: &str) -> Duration {
    let mut sender = connect(to).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}});
    send(&mut sender, to, "/api/v1/namespaces", space, &namespace.to_string()).await;
    let mut senders = Vec::new();
    for _ in 0..AT_ONCE {
        senders.push(connect(to).await);
    }
    let begun = Instant::now();
    let tasks = senders.into_iter().enumerate().map(|(task, mut sender)| {
        let (to, space) = (to.clone(), space.to_owned());
        async move {
            for at in (task..MAPS).step_by(AT_ONCE) {
                let name = format!("map-{at}");
                let map = json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": name, "labels": {"app": "bench"}}, "data": {"key": name, "other": "value"},
                });
                let path = format!("/api/v1/namespaces/{space}/configmaps");
                send(&mut sender, &to, &path, &name, &map.to_string()).await;
            }
        }
    });
    futures::future::join_all(tasks).await;
    begun.elapsed()
}

async fn connect(to: &OnLoopback) -> Sender {
    let stream = to.connect().await.expect("the server listens");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("it speaks HTTP");
    tokio::spawn(connection);
    sender
}

async fn send(sender: &mut Sender, to: &OnLoopback, path: &str, name: &str, body: &str) {
    let request = Request::patch(format!("{path}/{name}?fieldManager=bench"))
        .header(header::HOST, "api")
        .header(header::AUTHORIZATION, format!("Bearer {}", to.token()))
        .header(header::CONTENT_TYPE, "application/apply-patch+yaml")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .expect("the request is right");
    let answer = sender.send_request(request).await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 201);
    answer.into_body().collect().await.expect("the answer is whole");
}
