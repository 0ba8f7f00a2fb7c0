//! Runs of the real program: what is run, repeated, stopped, kept and told.

mod after;
mod cancel;
mod effects;
mod history;
mod journal;
mod limits;
mod output;
mod parallel;
mod params;
mod resume;
mod retry;
mod secrets;
mod select;
mod splits;
mod terminal;
