//! The process environment, as a port: bindings never read it themselves.

use std::{path::PathBuf, sync::Arc};

use rustls::RootCertStore;

pub trait Environment: Send + Sync {
    /// The variable's value, if it is set and is text.
    fn variable(&self, name: &str) -> Option<String>;

    /// All variables that are text, in the order of their names.
    fn variables(&self) -> Vec<(String, String)>;

    /// The person's home folder.
    fn home(&self) -> Option<PathBuf>;

    /// The certificate authorities that this machine trusts; none where nobody says.
    fn authorities(&self) -> Arc<RootCertStore> {
        Arc::new(RootCertStore::empty())
    }
}
