//! Patches: what is to be otherwise in a configuration, as documents that are merged into it, or as the steps of RFC 6902.

mod json;
mod merge;
mod removal;

use documents::steps::Step;
use serde_json::Value;

use self::removal::Removal;
use crate::{
    configuration::{Configuration, Contract, Document, Identity, Invalid, read_document},
    yaml,
};

/// A patch, read.
#[derive(Debug, Clone)]
pub enum Patch {
    /// Documents that are merged, and what they take away.
    Documents(Vec<Change>),
    /// Steps of RFC 6902.
    Steps(Vec<Step>),
}

#[derive(Debug, Clone)]
pub enum Change {
    Merge(Document),
    Remove(Removal),
}

impl Patch {
    /// Reads a patch of either kind.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(text: &str, contract: Contract) -> Result<Self, Invalid> {
        let why = match changes(text, contract) {
            Ok(changes) => return Ok(Self::Documents(changes)),
            Err(why) => why,
        };
        let steps = yaml::read(text).ok().and_then(|nodes| match nodes.as_slice() {
            [node] => Some(node.value()),
            _ => None,
        });
        match steps {
            Some(Value::Array(steps)) => json::read(&steps).map(Self::Steps),
            _ => Err(why),
        }
    }
}

/// The text of the configuration with the patches, one after the other. It isn't judged here whether a machine can live with it.
///
/// # Errors
/// The configuration can't be read, or what a patch wants can't be done.
pub fn apply(text: &str, patches: &[Patch], contract: Contract) -> Result<String, Invalid> {
    let mut text = text.to_owned();
    for patch in patches {
        text = match patch {
            Patch::Steps(steps) => json::apply(&text, steps)?,
            Patch::Documents(changes) => merged(Configuration::read(&text, contract)?, changes, contract)?.text(),
        };
    }
    Ok(text)
}

fn merged(configuration: Configuration, changes: &[Change], contract: Contract) -> Result<Configuration, Invalid> {
    let mut documents = configuration.into_documents();
    for change in changes {
        let place = documents.iter().position(|document| document.identity() == change.identity());
        match (change, place) {
            (Change::Merge(document), Some(place)) => merge::into(&mut documents[place], document, contract)?,
            (Change::Merge(document), None) => documents.push(document.clone()),
            (Change::Remove(removal), Some(place)) if removal.is_of_all() => {
                removal.check()?;
                documents.remove(place);
            }
            (Change::Remove(removal), Some(place)) => removal.from(&mut documents[place])?,
            // What isn't there need not be taken away.
            (Change::Remove(_), None) => {}
        }
    }
    Configuration::of(documents)
}

impl Change {
    fn identity(&self) -> Identity {
        match self {
            Self::Merge(document) => document.identity(),
            Self::Remove(removal) => removal.document.clone(),
        }
    }

    /// What is taken out of the original document comes before what is put into it.
    fn rank(&self) -> u8 {
        match self {
            Self::Remove(removal) if removal.document.kind == crate::configuration::shapes::ORIGINAL => 0,
            Self::Merge(document) if document.is_original() => 1,
            _ => 2,
        }
    }
}

fn changes(text: &str, contract: Contract) -> Result<Vec<Change>, Invalid> {
    let mut changes = Vec::new();
    let mut seen: Vec<Identity> = Vec::new();
    for mut node in yaml::read(text)? {
        let (removals, emptied) = removal::take(&mut node)?;
        changes.extend(removals.into_iter().map(Change::Remove));
        if emptied {
            continue;
        }
        let document = read_document(&node, contract)?;
        let identity = document.identity();
        if seen.contains(&identity) {
            let version = node.get("apiVersion").and_then(yaml::Node::text).unwrap_or_default();
            let Identity { kind, name } = identity;
            return Err(Invalid::new(format!("duplicate document {version}/{kind}/{name} is not allowed")));
        }
        seen.push(identity);
        changes.push(Change::Merge(document));
    }
    if changes.is_empty() {
        return Err(Invalid::new("config not found"));
    }
    changes.sort_by_key(Change::rank);
    Ok(changes)
}
