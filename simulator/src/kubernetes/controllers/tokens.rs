//! Secrets with tokens of service accounts, as there were before tokens could be asked for.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    fields::{Fields, map},
    owners, sides,
};
use crate::kubernetes::{access::tokens::Claims, answer::Refusal, client::Place, store::Change};

const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";
const UID: &str = "kubernetes.io/service-account.uid";

pub struct Tokens;

impl Controller for Tokens {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            "secrets" if sides(change).any(|secret| secret.text("/type") == TYPE) => vec![Name::changed(change)],
            "serviceaccounts" if change.before.is_none() || change.after.is_none() => {
                let secrets = tools.client.cluster().store.list(&"secrets".into(), Some(&change.key.namespace)).1;
                let own = secrets.into_iter().filter(|(_, secret)| {
                    secret.text("/type") == TYPE && secret.annotation(ACCOUNT) == Some(&change.key.name)
                });
                own.map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(secret) = tools.there("secrets", name) else { return Ok(None) };
            let place = Place { api_version: "v1", resource: "secrets", namespace: &name.namespace };
            let account = secret.annotation(ACCOUNT).unwrap_or_default().to_owned();
            let account = tools.there("serviceaccounts", &Name { namespace: name.namespace.clone(), name: account });
            let is_its_own = |account: &Value| secret.annotation(UID).is_none_or(|uid| uid == account.uid());
            let Some(account) = account.filter(|account| is_its_own(account)) else {
                let only_this = json!({"preconditions": {"uid": secret.uid()}});
                owners::gone_is_fine(tools.client.delete(place, &name.name, &only_this).await)?;
                return Ok(None);
            };
            let cluster = tools.client.cluster();
            let mut filled = (*secret).clone();
            map(&mut filled["metadata"], "annotations").insert(UID.to_owned(), json!(account.uid()));
            let data = map(&mut filled, "data");
            if let Some(authority) = cluster.authority.get() {
                data.insert("ca.crt".to_owned(), json!(BASE64.encode(authority.pem())));
            }
            data.insert("namespace".to_owned(), json!(BASE64.encode(&name.namespace)));
            if data.get("token").is_none() {
                let token = cluster.signer.sign(&Claims::kept_in(&secret, &account));
                data.insert("token".to_owned(), json!(BASE64.encode(token)));
            }
            if filled != *secret {
                owners::gone_is_fine(tools.client.update(place, "", &filled).await)?;
            }
            Ok(None)
        })
    }
}
