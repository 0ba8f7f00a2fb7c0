//! From Ctrl-C, in the middle of a loop that never waits, to the end of the process.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    contest::Times,
    cozyscript,
    table::{Row, millis},
    write,
};

const ROUNDS: usize = 200;

/// The programs that want the processors, too, while it is measured.
const BESIDE: usize = 2;

pub fn rows(folder: &Path) -> Vec<Row> {
    write(folder, "busy.rhai", "step \"busy\" { print(\"begun\"); loop { } }\n");
    let mut beside: Vec<Child> = (0..BESIDE).map(|_| load()).collect();
    let times: Times = (0..ROUNDS).map(|_| stopped(folder)).collect();
    for load in &mut beside {
        load.kill().and_then(|()| load.wait()).expect("what was started here can be ended");
    }
    let worst = times.quantile(0.99);
    let subject = format!("Ctrl-C to the end of a busy run, beside {BESIDE} others");
    let slowest = Row::new("… the slowest of 100", millis(worst), String::new());
    vec![Row::timed(&subject, &times), slowest.target("≤50 ms", worst <= Duration::from_millis(50))]
}

fn load() -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", "while :; do :; done"]).spawn().expect("there is a shell")
}

fn stopped(folder: &Path) -> Duration {
    let mut command = cozyscript(folder, &["busy.rhai"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut run = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut line = String::new();
    BufReader::new(run.stdout.take().expect("it is piped")).read_line(&mut line).expect("it prints");
    thread::sleep(Duration::from_millis(5));
    let started = Instant::now();
    kill_process(Pid::from_child(&run), Signal::INT).expect("it is there");
    let status = run.wait().expect("it is a child");
    let took = started.elapsed();
    assert_eq!(status.code(), Some(3), "it ended with {status}");
    took
}
