//! Changing a person's kubeconfig, which may be several files: each entry where it stands, new ones where kubectl puts them.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    edit::{Document, List},
    find::unreadable,
    read::{Entry, Kubeconfig, Source, read},
};
use crate::{
    host::Host,
    script::{
        fault::{Fault, Kind},
        options::nearest,
    },
};

/// The files as they were read, and what has been changed in them since.
pub struct Changing {
    files: Vec<File>,
}

struct File {
    path: PathBuf,
    /// As it was read; nothing, if it wasn't there.
    before: Option<String>,
    document: Document,
}

impl Changing {
    /// Reads those of the files that are there; if none is, the last one is begun.
    ///
    /// # Errors
    /// `file`, if one can't be read; `parse`, if one is no kubeconfig.
    pub fn read(host: &Host, paths: &[PathBuf]) -> Result<Self, Fault> {
        let read = |path: &PathBuf| match host.files.read_personal(path) {
            Ok(text) => Ok((path.clone(), Some(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((path.clone(), None)),
            Err(error) => Err(unreadable(path, &error)),
        };
        Self::of(paths.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The same of files that somebody has read: their paths, and their texts as far as they are there.
    ///
    /// # Errors
    /// `parse`, if one is no kubeconfig.
    pub fn of(texts: Vec<(PathBuf, Option<String>)>) -> Result<Self, Fault> {
        let last = texts.len().saturating_sub(1);
        let mut files = Vec::new();
        for (index, (path, before)) in texts.into_iter().enumerate() {
            if before.is_some() || files.is_empty() && index == last {
                let text = before.clone().unwrap_or_default();
                let document = Document::read(&Source::File(path.clone()), text)?;
                files.push(File { path, before, document });
            }
        }
        Ok(Self { files })
    }

    /// All files as one, as they are now.
    ///
    /// # Errors
    /// None that reading them before did not have.
    pub fn whole(&self) -> Result<Kubeconfig, Fault> {
        read(self.files.iter().map(|file| (Source::File(file.path.clone()), file.document.text().to_owned())).collect())
    }

    /// The files that are to be written: their paths, what they held, and what they shall hold.
    pub fn changed(&self) -> impl Iterator<Item = (&Path, Option<&str>, &str)> {
        let of_file = |file: &File| {
            let text = file.document.text();
            (file.before.as_deref() != Some(text) && !(file.before.is_none() && text.is_empty())).then_some(())
        };
        self.files
            .iter()
            .filter(move |file| of_file(file).is_some())
            .map(|file| (file.path.as_path(), file.before.as_deref(), file.document.text()))
    }

    /// Where new entries go: the first file that is there.
    pub fn target(&self) -> &Path {
        &self.files[0].path
    }

    fn holder(&mut self, list: List, name: &str) -> Option<&mut File> {
        self.files.iter_mut().find(|file| file.document.has(list, name))
    }

    /// Puts in a new entry.
    pub(super) fn add(&mut self, list: List, name: &str, content: &crate::script::values::tree::Tree) {
        self.files[0].document.add(list, name, content);
    }

    /// Puts an entry in the place of another of the same name.
    pub(super) fn replace(&mut self, list: List, name: &str, content: &crate::script::values::tree::Tree) {
        if let Some(file) = self.holder(list, name) {
            file.document.remove(list, name);
            file.document.add(list, name, content);
        }
    }

    /// All files as one, if they have that context.
    ///
    /// # Errors
    /// `not_found`, if they have not.
    pub fn known(&self, name: &str) -> Result<Kubeconfig, Fault> {
        let whole = self.whole()?;
        match whole.contexts.contains_key(name) {
            true => Ok(whole),
            false => Err(missing(name, &whole)),
        }
    }

    /// Makes a context the current one.
    ///
    /// # Errors
    /// `not_found`, if there is none of that name.
    pub fn make_current(&mut self, name: &str) -> Result<(), Fault> {
        // The first file that says anything decides; the first of all is where kubectl says it.
        if self.known(name)?.current.as_deref() != Some(name) {
            self.files[0].document.set_current(name);
        }
        Ok(())
    }

    /// Gives a context another name; if it is the current one, it stays so. Doing it again changes nothing.
    ///
    /// # Errors
    /// `not_found`, if there is none of that name; `already_exists`, if the other name is taken.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        let whole = self.whole()?;
        match (whole.contexts.get(from), whole.contexts.get(to)) {
            (Some(_), None) => {}
            (None, Some(_)) => return Ok(()),
            (None, None) => return Err(missing(from, &whole)),
            (Some(_), Some(taken)) => {
                let message = format!("there is a context `{to}` already, in `{}`", taken.source);
                return Err(Fault::new(Kind::AlreadyExists, message).hint("choose another name, or remove it first"));
            }
        }
        for file in &mut self.files {
            if file.document.current() == Some(from) {
                file.document.set_current(to);
            }
        }
        if let Some(file) = self.holder(List::Contexts, from) {
            file.document.rename(List::Contexts, from, to);
        }
        Ok(())
    }

    /// Takes out a context, and its cluster and user unless another context means them, too. What was taken out, a line each;
    /// nothing, if there is no such context.
    ///
    /// # Errors
    /// None that reading the files before did not have.
    pub fn remove(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        let whole = self.whole()?;
        let Some(context) = whole.contexts.get(name) else { return Ok(Vec::new()) };
        let mut removed = vec![(List::Contexts, name.to_owned())];
        for (list, entries) in [(List::Clusters, &whole.clusters), (List::Users, &whole.users)] {
            let Some(referred) = context.text(list.item())? else { continue };
            let means_it = |(other, entry): (&String, &Entry)| {
                other != name && entry.text(list.item()).is_ok_and(|text| text.as_ref() == Some(&referred))
            };
            if entries.contains_key(&referred) && !whole.contexts.iter().any(means_it) {
                removed.push((list, referred));
            }
        }
        for file in &mut self.files {
            if file.document.current() == Some(name) {
                file.document.set_current("");
            }
        }
        let mut told = Vec::new();
        for (list, name) in removed {
            if let Some(file) = self.holder(list, &name) {
                file.document.remove(list, &name);
                told.push(format!("{} `{name}` in {}", list.item(), file.path.display()));
            }
        }
        Ok(told)
    }
}

/// The fault for a context that is not there.
pub(super) fn missing(name: &str, whole: &Kubeconfig) -> Fault {
    let names: Vec<&str> = whole.contexts.keys().map(String::as_str).collect();
    let sources: Vec<String> = whole.sources.iter().map(|source| format!("`{source}`")).collect();
    let fault = Fault::new(Kind::NotFound, format!("context `{name}` is not in kubeconfig {}", sources.join(", ")));
    match nearest(name, names.iter().copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => fault.hint("it has no contexts at all"),
        None => fault.hint(format!("its contexts are {}", names.join(", "))),
    }
}
