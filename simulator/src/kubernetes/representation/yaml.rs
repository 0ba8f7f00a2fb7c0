//! Objects as YAML, in the order and with the quotes of the real server.

use serde_json::Value;

/// How wide a line of flowing text may be.
const WIDTH: usize = 80;

/// An object as a document.
pub fn written(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut text),
        other => {
            scalar(other, 0, 0, &mut text);
        }
    }
    text
}

fn block(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            for (index, (key, value)) in fields.into_iter().enumerate() {
                if index > 0 || text.ends_with('\n') || text.is_empty() {
                    text.push_str(&" ".repeat(if text.ends_with("- ") { 0 } else { depth }));
                }
                let before = text.len();
                string(key, depth, 0, text);
                text.push(':');
                below(value, depth, text.len() - before + depth, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                if !text.ends_with("- ") {
                    text.push_str(&" ".repeat(depth));
                }
                text.push('-');
                match item {
                    Value::Object(map) if !map.is_empty() => {
                        text.push(' ');
                        block(item, depth + 2, text);
                    }
                    Value::Array(items) if !items.is_empty() => {
                        text.push(' ');
                        block(item, depth + 2, text);
                    }
                    other => below(other, depth, depth + 1, text),
                }
            }
        }
        _ => {}
    }
}

/// What follows a key or a dash.
fn below(value: &Value, depth: usize, column: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            block(value, depth + 2, text);
        }
        // Items stand where their key does.
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            block(value, depth, text);
        }
        other => {
            text.push(' ');
            scalar(other, depth + 2, column + 1, text);
        }
    }
}

fn scalar(value: &Value, depth: usize, column: usize, text: &mut String) {
    match value {
        Value::String(value) if value.contains('\n') => return literal(value, depth, text),
        Value::String(value) => string(value, depth, column, text),
        other => text.push_str(&other.to_string()),
    }
    text.push('\n');
}

/// A text of several lines, as it is.
fn literal(value: &str, depth: usize, text: &mut String) {
    if value.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t') {
        text.push_str(&Value::from(value).to_string());
        text.push('\n');
        return;
    }
    let lines = value.trim_end_matches('\n');
    let ends = value.len() - lines.len();
    text.push('|');
    if value.starts_with([' ', '\n', '\t']) {
        text.push('2');
    }
    match ends {
        _ if lines.is_empty() => text.push('+'),
        0 => text.push('-'),
        1 => {}
        _ => text.push('+'),
    }
    for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
        text.push('\n');
        if !line.is_empty() {
            text.push_str(&" ".repeat(depth));
            text.push_str(line);
        }
    }
    text.push('\n');
}

/// A text of one line: plain where it can't be taken for anything else.
fn string(value: &str, depth: usize, column: usize, text: &mut String) {
    if value.is_empty() || means_something_else(value) {
        return folded(&format!("\"{}\"", escaped(value)), depth, column, text);
    }
    if value.chars().any(char::is_control) {
        return text.push_str(&format!("\"{}\"", escaped(value)));
    }
    if is_plain(value) {
        return folded(value, depth, column, text);
    }
    folded(&format!("'{}'", value.replace('\'', "''")), depth, column, text);
}

/// Breaks a text at spaces where its line would become too long.
fn folded(value: &str, depth: usize, column: usize, text: &mut String) {
    let mut column = column;
    let letters: Vec<char> = value.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let is_single =
            *letter == ' ' && at > 0 && at + 1 < letters.len() && letters[at - 1] != ' ' && letters[at + 1] != ' ';
        if is_single && column > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(depth));
            column = depth;
        } else {
            text.push(*letter);
            column += 1;
        }
    }
}

fn escaped(value: &str) -> String {
    let quoted = Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// True for a text that a reader would take for a number, a time, a truth or nothing.
fn means_something_else(value: &str) -> bool {
    const WORDS: [&str; 12] = ["~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"];
    let is_number = || {
        let digits = value.trim_start_matches(['-', '+']).replace('_', "");
        digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.')
            && (digits.parse::<f64>().is_ok()
                || ["0x", "0o", "0b"].iter().any(|prefix| digits.starts_with(prefix) && digits.len() > 2))
    };
    let is_time = || {
        let is_date = value.len() >= 10
            && value.bytes().take(10).enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        is_date && (value.len() == 10 || value.parse::<jiff::Timestamp>().is_ok())
    };
    // Older readers count in sixties: `1:30`.
    let is_sexagesimal = || {
        let mut parts = value.split(':');
        parts.clone().count() > 1
            && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    WORDS.contains(&value.to_lowercase().as_str()) || is_number() || is_time() || is_sexagesimal()
}

/// True for a text that needs no quotes.
fn is_plain(value: &str) -> bool {
    let inside = !value.contains(": ") && !value.contains(" #") && !value.ends_with(':');
    let mut letters = value.chars();
    let first = letters.next().unwrap_or_default();
    let second = letters.next();
    let begins = match first {
        '-' | '?' | ':' => second.is_some_and(|letter| letter != ' '),
        first => !"&*!|>'\"%@`{}[],# ".contains(first),
    };
    inside && begins && !value.ends_with(' ') && !value.starts_with("---")
}
