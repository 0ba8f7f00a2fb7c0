//! The webhooks of a cluster, as the world's file has them: the server, and the objects that lead to it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    World, certificate,
    description::{Certificate, Cluster, Verdict as DescribedVerdict, Webhook},
};
use crate::{
    time::During,
    webhooks::{About, Says, Verdict, Webhooks},
};

/// What a refusal says if the file doesn't: forbidden.
const FORBIDDEN: u16 = 403;

/// Where the webhooks of a cluster answer.
pub fn host(cluster: &str) -> String {
    format!("webhooks.{cluster}.example.test")
}

/// Puts the server in its place, and gives the objects by which the cluster finds it.
///
/// # Errors
/// If what is written can't be.
pub fn begin(world: &World, cluster: &str, described: &Cluster) -> Result<Vec<Value>, String> {
    let webhooks = &described.webhooks.0;
    if webhooks.is_empty() {
        return Ok(Vec::new());
    }
    let host = host(cluster);
    let verdicts = webhooks
        .iter()
        .map(|(name, webhook)| (name.clone(), webhook.answers.iter().map(|verdict| of(world, verdict)).collect()));
    let server = Webhooks {
        tls: certificate::of(&world.authority, &Certificate::default(), &[&host], world.at(&host, 443))?,
        verdicts: verdicts.collect(),
        faults: world.at(&host, 443),
    };
    world.network.place(&host, 443, Arc::new(server), During::default());
    Ok(webhooks.iter().map(|(name, webhook)| configuration(world, &host, name, webhook)).collect())
}

fn of(world: &World, described: &DescribedVerdict) -> Verdict {
    let DescribedVerdict { namespace, name, user, lacks, has, refuse, code, patch, warn, after, from, until } =
        described;
    let says = match refuse {
        Some(message) => Says::Refuse { message: message.clone(), code: code.unwrap_or(FORBIDDEN) },
        None if patch.is_empty() => Says::Pass,
        None => Says::Change(patch.clone()),
    };
    let about = About {
        namespace: namespace.clone(),
        name: name.clone(),
        user: user.clone(),
        lacks: lacks.clone(),
        has: has.clone(),
    };
    Verdict {
        about,
        during: world.during(*from, *until),
        after: after.unwrap_or_default().0,
        says,
        warnings: warn.clone(),
    }
}

fn configuration(world: &World, host: &str, name: &str, webhook: &Webhook) -> Value {
    let changes = webhook.answers.iter().any(|answer| !answer.patch.is_empty());
    let kind = if changes { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" };
    let rules = webhook.resources.iter().map(|resource| {
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        json!({
            "apiGroups": [group], "apiVersions": ["*"], "resources": [plural], "operations": webhook.operations(),
        })
    });
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "webhooks": [{
            "name": name,
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": if webhook.may_fail { "Ignore" } else { "Fail" },
            "timeoutSeconds": webhook.timeout.map_or(10, |timeout| timeout.0.as_secs()),
            "rules": rules.collect::<Vec<_>>(),
            "clientConfig": {
                "url": format!("https://{host}/{name}"),
                "caBundle": STANDARD.encode(world.authority.pem()),
            },
        }],
    })
}
