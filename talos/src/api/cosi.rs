//! Resources, as the controllers of a node keep them.

#[rustfmt::skip]
pub mod meta;
#[rustfmt::skip]
pub mod resource;
