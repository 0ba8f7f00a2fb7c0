//! A folder with a kustomization: what it gathers from files and other folders, and what it then makes of it.

use crate::{
    Read, Refusal, Unread, generate,
    kustomization::{Kustomization, Order, Text},
    read,
    resource::{self, Resource},
    transform,
};

/// How such a file is called.
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub struct Folder<'f> {
    read: &'f Read<'f>,
    path: String,
    says: Kustomization,
    /// The folders that led here, of which none may be gathered again.
    through: Vec<String>,
}

pub struct Gathered {
    pub resources: Vec<Resource>,
    pub order: Option<Order>,
    /// The file that all was gathered for.
    pub file: String,
}

impl<'f> Folder<'f> {
    /// # Errors
    /// There is no kustomization, or something is wrong in it.
    pub fn open(path: &str, read: &'f Read<'f>) -> Result<Self, Refusal> {
        let path = tidy(path);
        match Self::find(&path, read, Vec::new())? {
            Some(folder) => Ok(folder),
            None => Err(Refusal::of(&path, format!("it is no folder with a `{}`", NAMES[0]))),
        }
    }

    fn find(path: &str, read: &'f Read<'f>, mut through: Vec<String>) -> Result<Option<Self>, Refusal> {
        let mut found: Option<(String, Vec<u8>)> = None;
        for name in NAMES {
            let file = below(path, name);
            match (read(&file), &found) {
                (Ok(_), Some((other, _))) => {
                    return Err(Refusal::of(&file, format!("there is `{other}`, too, and it can't be both")));
                }
                (Ok(bytes), None) => found = Some((file, bytes)),
                (Err(Unread::Absent), _) => {}
                (Err(Unread::Refused(why)), _) => return Err(Refusal::of(&file, why)),
            }
        }
        let Some((file, bytes)) = found else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|_| Refusal::of(&file, "it is no text"))?;
        through.push(path.to_owned());
        Ok(Some(Self { read, path: path.to_owned(), says: Kustomization::read(&text, &file)?, through }))
    }

    /// # Errors
    /// What can't be gathered or made, and where it is wanted.
    pub fn gather(self) -> Result<Gathered, Refusal> {
        let mut resources = Vec::new();
        self.gather_into(&mut resources)?;
        Ok(Gathered { resources, file: self.says.file, order: self.says.order })
    }

    /// What is there already is for components, which change it.
    fn gather_into(&self, resources: &mut Vec<Resource>) -> Result<(), Refusal> {
        for wanted in &self.says.resources {
            let more = self.resources(wanted)?;
            more.into_iter().try_for_each(|one| resource::add(resources, one)).map_err(self.at(wanted))?;
        }
        for generator in &self.says.generators {
            let made = generate::generate(generator, &|path| self.bytes(path), &self.says.file)?;
            generate::absorb(resources, made).map_err(|why| Refusal::at(&self.says.file, generator.line, why))?;
        }
        for wanted in &self.says.components {
            let component = self.folder(wanted)?.ok_or_else(|| self.at(wanted)(nothing_at(&wanted.text)))?;
            if !component.says.is_component {
                return Err(Refusal::of(&component.says.file, "it is no Component, and is included as one"));
            }
            component.gather_into(resources)?;
        }
        transform::transform(&self.says, resources, &|path| self.text(path))
    }

    fn resources(&self, wanted: &Text) -> Result<Vec<Resource>, Refusal> {
        if is_remote(&wanted.text) {
            let why = format!("`{}` is not on this machine, which is not supported: fetch it before", wanted.text);
            return Err(self.at(wanted)(why));
        }
        let file = below(&self.path, &wanted.text);
        let unread = match (self.read)(&file) {
            Ok(_) if !is_within(&file, &self.path) => {
                return Err(self.at(wanted)(format!("file `{}` is not below this folder", wanted.text)));
            }
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| Refusal::of(&file, "it is no text"))?;
                return Ok(read::objects(&text, &file)?.into_iter().map(Resource::of).collect());
            }
            Err(unread) => unread,
        };
        match (self.folder(wanted)?, unread) {
            (Some(folder), _) if folder.says.is_component => {
                Err(self.at(wanted)(format!("`{}` is a Component: it belongs to `components`", wanted.text)))
            }
            (Some(folder), _) => Ok(folder.gather()?.resources),
            (None, Unread::Absent) => Err(self.at(wanted)(nothing_at(&wanted.text))),
            (None, Unread::Refused(why)) => Err(self.at(wanted)(why)),
        }
    }

    fn folder(&self, wanted: &Text) -> Result<Option<Self>, Refusal> {
        if wanted.text.starts_with('/') {
            return Err(self.at(wanted)(format!("`{}` begins at the root: say it from this folder", wanted.text)));
        }
        let path = below(&self.path, &wanted.text);
        if self.through.iter().any(|other| is_within(other, &path)) {
            return Err(self.at(wanted)(format!("`{}` leads back to where it is gathered for", wanted.text)));
        }
        Self::find(&path, self.read, self.through.clone())
    }

    /// A file that stands below this folder, as kustomize wants it.
    fn bytes(&self, path: &str) -> Result<Vec<u8>, Refusal> {
        let file = below(&self.path, path);
        match is_within(&file, &self.path) {
            true => (self.read)(&file).map_err(|unread| Refusal::of(&file, unread.why())),
            false => Err(Refusal::of(&file, format!("it is not below the folder of `{}`", self.says.file))),
        }
    }

    fn text(&self, path: &str) -> Result<(String, String), Refusal> {
        let file = below(&self.path, path);
        let text = String::from_utf8(self.bytes(path)?).map_err(|_| Refusal::of(&file, "it is no text"))?;
        Ok((file, text))
    }

    fn at<'s>(&'s self, wanted: &'s Text) -> impl Fn(String) -> Refusal + 's {
        |why| Refusal::at(&self.says.file, wanted.line, why)
    }
}

fn nothing_at(path: &str) -> String {
    format!("`{path}` is neither a file nor a folder with a `{}`", NAMES[0])
}

fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.starts_with("github.com") || path.contains("?ref=")
}

/// A path from another, without detours.
fn below(folder: &str, path: &str) -> String {
    match path.starts_with('/') {
        true => tidy(path),
        false => tidy(&format!("{folder}/{path}")),
    }
}

fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    match parts.is_empty() && root.is_empty() {
        true => ".".to_owned(),
        false => format!("{root}{}", parts.join("/")),
    }
}

fn is_within(path: &str, folder: &str) -> bool {
    match folder {
        "." => !path.starts_with("..") && !path.starts_with('/'),
        folder => path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
    }
}
