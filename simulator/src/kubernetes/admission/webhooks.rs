//! Webhooks: programs of others that are asked about a write, and may change it.

use std::{io, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::Value;
use tokio_rustls::TlsConnector;

use super::{Attempt, policies, review};
use crate::kubernetes::{answer::Refusal, custom::cel::Known, patch::Patch};

const CHANGING: &str = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const CHECKING: &str = "validatingwebhookconfigurations.admissionregistration.k8s.io";

/// # Errors
/// If a webhook refuses the object, or doesn't answer and has to.
pub async fn change(attempt: &Attempt<'_>, object: &mut Value) -> Result<(), Refusal> {
    for webhook in concerned(CHANGING, attempt, object)? {
        let Some(answer) = ask(&webhook, attempt, object).await? else { continue };
        let Some(patch) = answer["patch"].as_str() else { continue };
        let name = webhook["name"].as_str().unwrap_or_default();
        let unusable = |why: &str| Refusal::internal(&format!("failed calling webhook {name:?}: {why}"));
        let patch = STANDARD.decode(patch).map_err(|error| unusable(&error.to_string()))?;
        let patch: Value = serde_json::from_slice(&patch).map_err(|error| unusable(&error.to_string()))?;
        Patch::of_steps(patch.as_array().map_or(&[], Vec::as_slice)).lay_over(object, None)?;
        attempt.kind.normalise(object);
    }
    Ok(())
}

/// # Errors
/// As for [`change`].
pub async fn check(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    for webhook in concerned(CHECKING, attempt, object)? {
        ask(&webhook, attempt, object).await?;
    }
    Ok(())
}

/// The webhooks that are to be asked about a write, by the name of their configurations.
fn concerned(configurations: &str, attempt: &Attempt<'_>, object: &Value) -> Result<Vec<Value>, Refusal> {
    if policies::EXEMPT.contains(&&*attempt.kind.stored) {
        return Ok(Vec::new());
    }
    let configurations = attempt.all(configurations, None);
    let webhooks = configurations.iter().flat_map(|found| found["webhooks"].as_array().into_iter().flatten());
    let mut concerned = Vec::new();
    for webhook in webhooks {
        if review::is_named(&webhook["rules"], attempt)
            && review::is_selected(webhook, attempt, object)
            && meets_conditions(webhook, attempt, object)?
        {
            concerned.push(webhook.clone());
        }
    }
    Ok(concerned)
}

fn meets_conditions(webhook: &Value, attempt: &Attempt<'_>, object: &Value) -> Result<bool, Refusal> {
    for condition in webhook["matchConditions"].as_array().into_iter().flatten() {
        let text = condition["expression"].as_str().unwrap_or_default();
        match policies::ask(text, &policies::known(attempt, object))? {
            Ok(Known::Bool(true)) => {}
            Ok(_) => return Ok(false),
            Err(error) => {
                let what =
                    format!("the match condition `{text}` of the webhook {}, which fails: {error}", webhook["name"]);
                return Err(Refusal::not_modelled(what));
            }
        }
    }
    Ok(true)
}

/// What a webhook answers; nothing, if it can't be asked and that is to be ignored.
async fn ask(webhook: &Value, attempt: &Attempt<'_>, object: &Value) -> Result<Option<Value>, Refusal> {
    let name = webhook["name"].as_str().unwrap_or_default();
    let seconds = webhook["timeoutSeconds"].as_u64().unwrap_or(10);
    let asked = review::of(attempt, object);
    let called = call(&webhook["clientConfig"], attempt, &asked, seconds);
    let answer = match tokio::time::timeout(Duration::from_secs(seconds), called).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => return failed(webhook, &why),
        Err(_) => {
            let url = address(&webhook["clientConfig"]).url(seconds);
            return failed(webhook, &format!("failed to call webhook: Post {url:?}: context deadline exceeded"));
        }
    };
    let response = &answer["response"];
    if response["uid"] != asked["request"]["uid"] {
        let (expected, found) = (&asked["request"]["uid"], &response["uid"]);
        return failed(
            webhook,
            &format!("received invalid webhook response: expected response.uid={expected}, got {found}"),
        );
    }
    for warning in response["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        attempt.request.warn(warning);
    }
    match response["allowed"] == true {
        true => Ok(Some(response.clone())),
        false => Err(Refusal::by_webhook(name, &response["status"])),
    }
}

fn failed(webhook: &Value, why: &str) -> Result<Option<Value>, Refusal> {
    match webhook["failurePolicy"] == "Ignore" {
        true => Ok(None),
        false => Err(Refusal::internal(&format!("failed calling webhook {}: {why}", webhook["name"]))),
    }
}

/// Where a webhook is.
struct Address {
    host: String,
    port: u16,
    path: String,
    /// The namespace and the name of its service.
    service: Option<(String, String)>,
    /// As in the host of a URL: with its port, if that was said.
    shown: String,
}

impl Address {
    fn url(&self, seconds: u64) -> String {
        format!("https://{}{}?timeout={seconds}s", self.shown, self.path)
    }
}

fn address(client: &Value) -> Address {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(service) = client.get("service") {
        let (namespace, name) = (text(&service["namespace"]), text(&service["name"]));
        let port = service["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(443);
        let path = service["path"].as_str().unwrap_or("/").to_owned();
        let host = format!("{name}.{namespace}.svc");
        return Address { shown: format!("{host}:{port}"), host, port, path, service: Some((namespace, name)) };
    }
    let url: http::Uri = text(&client["url"]).parse().unwrap_or_default();
    let host = url.host().unwrap_or_default().to_owned();
    let shown = url.authority().map(ToString::to_string).unwrap_or_default();
    let path = if url.path() == "/" && !text(&client["url"]).ends_with('/') { "" } else { url.path() };
    Address { host, port: url.port_u16().unwrap_or(443), path: path.to_owned(), service: None, shown }
}

async fn call(client: &Value, attempt: &Attempt<'_>, review: &Value, seconds: u64) -> Result<Value, String> {
    let at = address(client);
    let url = at.url(seconds);
    let post = |why: String| format!("failed to call webhook: Post {url:?}: {why}");
    if let Some((namespace, name)) = &at.service
        && attempt.stored("services", namespace, name).is_none()
    {
        return Err(post(format!("service {name:?} not found")));
    }
    let Some(network) = attempt.cluster.network() else {
        return Err(post(format!("dial tcp: lookup {}: no such host", at.host)));
    };
    let stream = network.dial(&at.host, at.port).await.map_err(|error| {
        post(match error.kind() {
            io::ErrorKind::NotFound => format!("dial tcp: lookup {}: no such host", at.host),
            _ => format!("dial tcp {}:{}: connect: connection refused", at.host, at.port),
        })
    })?;
    let name = ServerName::try_from(at.host.clone()).map_err(|error| post(error.to_string()))?;
    let stream = trusting(client)?.connect(name, stream).await;
    let stream = stream.map_err(|error| post(format!("tls: failed to verify certificate: {error}")))?;
    let exchanged = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the answer, and what breaks it the sender is told.
        tokio::spawn(connection);
        let request = Request::post(format!("{}?timeout={seconds}s", if at.path.is_empty() { "/" } else { &at.path }))
            .header(header::HOST, &at.shown)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, */*")
            .header(header::USER_AGENT, "kube-apiserver-admission")
            .body(Full::new(Bytes::from(review.to_string())))
            .expect("addresses were checked when they were configured");
        let answer = sender.send_request(request).await?;
        let code = answer.status();
        Ok::<_, hyper::Error>((code, answer.into_body().collect().await?.to_bytes()))
    };
    let (code, body) = exchanged.await.map_err(|error| post(error.to_string()))?;
    if !code.is_success() {
        let text = String::from_utf8_lossy(&body);
        return Err(format!(
            "failed to call webhook: an error on the server ({text:?}) has prevented the request from succeeding"
        ));
    }
    serde_json::from_slice(&body).map_err(|error| format!("failed to call webhook: {error}"))
}

/// Whoever shows a certificate of these authorities.
fn trusting(client: &Value) -> Result<TlsConnector, String> {
    let bundle = STANDARD.decode(client["caBundle"].as_str().unwrap_or_default()).unwrap_or_default();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bundle) {
        let added = certificate.map(|certificate| roots.add(certificate));
        match added {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(format!("could not get REST client: {error}")),
            Err(error) => return Err(format!("could not get REST client: {error}")),
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}
