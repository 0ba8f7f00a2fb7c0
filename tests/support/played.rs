//! Scripts on a world that is rehearsed: the host of a [`Script`], in virtual time.

use std::{path::Path, sync::Arc};

use cozyscript::rehearsal::{self, NoPrograms, Pace, Rehearsal, SeededEntropy, SeededKeys};
use tempfile::TempDir;

use super::{Outside, Script};

const SEED: u64 = 1;

/// A world that goes on for as long as this is there.
pub struct Played {
    rehearsal: Rehearsal,
    folder: TempDir,
}

impl Played {
    /// Begins the world of this text.
    #[track_caller]
    pub fn begin(text: &str) -> Self {
        // `main` does this; whoever is second is told so, and it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let files = |path: &Path| Err(format!("{} is not asked for", path.display()));
        let description = rehearsal::read(text, &files).unwrap_or_else(|problems| panic!("{problems:?}"));
        let rehearsal = Rehearsal::begin(description, SEED, Pace::default()).unwrap_or_else(|why| panic!("{why}"));
        let folder = tempfile::tempdir().unwrap();
        rehearsal.lay_out(folder.path()).unwrap();
        Self { rehearsal, folder }
    }

    /// A script to which this world's first cluster is the current one.
    pub fn script(&self) -> Arc<Script> {
        let outside = Outside {
            clock: Arc::new(self.rehearsal.clock(SEED)),
            dial: Arc::new(self.rehearsal.dial()),
            entropy: Arc::new(SeededEntropy::new(SEED)),
            keys: Arc::new(SeededKeys::new(SEED)),
            programs: Arc::new(NoPrograms),
            threads: Arc::new(self.rehearsal.threads()),
        };
        let script = Script::on(outside, &cozyscript::bindings::all(), self.folder.path());
        let kubeconfig = self.folder.path().join("operator/.kube/config").to_str().unwrap().to_owned();
        script.recorded.variables.lock().unwrap().insert("KUBECONFIG".into(), kubeconfig);
        Arc::new(script)
    }
}
