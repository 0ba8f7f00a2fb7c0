//! The run engine: which steps run, in what order, how often, and what the journal says of them.
//!
//! It knows no API (bindings announce what they change) and no terminal (it tells events and asks through ports).

pub mod fork;
pub mod functions;
pub mod journal;
mod lane;
pub mod ledger;
pub mod params;
pub mod resume;
pub mod runner;
pub mod select;
pub mod splits;
mod step;
