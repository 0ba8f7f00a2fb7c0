//! The one place that writes to the terminal: reporters, prompts and the ticker share it.

use std::{
    io::{self, Write},
    panic::{self, PanicHookInfo},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    thread,
    time::Duration,
};

use super::{
    Shown, Size, View,
    region::{HOLD, RELEASE, Region},
    style::Style,
};
use crate::{event::Event, host::events::Reporter};

/// Drawing more often than this is for nobody's eyes.
const FRAME: Duration = Duration::from_millis(50);

/// How often a panicking thread tries to get the screen from the thread that draws.
const PATIENCE: usize = 10_000;

/// This process' window. Its clones are the same screen.
#[derive(Clone)]
pub struct Screen(Arc<Mutex<Window>>);

/// A stream that lines are written to.
pub struct Stream {
    to: Box<dyn Write + Send>,
    terminal: bool,
    failed: Option<io::Error>,
}

struct Window {
    view: Box<dyn View>,
    style: Style,
    data: Stream,
    said: Stream,
    size: Box<dyn Fn() -> Option<Size> + Send>,
    region: Region,
    /// What waits for the next frame, or for the end of a question.
    pending: Vec<Shown>,
    drawn: Option<Duration>,
    suspended: bool,
    closed: bool,
}

impl Stream {
    /// `terminal` says whether cursors can be moved on it.
    pub fn new(to: impl Write + Send + 'static, terminal: bool) -> Self {
        Self { to: Box::new(to), terminal, failed: None }
    }

    /// Writes, until the first time that nobody reads any more: a closed pipe must not end a run halfway.
    fn write(&mut self, text: &str) {
        if self.failed.is_none() && !text.is_empty() {
            self.failed = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush()).err();
        }
    }
}

/// The size of the window of this process, if it has one.
pub fn window() -> Option<Size> {
    let (columns, rows) = crossterm::terminal::size().ok()?;
    (columns > 0 && rows > 0).then(|| Size { columns: columns.into(), rows: rows.into() })
}

impl Screen {
    /// `data` is standard output, `said` standard error; `size` is asked before each frame.
    pub fn new(
        view: Box<dyn View>,
        style: Style,
        data: Stream,
        said: Stream,
        size: Box<dyn Fn() -> Option<Size> + Send>,
    ) -> Self {
        Self(Arc::new(Mutex::new(Window {
            view,
            style,
            data,
            said,
            size,
            region: Region::default(),
            pending: Vec::new(),
            drawn: None,
            suspended: false,
            closed: false,
        })))
    }

    /// What shows events on this screen.
    pub fn reporter(&self) -> Box<dyn Reporter> {
        Box::new(self.clone())
    }

    /// Redraws what goes on; `now` is the time on the clock that events carry. See [`super::ticker`].
    pub fn tick(&self, now: Duration) {
        let mut window = self.lock();
        let shown = window.view.tick(now);
        window.pending.extend(shown);
        window.frame(now);
    }

    /// Says something beside the events, such as a report on a script that doesn't parse: lines as they are.
    pub fn say(&self, text: &str) {
        let mut window = self.lock();
        window.flush();
        window.clear();
        let text = text.strip_suffix('\n').unwrap_or(text);
        window.said.write(&format!("{text}\n"));
    }

    /// Takes the region away and holds back everything else until the guard is dropped.
    pub fn suspend(&self) -> Suspended {
        let mut window = self.lock();
        window.flush();
        window.clear();
        window.suspended = true;
        Suspended(self.clone())
    }

    /// The style of what is said here.
    pub fn style(&self) -> Style {
        self.lock().style
    }

    /// How many columns there are to write into.
    pub fn columns(&self) -> usize {
        self.lock().size().columns
    }

    /// How many columns the window has; none off a terminal, where lines are left as they are.
    pub fn window_columns(&self) -> Option<usize> {
        let window = self.lock();
        window.said.terminal.then(|| window.size().columns)
    }

    /// Writes what is pending and gives the window back: to be called before the process ends.
    ///
    /// # Errors
    /// The first error of writing to a stream; whatever came after it was not written.
    pub fn close(&self) -> io::Result<()> {
        let mut window = self.lock();
        window.suspended = false;
        window.flush();
        window.clear();
        window.closed = true;
        let Window { data, said, .. } = &mut *window;
        data.failed.take().or(said.failed.take()).map_or(Ok(()), Err)
    }

    /// From now on a panic leaves the terminal usable, and says what `report` makes of it.
    pub fn on_panic(&self, report: impl Fn(&PanicHookInfo<'_>) -> String + Send + Sync + 'static) {
        let shared = Arc::downgrade(&self.0);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let screen = shared.upgrade();
            match screen.as_ref().and_then(|window| restored(window)) {
                Some(mut window) => window.said.write(&report(panic)),
                // Whoever draws has panicked.
                None => before(panic),
            }
        }));
    }

    /// The terminal as a program should leave it that ends at once, with whoever draws cut off.
    pub fn restore(&self) {
        drop(restored(&self.0));
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window without its region and with its cursor, unless the thread that panics is the one that draws.
fn restored(window: &Mutex<Window>) -> Option<MutexGuard<'_, Window>> {
    let raw = crossterm::terminal::is_raw_mode_enabled().unwrap_or(false);
    let cooked = if raw { crossterm::terminal::disable_raw_mode() } else { Ok(()) };
    for _ in 0..PATIENCE {
        let mut window = match window.try_lock() {
            Ok(window) => window,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                thread::yield_now();
                continue;
            }
        };
        window.flush();
        window.clear();
        if let Err(error) = cooked {
            window.said.failed.get_or_insert(error);
        }
        return Some(window);
    }
    None
}

impl Reporter for Screen {
    fn report(&mut self, event: &Event) {
        let mut window = self.lock();
        let size = window.size();
        let shown = window.view.told(event, size);
        window.pending.extend(shown);
        let due = window.drawn.is_none_or(|drawn| event.at.abs_diff(drawn) >= FRAME);
        if !window.pending.is_empty() && (due || !window.said.terminal) {
            window.frame(event.at);
        }
    }
}

impl Window {
    fn size(&self) -> Size {
        // Without a terminal there is no window to be measured, and looking for one is slow.
        let window = if self.said.terminal || self.data.terminal { (self.size)() } else { None };
        window.unwrap_or(Size { columns: 80, rows: 24 })
    }

    fn frame(&mut self, now: Duration) {
        if self.suspended || self.closed || !self.said.terminal {
            self.flush();
            return;
        }
        self.drawn = Some(now);
        let held = !self.pending.is_empty();
        if held {
            self.said.write(HOLD);
            self.flush();
        }
        let size = self.size();
        let lines = self.view.region(now, size);
        let lines = lines.iter().map(|line| (line.styled(self.style), line.width())).collect();
        let drawn = self.region.draw(lines, size.columns);
        match (held, drawn.is_empty()) {
            (true, _) => self.said.write(&format!("{drawn}{RELEASE}")),
            (false, false) => self.said.write(&format!("{HOLD}{drawn}{RELEASE}")),
            (false, true) => {}
        }
    }

    /// Writes what is pending; the region is gone afterwards if it was in the way.
    fn flush(&mut self) {
        if self.suspended {
            return;
        }
        for shown in std::mem::take(&mut self.pending) {
            match shown {
                Shown::Data(text) => {
                    if self.data.terminal {
                        self.clear();
                    }
                    self.data.write(&format!("{text}\n"));
                }
                Shown::Said(line) => {
                    self.clear();
                    self.said.write(&format!("{}\n", line.styled(self.style)));
                }
                Shown::Bell if self.said.terminal => self.said.write("\x07"),
                Shown::Bell => {}
            }
        }
    }

    fn clear(&mut self) {
        if !self.region.is_empty() {
            let columns = self.size().columns;
            let cleared = self.region.clear(columns);
            self.said.write(&cleared);
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.suspended = false;
        self.flush();
        self.clear();
    }
}

/// The screen while somebody else writes to it.
pub struct Suspended(Screen);

impl Suspended {
    /// Writes past everything that is held back.
    pub fn write(&self, text: &str) {
        self.0.lock().said.write(text);
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        self.0.lock().suspended = false;
    }
}
