//! The requests that change objects.

use http::Method;
use serde_json::Value;

use super::{
    client::{Cluster, MANAGER, Query},
    discovery::Resource,
    object,
};
use crate::script::{
    fault::{Fault, Kind},
    values::{json, tree::Tree},
};

/// What the server does about fields that a kind doesn't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Validation {
    #[default]
    Strict,
    Warn,
    Ignore,
}

impl Validation {
    /// # Errors
    /// `usage`, with what there is.
    pub fn read(text: &str) -> Result<Self, Fault> {
        match text {
            "strict" => Ok(Self::Strict),
            "warn" => Ok(Self::Warn),
            "ignore" => Ok(Self::Ignore),
            other => Err(Fault::new(Kind::Usage, format!("`{other}` is no way to treat unknown fields"))
                .hint("write `strict`, `warn` or `ignore`")),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Warn => "Warn",
            Self::Ignore => "Ignore",
        }
    }
}

/// How an object is applied.
#[derive(Debug, Clone, Copy)]
pub struct Applying {
    /// Takes over fields that others own.
    pub force: bool,
    /// Nothing is kept: the answer is what would come of it.
    pub dry: bool,
    /// Who owns the fields then.
    pub manager: &'static str,
}

impl Default for Applying {
    fn default() -> Self {
        Self { force: false, dry: false, manager: MANAGER }
    }
}

/// The three ways to describe a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patching {
    Json,
    Merge,
    Strategic,
}

impl Patching {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
        }
    }
}

/// A change of an object, or of its subresource.
#[derive(Debug, Clone)]
pub struct Patch {
    pub patching: Patching,
    pub body: Vec<u8>,
    pub subresource: Option<String>,
    pub validation: Validation,
    /// True if doing it twice is the same as doing it once.
    pub repeatable: bool,
}

impl Patch {
    /// A change that may be sent twice.
    fn repeatable(patching: Patching, change: &Value) -> Self {
        let body = change.to_string().into_bytes();
        Self { patching, body, subresource: None, validation: Validation::Strict, repeatable: true }
    }
}

/// How something is deleted.
#[derive(Debug, Clone, Default)]
pub struct Deletion {
    pub propagation: Option<String>,
    pub grace: Option<u64>,
    /// Only this very object, not a successor of the same name.
    pub uid: Option<String>,
}

/// What came of a deletion.
pub enum Deleted {
    /// It is gone, or going: this is the object, or the answer that it is gone.
    Accepted(Tree),
    Missing,
}

impl Cluster {
    /// Applies an object server-side. Answers it, and whether it was made new.
    ///
    /// # Errors
    /// `conflict`, `invalid` and the like.
    pub async fn apply(
        &self,
        resource: &Resource,
        namespace: &str,
        wanted: &Tree,
        applying: Applying,
    ) -> Result<(Tree, bool), Fault> {
        let name = object::name(wanted);
        let subject = self.subject("patch", resource, Some(namespace), Some(name));
        let path = resource.path(Some(namespace), Some(name));
        let query = Query::sending(Method::PATCH, path, subject, "application/apply-patch+yaml", json::wire(wanted))
            .with("fieldManager", applying.manager)
            // Unknown fields are refused whatever stands here; anything else makes the server read the text once more.
            .with("fieldValidation", Validation::Ignore.word())
            .with_some("force", applying.force.then_some("true"))
            .with_some("dryRun", applying.dry.then_some("All"));
        let answer = self.ask(query).await?;
        let tree = answer.tree()?;
        self.remember(resource, std::slice::from_ref(&tree));
        Ok((tree, answer.status == 201))
    }

    /// Creates an object, which must not be there yet.
    ///
    /// # Errors
    /// `already_exists`, `invalid`, `in_doubt` and the like.
    pub async fn create(
        &self,
        resource: &Resource,
        namespace: &str,
        wanted: &Tree,
        validation: Validation,
    ) -> Result<Tree, Fault> {
        let name = Some(object::name(wanted)).filter(|name| !name.is_empty());
        let subject = self.subject("create", resource, Some(namespace), name);
        let path = resource.path(Some(namespace), None);
        let query = Query::sending(Method::POST, path, subject, "application/json", json::wire(wanted))
            .with("fieldManager", MANAGER)
            .with("fieldValidation", validation.word())
            .once();
        self.changed(resource, query).await
    }

    /// Puts an object in the place of the one that is there, if that still has the version that the new one names.
    ///
    /// # Errors
    /// `conflict`, `not_found`, `invalid`, `in_doubt` and the like.
    pub async fn replace(
        &self,
        resource: &Resource,
        namespace: &str,
        wanted: &Tree,
        validation: Validation,
    ) -> Result<Tree, Fault> {
        let name = object::name(wanted);
        let subject = self.subject("update", resource, Some(namespace), Some(name));
        let path = resource.path(Some(namespace), Some(name));
        let query = Query::sending(Method::PUT, path, subject, "application/json", json::wire(wanted))
            .with("fieldManager", MANAGER)
            .with("fieldValidation", validation.word())
            .once();
        self.changed(resource, query).await
    }

    /// Changes an object, or its subresource, by a patch.
    ///
    /// # Errors
    /// `not_found`, `invalid` and the like.
    pub async fn patch(&self, resource: &Resource, namespace: &str, name: &str, patch: &Patch) -> Result<Tree, Fault> {
        let mut subject = self.subject("patch", resource, Some(namespace), Some(name));
        let mut path = resource.path(Some(namespace), Some(name));
        if let Some(subresource) = &patch.subresource {
            path.push_str(&format!("/{subresource}"));
            subject.resource.push_str(&format!("/{subresource}"));
        }
        let query = Query::sending(Method::PATCH, path, subject, patch.patching.content_type(), patch.body.clone())
            .with("fieldManager", MANAGER)
            .with("fieldValidation", patch.validation.word());
        self.changed(resource, if patch.repeatable { query } else { query.once() }).await
    }

    /// Changes a subresource, or an object itself, by a merge patch.
    ///
    /// # Errors
    /// As for [`Cluster::patch`].
    pub async fn merge_patch(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        subresource: Option<&str>,
        change: &Value,
    ) -> Result<Tree, Fault> {
        let subresource = subresource.map(str::to_owned);
        let patch = Patch { subresource, ..Patch::repeatable(Patching::Merge, change) };
        self.patch(resource, namespace, name, &patch).await
    }

    /// Changes an object by a list of operations, as RFC 6902 has them.
    ///
    /// # Errors
    /// As for [`Cluster::patch`].
    pub async fn json_patch(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        change: &Value,
    ) -> Result<Tree, Fault> {
        self.patch(resource, namespace, name, &Patch::repeatable(Patching::Json, change)).await
    }

    async fn changed(&self, resource: &Resource, query: Query) -> Result<Tree, Fault> {
        let tree = self.ask(query).await?.tree()?;
        self.remember(resource, std::slice::from_ref(&tree));
        Ok(tree)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// `denied`, `conflict` (another object has the name now) and the like.
    pub async fn delete(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        deletion: &Deletion,
    ) -> Result<Deleted, Fault> {
        let subject = self.subject("delete", resource, Some(namespace), Some(name));
        let mut body = serde_json::json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
        if let Some(propagation) = &deletion.propagation {
            body["propagationPolicy"] = Value::from(propagation.as_str());
        }
        if let Some(grace) = deletion.grace {
            body["gracePeriodSeconds"] = Value::from(grace);
        }
        if let Some(uid) = &deletion.uid {
            body["preconditions"] = serde_json::json!({ "uid": uid });
        }
        let path = resource.path(Some(namespace), Some(name));
        let query = Query::sending(Method::DELETE, path, subject, "application/json", body.to_string().into_bytes());
        match self.ask(query).await {
            Ok(answer) => answer.tree().map(Deleted::Accepted),
            Err(fault) if fault.kind == Kind::NotFound => Ok(Deleted::Missing),
            Err(fault) => Err(fault),
        }
    }
}
