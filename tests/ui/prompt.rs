use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use cozyscript::{
    host::ask::{Answer, Ask, Question, QuestionKind},
    ui::prompt::{Key, Keyboard, Prompt},
};

use super::screen::{Written, screen};

/// Somebody types this, then the terminal hangs up.
struct Typing(VecDeque<Key>);

impl Keyboard for Typing {
    fn open(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn next(&mut self, _patience: Duration) -> io::Result<Option<Key>> {
        self.0.pop_front().map(Some).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `\n` is Enter, `<` Backspace, `^` Ctrl-C, `$` Ctrl-D.
fn keys(typed: &str) -> Box<dyn Keyboard> {
    let keys = typed.chars().map(|character| match character {
        '\n' => Key::Enter,
        '<' => Key::Erase,
        '^' => Key::Interrupt,
        '$' => Key::End,
        character => Key::Character(character),
    });
    Box::new(Typing(keys.collect()))
}

fn question(kind: QuestionKind) -> Question {
    Question { preface: vec!["srv1 dies".to_owned()], text: "Go?".to_owned(), kind, key: Some("nuke@lab".to_owned()) }
}

fn waited(answer: impl Future<Output = Answer>) -> Answer {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
}

fn asked(kind: QuestionKind, typed: &str) -> (Answer, String, usize) {
    asked_of(question(kind), typed)
}

fn asked_of(question: Question, typed: &str) -> (Answer, String, usize) {
    let (screen, _data, said): (_, _, Written) = screen(true);
    let interrupts = Arc::new(AtomicUsize::new(0));
    let count = interrupts.clone();
    let prompt = Prompt::new(screen, keys(typed), None, Vec::new(), move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let answer = waited(prompt.ask(question));
    (answer, said.take(), interrupts.load(Ordering::Relaxed))
}

fn answer(kind: QuestionKind, typed: &str) -> Answer {
    asked(kind, typed).0
}

fn choose() -> QuestionKind {
    QuestionKind::Choose { choices: vec!["retry".to_owned(), "skip".to_owned(), "stop".to_owned()] }
}

fn named() -> QuestionKind {
    QuestionKind::Type { expected: "lab".to_owned() }
}

fn text(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

#[test]
fn only_a_yes_is_a_yes() {
    assert_eq!(answer(QuestionKind::Confirm, "y\n"), Answer::Yes);
    assert_eq!(answer(QuestionKind::Confirm, "Yes\n"), Answer::Yes);
    assert_eq!(answer(QuestionKind::Confirm, "\n"), Answer::No);
    assert_eq!(answer(QuestionKind::Confirm, "n\n"), Answer::No);
    assert_eq!(answer(QuestionKind::Confirm, "what\ny\n"), Answer::Yes);
    assert_eq!(answer(QuestionKind::Confirm, "a\nb\nc\ny\n"), Answer::No);
}

#[test]
fn a_name_is_typed_in_full() {
    assert_eq!(answer(named(), "lab\n"), Answer::Yes);
    assert_eq!(answer(named(), "lax<b\n"), Answer::Yes);
    assert_eq!(answer(named(), "y\nyes\nla\n"), Answer::No);
    assert_eq!(answer(named(), "\n"), Answer::No);
}

#[test]
fn a_choice_is_made_by_its_name_or_its_first_letter() {
    assert_eq!(answer(choose(), "r\n"), text("retry"));
    assert_eq!(answer(choose(), "SKIP\n"), text("skip"));
    let (answer, shown, _) = asked(choose(), "s\nstop\n");
    assert_eq!(answer, text("stop"));
    assert!(shown.contains("more than one begins with `s`"), "{shown:?}");
}

#[test]
fn a_line_may_have_a_default() {
    let default = || QuestionKind::Line { default: Some("eu".to_owned()) };
    assert_eq!(answer(default(), "\n"), text("eu"));
    assert_eq!(answer(default(), "us\n"), text("us"));
    assert_eq!(answer(QuestionKind::Line { default: None }, "\n"), text(""));
}

#[test]
fn a_secret_is_never_shown() {
    let (answer, shown, _) = asked(QuestionKind::Secret, "hunter2\n");
    assert_eq!(answer, text("hunter2"));
    assert!(!shown.contains('2') && !shown.contains("hunter"), "{shown:?}");
}

#[test]
fn the_preface_stands_above_the_question() {
    let (_, shown, _) = asked(QuestionKind::Confirm, "y\n");
    assert!(shown.starts_with("\r\n  srv1 dies\r\n"), "{shown:?}");
    assert!(shown.contains("? Go? [y/N] y"), "{shown:?}");
}

#[test]
fn a_preface_wider_than_the_window_goes_on_further_in() {
    let dies = format!("  - {}", "namespace/shop ".repeat(8));
    let question = Question { preface: vec![dies], ..question(QuestionKind::Confirm) };
    let (_, shown, _) = asked_of(question, "y\n");
    let lines: Vec<&str> = shown.lines().map(str::trim_end).skip(1).take(2).collect();
    assert_eq!(lines, ["    - namespace/shop namespace/shop", "        namespace/shop namespace/shop"]);
}

#[test]
fn the_end_of_input_is_a_no_or_nobody() {
    assert_eq!(answer(QuestionKind::Confirm, "$"), Answer::No);
    assert_eq!(answer(named(), "$"), Answer::No);
    assert_eq!(answer(choose(), "$"), Answer::Nobody("standard input ended".to_owned()));
    assert!(matches!(answer(QuestionKind::Confirm, "y"), Answer::Nobody(why) if why.contains("could not be read")));
}

#[test]
fn ctrl_c_stops_the_run_and_answers_nothing() {
    let (answer, _, interrupts) = asked(QuestionKind::Confirm, "y^");
    assert_eq!((answer, interrupts), (Answer::No, 1));
}

#[test]
fn yes_ahead_of_time_answers_exactly_its_question() {
    let ask = |key: &str, kind| {
        let (screen, _, said) = screen(true);
        let prompt = Prompt::new(screen, keys(""), Some("nobody home".to_owned()), vec!["nuke@lab".to_owned()], || ());
        let asked = Question { key: Some(key.to_owned()), ..question(kind) };
        (waited(prompt.ask(asked)), said.take())
    };
    let (answer, shown) = ask("nuke@lab", named());
    assert_eq!(answer, Answer::Yes);
    assert!(shown.contains("srv1 dies") && shown.contains("yes (--yes)"), "{shown:?}");
    let nobody = Answer::Nobody("nobody home".to_owned());
    assert_eq!(ask("nuke@prod", named()).0, nobody);
    assert_eq!(ask("nuke@lab", QuestionKind::Secret).0, nobody);
}

#[test]
fn a_choice_ahead_of_time_answers_its_question_once() {
    let (screen, _, said) = screen(true);
    let settled = [("nuke@lab".to_owned(), "stop".to_owned()), ("17".to_owned(), "go".to_owned())].into();
    let prompt = Prompt::new(screen, keys(""), Some("nobody home".to_owned()), Vec::new(), || ()).settling(settled);
    let ask = |key: &str, kind| waited(prompt.ask(Question { key: Some(key.to_owned()), ..question(kind) }));
    let nobody = Answer::Nobody("nobody home".to_owned());
    assert_eq!(ask("18", choose()), nobody);
    assert_eq!(ask("nuke@lab", named()), nobody, "what must be typed can't be chosen");
    assert_eq!(ask("nuke@lab", choose()), text("stop"));
    assert!(said.take().contains("stop (--settle)"));
    assert_eq!(ask("nuke@lab", choose()), nobody, "another question may have that name");
    assert_eq!(ask("17", choose()), nobody, "`go` is none of the choices");
}

/// Nobody types anything; what happens to the terminal is told.
struct Idle(mpsc::Sender<&'static str>);

impl Keyboard for Idle {
    fn open(&mut self) -> io::Result<()> {
        self.0.send("taken").map_err(io::Error::other)
    }

    fn next(&mut self, _patience: Duration) -> io::Result<Option<Key>> {
        Ok(None)
    }

    fn close(&mut self) -> io::Result<()> {
        self.0.send("given back").map_err(io::Error::other)
    }
}

#[test]
fn a_question_that_nobody_waits_for_any_more_gives_the_terminal_back() {
    let (screen, _data, _said) = screen(true);
    let (tell, told) = mpsc::channel();
    let prompt = Prompt::new(screen, Box::new(Idle(tell)), None, Vec::new(), || ());
    let answer = prompt.ask(question(QuestionKind::Confirm));
    assert_eq!(told.recv(), Ok("taken"));
    drop(answer);
    assert_eq!(told.recv(), Ok("given back"));
}
