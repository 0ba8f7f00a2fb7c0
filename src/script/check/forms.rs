//! A call with literal arguments, held against the documented forms of a function.

use rhai::{Dynamic, Expr, FnPtr, Ident, Map, Position, Stmt};

use crate::duration;
use crate::script::{
    catalogue::{Function, Item, Signature},
    options::{self, fits, with_article},
};

/// An argument of which something is known before it is evaluated.
#[derive(Clone, Copy)]
pub enum Literal<'e> {
    Text(&'e str),
    /// A text with `${…}` in it.
    Interpolated,
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Character(char),
    Map(&'e [(Ident, Expr)]),
    List,
    Function,
    Nothing,
}

impl<'e> Literal<'e> {
    pub fn of(expression: &'e Expr) -> Option<Self> {
        Some(match expression {
            Expr::StringConstant(text, _) => Self::Text(text),
            Expr::InterpolatedString(..) => Self::Interpolated,
            Expr::IntegerConstant(number, _) => Self::Integer(*number),
            Expr::FloatConstant(number, _) => Self::Number(**number),
            Expr::BoolConstant(flag, _) => Self::Boolean(*flag),
            Expr::CharConstant(character, _) => Self::Character(*character),
            Expr::Map(parts, _) => Self::Map(&parts.0),
            Expr::Array(..) => Self::List,
            Expr::Unit(_) => Self::Nothing,
            Expr::DynamicConstant(value, _) if value.is::<FnPtr>() => Self::Function,
            Expr::Stmt(block) if matches!(block.statements(), [Stmt::Share(_), _]) => Self::Function,
            _ => return None,
        })
    }

    /// A value of its type, for what judges types by values.
    fn sample(self) -> Dynamic {
        match self {
            Self::Text(text) => text.into(),
            Self::Interpolated => "…".into(),
            Self::Integer(number) => number.into(),
            Self::Number(number) => number.into(),
            Self::Boolean(flag) => flag.into(),
            Self::Character(character) => character.into(),
            Self::Map(_) => Map::new().into(),
            Self::List => rhai::Array::new().into(),
            Self::Function => FnPtr::new("function").map_or(Dynamic::UNIT, Dynamic::from),
            Self::Nothing => Dynamic::UNIT,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Interpolated => "a text".to_owned(),
            Self::Integer(number) => format!("`{number}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Boolean(flag) => format!("`{flag}`"),
            Self::Character(character) => format!("the character '{character}'"),
            Self::Map(_) => "a map".to_owned(),
            Self::List => "a list".to_owned(),
            Self::Function => "a function".to_owned(),
            Self::Nothing => "`()`".to_owned(),
        }
    }

    /// True if a parameter of the Rust type takes it. What is not a plain type may take anything.
    pub fn fits_type(self, rust: &str) -> bool {
        match plain_type(rust) {
            "str" | "String" | "ImmutableString" => matches!(self, Self::Text(_) | Self::Interpolated),
            "INT" | "i64" => matches!(self, Self::Integer(_)),
            "FLOAT" | "f64" => matches!(self, Self::Number(_)),
            "bool" => matches!(self, Self::Boolean(_)),
            "char" => matches!(self, Self::Character(_)),
            "Map" => matches!(self, Self::Map(_)),
            "Array" => matches!(self, Self::List),
            "FnPtr" => matches!(self, Self::Function),
            _ => true,
        }
    }
}

fn plain_type(rust: &str) -> &str {
    let rust = rust.trim_start_matches('&').trim_start();
    let rust = rust.strip_prefix("mut ").unwrap_or(rust);
    rust.rsplit("::").next().unwrap_or(rust).trim()
}

/// How the language calls a Rust type.
fn word_of(rust: &str) -> Option<&str> {
    Some(match plain_type(rust) {
        "str" | "String" | "ImmutableString" => "text",
        "INT" | "i64" => "integer",
        "FLOAT" | "f64" => "number",
        "bool" => "boolean",
        "char" => "character",
        "Map" => "map",
        "Array" => "list",
        "FnPtr" => "function",
        "Dynamic" | "" | "_" => return None,
        other => other,
    })
}

/// The name by which a script calls a function: without its module where it needs none.
pub fn called(function: &Function) -> &str {
    let short = function.name.rsplit("::").next().unwrap_or(&function.name);
    if function.method { short } else { &function.name }
}

/// A form as an operator reads it: `k8s::get(cluster: Cluster, kind: text)`.
pub fn shown(function: &Function, signature: &Signature) -> String {
    let parameters = signature.parameters.iter().map(|(name, rust)| match word_of(rust) {
        Some(word) => format!("{name}: {word}"),
        None => name.clone(),
    });
    format!("{}({})", called(function), parameters.collect::<Vec<_>>().join(", "))
}

/// Something wrong with an argument.
pub struct Complaint {
    pub code: &'static str,
    pub position: Position,
    pub message: String,
    pub label: &'static str,
    pub hint: String,
}

/// One form of a function, and how many of its parameters stand before the parentheses of the call.
#[derive(Clone, Copy)]
pub struct Form<'c> {
    pub function: &'c Function,
    pub signature: &'c Signature,
    pub receiver: usize,
}

impl Form<'_> {
    /// True if each literal argument is of the type of its parameter.
    pub fn takes(&self, arguments: &[Expr]) -> bool {
        self.misfit(arguments).is_none()
    }

    /// The first argument that the form doesn't take.
    pub fn misfit(&self, arguments: &[Expr]) -> Option<usize> {
        let parameters = &self.signature.parameters[self.receiver..];
        arguments
            .iter()
            .zip(parameters)
            .position(|(argument, (_, rust))| Literal::of(argument).is_some_and(|literal| !literal.fits_type(rust)))
    }

    pub fn wrong_type(&self, arguments: &[Expr], forms: &[Self]) -> Option<Complaint> {
        let index = self.misfit(arguments)?;
        let (parameter, rust) = &self.signature.parameters[self.receiver + index];
        let literal = Literal::of(&arguments[index])?;
        let name = called(self.function);
        Some(Complaint {
            code: "wrong_type",
            position: arguments[index].start_position(),
            message: format!(
                "`{parameter}` of `{name}` takes {}, and was given {}",
                with_article(word_of(rust).unwrap_or("value")),
                literal.shown()
            ),
            label: "wrong type",
            hint: format!("write {}", alternatives(forms)),
        })
    }

    /// True if its last parameter is a map of options.
    fn has_options(&self) -> bool {
        let last = self.signature.parameters.last();
        last.is_some_and(|(name, rust)| name == "options" && plain_type(rust) == "Map")
            && !self.function.doc.options.is_empty()
    }

    /// True if a call with these arguments changes the world, as far as that can be seen.
    pub fn changes_something(&self, arguments: &[Expr]) -> bool {
        let doc = &self.function.doc;
        let is_harmless = |name: &str, value: &Expr| match value {
            Expr::Array(items, _) => match items.first() {
                Some(Expr::StringConstant(word, _)) => doc.is_harmless(name, word),
                _ => false,
            },
            Expr::BoolConstant(flag, _) => doc.is_harmless(name, &flag.to_string()),
            _ => false,
        };
        let named = self.signature.parameters.iter().skip(self.receiver).zip(arguments);
        let options = match arguments.last() {
            Some(Expr::Map(parts, _)) if self.has_options() => parts.0.as_slice(),
            _ => &[],
        };
        let mut options = options.iter();
        doc.effect.is_some()
            && !(named.into_iter().any(|((name, _), value)| is_harmless(name, value))
                || options.any(|(key, value)| is_harmless(&key.name, value)))
    }

    /// The documentation of the parameter that takes an argument.
    pub fn documented(&self, index: usize) -> Option<&Item> {
        let (name, _) = self.signature.parameters.get(self.receiver + index)?;
        self.function.doc.parameters.iter().find(|item| item.name == *name)
    }
}

/// The forms as an operator reads them.
pub fn alternatives(forms: &[Form]) -> String {
    let shown: Vec<String> = forms.iter().map(|form| format!("`{}`", shown(form.function, form.signature))).collect();
    shown.join(" or ")
}

/// What is wrong with the arguments in every form that takes their types.
pub fn complaints(forms: &[Form], arguments: &[Expr]) -> Vec<Complaint> {
    let mut found = Vec::new();
    let Some(first) = forms.first() else {
        return found;
    };
    for (index, argument) in arguments.iter().enumerate() {
        if let (Some(item), Some(literal)) = (first.documented(index), Literal::of(argument))
            && forms.iter().all(|form| form.documented(index).is_some_and(|item| item.kind == "duration"))
            && let Some(why) = unreadable_duration(&item.kind, literal)
        {
            found.push(Complaint {
                code: "wrong_type",
                position: argument.start_position(),
                message: format!("`{}` of `{}`: {why}", item.name, called(first.function)),
                label: "no duration",
                hint: item.text.clone(),
            });
        }
    }
    for (index, argument) in arguments.iter().enumerate() {
        if let (Some(item), Some(literal)) = (first.documented(index), Literal::of(argument))
            && forms.iter().all(|form| form.documented(index).is_some_and(|other| other.kind == item.kind))
            // A map may be the options of another form.
            && !matches!(literal, Literal::Map(_))
            && !fits(&item.kind, &literal.sample())
        {
            let (name, kind) = (&item.name, with_article(&item.kind));
            found.push(Complaint {
                code: "wrong_type",
                position: argument.start_position(),
                message: format!(
                    "`{name}` of `{}` takes {kind}, and was given {}",
                    called(first.function),
                    literal.shown()
                ),
                label: "wrong type",
                hint: item.text.clone(),
            });
        }
    }
    if let Some(Expr::Map(parts, _)) = arguments.last()
        && forms.iter().all(Form::has_options)
    {
        for (key, value) in &parts.0 {
            let taking = forms.iter().find_map(|form| option(form.function, &key.name));
            match taking {
                None => found.push(unknown_option(first.function, key)),
                Some(item) => judge_option(first.function, &key.name, item, value, &mut found),
            }
        }
    }
    found
}

fn option<'c>(function: &'c Function, name: &str) -> Option<&'c Item> {
    function.doc.options.iter().find(|option| option.name == name)
}

fn unknown_option(function: &Function, key: &Ident) -> Complaint {
    let fault = options::unknown(function, &key.name);
    Complaint {
        code: "unknown_option",
        position: key.pos,
        message: fault.message.replacen(&function.name, called(function), 1),
        label: "not an option",
        hint: fault.hint.unwrap_or_default(),
    }
}

fn judge_option(function: &Function, name: &str, item: &Item, value: &Expr, found: &mut Vec<Complaint>) {
    let Some(literal) = Literal::of(value) else {
        return;
    };
    let wrong = |message: String, label| Complaint {
        code: "wrong_type",
        position: value.start_position(),
        message,
        label,
        hint: item.text.clone(),
    };
    if !matches!(literal, Literal::Nothing) && !fits(&item.kind, &literal.sample()) {
        let message = format!(
            "option `{name}` of `{}` takes {}, and was given {}",
            called(function),
            with_article(&item.kind),
            literal.shown()
        );
        return found.push(wrong(message, "wrong type"));
    }
    if let Some(why) = unreadable_duration(&item.kind, literal) {
        return found.push(wrong(format!("option `{name}` of `{}`: {why}", called(function)), "no duration"));
    }
    // The entries of a map are options too where they are documented, as `limits.memory`.
    let inner = format!("{name}.");
    if let Literal::Map(entries) = literal
        && function.doc.options.iter().any(|option| option.name.starts_with(&inner))
    {
        for (key, value) in entries {
            let full = format!("{inner}{}", key.name);
            match option(function, &full) {
                Some(item) => judge_option(function, &full, item, value, found),
                None => {
                    let names = function.doc.options.iter().filter_map(|option| option.name.strip_prefix(&inner));
                    let hint = match options::nearest(&key.name, names) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => item.text.clone(),
                    };
                    let message = format!("`{}` has no option `{full}`", called(function));
                    found.push(Complaint {
                        code: "unknown_option",
                        position: key.pos,
                        message,
                        label: "not an option",
                        hint,
                    });
                }
            }
        }
    }
}

/// Why a text where a duration is documented can't be read, if it can't.
fn unreadable_duration(kind: &str, literal: Literal) -> Option<String> {
    match literal {
        Literal::Text(text) if kind == "duration" => duration::parse(text).err(),
        _ => None,
    }
}
