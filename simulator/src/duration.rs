//! Durations as people write them in a world: `90s`, `1h30m`, `500ms`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

const UNITS: [(&str, f64); 5] = [("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001)];

/// Reads `1h30m`, `1.5s`, `200ms`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration");
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or_else(wrong)?;
        seconds += number * unit;
        rest = &rest[letters..];
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !text.is_empty() => Ok(duration),
        _ => Err(wrong()),
    }
}

/// A duration in a world file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Length(pub Duration);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parse(&String::deserialize(from)?).map(Self).map_err(D::Error::custom)
    }
}

/// Reads a duration in its written form, for fields that hold it as it is.
///
/// # Errors
/// What is wrong with it.
pub fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Length::deserialize(from).map(|Length(duration)| duration)
}

/// The same for one that may be missing.
///
/// # Errors
/// What is wrong with it.
pub fn read_if_given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    Option::<Length>::deserialize(from).map(|given| given.map(|Length(duration)| duration))
}
