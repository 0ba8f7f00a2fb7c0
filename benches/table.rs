//! The table, in Markdown: what `benches/README.md` shows.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::contest::Times;

/// One line of the table.
pub struct Row {
    pub subject: String,
    pub median: String,
    pub min: String,
    pub target: String,
    pub verdict: Verdict,
    pub peer: String,
    pub peer_median: String,
    pub ratio: String,
}

/// Whether a target is met.
pub enum Verdict {
    Met,
    Missed,
    /// It has no target, or what it is held against is missing.
    Open,
}

impl Row {
    /// A subject without a peer.
    pub fn new(subject: &str, median: String, min: String) -> Self {
        let nothing = String::new;
        Self {
            subject: subject.to_owned(),
            median,
            min,
            target: nothing(),
            verdict: Verdict::Open,
            peer: nothing(),
            peer_median: nothing(),
            ratio: nothing(),
        }
    }

    pub fn timed(subject: &str, times: &Times) -> Self {
        Self::new(subject, millis(times.median()), millis(times.min()))
    }

    #[must_use]
    pub fn target(mut self, target: &str, met: bool) -> Self {
        self.target = target.to_owned();
        self.verdict = if met { Verdict::Met } else { Verdict::Missed };
        self
    }

    /// Beside what another program took for the same.
    #[must_use]
    pub fn beside(mut self, peer: &str, shown: String, ratio: f64) -> Self {
        self.peer = peer.to_owned();
        self.peer_median = shown;
        self.ratio = format!("{ratio:.2}×");
        self
    }

    /// Beside nothing, since the peer is not there.
    #[must_use]
    pub fn without(mut self, peer: &str, why: &str) -> Self {
        self.peer = format!("{peer}: missing ({why})");
        self
    }
}

/// How many times as long as the other.
pub fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

pub fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis < 10.0 { format!("{millis:.2} ms") } else { format!("{millis:.1} ms") }
}

pub fn table(rows: &[Row]) -> String {
    let heads = ["subject", "median", "min", "target", "met", "peer", "its median", "ratio"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        let met = match row.verdict {
            Verdict::Met => "yes",
            Verdict::Missed => "no",
            Verdict::Open => "",
        };
        let Row { subject, median, min, target, peer, peer_median, ratio, .. } = row;
        [
            subject.clone(),
            median.clone(),
            min.clone(),
            target.clone(),
            met.to_owned(),
            peer.clone(),
            peer_median.clone(),
            ratio.clone(),
        ]
    });
    let lines: Vec<[String; 8]> = std::iter::once(heads).chain(cells).collect();
    let widths: [usize; 8] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].width()).max().unwrap_or(0));
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(&format!("| {cell}{} ", " ".repeat(width - cell.width())));
        }
        text.push_str("|\n");
        if number == 0 {
            widths.iter().for_each(|width| text.push_str(&format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}
