//! Words of a configuration: what they may say, and the form in which Talos writes them again.

use std::net::{IpAddr, SocketAddr};

use base64::{DecodeError, Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Number, Value, json};

use super::{shapes::Shape, size, url::Url};
use crate::yaml::Word;

/// A word that isn't a truth, a number or a time.
///
/// # Errors
/// It says what can't be.
pub fn read(text: &str, word: Word<'_>, shape: &Shape) -> Result<Value, String> {
    match shape {
        Shape::Manifest => Ok(text.trim_start_matches(['\t', '\n', '\u{b}', '\u{c}', '\r']).into()),
        Shape::Base64 => base64(text).map(Value::from),
        Shape::Url => Url::read(text).map(|_| text.into()),
        Shape::DiskSize => size::parse(text).map(size::disk_text),
        Shape::DiskMatch => disk_match(text).map(Value::from),
        Shape::Size => if text.is_empty() { Ok(0) } else { size::parse(text) }.map(|_| text.into()),
        Shape::Ports => ports(text, word),
        Shape::Network => network(text).map(Value::from),
        Shape::Address => match text.is_empty() || text.parse::<IpAddr>().is_ok() {
            true => Ok(text.into()),
            false => Err(format!("ParseAddr({text:?}): unable to parse IP")),
        },
        Shape::AddressPort => match text.is_empty() || text.parse::<SocketAddr>().is_ok() {
            true => Ok(text.into()),
            false => Err(format!("{text:?} is no address with a port")),
        },
        Shape::Choice(name, words) => {
            let word = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            word.map(|word| word.as_str().into()).ok_or_else(|| format!("{text} does not belong to {name} values"))
        }
        _ => Ok(text.into()),
    }
}

/// What stands for nothing: a text of no letters, zero, a list of none.
#[must_use]
pub fn nothing(shape: &Shape) -> Value {
    match shape {
        Shape::Optional(_) => Value::Null,
        Shape::Bool => false.into(),
        Shape::Whole(..) | Shape::Mode | Shape::DiskSize | Shape::Ports => 0.into(),
        Shape::Duration => "0s".into(),
        Shape::Choice(_, words) => words[0].as_str().into(),
        Shape::List(..) => json!([]),
        Shape::Map(_) | Shape::Anything | Shape::Fields(_) => Value::Object(Map::new()),
        _ => "".into(),
    }
}

/// Whether a value says no more than if it weren't there.
#[must_use]
pub fn is_nothing(value: &Value, shape: &Shape) -> bool {
    match shape {
        Shape::Optional(_) | Shape::List(..) | Shape::Map(_) | Shape::Anything => false,
        shape => *value == nothing(shape),
    }
}

#[must_use]
pub fn whole(word: Word<'_>, least: i128, most: i128) -> Option<Value> {
    let whole = match word {
        Word::Whole(whole) => whole,
        // As Talos reads them: what is behind the point is lost.
        Word::Float(float) if float.abs() < 9e18 => float as i128,
        _ => return None,
    };
    (least..=most).contains(&whole).then(|| Number::from_i128(whole).map(Value::Number)).flatten()
}

/// # Errors
/// It isn't base64.
pub fn base64(text: &str) -> Result<String, String> {
    let text: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    match BASE64_STANDARD.decode(&text) {
        Ok(_) => Ok(text),
        Err(DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _)) => {
            Err(format!("illegal base64 data at input byte {at}"))
        }
        // Four letters are read at once.
        Err(_) => Err(format!("illegal base64 data at input byte {}", text.len() / 4 * 4)),
    }
}

fn disk_match(text: &str) -> Result<String, String> {
    let text = text.trim();
    let size = [">=", "<=", "==", ">", "<"].iter().find_map(|sign| text.strip_prefix(sign)).unwrap_or(text);
    size::parse(size.trim()).map_err(|why| format!("failed to parse disk size {size}: {why}"))?;
    Ok(text.to_owned())
}

fn ports(text: &str, word: Word<'_>) -> Result<Value, String> {
    if let Some(port) = whole(word, 0, u16::MAX.into()) {
        return Ok(port);
    }
    let invalid = || format!("invalid port range: {text:?}");
    let (low, high) = text.split_once('-').ok_or_else(invalid)?;
    let (low, high): (u16, u16) = (low.parse().map_err(|_| invalid())?, high.parse().map_err(|_| invalid())?);
    Ok(if low == high { low.into() } else { format!("{low}-{high}").into() })
}

/// # Errors
/// It isn't an address with the length of its network.
pub fn network(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = |why: &str| format!("netip.ParsePrefix({text:?}): {why}");
    let (address, bits) = text.rsplit_once('/').ok_or_else(|| wrong("no '/'"))?;
    let address: IpAddr = address.parse().map_err(|_| wrong(&format!("ParseAddr({address:?}): unable to parse IP")))?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let canonical = bits == "0" || !bits.starts_with(['0', '+']);
    match bits.parse::<u8>() {
        Ok(length) if length <= most && canonical => Ok(format!("{address}/{length}")),
        Ok(_) if canonical => Err(wrong("prefix length out of range")),
        _ => Err(wrong(&format!("bad bits after slash: {bits:?}"))),
    }
}

/// A span of time, in nanoseconds, as Go writes it: `1h30m`, `1.5s`.
#[must_use]
pub fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanoseconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let units = &rest[end..];
        let length = units.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(units.len());
        let unit = match &units[..length] {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        nanoseconds += number * unit;
        rest = &units[length..];
    }
    let nanoseconds = if negative { -nanoseconds } else { nanoseconds };
    (nanoseconds.abs() < 9.2e18).then_some(nanoseconds as i64)
}

/// As Go writes it.
#[must_use]
pub fn duration_text(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    let fraction = |of: u64, unit: u64| {
        let digits = format!("{}.{:0width$}", of / unit, of % unit, width = unit.ilog10() as usize);
        digits.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match all {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{all}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(all, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(all, 1_000_000)),
        _ => {
            let (minutes, rest) = (all / 60_000_000_000, all % 60_000_000_000);
            let seconds = fraction(rest, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}
