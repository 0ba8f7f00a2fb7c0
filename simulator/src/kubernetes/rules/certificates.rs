//! Requests for certificates: what they say, and what approvers and signers say of them.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    NameForm, Rules,
    field::{Field, required},
    form,
};
use crate::{
    certificates::Request,
    kubernetes::{
        answer::{Cause, Refusal},
        cluster::Cluster,
    },
};

pub struct Requests;

const LEGACY: &str = "kubernetes.io/legacy-unknown";
/// What a certificate may be for.
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];
/// What approvers say, and nobody else.
const VERDICTS: [&str; 2] = ["Approved", "Denied"];

impl Rules for Requests {
    fn allot(
        &self,
        request: &mut Value,
        there: Option<&Value>,
        _cluster: &Cluster,
        _dry_run: bool,
    ) -> Result<(), Refusal> {
        let pem = pem(request);
        if there.is_some() || !Request::is_framed(&pem) || Request::read(&pem).is_some() {
            return Ok(());
        }
        Err(Refusal::not_modelled("what is wrong with this request for a certificate"))
    }

    /// What is asked for is left as it is by all that comes after it, and so nobody owns it.
    fn born_with_status(&self) -> bool {
        true
    }

    fn prepare_new(&self, request: &mut Value, _cluster: &Cluster) {
        request["status"] = json!({});
    }

    fn prepare_part(&self, part: &str, request: &mut Value, there: &Value, cluster: &Cluster) {
        if part == "status" {
            keep_verdicts(request, there);
        }
        date(request, there, &cluster.now());
    }

    fn check(&self, request: &Value) -> Vec<Cause> {
        let spec = Field::of(request, "spec");
        let [given, usages, signer, lasts] =
            ["request", "usages", "signerName", "expirationSeconds"].map(|field| spec.at(field));
        let mut wrong = Vec::new();
        if !Request::is_framed(&pem(request)) {
            wrong.push(given.invalid("PEM block type must be CERTIFICATE REQUEST"));
        }
        wrong.extend(required(&usages, ""));
        for usage in usages.items().filter(|usage| !USAGES.contains(&usage.text())) {
            wrong.push(usage.unsupported(&USAGES));
        }
        let mut known = BTreeSet::new();
        wrong.extend(usages.items().filter(|usage| !known.insert(usage.text())).map(|usage| usage.duplicate()));
        match signer.text() {
            LEGACY => wrong.push(signer.invalid("the legacy signerName is not allowed via this API version")),
            _ => wrong.extend(signer_name(&signer)),
        }
        if lasts.number().is_some_and(|seconds| seconds < 600) {
            wrong.push(lasts.invalid("may not specify a duration less than 600 seconds (10 minutes)"));
        }
        wrong
    }

    fn check_over(&self, _request: &Value, _there: &Value) -> Vec<Cause> {
        Vec::new()
    }

    fn check_part(&self, _part: &str, request: &Value, there: &Value) -> Vec<Cause> {
        let mut wrong = conditions(request);
        for verdict in VERDICTS {
            if says(there, verdict) && !says(request, verdict) {
                let why = format!("updates may not remove a condition of type {verdict:?}");
                wrong.push(Cause::forbidden("status.conditions", &why));
            }
        }
        wrong
    }

    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "" => vec!["spec", "status"],
            "approval" => vec!["spec", "status.certificate"],
            _ => vec!["spec"],
        }
    }

    fn selectable(&self) -> Vec<&str> {
        vec!["spec.signerName"]
    }

    fn name_form(&self) -> NameForm {
        NameForm::PathSegment
    }
}

/// What was asked for, as text.
pub fn pem(request: &Value) -> String {
    let given = request.pointer("/spec/request").and_then(Value::as_str).unwrap_or_default();
    String::from_utf8(BASE64.decode(given).unwrap_or_default()).unwrap_or_default()
}

fn says(request: &Value, kind: &str) -> bool {
    let conditions = request.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| condition["type"] == kind)
}

/// What approvers have said stays as they have said it, whatever a signer writes.
fn keep_verdicts(request: &mut Value, there: &Value) {
    let said = there.pointer("/status/conditions").and_then(Value::as_array);
    let Some(conditions) = request.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else { return };
    let kept = conditions.drain(..).filter_map(|condition| {
        if !VERDICTS.iter().any(|verdict| condition["type"] == *verdict) {
            return Some(condition);
        }
        said.into_iter().flatten().find(|known| known["type"] == condition["type"]).cloned()
    });
    *conditions = kept.collect();
}

/// Gives conditions the times that nobody gave them.
fn date(request: &mut Value, there: &Value, now: &str) {
    let known = there.pointer("/status/conditions").and_then(Value::as_array);
    let list = request.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in list.into_iter().flatten() {
        if condition["lastUpdateTime"].is_null() {
            condition["lastUpdateTime"] = json!(now);
        }
        if condition["lastTransitionTime"].is_null() {
            let same = |known: &&Value| known["type"] == condition["type"] && known["status"] == condition["status"];
            let since = known.into_iter().flatten().find(same).map(|known| known["lastTransitionTime"].clone());
            condition["lastTransitionTime"] = since.filter(|since| !since.is_null()).unwrap_or_else(|| json!(now));
        }
    }
}

fn conditions(request: &Value) -> Vec<Cause> {
    let conditions = Field::of(request, "status.conditions");
    let mut wrong = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for condition in conditions.items() {
        let (kind, status) = (condition.at("type"), condition.at("status"));
        wrong.extend(required(&kind, ""));
        let certain = VERDICTS.contains(&kind.text()) || kind.text() == "Failed";
        match status.text() {
            "" => wrong.push(status.required("")),
            "True" => {}
            _ if certain => wrong.push(status.unsupported(&["True"])),
            "False" | "Unknown" => {}
            _ => wrong.push(status.unsupported(&["False", "True", "Unknown"])),
        }
        let other = VERDICTS.iter().find(|verdict| **verdict != kind.text());
        if VERDICTS.contains(&kind.text()) && other.is_some_and(|other| known.contains(other)) {
            let why = "Approved and Denied conditions are mutually exclusive";
            wrong.push(Cause::invalid(&conditions.path, kind.value, why));
        }
        if !known.insert(kind.text()) {
            wrong.push(kind.duplicate());
        }
    }
    wrong
}

/// `example.com/my-signer`.
fn signer_name(name: &Field<'_>) -> Vec<Cause> {
    if name.is_empty() {
        return vec![name.required("")];
    }
    let Some((domain, path)) = name.text().split_once('/').filter(|(_, path)| !path.contains('/')) else {
        return vec![name.invalid("must be a fully qualified domain and path of the form 'example.com/signer-name'")];
    };
    let mut wrong = labels(name, domain, form::label);
    if !domain.contains('.') {
        let why = "should be a domain with at least two segments separated by dots";
        wrong.push(Cause::invalid(&name.path, &json!(domain), why));
    }
    wrong.extend(labels(name, path, form::subdomain));
    wrong
}

/// What is wrong with the first malformed label of a part of a name.
fn labels(name: &Field<'_>, part: &str, form: fn(&str) -> Vec<String>) -> Vec<Cause> {
    let malformed = part.split('.').map(|label| (label, form(label))).find(|(_, wrong)| !wrong.is_empty());
    let (label, wrong) = malformed.unwrap_or_default();
    let told = |why: &String| Cause::invalid(&name.path, &json!(part), &format!("validating label {label:?}: {why}"));
    wrong.iter().map(told).collect()
}
