//! What a person allowed a run on the command line, beyond what every run may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a run may do beyond reading and changing files below its own folder and speaking to servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    #[serde(default, skip_serializing_if = "AllowedPrograms::is_none")]
    pub programs: AllowedPrograms,
    /// Folders elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
}

/// The programs of this machine that a script may run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowedPrograms {
    #[default]
    None,
    All,
    Only(BTreeSet<String>),
}

impl Allowed {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl AllowedPrograms {
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether a program may be run: a name allows what `PATH` finds under it, a path that one file.
    pub fn allows(&self, program: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.contains(program),
        }
    }
}
