//! A conversation over HTTP/1.1 or HTTP/2, as the client begins.

use std::{error::Error, io, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::sync::Notify;
use tower::service_fn;

use crate::stream::Stream;

/// Answers requests until the connection ends. An answer that is none breaks it, with everything else that is on it.
pub async fn converse<A, B>(
    stream: impl Stream + 'static,
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + 'static,
) where
    A: Future<Output = io::Result<Response<B>>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    let broken = Arc::new(Notify::new());
    let (breaks, breaker) = (broken.clone(), stream.breaker());
    let service = service_fn(move |request| {
        let (answer, breaks, breaker) = (answer(request), breaks.clone(), breaker.clone());
        async move {
            let answered = answer.await;
            if answered.is_err() {
                breaker.break_off();
                breaks.notify_one();
            }
            answered
        }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    server.http2().timer(TokioTimer::new());
    let conversation = server.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::select! {
        biased;
        () = broken.notified() => {}
        // A client that breaks the connection off knows best why.
        ended = conversation => drop(ended),
    }
}
