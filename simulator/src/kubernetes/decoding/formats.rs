//! Texts of a form of their own, and what the real server says of those that don't have it.

/// The first byte of a text that can't be base64; nothing, if all of it is.
pub fn not_base64(text: &str) -> Option<usize> {
    let bytes: Vec<(usize, u8)> = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect();
    let end = text.len();
    let mut quantum = 0;
    let mut letters = bytes.iter().peekable();
    while let Some(&(at, byte)) = letters.next() {
        match byte {
            b'=' if quantum < 2 => return Some(at),
            b'=' => {
                if quantum == 2 {
                    match letters.next() {
                        Some((_, b'=')) => {}
                        Some((at, _)) => return Some(*at),
                        None => return Some(end),
                    }
                }
                return letters.next().map(|(at, _)| *at);
            }
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => quantum = (quantum + 1) % 4,
            _ => return Some(at),
        }
    }
    (quantum != 0).then(|| end - quantum)
}

/// How many digits a millionth has.
const MICRO: usize = 6;

/// What follows the seconds of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// Anything from nothing on.
    Any,
    Millionths,
}

/// What is wrong with a time such as `2026-01-01T09:00:00Z`.
pub fn not_time(text: &str, fraction: Fraction) -> Option<String> {
    let layout = match fraction {
        Fraction::Any => "2006-01-02T15:04:05Z07:00",
        Fraction::Millionths => "2006-01-02T15:04:05.000000Z07:00",
    };
    const PARTS: [(&str, usize); 11] = [
        ("2006", 4),
        ("-", 0),
        ("01", 2),
        ("-", 0),
        ("02", 2),
        ("T", 0),
        ("15", 2),
        (":", 0),
        ("04", 2),
        (":", 0),
        ("05", 2),
    ];
    let cannot = |rest: &str, part: &str| {
        format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \"{part}\"")
    };
    let mut rest = text;
    for (part, digits) in PARTS {
        let fits = match digits {
            0 => rest.starts_with(part),
            digits => rest.len() >= digits && rest.bytes().take(digits).all(|byte| byte.is_ascii_digit()),
        };
        if !fits {
            return Some(cannot(rest, part));
        }
        let number = rest.get(..digits).and_then(|digits| digits.parse::<u32>().ok());
        let out_of_range = match (part, number) {
            ("01", Some(month)) => !(1..=12).contains(&month),
            ("15", Some(hour)) => hour > 23,
            ("04" | "05", Some(sixtieth)) => sixtieth > 59,
            _ => false,
        };
        if out_of_range {
            let unit = match part {
                "01" => "month",
                "15" => "hour",
                "04" => "minute",
                _ => "second",
            };
            return Some(format!("parsing time \"{text}\": {unit} out of range"));
        }
        rest = &rest[digits.max(part.len())..];
    }
    let behind = rest.strip_prefix('.');
    match (fraction, behind) {
        (Fraction::Any, Some(behind)) => rest = behind.trim_start_matches(|letter: char| letter.is_ascii_digit()),
        (Fraction::Any, None) => {}
        (Fraction::Millionths, behind) => {
            let is_number = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_digit());
            match behind.filter(|behind| behind.get(..MICRO).as_ref().is_some_and(is_number)) {
                Some(behind) => rest = &behind[MICRO..],
                None => return Some(cannot(rest, ".000000")),
            }
        }
    }
    let offset = rest.len() == 6 && rest.starts_with(['+', '-']) && rest.as_bytes().get(3) == Some(&b':');
    if rest != "Z" && !offset {
        return Some(cannot(rest, "Z07:00"));
    }
    if text.parse::<jiff::Timestamp>().is_err() {
        return Some(format!("parsing time \"{text}\": day out of range"));
    }
    None
}
