//! The fields of a map: sorted by name, shared until one of the owners changes them.

use rhai::ImmutableString;

use super::tree::Tree;

/// Names and values in the order of the names. A vector beats a tree here: objects are small and read far more than changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(ImmutableString, Tree)>);

impl Fields {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(key, _)| key.as_str().cmp(name))
    }

    pub fn get(&self, name: &str) -> Option<&Tree> {
        self.find(name).ok().map(|at| &self.0[at].1)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Tree> {
        self.find(name).ok().map(|at| &mut self.0[at].1)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// Sets a field and returns what it held before.
    pub fn insert(&mut self, name: ImmutableString, value: Tree) -> Option<Tree> {
        match self.find(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    pub fn remove(&mut self, name: &str) -> Option<Tree> {
        self.find(name).ok().map(|at| self.0.remove(at).1)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn names(&self) -> impl Iterator<Item = &ImmutableString> {
        self.0.iter().map(|(name, _)| name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ImmutableString, &Tree)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Takes fields in any order; the name that stands twice is handed back as the error.
    pub fn from_unsorted(mut fields: Vec<(ImmutableString, Tree)>) -> Result<Self, ImmutableString> {
        fields.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
        if let Some(twice) = fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(twice[0].0.clone());
        }
        fields.shrink_to_fit();
        Ok(Self(fields))
    }
}
