use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use cozyscript::{
    event::What,
    ui::{
        Verbosity,
        json::Json,
        live::Live,
        screen::{Screen, Stream},
    },
};

use super::{columns, event, seconds, uncoloured};

/// What was written to a stream.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe that nobody reads.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal for what is said, and a terminal or a file for the data.
pub fn screen(data_on_terminal: bool) -> (Screen, Written, Written) {
    let (data, said) = (Written::default(), Written::default());
    let screen = Screen::new(
        Box::new(Live::new(Verbosity::Normal, uncoloured(), uncoloured())),
        uncoloured(),
        Stream::new(data.clone(), data_on_terminal),
        Stream::new(said.clone(), true),
        Box::new(|| Some(columns(40))),
    );
    (screen, data, said)
}

fn wait() -> What {
    What::WaitStarted { wait: 1, what: "etcd".to_owned(), deadline: seconds(60), elapsed: seconds(0) }
}

fn printed() -> What {
    What::Printed { text: "data".to_owned() }
}

const REGION: &str = "etcd                     ";

#[test]
fn data_in_a_file_leaves_the_region_alone() {
    let (screen, data, said) = screen(false);
    let mut reporter = screen.reporter();
    reporter.report(&event(seconds(0), "", wait()));
    screen.tick(seconds(1));
    assert!(said.take().contains(REGION));
    reporter.report(&event(seconds(2), "", printed()));
    assert_eq!(data.take(), "data\n");
    assert!(!said.take().contains("\x1b[J"));
}

#[test]
fn data_on_the_same_terminal_goes_above_the_region() {
    let (screen, data, said) = screen(true);
    let mut reporter = screen.reporter();
    reporter.report(&event(seconds(0), "", wait()));
    screen.tick(seconds(1));
    said.take();
    reporter.report(&event(seconds(2), "", printed()));
    assert_eq!(data.take(), "data\n");
    let drawn = said.take();
    let (cleared, redrawn) = (drawn.find("\x1b[J").unwrap(), drawn.find(REGION).unwrap());
    assert!(cleared < redrawn, "{drawn:?}");
    assert!(drawn.starts_with("\x1b[?2026h") && drawn.ends_with("\x1b[?2026l"), "{drawn:?}");
}

#[test]
fn a_burst_is_written_with_the_next_frame() {
    let (screen, data, _said) = screen(true);
    let mut reporter = screen.reporter();
    reporter.report(&event(seconds(1), "", printed()));
    reporter.report(&event(seconds(1), "", printed()));
    assert_eq!(data.take(), "data\n");
    screen.tick(seconds(1));
    assert_eq!(data.take(), "data\n");
}

#[test]
fn nothing_is_written_while_a_question_is_open() {
    let (screen, data, said) = screen(true);
    let mut reporter = screen.reporter();
    reporter.report(&event(seconds(0), "", wait()));
    screen.tick(seconds(1));
    let open = screen.suspend();
    assert!(said.take().ends_with("\x1b[J\x1b[?25h"));
    reporter.report(&event(seconds(2), "", printed()));
    screen.tick(seconds(3));
    assert_eq!((data.take(), said.take()), (String::new(), String::new()));
    drop(open);
    screen.tick(seconds(4));
    assert_eq!(data.take(), "data\n");
    assert!(said.take().contains(REGION));
}

#[test]
fn a_closed_screen_has_its_cursor_and_no_region() {
    let (screen, _data, said) = screen(true);
    screen.reporter().report(&event(seconds(0), "", wait()));
    screen.tick(seconds(1));
    said.take();
    screen.close().unwrap();
    assert_eq!(said.take(), "\r\x1b[1A\x1b[J\x1b[?25h");
    screen.tick(seconds(2));
    assert_eq!(said.take(), "");
}

#[test]
fn a_pipe_that_nobody_reads_ends_no_run_and_is_told_at_the_end() {
    let said = Written::default();
    let screen = Screen::new(
        Box::new(Json),
        uncoloured(),
        Stream::new(Closed, false),
        Stream::new(said.clone(), false),
        Box::new(|| None),
    );
    screen.reporter().report(&event(seconds(0), "", printed()));
    screen.reporter().report(&event(seconds(1), "", printed()));
    assert_eq!(screen.close().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(said.take(), "");
}
