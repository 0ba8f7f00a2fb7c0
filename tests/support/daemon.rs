//! Servers of other people that a test runs on loopback, if they are installed here.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A running server; it ends when it is dropped.
pub struct Daemon {
    child: Child,
    pub port: u16,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Daemon {
    /// Starts a program that listens on the port that is put in place of `PORT`; none, and said so, if it is not installed.
    pub fn start(program: &str, arguments: &[&str]) -> Option<Self> {
        Self::start_at(program, free_port(), arguments)
    }

    pub fn start_at(program: &str, port: u16, arguments: &[&str]) -> Option<Self> {
        let arguments = arguments.iter().map(|argument| argument.replace("PORT", &port.to_string()));
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            let line = format!("real arm: skipped, because `{program}` is not installed\n");
            std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
            return None;
        };
        let daemon = Self { child, port };
        let begun = Instant::now();
        while TcpStream::connect(daemon.address()).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "`{program}` does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Some(daemon)
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().expect("a child can be waited for");
    }
}

/// A port that nobody listens on for now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Redis that keeps nothing.
pub fn redis(arguments: &[&str]) -> Option<Daemon> {
    let own = ["--port", "PORT", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    Daemon::start("redis-server", &[&own, arguments].concat())
}
