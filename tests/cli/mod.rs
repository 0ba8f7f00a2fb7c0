//! The command line: help, the reference, completions, and how a call is read.

mod call;
mod docs;
mod help;
mod mistakes;
mod rehearse;
mod world;
