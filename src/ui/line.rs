//! A line of a terminal: texts with their meaning, measured in columns.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{Style, Tone};

/// One line. Nothing in it moves a cursor: control characters and escape sequences are taken out on the way in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    spans: Vec<(Tone, String)>,
}

impl Line {
    pub fn of(tone: Tone, text: &str) -> Self {
        Self::default().with(tone, text)
    }

    pub fn plain(text: &str) -> Self {
        Self::of(Tone::Plain, text)
    }

    pub fn with(mut self, tone: Tone, text: &str) -> Self {
        self.push(tone, text);
        self
    }

    pub fn push(&mut self, tone: Tone, text: &str) {
        let text = clean(text);
        match self.spans.last_mut() {
            _ if text.is_empty() => {}
            Some((last, before)) if *last == tone => before.push_str(&text),
            _ => self.spans.push((tone, text)),
        }
    }

    pub fn join(mut self, other: Self) -> Self {
        for (tone, text) in other.spans {
            self.push(tone, &text);
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub fn width(&self) -> usize {
        self.spans.iter().map(|(_, text)| text.width()).sum()
    }

    pub fn indented(self, columns: usize) -> Self {
        Self::plain(&" ".repeat(columns)).join(self)
    }

    /// With spaces up to `width` columns.
    pub fn padded(self, width: usize) -> Self {
        let room = width.saturating_sub(self.width());
        self.with(Tone::Plain, &" ".repeat(room))
    }

    /// Without spaces at its end.
    pub fn trimmed(mut self) -> Self {
        while let Some((_, text)) = self.spans.last_mut() {
            text.truncate(text.trim_end_matches(' ').len());
            if !text.is_empty() {
                break;
            }
            self.spans.pop();
        }
        self
    }

    /// At most `width` columns; what is too long ends in `ellipsis`.
    pub fn cut(self, width: usize, ellipsis: &str) -> Self {
        if self.width() <= width {
            return self;
        }
        let mut room = width.saturating_sub(ellipsis.width());
        let mut kept = Self::default();
        for (tone, text) in self.spans {
            let head = head(&text, room);
            room -= head.width().min(room);
            kept.push(tone, head);
            if head.len() < text.len() {
                kept.push(tone, if width >= ellipsis.width() { ellipsis } else { "" });
                break;
            }
        }
        kept
    }

    /// This line on the left and `right` at the end of `width` columns; the left is cut if both don't fit.
    pub fn against(self, right: Self, width: usize, ellipsis: &str) -> Self {
        if right.is_empty() {
            return self.cut(width, ellipsis);
        }
        let room = width.saturating_sub(right.width() + 2);
        self.cut(room, ellipsis).padded(room + 2).join(right).cut(width, ellipsis)
    }

    /// Broken between words into lines of at most `width` columns.
    pub fn wrapped(self, width: usize) -> Vec<Self> {
        let width = width.max(1);
        let mut lines = Vec::new();
        let mut line = Self::default();
        let mut used = 0;
        for word in self.words() {
            let length = word.width();
            let gap = usize::from(used > 0);
            if used > 0 && used + gap + length > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if used > 0 {
                // A space between two words of one meaning is of that meaning too: a link is underlined throughout.
                let tone = match (line.spans.last(), word.spans.first()) {
                    (Some((before, _)), Some((after, _))) if before == after => *before,
                    _ => Tone::Plain,
                };
                line.push(tone, " ");
                used += 1;
            }
            let mut rest = word;
            while rest.width() > width {
                let (head, tail) = rest.split(width);
                lines.push(head);
                rest = tail;
            }
            used += rest.width();
            line = line.join(rest);
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// As it is written to a stream.
    pub fn styled(&self, style: Style) -> String {
        self.spans.iter().map(|(tone, text)| style.paint(*tone, text)).collect()
    }

    fn words(self) -> Vec<Self> {
        let mut words = vec![Self::default()];
        for (tone, text) in self.spans {
            for (index, piece) in text.split(' ').enumerate() {
                if index > 0 {
                    words.push(Self::default());
                }
                words.last_mut().expect("there is always a word").push(tone, piece);
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    /// The first `width` columns, at least one character, and the rest.
    fn split(self, width: usize) -> (Self, Self) {
        let (mut before, mut after) = (Self::default(), Self::default());
        let mut room = width;
        for (tone, text) in self.spans {
            let mut taken = if after.is_empty() { head(&text, room).len() } else { 0 };
            if taken == 0 && before.is_empty() {
                taken = text.chars().next().map_or(0, char::len_utf8);
            }
            room = room.saturating_sub(text[..taken].width());
            before.push(tone, &text[..taken]);
            after.push(tone, &text[taken..]);
        }
        (before, after)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|(_, text)| f.write_str(text))
    }
}

/// The longest beginning of `text` that fits `width` columns.
fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or(0);
        used > width
    });
    // A joiner without what it joins would draw over its neighbour.
    end.map_or(text, |(end, _)| text[..end].trim_end_matches('\u{200d}'))
}

/// The text on one line, without control characters and without the escape sequences of terminals.
fn clean(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => match characters.next() {
                // A control sequence ends with a letter or one of a few signs beyond them.
                Some('[') => while characters.next().is_some_and(|next| !('@'..='~').contains(&next)) {},
                // A command to the terminal ends with BEL or `ESC \`.
                Some(']') => {
                    while let Some(next) = characters.next() {
                        if next == '\x07' || (next == '\x1b' && characters.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\n' | '\t' => kept.push(' '),
            control if control.is_control() => {}
            other => kept.push(other),
        }
    }
    kept
}
