//! Who asks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Everybody who showed who they are.
const AUTHENTICATED: &str = "system:authenticated";

/// Somebody whom the server knows, by a token or a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: String,
    pub groups: Vec<String>,
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Somebody of these groups, and of the group of all who showed who they are.
    pub fn named(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().chain([&AUTHENTICATED]).map(|group| (*group).to_owned()).collect();
        Self { name: name.to_owned(), uid: String::new(), groups, extra: BTreeMap::new() }
    }

    /// Somebody who may do anything.
    pub fn administrator() -> Self {
        Self { uid: "admin".to_owned(), ..Self::named("admin", &["system:masters"]) }
    }

    /// A part of the control plane, or of its machines.
    pub fn component(name: &str) -> Self {
        Self::named(&format!("system:{name}"), &[])
    }

    /// The API server, when it asks itself.
    pub fn api_server() -> Self {
        let groups = vec!["system:masters".to_owned()];
        Self { name: "system:apiserver".to_owned(), groups, ..Self::default() }
    }

    /// Whoever doesn't show who they are.
    pub fn anonymous() -> Self {
        let groups = vec!["system:unauthenticated".to_owned()];
        Self { name: "system:anonymous".to_owned(), groups, ..Self::default() }
    }

    pub fn service_account(namespace: &str, name: &str) -> Self {
        let group = format!("system:serviceaccounts:{namespace}");
        Self::named(&format!("system:serviceaccount:{namespace}:{name}"), &["system:serviceaccounts", &group])
    }

    /// A controller of kube-system, by its service account.
    pub fn controller(name: &str) -> Self {
        Self::service_account("kube-system", name)
    }

    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known == group)
    }

    /// As reviews show it.
    pub fn shown(&self) -> Value {
        let mut shown = json!({"username": self.name});
        if !self.uid.is_empty() {
            shown["uid"] = json!(self.uid);
        }
        if !self.groups.is_empty() {
            shown["groups"] = json!(self.groups);
        }
        if !self.extra.is_empty() {
            shown["extra"] = json!(self.extra);
        }
        shown
    }
}
