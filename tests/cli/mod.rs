//! The command line: help, the reference, completions, and how a call is read.

mod call;
mod help;
mod mistakes;
mod rehearse;
mod world;
