//! Scripts on the real control plane.

use std::sync::Arc;

pub use ::testbed::{Bed, Testbed, alone, say, shared, with_flux};

use crate::support::Script;

/// What can be run on a control plane.
pub trait Scripts {
    /// A script to which this cluster is the current one.
    fn script(&self) -> Arc<Script>;
}

impl Scripts for Testbed {
    fn script(&self) -> Arc<Script> {
        let script = Script::new(&cozyscript::bindings::all(), &self.folder);
        let kubeconfig = self.kubeconfig().to_str().unwrap().to_owned();
        script.recorded.variables.lock().unwrap().insert("KUBECONFIG".into(), kubeconfig);
        Arc::new(script)
    }
}
