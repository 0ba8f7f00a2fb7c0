//! Which kind is meant: by what objects call it, or by where it is stored.

use std::sync::Arc;

use super::fields::Fields;
use crate::kubernetes::{
    answer::full,
    cluster::Cluster,
    kinds::{Kind, built_in},
};

/// The kind that objects call by its name.
pub fn called(cluster: &Cluster, api_version: &str, name: &str) -> Option<Arc<Kind>> {
    let known = built_in().values().find(|kind| kind.kind == name && kind.api_version() == api_version).cloned();
    known.or_else(|| defined(cluster, |kind| kind.kind == name && kind.api_version() == api_version))
}

/// The kind whose objects are stored under this name, in the version that the server likes best.
pub fn stored(cluster: &Cluster, stored: &str) -> Option<Arc<Kind>> {
    let mut known = built_in().values().filter(|kind| &*kind.stored == stored);
    let known = known.clone().find(|kind| kind.version == "v1").or_else(|| known.next()).cloned();
    known.or_else(|| defined(cluster, |kind| full(&kind.resource, &kind.group) == stored))
}

/// The first of the kinds that definitions make for which this holds.
fn defined(cluster: &Cluster, holds: impl Fn(&Kind) -> bool) -> Option<Arc<Kind>> {
    for group in cluster.groups() {
        let name = group.text("/metadata/name");
        for version in group.list("/versions") {
            for resource in version.list("/resources") {
                let kind = cluster.kind(name, version.text("/version"), resource.text("/resource"));
                if let Some(kind) = kind.filter(|kind| holds(kind)) {
                    return Some(kind);
                }
            }
        }
    }
    None
}
