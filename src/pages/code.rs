//! Code of runbooks, in the colours that the language's own lexer gives it.

use rhai::Engine;

use super::escaped;
use crate::script::highlight::{self, Sort};

/// A block of code. What is wider than the page can be scrolled to with the keyboard.
pub fn block(engine: &Engine, language: &str, code: &str) -> String {
    let shown = if language == "rhai" { coloured(engine, code) } else { escaped(code) };
    let name = if language.is_empty() { "code".to_owned() } else { format!("code: {}", escaped(language)) };
    format!("<pre tabindex=\"0\" role=\"region\" aria-label=\"{name}\"><code>{shown}</code></pre>\n")
}

fn coloured(engine: &Engine, code: &str) -> String {
    let mut out = String::new();
    let mut done = 0;
    for (place, sort) in highlight::words(engine, code) {
        out.push_str(&escaped(&code[done..place.start]));
        out.push_str(&format!("<span class=\"{}\">{}</span>", class(sort), escaped(&code[place.clone()])));
        done = place.end;
    }
    out.push_str(&escaped(&code[done..]));
    out
}

fn class(sort: Sort) -> &'static str {
    match sort {
        Sort::Comment => "comment",
        Sort::Text => "text",
        Sort::Number => "number",
        Sort::Keyword => "keyword",
        Sort::Module => "module",
        Sort::Function => "function",
    }
}
