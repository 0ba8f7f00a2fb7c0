//! Off a terminal: a line an event, each with its time, a word to search for, and the step.
//!
//! `[00:12.3] step drain: done in 12s`. The words are run, note, step, wait, effect, warning, program, bell, timer, question,
//! answer and stop.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Shown, Size, Verbosity, View,
    line::Line,
    markdown,
    progress::{Progress, counted},
    style::{Style, Tone},
    table,
};
use crate::{
    duration,
    event::{EffectEnd, Event, FaultShown, Outcome, RunEnd, WaitEnd, What},
};

/// How often a wait that goes on says so.
const REMINDER: Duration = Duration::from_secs(30);

/// Wide enough for every paragraph.
const UNBROKEN: usize = 100_000;

/// The view for logs.
pub struct Plain {
    verbosity: Verbosity,
    style: Style,
    data: Style,
    progress: Progress,
    /// When each wait was last spoken of.
    spoken: BTreeMap<u64, Duration>,
}

impl Plain {
    pub fn new(verbosity: Verbosity, style: Style, data: Style) -> Self {
        Self { verbosity, style, data, progress: Progress::default(), spoken: BTreeMap::new() }
    }

    /// What is said because of an event, before it is taken into account.
    fn said(&self, event: &Event) -> Vec<Line> {
        let Event { at, step, what } = event;
        let quiet = self.verbosity == Verbosity::Quiet;
        let verbose = self.verbosity == Verbosity::Verbose;
        let say = |word: &str, tone: Tone, text: &str| vec![stamped(*at, word, step, tone, text)];
        match what {
            What::StepFinished { outcome, elapsed, fault, because } => {
                let took = duration::show(*elapsed);
                let because = because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
                match outcome {
                    Outcome::Failed => {
                        // What to do about it is in the report that follows, unless the script caught it.
                        let short = |fault: &FaultShown| told(&FaultShown { hint: None, ..fault.clone() });
                        let why = fault.as_ref().map(|fault| format!(": {}", short(fault))).unwrap_or_default();
                        say("step", Tone::Failed, &format!("failed after {took}{why}"))
                    }
                    _ if quiet => Vec::new(),
                    Outcome::Done => say("step", Tone::Done, &format!("done in {took}")),
                    Outcome::Stopped => say("step", Tone::Waiting, &format!("stopped after {took}{because}")),
                    Outcome::Skipped => say("step", Tone::Quiet, &format!("skipped{because}")),
                    Outcome::Replayed => say("step", Tone::Quiet, &format!("replayed{because}")),
                }
            }
            What::Warned { text } => say("warning", Tone::Waiting, text),
            What::StopRequested { signal, now: true } => say("stop", Tone::Waiting, &format!("now, by {signal}")),
            What::StopRequested { signal, now: false } => {
                say("stop", Tone::Waiting, &format!("as soon as what is under way has come back, by {signal}"))
            }
            What::RunFinished { outcome, elapsed, resume, .. } => {
                let (said, tone) = match outcome {
                    RunEnd::Done => ("done in", Tone::Done),
                    RunEnd::Failed => ("failed after", Tone::Failed),
                    RunEnd::Stopped => ("stopped after", Tone::Waiting),
                    RunEnd::Refused => ("refused after", Tone::Failed),
                };
                let what = if self.progress.rehearsed_on.is_some() { "rehearsal " } else { "" };
                let mut text = format!("{what}{said} {}", duration::show(*elapsed));
                let outcomes = self.progress.outcomes();
                if !outcomes.is_empty() {
                    text.push_str(&format!(" ({})", outcomes.join(", ")));
                }
                if let Some(resume) = resume {
                    text.push_str(&format!("; go on with: {resume}"));
                }
                vec![stamped(*at, "run", &self.progress.runbook, tone, &text)]
            }
            _ if quiet => Vec::new(),
            What::ResumedAt { because, diff, .. } => {
                let mut lines = say("resume", Tone::Strong, &format!("on from here, because {because}"));
                lines.extend(diff.iter().map(|line| stamped(*at, "diff", step, Tone::Quiet, line)));
                lines
            }
            What::RunStarted { run, runbook, resumed, narration, steps, rehearsed_on } => {
                let begun = match rehearsed_on {
                    Some(world) => format!("a rehearsal on {world}, nothing real is touched: started"),
                    None if *resumed => "resumed".to_owned(),
                    None => "started".to_owned(),
                };
                let text = format!("{begun} as {run}, {}", counted(*steps, "step"));
                let mut lines = vec![stamped(*at, "run", runbook, Tone::Strong, &text)];
                if !resumed {
                    lines.extend(notes(*at, "", narration, self.style));
                }
                lines
            }
            What::StepStarted { narration, attempt: 1, .. } => {
                let mut lines = say("step", Tone::Strong, "started");
                lines.extend(notes(*at, step, narration, self.style));
                lines
            }
            What::StepStarted { attempt, of, .. } => {
                say("step", Tone::Strong, &format!("started, attempt {attempt} of {of}"))
            }
            What::StepRetried { attempt, of, pause, fault } => {
                let pause = duration::show(*pause);
                let text = format!("attempt {attempt} of {of} failed, next in {pause}: {}", told(fault));
                say("step", Tone::Waiting, &text)
            }
            What::WaitStarted { what, deadline, .. } => {
                say("wait", Tone::Plain, &format!("{what}, up to {}", duration::show_limit(*deadline)))
            }
            What::WaitChanged { wait, because } => match self.progress.waits.get(wait) {
                Some(wait) => say("wait", Tone::Waiting, &format!("{}: {because}", wait.what)),
                None => Vec::new(),
            },
            What::WaitFinished { wait, ended, elapsed } => match self.progress.waits.get(wait) {
                Some(wait) => {
                    let (said, tone) = match ended {
                        WaitEnd::Met => ("met after", Tone::Done),
                        WaitEnd::Failed => ("failed after", Tone::Failed),
                        WaitEnd::TimedOut => ("not met within", Tone::Failed),
                        WaitEnd::Stopped => ("stopped after", Tone::Waiting),
                    };
                    say("wait", tone, &format!("{}: {said} {}", wait.what, duration::show(*elapsed)))
                }
                None => Vec::new(),
            },
            What::EffectIntended { verb, object, destroys: true, dies, .. } => {
                let mut lines = say("effect", Tone::Destroys, &format!("destroys: {verb} {object}"));
                lines.extend(dies.iter().flat_map(|line| say("effect", Tone::Destroys, &format!("destroys: {line}"))));
                lines
            }
            What::EffectIntended { .. } => Vec::new(),
            What::EffectClosed { effect, outcome, detail } => {
                let replayed = *outcome == EffectEnd::Replayed;
                let Some(what) = self.progress.effects.get(effect).filter(|_| verbose || !replayed) else {
                    return Vec::new();
                };
                let (said, tone) = match outcome {
                    EffectEnd::Done if detail.as_deref() == Some("unchanged") => ("", Tone::Quiet),
                    EffectEnd::Done => ("", Tone::Effect),
                    EffectEnd::Failed => ("failed", Tone::Failed),
                    EffectEnd::Replayed => ("replayed", Tone::Quiet),
                    EffectEnd::InDoubt => ("in doubt", Tone::Waiting),
                };
                let notes: Vec<&str> =
                    [said].into_iter().chain(detail.as_deref()).filter(|note| !note.is_empty()).collect();
                let note = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(": ")) };
                say("effect", tone, &format!("{} {}{note}", what.verb, what.object))
            }
            What::ProgramSaid { program, text } => say("program", Tone::Quiet, &format!("{program}: {text}")),
            What::Noted { minor: true, .. } if !verbose => Vec::new(),
            What::Noted { text, minor } => say("noted", if *minor { Tone::Quiet } else { Tone::Waiting }, text),
            What::BellRang { text } => say("bell", Tone::Strong, text),
            What::TimerStarted { timer } => say("timer", Tone::Plain, &format!("{timer} started")),
            What::TimerStopped { timer, elapsed } => {
                say("timer", Tone::Strong, &format!("{timer} stopped after {}", duration::show(*elapsed)))
            }
            What::Asked { question } => say("question", Tone::Strong, question),
            What::Answered { question, answer } => say("answer", Tone::Strong, &format!("{question} {answer}")),
            What::Printed { .. } | What::Tabled { .. } => Vec::new(),
        }
    }
}

impl View for Plain {
    fn told(&mut self, event: &Event, size: Size) -> Vec<Shown> {
        let mut shown: Vec<Shown> = self.said(event).into_iter().map(Shown::Said).collect();
        match &event.what {
            What::Printed { text } => shown.push(Shown::Data(text.clone())),
            What::Tabled { columns, rows } => {
                let lines = table::lines(columns, rows, self.data.room(size), self.data);
                shown.extend(lines.iter().map(|line| Shown::Data(line.styled(self.data))));
            }
            What::WaitStarted { wait, .. } | What::WaitChanged { wait, .. } => {
                self.spoken.insert(*wait, event.at);
            }
            What::WaitFinished { wait, .. } => {
                self.spoken.remove(wait);
            }
            _ => {}
        }
        self.progress.note(event);
        shown
    }

    fn tick(&mut self, now: Duration) -> Vec<Shown> {
        let mut shown = Vec::new();
        if self.verbosity == Verbosity::Quiet {
            return shown;
        }
        for (wait, spoken) in &mut self.spoken {
            if now.saturating_sub(*spoken) < REMINDER {
                continue;
            }
            *spoken = now;
            let wait = self.progress.waits.get(wait).expect("what was spoken of is waited for");
            let because = wait.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
            let (so_far, deadline) = (now.saturating_sub(wait.started), duration::show_limit(wait.deadline));
            let so_far = duration::show(Duration::from_secs(so_far.as_secs()));
            let text = format!("{}{because} ({so_far} of {deadline})", wait.what);
            shown.push(Shown::Said(stamped(now, "wait", &wait.step, Tone::Waiting, &text)));
        }
        shown
    }

    fn region(&self, _now: Duration, _size: Size) -> Vec<Line> {
        Vec::new()
    }
}

/// `[00:12.3] step drain: text`, on one line.
fn stamped(at: Duration, word: &str, step: &str, tone: Tone, text: &str) -> Line {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    stamp(at, word, step).with(tone, &lines.join(" / "))
}

/// What a line begins with.
fn stamp(at: Duration, word: &str, step: &str) -> Line {
    let (seconds, tenths) = (at.as_secs(), at.subsec_millis() / 100);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let time = match hours {
        0 => format!("[{minutes:02}:{seconds:02}.{tenths}] "),
        _ => format!("[{hours}:{minutes:02}:{seconds:02}.{tenths}] "),
    };
    let path = if step.is_empty() { String::new() } else { format!(" {step}") };
    Line::of(Tone::Quiet, &time).with(Tone::Plain, &format!("{word}{path}: "))
}

/// A narration: each of its paragraphs on one line.
fn notes(at: Duration, step: &str, narration: &str, style: Style) -> Vec<Line> {
    let lines = markdown::lines(narration, UNBROKEN, style).into_iter().filter(|line| !line.is_empty());
    lines.map(|line| stamp(at, "note", step).join(line)).collect()
}

fn told(fault: &FaultShown) -> String {
    let at = fault.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    let hint = fault.hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
    format!("{}{at}{hint}", fault.message)
}
