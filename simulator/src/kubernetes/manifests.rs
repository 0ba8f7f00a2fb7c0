//! Objects as manifests have them, put into a cluster.

use std::sync::Arc;

use serde_json::Value;

use super::{
    answer::Refusal,
    client::{Client, Place},
    cluster::Cluster,
    kinds::{Kind, built_in},
};

/// Why an object can't be put there.
#[derive(Debug, Clone, PartialEq)]
pub enum Unfit {
    /// The cluster has no such kind, or not yet: its `apiVersion` and `kind`.
    NoSuchKind(String, String),
    Refused(Refusal),
}

/// The kind that a manifest is of, if the cluster serves it now.
pub fn kind(cluster: &Cluster, object: &Value) -> Option<Arc<Kind>> {
    let (api_version, kind) = (object["apiVersion"].as_str()?, object["kind"].as_str()?);
    let named = |known: &Arc<Kind>| known.kind == kind && known.api_version() == api_version;
    built_in().values().find(|known| named(known)).cloned().or_else(|| cluster.defined_kinds().into_iter().find(named))
}

/// Creates an object, in this namespace if it names none.
///
/// # Errors
/// If its kind is not served, or the server refuses it.
pub async fn create(client: &Client, object: &Value, namespace: &str) -> Result<(), Unfit> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, own) = (text("/apiVersion"), text("/metadata/namespace"));
    let Some(kind) = kind(client.cluster(), object) else {
        return Err(Unfit::NoSuchKind(api_version, text("/kind")));
    };
    let namespace = match own.as_str() {
        _ if !kind.namespaced => "",
        "" => namespace,
        own => own,
    };
    let place = Place { api_version: &api_version, resource: &kind.resource, namespace };
    client.create(place, object).await.map(drop).map_err(Unfit::Refused)
}
