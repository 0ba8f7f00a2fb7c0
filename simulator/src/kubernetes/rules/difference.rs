//! How the real server tells what somebody changed that may not change.

use std::{collections::BTreeMap, ops::Range};

use serde::Serialize as _;
use serde_json::{Serializer, Value, ser::PrettyFormatter};

/// How many lines are told around each change.
const AROUND: usize = 3;

/// From how many lines on those that come often tell nothing about which lines belong together.
const MANY: usize = 200;

/// Both values line by line: `-` is what is there, `+` what was asked for.
///
/// Which lines belong together is found out as the real server does it: by the longest run that both have, the earliest of
/// several, and then in the same way before and behind it.
pub fn difference(before: &Value, after: &Value) -> String {
    let (before, after) = (written(before), written(after));
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut told = String::new();
    for hunk in hunks(&Matching::of(&before, &after).changes()) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let shown = |from: usize, to: usize, most: usize| from.saturating_sub(AROUND)..(to + AROUND).min(most);
        let ours = shown(first.before.start, last.before.end, before.len());
        let theirs = shown(first.after.start, last.after.end, after.len());
        told += &format!("@@ -{} +{} @@\n", numbered(&ours), numbered(&theirs));
        let mut tell = |mark: char, lines: &[&str]| lines.iter().for_each(|line| told += &format!("{mark}{line}\n"));
        let mut at = ours.start;
        for change in hunk {
            tell(' ', &before[at..change.before.start]);
            tell('-', &before[change.before.clone()]);
            tell('+', &after[change.after.clone()]);
            at = change.before.end;
        }
        tell(' ', &before[at..ours.end]);
    }
    told
}

/// Lines in place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    before: Range<usize>,
    after: Range<usize>,
}

/// Changes that are told together, because they are near each other.
fn hunks(changes: &[Change]) -> Vec<Vec<Change>> {
    let near = |one: &Change, next: &Change| next.before.start - one.before.end <= 2 * AROUND;
    changes.chunk_by(near).map(<[Change]>::to_vec).collect()
}

/// `5,3` for three lines from the fifth on.
fn numbered(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        several => format!("{},{several}", lines.start + 1),
    }
}

struct Matching<'l> {
    before: &'l [&'l str],
    after: &'l [&'l str],
    /// Where each line of the second text is.
    places: BTreeMap<&'l str, Vec<usize>>,
}

impl<'l> Matching<'l> {
    fn of(before: &'l [&'l str], after: &'l [&'l str]) -> Self {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, line) in after.iter().enumerate() {
            places.entry(line).or_default().push(at);
        }
        if after.len() >= MANY {
            places.retain(|_, places| places.len() <= after.len() / 100 + 1);
        }
        Self { before, after, places }
    }

    /// What is between the runs that both texts have.
    fn changes(&self) -> Vec<Change> {
        let mut runs = Vec::new();
        self.find(0..self.before.len(), 0..self.after.len(), &mut runs);
        runs.push((self.before.len(), self.after.len(), 0));
        let mut changes = Vec::new();
        let (mut before, mut after) = (0, 0);
        for (at, other, length) in runs {
            let change = Change { before: before..at, after: after..other };
            if !(change.before.is_empty() && change.after.is_empty()) {
                changes.push(change);
            }
            (before, after) = (at + length, other + length);
        }
        changes
    }

    fn find(&self, before: Range<usize>, after: Range<usize>, runs: &mut Vec<(usize, usize, usize)>) {
        let (at, other, length) = self.longest(&before, &after);
        if length > 0 {
            self.find(before.start..at, after.start..other, runs);
            runs.push((at, other, length));
            self.find(at + length..before.end, other + length..after.end, runs);
        }
    }

    fn longest(&self, before: &Range<usize>, after: &Range<usize>) -> (usize, usize, usize) {
        let (mut at, mut other, mut length) = (before.start, after.start, 0);
        // The lengths of the runs that end with the line before, by where they end in the second text.
        let mut ending: BTreeMap<usize, usize> = BTreeMap::new();
        for index in before.clone() {
            let mut next = BTreeMap::new();
            let places = self.places.get(self.before[index]).into_iter().flatten();
            for place in places.filter(|place| after.contains(place)) {
                let run = 1 + place.checked_sub(1).and_then(|place| ending.get(&place)).copied().unwrap_or(0);
                next.insert(*place, run);
                if run > length {
                    (at, other, length) = (index + 1 - run, place + 1 - run, run);
                }
            }
            ending = next;
        }
        // Lines that come often belong to a run beside them.
        while at > before.start && other > after.start && self.before[at - 1] == self.after[other - 1] {
            (at, other, length) = (at - 1, other - 1, length + 1);
        }
        while at + length < before.end
            && other + length < after.end
            && self.before[at + length] == self.after[other + length]
        {
            length += 1;
        }
        (at, other, length)
    }
}

fn written(value: &Value) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b" "));
    value.serialize(&mut serializer).expect("a value is always written");
    String::from_utf8(text).expect("JSON is text")
}
