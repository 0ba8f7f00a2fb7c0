//! Repositories that programs in a cluster fetch from, by their addresses: of charts, and of manifests in Git or in registries.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::time::During;

/// What is at one address.
#[derive(Debug, Clone)]
pub struct Repository {
    /// `https://git.example.test/fleet.git`, `oci://registry.example.test/charts`.
    pub url: String,
    /// Nobody gets anything without saying who they are.
    pub login: bool,
    /// When nobody reaches it.
    pub down: Vec<During>,
    pub holds: Holds,
}

#[derive(Debug, Clone)]
pub enum Holds {
    /// Charts, by their names.
    Charts(Vec<String>),
    /// What there was over time, the newest last.
    Manifests(Vec<Revision>),
}

/// Manifests as they are from some time on.
#[derive(Debug, Clone)]
pub struct Revision {
    pub from: Instant,
    /// The branches and tags that lead to it.
    pub names: Vec<String>,
    pub message: String,
    /// The contents of files, by their paths.
    pub files: BTreeMap<String, String>,
}

/// All of them.
#[derive(Default)]
pub struct Repositories(Mutex<Vec<Arc<Repository>>>);

impl Repositories {
    pub fn publish(&self, repositories: impl IntoIterator<Item = Repository>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(repositories.into_iter().map(Arc::new));
    }

    /// The one at an address.
    pub fn at(&self, url: &str) -> Option<Arc<Repository>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |repository: &&Arc<Repository>| repository.url.trim_end_matches('/') == url.trim_end_matches('/');
        known.iter().find(same).cloned()
    }

    /// Whether anything is at a host.
    pub fn has_host(&self, wanted: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|repository| host(&repository.url) == wanted)
    }
}

impl Repository {
    pub fn is_down(&self) -> bool {
        self.down.iter().any(During::is_now)
    }

    /// The revisions that there are by now, the newest first.
    pub fn revisions(&self) -> impl Iterator<Item = &Revision> {
        let all = match &self.holds {
            Holds::Manifests(revisions) => revisions.as_slice(),
            Holds::Charts(_) => &[],
        };
        all.iter().rev().filter(|revision| revision.from <= Instant::now())
    }
}

impl Revision {
    /// What it is called as a commit.
    pub fn commit(&self) -> String {
        let mut digest = self.digest();
        digest.truncate(40);
        digest
    }

    /// What it is called in a registry.
    pub fn digest(&self) -> String {
        digest(&format!("{}{:?}", self.message, self.files))
    }

    /// Whether there is a folder of that name.
    pub fn has_folder(&self, path: &str) -> bool {
        let wanted = plain(path);
        wanted.is_empty() || self.files.keys().any(|file| file.starts_with(&format!("{wanted}/")))
    }
}

/// The host of an address, with its port.
pub fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default()
}

/// SHA-256 of a text, as hexadecimal digits.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `./apps/` is `apps`, and `./` is the root.
pub fn plain(path: &str) -> String {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}
