//! Admission: what may change or stop a write before its object is checked and stored.
//!
//! An ordered list of plugins, as the real server has them: first all that change objects, then, once an object is found right, all
//! that only say no. It stores nothing itself.

mod accounts;
mod certificates;
mod classes;
mod definitions;
mod limits;
mod mutations;
mod namespaces;
mod policies;
pub mod quota;
mod review;
mod webhooks;

use std::sync::Arc;

use serde_json::Value;

use super::{answer::Refusal, cluster::Cluster, kinds::Kind, request::Request, store::Key};

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Create,
    Update,
    Delete,
}

/// A write that is on its way in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    pub cluster: &'a Arc<Cluster>,
    pub kind: &'a Kind,
    pub request: &'a Request,
    pub operation: Operation,
    /// The part of the object that it goes to, or nothing for the object as a whole.
    pub part: &'a str,
    /// Empty for what belongs to none.
    pub namespace: &'a str,
    pub name: &'a str,
    /// False for a new object whose name the server makes up: then whoever is asked is told none.
    pub named: bool,
    /// What is there by now.
    pub there: Option<&'a Value>,
    pub dry_run: bool,
}

type Change = fn(&Attempt, &mut Value) -> Result<(), Refusal>;
type Check = fn(&Attempt, &Value) -> Result<(), Refusal>;

/// Who may change objects, in the order in which they are asked, before any webhook.
const CHANGES: [Change; 4] = [limits::change, accounts::change, certificates::change, classes::change];

/// Who may say no, in their order, after all webhooks.
const CHECKS: [Check; 4] = [limits::check, accounts::check, certificates::check, quota::check];

/// Where those are kept whom a cluster itself names to be asked about writes.
const OTHERS: [&str; 4] = [
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

/// Whether policies or webhooks are asked about some writes.
pub fn asks_others(cluster: &Cluster) -> bool {
    OTHERS.iter().any(|others| cluster.store.has_any(&(*others).into()))
}

/// Lets everybody change a new or changed object who may.
///
/// # Errors
/// If somebody refuses it.
pub async fn change(attempt: &Attempt<'_>, object: &mut Value) -> Result<(), Refusal> {
    namespaces::check(attempt)?;
    definitions::check(attempt)?;
    CHANGES.iter().try_for_each(|plugin| plugin(attempt, object))?;
    let left = mutations::change(attempt, object)?.then(|| object.clone());
    webhooks::change(attempt, object).await?;
    match left.is_some_and(|left| left != *object) {
        true => Err(Refusal::not_modelled("a policy that is asked again because a webhook changed something")),
        false => Ok(()),
    }
}

/// Asks everybody who may say no to an object that is right in itself. For a deletion it is what is there.
///
/// # Errors
/// If somebody does.
pub async fn check(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    if attempt.operation == Operation::Delete {
        namespaces::check(attempt)?;
    }
    policies::check(attempt, object)?;
    webhooks::check(attempt, object).await?;
    CHECKS.iter().try_for_each(|plugin| plugin(attempt, object))?;
    match attempt.dry_run {
        true => Ok(()),
        false => quota::charge(attempt, object).await,
    }
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

impl Attempt<'_> {
    /// True for a write to whole objects of a kind.
    fn is_of(&self, stored: &str) -> bool {
        self.part.is_empty() && &*self.kind.stored == stored
    }

    fn forbidden(&self, why: &str) -> Refusal {
        Refusal::not_admitted(&self.kind.resource, &self.kind.group, self.name, why)
    }

    fn stored(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let key = Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() };
        self.cluster.store.get(&key)
    }

    /// The objects of a resource in the namespace of the attempt, or of the cluster.
    fn all(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let (_, found) = self.cluster.store.list(&resource.into(), namespace);
        found.into_iter().map(|(_, object)| object).collect()
    }
}
