//! Sizes as people write them: `10GB` has powers of ten, `10GiB` of two.

use serde_json::Value;

const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// How many bytes it is.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<u64, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '.' | ',')).unwrap_or(text.len());
    let digits = text[..end].replace(',', "");
    let number: f64 = digits.parse().map_err(|_| format!("strconv.ParseFloat: parsing {digits:?}: invalid syntax"))?;
    let unit = text[end..].trim().to_lowercase();
    let factor = match unit.as_str() {
        "" | "b" => 1.0,
        unit => {
            let (letter, binary) = (unit.chars().next().unwrap_or_default(), unit.get(1..).unwrap_or_default());
            let power = "kmgtpe".find(letter).map(|power| power as i32 + 1);
            match (power, binary) {
                (Some(power), "" | "b") => 1000_f64.powi(power),
                (Some(power), "i" | "ib") => 1024_f64.powi(power),
                _ => return Err(format!("unhandled size name: {unit}")),
            }
        }
    };
    let bytes = number * factor;
    match bytes >= u64::MAX as f64 {
        true => Err(format!("too large: {text}")),
        false => Ok(bytes as u64),
    }
}

/// The size of a partition as Talos writes it: in words if they say all of it, or else in bytes.
#[must_use]
pub fn disk_text(bytes: u64) -> Value {
    let words = bytes.is_multiple_of(1000).then(|| words(bytes)).filter(|words| parse(words) == Ok(bytes));
    words.map_or_else(|| bytes.into(), Value::from)
}

fn words(bytes: u64) -> String {
    if bytes < 10 {
        return format!("{bytes} B");
    }
    let power = (bytes as f64).log(1000.0).floor();
    let value = (bytes as f64 / 1000_f64.powf(power) * 10.0 + 0.5).floor() / 10.0;
    let unit = UNITS[power as usize];
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}
