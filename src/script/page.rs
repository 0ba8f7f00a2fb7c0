//! A runbook as a document: its prose, its steps and the code between them, in the order of the text.

use std::collections::BTreeSet;

use rhai::{Engine, Token};

use super::{
    narration,
    outline::{Outline, StepOutline},
    tokens,
};

/// A piece of the document.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Markdown that stands by itself.
    Prose(String),
    /// A step that stands in nothing else.
    Step { name: String, prose: String, code: String },
    /// Code outside of such steps.
    Code(String),
}

/// The pieces of a text behind its introduction, which the outline has.
pub fn parts(engine: &Engine, text: &str, outline: &Outline) -> Vec<Part> {
    let Lines { prose, inside } = Lines::of(engine, text);
    let lines: Vec<&str> = text.lines().collect();
    let step_at = |line: usize| {
        let begins = |step: &&StepOutline| step.line == line && step.is_outermost() && !inside.contains(&line);
        outline.steps.iter().find(begins)
    };
    let mut page = Pages::default();
    let before = lines.iter().take_while(|line| line.starts_with("#!") || line.trim().is_empty()).count();
    let intro = lines[before..].iter().take_while(|line| line.starts_with("//!")).count();
    let mut number = before + intro + 1;
    while let Some(line) = lines.get(number - 1) {
        let mut last = number;
        match step_at(number) {
            Some(step) => {
                last = step.last_line.max(number).min(lines.len());
                page.step(step, &lines[number - 1..last]);
            }
            None if prose.contains(&number) => page.prose(line),
            None if line.trim().is_empty() && !inside.contains(&number) => page.blank(),
            None => page.code(line),
        }
        number = last + 1;
    }
    page.end()
}

/// What the lines of a text are, by their numbers.
#[derive(Default)]
struct Lines {
    /// Comments between the outermost statements, alone on their lines.
    prose: BTreeSet<usize>,
    /// Those that begin in the middle of an outermost statement.
    inside: BTreeSet<usize>,
}

impl Lines {
    fn of(engine: &Engine, text: &str) -> Self {
        let mut lines = Self::default();
        let (mut depth, mut statement, mut last) = (0_usize, None, 0);
        for spot in tokens::lex(engine, text) {
            if let Token::Comment(comment) = &spot.token {
                let alone = statement.is_none() && spot.line > last;
                if alone && comment.starts_with("//") && !comment.starts_with("///") {
                    lines.prose.insert(spot.line);
                }
                continue;
            }
            let first = *statement.get_or_insert(spot.line);
            lines.inside.extend(last.max(first) + 1..=spot.line);
            last = spot.line;
            match spot.token {
                Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket => depth += 1,
                Token::RightBrace | Token::RightParen | Token::RightBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(spot.token, Token::SemiColon | Token::RightBrace) {
                statement = None;
            }
        }
        lines
    }
}

/// A document in the making.
#[derive(Default)]
struct Pages<'t> {
    parts: Vec<Part>,
    comments: Vec<&'t str>,
    code: Vec<&'t str>,
}

impl<'t> Pages<'t> {
    fn prose(&mut self, line: &'t str) {
        self.end_code();
        self.comments.push(line.trim_start());
    }

    fn blank(&mut self) {
        self.end_prose();
        self.code.push("");
    }

    fn code(&mut self, line: &'t str) {
        self.end_prose();
        self.code.push(line);
    }

    fn step(&mut self, step: &StepOutline, code: &[&str]) {
        self.end_code();
        let prose = narration::prose(self.comments.drain(..));
        let (chapter, prose) = chapter(&prose);
        if !chapter.is_empty() {
            self.parts.push(Part::Prose(chapter.to_owned()));
        }
        self.parts.push(Part::Step { name: step.name.clone(), prose: prose.to_owned(), code: code.join("\n") });
    }

    fn end_prose(&mut self) {
        let prose = narration::prose(self.comments.drain(..));
        if !prose.is_empty() {
            self.parts.push(Part::Prose(prose));
        }
    }

    fn end_code(&mut self) {
        let code = self.code.join("\n");
        self.code.clear();
        let code = code.trim_matches('\n');
        if !code.is_empty() {
            self.parts.push(Part::Code(code.to_owned()));
        }
    }

    fn end(mut self) -> Vec<Part> {
        self.end_prose();
        self.end_code();
        self.parts
    }
}

/// The heading that begins the prose of a step, with the paragraphs that introduce more than this step, and the step's own.
fn chapter(prose: &str) -> (&str, &str) {
    if !prose.starts_with('#') {
        return ("", prose);
    }
    prose.rsplit_once("\n\n").unwrap_or((prose, ""))
}
