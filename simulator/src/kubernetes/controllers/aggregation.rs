//! ClusterRoles that are made of others.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Controller, Name, Tools, fields::Fields};
use crate::kubernetes::{answer::Refusal, client::Place, selector::Labels, store::Change};

const STORED: &str = "clusterroles.rbac.authorization.k8s.io";
const OWNER: &str = "clusterrole-aggregation-controller";
const ROLES: Place<'static> =
    Place { api_version: "rbac.authorization.k8s.io/v1", resource: "clusterroles", namespace: "" };

pub struct Aggregation;

impl Controller for Aggregation {
    /// Any role may be a part of any that is made of others.
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        if &*change.key.resource != STORED {
            return Vec::new();
        }
        let roles = roles(tools).into_iter().filter(|role| role.has("/aggregationRule"));
        roles.map(|role| Name::of(&role)).collect()
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(role) = tools.there(STORED, name) else { return Ok(None) };
            let mut rules: Vec<&Value> = Vec::new();
            let all = roles(tools);
            for selector in role.list("/aggregationRule/clusterRoleSelectors") {
                let selector = Labels::of(selector);
                let parts = all.iter().filter(|part| part.name() != name.name && selector.select(part));
                for rule in parts.flat_map(|part| part.list("/rules")) {
                    if !rules.contains(&rule) {
                        rules.push(rule);
                    }
                }
            }
            if role.has("/aggregationRule") && rules != role.list("/rules").iter().collect::<Vec<_>>() {
                let mut wanted = json!({
                    "apiVersion": ROLES.api_version,
                    "kind": "ClusterRole",
                    "metadata": {"name": name.name},
                });
                if !rules.is_empty() {
                    wanted["rules"] = json!(rules);
                }
                tools.client.apply(ROLES, &name.name, OWNER, &wanted).await?;
            }
            Ok(None)
        })
    }
}

/// By name.
fn roles(tools: &Tools) -> Vec<Arc<Value>> {
    let roles = tools.client.cluster().store.list(&STORED.into(), None).1;
    roles.into_iter().map(|(_, role)| role).collect()
}
