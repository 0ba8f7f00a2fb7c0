//! Replacements: a value of one object that is written into others.

use serde_json::Value;

use super::Texts;
use crate::{
    Refusal,
    fields::{unquoted, written},
    kustomization::{self, Part, Replacement, Source, Target},
    pathway,
    resource::Resource,
    selector::Selector,
};

/// # Errors
/// There is no such value, or no such place, and where it is said.
pub fn replace(replacement: &Replacement, resources: &mut [Resource], texts: &Texts) -> Result<(), Refusal> {
    if let Some(path) = &replacement.path {
        let at =
            |refusal: Refusal| Refusal::at(&replacement.file, path.line, format!("`{}`: {}", path.text, refusal.why));
        let (file, text) = texts(&path.text).map_err(at)?;
        let inner = kustomization::replacements(&text, &file)?;
        return inner.iter().try_for_each(|one| replace(one, resources, texts));
    }
    let at = |line: usize| move |why: String| Refusal::at(&replacement.file, line, why);
    let value = match (&replacement.source, &replacement.value) {
        (Some(source), _) => value(source, resources).map_err(at(replacement.line))?,
        (None, Some(value)) => Value::from(value.as_str()),
        (None, None) => Value::Null,
    };
    for target in &replacement.targets {
        put(&value, target, resources).map_err(at(target.line))?;
    }
    Ok(())
}

fn value(source: &Source, resources: &[Resource]) -> Result<Value, String> {
    let wanted = &source.identity;
    let is_meant = |resource: &&Resource| {
        let mut identities = resource.past_identities().chain([resource.identity()]);
        identities.any(|identity| {
            (wanted.name.is_empty() || wanted.name == identity.name)
                && (wanted.namespace.is_empty() || wanted.home() == identity.home())
                && identity.sort.fits(&wanted.sort)
        })
    };
    let mut meant = resources.iter().filter(is_meant);
    let resource = meant.next().ok_or("there is nothing that the source selects")?;
    if meant.next().is_some() {
        return Err("the source selects more than one object".to_owned());
    }
    let value = pathway::find(&resource.object, &pathway::split(&source.path));
    let value = value.filter(|value| !is_empty(value));
    let value = value.ok_or_else(|| format!("{} has no `{}`", resource.identity(), source.path))?;
    if source.part.delimiter.is_empty() {
        return Ok(value.clone());
    }
    let text = written(value).ok_or("a part of a text is wanted of what is none")?;
    let index = usize::try_from(source.part.index).ok();
    let part = index.and_then(|index| text.split(&source.part.delimiter).nth(index));
    let part = part.ok_or_else(|| format!("`{text}` has no part {}", source.part.index))?;
    Ok(of_the_sort(value, part).unwrap_or_else(|| part.into()))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn put(value: &Value, target: &Target, resources: &mut [Resource]) -> Result<(), String> {
    let select = Selector::read(&target.select)?;
    let reject: Vec<Selector> = target.reject.iter().map(Selector::read).collect::<Result<_, _>>()?;
    let is_meant = |resource: &Resource| {
        select.is_marked(resource)
            && select.names(resource)
            && !reject.iter().any(|reject| {
                (reject.asks_for_marks() && reject.is_marked(resource))
                    || (reject.asks_for_names() && reject.names(resource))
            })
    };
    for resource in resources.iter_mut().filter(|resource| is_meant(resource)) {
        for path in &target.paths {
            let made = target.part.create.then_some(value);
            let mut set = |field: &mut Value, is_new: bool| set(field, value, &target.part, is_new);
            let identity = resource.identity();
            let count = pathway::change(&mut resource.object, &pathway::split(path), made, false, &mut set)
                .map_err(|why| format!("{identity}, `{path}`: {why}"))?;
            if count == 0 {
                return Err(format!("{identity} has no `{path}`"));
            }
        }
    }
    Ok(())
}

fn set(field: &mut Value, value: &Value, part: &Part, is_new: bool) -> Result<(), String> {
    let text = written(value).unwrap_or_default();
    let Some(now) = written(field) else {
        if !part.delimiter.is_empty() {
            return Err("a part of a text is to be replaced in what is none".to_owned());
        }
        *field = value.clone();
        return Ok(());
    };
    let now = if is_new { String::new() } else { now };
    let text = match part.delimiter.as_str() {
        "" => text,
        delimiter => {
            let mut parts: Vec<&str> = now.split(delimiter).collect();
            match usize::try_from(part.index) {
                Err(_) => parts.insert(0, &text),
                Ok(index) if index < parts.len() => parts[index] = &text,
                Ok(_) => parts.push(&text),
            }
            parts.join(delimiter)
        }
    };
    *field = match is_new {
        // Nobody said of what sort it is to be.
        true => unquoted(&text),
        false => of_the_sort(field, &text).ok_or_else(|| format!("`{text}` is not of the sort of `{now}`"))?,
    };
    Ok(())
}

/// A text as a value of the sort of another.
fn of_the_sort(other: &Value, text: &str) -> Option<Value> {
    match (other, unquoted(text)) {
        (Value::String(_), _) => Some(text.into()),
        (Value::Bool(_), Value::Bool(yes)) => Some(yes.into()),
        (Value::Number(other), Value::Number(number)) if other.is_f64() || !number.is_f64() => {
            Some(Value::Number(number))
        }
        _ => None,
    }
}
