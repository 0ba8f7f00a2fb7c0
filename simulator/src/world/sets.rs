//! Sets of definitions that worlds may name: those of projects, as they release them.

use serde_json::Value;

use crate::packed;

macro_rules! sets {
    ($($name:literal)*) => {
        const SETS: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("sets/", $name, ".json.gz")))),*];
    };
}

sets! {
    "cert-manager"
    "cluster-api-v1.10"
    "cluster-api"
    "cozystack-v0.38"
    "cozystack"
    "crossplane-provider-helm-v1"
    "crossplane-provider-helm"
    "flux-operator"
    "flux"
    "kamaji"
    "metallb"
    "packet-capi"
    "piraeus"
    "talos-capi-v0.7"
    "talos-capi"
    "vcluster-capi-v0.3"
    "vcluster-capi"
}

/// What sets there are.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    SETS.iter().map(|(name, _)| *name)
}

/// The definitions of a set.
///
/// # Panics
/// If it was packed wrongly, which tests would notice.
pub fn of(name: &str) -> Option<Vec<Value>> {
    let (_, packed) = SETS.iter().find(|(known, _)| *known == name)?;
    Some(packed::read(packed))
}
