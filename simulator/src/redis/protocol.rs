//! The protocol of Redis: commands as they come in, replies as they go out.

/// A command, and how many bytes of the input it took.
pub type Taken = (Vec<Vec<u8>>, usize);

/// The longest line of an inline command, and of a length.
const LONGEST_LINE: usize = 64 << 10;
const MOST_ARGUMENTS: i64 = 1 << 20;
const LARGEST: i64 = 512 << 20;

/// Takes one command from the input, an array or a line; nothing, if it is not all there.
///
/// # Errors
/// What the real server says before it closes the connection.
pub fn take(input: &[u8]) -> Result<Option<Taken>, String> {
    let Some(&first) = input.first() else { return Ok(None) };
    if first != b'*' {
        return inline(input);
    }
    let Some((count, mut at)) = line(input, 1)? else { return Ok(None) };
    let count = number(count).filter(|count| *count <= MOST_ARGUMENTS).ok_or("invalid multibulk length")?;
    let mut words = Vec::new();
    for _ in 0..count.max(0) {
        let Some(&mark) = input.get(at) else { return Ok(None) };
        if mark != b'$' {
            return Err(format!("expected '$', got '{}'", char::from(mark)));
        }
        let Some((length, start)) = line(input, at + 1)? else { return Ok(None) };
        let length = number(length).filter(|length| (0..=LARGEST).contains(length)).ok_or("invalid bulk length")?;
        let end = start + usize::try_from(length).expect("it is not negative");
        let Some(word) = input.get(start..end).filter(|_| input.len() >= end + 2) else { return Ok(None) };
        words.push(word.to_vec());
        at = end + 2;
    }
    Ok(Some((words, at)))
}

fn inline(input: &[u8]) -> Result<Option<Taken>, String> {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
        return if input.len() > LONGEST_LINE { Err("too big inline request".to_owned()) } else { Ok(None) };
    };
    let words = input[..end].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    Ok(Some((words.map(<[u8]>::to_vec).collect(), end + 1)))
}

/// The line from there on, and where the next one begins.
fn line(input: &[u8], from: usize) -> Result<Option<(&[u8], usize)>, String> {
    let rest = &input[from.min(input.len())..];
    match rest.windows(2).position(|pair| pair == b"\r\n") {
        Some(end) => Ok(Some((&rest[..end], from + end + 2))),
        None if rest.len() > LONGEST_LINE => Err("too big mbulk count string".to_owned()),
        None => Ok(None),
    }
}

/// A whole number as Redis reads it: no sign but a minus, no blanks, no zeros before.
pub fn number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Simple(&'static str),
    Error(String),
    Number(i64),
    Text(Vec<u8>),
    /// A text for people, of which the newer protocol says so.
    Prose(String),
    Nothing,
    List(Vec<Reply>),
    /// Pairs; the older protocol has them in one list.
    Map(Vec<(Reply, Reply)>),
}

impl Reply {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into().into_bytes())
    }

    pub fn error(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }

    /// Writes it in a version of the protocol.
    pub fn write(&self, version: u8, out: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => out.extend(format!("+{text}\r\n").bytes()),
            Self::Error(text) => out.extend(format!("-{text}\r\n").bytes()),
            Self::Number(number) => out.extend(format!(":{number}\r\n").bytes()),
            Self::Text(text) => bulk('$', text, out),
            Self::Prose(text) if version >= 3 => bulk('=', format!("txt:{text}").as_bytes(), out),
            Self::Prose(text) => bulk('$', text.as_bytes(), out),
            Self::Nothing => out.extend(if version >= 3 { &b"_\r\n"[..] } else { b"$-1\r\n" }),
            Self::List(items) => {
                out.extend(format!("*{}\r\n", items.len()).bytes());
                items.iter().for_each(|item| item.write(version, out));
            }
            Self::Map(pairs) => {
                let (mark, count) = if version >= 3 { ('%', pairs.len()) } else { ('*', 2 * pairs.len()) };
                out.extend(format!("{mark}{count}\r\n").bytes());
                for (key, value) in pairs {
                    key.write(version, out);
                    value.write(version, out);
                }
            }
        }
    }
}

fn bulk(mark: char, text: &[u8], out: &mut Vec<u8>) {
    out.extend(format!("{mark}{}\r\n", text.len()).bytes());
    out.extend(text);
    out.extend(b"\r\n");
}
