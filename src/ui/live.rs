//! On a terminal: what has happened scrolls by; what goes on stands below, in the region.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Shown, Size, Verbosity, View, closing,
    line::Line,
    markdown, ongoing,
    progress::{self, Progress, Wait},
    style::{Style, Tone},
    table,
};
use crate::{
    duration,
    event::{EffectEnd, Event, FaultShown, Outcome, WaitEnd, What},
};

/// Text further to the right than this is not read as one line.
const MEASURE: usize = 120;
/// Prose is read best below this.
const PROSE: usize = 88;
/// A wait shorter than this is not worth a line once it is over.
const NOTABLE: Duration = Duration::from_secs(1);

/// The view for a person at a terminal.
pub struct Live {
    verbosity: Verbosity,
    style: Style,
    data: Style,
    progress: Progress,
    /// Steps whose beginning was told, without the labels of branches: a branch each would say the same again.
    narrated: BTreeSet<String>,
    /// Replayed steps that are told together.
    replayed: Vec<String>,
    /// The last fault that was told in full: the steps around it fail with it too.
    fault: Option<FaultShown>,
}

impl Live {
    pub fn new(verbosity: Verbosity, style: Style, data: Style) -> Self {
        Self {
            verbosity,
            style,
            data,
            progress: Progress::default(),
            narrated: BTreeSet::new(),
            replayed: Vec::new(),
            fault: None,
        }
    }

    fn verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// True if only what a person must know is told.
    fn quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    fn step_started(&mut self, path: &str, narration: &str, attempt: u32, width: usize) -> Vec<Line> {
        let depth = progress::depth(path);
        let name = progress::unlabelled(path);
        if attempt > 1 || (depth > 0 && narration.is_empty()) || self.narrated.contains(&name) {
            return Vec::new();
        }
        let indent = 2 * depth;
        let title = Line::of(Tone::Strong, self.style.symbols.started).with(Tone::Plain, " ").join(name_of(&name));
        self.narrated.insert(name);
        let mut lines = vec![Line::default(), title.indented(indent)];
        lines.extend(self.prose(narration, indent + 2, width));
        lines
    }

    fn step_finished(&mut self, path: &str, finished: Finish<'_>, width: usize) -> Vec<Line> {
        let Finish { outcome, elapsed, fault, because } = finished;
        let symbols = self.style.symbols;
        let indent = 2 * progress::depth(path);
        let time = Line::of(Tone::Quiet, &duration::show(elapsed));
        let reason = |line: Line| match because {
            Some(because) => line.with(Tone::Quiet, &format!("  {because}")),
            None => line,
        };
        let (line, right) = match outcome {
            Outcome::Done => (Line::of(Tone::Done, symbols.done).with(Tone::Plain, " ").join(name_of(path)), time),
            Outcome::Failed => {
                (Line::of(Tone::Failed, symbols.failed).with(Tone::Plain, " ").join(name_of(path)), time)
            }
            Outcome::Stopped => {
                (reason(Line::of(Tone::Waiting, symbols.stopped).with(Tone::Plain, " ").join(name_of(path))), time)
            }
            Outcome::Skipped => {
                let line = Line::of(Tone::Quiet, &format!("{} {path}  skipped", symbols.skipped));
                (reason(line), Line::default())
            }
            Outcome::Replayed => {
                (reason(Line::of(Tone::Quiet, &format!("{} {path}  replayed", symbols.replayed))), Line::default())
            }
        };
        let mut lines = vec![line.indented(indent).against(right, width, symbols.ellipsis)];
        if let Some(fault) = fault.filter(|fault| self.fault.as_ref() != Some(fault)) {
            // What to do about it is in the report that follows, unless the script caught it.
            let short = FaultShown { hint: None, ..fault.clone() };
            lines.extend(closing::fault(&short, indent + 4, width));
            self.fault = Some(fault.clone());
        }
        lines
    }

    /// What a wait that is over leaves behind.
    fn wait_finished(&self, wait: &Wait, ended: WaitEnd, elapsed: Duration, width: usize) -> Vec<Line> {
        let symbols = self.style.symbols;
        let worth_it = match ended {
            WaitEnd::Met => elapsed >= NOTABLE && !wait.late,
            WaitEnd::Failed | WaitEnd::TimedOut => true,
            WaitEnd::Stopped => false,
        };
        if !worth_it && !self.verbose() {
            return Vec::new();
        }
        let (symbol, tone) = match ended {
            WaitEnd::Met => (symbols.between, Tone::Quiet),
            WaitEnd::Failed | WaitEnd::TimedOut => (symbols.failed, Tone::Failed),
            WaitEnd::Stopped => (symbols.stopped, Tone::Waiting),
        };
        let mut line = Line::of(tone, symbol).with(Tone::Plain, &format!(" {}", wait.what));
        let because = wait.because.as_ref().filter(|_| ended != WaitEnd::Met);
        let time = match ended {
            WaitEnd::TimedOut => format!("not within {}", duration::show_limit(wait.deadline)),
            WaitEnd::Met | WaitEnd::Failed | WaitEnd::Stopped => duration::show(elapsed),
        };
        let time = Line::of(Tone::Quiet, &time);
        match because {
            // Why it did not come to be is what whoever reads this wants to know: it is never cut.
            Some(because) if matches!(ended, WaitEnd::Failed | WaitEnd::TimedOut) => {
                let indent = indent_in(&wait.step) + 4;
                let because = Line::of(Tone::Quiet, because).wrapped(width.saturating_sub(indent).max(20));
                let because = because.into_iter().map(|line| line.indented(indent));
                std::iter::once(self.inside(&wait.step, line, time, width)).chain(because).collect()
            }
            because => {
                if let Some(because) = because {
                    line.push(Tone::Quiet, &format!(": {because}"));
                }
                vec![self.inside(&wait.step, line, time, width)]
            }
        }
    }

    fn effect_closed(
        &self,
        step: &str,
        effect: u64,
        outcome: EffectEnd,
        detail: Option<&str>,
        width: usize,
    ) -> Vec<Line> {
        let symbols = self.style.symbols;
        let unchanged = outcome == EffectEnd::Done && detail == Some("unchanged");
        let (symbol, tone) = match outcome {
            EffectEnd::Done if unchanged => (symbols.effect, Tone::Quiet),
            EffectEnd::Done => (symbols.effect, Tone::Effect),
            EffectEnd::Failed => (symbols.failed, Tone::Failed),
            EffectEnd::Replayed => (symbols.replayed, Tone::Quiet),
            EffectEnd::InDoubt => (symbols.doubt, Tone::Waiting),
        };
        if outcome == EffectEnd::Replayed && !self.verbose() {
            return Vec::new();
        }
        let Some(what) = self.progress.effects.get(&effect) else { return Vec::new() };
        let text = if tone == Tone::Quiet { Tone::Quiet } else { Tone::Plain };
        let mut line = Line::of(tone, symbol)
            .with(Tone::Plain, " ")
            .with(tone, &what.verb)
            .with(text, &format!(" {}", what.object));
        let note = match outcome {
            EffectEnd::InDoubt => Some("nobody knows whether it happened"),
            EffectEnd::Done | EffectEnd::Failed | EffectEnd::Replayed => detail,
        };
        if let Some(note) = note {
            line.push(Tone::Quiet, &format!(" ({note})"));
        }
        self.hanging(step, line, width)
    }

    /// A line about something in a step, which goes on further in if it is too long.
    fn hanging(&self, step: &str, line: Line, width: usize) -> Vec<Line> {
        let indent = indent_in(step);
        let line = self.labelled(step, line);
        let room = width.saturating_sub(indent);
        let lines = if line.width() <= room { vec![line] } else { line.wrapped(room.saturating_sub(4).max(20)) };
        lines
            .into_iter()
            .enumerate()
            .map(|(index, line)| line.indented(if index == 0 { indent } else { indent + 4 }))
            .collect()
    }

    /// A line about something in a step, with what stands at its right.
    fn inside(&self, step: &str, line: Line, right: Line, width: usize) -> Line {
        self.labelled(step, line).indented(indent_in(step)).against(right, width, self.style.symbols.ellipsis)
    }

    /// In a branch a line says in which one, if it doesn't anyway.
    fn labelled(&self, step: &str, line: Line) -> Line {
        let symbols = self.style.symbols;
        let said = line.to_string();
        let labels: Vec<&str> = progress::labels(step).into_iter().filter(|label| !said.contains(label)).collect();
        match labels.as_slice() {
            [] => line,
            labels => line.with(Tone::Quiet, &format!(" {} {}", symbols.between, labels.join(" "))),
        }
    }

    fn prose(&self, markdown: &str, indent: usize, width: usize) -> Vec<Line> {
        let room = width.min(PROSE).saturating_sub(indent).max(20);
        markdown::lines(markdown, room, self.style).into_iter().map(|line| line.indented(indent)).collect()
    }

    /// A paragraph with a sign before it.
    fn noted(&self, tone: Tone, symbol: &str, text: &str, width: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            for line in Line::plain(paragraph).wrapped(width.saturating_sub(2)) {
                let lead = if lines.is_empty() { Line::of(tone, symbol) } else { Line::plain(" ") };
                lines.push(lead.with(Tone::Plain, " ").join(line));
            }
        }
        lines
    }

    fn replayed_together(&mut self, first: bool, width: usize) -> Vec<Line> {
        let steps = std::mem::take(&mut self.replayed);
        if steps.is_empty() {
            return Vec::new();
        }
        let symbols = self.style.symbols;
        let mut lines = if first { vec![Line::default()] } else { Vec::new() };
        let names = steps.join(&format!(" {} ", symbols.between));
        let text = Line::of(Tone::Quiet, &format!("{names}  replayed")).wrapped(width.saturating_sub(2));
        let lead = |index| if index == 0 { symbols.replayed } else { " " };
        let text = text.into_iter().enumerate();
        lines.extend(text.map(|(index, line)| Line::of(Tone::Quiet, &format!("{} ", lead(index))).join(line)));
        lines
    }

    fn run_started(&self, runbook: &str, note: &str, narration: &str, width: usize) -> Vec<Line> {
        let mut lines = vec![closing::rule(runbook, note, width, self.style)];
        if !narration.is_empty() {
            lines.push(Line::default());
            lines.extend(self.prose(narration, 0, width));
        }
        lines
    }

    /// What is said for good because of an event, before it is taken into account.
    fn said(&mut self, event: &Event, width: usize) -> Vec<Line> {
        let symbols = self.style.symbols;
        let Event { step, what, .. } = event;
        match what {
            What::StepFinished { outcome, elapsed, fault, because } => {
                let finish =
                    Finish { outcome: *outcome, elapsed: *elapsed, fault: fault.as_ref(), because: because.as_deref() };
                match outcome {
                    Outcome::Failed => self.step_finished(step, finish, width),
                    Outcome::Replayed if !self.verbose() => {
                        self.replayed.push(step.clone());
                        Vec::new()
                    }
                    _ if self.quiet() => Vec::new(),
                    _ => self.step_finished(step, finish, width),
                }
            }
            What::Warned { text } => self.noted(Tone::Waiting, symbols.warning, text, width),
            What::StopRequested { signal, now } => {
                let text = match now {
                    false => {
                        format!("{signal}: stopping as soon as what is under way has come back; again to stop now")
                    }
                    true => format!("{signal}: stopping now"),
                };
                self.noted(Tone::Waiting, symbols.stopped, &text, width)
            }
            What::RunFinished { outcome, elapsed, resume, .. } => {
                let ending = closing::Ending { outcome: *outcome, elapsed: *elapsed, resume: resume.as_deref() };
                closing::lines(&self.progress, ending, width, self.style)
            }
            _ if self.quiet() => Vec::new(),
            What::ResumedAt { because, diff, .. } => {
                let title = Line::of(Tone::Waiting, symbols.retried).with(Tone::Plain, " on from ").join(name_of(step));
                let mut lines = vec![title.with(Tone::Plain, &format!(", because {because}"))];
                lines.extend(diff.iter().map(|line| diff_line(line).indented(4).cut(width, symbols.ellipsis)));
                lines
            }
            What::RunStarted { runbook, resumed, narration, rehearsed_on, .. } => {
                let note = match rehearsed_on {
                    Some(world) => format!("a rehearsal on {world}"),
                    None if *resumed => "resumed".to_owned(),
                    None => String::new(),
                };
                self.run_started(runbook, &note, if *resumed { "" } else { narration }, width)
            }
            What::StepStarted { narration, attempt, .. } => self.step_started(step, narration, *attempt, width),
            What::StepRetried { attempt, of, pause, fault } => {
                let line = Line::of(Tone::Waiting, symbols.retried).with(Tone::Plain, " ").join(name_of(step)).with(
                    Tone::Plain,
                    &format!("  attempt {attempt} of {of} failed, next in {}", duration::show(*pause)),
                );
                let indent = 2 * progress::depth(step);
                let mut lines = vec![line.indented(indent)];
                lines.extend(closing::fault(fault, indent + 4, width));
                lines
            }
            What::WaitFinished { wait, ended, elapsed } => match self.progress.waits.get(wait) {
                Some(wait) => self.wait_finished(wait, *ended, *elapsed, width),
                None => Vec::new(),
            },
            What::EffectIntended { verb, object, destroys: true, dies, .. } => {
                let line = Line::of(Tone::Destroys, &format!("{} {verb} {object}", symbols.destroys));
                let dies = dies.iter().map(|line| Line::of(Tone::Destroys, line).indented(2));
                let lines = std::iter::once(line).chain(dies);
                lines.map(|line| self.inside(step, line, Line::default(), usize::MAX)).collect()
            }
            What::EffectClosed { effect, outcome, detail } => {
                self.effect_closed(step, *effect, *outcome, detail.as_deref(), width)
            }
            What::ProgramSaid { text, .. } => {
                let line = Line::of(Tone::Quiet, symbols.quote).with(Tone::Plain, " ").with(Tone::Quiet, text);
                vec![self.inside(step, line, Line::default(), width)]
            }
            What::Noted { minor: true, .. } if !self.verbose() => Vec::new(),
            What::Noted { text, minor } => {
                let tone = if *minor { Tone::Quiet } else { Tone::Waiting };
                let line = Line::of(tone, symbols.quote).with(Tone::Plain, " ").with(tone, text);
                self.hanging(step, line, width)
            }
            What::BellRang { text } => self.noted(Tone::Strong, symbols.bell, text, width),
            What::TimerStarted { timer } if self.verbose() => {
                vec![Line::of(Tone::Quiet, &format!("{} {timer}  started", symbols.timer))]
            }
            What::TimerStopped { timer, elapsed } => {
                let line = Line::plain(symbols.timer).with(Tone::Plain, " ").with(Tone::Strong, timer);
                vec![line.against(Line::of(Tone::Strong, &duration::show(*elapsed)), width, symbols.ellipsis)]
            }
            // A question and its answer stay on the screen where they were given.
            What::Asked { .. } | What::Answered { .. } => Vec::new(),
            What::EffectIntended { .. }
            | What::TimerStarted { .. }
            | What::WaitStarted { .. }
            | What::WaitChanged { .. }
            | What::Printed { .. }
            | What::Tabled { .. } => Vec::new(),
        }
    }
}

/// A line of a diff in the colours that everybody knows.
fn diff_line(line: &str) -> Line {
    let tone = match line.chars().next() {
        Some('+') => Tone::Done,
        Some('-') => Tone::Failed,
        _ => Tone::Quiet,
    };
    Line::of(tone, line)
}

/// How a step ended.
struct Finish<'e> {
    outcome: Outcome,
    elapsed: Duration,
    fault: Option<&'e FaultShown>,
    because: Option<&'e str>,
}

impl View for Live {
    fn told(&mut self, event: &Event, size: Size) -> Vec<Shown> {
        let width = measure(size);
        let first = self.narrated.is_empty();
        let said = self.said(event, width);
        let goes_on = said.is_empty() && !matches!(event.what, What::Printed { .. } | What::Tabled { .. });
        let before = if goes_on || self.quiet() { Vec::new() } else { self.replayed_together(first, width) };
        self.progress.note(event);
        let mut shown: Vec<Shown> = before.into_iter().chain(said).map(Shown::Said).collect();
        match &event.what {
            What::Printed { text } => shown.push(Shown::Data(text.clone())),
            What::Tabled { columns, rows } => {
                let lines = table::lines(columns, rows, self.data.room(size), self.data);
                shown.extend(lines.iter().map(|line| Shown::Data(line.styled(self.data))));
            }
            What::BellRang { .. } => shown.push(Shown::Bell),
            _ => {}
        }
        shown
    }

    fn tick(&mut self, _now: Duration) -> Vec<Shown> {
        Vec::new()
    }

    fn region(&self, now: Duration, size: Size) -> Vec<Line> {
        if self.quiet() { Vec::new() } else { ongoing::lines(&self.progress, now, size, self.style) }
    }
}

/// How far to the right stands what is said of something in a step.
fn indent_in(step: &str) -> usize {
    if step.is_empty() { 0 } else { 2 * progress::depth(step) + 2 }
}

/// A step's path with its last part in front of the eyes.
pub(super) fn name_of(path: &str) -> Line {
    let around = match progress::parent(path) {
        "" => 0,
        parent => parent.len() + 1,
    };
    Line::of(Tone::Quiet, &path[..around]).with(Tone::Strong, &path[around..])
}

pub(super) fn measure(size: Size) -> usize {
    // The last column stays free: a terminal may wrap as soon as it is written to.
    size.columns.saturating_sub(1).clamp(20, MEASURE)
}
