//! Quantities of resources, as `cpu: 1500m` and `memory: 2Gi` have them.

use std::{
    cmp::Ordering,
    fmt,
    ops::{Add, Neg},
    str::FromStr,
};

use serde_json::Value;

use super::patch::words;

/// What quantities are counted in: nothing smaller is told apart.
const NANO: i128 = 1_000_000_000;
/// Larger numbers with binary suffixes are cut off.
const LARGEST_BINARY: i128 = i64::MAX as i128 * NANO;

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `1500m`, `2k`.
    Decimal,
    /// `2Ki`.
    Binary,
    /// `2e3`.
    Exponent,
}

/// An exact number with the form in which it came.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    nano: i128,
    form: Form,
}

/// The text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
pub struct NoQuantity;

impl Quantity {
    pub const ZERO: Quantity = Quantity { nano: 0, form: Form::Decimal };

    /// The quantity that a field of an object has: a text, or a number.
    ///
    /// # Errors
    /// If it is neither.
    pub fn read(value: &Value) -> Result<Self, NoQuantity> {
        match value {
            Value::String(text) => text.parse(),
            Value::Number(number) => words::number(number).parse(),
            _ => Err(NoQuantity),
        }
    }

    /// In thousandths, rounded up.
    pub fn milli(self) -> i128 {
        up(self.nano, 1_000_000)
    }

    /// In whole units, rounded up.
    pub fn whole(self) -> i128 {
        up(self.nano, NANO)
    }

    /// The same without anything smaller than thousandths; nothing, if there is nothing smaller.
    pub fn rounded_to_milli(self) -> Option<Self> {
        let nano = self.milli() * 1_000_000;
        (nano != self.nano).then_some(Self { nano, ..self })
    }

    pub fn is_positive(self) -> bool {
        self.nano > 0
    }

    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    /// As near as a float comes.
    pub fn approximate(self) -> f64 {
        self.nano as f64 / NANO as f64
    }

    pub fn is_whole(self) -> bool {
        self.nano % NANO == 0
    }
}

/// A quantity in the form in which objects have it; nothing, if it is none.
///
/// The real server keeps the text itself where that looks like the one form already, even if it is not (`+1`).
pub fn normal_form(value: &Value) -> Option<String> {
    let quantity = Quantity::read(value).ok()?;
    match value {
        Value::String(text) if looks_normal(text) => Some(text.clone()),
        _ => Some(quantity.to_string()),
    }
}

fn looks_normal(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-']);
    let end = unsigned.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Zeros in front don't count.
    let digits = format!("{}{fraction}", whole.trim_start_matches('0'));
    match (scale(suffix), digits.parse::<i64>()) {
        (Some((Form::Binary, factor, _)), Ok(number)) => {
            let bits = i128::BITS - 1 - factor.leading_zeros();
            fraction.is_empty() && number & 7 != 0 && digits.len() + (bits * 3 / 10) as usize <= 14
        }
        (Some((_, _, exponent)), Ok(_)) => {
            let power = exponent - i32::try_from(fraction.len()).unwrap_or(i32::MAX);
            power >= -9 && power % 3 == 0 && digits.len() <= 18 && !digits.ends_with("000") && !digits.starts_with('0')
        }
        _ => false,
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl Add for Quantity {
    type Output = Self;

    /// Nothing has no form of its own.
    fn add(self, other: Self) -> Self {
        let form = if self.nano == 0 { other.form } else { self.form };
        Self { nano: self.nano.saturating_add(other.nano), form }
    }
}

impl Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self { nano: -self.nano, ..self }
    }
}

impl FromStr for Quantity {
    type Err = NoQuantity;

    fn from_str(text: &str) -> Result<Self, NoQuantity> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(NoQuantity);
        }
        let (form, factor, exponent) = scale(suffix).ok_or(NoQuantity)?;
        let digits: i128 = match format!("{whole}{fraction}").trim_start_matches('0') {
            "" => 0,
            // More digits than that are more than the largest quantity, whatever their scale.
            digits => digits.get(..digits.len().min(36)).and_then(|digits| digits.parse().ok()).ok_or(NoQuantity)?,
        };
        let shift = exponent + 9 - i32::try_from(fraction.len()).map_err(|_| NoQuantity)?;
        let scaled = digits.checked_mul(factor).unwrap_or(i128::MAX);
        let nano = match u32::try_from(shift) {
            Ok(shift) => 10_i128.checked_pow(shift).and_then(|power| scaled.checked_mul(power)).unwrap_or(i128::MAX),
            Err(_) => up(scaled, 10_i128.checked_pow(shift.unsigned_abs()).unwrap_or(i128::MAX)),
        };
        let nano = if form == Form::Binary { nano.min(LARGEST_BINARY) } else { nano };
        Ok(Self { nano: if negative { -nano } else { nano }, form })
    }
}

/// What a suffix multiplies by: a factor, and a power of ten.
fn scale(suffix: &str) -> Option<(Form, i128, i32)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        return Some((Form::Decimal, 1, *exponent));
    }
    if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
        return Some((Form::Binary, 1 << (10 * (power + 1)), 0));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((Form::Exponent, 1, exponent))
}

fn up(number: i128, by: i128) -> i128 {
    // Away from zero.
    let (quotient, rest) = (number / by, number % by);
    if rest == 0 { quotient } else { quotient + number.signum() }
}

impl fmt::Display for Quantity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nano == 0 {
            return to.write_str("0");
        }
        let whole = self.nano / NANO;
        if self.form == Form::Binary && self.is_whole() && whole.abs() >= 1024 {
            let (mut number, mut power) = (whole, 0);
            while number % 1024 == 0 && power < BINARY.len() {
                number /= 1024;
                power += 1;
            }
            let suffix = if power == 0 { "" } else { BINARY[power - 1] };
            return write!(to, "{number}{suffix}");
        }
        let (mut number, mut exponent) = (self.nano, -9);
        while number % 1000 == 0 && exponent < 18 {
            number /= 1000;
            exponent += 3;
        }
        match self.form {
            Form::Exponent if exponent != 0 => write!(to, "{number}e{exponent}"),
            _ => {
                let suffix = DECIMAL.iter().find(|(_, known)| *known == exponent).map_or("", |(suffix, _)| suffix);
                write!(to, "{number}{suffix}")
            }
        }
    }
}
