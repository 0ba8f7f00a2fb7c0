//! The real program, run hermetically: an empty environment, a folder of its own, no terminal.
//!
//! What it said must be what the test says: standard output in full, warnings and errors by name, and the exit status.

use std::{
    cell::Cell,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use cozyscript::{
    event::Event,
    run::journal::{format::Record, read},
};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything that a test waits for, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A runbook in a folder of its own, with its journals.
pub struct Runbook {
    folder: TempDir,
}

impl Runbook {
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = Self { folder };
        book.write("book.rhai", text);
        book
    }

    /// With a file beside it.
    pub fn file(self, name: &str, text: &str) -> Self {
        self.write(name, text);
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Changes the runbook's text, which must change.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.folder().join("book.rhai")).unwrap();
        assert!(text.contains(from), "`{from}` is not in the runbook");
        self.write("book.rhai", &text.replace(from, to));
    }

    pub fn run(&self) -> Call {
        self.call(["book.rhai"])
    }

    pub fn resume(&self) -> Call {
        self.call(["resume"])
    }

    /// Any command line.
    pub fn call<const N: usize>(&self, arguments: [&str; N]) -> Call {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cozyscript"));
        command.args(arguments).current_dir(self.folder()).env_clear();
        command.env("HOME", self.folder()).env("COZYSCRIPT_JOURNAL", self.folder().join("runs"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Call { command }
    }

    /// The one journal's file.
    #[track_caller]
    pub fn journal(&self) -> PathBuf {
        let runs = fs::read_dir(self.folder().join("runs")).unwrap();
        let mut files: Vec<PathBuf> = runs.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "there is one run: {files:?}");
        files.pop().unwrap()
    }

    /// The one journal's records, as the program reads them.
    #[track_caller]
    pub fn lines(&self) -> Vec<Record> {
        let journal = read::read(&fs::read(self.journal()).unwrap()).unwrap();
        journal.lines.into_iter().map(|line| line.record).collect()
    }

    /// The same as JSON.
    #[track_caller]
    pub fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.journal()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A command line that is about to run.
#[must_use]
pub struct Call {
    command: Command,
}

impl Call {
    pub fn args<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Another folder below the runbook's to be called from.
    pub fn from(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it; it must succeed.
    #[track_caller]
    pub fn done(self) -> Ended {
        self.fails(0)
    }

    /// Runs it; it must end with this status.
    #[track_caller]
    pub fn fails(self, status: i32) -> Ended {
        self.start().ends(status)
    }

    pub fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let (out, said) = (Arc::default(), Arc::default());
        let readers = vec![collect(child.stdout.take().unwrap(), &out), collect(child.stderr.take().unwrap(), &said)];
        Running { child, out, said, keyboard: None, readers }
    }

    /// Starts it on a terminal of its own, whose keyboard the test has; all that it writes is standard error then.
    pub fn start_on_terminal(self) -> Running {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        tcsetwinsize(&keyboard, Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let keyboard = File::from(keyboard);
        let name = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let stream = || OpenOptions::new().read(true).write(true).custom_flags(NOCTTY).open(&name).unwrap();
        // The terminal's Ctrl-C reaches the programs of the session that it belongs to.
        let mut command = Command::new("/usr/bin/setsid");
        command.arg("--ctty").arg(self.command.get_program()).args(self.command.get_args()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TERM", "xterm").env("LANG", "C.UTF-8").current_dir(self.command.get_current_dir().unwrap());
        let child = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        let said = Arc::default();
        let readers = vec![collect(keyboard.try_clone().unwrap(), &said)];
        Running { child, out: Arc::default(), said, keyboard: Some(keyboard), readers }
    }
}

/// `O_NOCTTY`: the test does not take the terminal for its own.
const NOCTTY: i32 = OpenptFlags::NOCTTY.bits().cast_signed();

type Text = Arc<Mutex<Vec<u8>>>;

fn collect(mut from: impl Read + Send + 'static, to: &Text) -> JoinHandle<()> {
    let to = to.clone();
    thread::spawn(move || {
        let mut piece = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            to.lock().unwrap().extend_from_slice(&piece[..length]);
        }
    })
}

fn text(of: &Text) -> String {
    String::from_utf8(of.lock().unwrap().clone()).expect("the program writes UTF-8")
}

/// A program that runs.
#[must_use]
pub struct Running {
    child: Child,
    out: Text,
    said: Text,
    keyboard: Option<File>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Waits until it has written this.
    #[track_caller]
    pub fn until(self, expected: &str) -> Self {
        self.until_times(1, expected)
    }

    /// Waits until it has said this so often.
    #[track_caller]
    pub fn until_times(self, times: usize, expected: &str) -> Self {
        let started = Instant::now();
        let said = |to: &Text| text(to).matches(expected).count();
        while said(&self.out) + said(&self.said) < times {
            assert!(started.elapsed() < PATIENCE, "it never said `{expected}`:\n{}", text(&self.said));
            thread::sleep(Duration::from_millis(2));
        }
        self
    }

    /// Waits until this holds.
    #[track_caller]
    pub fn once(self, holds: impl Fn() -> bool) -> Self {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < PATIENCE, "it never came to that:\n{}", text(&self.said));
            thread::sleep(Duration::from_millis(2));
        }
        self
    }

    /// Types on its terminal.
    #[track_caller]
    pub fn types(self, keys: &str) -> Self {
        self.keyboard.as_ref().expect("it has a terminal").write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Sends a signal: `INT`, `TERM`, `HUP`, `KILL`.
    #[track_caller]
    pub fn signal(self, name: &str) -> Self {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success(), "the process is there");
        self
    }

    /// Waits for its end, which must have this status; -1 stands for a signal.
    #[track_caller]
    pub fn ends(mut self, status: i32) -> Ended {
        let started = Instant::now();
        let ended = loop {
            match self.child.try_wait().unwrap() {
                Some(ended) => break ended,
                None if started.elapsed() > PATIENCE => {
                    self.child.kill().unwrap();
                    panic!("it did not end:\n{}", text(&self.said));
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        // A terminal ends with its last program.
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let (stdout, stderr) = (text(&self.out), text(&self.said));
        assert_eq!(ended.code().unwrap_or(-1), status, "the exit status\nstdout:\n{stdout}\nstderr:\n{stderr}");
        Ended { stdout, stderr, stdout_is_said: Cell::new(false), trouble_is_said: Cell::new(status == -1) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves no process behind.
        if !self.readers.is_empty() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A program that has ended as it should, and what it wrote.
pub struct Ended {
    pub stdout: String,
    pub stderr: String,
    stdout_is_said: Cell<bool>,
    trouble_is_said: Cell<bool>,
}

impl Ended {
    /// All of standard output; a test that doesn't say it says that there is none.
    #[track_caller]
    pub fn stdout(self, expected: &str) -> Self {
        self.stdout_is_said.set(true);
        assert_eq!(self.stdout, expected, "standard output; and standard error:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn stdout_has(self, expected: &str) -> Self {
        self.stdout_is_said.set(true);
        assert!(self.stdout.contains(expected), "`{expected}` is not in:\n{}", self.stdout);
        self
    }

    /// Words of standard error, wherever its lines are broken.
    #[track_caller]
    pub fn stderr_has(self, expected: &str) -> Self {
        self.trouble_is_said.set(true);
        // Reports are broken into lines of a window.
        let unbroken = self.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = self.stderr.contains(expected) || unbroken.contains(expected);
        assert!(found, "`{expected}` is not in:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn stderr_lacks(self, unexpected: &str) -> Self {
        assert!(!self.stderr.contains(unexpected), "`{unexpected}` is in:\n{}", self.stderr);
        self
    }

    /// The events of `--json`.
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        self.stdout_is_said.set(true);
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// The lines of JSON on standard output.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        self.stdout_is_said.set(true);
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        if !self.stdout_is_said.get() {
            assert_eq!(self.stdout, "", "nobody said that there is standard output");
        }
        assert!(!self.stderr.contains("panicked"), "it panicked:\n{}", self.stderr);
        let trouble = ["error[", "warning[", "] warning", "error:"];
        if !self.trouble_is_said.get() {
            let found = self.stderr.lines().find(|line| trouble.iter().any(|word| line.contains(word)));
            assert_eq!(found, None, "nobody said that there is trouble:\n{}", self.stderr);
        }
    }
}
