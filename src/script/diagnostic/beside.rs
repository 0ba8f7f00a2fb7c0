//! The names that are there where one is absent: found by following an expression's text through the variables.

use std::ops::Range;

use rhai::{Array, Dynamic, ImmutableString, Map, Scope, Token};

use super::passage::Passage;
use crate::script::values::object::Object;

/// An absent field and the fields beside it.
pub struct Beside {
    pub missing: ImmutableString,
    pub names: Vec<ImmutableString>,
}

enum Link {
    Name(ImmutableString),
    Index(i64),
}

/// Follows `pods[0].status.nope` to the first name that is not there. Nothing is called on the way.
pub fn beside(passage: &Passage, range: &Range<usize>, scope: &Scope) -> Option<Beside> {
    let mut tokens = range.clone().filter_map(|index| passage.token(index));
    let Token::Identifier(variable) = tokens.next()? else { return None };
    let mut links = Vec::new();
    while let Some(joint) = tokens.next() {
        links.push(match (joint, tokens.next()?) {
            (Token::Period | Token::Elvis, Token::Identifier(name)) => Link::Name(name.as_str().into()),
            (Token::LeftBracket | Token::QuestionBracket, inner) => {
                let link = link(inner, scope)?;
                matches!(tokens.next()?, Token::RightBracket).then_some(link)?
            }
            _ => return None,
        });
    }
    follow(scope.get(variable)?, &links)
}

/// What stands between brackets: a literal or a variable.
fn link(token: &Token, scope: &Scope) -> Option<Link> {
    match token {
        Token::StringConstant(name) => Some(Link::Name(name.as_str().into())),
        Token::IntegerConstant(index) => Some(Link::Index(*index)),
        Token::Identifier(variable) => {
            let value = scope.get(variable)?.flatten_clone();
            value.as_int().map(Link::Index).ok().or_else(|| value.into_immutable_string().map(Link::Name).ok())
        }
        _ => None,
    }
}

fn follow(value: &Dynamic, links: &[Link]) -> Option<Beside> {
    let (first, rest) = links.split_first()?;
    match first {
        Link::Index(index) => {
            let items = value.read_lock::<Array>()?;
            follow(items.get(usize::try_from(*index).ok()?)?, rest)
        }
        Link::Name(name) => {
            let missing = |names| Some(Beside { missing: name.clone(), names });
            if let Some(fields) = value.read_lock::<Map>() {
                return match fields.get(name.as_str()) {
                    Some(value) => follow(value, rest),
                    None => missing(fields.keys().map(|name| name.as_str().into()).collect()),
                };
            }
            let object = value.read_lock::<Object>()?;
            match object.fields().get(name) {
                Some(value) => follow(&value.to_dynamic(), rest),
                None => missing(object.fields().names().cloned().collect()),
            }
        }
    }
}
