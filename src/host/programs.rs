//! Programs of this machine, as a port: what is started, what it says, and how it ends.

use std::{io, path::PathBuf};

use bytes::Bytes;
use futures::{future::BoxFuture, stream::BoxStream};

/// A program to start. No shell looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// A name that is looked for in the `PATH` of `environment`, or a path.
    pub name: String,
    pub arguments: Vec<String>,
    /// All of its environment: nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// Where it runs; paths with a slash are meant from here.
    pub folder: PathBuf,
    /// What it reads on its standard input; a program need not read it to its end.
    pub input: Bytes,
}

/// What a program says, as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Output(Bytes),
    Error(Bytes),
    /// It has ended; nothing comes after this.
    Ended(Exit),
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Status(i32),
    Signal(i32),
}

/// Everything that a program says, to its end. Dropping it ends the program and what it has started, at first politely.
pub type Saying = BoxStream<'static, io::Result<Said>>;

pub trait Programs: Send + Sync {
    /// Starts a program.
    ///
    /// # Errors
    /// If the system can't: there is no such program, it may not be run, or the folder is not there.
    fn start(&self, program: Program) -> BoxFuture<'static, io::Result<Saying>>;
}
