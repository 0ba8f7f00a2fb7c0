//! Versions of three numbers, and the ranges of them that sources ask for: `1.x`, `>=1.2.0 <2`, `^1.0 || ~2.1`.

use std::cmp::Ordering;

/// `1.2.3-rc.1+build`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    pre: String,
}

/// The highest of these versions within a range.
pub fn highest<'v>(versions: impl Iterator<Item = &'v str>, range: &str) -> Option<&'v str> {
    let fitting =
        versions.filter_map(|text| Some((text, Version::read(text)?))).filter(|(_, version)| fits(version, range));
    fitting.max_by(|(_, a), (_, b)| a.compare(b)).map(|(text, _)| text)
}

/// True for what means one version and no range.
pub fn is_exact(range: &str) -> bool {
    range.split(['-', '+']).next().unwrap_or_default().split('.').count() == 3 && Version::read(range).is_some()
}

fn fits(version: &Version, range: &str) -> bool {
    range.split("||").any(|all| {
        // A sign and its version may stand apart.
        let all =
            ["=", "<", ">", "^", "~"].iter().fold(all.to_owned(), |all, sign| all.replace(&format!("{sign} "), sign));
        let mut wanted = all.split([',', ' ']).filter(|part| !part.is_empty()).peekable();
        let allows_pre = all.contains('-') || version.pre.is_empty();
        wanted.peek().is_none() || (allows_pre && wanted.all(|part| version.is(part)))
    })
}

impl Version {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('v').split('+').next()?;
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        let found = [parts.next()?, parts.next().unwrap_or(Some(0)), parts.next().unwrap_or(Some(0))];
        (parts.next().is_none()).then_some(())?;
        Some(Self { numbers: [found[0]?, found[1]?, found[2]?], pre: pre.to_owned() })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre.as_str(), other.pre.as_str()) {
            ("", "") => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (a, b) => a.cmp(b),
        })
    }

    fn is(&self, part: &str) -> bool {
        let digits = part.find(|letter: char| letter.is_ascii_digit() || matches!(letter, 'v' | '*' | 'x' | 'X'));
        let (sign, wanted) = part.split_at(digits.unwrap_or(part.len()));
        let given = wanted.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
        let given: Vec<&str> = given.split('.').take_while(|part| !matches!(*part, "*" | "x" | "X" | "")).collect();
        let pre = wanted.split_once('-').map_or("", |(_, pre)| pre);
        let Some(least) = Self::read(&[given.join("."), pre.to_owned()].join(if pre.is_empty() { "" } else { "-" }))
        else {
            return given.is_empty();
        };
        // From it on, and as long as so many of its numbers are the same.
        let within = |same: usize| self.compare(&least).is_ge() && self.numbers[..same] == least.numbers[..same];
        match sign {
            "" | "=" => within(given.len()) && (given.len() < 3 || *self == least),
            ">=" => self.compare(&least).is_ge(),
            ">" => self.compare(&least).is_gt(),
            "<=" => self.compare(&least).is_le(),
            "<" => self.compare(&least).is_lt(),
            "!=" => self.compare(&least).is_ne(),
            "~" => within(given.len().min(2)),
            "^" => within(least.numbers.iter().take_while(|number| **number == 0).count().min(2) + 1),
            _ => false,
        }
    }
}
