//! The text of a world file: its values, and where each of them stands.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_saphyr::granit_parser::{Event, Parser, Span, StrInput};

use super::problem::{Place, Problem};

/// A text that was read.
pub struct Text {
    pub value: Value,
    places: BTreeMap<String, Places>,
}

#[derive(Clone, Copy, Default)]
struct Places {
    key: Place,
    value: Place,
}

impl Text {
    /// # Errors
    /// If it is no YAML, or more than one document.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let value: Option<Value> =
            serde_saphyr::from_str_with_options(text, options()).map_err(|error| misread(&error))?;
        let mut walk = Walk { events: Parser::new_from_str(text), places: BTreeMap::new() };
        walk.document();
        Ok(Self { value: value.unwrap_or_default(), places: walk.places })
    }

    /// Where the key of the value at a JSON pointer stands.
    pub fn key(&self, pointer: &str) -> Place {
        self.places.get(pointer).map_or_else(Place::default, |places| places.key)
    }

    /// Where the value at a JSON pointer stands, if there is one.
    pub fn known_place(&self, pointer: &str) -> Option<Place> {
        self.places.get(pointer).map(|places| places.value)
    }

    /// Where the value at a JSON pointer stands, or what is around it.
    pub fn place(&self, pointer: &str) -> Place {
        let mut pointer = pointer;
        loop {
            match (self.places.get(pointer), pointer.rfind('/')) {
                (Some(places), _) => return places.value,
                (None, Some(above)) => pointer = &pointer[..above],
                (None, None) => return Place { line: 1, column: 1, length: 0 },
            }
        }
    }
}

/// Only `true` and `false` are booleans: a name may be `y`, and a body `no`.
pub fn options() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

fn misread(error: &serde_saphyr::Error) -> Problem {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let place = error.location().map(|at| Place { line: number(at.line()), column: number(at.column()), length: 0 });
    // The error shows lines of the text below what it says; a report does that itself.
    let said = error.without_snippet().to_string();
    let said = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let said = said.split(" at line ").next().unwrap_or(said);
    // What a programmer could do about it is of no use here.
    let said = said.split(", set ").next().unwrap_or(said).split("; use ").next().unwrap_or(said);
    Problem { message: said.to_owned(), hint: None, place: place.unwrap_or(Place { line: 1, column: 1, length: 0 }) }
}

/// One segment more of a JSON pointer.
pub fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

struct Walk<'t> {
    events: Parser<'t, StrInput<'t>>,
    places: BTreeMap<String, Places>,
}

impl<'t> Walk<'t> {
    fn next(&mut self) -> (Event<'t>, Span) {
        loop {
            let event = self.events.next_event().expect("the parser is not asked behind the end of the text");
            match event.expect("the text was read before") {
                (Event::Comment(..), _) => {}
                event => return event,
            }
        }
    }

    fn document(&mut self) {
        loop {
            match self.next() {
                (Event::StreamEnd, _) => return,
                (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
                (event, span) => self.node(event, span, Place::default(), String::new()),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, key: Place, pointer: String) {
        self.places.insert(pointer.clone(), Places { key, value: place(&span) });
        match event {
            Event::SequenceStart(..) => self.list(&pointer),
            Event::MappingStart(..) => self.map(&pointer),
            _ => {}
        }
    }

    fn list(&mut self, pointer: &str) {
        for index in 0.. {
            let (event, span) = self.next();
            if event == Event::SequenceEnd {
                return;
            }
            self.node(event, span, place(&span), below(pointer, &index.to_string()));
        }
    }

    fn map(&mut self, pointer: &str) {
        loop {
            let (event, span) = self.next();
            if event == Event::MappingEnd {
                return;
            }
            let name = match &event {
                Event::Scalar(text, ..) => text.to_string(),
                _ => String::new(),
            };
            let key = place(&span);
            let name = below(pointer, &name);
            // A key may be a collection itself, in texts that nobody should write.
            self.node(event, span, key, format!("{name}\u{0}"));
            let (event, span) = self.next();
            self.node(event, span, key, name);
        }
    }
}

fn place(span: &Span) -> Place {
    let (start, end) = (&span.start, &span.end);
    let length = if start.line() == end.line() { end.col().saturating_sub(start.col()) } else { 0 };
    Place { line: start.line(), column: start.col() + 1, length }
}
