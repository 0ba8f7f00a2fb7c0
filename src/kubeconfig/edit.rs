//! Changing a kubeconfig's text and leaving the rest of it as it is: comments, order, quotes.
//!
//! An edit is made in the text by the positions of the parser, and then read again: if that gives what was meant, it
//! stands. A text in which it doesn't (flow style, anchors, several documents) is written anew, as kubectl always does.

use std::{ops::Range, sync::Arc};

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use super::read::{Source, wrong};
use crate::script::{
    fault::Fault,
    values::{at::text, fields::Fields, tree::Tree, yaml},
};

/// A kubeconfig's text, and what it means.
#[derive(Clone)]
pub struct Document {
    text: String,
    fields: Fields,
}

/// What is said of an entry: `clusters`, and what an item of it holds: `cluster`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Clusters,
    Contexts,
    Users,
}

impl List {
    pub fn name(self) -> &'static str {
        match self {
            List::Clusters => "clusters",
            List::Contexts => "contexts",
            List::Users => "users",
        }
    }

    pub fn item(self) -> &'static str {
        match self {
            List::Clusters => "cluster",
            List::Contexts => "context",
            List::Users => "user",
        }
    }
}

const CURRENT: &str = "current-context";

impl Document {
    /// Reads a text that is a kubeconfig; an empty one is an empty kubeconfig.
    ///
    /// # Errors
    /// `parse`, with the place.
    pub fn read(source: &Source, text: String) -> Result<Self, Fault> {
        // Who reads it as a whole tells what is wrong with it best.
        super::read::read(vec![(source.clone(), text.clone())])?;
        match yaml::read_one(&text, "") {
            Ok(Tree::Map(fields)) => Ok(Self { text, fields: Arc::unwrap_or_clone(fields) }),
            Ok(Tree::Null) => Ok(Self { text, fields: Fields::default() }),
            Ok(other) => Err(wrong(source, format!("it holds {}", other.kind()))),
            Err(error) => Err(wrong(source, error.message)),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn current(&self) -> Option<&str> {
        match self.fields.get(CURRENT) {
            Some(Tree::Text(name)) if !name.is_empty() => Some(name),
            _ => None,
        }
    }

    fn entries(&self, list: List) -> &[Tree] {
        match self.fields.get(list.name()) {
            Some(Tree::List(entries)) => entries,
            _ => &[],
        }
    }

    fn index(&self, list: List, name: &str) -> Option<usize> {
        self.entries(list).iter().position(|entry| text(entry, &["name"]) == Some(name))
    }

    /// The names of a list's entries, in their order.
    pub fn names(&self, list: List) -> impl Iterator<Item = &str> {
        self.entries(list).iter().filter_map(|entry| text(entry, &["name"]))
    }

    pub fn has(&self, list: List, name: &str) -> bool {
        self.index(list, name).is_some()
    }

    /// Makes a context the current one; with an empty name, none is.
    pub fn set_current(&mut self, name: &str) {
        let mut wanted = self.fields.clone();
        wanted.insert(CURRENT.into(), Tree::Text(name.into()));
        self.change(wanted, |text, outline| set_current(text, outline, name));
    }

    /// Gives an entry another name. What refers to it is not changed.
    pub fn rename(&mut self, list: List, from: &str, to: &str) {
        let Some(index) = self.index(list, from) else { return };
        let mut entries = self.entries(list).to_vec();
        if let Tree::Map(fields) = &mut entries[index] {
            Arc::make_mut(fields).insert("name".into(), Tree::Text(to.into()));
        }
        self.change(self.with(list, entries), |text, outline| {
            let name = outline.field(list.name())?.items()?.get(index)?.field("name")?;
            name.is_on_one_line(text).then(|| replaced(text, name.range.clone(), &scalar(to)))
        });
    }

    /// Takes an entry out.
    pub fn remove(&mut self, list: List, name: &str) {
        let Some(index) = self.index(list, name) else { return };
        let mut entries = self.entries(list).to_vec();
        entries.remove(index);
        self.change(self.with(list, entries), |text, outline| remove(text, outline, list, index));
    }

    /// Puts an entry behind the others.
    pub fn add(&mut self, list: List, name: &str, content: &Tree) {
        let entry: Tree = [("name", Tree::Text(name.into())), (list.item(), content.clone())]
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect();
        let entries = self.entries(list).iter().cloned().chain([entry.clone()]).collect();
        self.change(self.with(list, entries), |text, outline| add(text, outline, list, &entry));
    }

    fn with(&self, list: List, entries: Vec<Tree>) -> Fields {
        let mut wanted = self.fields.clone();
        wanted.insert(list.name().into(), entries.into_iter().collect());
        // A file that begins empty says what it is.
        for (name, value) in [("apiVersion", "v1"), ("kind", "Config")] {
            if self.fields.is_empty() {
                wanted.insert(name.into(), Tree::Text(value.into()));
            }
        }
        wanted
    }

    fn change(&mut self, wanted: Fields, edit: impl FnOnce(&str, &Outline) -> Option<String>) {
        let whole = Tree::Map(Arc::new(wanted.clone()));
        let edited = Outline::read(&self.text).and_then(|outline| edit(&self.text, &outline));
        let edited = edited.filter(|edited| yaml::read_one(edited, "").is_ok_and(|read| read == whole));
        self.text = edited.unwrap_or_else(|| yaml::wire(&whole));
        self.fields = wanted;
    }
}

/// Where the values of a text are.
struct Outline {
    /// Bytes; of what is in block style, from the first thing in it to the last.
    range: Range<usize>,
    style: Style,
    content: Content,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Block,
    /// Also plain and quoted texts.
    Flow,
}

enum Content {
    Scalar,
    List(Vec<Outline>),
    /// The ranges of the names, the names, and the values.
    Map(Vec<(Range<usize>, String, Outline)>),
}

impl Outline {
    /// The outline of the first document; none if there is none, or if it repeats parts of itself.
    fn read(text: &str) -> Option<Self> {
        let mut events =
            Parser::new_from_str_with_options(text, serde_saphyr::granit_parser::options! { emit_comments: false });
        loop {
            let (event, span) = events.next_event()?.ok()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                event => return Self::node(&mut events, event, span),
            }
        }
    }

    fn node<'t>(
        events: &mut Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>,
        event: Event<'t>,
        span: Span,
    ) -> Option<Self> {
        let range = span.byte_range()?;
        let end_of = |last: Option<usize>| last.unwrap_or(range.end);
        match event {
            Event::Scalar(_, style, 0, _) => {
                let style = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                    _ => Style::Flow,
                };
                Some(Self { range, style, content: Content::Scalar })
            }
            Event::SequenceStart(style, 0, _) => {
                let mut items = Vec::new();
                let end = loop {
                    match events.next_event()?.ok()? {
                        (Event::SequenceEnd, span) => break span.byte_range()?.end,
                        (event, span) => items.push(Self::node(events, event, span)?),
                    }
                };
                let style = flow_or_block(style);
                let end = if style == Style::Flow { end } else { end_of(items.last().map(|item| item.range.end)) };
                Some(Self { range: range.start..end, style, content: Content::List(items) })
            }
            Event::MappingStart(style, 0, _) => {
                let mut fields: Vec<(Range<usize>, String, Self)> = Vec::new();
                let end = loop {
                    match events.next_event()?.ok()? {
                        (Event::MappingEnd, span) => break span.byte_range()?.end,
                        (Event::Scalar(name, _, 0, _), span) => {
                            let (event, value) = events.next_event()?.ok()?;
                            fields.push((span.byte_range()?, name.into_owned(), Self::node(events, event, value)?));
                        }
                        _ => return None,
                    }
                };
                let style = flow_or_block(style);
                let last = fields.last().map(|(name, _, value)| value.range.end.max(name.end));
                let end = if style == Style::Flow { end } else { end_of(last) };
                Some(Self { range: range.start..end, style, content: Content::Map(fields) })
            }
            // Anchors and aliases: what is changed here would change there.
            _ => None,
        }
    }

    fn entry(&self, name: &str) -> Option<&(Range<usize>, String, Outline)> {
        match &self.content {
            Content::Map(fields) => fields.iter().find(|(_, field, _)| field == name),
            _ => None,
        }
    }

    fn field(&self, name: &str) -> Option<&Outline> {
        self.entry(name).map(|(.., value)| value)
    }

    fn items(&self) -> Option<&[Outline]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    fn is_on_one_line(&self, text: &str) -> bool {
        matches!(self.content, Content::Scalar) && self.style == Style::Flow && !text[self.range.clone()].contains('\n')
    }
}

fn flow_or_block(style: StructureStyle) -> Style {
    match style {
        StructureStyle::Flow => Style::Flow,
        StructureStyle::Block => Style::Block,
    }
}

fn set_current(text: &str, outline: &Outline, name: &str) -> Option<String> {
    match outline.entry(CURRENT) {
        Some((key, _, value)) if value.is_on_one_line(text) => {
            let space = if value.range.start == key.end + 1 && value.range.is_empty() { " " } else { "" };
            Some(replaced(text, value.range.clone(), &format!("{space}{}", scalar(name))))
        }
        Some(_) => None,
        None => behind(text, outline, &format!("{CURRENT}: {}\n", scalar(name))),
    }
}

fn remove(text: &str, outline: &Outline, list: List, index: usize) -> Option<String> {
    let (key, _, value) = outline.entry(list.name())?;
    let items = value.items().filter(|_| value.style == Style::Block)?;
    let item = items.get(index)?;
    let begin = line_start(text, dash(text, item.range.start)?);
    let end = line_end(text, item.range.start + text[item.range.clone()].trim_end().len());
    if items.len() > 1 {
        return Some(replaced(text, begin..end, ""));
    }
    let colon = key.end + text[key.end..].find(':')? + 1;
    let rest = replaced(text, begin..end, "");
    (colon <= begin).then(|| replaced(&rest, colon..colon, " []"))
}

fn add(text: &str, outline: &Outline, list: List, entry: &Tree) -> Option<String> {
    let written = yaml::wire(&[entry.clone()].into_iter().collect());
    let Some((key, _, value)) = outline.entry(list.name()) else {
        return behind(text, outline, &format!("{}:\n{written}", list.name()));
    };
    match value.items() {
        Some([first, ..]) if value.style == Style::Block => {
            let dash = dash(text, first.range.start)?;
            let margin = " ".repeat(dash - line_start(text, dash));
            let end = line_end(text, value.range.start + text[value.range.clone()].trim_end().len());
            Some(inserted_line(text, end, &indented(&written, &margin)))
        }
        Some([_, ..]) => None,
        // `[]`, `null`, or nothing at all.
        _ if value.is_on_one_line(text) || value.items().is_some() => {
            let colon = key.end + text[key.end..].find(':')? + 1;
            let rest = replaced(text, colon..value.range.end.max(colon), "");
            Some(inserted_line(&rest, line_end(&rest, colon), &written))
        }
        _ => None,
    }
}

/// Puts lines behind everything in the map.
fn behind(text: &str, outline: &Outline, lines: &str) -> Option<String> {
    (outline.style == Style::Block).then(|| inserted_line(text, text.len(), lines))
}

/// The place of the dash before an item.
fn dash(text: &str, item: usize) -> Option<usize> {
    let before = text[..item].trim_end();
    let dash = before.len().checked_sub(1).filter(|_| before.ends_with('-'))?;
    text[line_start(text, dash)..dash].bytes().all(|byte| byte == b' ').then_some(dash)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Behind the line break.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

fn inserted_line(text: &str, at: usize, lines: &str) -> String {
    let (before, after) = text.split_at(at);
    let broken = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{broken}{lines}{after}")
}

fn indented(lines: &str, margin: &str) -> String {
    lines.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{margin}{line}\n") }).collect()
}

fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..range.start], &text[range.end..])
}

/// A text as YAML has it, in quotes where it needs them.
fn scalar(name: &str) -> String {
    yaml::wire(&Tree::Text(name.into())).trim_end().to_owned()
}
