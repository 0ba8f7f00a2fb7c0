//! Which lists of Kubernetes' own kinds are merged item by item, and which kinds live in no namespace: what kustomize knows of them.

use std::{collections::BTreeMap, sync::OnceLock};

/// What is known of a map's fields.
#[derive(Debug, Default)]
pub struct Shape {
    fields: BTreeMap<&'static str, Field>,
}

#[derive(Debug)]
struct Field {
    /// The fields that tell items of a list apart; none for a list of texts. Nothing, if it is no list that is merged.
    keys: Option<Vec<&'static str>>,
    shape: Option<&'static str>,
}

struct Tables {
    shapes: BTreeMap<&'static str, Shape>,
    /// By version, and by kind.
    kinds: BTreeMap<&'static str, BTreeMap<&'static str, Known>>,
}

struct Known {
    is_of_the_cluster: bool,
    shape: Shape,
}

/// What is known of a field: what is in it, and how its items are told apart if it is a list that is merged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Way {
    pub shape: Option<&'static Shape>,
    pub keys: Option<&'static [&'static str]>,
}

pub fn of(api_version: &str, kind: &str) -> Option<&'static Shape> {
    known(api_version, kind).map(|known| &known.shape)
}

pub fn is_of_the_cluster(api_version: &str, kind: &str) -> bool {
    known(api_version, kind).is_some_and(|known| known.is_of_the_cluster)
}

impl Shape {
    pub fn field(&'static self, name: &str) -> Way {
        let Some(field) = self.fields.get(name) else { return Way::default() };
        let shape = field.shape.and_then(|shape| tables().shapes.get(shape));
        Way { shape, keys: field.keys.as_deref() }
    }
}

fn known(api_version: &str, kind: &str) -> Option<&'static Known> {
    tables().kinds.get(api_version)?.get(kind)
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES
        .get_or_init(|| Tables { shapes: shapes(include_str!("shapes.txt")), kinds: kinds(include_str!("kinds.txt")) })
}

/// A shape begins at the margin, and its fields follow, a line each: the name, the keys in brackets, the shape of what is in it.
fn shapes(table: &'static str) -> BTreeMap<&'static str, Shape> {
    let mut shapes = BTreeMap::new();
    let mut current = "";
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            None => {
                current = line;
                shapes.insert(current, Shape::default());
            }
            Some(line) => {
                let (name, field) = field(line);
                shapes.entry(current).or_default().fields.insert(name, field);
            }
        }
    }
    shapes
}

fn field(line: &'static str) -> (&'static str, Field) {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    let mut field = Field { keys: None, shape: None };
    for word in words {
        match word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
            Some(keys) => field.keys = Some(keys.split(',').filter(|key| !key.is_empty()).collect()),
            None => field.shape = Some(word),
        }
    }
    (name, field)
}

/// A line for each kind: where it lives, its version, its name, and fields that are shaped.
fn kinds(table: &'static str) -> BTreeMap<&'static str, BTreeMap<&'static str, Known>> {
    let mut kinds: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (Some(home), Some(version), Some(kind)) = (words.next(), words.next(), words.next()) else { continue };
        let fields = words.map(|word| {
            let (name, shape) = word.split_once('=').unwrap_or((word, ""));
            match shape.strip_prefix('[').and_then(|keys| keys.strip_suffix(']')) {
                Some(keys) => (name, Field { keys: Some(keys.split(',').collect()), shape: None }),
                None => (name, Field { keys: None, shape: Some(shape) }),
            }
        });
        let metadata = ("metadata", Field { keys: None, shape: Some("Metadata") });
        let shape = Shape { fields: fields.chain([metadata]).collect() };
        let known = Known { is_of_the_cluster: home == "cluster", shape };
        kinds.entry(version).or_default().insert(kind, known);
    }
    kinds
}
