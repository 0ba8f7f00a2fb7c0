//! The last thing that is said of a run: what ran and how long, what failed, and how to go on. Why it failed stands in
//! full in the report above.

use std::time::Duration;

use super::{
    line::Line,
    live::name_of,
    progress::{self, Progress, counted},
    style::{Style, Tone},
};
use crate::{
    duration,
    event::{FaultShown, Outcome, RunEnd},
};

/// More steps than this are summed up.
const MOST: usize = 30;
/// The widest a step's bar becomes.
const BAR: usize = 36;

/// How a run ended.
pub struct Ending<'e> {
    pub outcome: RunEnd,
    pub elapsed: Duration,
    pub resume: Option<&'e str>,
}

pub fn lines(progress: &Progress, ending: Ending<'_>, width: usize, style: Style) -> Vec<Line> {
    let symbols = style.symbols;
    let (symbol, tone, said) = match ending.outcome {
        RunEnd::Done => (symbols.done, Tone::Done, "done in"),
        RunEnd::Failed => (symbols.failed, Tone::Failed, "failed after"),
        RunEnd::Stopped => (symbols.stopped, Tone::Waiting, "stopped after"),
        RunEnd::Refused => (symbols.failed, Tone::Failed, "refused after"),
    };
    let rehearsal = progress.rehearsed_on.is_some();
    let note = if rehearsal { "a rehearsal" } else { "" };
    let mut lines = vec![Line::default(), rule(&progress.runbook, note, width, style), Line::default()];

    let groups = groups(progress);
    let longest = groups.iter().map(|group| group.elapsed).max().unwrap_or_default();
    let names = groups.iter().map(|group| group.title(style).width()).max().unwrap_or(0).clamp(16, width / 3);
    lines.extend(groups.iter().take(MOST).flat_map(|group| group.lines(names, longest, width, style)));
    if groups.len() > MOST {
        let text = format!("  {} and {}", symbols.ellipsis, counted(groups.len() - MOST, "more step"));
        lines.push(Line::of(Tone::Quiet, &text));
    }
    if !groups.is_empty() {
        lines.push(Line::default());
    }

    let elapsed = duration::show(ending.elapsed);
    let what = if rehearsal { "rehearsal " } else { "" };
    lines.push(Line::of(tone, &format!("  {symbol} {what}{said} {elapsed}")));
    let outcomes = progress.outcomes().join(&format!(" {} ", symbols.between));
    let outcomes = Line::of(Tone::Quiet, &outcomes).wrapped(width.saturating_sub(4));
    lines.extend(outcomes.into_iter().map(|line| line.indented(4)));
    if let Some(resume) = ending.resume {
        // Not cut: it is there to be copied.
        lines.push(Line::plain(&format!("  {} go on with: ", symbols.started)).with(Tone::Strong, resume));
    }
    lines.push(Line::default());
    lines
}

/// A message in red and a hint below, wrapped.
pub fn fault(fault: &FaultShown, indent: usize, width: usize) -> Vec<Line> {
    let room = width.saturating_sub(indent).max(20);
    let paragraph =
        |tone, text: &str| -> Vec<Line> { text.lines().flat_map(|line| Line::of(tone, line).wrapped(room)).collect() };
    let mut lines = paragraph(Tone::Failed, &fault.message);
    if let Some(at) = &fault.at {
        lines.extend(paragraph(Tone::Quiet, &format!("at {at}")));
    }
    if let Some(hint) = &fault.hint {
        let hinted = Line::of(Tone::Strong, "hint: ");
        lines.extend(hint.lines().enumerate().flat_map(|(index, line)| {
            let lead = if index == 0 { hinted.clone() } else { Line::default() };
            lead.with(Tone::Plain, line).wrapped(room)
        }));
    }
    lines.into_iter().map(|line| line.indented(indent)).collect()
}

/// A heading across the window.
pub fn rule(title: &str, note: &str, width: usize, style: Style) -> Line {
    let rule = style.symbols.bold_rule;
    let mut line = Line::of(Tone::Quiet, &rule.repeat(2)).with(Tone::Plain, " ").with(Tone::Strong, title);
    if !note.is_empty() {
        line.push(Tone::Quiet, &format!("  {note}"));
    }
    let line = line.cut(width.saturating_sub(4), style.symbols.ellipsis).with(Tone::Plain, " ");
    let rest = width.saturating_sub(line.width());
    line.with(Tone::Quiet, &rule.repeat(rest))
}

/// A step of the top level, or all that `parallel for` made of it.
struct Group<'p> {
    name: String,
    count: usize,
    started: Duration,
    elapsed: Duration,
    outcome: Outcome,
    fault: Option<&'p FaultShown>,
}

impl Group<'_> {
    fn title(&self, style: Style) -> Line {
        let name = name_of(&self.name);
        match self.count {
            1 => name,
            count => name.with(Tone::Quiet, &format!(" {}{count}", style.symbols.times)),
        }
    }

    /// Its bar, and below it what went wrong in short.
    fn lines(&self, names: usize, longest: Duration, width: usize, style: Style) -> Vec<Line> {
        let mut lines = vec![self.bar(names, longest, width, style)];
        let message = self.fault.and_then(|fault| fault.message.lines().next());
        if let Some(message) = message {
            lines.push(Line::of(Tone::Failed, message).indented(4).cut(width, style.symbols.ellipsis));
        }
        lines
    }

    fn bar(&self, names: usize, longest: Duration, width: usize, style: Style) -> Line {
        let symbols = style.symbols;
        let quiet = |symbol, said: &str| {
            let name = self.title(style).cut(names, symbols.ellipsis).padded(names).to_string();
            Line::of(Tone::Quiet, &format!("  {symbol} {name}  {said}"))
        };
        let (symbol, tone) = match self.outcome {
            Outcome::Done => (symbols.done, Tone::Done),
            Outcome::Failed => (symbols.failed, Tone::Failed),
            Outcome::Stopped => (symbols.stopped, Tone::Waiting),
            Outcome::Skipped => return quiet(symbols.skipped, "skipped").cut(width, symbols.ellipsis),
            Outcome::Replayed => return quiet(symbols.replayed, "replayed").cut(width, symbols.ellipsis),
        };
        let time = duration::show(self.elapsed);
        let name = self.title(style).cut(names, symbols.ellipsis).padded(names);
        let mut line = Line::of(tone, symbol).with(Tone::Plain, " ").indented(2).join(name);
        line.push(Tone::Plain, &format!("  {time:>6}  "));
        let room = width.saturating_sub(line.width()).min(BAR);
        line.push(tone, &bar(self.elapsed, longest, room, symbols.bar));
        line.cut(width, symbols.ellipsis)
    }
}

fn groups(progress: &Progress) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for step in progress.finished.iter().filter(|step| progress::depth(&step.path) == 0) {
        let name = progress::unlabelled(&step.path);
        let started = step.ended.saturating_sub(step.elapsed);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => {
                group.count += 1;
                group.started = group.started.min(started);
                group.elapsed = step.ended.saturating_sub(group.started).max(group.elapsed);
                if severity(step.outcome) > severity(group.outcome) {
                    group.outcome = step.outcome;
                }
                group.fault = group.fault.or(step.fault.as_ref());
            }
            None => groups.push(Group {
                name,
                count: 1,
                started,
                elapsed: step.elapsed,
                outcome: step.outcome,
                fault: step.fault.as_ref(),
            }),
        }
    }
    groups
}

/// Which outcome speaks for several branches.
fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Replayed => 0,
        Outcome::Skipped => 1,
        Outcome::Done => 2,
        Outcome::Stopped => 3,
        Outcome::Failed => 4,
    }
}

/// A bar of at most `room` cells, as long as `part` is of `whole`; never quite nothing.
fn bar(part: Duration, whole: Duration, room: usize, cells: &[&str]) -> String {
    let steps = cells.len() - 1;
    let share = if whole.is_zero() { 0.0 } else { part.as_secs_f64() / whole.as_secs_f64() };
    let filled = ((share * (room * steps) as f64).round() as usize).clamp(1, (room * steps).max(1));
    format!("{}{}", cells[steps].repeat(filled / steps), cells[filled % steps])
}
