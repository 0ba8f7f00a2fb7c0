//! The signers of Kubernetes: they sign the requests that are approved, with the authority of the cluster.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    fields::{Fields, list},
    owners::gone_is_fine,
};
use crate::{
    certificates::{Grant, Request},
    kubernetes::{answer::Refusal, client::Place, rules::certificates::pem, store::Change},
};

const STORED: &str = "certificatesigningrequests.certificates.k8s.io";
const REQUESTS: Place<'static> =
    Place { api_version: "certificates.k8s.io/v1", resource: "certificatesigningrequests", namespace: "" };
/// How long a certificate is valid, if nobody says.
const YEAR: i64 = 365 * 24 * 3600;
/// It is valid a little earlier, for those whose clocks are late.
const EARLIER: SignedDuration = SignedDuration::from_mins(5);
const NODES: &str = "system:nodes";
const NODE: &str = "system:node:";

pub struct Signers;

impl Controller for Signers {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        if &*change.key.resource == STORED && change.after.is_some() { vec![Name::changed(change)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let cluster = tools.client.cluster();
            let (Some(request), Some(authority)) = (tools.there(STORED, name), cluster.authority.get()) else {
                return Ok(None);
            };
            let is_open = request.is("Approved")
                && !["Denied", "Failed"].iter().any(|verdict| request.is(verdict))
                && !request.has("/status/certificate");
            let Some(asked) = Request::read(&pem(&request)).filter(|_| is_open) else { return Ok(None) };
            let usages: Vec<&str> = request.list("/spec/usages").iter().filter_map(Value::as_str).collect();
            let checked = match request.text("/spec/signerName") {
                "kubernetes.io/kube-apiserver-client" => client(&usages),
                "kubernetes.io/kube-apiserver-client-kubelet" => node(&asked, &usages, "client auth"),
                "kubernetes.io/kubelet-serving" => node(&asked, &usages, "server auth"),
                _ => return Ok(None),
            };
            let mut signed = (*request).clone();
            match checked {
                Ok(()) => {
                    let now = tools.now();
                    let lasts = request.at("/spec/expirationSeconds").as_i64().unwrap_or(YEAR).min(YEAR);
                    let grant = Grant {
                        from: now - EARLIER,
                        until: now - EARLIER + SignedDuration::from_secs(lasts),
                        usages: &usages,
                    };
                    signed["status"]["certificate"] = json!(BASE64.encode(authority.grant(asked, grant)));
                }
                Err(why) => list(&mut signed["status"], "conditions").push(json!({
                    "type": "Failed",
                    "status": "True",
                    "reason": "SignerValidationFailure",
                    "message": why,
                    "lastUpdateTime": cluster.now(),
                })),
            }
            gone_is_fine(tools.client.update(REQUESTS, "status", &signed).await)?;
            Ok(None)
        })
    }
}

/// What is wrong with a request of a client of the API server.
fn client(usages: &[&str]) -> Result<(), String> {
    let known = ["digital signature", "key encipherment", "client auth"];
    if !usages.contains(&"client auth") || usages.iter().any(|usage| !known.contains(usage)) {
        return Err(format!("invalid usages for client certificate: [{}]", usages.join(" ")));
    }
    Ok(())
}

/// What is wrong with a request of a kubelet, for one use or the other.
fn node(asked: &Request, usages: &[&str], usage: &str) -> Result<(), String> {
    let says = |holds: bool, why: &str| if holds { Ok(()) } else { Err(why.to_owned()) };
    says(asked.organisation().as_deref() == Some(NODES), "subject organization is not system:nodes")?;
    if usage == "server auth" {
        says(asked.names_a_host(), "DNS or IP subjectAltName is required")?;
    } else {
        says(!asked.names_a_host(), "DNS subjectAltNames are not allowed")?;
    }
    says(asked.common_name().starts_with(NODE), "subject common name does not begin with system:node: ")?;
    let known = ["digital signature", "key encipherment", usage];
    let fits = usages.contains(&usage) && usages.iter().all(|usage| known.contains(usage));
    says(fits, &format!("usages did not match [{usage} digital signature key encipherment]"))
}
