//! Volumes and claims of them: who is bound to whom, what is made on demand, and what becomes of a volume after its claim.

mod claims;
mod matching;
mod protection;
mod provisioning;
mod reclaiming;

use serde_json::Value;

pub use self::{
    claims::Claims,
    protection::{ProtectedClaims, ProtectedVolumes},
    provisioning::Provisioning,
    reclaiming::Volumes,
};
use super::{Name, fields::Fields};
use crate::kubernetes::client::Place;

const CLAIMS: &str = "persistentvolumeclaims";
const VOLUMES: &str = "persistentvolumes";
const CLASSES: &str = "storageclasses.storage.k8s.io";

const COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const PROVISIONERS: [&str; 2] =
    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
/// The node for which a volume is to be made, once a pod of the claim has one.
pub const NODE: &str = "volume.kubernetes.io/selected-node";

fn claims(namespace: &str) -> Place<'_> {
    Place { api_version: "v1", resource: CLAIMS, namespace }
}

const VOLUMES_PLACE: Place<'static> = Place { api_version: "v1", resource: VOLUMES, namespace: "" };

/// A volume or a class, by its name.
fn named(name: &str) -> Name {
    Name { namespace: String::new(), name: name.to_owned() }
}

/// True for a claim that has its volume.
pub fn is_bound(claim: &Value) -> bool {
    claim.text("/status/phase") == "Bound"
}

/// True for a class whose volumes are bound when the first pod that uses them has a node.
pub fn waits_for_a_pod(class: &Value) -> bool {
    class.text("/volumeBindingMode") == "WaitForFirstConsumer"
}

/// The claim that a volume is for.
fn claim_of(volume: &Value) -> Option<Name> {
    let reference = volume.at("/spec/claimRef");
    reference
        .is_object()
        .then(|| Name { namespace: reference.text("/namespace").to_owned(), name: reference.text("/name").to_owned() })
}

/// True for a volume that is meant for this claim, and for no earlier one of its name.
fn is_for(volume: &Value, claim: &Value) -> bool {
    let uid = volume.text("/spec/claimRef/uid");
    claim_of(volume) == Some(Name::of(claim)) && (uid.is_empty() || uid == claim.uid())
}
