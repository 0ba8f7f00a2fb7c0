//! Files with encrypted values, as SOPS writes them: read with keys of age, and written for them.
//!
//! It opens no file and draws no chance: whoever uses it brings texts, random bytes and the time. Comments are not kept.

pub mod age;
mod bech32;
mod cipher;
mod file;
mod rules;

pub use self::{
    file::{Opened, Part, Unopened, open, open_changed, seal},
    rules::Rules,
};

/// How rules name the values that they are about.
pub use regex::Regex;

/// Fills with random bytes.
pub type Random<'r> = dyn FnMut(&mut [u8]) + 'r;
