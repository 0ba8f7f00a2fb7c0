//! The file as a whole: its fields, and what of kustomize isn't supported.

use super::{
    GeneratorOptions, Kustomization, Labels, Patch, Text, Turn,
    at::{At, Fields},
    parts,
};
use crate::{Refusal, read};

/// What kustomize knows, and this doesn't.
const UNSUPPORTED: [&str; 12] = [
    "buildMetadata",
    "configurations",
    "crds",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "imageTags",
    "openapi",
    "transformers",
    "validators",
    "vars",
];

impl Kustomization {
    /// # Errors
    /// What is wrong in it, and where.
    pub fn read(text: &str, file: &str) -> Result<Self, Refusal> {
        let documents = read::documents(text, file)?;
        let [document] = documents.as_slice() else {
            return Err(Refusal::of(file, "a kustomization is one document"));
        };
        let mut fields = At { file, node: document }.fields()?;
        let is_component = kind(&mut fields)?;
        let read = Self::of(&mut fields, is_component)?;
        match fields.first() {
            None => Ok(read),
            Some((key, _)) => {
                let name = key.name();
                let why = match UNSUPPORTED.contains(&name.as_str()) {
                    true => format!("`{name}` is not supported"),
                    false => format!("a kustomization has no field `{name}`"),
                };
                Err(Refusal::at(file, key.line, why))
            }
        }
    }

    fn of(fields: &mut Fields, is_component: bool) -> Result<Self, Refusal> {
        let options = fields.part("generatorOptions", parts::generator_options)?.unwrap_or_default();
        let mut read = Self {
            file: fields.file.to_owned(),
            is_component,
            resources: fields.texts("resources")?,
            components: fields.texts("components")?,
            generators: fields.each("configMapGenerator", |fields| parts::generator(fields, "ConfigMap"))?,
            patches: fields.texts("patchesStrategicMerge")?.into_iter().map(strategic).collect(),
            namespace: fields.said("namespace")?,
            prefix: fields.said("namePrefix")?,
            suffix: fields.said("nameSuffix")?,
            labels: fields.each("labels", parts::labels)?,
            annotations: fields.pairs("commonAnnotations")?,
            replicas: fields.each("replicas", parts::replicas)?,
            images: fields.each("images", parts::image)?,
            replacements: fields.each("replacements", parts::replacement)?,
            order: fields.part("sortOptions", parts::order)?,
        };
        read.resources.extend(fields.texts("bases")?);
        read.generators.extend(fields.each("secretGenerator", |fields| parts::generator(fields, "Secret"))?);
        read.generators.iter_mut().for_each(|generator| inherit(&mut generator.options, &options));
        read.patches.extend(fields.each("patches", |fields| parts::patch(fields, Turn::Either))?);
        read.patches.extend(fields.each("patchesJson6902", |fields| parts::patch(fields, Turn::Steps))?);
        if let Some(at) = fields.take("commonLabels") {
            let (pairs, line) = (at.pairs()?, at.node.line);
            read.labels.push(Labels { line, pairs, with_selectors: true, with_templates: true, fields: Vec::new() });
        }
        Ok(read)
    }
}

/// Whether it is a component, which is added to what includes it.
fn kind(fields: &mut Fields) -> Result<bool, Refusal> {
    let (kind, version) = (fields.said("kind")?, fields.said("apiVersion")?);
    fields.take("metadata");
    let is_component = match kind.as_ref().map(|kind| kind.text.as_str()) {
        None | Some("Kustomization") => false,
        Some("Component") => true,
        Some(kind) => return Err(fields.refused(format!("`{kind}` is neither a Kustomization nor a Component"))),
    };
    let expected = if is_component { "kustomize.config.k8s.io/v1alpha1" } else { "kustomize.config.k8s.io/v1beta1" };
    match version {
        Some(Text { line, text }) if text != expected => {
            Err(Refusal::at(fields.file, line, format!("the version is `{expected}`, not `{text}`")))
        }
        _ => Ok(is_component),
    }
}

/// A patch of the older field is a file, or the patch itself.
fn strategic(Text { line, text }: Text) -> Patch {
    let (inline, path) = match text.contains('\n') || text.trim_start().starts_with('{') {
        true => (Some(text), None),
        false => (None, Some(text)),
    };
    Patch { line, turn: Turn::Strategic, inline, path, target: None, may_rename: false, may_change_kind: false }
}

/// What holds for all generators of a file, where one says nothing else.
fn inherit(options: &mut GeneratorOptions, all: &GeneratorOptions) {
    for (own, all) in [(&mut options.labels, &all.labels), (&mut options.annotations, &all.annotations)] {
        let missing: Vec<_> =
            all.iter().filter(|(name, _)| !own.iter().any(|(known, _)| known == name)).cloned().collect();
        own.extend(missing);
        own.sort();
    }
    options.keeps_name |= all.keeps_name;
    options.is_immutable |= all.is_immutable;
}
