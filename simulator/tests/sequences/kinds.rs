//! The kinds of the sequences, from the files beside this: what an object needs, and what its fields may be, right and wrong.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value};

/// A kind, or a version of one.
#[derive(Deserialize)]
pub struct Family {
    /// Where its objects are.
    pub collection: String,
    /// What every object of it has, which alone is right.
    pub base: Value,
    /// What each field may be; what comes late in a list is likely wrong.
    pub fields: Map<String, Value>,
    /// What can be written apart; without a form of its own it is written as the whole object.
    #[serde(default)]
    parts: BTreeMap<String, Option<Part>>,
    /// Others need what is there, so it is never deleted as a whole.
    #[serde(default)]
    pub needed: bool,
}

/// A part of an object that has a form of its own.
#[derive(Deserialize)]
pub struct Part {
    /// It can only be created.
    #[serde(default)]
    pub creates: bool,
    pub base: Option<Value>,
    pub fields: Map<String, Value>,
}

/// What is written at a path: an object, or a part of it.
#[derive(Clone, Copy)]
pub struct Shape<'f> {
    pub part: &'f str,
    pub creates: bool,
    pub base: &'f Value,
    pub fields: &'f Map<String, Value>,
}

impl Family {
    pub fn whole(&self) -> Shape<'_> {
        Shape { part: "", creates: false, base: &self.base, fields: &self.fields }
    }

    pub fn parts(&self) -> Vec<Shape<'_>> {
        let shapes = self.parts.iter().map(|(name, part)| match part {
            None => Shape { part: name, ..self.whole() },
            Some(part) => Shape {
                part: name,
                creates: part.creates,
                base: part.base.as_ref().unwrap_or(&self.base),
                fields: &part.fields,
            },
        });
        shapes.collect()
    }
}

pub static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    let files = [
        include_str!("kinds/data.yaml"),
        include_str!("kinds/defined.yaml"),
        include_str!("kinds/network.yaml"),
        include_str!("kinds/workloads.yaml"),
    ];
    files.into_iter().flat_map(|text| serde_saphyr::from_str::<Vec<Family>>(text).unwrap()).collect()
});

/// What the kinds of `kinds/defined.yaml` are defined by.
pub static DEFINITIONS: LazyLock<Vec<Value>> =
    LazyLock::new(|| serde_saphyr::from_str(include_str!("kinds/definitions.yaml")).unwrap());

/// What the metadata of any object may be.
pub static METADATA: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_saphyr::from_str(include_str!("kinds/metadata.yaml")).unwrap());
