//! What a kustomization makes of what it gathered: its fields, in the order in which they are carried out.

mod hash;
mod images;
mod labels;
mod names;
mod patches;
mod replacements;

pub use self::hash::name_by_contents;
use crate::{
    Refusal,
    kustomization::{Kustomization, Turn},
    resource::Resource,
};

/// Gives a file of the folder: how it is called, and its text.
pub type Texts<'t> = dyn Fn(&str) -> Result<(String, String), Refusal> + 't;

/// # Errors
/// What can't be done, and where it is said.
pub fn transform(says: &Kustomization, resources: &mut Vec<Resource>, texts: &Texts) -> Result<(), Refusal> {
    let at = |line: usize| move |why: String| Refusal::at(&says.file, line, why);
    let patch = |turn: Turn, resources: &mut Vec<Resource>| {
        // All of them are read before the first has its turn.
        let patches = says.patches.iter().filter(|patch| patch.turn == turn);
        let read: Vec<_> = patches
            .map(|patch| Ok((patch, patches::read(patch, &says.file, texts)?)))
            .collect::<Result<_, Refusal>>()?;
        read.iter().try_for_each(|(patch, changes)| changes.carry_out(patch, resources).map_err(at(patch.line)))
    };
    patch(Turn::Strategic, resources)?;
    patch(Turn::Either, resources)?;
    if let Some(namespace) = &says.namespace {
        names::move_to(&namespace.text, resources).map_err(at(namespace.line))?;
    }
    if let Some(prefix) = &says.prefix {
        names::prefix(&prefix.text, resources);
    }
    if let Some(suffix) = &says.suffix {
        names::suffix(&suffix.text, resources);
    }
    for labels in &says.labels {
        labels::label(labels, resources).map_err(at(labels.line))?;
    }
    labels::annotate(&says.annotations, resources).map_err(|why| Refusal::of(&says.file, why))?;
    patch(Turn::Steps, resources)?;
    for replicas in &says.replicas {
        images::scale(replicas, resources).map_err(at(replicas.line))?;
    }
    for image in &says.images {
        images::replace(image, resources).map_err(at(image.line))?;
    }
    for replacement in &says.replacements {
        replacements::replace(replacement, resources, texts)?;
    }
    Ok(())
}
