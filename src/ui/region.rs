//! The lines at the bottom of a window, redrawn in place.

use std::fmt::Write;

/// Between these two the terminal shows nothing, then everything at once.
pub const HOLD: &str = "\x1b[?2026h";
pub const RELEASE: &str = "\x1b[?2026l";
const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";

/// What stands at the bottom: its lines as they were written, and how wide each is.
///
/// The cursor rests at the end of the last line.
#[derive(Debug, Default)]
pub struct Region {
    lines: Vec<(String, usize)>,
    columns: usize,
}

impl Region {
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What takes the region off the screen and leaves the cursor where it began.
    pub fn clear(&mut self, columns: usize) -> String {
        if self.lines.is_empty() {
            return String::new();
        }
        let rows = self.rows(columns);
        self.lines.clear();
        format!("{}\x1b[J{SHOW_CURSOR}", up(rows - 1))
    }

    /// What draws `lines`, each at most `columns` wide, instead of what stands there; lines that stay are not written again.
    pub fn draw(&mut self, lines: Vec<(String, usize)>, columns: usize) -> String {
        let resized = columns != self.columns;
        if lines.is_empty() {
            let cleared = self.clear(columns);
            self.columns = columns;
            return cleared;
        }
        if !resized && lines == self.lines {
            return String::new();
        }
        let mut drawn = String::new();
        let before = self.lines.len();
        if before == 0 {
            drawn.push_str(HIDE_CURSOR);
        } else {
            drawn.push_str(&up(self.rows(columns) - 1));
            if resized {
                drawn.push_str("\x1b[J");
            }
        }
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                drawn.push_str("\r\n");
            }
            if resized || self.lines.get(index) != Some(line) {
                write!(drawn, "{}\x1b[K", line.0).expect("a string takes all");
            }
        }
        if before > lines.len() {
            drawn.push_str("\x1b[J");
        }
        self.lines = lines;
        self.columns = columns;
        drawn
    }

    /// The rows that the region takes in a window that may have become narrower since.
    fn rows(&self, columns: usize) -> usize {
        self.lines.iter().map(|(_, width)| width.div_ceil(columns.max(1)).max(1)).sum()
    }
}

/// To the first column, some rows further up.
fn up(rows: usize) -> String {
    if rows == 0 { "\r".to_owned() } else { format!("\r\x1b[{rows}A") }
}
