//! Versions: `semver('1.2.3')`.

use std::cmp::Ordering;

use cel::{
    DeclarationError, Env, ExecutionError,
    common::types::{BOOL_TYPE, STRING_TYPE, Type},
    objects::Opaque,
};

use super::function::{Arguments, answer, functions, opaque, own, text};

const NAME: &str = "kubernetes.Semver";

/// A version: equal ones differ in what they are built from at most.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    before: Vec<Part>,
}

/// A part of what comes before a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Opaque for Version {
    fn runtime_type_name(&self) -> &str {
        NAME
    }
}

pub fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let version = || Type::new_opaque_type(NAME);
    functions! { env:
        global "semver" (STRING_TYPE) |arguments| answer(opaque(wanted(&text(&arguments, 0)?, false)?));
        global "semver" (STRING_TYPE, BOOL_TYPE) |arguments| {
            answer(opaque(wanted(&text(&arguments, 0)?, flag(&arguments, 1)?)?))
        };
        global "isSemver" (STRING_TYPE) |arguments| answer(read(&text(&arguments, 0)?, false).is_some());
        global "isSemver" (STRING_TYPE, BOOL_TYPE) |arguments| {
            answer(read(&text(&arguments, 0)?, flag(&arguments, 1)?).is_some())
        };
        member "major" (version()) |arguments| answer(number(&arguments, 0)?);
        member "minor" (version()) |arguments| answer(number(&arguments, 1)?);
        member "patch" (version()) |arguments| answer(number(&arguments, 2)?);
        member "isGreaterThan" (version(), version()) |arguments| answer(compare(&arguments)? == Ordering::Greater);
        member "isLessThan" (version(), version()) |arguments| answer(compare(&arguments)? == Ordering::Less);
        member "compareTo" (version(), version()) |arguments| answer(compare(&arguments)? as i64);
    }
    Ok(())
}

fn flag(arguments: &Arguments<'_, '_>, index: usize) -> Result<bool, ExecutionError> {
    Ok(super::function::argument(arguments, index)? == cel::Value::Bool(true))
}

fn number(arguments: &Arguments<'_, '_>, index: usize) -> Result<i64, ExecutionError> {
    let number = own::<Version>(arguments, 0)?.numbers[index];
    i64::try_from(number).map_err(|_| ExecutionError::function_error("semver", "integer overflow"))
}

fn wanted(text: &str, loosely: bool) -> Result<Version, ExecutionError> {
    read(text, loosely).ok_or_else(|| ExecutionError::function_error("semver", "Invalid character(s) found in version"))
}

/// Reads `1.2.3-alpha.1+build`; loosely also `v1.2` and `01.2.3`.
fn read(text: &str, loosely: bool) -> Option<Version> {
    let text = if loosely { text.trim().trim_start_matches('v') } else { text };
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (numbers, before) = text.split_once('-').map_or((text, None), |(numbers, before)| (numbers, Some(before)));
    let mut parts: Vec<&str> = numbers.split('.').collect();
    while loosely && parts.len() < 3 && before.is_none() && build.is_none() {
        parts.push("0");
    }
    let number = |part: &&str| {
        let plain =
            part.bytes().all(|digit| digit.is_ascii_digit()) && (loosely || part.len() == 1 || !part.starts_with('0'));
        part.parse().ok().filter(|_| plain)
    };
    let numbers: Vec<u64> = parts.iter().map(number).collect::<Option<_>>()?;
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if !build.is_none_or(|build| build.split('.').all(word)) {
        return None;
    }
    let before = before.map_or(Some(Vec::new()), |before| {
        let part =
            |part: &str| word(part).then(|| part.parse().map_or_else(|_| Part::Word(part.to_owned()), Part::Number));
        before.split('.').map(part).collect()
    })?;
    Some(Version { numbers: numbers.try_into().ok()?, before })
}

fn compare(arguments: &Arguments<'_, '_>) -> Result<Ordering, ExecutionError> {
    let (one, other): (Version, Version) = (own(arguments, 0)?, own(arguments, 1)?);
    // What comes before a release is less than it.
    let released = one.before.is_empty().cmp(&other.before.is_empty());
    Ok(one.numbers.cmp(&other.numbers).then(released).then_with(|| one.before.cmp(&other.before)))
}
