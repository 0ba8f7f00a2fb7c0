//! The lower end of a terminal: what runs and what is waited for now.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Size,
    line::Line,
    live::{measure, name_of},
    progress::{self, Progress, Step, Wait, counted},
    style::{Style, Tone},
};
use crate::duration;

/// Rows of the window that are left to what has happened.
const LEFT_ROWS: usize = 4;
/// Columns that a reason may take from what is waited for.
const REASON: usize = 20;
const SPIN: Duration = Duration::from_millis(80);

/// What stands at the bottom of a window: what runs and what is waited for, as much as fits, and a last line about the run.
pub(super) fn lines(progress: &Progress, now: Duration, size: Size, style: Style) -> Vec<Line> {
    let rows = rows(progress);
    if rows.is_empty() {
        return Vec::new();
    }
    let width = measure(size);
    let room = size.rows.saturating_sub(LEFT_ROWS).max(1);
    let frame = (now.as_millis() / SPIN.as_millis()) as usize % style.symbols.spinner.len();
    let spinner = style.symbols.spinner[frame];
    let whole: Vec<Line> = rows.iter().flat_map(|row| row.lines(spinner, now, width, style)).collect();
    // The last line is about the run, and the one before it about what has no room.
    let mut lines = match whole.len() < room {
        true => whole,
        false => {
            let shown = if rows.len() < room { rows.len() } else { room.saturating_sub(2) };
            let mut lines: Vec<Line> = rows[..shown].iter().map(|row| row.line(spinner, now, width, style)).collect();
            if shown < rows.len() && lines.len() < room {
                lines.push(rest(&rows[shown..], now, width, style));
            }
            lines
        }
    };
    if lines.len() < room {
        lines.push(footer(progress, now, width, style));
    }
    lines
}

/// A line of the region: a step, a wait, or a step with its only wait.
struct Row<'p> {
    depth: usize,
    step: Option<&'p Step>,
    wait: Option<&'p Wait>,
}

impl Row<'_> {
    /// All on one line, cut to the window.
    fn line(&self, spinner: &str, now: Duration, width: usize, style: Style) -> Line {
        let ellipsis = style.symbols.ellipsis;
        let (mut left, time) = (self.lead(spinner, now), self.time(now));
        let Some(wait) = self.wait else { return left.against(time, width, ellipsis) };
        let because = match &wait.because {
            Some(because) => Line::of(Tone::Waiting, &format!(": {because}")),
            None => Line::default(),
        };
        // Which of many waits it is comes first; some of why it isn't so yet is always seen.
        let free = width.saturating_sub(time.width() + 2).saturating_sub(left.width());
        let kept = free.saturating_sub(because.width().min(REASON)).max(free / 2);
        left = left.join(Line::plain(&wait.what).cut(kept, ellipsis)).join(because);
        left.against(time, width, ellipsis)
    }

    /// The reason on a line of its own, where one line is too short for both.
    fn lines(&self, spinner: &str, now: Duration, width: usize, style: Style) -> Vec<Line> {
        let Some((wait, because)) = self.wait.and_then(|wait| Some((wait, wait.because.as_ref()?))) else {
            return vec![self.line(spinner, now, width, style)];
        };
        let (lead, time) = (self.lead(spinner, now), self.time(now));
        let together = lead.width() + Line::plain(&wait.what).width() + Line::plain(because).width() + ": ".len();
        if together + time.width() + 2 <= width {
            return vec![self.line(spinner, now, width, style)];
        }
        let ellipsis = style.symbols.ellipsis;
        let indent = 2 * self.depth + 4;
        let because = Line::of(Tone::Waiting, because).cut(width.saturating_sub(indent), ellipsis).indented(indent);
        vec![lead.join(Line::plain(&wait.what)).against(time, width, ellipsis), because]
    }

    /// What stands before what is waited for: the step, or why it is tried again.
    fn lead(&self, spinner: &str, now: Duration) -> Line {
        let mut lead = Line::of(Tone::Waiting, spinner).with(Tone::Plain, " ").indented(2 * self.depth);
        let Some(step) = self.step else { return lead };
        // The step around it stands above.
        let around = if self.depth > 0 { progress::parent(&step.path).len() + 1 } else { 0 };
        lead = lead.join(name_of(&step.path[around..]));
        match (self.wait, &step.retry) {
            (Some(_), _) => lead.push(Tone::Plain, "  "),
            (None, Some((again, why))) => {
                let pause = again.saturating_sub(now).as_secs();
                lead.push(Tone::Waiting, &format!("  again in {pause}s: {why}"));
            }
            (None, None) => {}
        }
        lead
    }

    fn time(&self, now: Duration) -> Line {
        let time = match (self.wait, self.step) {
            (Some(wait), _) => format!("{} of {}", clock(now, wait.started), duration::show_limit(wait.deadline)),
            (None, Some(step)) => clock(now, step.started),
            (None, None) => String::new(),
        };
        Line::of(Tone::Quiet, &time)
    }
}

/// Running steps with what they wait for, outer ones first, each level in the order of its start.
fn rows(progress: &Progress) -> Vec<Row<'_>> {
    let mut waits: BTreeMap<&str, Vec<&Wait>> = BTreeMap::new();
    for wait in progress.waits.values() {
        waits.entry(&wait.step).or_default().push(wait);
    }
    let running: BTreeSet<&str> = progress.steps.iter().map(|step| step.path.as_str()).collect();
    let mut inside: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in &progress.steps {
        let mut around = progress::parent(&step.path);
        while !around.is_empty() && !running.contains(around) {
            around = progress::parent(around);
        }
        inside.entry(around).or_default().push(step);
    }
    let mut rows = Vec::new();
    let mut next: Vec<(usize, &Step)> = inside.get("").into_iter().flatten().rev().map(|step| (0, *step)).collect();
    while let Some((depth, step)) = next.pop() {
        let own = waits.remove(step.path.as_str()).unwrap_or_default();
        let inner = inside.get(step.path.as_str());
        if let ([wait], None) = (own.as_slice(), inner) {
            rows.push(Row { depth, step: Some(step), wait: Some(wait) });
            continue;
        }
        rows.push(Row { depth, step: Some(step), wait: None });
        rows.extend(own.into_iter().map(|wait| Row { depth: depth + 1, step: None, wait: Some(wait) }));
        next.extend(inner.into_iter().flatten().rev().map(|step| (depth + 1, *step)));
    }
    // What is waited for outside of every step, or in one that was never told of.
    rows.extend(waits.into_values().flatten().map(|wait| Row { depth: 0, step: None, wait: Some(wait) }));
    rows
}

/// One line for what has no room.
fn rest(rows: &[Row<'_>], now: Duration, width: usize, style: Style) -> Line {
    let symbols = style.symbols;
    let waits = rows.iter().filter_map(|row| row.wait);
    let text = match waits.clone().min_by_key(|wait| wait.started) {
        Some(longest) => {
            let count = counted(waits.count(), "more wait");
            format!("{} and {count} (longest {}: {})", symbols.ellipsis, clock(now, longest.started), longest.what)
        }
        None => format!("{} and {}", symbols.ellipsis, counted(rows.len(), "more step")),
    };
    Line::of(Tone::Quiet, &text).cut(width, symbols.ellipsis)
}

fn footer(progress: &Progress, now: Duration, width: usize, style: Style) -> Line {
    let symbols = style.symbols;
    let mut parts = vec![progress.runbook.clone()];
    if progress.expected > 0 {
        parts.push(format!("{} of {}", progress.finished_steps(), counted(progress.expected, "step")));
    }
    if progress.changes > 0 {
        parts.push(counted(progress.changes, "change"));
    }
    parts
        .extend(progress.timers.iter().map(|(name, since)| format!("{} {name} {}", symbols.timer, clock(now, *since))));
    parts.retain(|part| !part.is_empty());
    let lead = Line::of(Tone::Quiet, &symbols.rule.repeat(2)).with(Tone::Plain, " ");
    let left = lead.with(Tone::Quiet, &parts.join(&format!(" {} ", symbols.between)));
    left.against(Line::of(Tone::Strong, &whole(now)), width, symbols.ellipsis)
}

/// How long ago `since` is.
fn clock(now: Duration, since: Duration) -> String {
    whole(now.saturating_sub(since))
}

/// In whole seconds: what changes faster can't be read.
fn whole(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0 => "0s".to_owned(),
        seconds => duration::show(Duration::from_secs(seconds)),
    }
}
