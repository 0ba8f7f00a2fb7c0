//! The script files of a runbook: itself, and what it imports, each once.

use std::{collections::HashMap, rc::Rc};

use super::{labelled, source::Source, walk::Facts};
use crate::{
    diagnostic::Diagnostic,
    script::sources::{NotFound, Sources},
};

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

/// Reports imports that lead back to the file they stand in: reading them would never end.
pub fn circles(files: &Files, facts: &[Option<Facts>], findings: &mut Vec<Diagnostic>) {
    let mut done = vec![false; facts.len()];
    follow(0, files, facts, &mut Vec::new(), &mut done, findings);
}

fn follow(
    file: usize,
    files: &Files,
    facts: &[Option<Facts>],
    trail: &mut Vec<usize>,
    done: &mut [bool],
    findings: &mut Vec<Diagnostic>,
) {
    trail.push(file);
    for (next, span) in facts[file].iter().flat_map(|facts| &facts.imports) {
        if let Some(start) = trail.iter().position(|on_trail| on_trail == next) {
            let circle = trail[start..].iter().chain([next]).filter_map(|number| files.get(*number));
            let names: Vec<String> = circle.map(|source| format!("`{}`", source.name)).collect();
            let message = format!("this import goes round in a circle: {}", names.join(" imports "));
            let hint = "move what both need into a file that imports neither";
            let finding = Diagnostic::error("import_cycle", message).at(span.clone()).hint(hint);
            findings.push(labelled(finding, "closes the circle"));
        } else if !done[*next] {
            follow(*next, files, facts, trail, done, findings);
        }
    }
    trail.pop();
    done[file] = true;
}
