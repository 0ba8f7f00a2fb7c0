//! What people and programs see of a run.
//!
//! A view turns events into lines and never touches a terminal; the [`screen::Screen`] writes the lines and never looks
//! into events. Data goes to standard output, everything else to standard error.

mod closing;
pub mod diagnostic;
pub mod hush;
pub mod json;
pub mod line;
pub mod live;
pub mod markdown;
mod ongoing;
pub mod plain;
mod progress;
pub mod prompt;
pub mod region;
pub mod screen;
pub mod style;
pub mod table;
pub mod ticker;

use std::{io, time::Duration};

use self::{
    json::Json,
    line::Line,
    live::Live,
    plain::Plain,
    screen::Screen,
    style::{Color, Style, Terminal},
};
use crate::event::Event;

/// How a person wants to see the run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub color: Color,
    pub verbosity: Verbosity,
    /// One JSON object an event on standard output, and nothing for people.
    pub json: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only data, warnings, failures and the end.
    Quiet,
    #[default]
    Normal,
    /// Also what changed nothing: short waits and requests, objects one by one, replayed steps one by one.
    Verbose,
}

/// The columns and rows of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// Something to be written for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// What the script gives out, for standard output.
    Data(String),
    /// What is said about the run, for standard error.
    Said(Line),
    Bell,
}

/// How a run is seen: what is written because of an event, and what stands at the bottom of the window meanwhile.
pub trait View: Send {
    fn told(&mut self, event: &Event, size: Size) -> Vec<Shown>;

    /// What is to be said because time goes by.
    fn tick(&mut self, now: Duration) -> Vec<Shown>;

    fn region(&self, now: Duration, size: Size) -> Vec<Line>;
}

/// The screen on this process' streams, with the view that suits them.
pub fn open(options: Options, terminal: &Terminal) -> Screen {
    let said = Style::new(options.color, terminal, terminal.errors);
    let data = Style::new(options.color, terminal, terminal.output);
    let live = terminal.errors && !terminal.dumb;
    let view: Box<dyn View> = match options {
        Options { json: true, .. } => Box::new(Json),
        Options { verbosity, .. } if live => Box::new(Live::new(verbosity, said, data)),
        Options { verbosity, .. } => Box::new(Plain::new(verbosity, said, data)),
    };
    Screen::new(
        view,
        said,
        screen::Stream::new(io::stdout(), terminal.output),
        screen::Stream::new(io::stderr(), live),
        Box::new(screen::window),
    )
}
