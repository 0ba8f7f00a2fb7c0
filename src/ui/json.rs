//! One JSON object an event, for programs: `{"v":1,"at_ms":…,"step":…,"event":…}`.

use std::time::Duration;

use serde::Serialize;

use super::{Shown, Size, View, line::Line};
use crate::event::{Event, VERSION};

/// The JSON schema of a line.
pub const SCHEMA: &str = include_str!("events.schema.json");

/// Shows events as lines of JSON on standard output, and nothing on standard error.
pub struct Json;

#[derive(Serialize)]
struct Versioned<'e> {
    v: u32,
    #[serde(flatten)]
    event: &'e Event,
}

impl View for Json {
    fn told(&mut self, event: &Event, _size: Size) -> Vec<Shown> {
        let line = serde_json::to_string(&Versioned { v: VERSION, event }).expect("an event is plain data");
        vec![Shown::Data(line)]
    }

    fn tick(&mut self, _now: Duration) -> Vec<Shown> {
        Vec::new()
    }

    fn region(&self, _now: Duration, _size: Size) -> Vec<Line> {
        Vec::new()
    }
}
