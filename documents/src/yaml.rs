//! YAML as programs written in Go read and write it: every document of a text, with lines to name in what is said of it.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// Nobody writes a configuration deeper than this.
const DEEPEST: usize = 100;

/// Nor one of more parts; what repeats itself by aliases reaches it soon.
const MOST: usize = 500_000;

/// A part of a document.
#[derive(Debug, Clone)]
pub struct Node {
    pub line: usize,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub enum Content {
    /// `plain` ones, without quotes, may mean something else than a text.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Word<'n> {
    Null,
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text(&'n str),
}

/// Where a text isn't YAML.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Malformed {
    pub line: usize,
    pub why: String,
}

/// Every document of the text.
///
/// # Errors
/// Where it is malformed.
pub fn read(text: &str) -> Result<Vec<Node>, Malformed> {
    let options = serde_saphyr::granit_parser::options! { emit_comments: false };
    let events = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { events, anchors: BTreeMap::new(), parts: 0 };
    let mut documents = Vec::new();
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(documents),
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::DocumentEnd => reader.anchors.clear(),
            event => documents.push(reader.node(event, span, 0)?),
        }
    }
}

/// The text of documents.
#[must_use]
pub fn write(documents: &[Value]) -> String {
    let options = serde_saphyr::ser_options! {
        indent_step: 4, compact_list_indent: false, folded_wrap_chars: usize::MAX
    };
    let texts = documents.iter().map(|document| {
        serde_saphyr::to_string_with_options(document, options.clone()).expect("a tree is made of what YAML can say")
    });
    texts.collect::<Vec<_>>().join("---\n")
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Node>,
    parts: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Malformed> {
        let ended = || Malformed { line: 0, why: "it ends in the middle".to_owned() };
        self.events
            .next_event()
            .ok_or_else(ended)?
            .map_err(|error| Malformed { line: error.marker().line(), why: error.info().to_string() })
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Malformed> {
        let line = span.start.line();
        let malformed = |why: &str| Malformed { line, why: why.to_owned() };
        if depth > DEEPEST {
            return Err(malformed("it is nested too deeply"));
        }
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                (Content::Text { text: text.into_owned(), plain }, anchor)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).ok_or_else(|| malformed("an anchor contains itself"))?.clone();
                self.count(known.parts(), line)?;
                return Ok(known);
            }
            Event::SequenceStart(_, anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(depth)?, anchor),
            _ => return Err(malformed("there is no value")),
        };
        self.count(1, line)?;
        let node = Node { line, content };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, parts: usize, line: usize) -> Result<(), Malformed> {
        self.parts += parts;
        match self.parts > MOST {
            true => Err(Malformed { line, why: format!("it has more than {MOST} parts") }),
            false => Ok(()),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Content, Malformed> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Content::List(items));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Content, Malformed> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            match key.text() == Some("<<") {
                true => merged.push(value),
                false => entries.push((key, value)),
            }
        }
        let sources = merged.into_iter().flat_map(|source| match source.content {
            Content::List(sources) => sources,
            _ => vec![source],
        });
        for (key, value) in sources.filter_map(Node::into_entries).flatten() {
            if !entries.iter().any(|(known, _)| known.text() == key.text()) {
                entries.push((key, value));
            }
        }
        Ok(Content::Map(entries))
    }
}

impl Node {
    fn parts(&self) -> usize {
        1 + match &self.content {
            Content::Text { .. } => 0,
            Content::List(items) => items.iter().map(Node::parts).sum(),
            Content::Map(entries) => entries.iter().map(|(key, value)| key.parts() + value.parts()).sum(),
        }
    }

    fn into_entries(self) -> Option<Vec<(Node, Node)>> {
        match self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    #[must_use]
    pub fn entries(&self) -> Option<&[(Node, Node)]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What stands at a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries()?.iter().find(|(name, _)| name.text() == Some(key));
        entry.map(|(_, value)| value)
    }

    #[must_use]
    pub fn word(&self) -> Option<Word<'_>> {
        match &self.content {
            Content::Text { text, plain: true } => Some(meaning(text)),
            Content::Text { text, plain: false } => Some(Word::Text(text)),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_null(&self) -> bool {
        self.word() == Some(Word::Null)
    }

    /// As plain data.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.content {
            Content::List(items) => items.iter().map(Node::value).collect(),
            Content::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.name(), value.value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
            Content::Text { text, .. } => match self.word() {
                Some(Word::Null) => Value::Null,
                Some(Word::Bool(yes)) => yes.into(),
                Some(Word::Whole(whole)) => {
                    Number::from_i128(whole).map_or_else(|| text.as_str().into(), Value::Number)
                }
                Some(Word::Float(float)) => Number::from_f64(float).map_or_else(|| text.as_str().into(), Value::Number),
                _ => text.as_str().into(),
            },
        }
    }

    /// As a key is called.
    #[must_use]
    pub fn name(&self) -> String {
        self.text().map_or_else(|| self.value().to_string(), str::to_owned)
    }

    /// How YAML calls what this is.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        match (&self.content, self.word()) {
            (Content::List(_), _) => "!!seq",
            (Content::Map(_), _) => "!!map",
            (_, Some(Word::Null)) => "!!null",
            (_, Some(Word::Bool(_))) => "!!bool",
            (_, Some(Word::Whole(_))) => "!!int",
            (_, Some(Word::Float(_))) => "!!float",
            _ => "!!str",
        }
    }
}

fn meaning(text: &str) -> Word<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Word::Null,
        "true" | "True" | "TRUE" => return Word::Bool(true),
        "false" | "False" | "FALSE" => return Word::Bool(false),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Word::Text(text);
    }
    let digits = text.replace('_', "");
    if let Some(whole) = whole(&digits) {
        return Word::Whole(whole);
    }
    match digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
        true => digits.parse().map_or(Word::Text(text), Word::Float),
        false => Word::Text(text),
    }
}

/// A whole number, by the older rules, too, by which a leading zero makes it octal.
fn whole(digits: &str) -> Option<i128> {
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some(start) if start.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    let whole = u64::from_str_radix(digits, radix).ok()?;
    let whole = if negative { -i128::from(whole) } else { whole.into() };
    (whole >= i64::MIN.into()).then_some(whole)
}
