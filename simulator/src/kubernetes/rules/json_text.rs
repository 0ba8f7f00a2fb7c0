//! What the real server says of a text that is no JSON.

/// The words that JSON has besides numbers, texts, lists and maps.
const LITERALS: [&str; 3] = ["null", "true", "false"];

/// The fault at which reading stops.
pub fn fault(text: &[u8], error: &serde_json::Error) -> String {
    let text = String::from_utf8_lossy(text);
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let trimmed = text.trim_start();
    let literal = LITERALS.iter().find(|literal| trimmed.starts_with(&literal[..1]));
    let wrong = literal.and_then(|literal| {
        let (expected, found) = literal.chars().zip(trimmed.chars()).find(|(expected, found)| expected != found)?;
        Some(format!("invalid character {found:?} in literal {literal} (expecting {expected:?})"))
    });
    let first = trimmed.chars().next().unwrap_or_default();
    wrong.unwrap_or_else(|| format!("invalid character {first:?} looking for beginning of value"))
}
