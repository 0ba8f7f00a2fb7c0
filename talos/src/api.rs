//! The API of a node, both halves, a module for each package. `proto` has its definitions; the sources below are generated
//! from them by `UPDATE=1 cargo test -p talos api`.
//!
//! Values of enumerations that are not known stay as they came, as numbers.
#![allow(clippy::all, reason = "what is generated is not written for people")]
#![allow(clippy::pedantic)]

#[rustfmt::skip]
pub mod cluster;
#[rustfmt::skip]
pub mod common;
pub mod cosi;
pub mod google;
#[rustfmt::skip]
pub mod inspect;
#[rustfmt::skip]
pub mod machine;
#[rustfmt::skip]
pub mod storage;
#[rustfmt::skip]
pub mod time;
