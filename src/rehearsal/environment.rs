//! The environment that a world's file says, and nothing of this process' own.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use simulator::certificates::CertificateAuthority;

use crate::host::environment::Environment;

pub struct WorldEnvironment {
    variables: BTreeMap<String, String>,
    home: PathBuf,
    authority: Arc<CertificateAuthority>,
    trusted: OnceLock<Arc<RootCertStore>>,
}

impl WorldEnvironment {
    pub(super) fn new(
        variables: BTreeMap<String, String>,
        home: PathBuf,
        authority: Arc<CertificateAuthority>,
    ) -> Self {
        Self { variables, home, authority, trusted: OnceLock::new() }
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
        let trusted = self.trusted.get_or_init(|| {
            let mut trusted = RootCertStore::empty();
            let authority = self.authority.pem();
            let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("the world has just made it");
            trusted.add(authority).expect("the world has just made it");
            Arc::new(trusted)
        });
        trusted.clone()
    }
}
