//! Patches of either form: objects that are merged, or steps.

use documents::{
    steps::Step,
    yaml::{self, Content, Node},
};
use serde_json::Value;

use super::Texts;
use crate::{
    Refusal, fields,
    identity::Identity,
    kustomization::{Patch, Turn},
    merge, read,
    resource::Resource,
    selector::Selector,
};

/// A patch, read.
pub enum Changes {
    Objects(Vec<Value>),
    Steps(Vec<Step>),
}

/// # Errors
/// It is not there, or is neither.
pub fn read(patch: &Patch, file: &str, texts: &Texts) -> Result<Changes, Refusal> {
    let (file, text) = match (&patch.inline, &patch.path) {
        (Some(text), _) => (file.to_owned(), text.clone()),
        (None, path) => {
            let path = path.as_deref().unwrap_or_default();
            texts(path).map_err(|refusal| Refusal::at(file, patch.line, format!("patch `{path}`: {}", refusal.why)))?
        }
    };
    let refused = |why: String| match patch.inline {
        Some(_) => Refusal::at(&file, patch.line, why),
        None => Refusal::of(&file, why),
    };
    let steps = match yaml::read(&text).as_deref() {
        Ok([Node { content: Content::List(steps), .. }]) => Some(steps.iter().map(by_older_rules).collect::<Vec<_>>()),
        _ => None,
    };
    match steps {
        Some(steps) if patch.turn != Turn::Strategic => {
            let steps = steps.iter().map(Step::read).collect::<Result<_, _>>().map_err(refused)?;
            Ok(Changes::Steps(steps))
        }
        _ if patch.turn == Turn::Steps => Err(refused("a patch of `patchesJson6902` is a list of steps".to_owned())),
        _ => match read::objects(&text, &file) {
            Ok(objects) if objects.is_empty() => Err(refused("the patch is empty".to_owned())),
            Ok(objects) => Ok(Changes::Objects(objects)),
            Err(refusal) => Err(refused(format!("it is neither an object nor a list of steps: {}", refusal.why))),
        },
    }
}

fn by_older_rules(node: &Node) -> Value {
    match (&node.content, fields::older_meaning(node)) {
        (_, Some(yes)) => yes.into(),
        (Content::List(items), _) => items.iter().map(by_older_rules).collect(),
        (Content::Map(entries), _) => {
            Value::Object(entries.iter().map(|(key, value)| (key.name(), by_older_rules(value))).collect())
        }
        (Content::Text { .. }, None) => node.value(),
    }
}

impl Changes {
    /// # Errors
    /// There is nothing that it is for, or it doesn't fit.
    pub fn carry_out(&self, patch: &Patch, resources: &mut Vec<Resource>) -> Result<(), String> {
        let target = patch.target.as_ref().map(Selector::read).transpose()?;
        match (self, target) {
            (Self::Objects(objects), None) => {
                objects.iter().try_for_each(|object| merge_by_name(object, patch, resources))
            }
            (Self::Objects(objects), Some(target)) => match objects.as_slice() {
                [object] => {
                    let places = (0..resources.len()).filter(|place| target.selects(&resources[*place])).collect();
                    merge_at(places, object, patch, resources)
                }
                _ => Err("a patch with a `target` is one object".to_owned()),
            },
            (Self::Steps(_), None) => Err("steps need a `target`".to_owned()),
            (Self::Steps(steps), Some(target)) => {
                for resource in resources.iter_mut().filter(|resource| target.selects(resource)) {
                    if patch.turn == Turn::Either {
                        resource.remember();
                    }
                    let identity = resource.identity();
                    let mut object = resource.object.clone();
                    steps
                        .iter()
                        .try_for_each(|step| step.take(&mut object))
                        .map_err(|why| format!("{identity}: {why}"))?;
                    resource.object = object;
                }
                Ok(())
            }
        }
    }
}

/// The object that the patch itself names is the one it is for.
fn merge_by_name(object: &Value, patch: &Patch, resources: &mut Vec<Resource>) -> Result<(), String> {
    let wanted: Identity = Resource::of(object.clone()).identity();
    let places: Vec<usize> = (0..resources.len()).filter(|place| resources[*place].is_or_was(&wanted)).collect();
    match places.len() {
        0 => Err(format!("there is no {wanted} for the patch")),
        1 => merge_at(places, object, patch, resources),
        _ => Err(format!("more than one object is, or was, {wanted}")),
    }
}

fn merge_at(places: Vec<usize>, object: &Value, patch: &Patch, resources: &mut Vec<Resource>) -> Result<(), String> {
    for place in places {
        let resource = &mut resources[place];
        let before = resource.identity();
        if patch.may_rename || patch.may_change_kind {
            resource.remember();
        }
        let merged = merge::merge(resource.object.take(), object).map_err(|why| format!("{before}: {why}"))?;
        resource.object = merged.unwrap_or_default();
        if resource.object.is_null() {
            continue;
        }
        if !patch.may_change_kind {
            resource.object["kind"] = before.sort.kind.as_str().into();
        }
        if patch.target.is_some() {
            resource.object["apiVersion"] = before.sort.api_version().into();
        }
        if !patch.may_rename {
            resource.rename(&before.name);
        }
        let namespace = (!before.namespace.is_empty()).then(|| before.namespace.as_str().into());
        resource.set_metadata("namespace", namespace);
    }
    resources.retain(|resource| !resource.object.is_null());
    Ok(())
}
