//! Secrets: values that a script may pass on but that nothing may show.

use std::sync::Arc;

use zeroize::Zeroizing;

/// A value that is shown, journaled and reported only by its reference (`env:TOKEN`, `file:token.txt`, `prompt:name`).
#[derive(Clone)]
pub struct Secret {
    reference: Arc<str>,
    value: Arc<Zeroizing<String>>,
}

impl Secret {
    pub fn new(reference: impl Into<Arc<str>>, value: String) -> Self {
        Self { reference: reference.into(), value: Arc::new(Zeroizing::new(value)) }
    }

    /// Where the value came from, which is all that may be written down.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The value itself, for the wire only.
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[secret {}]", self.reference)
    }
}
