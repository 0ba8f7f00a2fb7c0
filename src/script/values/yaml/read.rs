//! Builds trees from the events of the parser: positions, lints and limits come out of one pass.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use rhai::ImmutableString;
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};

use super::YamlError;
use super::scalar::{Plain, plain};
use crate::script::values::fields::Fields;
use crate::script::values::interner::Interner;
use crate::script::values::tree::{DEEPEST, Tree};

/// Aliases may repeat this many values in one text. They are shared here, but whoever writes them out writes them all.
const MOST_REPEATED: usize = 1_000_000;

/// Something that reads well and yet means something else to kubectl.
#[derive(Clone, Debug, PartialEq)]
pub struct Lint {
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub hint: String,
}

/// Every document of the text, those with nothing but comments left out; `source` is the name errors call the text by.
pub fn read_all(text: &str, source: &str) -> Result<Vec<Tree>, YamlError> {
    Ok(read_all_linted(text, source)?.0)
}

/// The same, with what to warn about.
pub fn read_all_linted(text: &str, source: &str) -> Result<(Vec<Tree>, Vec<Lint>), YamlError> {
    let mut reader = Reader::new(text, source);
    let documents = reader.documents()?;
    Ok((documents.into_iter().map(|(tree, _)| tree).collect(), reader.lints))
}

/// The one document of the text; `null` if there is none.
pub fn read_one(text: &str, source: &str) -> Result<Tree, YamlError> {
    let mut reader = Reader::new(text, source);
    let mut documents = reader.documents()?;
    match documents.get(1) {
        Some((_, second)) => {
            let message = format!("one document is expected here, found {}", documents.len());
            Err(reader.misread(*second, message))
        }
        None => Ok(documents.pop().map(|(tree, _)| tree).unwrap_or_default()),
    }
}

struct Reader<'t> {
    text: &'t str,
    source: &'t str,
    events: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    repeated: usize,
    interner: Interner,
    lints: Vec<Lint>,
}

/// A tree, and what it would take to write it out.
#[derive(Clone)]
struct Node {
    tree: Tree,
    values: usize,
    height: usize,
}

impl Node {
    fn leaf(tree: Tree) -> Self {
        Self { tree, values: 1, height: 0 }
    }
}

struct Entry {
    name: ImmutableString,
    value: Tree,
    at: Marker,
}

type Spanned<'t> = (Event<'t>, Span);

/// The name of a tag that YAML itself defines: `str` of `!!str`.
fn standard(tag: &Tag) -> Option<Cow<'_, str>> {
    tag.suffix_in_namespace("tag:yaml.org,2002:")
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, source: &'t str) -> Self {
        let options = serde_saphyr::granit_parser::options! { emit_comments: false };
        Self {
            text,
            source,
            events: Parser::new_from_str_with_options(text, options),
            anchors: HashMap::new(),
            repeated: 0,
            interner: Interner::default(),
            lints: Vec::new(),
        }
    }

    fn misread(&self, at: Marker, message: String) -> YamlError {
        YamlError::new(self.text, self.source, at.line(), at.col() + 1, message)
    }

    fn lint(&mut self, at: Marker, message: String, hint: String) {
        self.lints.push(Lint { line: at.line(), column: at.col() + 1, message, hint });
    }

    fn next(&mut self) -> Result<Spanned<'t>, YamlError> {
        match self.events.next_event().expect("the parser ends with an event or an error, and is not asked again") {
            Ok(event) => Ok(event),
            Err(error) => {
                let message = error.info().replace("EOF", "the end of the text");
                Err(self.misread(*error.marker(), message))
            }
        }
    }

    fn documents(&mut self) -> Result<Vec<(Tree, Marker)>, YamlError> {
        let mut documents = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match &event {
                Event::StreamEnd => return Ok(documents),
                Event::StreamStart | Event::DocumentStart(..) => self.anchors.clear(),
                Event::DocumentEnd => {}
                Event::Scalar(_, ScalarStyle::Plain, 0, None) if span.is_empty() => {}
                _ => documents.push((self.node(event, span, 0)?.tree, span.start)),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span, depth),
            Event::Scalar(text, style, anchor, tag) => {
                (Node::leaf(self.scalar(&text, style, tag.as_deref(), span)?), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.collection(tag.as_deref(), span, depth, &["seq", "omap", "pairs"])?;
                (self.list(depth + 1)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.collection(tag.as_deref(), span, depth, &["map", "set"])?;
                (self.map(depth + 1)?, anchor)
            }
            other => unreachable!("a node cannot begin with {other:?}"),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Span, depth: usize) -> Result<Node, YamlError> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let name = span.slice(self.text).unwrap_or("*");
            return Err(self.misread(span.start, format!("the alias `{name}` stands inside what it repeats")));
        };
        self.repeated = self.repeated.saturating_add(node.values);
        if self.repeated > MOST_REPEATED {
            return Err(self.misread(span.start, format!("aliases repeat more than {MOST_REPEATED} values")));
        }
        self.check_depth(depth + node.height, span)?;
        Ok(node)
    }

    fn check_depth(&self, depth: usize, span: Span) -> Result<(), YamlError> {
        match depth > DEEPEST {
            true => Err(self.misread(span.start, format!("values are nested deeper than {DEEPEST} levels"))),
            false => Ok(()),
        }
    }

    fn collection(&mut self, tag: Option<&Tag>, span: Span, depth: usize, fit: &[&str]) -> Result<(), YamlError> {
        self.check_depth(depth + 1, span)?;
        match tag {
            Some(tag) if !standard(tag).is_some_and(|name| fit.contains(&&*name)) => {
                self.ignored_tag(tag, span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn ignored_tag(&mut self, tag: &Tag, span: Span) {
        let at = span.tag_start().unwrap_or(span.start);
        self.lint(at, format!("the tag `{}` is ignored", tag.original()), "take it out".to_owned());
    }

    fn list(&mut self, depth: usize) -> Result<Node, YamlError> {
        let (mut items, mut values, mut height) = (Vec::new(), 1_usize, 0);
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                items.shrink_to_fit();
                return Ok(Node { tree: Tree::List(Arc::new(items)), values, height: height + 1 });
            }
            let item = self.node(event, span, depth)?;
            values = values.saturating_add(item.values);
            height = height.max(item.height);
            items.push(item.tree);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Node, YamlError> {
        let (mut entries, mut merges) = (Vec::new(), Vec::new());
        let (mut values, mut height) = (1_usize, 0);
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                let fields = self.fields(entries, merges)?;
                return Ok(Node { tree: Tree::Map(Arc::new(fields)), values, height: height + 1 });
            }
            let name = self.name(event, span)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth)?;
            values = values.saturating_add(value.values);
            height = height.max(value.height);
            match name {
                Some(name) => entries.push(Entry { name, value: value.tree, at: span.start }),
                None => merges.push((value.tree, span.start, value_span.start)),
            }
        }
    }

    /// The name of a field: the text as written. `None` is the merge key `<<`.
    fn name(&mut self, event: Event<'t>, span: Span) -> Result<Option<ImmutableString>, YamlError> {
        let (text, style, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 {
                    let tree = self.scalar(&text, style, tag.as_deref(), span)?;
                    self.anchors.insert(anchor, Node::leaf(tree));
                }
                (text, style, tag)
            }
            Event::Alias(anchor) => {
                return match self.alias(anchor, span, 0)?.tree {
                    Tree::Text(name) => Ok(Some(name)),
                    other => Err(self.misread(span.start, format!("a key must be a text, not {}", other.kind()))),
                };
            }
            Event::SequenceStart(..) => return Err(self.misread(span.start, "a key must be a text, not a list".into())),
            _ => return Err(self.misread(span.start, "a key must be a text, not an object".into())),
        };
        if style == ScalarStyle::Plain && tag.is_none() {
            if text == "<<" {
                return Ok(None);
            }
            self.check_plain_name(&text, span)?;
        }
        Ok(Some(self.interner.text(&text)))
    }

    fn check_plain_name(&mut self, text: &str, span: Span) -> Result<(), YamlError> {
        let at = span.start;
        let elsewhere = match plain(text) {
            Plain::Text => return Ok(()),
            Plain::Null if span.is_empty() => return Err(self.misread(at, "a key is missing before `:`".to_owned())),
            Plain::Null => {
                return Err(self.misread(at, format!("a key must be a text, and `{text}` without quotes is none")));
            }
            Plain::NotFinite => {
                return Err(self.misread(at, format!("the key `{text}` is a number JSON does not have")));
            }
            Plain::Bool(value) | Plain::OldBool(value) => value.to_string(),
            Plain::Int(value) => value.to_string(),
            Plain::UInt(value) => value.to_string(),
            Plain::Float(value) => value.to_string(),
        };
        if elsewhere != text {
            let message = format!("the key `{text}` is `{elsewhere}` to kubectl");
            self.lint(at, message, format!("put it in quotes: `\"{text}\"`"));
        }
        Ok(())
    }

    /// Own fields win over merged ones, and of merged ones the first.
    fn fields(&mut self, mut entries: Vec<Entry>, merges: Vec<(Tree, Marker, Marker)>) -> Result<Fields, YamlError> {
        entries.sort_by(|left, right| left.name.as_str().cmp(right.name.as_str()));
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
            let (first, second) = (&twice[0], &twice[1]);
            let message =
                format!("the key `{}` stands twice in one map, first on line {}", first.name, first.at.line());
            return Err(self.misread(second.at, message));
        }
        let mut merged = Fields::default();
        for (tree, key, value) in merges {
            for source in self.merge_sources(tree, value)? {
                for (name, value) in source.iter() {
                    match entries.binary_search_by(|entry| entry.name.as_str().cmp(name)) {
                        Ok(own) if entries[own].at.index() < key.index() => {
                            let message =
                                format!("`<<` after `{name}` overrides it for kubectl, but not by the rules of YAML");
                            self.lint(key, message, format!("put `<<` before `{name}`"));
                        }
                        Ok(_) => {}
                        Err(_) if merged.contains(name) => {}
                        Err(_) => {
                            merged.insert(name.clone(), value.clone());
                        }
                    }
                }
            }
        }
        let merged = merged.iter().map(|(name, value)| (name.clone(), value.clone()));
        let own = entries.into_iter().map(|entry| (entry.name, entry.value));
        Ok(Fields::from_unsorted(own.chain(merged).collect()).expect("merged names differ from the own ones"))
    }

    fn merge_sources(&self, tree: Tree, at: Marker) -> Result<Vec<Arc<Fields>>, YamlError> {
        let refused = |other: &Tree| {
            self.misread(at, format!("`<<` merges a map or a list of maps, and this holds {}", other.kind()))
        };
        match tree {
            Tree::Map(fields) => Ok(vec![fields]),
            Tree::List(items) => items
                .iter()
                .map(|item| match item {
                    Tree::Map(fields) => Ok(fields.clone()),
                    other => Err(refused(other)),
                })
                .collect(),
            other => Err(refused(&other)),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Tree, YamlError> {
        let Some(tag) = tag.filter(|tag| tag.original() != "!") else {
            return match style {
                ScalarStyle::Plain => self.plain(text, span.start),
                ScalarStyle::Literal | ScalarStyle::Folded => {
                    Ok(Tree::Text(self.interner.text(self.block(text, span))))
                }
                _ => Ok(Tree::Text(self.interner.text(text))),
            };
        };
        let unfit = |kind: &str| self.misread(span.start, format!("`{text}` is not {kind}, as its tag says"));
        match (standard(tag).as_deref(), plain(text)) {
            (Some("str" | "timestamp" | "merge" | "value"), _) => Ok(Tree::Text(self.interner.text(text))),
            (Some("null"), Plain::Null) => Ok(Tree::Null),
            (Some("null"), _) => Err(unfit("null")),
            (Some("bool"), Plain::Bool(value) | Plain::OldBool(value)) => Ok(Tree::Bool(value)),
            (Some("bool"), _) => Err(unfit("a boolean")),
            (Some("int"), Plain::Int(value)) => Ok(Tree::Int(value)),
            (Some("int"), Plain::UInt(value)) => Ok(Tree::UInt(value)),
            (Some("int"), _) => Err(unfit("an integer")),
            (Some("float"), Plain::Int(value)) => Ok(Tree::Float(value as f64)),
            (Some("float"), Plain::UInt(value)) => Ok(Tree::Float(value as f64)),
            (Some("float"), Plain::Float(value)) => Ok(Tree::Float(value)),
            (Some("float"), _) => Err(unfit("a number")),
            (Some("binary"), _) => {
                let packed: String = text.split_ascii_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD.decode(packed).map_err(|_| unfit("base64"))?;
                let decoded = String::from_utf8(bytes).map_err(|_| unfit("base64 of a text"))?;
                Ok(Tree::Text(decoded.into()))
            }
            _ => {
                self.ignored_tag(tag, span);
                self.scalar(text, style, None, span)
            }
        }
    }

    /// A block whose last line no line break ends has none to give, though the parser adds one.
    fn block<'a>(&self, text: &'a str, span: Span) -> &'a str {
        let last_line = self.text.rsplit('\n').next().expect("a split has at least one part");
        let ends_the_text = span.byte_range().is_some_and(|range| range.end == self.text.len());
        match ends_the_text && !last_line.trim().is_empty() {
            true => text.strip_suffix('\n').unwrap_or(text),
            false => text,
        }
    }

    fn plain(&mut self, text: &str, at: Marker) -> Result<Tree, YamlError> {
        match plain(text) {
            Plain::Null => Ok(Tree::Null),
            Plain::Bool(value) => Ok(Tree::Bool(value)),
            Plain::Int(value) => Ok(Tree::Int(value)),
            Plain::UInt(value) => Ok(Tree::UInt(value)),
            Plain::Float(value) => Ok(Tree::Float(value)),
            Plain::NotFinite => Err(self.misread(at, format!("`{text}` is a number JSON does not have"))),
            Plain::Text => Ok(Tree::Text(self.interner.text(text))),
            Plain::OldBool(value) => {
                let message = format!("`{text}` is the boolean `{value}` to kubectl, and a text here");
                self.lint(at, message, format!("write `{value}`, or `\"{text}\"` for the text"));
                Ok(Tree::Text(self.interner.text(text)))
            }
        }
    }
}
