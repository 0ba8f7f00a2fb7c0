//! A place in a file, read as what is expected there.

use documents::yaml::{Content, Node, Word};

use super::{Pairs, Text};
use crate::{Refusal, fields};

/// What stands at a place of a file.
#[derive(Clone, Copy)]
pub struct At<'n> {
    pub file: &'n str,
    pub node: &'n Node,
}

/// The fields of a map, which are taken out one after the other, so that what is left is what nobody knows.
pub struct Fields<'n> {
    pub file: &'n str,
    pub line: usize,
    left: Vec<(&'n Node, At<'n>)>,
}

impl<'n> At<'n> {
    pub fn refused(&self, why: impl Into<String>) -> Refusal {
        Refusal::at(self.file, self.node.line, why)
    }

    pub fn text(&self) -> Result<Text, Refusal> {
        let line = self.node.line;
        match self.node.word() {
            // Where kustomize reads its own file, older rules hold.
            Some(Word::Text(text)) if fields::older_meaning(self.node).is_some() => {
                Err(self.refused(format!("`{text}` is read as true or false here: write it in quotes")))
            }
            Some(Word::Text(text)) => Ok(Text { line, text: text.to_owned() }),
            Some(Word::Null) => Ok(Text { line, text: String::new() }),
            Some(_) => {
                let text = self.node.text().unwrap_or_default();
                Err(self.refused(format!("a text is expected, and `{text}` is none: write it in quotes")))
            }
            None => Err(self.refused("a text is expected")),
        }
    }

    pub fn whole(&self) -> Result<i64, Refusal> {
        match self.node.word() {
            Some(Word::Whole(whole)) => i64::try_from(whole).map_err(|_| self.refused("the number is too large")),
            _ => Err(self.refused("a whole number is expected")),
        }
    }

    pub fn flag(&self) -> Result<bool, Refusal> {
        match self.node.word() {
            Some(Word::Bool(yes)) => Ok(yes),
            _ => Err(self.refused("`true` or `false` is expected")),
        }
    }

    pub fn list(&self) -> Result<Vec<At<'n>>, Refusal> {
        match &self.node.content {
            Content::List(items) => Ok(items.iter().map(|node| At { file: self.file, node }).collect()),
            _ if self.node.is_null() => Ok(Vec::new()),
            _ => Err(self.refused("a list is expected")),
        }
    }

    pub fn texts(&self) -> Result<Vec<Text>, Refusal> {
        self.list()?.iter().map(At::text).collect()
    }

    pub fn each<T>(&self, one: impl Fn(&mut Fields<'n>) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
        self.list()?.iter().map(|item| item.read(&one)).collect()
    }

    /// Reads a map, none of whose fields may be left then.
    pub fn read<T>(&self, one: impl Fn(&mut Fields<'n>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut fields = self.fields()?;
        let read = one(&mut fields)?;
        match fields.left.first() {
            None => Ok(read),
            Some((key, at)) => Err(Refusal::at(at.file, key.line, format!("there is no field `{}` here", key.name()))),
        }
    }

    pub fn fields(&self) -> Result<Fields<'n>, Refusal> {
        let entries = match self.node.entries() {
            Some(entries) => entries,
            None if self.node.is_null() => &[],
            None => return Err(self.refused("a map is expected")),
        };
        let left = entries.iter().map(|(key, node)| (key, At { file: self.file, node })).collect();
        Ok(Fields { file: self.file, line: self.node.line, left })
    }

    pub fn pairs(&self) -> Result<Pairs, Refusal> {
        let fields = self.fields()?.left;
        let mut pairs: Pairs =
            fields.iter().map(|(key, at)| Ok((key.name(), at.text()?.text))).collect::<Result<_, Refusal>>()?;
        pairs.sort();
        Ok(pairs)
    }
}

impl<'n> Fields<'n> {
    pub fn refused(&self, why: impl Into<String>) -> Refusal {
        Refusal::at(self.file, self.line, why)
    }

    pub fn take(&mut self, name: &str) -> Option<At<'n>> {
        let place = self.left.iter().position(|(key, _)| key.text() == Some(name))?;
        Some(self.left.remove(place).1)
    }

    pub fn first(&self) -> Option<(&'n Node, At<'n>)> {
        self.left.first().copied()
    }

    /// A text that is there and not empty.
    pub fn said(&mut self, name: &str) -> Result<Option<Text>, Refusal> {
        let text = self.take(name).map(|at| at.text()).transpose()?;
        Ok(text.filter(|text| !text.text.is_empty()))
    }

    pub fn text(&mut self, name: &str) -> Result<String, Refusal> {
        Ok(self.said(name)?.map(|text| text.text).unwrap_or_default())
    }

    pub fn texts(&mut self, name: &str) -> Result<Vec<Text>, Refusal> {
        self.take(name).map_or(Ok(Vec::new()), |at| at.texts())
    }

    pub fn flag(&mut self, name: &str) -> Result<bool, Refusal> {
        self.take(name).map_or(Ok(false), |at| at.flag())
    }

    pub fn pairs(&mut self, name: &str) -> Result<Pairs, Refusal> {
        self.take(name).map_or(Ok(Pairs::new()), |at| at.pairs())
    }

    pub fn each<T>(
        &mut self,
        name: &str,
        one: impl Fn(&mut Fields<'n>) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        self.take(name).map_or(Ok(Vec::new()), |at| at.each(one))
    }

    /// What a map at this name reads as, if there is one.
    pub fn part<T>(
        &mut self,
        name: &str,
        one: impl Fn(&mut Fields<'n>) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        self.take(name).filter(|at| !at.node.is_null()).map(|at| at.read(one)).transpose()
    }
}
