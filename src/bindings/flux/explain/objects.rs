//! The objects that a release or a Kustomization brought: those that aren't as they should be, and what keeps their pods.

use futures::{StreamExt, TryStreamExt, stream};

use super::{Blocker, Checked, Found, Remedy, Scene, attempt::of_refusal};
use crate::{
    bindings::flux::{
        inventory::{self, Entry},
        kind::HELM_RELEASE,
        standing::is_ready,
    },
    kubernetes::{
        explain::{diagnose, look},
        object::{at, kind, name},
        wait::{Until, Verdict},
    },
    script::{fault::Fault, values::tree::Tree},
};

/// How many objects are read at once.
const AT_ONCE: usize = 8;

pub fn unready(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        if at(&scene.object, &["spec", "kubeConfig"]).is_some() {
            return Ok(None);
        }
        let entries = inventory::of(&scene.object);
        let reads = stream::iter(entries).map(|entry| async move {
            let found = entry.find(&scene.cluster).await?;
            Ok::<_, Fault>((entry, found))
        });
        let found: Vec<(Entry, Option<Tree>)> = reads.buffered(AT_ONCE).try_collect().await?;
        for (entry, object) in &found {
            match object {
                // What failed has not brought everything.
                None if is_ready(&scene.object) => return Ok(Some(gone(scene, entry))),
                None => {}
                Some(object) => {
                    if let Some(found) = of_object(scene, object).await? {
                        return Ok(Some(found));
                    }
                }
            }
        }
        Ok(None)
    })
}

fn gone(scene: &Scene, entry: &Entry) -> Found {
    let sentence = format!("{entry}, which {} brought, is no longer there", scene.reference);
    let remedy = match *scene.reference.kind == HELM_RELEASE {
        true => Remedy::Force(scene.reference.clone()),
        false => Remedy::Reconcile(scene.reference.clone()),
    };
    Blocker::new("object_gone", sentence, remedy).on(scene)
}

/// What keeps one object, if anything does.
pub async fn of_object(scene: &Scene, object: &Tree) -> Result<Option<Found>, Fault> {
    let (Verdict::Waiting(why) | Verdict::Hopeless(why)) = Until::Ready.judge(object) else { return Ok(None) };
    let shown = format!("{}/{}", kind(object).to_lowercase(), name(object));
    let evidence = diagnose(&scene.cluster, object).await;
    if let Some(mut refused) = of_refusal(scene, &why) {
        refused.sentence = refused.sentence.replace("its objects", &format!("the pods of {shown}"));
        return Ok(Some(refused.seen(evidence).on(scene)));
    }
    let trouble = look(&scene.cluster, object).await?;
    let (word, why) = match &trouble {
        Some(trouble) if trouble.why.contains("Image") => ("image", trouble.why.as_str()),
        Some(trouble) if trouble.why.contains("Unschedulable") => ("unschedulable", trouble.why.as_str()),
        Some(trouble) if trouble.crashed => ("crash", trouble.why.as_str()),
        _ => ("object_unready", why.as_str()),
    };
    let sentence = format!("{shown}, which {} brought, is not ready: {why}", scene.reference);
    let remedy = Remedy::Mend(format!("mend what {shown} is made from, or what its pods need"));
    Ok(Some(Blocker::new(word, sentence, remedy).seen(evidence).on(scene)))
}
