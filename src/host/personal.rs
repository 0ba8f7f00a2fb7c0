//! Files that a person keeps outside of the runbook's folder, such as kubeconfigs: read, locked, and replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Host, files::Files};
use crate::event::What;

/// Keeps other programs from writing a file, as client-go does: by a file beside it that is called `….lock`.
pub struct Lock {
    host: Host,
    file: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        match fs::remove_file(&self.file) {
            Ok(()) => {}
            // Whoever took it away has made the lock worthless already; there is nothing left to do.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!(
                    "the lock `{}` can't be removed: {error}; remove it, or whoever waits for it waits in vain",
                    self.file.display()
                );
                self.host.events.emit(What::Warned { text });
            }
        }
    }
}

/// The file whose being there says that another is being written.
pub fn lock_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

impl Host {
    /// Locks a file, whether or not it is there, until the lock is dropped. Its folder is made if it is missing.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], if somebody else has locked it; or why it can't be.
    pub fn lock_personal(&self, path: &Path) -> io::Result<Lock> {
        let path = self.files.personal_to_change(path)?;
        if let Some(folder) = path.parent() {
            make_private_folder(folder)?;
        }
        let file = lock_file(&path);
        OpenOptions::new().write(true).create_new(true).open(&file)?;
        Ok(Lock { host: self.clone(), file })
    }
}

impl Files {
    /// Replaces a file as a whole: whoever reads it sees the old text or the new one. A new file is its owner's alone; what
    /// others may do with one that was there stays as it was.
    ///
    /// # Errors
    /// Why it can't be written. The old file is untouched then.
    pub fn write_personal(&self, path: &Path, text: &str) -> io::Result<()> {
        // A link stays one: what it points to is replaced.
        let path = self.personal_to_change(path)?;
        let path = fs::canonicalize(&path).unwrap_or(path);
        let folder = path.parent().unwrap_or(Path::new("."));
        make_private_folder(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        if let Ok(there) = fs::metadata(&path) {
            file.as_file().set_permissions(there.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() { Ok(()) } else { fs::create_dir_all(folder) }
}
