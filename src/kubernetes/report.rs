//! What came of many objects, for the line that is shown and for the script.

use super::{
    apply::{Applied, Ending, shown},
    difference::{self, Field},
    object::{kind, name, namespace},
    removal::Doomed,
};
use crate::script::values::{object::Object, tree::Tree};

/// `created`, `unchanged`, `changed: spec.replicas: 2 → 3`, or the numbers of each.
pub fn line(applied: &[Applied]) -> String {
    let count = |of: fn(&Ending) -> bool| applied.iter().filter(|one| of(&one.ending)).count();
    let counts = [
        (count(|ending| matches!(ending, Ending::Created)), "created"),
        (count(|ending| matches!(ending, Ending::Changed(_))), "changed"),
        (count(|ending| matches!(ending, Ending::Applied)), "applied"),
        (count(|ending| matches!(ending, Ending::Unchanged)), "unchanged"),
    ];
    let counted: Vec<_> = counts.into_iter().filter(|(count, _)| *count > 0).collect();
    let mut line = match counted.as_slice() {
        [(_, word)] => (*word).to_owned(),
        several => several.iter().map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", "),
    };
    let fields: Vec<String> = applied
        .iter()
        .flat_map(|one| changes(one).iter().map(move |field| (one, field)))
        .map(|(one, field)| match applied.len() {
            1 => field.to_string(),
            _ => format!("{} {field}", shown(&one.object)),
        })
        .collect();
    if !fields.is_empty() {
        line.push_str(&format!(": {}", difference::listed(fields.into_iter())));
    }
    line
}

/// `deployment/web in shop: created`, of each object a line.
pub fn lines(applied: &[Applied]) -> impl Iterator<Item = String> {
    applied.iter().map(|one| format!("{}: {}", shown(&one.object), line(std::slice::from_ref(one))))
}

fn changes(applied: &Applied) -> &[Field] {
    match &applied.ending {
        Ending::Changed(fields) => fields,
        Ending::Created | Ending::Unchanged | Ending::Applied => &[],
    }
}

/// The report that scripts get.
pub fn report(applied: &[Applied], pruned: &[Doomed]) -> Object {
    let mut parts = results(applied, pruned);
    parts.push(("objects", applied.iter().map(|one| one.object.clone()).collect()));
    Object::try_from(tree(parts)).expect("what has names is an object")
}

/// What applying would change: the same results, and a text.
pub fn comparison(applied: &[Applied], pruned: &[Doomed]) -> Object {
    let differs = |one: &&Applied| !matches!(one.ending, Ending::Unchanged);
    let written = applied.iter().filter(differs);
    let written = written.map(|one| difference::text(&shown(&one.object), one.before.as_ref(), Some(&one.object)));
    let gone = pruned.iter().map(|one| format!("--- {one}\n+++ none\n"));
    let mut parts = results(applied, pruned);
    parts.push(("text", Tree::Text(written.chain(gone).collect::<String>().into())));
    Object::try_from(tree(parts)).expect("what has names is an object")
}

type Parts = Vec<(&'static str, Tree)>;

fn results(applied: &[Applied], pruned: &[Doomed]) -> Parts {
    vec![
        ("created", entries(applied, |ending| matches!(ending, Ending::Created))),
        ("changed", entries(applied, |ending| matches!(ending, Ending::Changed(_) | Ending::Applied))),
        ("unchanged", entries(applied, |ending| matches!(ending, Ending::Unchanged))),
        ("pruned", pruned.iter().map(doomed).collect()),
    ]
}

fn entries(applied: &[Applied], is_of: fn(&Ending) -> bool) -> Tree {
    let found = applied.iter().filter(|one| is_of(&one.ending));
    found
        .map(|one| {
            let mut entry = names(kind(&one.object), namespace(&one.object).unwrap_or_default(), name(&one.object));
            if matches!(one.ending, Ending::Changed(_)) {
                entry.push(("fields", changes(one).iter().map(field).collect()));
            }
            tree(entry)
        })
        .collect()
}

/// What was removed, as scripts get it.
pub fn doomed(one: &Doomed) -> Tree {
    let namespace = if one.resource.namespaced { one.namespace.as_str() } else { "" };
    tree(names(&one.resource.kind, namespace, &one.name))
}

fn names(kind: &str, namespace: &str, name: &str) -> Parts {
    let all = [("kind", kind), ("namespace", namespace), ("name", name)];
    all.into_iter().filter(|(_, part)| !part.is_empty()).map(|(key, part)| (key, Tree::Text(part.into()))).collect()
}

fn field(field: &Field) -> Tree {
    let value = |value: &Option<Tree>| value.clone().unwrap_or_default();
    tree(vec![
        ("path", Tree::Text(field.path.as_str().into())),
        ("before", value(&field.before)),
        ("after", value(&field.after)),
    ])
}

fn tree(parts: Parts) -> Tree {
    parts.into_iter().map(|(name, part)| (name.into(), part)).collect()
}
