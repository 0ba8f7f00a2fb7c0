//! A file that arrives piece by piece: it is in its place when it is whole, or not at all.

use std::{
    fs::{File, Permissions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{
    FileError, Files,
    change::{OPEN_MODE, unwritable},
};

/// What has arrived so far. It is gone if it is dropped.
pub struct Arriving {
    /// The path as the script gave it.
    path: String,
    full: PathBuf,
    part: NamedTempFile,
    hash: Sha256,
    size: u64,
}

impl Files {
    /// Opens a place beside the file at `path`, making the folders on the way.
    ///
    /// # Errors
    /// If it lies outside, or can't be written.
    pub fn arriving(&self, path: &str) -> Result<Arriving, FileError> {
        let full = self.locate_to_change(path)?;
        let folder = full.parent().expect("a file lies in a folder");
        let part = std::fs::create_dir_all(folder)
            .and_then(|()| {
                let open = Permissions::from_mode(OPEN_MODE);
                tempfile::Builder::new().prefix(".cozyscript-").permissions(open).tempfile_in(folder)
            })
            .map_err(|error| unwritable(path, &error))?;
        Ok(Arriving { path: path.to_owned(), full, part, hash: Sha256::new(), size: 0 })
    }

    /// The SHA-256 of a file, in hexadecimal digits; nothing if there is none that can be read.
    ///
    /// # Errors
    /// If it lies outside.
    pub fn sha256(&self, path: &str) -> Result<Option<String>, FileError> {
        Ok(File::open(self.locate(path)?).and_then(hashed).ok())
    }
}

impl Arriving {
    pub fn size(&self) -> u64 {
        self.size
    }

    /// # Errors
    /// If it can't be written.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), FileError> {
        self.part.write_all(piece).map_err(|error| unwritable(&self.path, &error))?;
        self.hash.update(piece);
        self.size += piece.len() as u64;
        Ok(())
    }

    /// Forgets what has arrived.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn restart(&mut self) -> Result<(), FileError> {
        let file = self.part.as_file_mut();
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(|error| unwritable(&self.path, &error))?;
        self.hash = Sha256::new();
        self.size = 0;
        Ok(())
    }

    /// The SHA-256 of what has arrived, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        hexadecimal(self.hash.clone())
    }

    /// Puts the file in its place; before that, it is on the disk.
    ///
    /// # Errors
    /// If it can't be.
    pub fn arrive(self) -> Result<(), FileError> {
        let Self { path, full, part, .. } = self;
        let kept = part.as_file().sync_all();
        kept.and_then(|()| part.persist(full).map_err(|error| error.error))
            .map(drop)
            .map_err(|error| unwritable(&path, &error))
    }
}

fn hashed(file: File) -> std::io::Result<String> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let mut hash = Sha256::new();
    loop {
        let piece = file.fill_buf()?;
        if piece.is_empty() {
            return Ok(hexadecimal(hash));
        }
        hash.update(piece);
        let read = piece.len();
        file.consume(read);
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
