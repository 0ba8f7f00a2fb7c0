//! The variables and imports in sight at a place.

use std::collections::HashMap;

use rhai::ImmutableString;

use crate::diagnostic::Span;

#[derive(Default)]
pub struct Scope {
    variables: Vec<Variable>,
    /// Where the variables of each name are, the innermost last.
    places: HashMap<ImmutableString, Vec<usize>>,
    aliases: Vec<(ImmutableString, Target)>,
    frames: Vec<Frame>,
    /// Names that went out of sight, latest last.
    gone: Vec<(ImmutableString, Kind, usize)>,
}

pub struct Variable {
    pub name: ImmutableString,
    pub constant: bool,
    /// Whose value it is, if it is a parameter's: the place of the variable.
    pub param: Option<Span>,
    pub read: bool,
    line: usize,
}

/// What an import means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    File(usize),
    /// Not found, or named by an expression: it may hold anything.
    Anything,
}

struct Frame {
    variables: usize,
    aliases: usize,
    kind: Kind,
}

/// What a stretch of script with variables of its own is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Block,
    Step,
    Branch,
    Closure,
}

impl Scope {
    pub fn enter(&mut self, kind: Kind) {
        self.frames.push(Frame { variables: self.variables.len(), aliases: self.aliases.len(), kind });
    }

    pub fn leave(&mut self) {
        let frame = self.frames.pop().expect("every leave follows an enter");
        for variable in self.variables.drain(frame.variables..) {
            self.places.get_mut(&variable.name).expect("every variable has a place").pop();
            self.gone.push((variable.name, frame.kind, variable.line));
        }
        self.aliases.truncate(frame.aliases);
    }

    /// True outside of all blocks.
    pub fn is_outermost(&self) -> bool {
        self.frames.is_empty()
    }

    pub fn declare(&mut self, name: &ImmutableString, line: usize, constant: bool, param: Option<Span>) {
        self.places.entry(name.clone()).or_default().push(self.variables.len());
        self.variables.push(Variable { name: name.clone(), constant, param, read: false, line });
    }

    pub fn find(&mut self, name: &str) -> Option<&mut Variable> {
        let place = *self.places.get(name)?.last()?;
        Some(&mut self.variables[place])
    }

    /// The constant of that name, if it can be assigned from here without crossing into a closure.
    pub fn is_own_constant(&self, name: &str) -> bool {
        let closure = self.frames.iter().rev().find(|frame| frame.kind == Kind::Closure);
        let base = closure.map_or(0, |frame| frame.variables);
        let place = self.places.get(name).and_then(|places| places.last().copied());
        place.is_some_and(|place| place >= base && self.variables[place].constant)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.name.as_str())
    }

    /// Where a variable of this name was, that is out of sight now.
    pub fn gone(&self, name: &str) -> Option<(Kind, usize)> {
        self.gone.iter().rev().find(|(gone, ..)| gone == name).map(|(_, kind, line)| (*kind, *line))
    }

    pub fn import(&mut self, alias: &ImmutableString, target: Target) {
        self.aliases.push((alias.clone(), target));
    }

    pub fn alias(&self, name: &str) -> Option<Target> {
        self.aliases.iter().rev().find(|(alias, _)| alias == name).map(|(_, target)| *target)
    }

    pub fn aliases(&self) -> &[(ImmutableString, Target)] {
        &self.aliases
    }

    /// The scope in which a function begins: its file's imports, and none of its variables.
    pub fn of_function(&self) -> Self {
        Self { aliases: self.aliases.clone(), ..Self::default() }
    }

    pub fn into_variables(self) -> Vec<Variable> {
        self.variables
    }
}
