//! Who owns which field of an object: server-side apply, and what every other write does to it.
//!
//! It works on plain values and schemas, knows no requests, and decides nothing but ownership. The rules are those of
//! Kubernetes' structured merge; each was held against a real API server.

mod compare;
mod field_set;
mod form;
mod items;
mod managers;
mod merge;
mod owned;
mod remove;

pub use self::{
    field_set::{Element, FieldSet},
    items::{ItemError, element},
    managers::{Applied, ApplyError, Before, Conflict, Entry, Operation, Writer, apply, read, update, write},
    merge::merge,
};
