//! Changes one value of a YAML text and leaves every other byte as it is: comments, order, quotes, blank lines.
//!
//! The text that comes out is read again and held against what it should say, so that a place that can't be edited is refused
//! and never spoilt.

use std::ops::Range;

use super::{
    YamlError,
    insertion::{Manner, Writer},
    layout::{self, Content, Entry, Node},
    read::read_all,
};
use crate::script::values::{
    path::{self, Path, PathError, Segment},
    tree::Tree,
};

/// Why a text can't be edited.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    #[error(transparent)]
    Misread(#[from] YamlError),
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("the text has {documents} documents, and no number {wanted}")]
    NoDocument { documents: usize, wanted: i64 },
    #[error("the text has {documents} documents, and it was not said which one is meant")]
    WhichDocument { documents: usize },
    #[error("`{at}` is no list")]
    NoList { at: String },
    #[error("`{at}` can't be changed in place: {why}")]
    Fixed { at: String, why: &'static str },
}

/// What is to be done at a place.
#[derive(Clone, Copy)]
pub enum Edit<'v> {
    Set(&'v Tree),
    Remove,
    /// To the end of the list there, which is made if there is none.
    Append(&'v Tree),
}

/// The text after an edit at `path`, in the document of that number, which a text of one document need not have.
///
/// # Errors
/// [`EditError`], if the text is no YAML, nothing can be put at the path, or not without rewriting other parts of the text.
pub fn edit(text: &str, at: &str, document: Option<i64>, edit: Edit) -> Result<String, EditError> {
    let path = Path::parse(at)?;
    let mut expected = read_all(text, "text")?;
    let number = chosen(expected.len(), document)?;
    if expected.is_empty() {
        expected.push(Tree::Null);
    }
    let edit = match edit {
        Edit::Remove if path::find(&expected[number], &path).is_none() => return Ok(text.to_owned()),
        Edit::Append(item) => match path::find(&expected[number], &path) {
            Some(Tree::List(items)) => {
                let longer: Tree = items.iter().chain([item]).cloned().collect();
                path::set_in(&mut expected[number], &path, longer)?;
                Edit::Append(item)
            }
            None | Some(Tree::Null) => {
                return self::edit(text, at, document, Edit::Set(&[item.clone()].into_iter().collect()));
            }
            Some(_) => return Err(EditError::NoList { at: at.to_owned() }),
        },
        Edit::Set(value) => {
            path::set_in(&mut expected[number], &path, value.clone())?;
            edit
        }
        Edit::Remove => {
            path::remove_in(&mut expected[number], &path);
            edit
        }
    };
    let documents = layout::documents(text);
    let mut why = "its text would no longer say what it should; rewrite that part by hand";
    for manner in [Manner::Nice, Manner::Safe] {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let editor = Editor { text, writer: Writer { manner, newline } };
        let splices = match documents.get(number) {
            Some(root) => editor.walk(root, path.segments(), edit),
            None => editor.first(path.segments(), edit),
        };
        match splices {
            Ok(splices) => {
                let edited = spliced(text, splices);
                if read_all(&edited, "text").is_ok_and(|read| read == expected) {
                    return Ok(edited);
                }
            }
            Err(fixed) => why = fixed.0,
        }
    }
    Err(EditError::Fixed { at: at.to_owned(), why })
}

fn chosen(documents: usize, wanted: Option<i64>) -> Result<usize, EditError> {
    match wanted {
        None if documents > 1 => Err(EditError::WhichDocument { documents }),
        None => Ok(0),
        Some(wanted) => {
            let number = usize::try_from(wanted).ok().filter(|number| *number < documents);
            number.ok_or(EditError::NoDocument { documents, wanted })
        }
    }
}

/// A piece of the text, and what comes in its place.
type Splice = (Range<usize>, String);

/// Why a place can't be edited.
struct Fixed(&'static str);

const ALIAS: Fixed = Fixed("it is an alias, and what it repeats stands elsewhere; edit it there");
const QUESTION: Fixed = Fixed("a key around it is written with `?`");

struct Editor<'t> {
    text: &'t str,
    writer: Writer,
}

/// What holds a node.
#[derive(Clone, Copy)]
pub struct Holder {
    /// The column of the key or the dash; nothing for a document.
    pub column: Option<usize>,
    /// Behind the `:` or the `-`.
    after: usize,
    pub flow: bool,
}

impl Editor<'_> {
    fn walk(&self, root: &Node, segments: &[Segment], edit: Edit) -> Result<Vec<Splice>, Fixed> {
        let holder = Holder { column: None, after: root.range.start, flow: false };
        self.within(root, holder, segments, edit)
    }

    fn within(&self, node: &Node, holder: Holder, segments: &[Segment], edit: Edit) -> Result<Vec<Splice>, Fixed> {
        let Some(first) = segments.first() else {
            return match edit {
                Edit::Set(value) => self.replace(node, holder, value),
                Edit::Append(item) => self.append(node, holder, item),
                Edit::Remove => unreachable!("what is removed is removed from its holder"),
            };
        };
        match &node.content {
            Content::Alias => Err(ALIAS),
            Content::Scalar(_) => match edit {
                Edit::Set(value) => self.replace(node, holder, &nested(segments, value)),
                _ => Err(Fixed("it is not there")),
            },
            Content::Map { flow, entries } => {
                let known = |name: &str| entries.iter().any(|entry| entry.name.as_deref() == Some(name));
                let Some((name, rest)) = path::longest_name(segments, known) else {
                    let Edit::Set(value) = edit else {
                        return Err(Fixed("it is merged in from elsewhere"));
                    };
                    return self.insert(node, holder, &first.text, &nested(&segments[1..], value));
                };
                let index = entries.iter().position(|entry| entry.name.as_ref() == Some(&name)).expect("it is known");
                if rest.is_empty() && matches!(edit, Edit::Remove) {
                    return match (entries.len(), flow) {
                        (1, _) => {
                            self.replace(node, holder, &std::iter::empty::<(rhai::ImmutableString, Tree)>().collect())
                        }
                        (_, true) => Ok(vec![without(&entries.iter().map(entry_range).collect::<Vec<_>>(), index)]),
                        (_, false) => Ok(vec![self.without_lines(entries.iter().map(entry_range).collect(), index)]),
                    };
                }
                let entry = &entries[index];
                let after = entry.colon.ok_or(QUESTION)?;
                let holder = Holder { column: Some(self.column(entry.key.start)), after, flow: holder.flow || *flow };
                self.within(&entry.value, holder, rest, edit)
            }
            Content::List { flow, items } => {
                let index = path::index_of(first, items.len()).filter(|index| *index < items.len());
                let index = index.ok_or(Fixed("it is not there"))?;
                let rest = &segments[1..];
                if rest.is_empty() && matches!(edit, Edit::Remove) {
                    return match (items.len(), flow) {
                        (1, _) => self.replace(node, holder, &Tree::List(Vec::new().into())),
                        (_, true) => {
                            Ok(vec![without(&items.iter().map(|item| item.range.clone()).collect::<Vec<_>>(), index)])
                        }
                        (_, false) => {
                            let whole = |item: &Node| Ok(self.dash(item)?..item.range.end);
                            let ranges: Vec<_> = items.iter().map(whole).collect::<Result<_, Fixed>>()?;
                            Ok(vec![self.without_lines(ranges, index)])
                        }
                    };
                }
                let item = &items[index];
                let holder = match flow {
                    true => Holder { flow: true, after: item.range.start, ..holder },
                    false => {
                        let dash = self.dash(item)?;
                        Holder { column: Some(self.column(dash)), after: dash + 1, flow: holder.flow }
                    }
                };
                self.within(item, holder, rest, edit)
            }
        }
    }

    /// The first value of a text that has none.
    fn first(&self, segments: &[Segment], edit: Edit) -> Result<Vec<Splice>, Fixed> {
        let Edit::Set(value) = edit else { return Err(Fixed("the text is empty")) };
        let gap = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { self.writer.newline };
        let lines = self.writer.lines(&nested(segments, value)).join(self.writer.newline);
        Ok(vec![(self.text.len()..self.text.len(), format!("{gap}{lines}{}", self.writer.newline))])
    }

    fn replace(&self, node: &Node, holder: Holder, value: &Tree) -> Result<Vec<Splice>, Fixed> {
        if matches!(node.content, Content::Alias) {
            return Err(ALIAS);
        }
        let Range { start, end } = node.range;
        let in_lines =
            is_filled(value) && !holder.flow && !node.is_flow_collection() && self.writer.manner == Manner::Nice;
        if in_lines && node.is_block_collection() {
            return Ok(vec![self.replace_block(node, holder, value)]);
        }
        if in_lines && let Some(column) = holder.column.filter(|_| !self.is_item(holder)) {
            let below = self.end_of_line(end.max(holder.after));
            let lines = self.writer.indented(value, column + 2);
            let (from, to) = if node.is_empty() { (holder.after, holder.after) } else { (start, end) };
            let from = holder.after.max(self.text[..from].trim_end_matches(' ').len());
            let broken = format!("{}{lines}", self.writer.newline);
            return Ok(match self.text[to..below].trim().is_empty() {
                true => vec![(from..below, broken)],
                // What stands behind it is a comment on its key, too.
                false => vec![(from..to, String::new()), (below..below, broken)],
            });
        }
        let column = self.column(start);
        let written = match in_lines {
            true => self.writer.hanging(value, column),
            false => self.writer.inline(value, &node.content, holder),
        };
        if node.is_empty() {
            return Ok(vec![(holder.after..holder.after, format!(" {written}"))]);
        }
        if node.is_block_collection() && self.text[holder.after..start].contains('\n') {
            // What stood below its key now stands behind it.
            let lines = self.start_of_line(start)..self.end_with_break(end);
            return Ok(vec![(holder.after..holder.after, format!(" {written}")), (lines, String::new())]);
        }
        Ok(vec![(start..end, written)])
    }

    fn replace_block(&self, node: &Node, holder: Holder, value: &Tree) -> Splice {
        let Range { start, end } = self.with_dash(node);
        let from = self.start_of_line(start);
        if !self.text[from..start].trim().is_empty() {
            let column = self.column(start);
            let lines = self.writer.hanging(value, column);
            return (start..end, lines);
        }
        let column = self.column(start);
        let deep_enough = holder.column.is_none_or(|holder| column > holder || matches!(value, Tree::List(_)));
        let column = if deep_enough { column } else { holder.column.unwrap_or(0) + 2 };
        (from..end, self.writer.indented(value, column))
    }

    /// A block list begins with its dash.
    fn with_dash(&self, node: &Node) -> Range<usize> {
        let dash = match &node.content {
            Content::List { flow: false, items } => items.first().and_then(|item| self.dash(item).ok()),
            _ => None,
        };
        dash.unwrap_or(node.range.start)..node.range.end
    }

    fn insert(&self, map: &Node, holder: Holder, name: &str, value: &Tree) -> Result<Vec<Splice>, Fixed> {
        let Content::Map { flow, entries } = &map.content else { unreachable!("only maps have entries") };
        let key = self.writer.scalar(&Tree::Text(name.into()), true);
        let Some(last) = entries.last() else {
            let inner = map.range.start + 1..map.range.end - 1;
            return Ok(vec![(inner, format!("{key}: {}", self.writer.flow(value)))]);
        };
        if *flow || holder.flow {
            return Ok(vec![(last.end()..last.end(), format!(", {key}: {}", self.writer.flow(value)))]);
        }
        let column = self.column(entries[0].key.start);
        let entry: Tree = [(name.into(), value.clone())].into_iter().collect();
        let lines = match self.writer.manner {
            Manner::Nice => self.writer.indented(&entry, column),
            Manner::Safe => format!("{}{key}: {}", " ".repeat(column), self.writer.flow(value)),
        };
        Ok(vec![self.below(last.end(), lines)])
    }

    fn append(&self, list: &Node, holder: Holder, item: &Tree) -> Result<Vec<Splice>, Fixed> {
        let Content::List { flow, items } = &list.content else { return Err(ALIAS) };
        let Some(last) = items.last() else {
            return self.replace(list, holder, &[item.clone()].into_iter().collect());
        };
        if *flow || holder.flow {
            return Ok(vec![(last.range.end..last.range.end, format!(", {}", self.writer.flow(item)))]);
        }
        let column = self.column(self.dash(&items[0])?);
        let one: Tree = [item.clone()].into_iter().collect();
        let lines = match self.writer.manner {
            Manner::Nice => self.writer.indented(&one, column),
            Manner::Safe => format!("{}- {}", " ".repeat(column), self.writer.flow(item)),
        };
        let end = if last.is_empty() { self.dash(last)? + 1 } else { last.range.end };
        Ok(vec![self.below(end, lines)])
    }

    /// New lines below the one in which something ends.
    fn below(&self, end: usize, lines: String) -> Splice {
        if self.text[..end].ends_with('\n') {
            return (end..end, format!("{lines}{}", self.writer.newline));
        }
        let end = self.end_of_line(end);
        (end..end, format!("{}{lines}", self.writer.newline))
    }

    /// Takes out one of several values that stand in lines of their own.
    fn without_lines(&self, ranges: Vec<Range<usize>>, index: usize) -> Splice {
        let Range { start, end } = ranges[index].clone();
        let line = self.start_of_line(start);
        match (self.text[line..start].trim().is_empty(), ranges.get(index + 1)) {
            (true, _) => (line..self.end_with_break(end), String::new()),
            // The dash of the list around it stays.
            (false, Some(next)) => (start..next.start, String::new()),
            (false, None) => (start..end, String::new()),
        }
    }

    fn is_item(&self, holder: Holder) -> bool {
        self.text[..holder.after].ends_with('-')
    }

    /// The dash of an item in a block list.
    fn dash(&self, item: &Node) -> Result<usize, Fixed> {
        let before = self.text[..item.range.start].trim_end_matches([' ', '\t', '\n', '\r']);
        let dash = before.len().checked_sub(1).filter(|_| before.ends_with('-'));
        dash.ok_or(Fixed("it has an anchor, a tag or a comment between its dash and its value"))
    }

    fn column(&self, at: usize) -> usize {
        self.text[self.start_of_line(at)..at].chars().count()
    }

    fn start_of_line(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |line_break| line_break + 1)
    }

    /// The end of the line, before its break.
    fn end_of_line(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
        if self.text[at..end].ends_with('\r') { end - 1 } else { end }
    }

    fn end_with_break(&self, at: usize) -> usize {
        if at > 0 && self.text[..at].ends_with('\n') {
            return at;
        }
        self.text[at..].find('\n').map_or(self.text.len(), |length| at + length + 1)
    }
}

fn entry_range(entry: &Entry) -> Range<usize> {
    entry.key.start..entry.end()
}

/// Takes one of several values out of a flow collection, with its comma.
fn without(ranges: &[Range<usize>], index: usize) -> Splice {
    let range = match ranges.get(index + 1) {
        Some(next) => ranges[index].start..next.start,
        None => ranges[index - 1].end..ranges[index].end,
    };
    (range, String::new())
}

fn is_filled(value: &Tree) -> bool {
    match value {
        Tree::List(items) => !items.is_empty(),
        Tree::Map(fields) => fields.iter().next().is_some(),
        _ => false,
    }
}

/// The value inside the maps that a path still lacks.
fn nested(segments: &[Segment], value: &Tree) -> Tree {
    let wrap = |inner: Tree, segment: &Segment| [(segment.text.as_str().into(), inner)].into_iter().collect();
    segments.iter().rev().fold(value.clone(), wrap)
}

fn spliced(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| range.start);
    let mut edited = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in splices {
        edited.push_str(&text[at..range.start.max(at)]);
        edited.push_str(&new);
        at = range.end.max(at);
    }
    edited.push_str(&text[at..]);
    edited
}
