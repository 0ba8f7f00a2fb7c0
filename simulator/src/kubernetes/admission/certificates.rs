//! Requests for certificates are of whoever makes them, and approved or signed by whoever may.

use serde_json::{Value, json};

use super::{Attempt, Operation};
use crate::{
    certificates::Request,
    kubernetes::{
        access::{Attributes, allowed},
        answer::Refusal,
        rules::certificates::pem,
    },
};

const REQUESTS: &str = "certificatesigningrequests.certificates.k8s.io";
const CLIENTS: &str = "kubernetes.io/kube-apiserver-client";
const MASTERS: &str = "system:masters";

/// Notes who asks for a certificate, whatever they say themselves.
pub fn change(attempt: &Attempt<'_>, request: &mut Value) -> Result<(), Refusal> {
    if !attempt.is_of(REQUESTS) || attempt.operation != Operation::Create {
        return Ok(());
    }
    let user = &attempt.request.user;
    let Some(spec) = request["spec"].as_object_mut() else { return Ok(()) };
    for field in ["username", "uid", "groups", "extra"] {
        spec.shift_remove(field);
    }
    for (field, text) in [("username", &user.name), ("uid", &user.uid)] {
        if !text.is_empty() {
            spec.insert(field.to_owned(), json!(text));
        }
    }
    if !user.groups.is_empty() {
        spec.insert("groups".to_owned(), json!(user.groups));
    }
    if !user.extra.is_empty() {
        spec.insert("extra".to_owned(), json!(user.extra));
    }
    Ok(())
}

/// Nobody becomes an administrator by asking for it, and only who may approve or sign for a signer does.
pub fn check(attempt: &Attempt<'_>, request: &Value) -> Result<(), Refusal> {
    if &*attempt.kind.stored != REQUESTS {
        return Ok(());
    }
    let signer = request["spec"]["signerName"].as_str().unwrap_or_default();
    if attempt.operation == Operation::Create && signer == CLIENTS {
        let asked = Request::read(&pem(request));
        if asked.and_then(|asked| asked.organisation()).as_deref() == Some(MASTERS) {
            let why = format!("use of {CLIENTS} signer with {MASTERS} group is not allowed");
            return Err(attempt.forbidden(&why));
        }
    }
    let is_signed = |there: &Value| there["status"]["certificate"] != request["status"]["certificate"];
    let verb = match attempt.part {
        "approval" => "approve",
        "status" if attempt.there.is_some_and(is_signed) => "sign",
        _ => return Ok(()),
    };
    let domain = signer.split('/').next().unwrap_or_default();
    let may = |name: &str| {
        let wanted = Attributes {
            verb: verb.to_owned(),
            group: "certificates.k8s.io".to_owned(),
            resource: "signers".to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        };
        allowed(attempt.cluster, &attempt.request.user, &wanted).allows()
    };
    if may(signer) || may(&format!("{domain}/*")) {
        return Ok(());
    }
    Err(attempt.forbidden(&format!("user not permitted to {verb} requests with signerName {signer:?}")))
}
