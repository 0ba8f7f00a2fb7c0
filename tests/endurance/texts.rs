//! Templates, and YAML texts that are edited in place.

use std::collections::BTreeSet;

use cozyscript::{
    bindings::template::substitute::{Rules, Style, substitute},
    script::values::{
        path::{self, Path},
        tree::Tree,
        yaml::{self, Edit, edit},
    },
};
use fastrand::Rng;

use super::{mutate::mutated, yaml as corpus};

pub fn template(seed: u64) -> String {
    mutated(&TEMPLATES, &TEMPLATE_TOKENS, seed)
}

/// A text without a dollar, or without a name that is meant, stays as it is; no style panics.
pub fn fill_template(text: &str) -> Result<(), String> {
    let lookup = |name: &str| name.starts_with('A').then(|| name.to_lowercase());
    for style in [Style::Both, Style::Flux, Style::Envsubst] {
        let filled = substitute(text, &Rules { style, only: None }, &lookup);
        if !text.contains('$') && filled.as_deref() != Ok(text) {
            return Err(format!("{style:?}: a text without names became {filled:?}"));
        }
    }
    let none = BTreeSet::new();
    let untouched = substitute(text, &Rules { style: Style::Envsubst, only: Some(&none) }, &lookup);
    if untouched.as_deref() != Ok(text) {
        return Err(format!("a text of which nothing is meant became {untouched:?}"));
    }
    let escaped = text.replace('$', "$$");
    let unescaped = substitute(&escaped, &Rules { style: Style::Both, only: None }, &lookup);
    if unescaped.as_deref() != Ok(text) {
        return Err(format!("a text whose dollars are escaped became {unescaped:?}"));
    }
    Ok(())
}

/// What is edited reads as it should, and all other lines are as they were.
pub fn edit_yaml(text: &str) -> Result<(), String> {
    let Ok(documents) = yaml::read_all(text, "fuzz.yaml") else { return Ok(()) };
    let mut random = Rng::with_seed(text.len() as u64 ^ u64::from(text.bytes().map(u32::from).sum::<u32>()));
    for _ in 0..4 {
        let number = random.usize(0..documents.len().max(1));
        let document = documents.get(number).cloned().unwrap_or_default();
        let place = place_in(&document, &mut random);
        let values = [
            Tree::Int(random.i64(..)),
            Tree::Text((*random.choice(TEXTS).expect("there are texts")).into()),
            Tree::Bool(true),
            Tree::Null,
            [Tree::Int(1), Tree::Text("b: c".into())].into_iter().collect(),
            [("x".into(), Tree::Int(1)), ("y z".into(), [Tree::Null].into_iter().collect())].into_iter().collect(),
        ];
        let value = random.choice(&values).expect("there are values");
        let wanted = match random.u8(0..3) {
            0 => Edit::Set(value),
            1 => Edit::Append(value),
            _ => Edit::Remove,
        };
        let Ok(edited) = edit(text, &place, Some(number as i64), wanted) else { continue };
        let again = yaml::read_all(&edited, "edited.yaml").map_err(|error| format!("{place}: {error}\n{edited}"))?;
        let path = Path::parse(&place).map_err(|error| error.to_string())?;
        let found = again.get(number).and_then(|tree| path::find(tree, &path));
        let holds = match wanted {
            Edit::Set(value) => found == Some(value),
            Edit::Append(value) => matches!(found, Some(Tree::List(items)) if items.last() == Some(value)),
            // The item behind it has moved up.
            Edit::Remove => place.ends_with(']') || found.is_none(),
        };
        if !holds {
            return Err(format!("{place} is {found:?} in\n{edited}"));
        }
        // A number stands in one line, and another one may move up to it.
        let in_one_line = match wanted {
            Edit::Append(_) => true,
            Edit::Set(_) | Edit::Remove => {
                matches!(path::find(&document, &path), None | Some(Tree::Int(_) | Tree::Bool(_) | Tree::Float(_)))
            }
        };
        let lost = lost(text, &edited);
        if in_one_line && lost > 2 {
            return Err(format!("{place}: {lost} lines are others in\n{edited}"));
        }
    }
    Ok(())
}

/// How many lines an edit took away or changed.
fn lost(before: &str, after: &str) -> usize {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.iter_all_changes().filter(|change| change.tag() == similar::ChangeTag::Delete).count()
}

/// A place that is there, or nearly.
fn place_in(tree: &Tree, random: &mut Rng) -> String {
    let mut place = String::new();
    let mut at = tree.clone();
    loop {
        let name = match &at {
            Tree::Map(fields) if random.u8(0..8) > 0 => {
                let names: Vec<String> = fields.iter().map(|(name, _)| name.to_string()).collect();
                random.choice(names).unwrap_or_else(|| "fresh".to_owned())
            }
            Tree::List(items) => {
                let index = random.usize(0..=items.len());
                place.push_str(&format!("[{index}]"));
                match items.get(index) {
                    Some(item) if random.u8(0..4) > 0 => {
                        at = item.clone();
                        continue;
                    }
                    _ => return place,
                }
            }
            _ => "fresh".to_owned(),
        };
        place.push_str(&format!("[{:?}]", name).replace("\\\"", "\""));
        let inner = match &at {
            Tree::Map(fields) => fields.get(&name).cloned(),
            _ => None,
        };
        match inner {
            Some(inner) if random.u8(0..4) > 0 => at = inner,
            _ => return place,
        }
    }
}

pub fn manifest(seed: u64) -> String {
    corpus::text(seed)
}

const TEXTS: &[&str] = &[
    "plain",
    "yes",
    "3",
    "",
    " a",
    "a: b",
    "a #b",
    "two\nlines\n",
    "it's",
    "\"",
    "- a",
    "é",
    "\t",
    "a\u{2028}b",
    "[x",
    "%",
];

const TEMPLATE_TOKENS: [&str; 18] = [
    "$",
    "$$",
    "${",
    "}",
    ":-",
    ":=",
    "${A}",
    "$A",
    "${A:-",
    "${B:-${A}}",
    "A",
    "_",
    "1",
    "\n",
    "é",
    "\u{0}",
    "-",
    ":",
];

const TEMPLATES: [&str; 3] = [
    "apiVersion: v1\nmetadata: {name: ${APP:-web}, namespace: $A_SPACE}\ndata: {price: $$5, port: ${PORT:=80${A}}}\n",
    "#!/bin/sh\nexec redis --port \"$PORT\" ${FLAGS} $$$(date)\n",
    "${A}${A:-${B:-${C:-d}}}$A$B$$",
];
