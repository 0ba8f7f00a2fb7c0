//! Which version of Talos a configuration is for.

use std::fmt;

/// A minor version of Talos 1, which decides what its configurations have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contract(u8);

impl Contract {
    /// From here on configurations are generated; they differ little up to 1.11.
    pub const OLDEST: Self = Self(8);
    pub const V1_11: Self = Self(11);
    pub const V1_12: Self = Self(12);

    /// The version that is meant by `v1.11.5`, `1.11`, `v1.12.0-beta.1` and the like.
    ///
    /// # Errors
    /// It is none that is known here.
    pub fn of(version: &str) -> Result<Self, Unknown> {
        let contract = Self(minor(version)?);
        let known = (Self::OLDEST..=Self::V1_12).contains(&contract);
        known.then_some(contract).ok_or_else(|| Unknown(version.to_owned()))
    }

    /// The one of a node's version, or the nearest to it: the node itself says what of a configuration it does not know.
    ///
    /// # Errors
    /// It is no version of Talos 1.
    pub fn nearest(version: &str) -> Result<Self, Unknown> {
        Ok(Self(minor(version)?).clamp(Self::OLDEST, Self::V1_12))
    }

    /// The version of Kubernetes that it is made for.
    #[must_use]
    pub fn kubernetes(self) -> &'static str {
        match self.0 {
            8 => "1.31.0",
            9 => "1.32.0",
            10 => "1.33.0",
            11 => "1.34.1",
            _ => "1.35.0",
        }
    }
}

fn minor(version: &str) -> Result<u8, Unknown> {
    let minor = version.trim_start_matches('v').strip_prefix("1.");
    let digits = minor.and_then(|minor| minor.split(['.', '-']).next());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| Unknown(version.to_owned()))
}

impl fmt::Display for Contract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "1.{}", self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("nothing is known here of configurations for Talos `{0}`, only of those for 1.8 to 1.12")]
pub struct Unknown(String);
