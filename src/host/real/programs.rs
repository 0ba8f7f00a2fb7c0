//! Programs of this machine: each in a process group of its own, so that a signal reaches all that it started, and the
//! Ctrl-C of a terminal none of it.

use std::{
    io::{self, ErrorKind},
    os::{
        fd::OwnedFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, future::BoxFuture, stream};
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe::{Receiver, Sender},
    sync::mpsc,
};

use crate::host::programs::{Exit, Program, Programs, Said, Saying};

/// How long a program that is asked to end may take before it is made to.
const GRACE: Duration = Duration::from_secs(2);

/// How long after a program's end its output is waited for: what it left running may hold it open for ever.
const REST: Duration = Duration::from_millis(200);

/// Chunks that nobody has taken yet; a program that says more has to wait.
const UNHEARD: usize = 16;

const CHUNK: usize = 16 << 10;

/// The programs of this machine.
pub struct LocalPrograms;

impl Programs for LocalPrograms {
    fn start(&self, program: Program) -> BoxFuture<'static, io::Result<Saying>> {
        Box::pin(async move {
            let mut started = Started::of(&program)?;
            let (tell, told) = mpsc::channel(UNHEARD);
            let ears = [
                (started.child.stdout.take().map(OwnedFd::from), Said::Output as Ear),
                (started.child.stderr.take().map(OwnedFd::from), Said::Error as Ear),
            ];
            let input = started.child.stdin.take().map(OwnedFd::from);
            let mut pipes = Vec::new();
            for (pipe, ear) in ears {
                let pipe = Receiver::from_owned_fd(pipe.expect("the stream was asked for as a pipe"))?;
                pipes.push(listen(pipe, ear, tell.clone()));
            }
            let input = input.map(Sender::from_owned_fd).transpose()?;
            tokio::spawn(attend(started, pipes, input, program.input, tell));
            Ok(stream::unfold(told, |mut told| async move { Some((told.recv().await?, told)) }).boxed())
        })
    }
}

type Ear = fn(Bytes) -> Said;
type Tell = mpsc::Sender<io::Result<Said>>;

/// A program that nobody has buried yet: it is never left behind.
struct Started {
    child: Child,
    group: Pid,
    buried: bool,
}

impl Started {
    fn of(program: &Program) -> io::Result<Self> {
        let mut command = Command::new(&program.name);
        command.args(&program.arguments).current_dir(&program.folder).env_clear();
        command.envs(program.environment.iter().map(|(name, value)| (name, value))).process_group(0);
        let input = if program.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let group = Pid::from_child(&child);
        Ok(Self { child, group, buried: false })
    }

    /// A group can be told something only while its first process is not buried: its number may be another's after that.
    fn signal(&self, signal: Signal) {
        match kill_process_group(self.group, signal) {
            // All of it has ended already, or it became another user's, whom this one can't tell anything.
            Ok(()) | Err(Errno::SRCH | Errno::PERM) => {}
            Err(error) => unreachable!("a group of processes takes signals: {error}"),
        }
    }

    fn bury(&mut self) -> io::Result<Exit> {
        self.buried = true;
        let status = self.child.wait()?;
        Ok(match status.code() {
            Some(code) => Exit::Status(code),
            None => Exit::Signal(status.signal().expect("what did not exit was ended by a signal")),
        })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // The runtime goes away, and with it whoever waited.
        if !self.buried {
            self.signal(Signal::KILL);
        }
    }
}

/// Sees a program to its end, or puts an end to it when nobody listens any more.
async fn attend(
    mut started: Started,
    pipes: Vec<impl Future<Output = ()> + Send>,
    input: Option<Sender>,
    bytes: Bytes,
    tell: Tell,
) {
    let group = started.group;
    let ended = async {
        let waiting = tokio::task::spawn_blocking(move || wait(group)).await;
        waiting.unwrap_or_else(|error| Err(io::Error::other(error)))
    };
    let mut ended = std::pin::pin!(ended);
    let mut heard = std::pin::pin!(futures::future::join_all(pipes));
    let mut fed = std::pin::pin!(feed(input, bytes, tell.clone()));
    let mut end = None;
    let (mut all_heard, mut all_fed) = (false, false);
    while end.is_none() {
        tokio::select! {
            result = &mut ended => end = Some(result),
            _ = &mut heard, if !all_heard => all_heard = true,
            () = &mut fed, if !all_fed => all_fed = true,
            () = tell.closed() => {
                started.signal(Signal::TERM);
                end = tokio::time::timeout(GRACE, &mut ended).await.ok();
                // What it started may be more stubborn than it is, and is reached only before it is buried.
                started.signal(Signal::KILL);
                if end.is_none() {
                    end = Some(ended.as_mut().await);
                }
            }
        }
    }
    if !all_heard && !tell.is_closed() {
        let _ = tokio::time::timeout(REST, heard).await;
    }
    let end = end.expect("it has ended").and_then(|()| started.bury());
    // Whoever no longer listens has no use for it.
    let _ = tell.send(end.map(Said::Ended)).await;
}

/// Waits for the end without taking note of it: until then its number is nobody else's.
fn wait(process: Pid) -> io::Result<()> {
    loop {
        match waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn listen(mut pipe: Receiver, ear: Ear, tell: Tell) {
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let said = match pipe.read_buf(&mut chunk).await {
            Ok(0) => return,
            Ok(_) => Ok(ear(chunk.freeze())),
            Err(error) => Err(error),
        };
        let broken = said.is_err();
        if tell.send(said).await.is_err() || broken {
            return;
        }
    }
}

async fn feed(input: Option<Sender>, bytes: Bytes, tell: Tell) {
    let Some(mut input) = input else { return };
    match input.write_all(&bytes).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            let _ = tell.send(Err(error)).await;
        }
    }
}
