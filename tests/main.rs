//! Every behaviour test of the product, in one binary: it links once.

mod bindings;
mod real;
mod script;
mod support;
mod ui;
