//! Formats that texts may have, as the real server reads their names. A format that it doesn't know is none.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use jiff::civil::Date;
use regex::Regex;

use crate::kubernetes::rules::form;

/// True if a text has a format, or the format says nothing.
pub fn has(format: &str, text: &str) -> bool {
    match format {
        "byte" => matches(&BYTE, text),
        "cidr" => is_network(text),
        "date" => is_date(text),
        "date-time" | "datetime" => is_moment(text),
        "duration" => is_duration(text),
        "email" => matches(&EMAIL, text),
        "hexcolor" => matches(&HEX_COLOR, text),
        "hostname" => is_host(text),
        "ipv4" => is_v4(text),
        "ipv6" => is_v6(text),
        "isbn10" => is_isbn10(&without(text, "- ")),
        "isbn13" => is_isbn13(&without(text, "- ")),
        "isbn" => is_isbn10(&without(text, "- ")) || is_isbn13(&without(text, "- ")),
        "k8s-long-name" => form::subdomain(text).is_empty(),
        "k8s-short-name" => form::label(text).is_empty(),
        "mac" => matches(&MAC, text),
        "rgbcolor" => matches(&RGB_COLOR, text),
        "ssn" => matches(&SSN, text),
        "bsonobjectid" => matches(&OBJECT_ID, text),
        "uri" => is_uri(text),
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some('3')),
        "uuid4" => is_uuid(text, Some('4')),
        "uuid5" => is_uuid(text, Some('5')),
        "creditcard" => is_card(&without(text, "- ")),
        _ => true,
    }
}

type Form = LazyLock<Regex>;

fn matches(form: &Form, text: &str) -> bool {
    form.is_match(text)
}

macro_rules! forms {
    ($($name:ident $form:literal)*) => {
        $(static $name: Form = LazyLock::new(|| Regex::new($form).expect("the form is written down here"));)*
    };
}

forms! {
    BYTE r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"
    DURATION r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*$"
    EMAIL r"^([^@<>]*<)?[^@\s<>,;:]+@[^@\s<>,;:]+>?$"
    HEX_COLOR r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"
    MAC r"^([0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}(([0-9a-fA-F:]{6}){2})?|[0-9a-fA-F]{2}(-[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){2})$"
    OBJECT_ID r"^[0-9a-fA-F]{24}$"
    RGB_COLOR r"^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$"
    SSN r"^\d{3}[- ]?\d{2}[- ]?\d{4}$"
    TIME r"^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$"
    UUID r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"
    WORDS r"^\s*(\d+)\s*([A-Za-zµ]+)\s*$"
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<Date>().is_ok()
}

fn is_moment(text: &str) -> bool {
    let text = text.to_lowercase();
    let Some((date, time)) = text.split_once('t') else { return false };
    let Some(parts) = TIME.captures(time) else { return false };
    let below = |index: usize, end: u8| parts[index].parse::<u8>().is_ok_and(|number| number < end);
    is_date(date) && below(1, 24) && below(2, 60) && below(3, 60)
}

/// As in `1h30m`, or as people write one: `3 days`.
fn is_duration(text: &str) -> bool {
    const UNITS: [&str; 31] = [
        "ns",
        "nano",
        "nanos",
        "nanosecond",
        "nanoseconds",
        "us",
        "µs",
        "micro",
        "micros",
        "microsecond",
        "microseconds",
        "ms",
        "milli",
        "millis",
        "millisecond",
        "milliseconds",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "m",
        "min",
        "mins",
        "minute",
        "minutes",
        "h",
        "hr",
        "hrs",
        "hour",
        "hours",
    ];
    const LONG_UNITS: [&str; 6] = ["d", "day", "days", "w", "week", "weeks"];
    let in_words = || {
        let unit = WORDS.captures(text).map(|parts| parts[2].to_lowercase());
        unit.is_some_and(|unit| UNITS.contains(&&*unit) || LONG_UNITS.contains(&&*unit))
    };
    text == "0" || matches(&DURATION, text) || in_words()
}

fn is_host(text: &str) -> bool {
    let letter = |letter: char| letter.is_alphanumeric();
    let label = |label: &str| {
        (1..=63).contains(&label.chars().count())
            && label.starts_with(letter)
            && label.ends_with(letter)
            && label.chars().all(|one| letter(one) || one == '-')
    };
    text.len() <= 255 && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

fn is_v4(text: &str) -> bool {
    // The real server reads leading zeros as if they were none.
    let parts: Vec<&str> = text.split('.').collect();
    let plain = parts.iter().map(|part| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0",
        part => part,
    });
    plain.collect::<Vec<_>>().join(".").parse::<Ipv4Addr>().is_ok()
}

fn is_v6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn is_network(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match (is_v4(address), is_v6(address)) {
        (true, _) => 32,
        (_, true) => 128,
        _ => return false,
    };
    length.bytes().all(|digit| digit.is_ascii_digit()) && length.parse::<u8>().is_ok_and(|length| length <= most)
}

/// An absolute address, or a path.
fn is_uri(text: &str) -> bool {
    let escapes = |text: &str| {
        text.split('%')
            .skip(1)
            .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()))
    };
    if text.is_empty() || text.chars().any(char::is_control) || !escapes(text) {
        return false;
    }
    if text.starts_with('/') {
        return true;
    }
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let in_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    if !scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()) || !scheme.chars().all(in_scheme) {
        return false;
    }
    let host = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    host.is_none_or(|host| !host.contains([' ', '<', '>', '"']))
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    matches(&UUID, text) && version.is_none_or(|version| without(text, "-").chars().nth(12) == Some(version))
}

fn without(text: &str, letters: &str) -> String {
    text.chars().filter(|letter| !letters.contains(*letter)).collect()
}

fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|letter| letter.to_digit(10)).collect()
}

fn is_isbn10(text: &str) -> bool {
    if text.len() != 10 || !text.is_ascii() {
        return false;
    }
    let (first, last) = text.split_at(9);
    let last = if last == "X" { Some(10) } else { last.parse::<u32>().ok() };
    let sum = digits(first).map(|first| (1..).zip(first).map(|(place, digit)| place * digit).sum::<u32>());
    matches!((sum, last), (Some(sum), Some(last)) if (sum + 10 * last).is_multiple_of(11))
}

fn is_isbn13(text: &str) -> bool {
    let sum = digits(text).filter(|digits| digits.len() == 13).map(|digits| {
        digits.into_iter().enumerate().map(|(place, digit)| if place % 2 == 0 { digit } else { 3 * digit }).sum::<u32>()
    });
    sum.is_some_and(|sum| sum.is_multiple_of(10))
}

fn is_card(text: &str) -> bool {
    let Some(digits) = digits(text).filter(|digits| (13..=19).contains(&digits.len())) else { return false };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ if *digit > 4 => 2 * digit - 9,
            _ => 2 * digit,
        })
        .sum();
    sum.is_multiple_of(10)
}
