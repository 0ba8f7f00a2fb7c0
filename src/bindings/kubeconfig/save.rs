//! Writing changed kubeconfigs: locked as kubectl locks them, each as a whole, and begun anew if somebody was quicker.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    host::{
        Host,
        personal::{Lock, lock_file},
        wait::Progress,
    },
    kubeconfig::Changing,
    script::fault::{Fault, Kind},
};

/// How often a lock is tried, and for how long: whoever holds one writes one small file.
const PAUSE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes a change of the files; gives what the change gave, and which files were written.
///
/// # Errors
/// The change's own fault; `file` if a file can't be written; `conflict` if somebody else keeps one locked.
pub async fn save<T>(
    host: &Host,
    paths: &[PathBuf],
    progress: &Progress,
    mut change: impl FnMut(&mut Changing) -> Result<T, Fault>,
) -> Result<(T, Vec<PathBuf>), Fault> {
    loop {
        let mut changing = Changing::read(host, paths)?;
        let value = change(&mut changing)?;
        let mut locks = Vec::new();
        for (path, ..) in changing.changed() {
            locks.push(lock(host, path, progress).await?);
        }
        let is_as_read =
            |(path, before, _): (&Path, Option<&str>, &str)| host.files.read_personal(path).ok().as_deref() == before;
        if !changing.changed().all(is_as_read) {
            continue;
        }
        let mut written = Vec::new();
        for (path, _, text) in changing.changed() {
            host.files.write_personal(path, text).map_err(|error| unwritable(path, &error))?;
            written.push(path.to_owned());
        }
        return Ok((value, written));
    }
}

async fn lock(host: &Host, path: &Path, progress: &Progress) -> Result<Lock, Fault> {
    let end = host.clock.elapsed() + PATIENCE;
    loop {
        match host.lock_personal(path) {
            Ok(lock) => return Ok(lock),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unwritable(path, &error)),
            Err(_) if host.clock.elapsed() >= end => {
                let lock = lock_file(path);
                let message = format!("somebody else is writing `{}`: `{}` is there", path.display(), lock.display());
                return Err(Fault::new(Kind::Conflict, message)
                    .hint("if nobody is, it was left behind by a program that crashed: remove it"));
            }
            Err(_) => {
                progress.because(format!("`{}` is there: somebody else is writing it", lock_file(path).display()));
                host.clock.sleep(PAUSE).await;
            }
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Kind::File, format!("can't write kubeconfig `{}`: {error}", path.display()))
        .hint("check who may write the file and its folder")
}
