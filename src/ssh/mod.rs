//! SSH as far as its keys: how they are written, made, and asked for of a server.
//!
//! It logs in nowhere, and raises no faults: what went wrong is a text, and who asked says what it means.

pub mod encoding;
pub mod known;
pub mod pair;
pub mod public;
