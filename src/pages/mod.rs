//! Pages to share: documents as HTML files that stand alone. Everything that a page needs is in it, nothing is fetched and no
//! script has to run.
//!
//! It knows texts only: not what a runbook is, and nothing of runs.

mod code;
mod prose;

pub use self::{code::block, prose::Prose};

const STYLE: &str = include_str!("page.css");

/// The anchor of the document itself.
const DOCUMENT: &str = "document";

/// A page of one document.
#[derive(Debug)]
pub struct Page {
    title: String,
    /// What stands in the margin to be jumped to: the anchor and what it is called.
    places: Vec<(String, String)>,
    /// The document itself, as HTML.
    pub body: String,
}

impl Page {
    /// An empty one.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), places: Vec::new(), body: String::new() }
    }

    /// A place to jump to; its anchor is like no other's.
    pub fn place(&mut self, name: &str) -> String {
        let plain = prose::anchor(name);
        let taken = |anchor: &str| anchor == DOCUMENT || self.places.iter().any(|(other, _)| other == anchor);
        let again = (2..).map(|count| format!("{plain}-{count}"));
        let free = std::iter::once(plain.clone()).chain(again).find(|anchor| !anchor.is_empty() && !taken(anchor));
        let anchor = free.expect("there are more numbers than places");
        self.places.push((anchor.clone(), name.to_owned()));
        anchor
    }

    /// The file.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let places: String = self
            .places
            .iter()
            .map(|(anchor, name)| format!("<li><a href=\"#{anchor}\">{}</a></li>\n", escaped(name)))
            .collect();
        let margin = match places.is_empty() {
            true => String::new(),
            false => format!("<nav aria-label=\"Steps\">\n<h2>Steps</h2>\n<ol>\n{places}</ol>\n</nav>\n"),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
             <body>\n<a class=\"skip\" href=\"#{DOCUMENT}\">To the document</a>\n{margin}\
             <main id=\"{DOCUMENT}\">\n{}</main>\n</body>\n</html>\n",
            self.body
        )
    }
}

/// What is special in HTML, made harmless, also between quotes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(letter),
        }
    }
    out
}
