//! Asking the person at the terminal.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use crossterm::{
    event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    terminal,
};
use futures::{FutureExt, channel::oneshot, future::BoxFuture};

use super::{
    line::Line,
    screen::{Screen, Suspended},
    style::{Style, Tone},
};
use crate::host::ask::{Answer, Ask, Question, QuestionKind};

/// How long a question stays open after nobody wants its answer any more.
const GLANCE: Duration = Duration::from_millis(100);
/// How often a wrong answer may be given again.
const TRIES: usize = 3;

/// A key, as far as a question cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Character(char),
    Enter,
    /// The last character is taken back.
    Erase,
    /// The last word is.
    EraseWord,
    /// Everything is.
    EraseAll,
    /// Ctrl-D: no answer will be given.
    End,
    /// Ctrl-C: the run is to stop.
    Interrupt,
}

/// Where keys come from.
pub trait Keyboard: Send {
    /// Takes the terminal: from here on keys are neither shown nor lines. What was typed before is thrown away, since it
    /// was meant for something else.
    ///
    /// # Errors
    /// If there is no terminal to be taken.
    fn open(&mut self) -> io::Result<()>;

    /// The next key; nothing if none came for a while.
    ///
    /// # Errors
    /// If the terminal is gone.
    fn next(&mut self, patience: Duration) -> io::Result<Option<Key>>;

    /// Gives the terminal back.
    ///
    /// # Errors
    /// If the terminal is gone.
    fn close(&mut self) -> io::Result<()>;
}

/// The keyboard of this process' terminal.
pub struct TerminalKeyboard;

impl Keyboard for TerminalKeyboard {
    fn open(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        while event::poll(Duration::ZERO)? {
            event::read()?;
        }
        Ok(())
    }

    fn next(&mut self, patience: Duration) -> io::Result<Option<Key>> {
        if !event::poll(patience)? {
            return Ok(None);
        }
        let Event::Key(key) = event::read()? else {
            return Ok(None);
        };
        if key.kind == KeyEventKind::Release {
            return Ok(None);
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        Ok(match key.code {
            KeyCode::Char('c') if control => Some(Key::Interrupt),
            KeyCode::Char('d') if control => Some(Key::End),
            KeyCode::Char('h') if control => Some(Key::Erase),
            KeyCode::Char('j' | 'm') if control => Some(Key::Enter),
            KeyCode::Char('u') if control => Some(Key::EraseAll),
            KeyCode::Char('w') if control => Some(Key::EraseWord),
            KeyCode::Char(character) if !control => Some(Key::Character(character)),
            KeyCode::Enter => Some(Key::Enter),
            KeyCode::Backspace => Some(Key::Erase),
            _ => None,
        })
    }

    fn close(&mut self) -> io::Result<()> {
        terminal::disable_raw_mode()
    }
}

/// Asks on a screen.
pub struct Prompt {
    asking: Arc<Asking>,
    /// Why nobody can be asked, if so.
    nobody: Option<String>,
    /// The questions that were answered with yes ahead of time, by their keys.
    yes: Vec<String>,
    /// The choices that were made ahead of time, by the keys of their questions; each answers once.
    settled: Mutex<BTreeMap<String, String>>,
}

struct Asking {
    screen: Screen,
    /// Held while a question is open: there is one keyboard, and one person.
    keyboard: Mutex<Box<dyn Keyboard>>,
    interrupted: Box<dyn Fn() + Send + Sync>,
}

impl Prompt {
    /// `nobody` says why there is nobody to ask, if so; `yes` are the keys of `--yes`. `interrupted` is called on Ctrl-C,
    /// which is only a key while a question is open.
    pub fn new(
        screen: Screen,
        keyboard: Box<dyn Keyboard>,
        nobody: Option<String>,
        yes: Vec<String>,
        interrupted: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let asking = Asking { screen, keyboard: Mutex::new(keyboard), interrupted: Box::new(interrupted) };
        Self { asking: Arc::new(asking), nobody, yes, settled: Mutex::default() }
    }

    /// The same, with choices that were made ahead of time, by the keys of their questions.
    pub fn settling(self, settled: BTreeMap<String, String>) -> Self {
        Self { settled: Mutex::new(settled), ..self }
    }

    /// The answer to this very question that was given ahead of time, and the option that gave it. What is typed can't be.
    fn given(&self, question: &Question) -> Option<(Answer, &'static str)> {
        let key = question.key.as_ref()?;
        match &question.kind {
            QuestionKind::Confirm | QuestionKind::Type { .. } => {
                self.yes.contains(key).then_some((Answer::Yes, "--yes"))
            }
            QuestionKind::Choose { choices } => {
                let choice = self.settled.lock().unwrap_or_else(PoisonError::into_inner).remove(key)?;
                choices.contains(&choice).then_some((Answer::Text(choice), "--settle"))
            }
            QuestionKind::Line { .. } | QuestionKind::Secret => None,
        }
    }
}

impl Ask for Prompt {
    fn ask(&self, question: Question) -> BoxFuture<'static, Answer> {
        if let Some((answer, option)) = self.given(&question) {
            let style = self.asking.screen.style();
            let shown = if let Answer::Text(choice) = &answer { choice } else { "yes" };
            let line = heading(&question, style)
                .with(Tone::Plain, &format!(" {shown}"))
                .with(Tone::Quiet, &format!(" ({option})"));
            let preface = preface(&question, self.asking.screen.window_columns());
            let lines: String = preface.iter().chain([&line]).map(|line| format!("{}\n", line.styled(style))).collect();
            self.asking.screen.say(&lines);
            return futures::future::ready(answer).boxed();
        }
        if let Some(why) = &self.nobody {
            return futures::future::ready(Answer::Nobody(why.clone())).boxed();
        }
        let asking = self.asking.clone();
        let (answer, answered) = oneshot::channel();
        thread::Builder::new()
            .name("question".to_owned())
            .spawn(move || {
                let mut keyboard = asking.keyboard.lock().unwrap_or_else(PoisonError::into_inner);
                if answer.is_canceled() {
                    return;
                }
                let given = asking.ask(keyboard.as_mut(), &question, || answer.is_canceled());
                // Nobody listens any more if the run was stopped meanwhile.
                drop(answer.send(given));
            })
            .expect("the system gives another thread");
        answered
            .map(|answer| answer.unwrap_or_else(|_| Answer::Nobody("the question could not be shown".to_owned())))
            .boxed()
    }
}

/// How typing a line ended.
enum Typed {
    Line(String),
    End,
    Interrupt,
    Abandoned,
}

impl Asking {
    fn ask(&self, keyboard: &mut dyn Keyboard, question: &Question, abandoned: impl Fn() -> bool) -> Answer {
        let window = self.screen.suspend();
        let answer = keyboard.open().and_then(|()| {
            let answer = self.converse(keyboard, &window, question, &abandoned);
            keyboard.close()?;
            answer
        });
        answer.unwrap_or_else(|error| Answer::Nobody(format!("the terminal could not be read: {error}")))
    }

    fn converse(
        &self,
        keyboard: &mut dyn Keyboard,
        window: &Suspended,
        question: &Question,
        abandoned: &dyn Fn() -> bool,
    ) -> io::Result<Answer> {
        let style = self.screen.style();
        let decision = matches!(question.kind, QuestionKind::Confirm | QuestionKind::Type { .. });
        let given_up = |why: &str| if decision { Answer::No } else { Answer::Nobody(why.to_owned()) };
        let preface = preface(question, self.screen.window_columns());
        if !preface.is_empty() {
            window.write("\r\n");
        }
        for line in preface {
            window.write(&format!("{}\r\n", line.styled(style)));
        }
        let lead = heading(question, style).with(Tone::Plain, " ");
        for _ in 0..TRIES {
            let shown = question.kind != QuestionKind::Secret;
            let typed = self.line(keyboard, window, &lead, shown, abandoned)?;
            let text = match typed {
                Typed::Line(text) => text,
                Typed::End => return Ok(given_up("standard input ended")),
                Typed::Abandoned => return Ok(given_up("the run was stopped")),
                Typed::Interrupt => {
                    (self.interrupted)();
                    return Ok(given_up("interrupted by Ctrl-C"));
                }
            };
            match judge(&question.kind, text) {
                Ok(answer) => return Ok(answer),
                Err(why) => window.write(&format!("  {}\r\n", Line::of(Tone::Waiting, &why).styled(style))),
            }
        }
        Ok(given_up("no answer fitted the question"))
    }

    /// One line of typing, after `lead`.
    fn line(
        &self,
        keyboard: &mut dyn Keyboard,
        window: &Suspended,
        lead: &Line,
        shown: bool,
        abandoned: &dyn Fn() -> bool,
    ) -> io::Result<Typed> {
        let style = self.screen.style();
        let mut text = String::new();
        // A question wider than the window is broken; typing goes on in its last line.
        let columns = self.screen.columns().saturating_sub(1).max(20);
        let mut lines = lead.clone().wrapped(columns.saturating_sub(8));
        let lead = lines.pop().unwrap_or_default().with(Tone::Plain, " ");
        for line in lines {
            window.write(&format!("{}\r\n", line.styled(style)));
        }
        loop {
            let room = columns.saturating_sub(lead.width());
            let typed = if shown { tail(&text, room) } else { String::new() };
            window.write(&format!("\r{}{typed}\x1b[K", lead.styled(style)));
            let ended = loop {
                if abandoned() {
                    break Some(Typed::Abandoned);
                }
                match keyboard.next(GLANCE)? {
                    None => continue,
                    Some(Key::Character(character)) => text.push(character),
                    Some(Key::Erase) => drop(text.pop()),
                    Some(Key::EraseWord) => {
                        let kept = text.trim_end().rfind(' ').map_or(0, |space| space + 1);
                        text.truncate(kept);
                    }
                    Some(Key::EraseAll) => text.clear(),
                    Some(Key::Enter) => break Some(Typed::Line(std::mem::take(&mut text))),
                    Some(Key::Interrupt) => break Some(Typed::Interrupt),
                    Some(Key::End) if text.is_empty() => break Some(Typed::End),
                    Some(Key::End) => continue,
                }
                break None;
            };
            if let Some(ended) = ended {
                window.write("\r\n");
                return Ok(ended);
            }
        }
    }
}

/// What was typed as an answer, or why it is none.
fn judge(kind: &QuestionKind, text: String) -> Result<Answer, String> {
    let word = text.trim();
    match kind {
        QuestionKind::Confirm => match word.to_lowercase().as_str() {
            "y" | "yes" => Ok(Answer::Yes),
            "" | "n" | "no" => Ok(Answer::No),
            _ => Err("y or n".to_owned()),
        },
        QuestionKind::Type { .. } if word.is_empty() => Ok(Answer::No),
        QuestionKind::Type { expected } if word == expected => Ok(Answer::Yes),
        QuestionKind::Type { expected } => Err(format!("that is not `{expected}`; an empty line is a no")),
        QuestionKind::Choose { choices } => {
            let fits = |choice: &&String| {
                choice.eq_ignore_ascii_case(word)
                    || (word.chars().count() == 1 && choice.to_lowercase().starts_with(&word.to_lowercase()))
            };
            let exact = choices.iter().find(|choice| *choice == word);
            let mut fitting = choices.iter().filter(fits);
            match (exact, fitting.next(), fitting.next()) {
                (Some(choice), _, _) | (None, Some(choice), None) => Ok(Answer::Text(choice.clone())),
                (None, Some(_), Some(_)) => Err(format!("more than one begins with `{word}`")),
                (None, None, _) => Err(format!("one of {}", choices.join(", "))),
            }
        }
        QuestionKind::Line { default: Some(default) } if word.is_empty() => Ok(Answer::Text(default.clone())),
        QuestionKind::Line { .. } | QuestionKind::Secret => Ok(Answer::Text(text)),
    }
}

/// What stands above a question, as it is said on a screen.
pub fn shown_above(question: &Question, screen: &Screen) -> String {
    let style = screen.style();
    let lines = preface(question, screen.window_columns());
    lines.iter().map(|line| format!("{}\n", line.styled(style))).collect()
}

/// The same in lines of at most so many columns.
fn preface(question: &Question, columns: Option<usize>) -> Vec<Line> {
    question.preface.iter().flat_map(|line| hanging(line, columns.unwrap_or(usize::MAX))).collect()
}

/// A line that, if it is too long, goes on further in than it began.
fn hanging(text: &str, columns: usize) -> Vec<Line> {
    let begun = text.trim_start();
    let indent = 2 + text.len() - begun.len();
    let line = Line::plain(begun);
    let room = columns.saturating_sub(indent + 1).max(20);
    if line.width() <= room {
        return vec![line.indented(indent)];
    }
    let lines = line.wrapped(room.saturating_sub(4)).into_iter().enumerate();
    lines.map(|(index, line)| line.indented(if index == 0 { indent } else { indent + 4 })).collect()
}

/// The question with what may be answered.
fn heading(question: &Question, style: Style) -> Line {
    let line =
        Line::of(Tone::Waiting, style.symbols.question).with(Tone::Plain, " ").with(Tone::Strong, &question.text);
    match &question.kind {
        QuestionKind::Confirm => line.with(Tone::Quiet, " [y/N]"),
        QuestionKind::Type { expected } => {
            line.with(Tone::Quiet, " type ").with(Tone::Destroys, expected).with(Tone::Quiet, " to go on:")
        }
        QuestionKind::Choose { choices } => line.with(Tone::Quiet, &format!(" ({})", choices.join(", "))),
        QuestionKind::Line { default: Some(default) } => line.with(Tone::Quiet, &format!(" [{default}]")),
        QuestionKind::Line { default: None } => line,
        QuestionKind::Secret => line.with(Tone::Quiet, " (not shown)"),
    }
}

/// The end of a text that fits `width` columns: where the typing is.
fn tail(text: &str, width: usize) -> String {
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        let line = Line::plain(&kept.iter().collect::<String>());
        if line.width() <= width || kept.is_empty() {
            return line.to_string();
        }
        kept.remove(0);
    }
}
