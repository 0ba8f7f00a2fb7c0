//! What a plain scalar means, by the rules of the parser that kubectl and helm use.

/// The meaning of a scalar without quotes and tags.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plain {
    Null,
    Bool(bool),
    /// `yes`, `off`, `n`: a boolean for YAML 1.1, a text here.
    OldBool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// `.inf` and `.nan`, which JSON does not have.
    NotFinite,
    Text,
}

pub fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Plain::OldBool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Plain::OldBool(false),
        ".nan" | ".NaN" | ".NAN" => Plain::NotFinite,
        _ if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF") => Plain::NotFinite,
        _ if text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| float(&digits)).unwrap_or(Plain::Text)
        }
        _ => Plain::Text,
    }
}

fn integer(text: &str) -> Option<Plain> {
    let (negative, digits) = signed(text);
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    magnitude(negative, digits, radix)
}

fn magnitude(negative: bool, digits: &str, radix: u32) -> Option<Plain> {
    // `from_str_radix` would take a second sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match i64::try_from(magnitude) {
        Ok(value) => Some(Plain::Int(if negative { -value } else { value })),
        Err(_) if !negative => Some(Plain::UInt(magnitude)),
        Err(_) => (magnitude == i64::MIN.unsigned_abs()).then_some(Plain::Int(i64::MIN)),
    }
}

fn float(text: &str) -> Option<Plain> {
    let (negative, unsigned) = signed(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(signed(exponent).1)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let some_digits = |part: &str| !part.is_empty() && all_digits(part);
    if !(all_digits(whole) && all_digits(fraction) && some_digits(&format!("{whole}{fraction}"))) {
        return None;
    }
    if !exponent.is_none_or(some_digits) {
        return None;
    }
    // `089` is no octal number; it is the integer 89.
    if mantissa == unsigned
        && !mantissa.contains('.')
        && let Some(value) = magnitude(negative, mantissa, 10)
    {
        return Some(value);
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Plain::Float)
}

fn signed(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}
