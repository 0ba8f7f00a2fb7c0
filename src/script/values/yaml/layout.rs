//! Where in a YAML text each value stands.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// A value and its place in the text, in bytes.
#[derive(Debug)]
pub struct Node {
    pub content: Content,
    /// Without anchor and tag. A block collection ends with its last value.
    pub range: Range<usize>,
}

#[derive(Debug)]
pub enum Content {
    Scalar(ScalarStyle),
    /// `*name`: the value stands elsewhere.
    Alias,
    List {
        flow: bool,
        items: Vec<Node>,
    },
    Map {
        flow: bool,
        entries: Vec<Entry>,
    },
}

#[derive(Debug)]
pub struct Entry {
    /// Nothing for what is no plain name, such as `<<`.
    pub name: Option<String>,
    pub key: Range<usize>,
    /// Behind the `:`; nothing if the key is written with a `?`.
    pub colon: Option<usize>,
    pub value: Node,
}

/// The documents of a text that can be read, those with nothing but comments left out.
pub fn documents(text: &str) -> Vec<Node> {
    let options = serde_saphyr::granit_parser::options! { emit_comments: false };
    let mut layout = Layout { text, events: Parser::new_from_str_with_options(text, options) };
    let mut documents = Vec::new();
    loop {
        match layout.next() {
            (Event::StreamEnd, _) => return documents,
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (Event::Scalar(_, ScalarStyle::Plain, 0, None), span) if span.is_empty() => {}
            (event, span) => documents.push(layout.node(event, span)),
        }
    }
}

struct Layout<'t> {
    text: &'t str,
    events: Parser<'t, StrInput<'t>>,
}

impl<'t> Layout<'t> {
    fn next(&mut self) -> (Event<'t>, Span) {
        let event = self.events.next_event().expect("the parser is not asked behind the end of the text");
        event.expect("the text was read before")
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Node {
        let range = range(&span);
        match event {
            Event::Alias(_) => Node { content: Content::Alias, range },
            Event::Scalar(_, style, ..) => Node { content: Content::Scalar(style), range: self.trimmed(range, style) },
            Event::SequenceStart(..) => self.list(range),
            Event::MappingStart(..) => self.map(range),
            other => unreachable!("a node cannot begin with {other:?}"),
        }
    }

    /// A block begins with its `|` or `>`, and the empty lines behind it belong to it only if it says so with a `+`.
    fn trimmed(&self, range: Range<usize>, style: ScalarStyle) -> Range<usize> {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return range;
        }
        let start = self.header(range.start).unwrap_or(range.start);
        let written = &self.text[start..range.end];
        let keeps = written.lines().next().is_some_and(|header| header.contains('+'));
        start..if keeps { range.end } else { start + written.trim_end().len() }
    }

    /// Where the header of a block stands, above its first letter.
    fn header(&self, content: usize) -> Option<usize> {
        let mut end = content;
        loop {
            end = self.text[..end].rfind('\n')?;
            let start = self.text[..end].rfind('\n').map_or(0, |line_break| line_break + 1);
            let line = &self.text[start..end];
            let line = line.find(" #").map_or(line, |comment| &line[..comment]);
            if let Some(indicator) = line.rfind(['|', '>']) {
                return Some(start + indicator);
            }
        }
    }

    fn list(&mut self, begin: Range<usize>) -> Node {
        let flow = self.text[begin.start..].starts_with('[');
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next();
            if event == Event::SequenceEnd {
                let whole = whole(&begin, &span, flow, items.first().zip(items.last()).map(outer));
                return Node { content: Content::List { flow, items }, range: whole };
            }
            items.push(self.node(event, span));
        }
    }

    fn map(&mut self, begin: Range<usize>) -> Node {
        let flow = self.text[begin.start..].starts_with('{');
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next();
            if event == Event::MappingEnd {
                let inner = entries.first().zip(entries.last()).map(|(first, last)| first.key.start..last.end());
                let whole = whole(&begin, &span, flow, inner);
                return Node { content: Content::Map { flow, entries }, range: whole };
            }
            let name = match &event {
                Event::Scalar(text, style, ..) if text != "<<" || *style != ScalarStyle::Plain => {
                    Some(text.to_string())
                }
                _ => None,
            };
            let key = self.node(event, span).range;
            let rest = &self.text[key.end..];
            let colon = rest.trim_start_matches([' ', '\t']).starts_with(':');
            let colon = colon.then(|| key.end + rest.find(':').expect("it was just seen") + 1);
            let (event, span) = self.next();
            entries.push(Entry { name, key, colon, value: self.node(event, span) });
        }
    }
}

impl Entry {
    /// Where it ends: an empty value stands nowhere.
    pub fn end(&self) -> usize {
        match self.value.is_empty() {
            true => self.colon.unwrap_or(self.key.end),
            false => self.value.range.end,
        }
    }
}

impl Node {
    /// A value of which nothing is written.
    pub fn is_empty(&self) -> bool {
        matches!(self.content, Content::Scalar(ScalarStyle::Plain)) && self.range.is_empty()
    }

    /// A collection in lines of its own.
    pub fn is_block_collection(&self) -> bool {
        matches!(self.content, Content::List { flow: false, .. } | Content::Map { flow: false, .. })
    }

    pub fn is_flow_collection(&self) -> bool {
        matches!(self.content, Content::List { flow: true, .. } | Content::Map { flow: true, .. })
    }
}

fn range(span: &Span) -> Range<usize> {
    span.byte_range().expect("a text in memory has bytes")
}

fn outer((first, last): (&Node, &Node)) -> Range<usize> {
    first.range.start..last.range.end
}

fn whole(begin: &Range<usize>, end: &Span, flow: bool, inner: Option<Range<usize>>) -> Range<usize> {
    match inner {
        _ if flow => begin.start..range(end).end,
        Some(inner) => inner,
        None => begin.clone(),
    }
}
