//! The way of the world's own controllers into a cluster: the same requests as everybody's, without a connection.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use super::{
    answer::Refusal,
    cluster::Cluster,
    request::{Request, Sent},
    resource,
    user::User,
};

/// Somebody of the control plane who asks.
#[derive(Clone)]
pub struct Client {
    cluster: Arc<Cluster>,
    user: User,
    agent: HeaderValue,
}

/// Where objects are: `namespaces/prod/deployments` of `apps/v1`.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// `v1`, `apps/v1`.
    pub api_version: &'p str,
    /// The plural.
    pub resource: &'p str,
    /// Empty for what belongs to no namespace, and for all namespaces.
    pub namespace: &'p str,
}

impl<'p> Place<'p> {
    /// Empty for the core group.
    pub fn group(&self) -> &'p str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    fn path(&self, name: &str, part: &str) -> String {
        let Place { api_version, resource, namespace } = self;
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let namespace = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        let mut path = format!("/{root}/{api_version}{namespace}/{resource}");
        for segment in [name, part].iter().filter(|segment| !segment.is_empty()) {
            path.push('/');
            path.push_str(segment);
        }
        path
    }
}

impl Client {
    /// A client of this user; `agent` is who owns the fields that it writes, as in `kube-controller-manager`.
    ///
    /// # Panics
    /// If the agent can't be in a header.
    pub fn new(cluster: &Arc<Cluster>, user: User, agent: &str) -> Self {
        let agent = HeaderValue::from_str(agent).expect("agents are plain words");
        Self { cluster: cluster.clone(), user, agent }
    }

    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// # Errors
    /// If it is not there.
    pub async fn get(&self, place: Place<'_>, name: &str) -> Result<Value, Refusal> {
        self.send(Method::GET, &place.path(name, ""), "", "", None).await
    }

    /// # Errors
    /// As the server refuses it.
    pub async fn create(&self, place: Place<'_>, object: &Value) -> Result<Value, Refusal> {
        self.send(Method::POST, &place.path("", ""), "", "application/json", Some(object)).await
    }

    /// Creates a part of an object, as in `binding`.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn create_part(
        &self,
        place: Place<'_>,
        name: &str,
        part: &str,
        object: &Value,
    ) -> Result<Value, Refusal> {
        self.send(Method::POST, &place.path(name, part), "", "application/json", Some(object)).await
    }

    /// Replaces an object, or a part of it (`status`), if it is still of the version that `object` says.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn update(&self, place: Place<'_>, part: &str, object: &Value) -> Result<Value, Refusal> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        self.send(Method::PUT, &place.path(name, part), "", "application/json", Some(object)).await
    }

    /// Patches an object, or a part of it, by a patch of the form `merge`, `strategic-merge` or `json`.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn patch(
        &self,
        place: Place<'_>,
        (name, part): (&str, &str),
        form: &str,
        patch: &Value,
    ) -> Result<Value, Refusal> {
        let media_type = format!("application/{form}-patch+json");
        self.send(Method::PATCH, &place.path(name, part), "", &media_type, Some(patch)).await
    }

    /// Applies what this owner wants of an object, whoever else wants something of it.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn apply(&self, place: Place<'_>, name: &str, owner: &str, object: &Value) -> Result<Value, Refusal> {
        self.apply_with(place, name, &format!("fieldManager={owner}&force=true"), object).await
    }

    /// The same by these parameters: `fieldManager=flux&dryRun=All`.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn apply_with(
        &self,
        place: Place<'_>,
        name: &str,
        query: &str,
        object: &Value,
    ) -> Result<Value, Refusal> {
        self.send(Method::PATCH, &place.path(name, ""), query, "application/apply-patch+yaml", Some(object)).await
    }

    /// Deletes an object; `options` are `DeleteOptions`, or null.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn delete(&self, place: Place<'_>, name: &str, options: &Value) -> Result<Value, Refusal> {
        let options = Some(options).filter(|options| !options.is_null());
        self.send(Method::DELETE, &place.path(name, ""), "", "application/json", options).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &str,
        media_type: &str,
        body: Option<&Value>,
    ) -> Result<Value, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, self.agent.clone());
        if let Ok(media_type) = HeaderValue::from_str(media_type) {
            headers.insert(header::CONTENT_TYPE, media_type);
        }
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = Request::new(Sent { method, path, query, headers, body }, self.user.clone());
        resource::whole(&self.cluster, &request).await.map(|(_, value, _)| value)
    }
}
