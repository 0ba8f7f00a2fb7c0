//! Narration, which is Markdown, as HTML.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use rhai::Engine;

use super::code;

/// Turns narration into HTML, and knows which headings there were.
pub struct Prose<'e> {
    engine: &'e Engine,
    /// How deep the last heading was.
    depth: usize,
}

impl<'e> Prose<'e> {
    pub fn new(engine: &'e Engine) -> Self {
        Self { engine, depth: 1 }
    }

    /// The level of a heading below the last one that stood in the prose.
    pub fn below(&self) -> usize {
        (self.depth + 1).min(6)
    }

    /// HTML within it is text like everything else: a page runs nothing that a narration brings.
    pub fn html(&mut self, markdown: &str) -> String {
        let events = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
        let mut out = Vec::new();
        let mut code: Option<(String, String)> = None;
        for event in events {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    code = Some((language, String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((language, text)) = code.take() {
                        out.push(Event::Html(code::block(self.engine, &language, text.trim_end()).into()));
                    }
                }
                Event::Text(text) if code.is_some() => {
                    if let Some((_, code)) = &mut code {
                        code.push_str(&text);
                    }
                }
                Event::Html(text) | Event::InlineHtml(text) => out.push(Event::Text(text)),
                Event::Start(Tag::Heading { level, .. }) => {
                    self.depth = depth(level);
                    out.push(event);
                }
                event => out.push(event),
            }
        }
        let mut page = String::new();
        html::push_html(&mut page, out.into_iter());
        page
    }
}

fn depth(level: HeadingLevel) -> usize {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// What a name is jumped to by: `Take the node out` becomes `take-the-node-out`.
pub fn anchor(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}
