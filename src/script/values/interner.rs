//! Parts of trees that come again and again, kept once: ten thousand pods of one deployment differ in little.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use rhai::ImmutableString;

use super::fields::Fields;
use super::tree::Tree;

/// Hands out what it has seen before instead of what is given. Trees are copied on change, so nobody can tell.
#[derive(Default)]
pub struct Interner {
    texts: HashSet<ImmutableString>,
    /// By hash of their parts; of two that collide only the first is shared.
    maps: HashMap<u64, Arc<Fields>>,
    lists: HashMap<u64, Arc<Vec<Tree>>>,
    hashing: RandomState,
}

/// Longer texts rarely come twice.
const TEXT_LENGTH: usize = 32;

/// Larger collections rarely come twice.
const COLLECTION_LENGTH: usize = 16;

impl Interner {
    pub fn text(&mut self, text: &str) -> ImmutableString {
        if text.len() > TEXT_LENGTH {
            return text.into();
        }
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text = ImmutableString::from(text);
        self.texts.insert(text.clone());
        text
    }

    pub fn map(&mut self, fields: Fields) -> Arc<Fields> {
        if fields.len() > COLLECTION_LENGTH {
            return Arc::new(fields);
        }
        let mut hasher = self.hashing.build_hasher();
        for (name, value) in fields.iter() {
            name.as_str().hash(&mut hasher);
            hash(value, &mut hasher);
        }
        share(&mut self.maps, hasher.finish(), fields, |known, fields| {
            known.len() == fields.len()
                && known.iter().zip(fields.iter()).all(|(left, right)| left.0 == right.0 && is_same(left.1, right.1))
        })
    }

    pub fn list(&mut self, mut items: Vec<Tree>) -> Arc<Vec<Tree>> {
        items.shrink_to_fit();
        if items.len() > COLLECTION_LENGTH {
            return Arc::new(items);
        }
        let mut hasher = self.hashing.build_hasher();
        items.iter().for_each(|item| hash(item, &mut hasher));
        share(&mut self.lists, hasher.finish(), items, |known, items| {
            known.len() == items.len() && known.iter().zip(items).all(|(left, right)| is_same(left, right))
        })
    }
}

fn share<T>(seen: &mut HashMap<u64, Arc<T>>, hash: u64, new: T, same: impl Fn(&T, &T) -> bool) -> Arc<T> {
    match seen.entry(hash) {
        Entry::Occupied(known) if same(known.get(), &new) => known.get().clone(),
        Entry::Occupied(_) => Arc::new(new),
        Entry::Vacant(place) => place.insert(Arc::new(new)).clone(),
    }
}

/// The parts of a part are shared already: their address says what they are.
fn hash(tree: &Tree, hasher: &mut impl Hasher) {
    std::mem::discriminant(tree).hash(hasher);
    match tree {
        Tree::Null | Tree::Secret(_) => {}
        Tree::Bool(value) => value.hash(hasher),
        Tree::Int(value) => value.hash(hasher),
        Tree::UInt(value) => value.hash(hasher),
        Tree::Float(value) => value.to_bits().hash(hasher),
        Tree::Text(text) => text.as_str().hash(hasher),
        Tree::List(items) => Arc::as_ptr(items).hash(hasher),
        Tree::Map(fields) => Arc::as_ptr(fields).hash(hasher),
    }
}

fn is_same(left: &Tree, right: &Tree) -> bool {
    match (left, right) {
        (Tree::List(left), Tree::List(right)) => Arc::ptr_eq(left, right),
        (Tree::Map(left), Tree::Map(right)) => Arc::ptr_eq(left, right),
        (Tree::Float(left), Tree::Float(right)) => left.to_bits() == right.to_bits(),
        (left, right) => left == right,
    }
}
