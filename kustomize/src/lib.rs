//! What kustomize builds of a folder: the objects, in the order in which `kubectl kustomize` prints them.
//!
//! It opens no file and no connection: whoever uses it hands over the contents of files. What it doesn't know it refuses by its
//! name, with the place where it stands.

mod elements;
mod fields;
pub mod flux;
mod gather;
mod generate;
mod identity;
mod kustomization;
mod merge;
mod order;
mod pathway;
mod read;
mod reference;
mod refusal;
mod resource;
mod selector;
mod shape;
mod transform;

use serde_json::Value;

pub use self::refusal::Refusal;
use self::resource::Resource;

/// Gives the contents of a file, whose path is relative to where the building began.
pub type Read<'f> = dyn Fn(&str) -> Result<Vec<u8>, Unread> + 'f;

/// Why there are no contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// There is no such file, or it is a folder.
    Absent,
    /// It can't be read, or must not be.
    Refused(String),
}

/// The objects that a folder with a kustomization file adds up to.
///
/// # Errors
/// Where something is wrong, or isn't supported, and what.
pub fn build(folder: &str, read: &Read) -> Result<Vec<Value>, Refusal> {
    let gathered = gather::Folder::open(folder, read)?.gather()?;
    let mut resources = gathered.resources;
    transform::name_by_contents(&mut resources);
    reference::follow(&mut resources).map_err(|why| Refusal::of(&gathered.file, why))?;
    resources.retain(|resource| !resource.stays_local());
    order::sort(&mut resources, &gathered.order);
    Ok(resources.into_iter().map(Resource::finished).collect())
}
