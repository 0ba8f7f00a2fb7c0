//! The journal: an intent log, one line of JSON a record, one file a run. It alone decides what a resume repeats.

pub mod format;
pub mod past;
pub mod read;
pub mod store;
pub mod write;
