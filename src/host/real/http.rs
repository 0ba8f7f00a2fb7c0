//! HTTP in the real world: reqwest with everything clever switched off.

use std::{
    collections::HashMap,
    error::Error,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::{Certificate, Client, redirect};

use crate::host::http::{Carriage, Exchange, Http, HttpError, LARGEST_BODY, Trust};

/// A client for each way of carrying requests, made when it is first needed: reading the system's certificates takes
/// tens of milliseconds.
#[derive(Default)]
pub struct Reqwest {
    clients: Arc<Mutex<HashMap<Carriage, Client>>>,
}

impl Http for Reqwest {
    fn call(&self, exchange: Exchange) -> BoxFuture<'static, Result<http::Response<Bytes>, HttpError>> {
        let clients = self.clients.clone();
        Box::pin(async move {
            let Exchange { request, carriage } = exchange;
            let request = reqwest::Request::try_from(request).map_err(|error| told(&error))?;
            let client = client(&clients, carriage)?;
            let mut answer = client.execute(request).await.map_err(|error| told(&error))?;
            let mut response = http::Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                *headers = std::mem::take(answer.headers_mut());
            }
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(|error| HttpError::CutOff(innermost(&error)))? {
                if body.len() + chunk.len() > LARGEST_BODY {
                    return Err(HttpError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(response.body(body.freeze()).expect("its parts come from a valid answer"))
        })
    }
}

fn client(clients: &Mutex<HashMap<Carriage, Client>>, carriage: Carriage) -> Result<Client, HttpError> {
    let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(&carriage) {
        return Ok(client.clone());
    }
    let mut builder = Client::builder()
        .user_agent(concat!("cozyscript/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(carriage.connect_timeout)
        // A kept connection that the server closes meanwhile would leave a POST in doubt.
        .pool_max_idle_per_host(0);
    builder = match &carriage.trust {
        Trust::System => builder,
        Trust::Anybody => builder.tls_danger_accept_invalid_certs(true),
        Trust::Authority(pem) => {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| {
                HttpError::Untrusted(format!("its `ca` holds no certificate: {}", innermost(&error)))
            })?;
            if certificates.is_empty() {
                return Err(HttpError::Untrusted("its `ca` holds no certificate in PEM".to_owned()));
            }
            builder.tls_certs_only(certificates)
        }
    };
    let client =
        builder.build().map_err(|error| HttpError::Untrusted(format!("TLS can't be set up: {}", innermost(&error))))?;
    clients.insert(carriage, client.clone());
    Ok(client)
}

/// A failure as what it says about the request: not sent, not trusted, or cut off.
fn told(error: &reqwest::Error) -> HttpError {
    if let Some(tls) = chain(error).find_map(tls_error) {
        return HttpError::Untrusted(tls_reason(tls));
    }
    if error.is_dns() {
        return HttpError::NoConnection("its name is not known".to_owned());
    }
    if error.is_connect() {
        let refused = chain(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).next_back();
        return HttpError::NoConnection(match refused {
            Some(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            Some(cause) if cause.kind() == io::ErrorKind::TimedOut => "no connection in time".to_owned(),
            _ if error.is_timeout() => "no connection in time".to_owned(),
            _ => innermost(error),
        });
    }
    HttpError::CutOff(innermost(error))
}

fn chain(error: &reqwest::Error) -> impl DoubleEndedIterator<Item = &(dyn Error + 'static)> {
    let mut causes: Vec<&(dyn Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        // What an I/O error wraps is not its source: its source is the source of what it wraps.
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source());
    }
    causes.into_iter()
}

/// The last cause, without the URL that reqwest puts in front: it may hold a secret.
fn innermost(error: &reqwest::Error) -> String {
    match chain(error).next_back() {
        Some(cause) => cause.to_string(),
        None if error.is_builder() => "the request is malformed".to_owned(),
        None => "the request failed".to_owned(),
    }
}

fn tls_error<'e>(cause: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    cause.downcast_ref()
}

fn tls_reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => "it does not speak TLS at that port".to_owned(),
        rustls::Error::InvalidCertificate(why) => format!("its certificate is not trusted: {why}"),
        other => other.to_string(),
    }
}
