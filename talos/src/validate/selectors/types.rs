//! The types of values in expressions.

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// It is known at run time alone, or something is wrong with it that was said already.
    Any,
    Bool,
    Bytes,
    Double,
    Duration,
    Int,
    Null,
    Text,
    Time,
    /// A type as a value.
    Kind,
    Uint,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Message(&'static Message),
}

/// Something with fields.
#[derive(Debug, PartialEq)]
pub struct Message {
    pub name: &'static str,
    pub texts: &'static [&'static str],
    pub numbers: &'static [&'static str],
    pub switches: &'static [&'static str],
    /// Lists of texts.
    pub lists: &'static [&'static str],
}

impl Message {
    pub fn field(&self, name: &str) -> Option<Type> {
        let kinds = [
            (self.texts, Type::Text),
            (self.numbers, Type::Uint),
            (self.switches, Type::Bool),
            (self.lists, Type::List(Box::new(Type::Text))),
        ];
        kinds.into_iter().find(|(fields, _)| fields.contains(&name)).map(|(_, kind)| kind)
    }
}

impl Type {
    /// The type of what is one or the other, as precisely as either says it; nothing if nothing is both.
    pub fn both(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Any, known) | (known, Self::Any) => known.clone(),
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.both(other)?)),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                Self::Map(Box::new(key.both(other_key)?), Box::new(value.both(other_value)?))
            }
            (Self::Null, known @ (Self::Message(_) | Self::Duration | Self::Time))
            | (known @ (Self::Message(_) | Self::Duration | Self::Time), Self::Null) => known.clone(),
            (one, other) if one == other => one.clone(),
            _ => return None,
        })
    }

    /// The type of all these values; anything if they differ.
    pub fn of_all(types: impl IntoIterator<Item = Self>) -> Self {
        let mut types = types.into_iter();
        let Some(first) = types.next() else { return Self::Any };
        types.try_fold(first, |all, one| all.both(&one)).unwrap_or(Self::Any)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "dyn",
            Self::Bool => "bool",
            Self::Bytes => "bytes",
            Self::Double => "double",
            Self::Duration => "google.protobuf.Duration",
            Self::Int => "int",
            Self::Null => "null",
            Self::Text => "string",
            Self::Time => "google.protobuf.Timestamp",
            Self::Kind => "type",
            Self::Uint => "uint",
            Self::List(of) => return write!(f, "list({of})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Message(message) => message.name,
        })
    }
}
