//! Writing a journal: each record is handed to the system at once, and forced to the disk where the format says so.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    format::{Line, Record, Session, VERSION},
    past::{Illegal, Past},
    read::{self, Damage, Journal},
};
use crate::host::secrets::Vault;

/// Where the lines of a journal go.
pub trait Disk: Send {
    /// Hands bytes to the system, behind all others.
    ///
    /// # Errors
    /// If it doesn't take them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything handed over survives a loss of power.
    ///
    /// # Errors
    /// If it may not.
    fn force(&mut self) -> io::Result<()>;
}

/// A file in a folder.
struct Kept {
    file: File,
    path: PathBuf,
    /// The folder's entry for the file survives a loss of power, too.
    entered: bool,
}

impl Disk for Kept {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn force(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if let (false, Some(folder)) = (self.entered, self.path.parent()) {
            File::open(folder)?.sync_all()?;
        }
        self.entered = true;
        Ok(())
    }
}

/// A journal that this process alone writes.
pub struct Writer {
    disk: Box<dyn Disk>,
    path: PathBuf,
    next: u64,
    /// True once something that this process wrote was forced to the disk.
    forced: bool,
    secrets: Arc<Vault>,
}

/// Why a journal can't be written to.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("can't {doing} the journal `{path}`: {error}")]
    Io { doing: &'static str, path: PathBuf, error: io::Error },
    #[error("run `{run}` is running already, as process {process} of {user} on {host}")]
    Running { run: String, process: u32, user: String, host: String },
    #[error("the journal `{path}` can't be read: {damage}")]
    Damaged { path: PathBuf, damage: Damage },
    #[error("the journal `{path}` can't be read: {illegal}")]
    Illegal { path: PathBuf, illegal: Illegal },
    #[error("the journal `{path}` is of version {version}, and this program writes up to version {VERSION}")]
    Newer { path: PathBuf, version: u32 },
}

impl Writer {
    /// Makes a new journal, which only its owner may read: it holds what servers answered. The file must not be there yet.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn create(path: &Path, secrets: Arc<Vault>) -> Result<Self, OpenError> {
        let failed = |doing| move |error| OpenError::Io { doing, path: path.to_owned(), error };
        let file = OpenOptions::new()
            .append(true)
            .read(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed("create"))?;
        file.try_lock().map_err(|error| failed("lock")(error.into()))?;
        Ok(Self::onto(Box::new(Kept { file, path: path.to_owned(), entered: false }), path, 0, secrets))
    }

    /// Goes on behind the lines that are there already, so many.
    pub fn onto(disk: Box<dyn Disk>, path: &Path, next: u64, secrets: Arc<Vault>) -> Self {
        Self { disk, path: path.to_owned(), next, forced: false, secrets }
    }

    /// Opens a journal to go on with it: cuts off a torn tail and gives what it says.
    ///
    /// # Errors
    /// If another process has it, or it can't be read or written.
    pub fn open(path: &Path, secrets: Arc<Vault>) -> Result<(Self, Journal, Past), OpenError> {
        let failed = |doing| move |error| OpenError::Io { doing, path: path.to_owned(), error };
        let mut file = OpenOptions::new().append(true).read(true).open(path).map_err(failed("open"))?;
        let locked = file.try_lock();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read"))?;
        let damaged = |damage| OpenError::Damaged { path: path.to_owned(), damage };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(running(read::read(&bytes).map_err(damaged)?)),
            Err(TryLockError::Error(error)) => return Err(failed("lock")(error)),
        }
        let journal = read::read(&bytes).map_err(damaged)?;
        if !journal.is_writable() {
            return Err(OpenError::Newer { path: path.to_owned(), version: journal.head.journal });
        }
        let past = Past::of(&journal.lines).map_err(|illegal| OpenError::Illegal { path: path.to_owned(), illegal })?;
        if journal.whole < bytes.len() {
            file.set_len(journal.whole as u64).map_err(failed("mend"))?;
            file.sync_data().map_err(failed("mend"))?;
        }
        file.seek(SeekFrom::End(0)).map_err(failed("open"))?;
        let next = journal.lines.last().map_or(0, |line| line.seq + 1);
        let disk = Kept { file, path: path.to_owned(), entered: false };
        Ok((Self::onto(Box::new(disk), path, next, secrets), journal, past))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a record, and forces it to the disk if its kind asks for that.
    ///
    /// # Errors
    /// If the system can't: the run must not go on then.
    pub fn write(&mut self, now: Timestamp, record: Record) -> io::Result<Line> {
        let forces = match record {
            Record::Intent(_) | Record::Answer { .. } => true,
            // The end of a run that changed nothing and asked nobody may get lost: it would do the same again.
            Record::Ended { .. } => self.forced,
            _ => false,
        };
        let line = Line { seq: self.next, at: now.to_string(), record };
        let value = serde_json::to_value(&line).map_err(io::Error::other)?;
        let mut text = self.secrets.redact_value(value).to_string();
        text.push('\n');
        self.disk.append(text.as_bytes())?;
        self.next += 1;
        if forces {
            self.disk.force()?;
            self.forced = true;
        }
        Ok(line)
    }
}

fn running(journal: Journal) -> OpenError {
    let session = journal.lines.iter().rev().find_map(|line| match &line.record {
        Record::Session(session) => Some(session.clone()),
        _ => None,
    });
    let Session { process, host, user, .. } = session.unwrap_or_default();
    OpenError::Running { run: journal.head.run, process, user, host }
}
