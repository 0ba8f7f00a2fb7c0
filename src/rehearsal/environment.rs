//! The environment that a world's file says, and nothing of this process' own.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use rustls::RootCertStore;

use crate::host::environment::Environment;

pub struct WorldEnvironment {
    variables: BTreeMap<String, String>,
    home: PathBuf,
    authorities: Arc<RootCertStore>,
}

impl WorldEnvironment {
    pub(super) fn new(variables: BTreeMap<String, String>, home: PathBuf, authorities: Arc<RootCertStore>) -> Self {
        Self { variables, home, authorities }
    }
}

impl Environment for WorldEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone().into_iter().collect()
    }

    fn home(&self) -> Option<PathBuf> {
        Some(self.home.clone())
    }

    fn authorities(&self) -> Arc<RootCertStore> {
        self.authorities.clone()
    }
}
