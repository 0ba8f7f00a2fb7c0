//! The definitions, as protox reads them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use prost_types::FileDescriptorSet;

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn read() -> FileDescriptorSet {
    let folder = root().join("proto");
    protox::compile(files(&folder, ".proto"), [&folder]).unwrap()
}

/// Files below a folder whose names end like that, by their path from it.
pub fn files(folder: &Path, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    found.retain(|path| path.ends_with(ending));
    found.sort();
    found
}
