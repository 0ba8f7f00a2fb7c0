//! The script files of a runbook: itself, and what it imports, each once.

use std::{collections::HashMap, rc::Rc};

use super::source::Source;
use crate::script::sources::{NotFound, Sources};

pub struct Files<'s> {
    sources: &'s Sources,
    list: Vec<Rc<Source>>,
    numbers: HashMap<String, usize>,
}

impl<'s> Files<'s> {
    pub fn beginning_with(sources: &'s Sources, name: &str, text: &str) -> Self {
        let mut files = Self { sources, list: Vec::new(), numbers: HashMap::new() };
        files.add(Source::new(name, text));
        files
    }

    pub fn get(&self, number: usize) -> Option<Rc<Source>> {
        self.list.get(number).cloned()
    }

    /// The number of the file that `import "path"` in the file `from` means.
    pub fn import(&mut self, from: &str, path: &str) -> Result<usize, NotFound> {
        let found = self.sources.find(Some(from), path)?;
        match self.numbers.get(&found.name) {
            Some(number) => Ok(*number),
            None => Ok(self.add(Source::new(found.name, found.text))),
        }
    }

    fn add(&mut self, source: Source) -> usize {
        let number = self.list.len();
        self.numbers.insert(source.name.clone(), number);
        self.list.push(Rc::new(source));
        number
    }
}
