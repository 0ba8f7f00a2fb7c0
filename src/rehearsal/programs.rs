//! Programs of this machine have no place in a rehearsal: they would change the real world.

use std::io;

use futures::future::{self, BoxFuture};

use crate::host::programs::{Program, Programs, Saying};

pub struct NoPrograms;

impl Programs for NoPrograms {
    fn start(&self, program: Program) -> BoxFuture<'static, io::Result<Saying>> {
        let why = format!("a rehearsal runs no programs, and the world has none called `{}`", program.name);
        Box::pin(future::ready(Err(io::Error::new(io::ErrorKind::NotFound, why))))
    }
}
