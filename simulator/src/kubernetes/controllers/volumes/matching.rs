//! Which volume suits a claim.

use std::sync::Arc;

use serde_json::Value;

use super::{VOLUMES, is_for};
use crate::kubernetes::{
    controllers::{Tools, fields::Fields},
    quantity::Quantity,
    selector::Labels,
};

/// The volume that was made for a claim, else the smallest of the free ones that suit it; of those that wait for a pod, only the
/// former.
pub fn find(tools: &Tools, claim: &Value, only_made_for_it: bool) -> Option<Arc<Value>> {
    let volumes = tools.client.cluster().store.list(&VOLUMES.into(), None).1;
    let suiting = volumes.into_iter().map(|(_, volume)| volume).filter(|volume| suits(volume, claim));
    let ranked = suiting.filter_map(|volume| {
        let is_made_for_it = volume.has("/spec/claimRef") && is_for(&volume, claim);
        let is_free = !volume.has("/spec/claimRef") && volume.text("/status/phase") == "Available";
        (is_made_for_it || is_free && !only_made_for_it).then(|| (!is_made_for_it, size(&volume), volume))
    });
    ranked.min_by_key(|(is_any, size, _)| (*is_any, *size)).map(|(.., volume)| volume)
}

pub fn suits(volume: &Value, claim: &Value) -> bool {
    let modes = volume.list("/spec/accessModes");
    let selector = claim.at("/spec/selector");
    let wanted = claim.at("/spec/resources/requests/storage");
    !volume.is_going()
        && volume.text("/spec/storageClassName") == claim.text("/spec/storageClassName")
        && volume.text("/spec/volumeMode") == claim.text("/spec/volumeMode")
        && claim.list("/spec/accessModes").iter().all(|mode| modes.contains(mode))
        && size(volume) >= Quantity::read(wanted).ok()
        && (selector.is_null() || Labels::of(selector).select(volume))
}

fn size(volume: &Value) -> Option<Quantity> {
    Quantity::read(volume.at("/spec/capacity/storage")).ok()
}
