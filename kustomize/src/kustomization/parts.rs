//! The parts of a file: a patch, a generator, a replacement.

use super::{
    Generator, GeneratorOptions, Image, Labels, Order, Part, Patch, Replacement, Replicas, Source, Target, Turn,
    at::{At, Fields},
};
use crate::{
    Refusal,
    fields::FieldSpec,
    identity::{Identity, Sort},
    read,
    resource::Behaviour,
    selector::Words,
};

pub fn generator(fields: &mut Fields, kind: &'static str) -> Result<Generator, Refusal> {
    let line = fields.line;
    let name = fields.text("name")?;
    if name.is_empty() {
        return Err(fields.refused("a generator needs a `name`"));
    }
    let behaviour = match fields.text("behavior")?.as_str() {
        "replace" => Behaviour::Replace,
        "merge" => Behaviour::Merge,
        // Whatever else is written there, kustomize creates.
        _ => Behaviour::Create,
    };
    let mut envs = fields.texts("envs")?;
    envs.extend(fields.said("env")?);
    Ok(Generator {
        line,
        kind,
        name,
        namespace: fields.text("namespace")?,
        of_type: if kind == "Secret" { fields.said("type")?.map(|text| text.text) } else { None },
        behaviour,
        envs,
        literals: fields.texts("literals")?,
        files: fields.texts("files")?,
        options: fields.part("options", generator_options)?.unwrap_or_default(),
    })
}

pub fn generator_options(fields: &mut Fields) -> Result<GeneratorOptions, Refusal> {
    Ok(GeneratorOptions {
        labels: fields.pairs("labels")?,
        annotations: fields.pairs("annotations")?,
        keeps_name: fields.flag("disableNameSuffixHash")?,
        is_immutable: fields.flag("immutable")?,
    })
}

pub fn labels(fields: &mut Fields) -> Result<Labels, Refusal> {
    Ok(Labels {
        line: fields.line,
        pairs: fields.pairs("pairs")?,
        with_selectors: fields.flag("includeSelectors")?,
        with_templates: fields.flag("includeTemplates")?,
        fields: fields.each("fields", field)?,
    })
}

fn field(fields: &mut Fields) -> Result<FieldSpec, Refusal> {
    let path = fields.text("path")?;
    Ok(FieldSpec { of: sort(fields)?, path, create: fields.flag("create")? })
}

pub fn patch(fields: &mut Fields, turn: Turn) -> Result<Patch, Refusal> {
    let (line, path, inline) = (fields.line, fields.said("path")?, fields.said("patch")?);
    if path.is_some() == inline.is_some() {
        return Err(fields.refused("a patch has either a `path` or a `patch`"));
    }
    let (may_rename, may_change_kind) = match turn {
        Turn::Either => fields.part("options", patch_options)?.unwrap_or_default(),
        _ => (false, false),
    };
    let target = fields.part("target", words)?;
    if turn == Turn::Steps && target.as_ref().is_none_or(|target| target.identity.name.is_empty()) {
        return Err(fields.refused("a patch of `patchesJson6902` needs the name of its target"));
    }
    let (path, inline) = (path.map(|path| path.text), inline.map(|patch| patch.text));
    Ok(Patch { line, turn, inline, path, target, may_rename, may_change_kind })
}

fn patch_options(fields: &mut Fields) -> Result<(bool, bool), Refusal> {
    Ok((fields.flag("allowNameChange")?, fields.flag("allowKindChange")?))
}

fn words(fields: &mut Fields) -> Result<Words, Refusal> {
    Ok(Words {
        identity: identity(fields)?,
        labels: fields.text("labelSelector")?,
        annotations: fields.text("annotationSelector")?,
    })
}

fn identity(fields: &mut Fields) -> Result<Identity, Refusal> {
    Ok(Identity { sort: sort(fields)?, name: fields.text("name")?, namespace: fields.text("namespace")? })
}

fn sort(fields: &mut Fields) -> Result<Sort, Refusal> {
    Ok(Sort { group: fields.text("group")?, version: fields.text("version")?, kind: fields.text("kind")? })
}

pub fn replicas(fields: &mut Fields) -> Result<Replicas, Refusal> {
    let line = fields.line;
    let count = fields.take("count").map_or(Ok(0), |at| at.whole())?;
    Ok(Replicas { line, name: fields.text("name")?, count })
}

pub fn image(fields: &mut Fields) -> Result<Image, Refusal> {
    let mut said = |name: &str| Ok::<_, Refusal>(fields.said(name)?.map(|text| text.text));
    let (new_name, new_tag) = (said("newName")?, said("newTag")?);
    let (tag_suffix, digest) = (said("tagSuffix")?, said("digest")?);
    Ok(Image { line: fields.line, name: fields.text("name")?, new_name, new_tag, tag_suffix, digest })
}

pub fn order(fields: &mut Fields) -> Result<Order, Refusal> {
    let first_and_last = fields.part("legacySortOptions", |fields| {
        let mut kinds = |name: &str| Ok::<_, Refusal>(fields.texts(name)?.into_iter().map(|text| text.text).collect());
        Ok((kinds("orderFirst")?, kinds("orderLast")?))
    })?;
    let is_by_kind = match fields.text("order")?.as_str() {
        "legacy" => true,
        "fifo" if first_and_last.is_none() => false,
        _ => return Err(fields.refused("`order` is `legacy`, or `fifo` without `legacySortOptions`")),
    };
    Ok(Order { is_by_kind, first_and_last })
}

/// The replacements of a file of their own: one, or a list of them.
///
/// # Errors
/// What is wrong in it, and where.
pub fn replacements(text: &str, file: &str) -> Result<Vec<Replacement>, Refusal> {
    let documents = read::documents(text, file)?;
    let [node] = documents.as_slice() else { return Err(Refusal::of(file, "replacements are one document")) };
    let at = At { file, node };
    if node.entries().is_some() { Ok(vec![at.read(replacement)?]) } else { at.each(replacement) }
}

pub fn replacement(fields: &mut Fields) -> Result<Replacement, Refusal> {
    let (line, file) = (fields.line, fields.file.to_owned());
    let path = fields.said("path")?;
    let value = fields.take("sourceValue").map(|at| at.text()).transpose()?.map(|text| text.text);
    let (source, targets) = (fields.part("source", source)?, fields.each("targets", target)?);
    let is_whole = value.is_some() != source.is_some() && !targets.is_empty();
    let is_elsewhere = path.is_some() && value.is_none() && source.is_none() && targets.is_empty();
    match is_elsewhere || (is_whole && path.is_none()) {
        true => Ok(Replacement { line, file, path, source, value, targets }),
        false => Err(fields.refused("a replacement has a `source` or a `sourceValue`, and `targets`; or a `path`")),
    }
}

fn source(fields: &mut Fields) -> Result<Source, Refusal> {
    let path = fields.text("fieldPath")?;
    Ok(Source { path: or_name(path), part: part(fields)?, identity: identity(fields)? })
}

fn target(fields: &mut Fields) -> Result<Target, Refusal> {
    let line = fields.line;
    let select = fields.part("select", words)?.ok_or_else(|| fields.refused("a target needs a `select`"))?;
    let mut paths: Vec<String> = fields.texts("fieldPaths")?.into_iter().map(|path| path.text).collect();
    if paths.is_empty() {
        paths.push(or_name(String::new()));
    }
    Ok(Target { line, select, reject: fields.each("reject", words)?, paths, part: part(fields)? })
}

fn or_name(path: String) -> String {
    if path.is_empty() { "metadata.name".to_owned() } else { path }
}

fn part(fields: &mut Fields) -> Result<Part, Refusal> {
    let part = fields.part("options", |fields| {
        let index = fields.take("index").map_or(Ok(0), |at| at.whole())?;
        fields.take("encoding");
        Ok(Part { delimiter: fields.text("delimiter")?, index, create: fields.flag("create")? })
    })?;
    Ok(part.unwrap_or_default())
}
