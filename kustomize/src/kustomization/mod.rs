//! A kustomization file: what it says, with the lines on which it does.

mod at;
mod parts;
mod whole;

pub use self::parts::replacements;
use crate::{fields::FieldSpec, identity::Identity, resource::Behaviour, selector::Words};

/// A text, and where it stands.
#[derive(Debug, Clone)]
pub struct Text {
    pub line: usize,
    pub text: String,
}

/// Names and texts.
pub type Pairs = Vec<(String, String)>;

#[derive(Debug, Default)]
pub struct Kustomization {
    pub file: String,
    pub is_component: bool,
    pub resources: Vec<Text>,
    pub components: Vec<Text>,
    pub generators: Vec<Generator>,
    pub patches: Vec<Patch>,
    pub namespace: Option<Text>,
    pub prefix: Option<Text>,
    pub suffix: Option<Text>,
    pub labels: Vec<Labels>,
    pub annotations: Pairs,
    pub replicas: Vec<Replicas>,
    pub images: Vec<Image>,
    pub replacements: Vec<Replacement>,
    pub order: Option<Order>,
}

#[derive(Debug)]
pub struct Generator {
    pub line: usize,
    pub kind: &'static str,
    pub name: String,
    pub namespace: String,
    pub of_type: Option<String>,
    pub behaviour: Behaviour,
    pub envs: Vec<Text>,
    pub literals: Vec<Text>,
    pub files: Vec<Text>,
    pub options: GeneratorOptions,
}

#[derive(Debug, Clone, Default)]
pub struct GeneratorOptions {
    pub labels: Pairs,
    pub annotations: Pairs,
    pub keeps_name: bool,
    pub is_immutable: bool,
}

/// When a patch has its turn: those of `patches` stand between those of the older fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Strategic,
    Either,
    Steps,
}

#[derive(Debug)]
pub struct Patch {
    pub line: usize,
    pub turn: Turn,
    /// The patch itself, or where it is.
    pub inline: Option<String>,
    pub path: Option<String>,
    pub target: Option<Words>,
    pub may_rename: bool,
    pub may_change_kind: bool,
}

#[derive(Debug)]
pub struct Labels {
    pub line: usize,
    pub pairs: Pairs,
    pub with_selectors: bool,
    pub with_templates: bool,
    pub fields: Vec<FieldSpec>,
}

#[derive(Debug)]
pub struct Replicas {
    pub line: usize,
    pub name: String,
    pub count: i64,
}

#[derive(Debug)]
pub struct Image {
    pub line: usize,
    pub name: String,
    pub new_name: Option<String>,
    pub new_tag: Option<String>,
    pub tag_suffix: Option<String>,
    pub digest: Option<String>,
}

#[derive(Debug)]
pub struct Replacement {
    pub line: usize,
    /// The file it stands in, or is in.
    pub file: String,
    pub path: Option<Text>,
    pub source: Option<Source>,
    pub value: Option<String>,
    pub targets: Vec<Target>,
}

#[derive(Debug)]
pub struct Source {
    pub identity: Identity,
    pub path: String,
    pub part: Part,
}

#[derive(Debug)]
pub struct Target {
    pub line: usize,
    pub select: Words,
    pub reject: Vec<Words>,
    pub paths: Vec<String>,
    pub part: Part,
}

/// Which part of a text is meant.
#[derive(Debug, Default)]
pub struct Part {
    pub delimiter: String,
    pub index: i64,
    pub create: bool,
}

#[derive(Debug)]
pub struct Order {
    pub is_by_kind: bool,
    pub first_and_last: Option<(Vec<String>, Vec<String>)>,
}
