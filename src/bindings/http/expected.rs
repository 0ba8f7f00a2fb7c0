//! Which statuses are answers, and which are faults.

use std::ops::RangeInclusive;

use rhai::{Array, Dynamic};

use crate::script::fault::{Fault, Kind};

/// Statuses that are expected: `200`, `2xx`, `any`, or a list of such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected(Vec<RangeInclusive<u16>>);

impl Expected {
    pub fn success() -> Self {
        Self(vec![200..=299])
    }

    pub fn any() -> Self {
        Self(vec![0..=u16::MAX])
    }

    /// # Errors
    /// A usage fault, if `value` is no status.
    pub fn read(value: &Dynamic) -> Result<Self, Fault> {
        if let Some(list) = value.read_lock::<Array>() {
            let each: Vec<Self> = list.iter().map(Self::read).collect::<Result<_, _>>()?;
            return Ok(Self(each.into_iter().flat_map(|expected| expected.0).collect()));
        }
        let text = value.to_string();
        let class =
            text.strip_suffix("xx").and_then(|digit| digit.parse::<u16>().ok()).filter(|digit| (1..=5).contains(digit));
        match (text.as_str(), class, text.parse::<u16>()) {
            ("any", ..) => Ok(Self::any()),
            (_, Some(class), _) => Ok(Self(vec![class * 100..=class * 100 + 99])),
            (_, None, Ok(status)) if (100..=599).contains(&status) => Ok(Self(vec![status..=status])),
            _ => Err(Fault::new(Kind::Usage, format!("`{text}` is not a status"))
                .hint("such as `200`, `\"2xx\"` or `\"any\"`")),
        }
    }

    pub fn holds(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<String> = (self.0.iter())
            .map(|range| match (*range.start(), *range.end()) {
                (0, _) => "anything".to_owned(),
                (first, last) if first == last => first.to_string(),
                (first, _) => format!("{}xx", first / 100),
            })
            .collect();
        f.write_str(&words.join(" or "))
    }
}
