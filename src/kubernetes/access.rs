//! Who this user is to a cluster, and what it lets them do.

use http::Method;
use serde_json::{Value, json};

use super::{
    client::{Cluster, Query},
    discovery::Resource,
    fault::Subject,
    object::{at, flag, text},
};
use crate::script::{fault::Fault, values::tree::Tree};

/// What somebody would like to do.
#[derive(Debug, Clone)]
pub enum Request {
    /// Something with a kind of object.
    Object {
        verb: String,
        resource: Resource,
        subresource: Option<String>,
        namespace: Option<String>,
        name: Option<String>,
    },
    /// Something with a path of the API server that belongs to no kind.
    Path { verb: String, path: String },
}

impl Request {
    fn attributes(&self) -> Value {
        match self {
            Request::Object { verb, resource, subresource, namespace, name } => json!({
                "resourceAttributes": {
                    "verb": verb,
                    "group": resource.group,
                    "version": resource.version,
                    "resource": resource.plural,
                    "subresource": subresource.as_deref().unwrap_or_default(),
                    "namespace": namespace.as_deref().filter(|_| resource.namespaced).unwrap_or_default(),
                    "name": name.as_deref().unwrap_or_default(),
                },
            }),
            Request::Path { verb, path } => json!({ "nonResourceAttributes": { "verb": verb, "path": path } }),
        }
    }
}

/// What a cluster says to a request before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    pub allowed: bool,
    /// Why, in the server's words; empty if it doesn't say.
    pub reason: String,
}

/// Asks whether this user may do something.
///
/// # Errors
/// The fault of asking: whoever the cluster doesn't know may not even ask.
pub async fn review(cluster: &Cluster, request: &Request) -> Result<Permission, Fault> {
    let answer = ask(cluster, "authorization.k8s.io", "SelfSubjectAccessReview", Some(request.attributes())).await?;
    let parts = ["reason", "evaluationError"].map(|name| text(&answer, &["status", name]).unwrap_or_default().trim());
    let reason: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(Permission { allowed: flag(&answer, &["status", "allowed"]), reason: reason.join("; ") })
}

/// Who this user is: `username`, `groups`, and what else the authentication knows.
///
/// # Errors
/// The fault of asking.
pub async fn myself(cluster: &Cluster) -> Result<Tree, Fault> {
    let answer = ask(cluster, "authentication.k8s.io", "SelfSubjectReview", None).await?;
    Ok(at(&answer, &["status", "userInfo"]).cloned().unwrap_or_default())
}

/// Reviews are created, but nothing is kept of them: asking again is free.
async fn ask(cluster: &Cluster, group: &str, kind: &str, spec: Option<Value>) -> Result<Tree, Fault> {
    let path = format!("/apis/{group}/v1/{}s", kind.to_lowercase());
    let subject = Subject {
        verb: "create",
        resource: format!("{}s.{group}", kind.to_lowercase()),
        cluster: cluster.context().to_owned(),
        ..Subject::default()
    };
    let mut body = json!({ "apiVersion": format!("{group}/v1"), "kind": kind });
    if let Some(spec) = spec {
        body["spec"] = spec;
    }
    cluster
        .ask(Query::sending(Method::POST, path, subject, "application/json", body.to_string().into_bytes()))
        .await?
        .tree()
}
