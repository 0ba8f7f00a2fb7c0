//! Jobs that a chart runs before or after its objects, and that did not come to an end.

use super::{Checked, Found, Scene, objects};
use crate::bindings::flux::{kind::HELM_RELEASE, release};

pub fn unfinished(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        if *scene.reference.kind != HELM_RELEASE {
            return Ok(None);
        }
        let Some(stored) = release::newest(&scene.cluster, &scene.reference, &scene.object).await? else {
            return Ok(None);
        };
        for hook in &stored.hooks {
            if hook.succeeded {
                continue;
            }
            let resource = scene.cluster.resolve(&hook.kind).await?;
            let Some(object) = scene.cluster.find(&resource, &stored.namespace, &hook.name).await? else { continue };
            if let Some(Found::Blocked(mut blocker)) = objects::of_object(scene, &object).await? {
                blocker.kind = "hook";
                blocker.sentence = format!("a {} hook is in the way: {}", hook.events.join(" and "), blocker.sentence);
                return Ok(Some(Found::Blocked(blocker)));
            }
        }
        Ok(None)
    })
}
