//! Where a person's kubeconfigs are: the files that kubectl would read.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::read::{Kubeconfig, Source, read};
use crate::{
    host::Host,
    script::fault::{Fault, Kind},
};

const REMEDY: &str = "set `KUBECONFIG`, or give the option `kubeconfig`";

/// The files that are read when nobody names one, in their order, and what named them.
///
/// # Errors
/// `file`, if neither the environment nor a home folder tells.
pub fn default_files(host: &Host) -> Result<(Vec<PathBuf>, &'static str), Fault> {
    match host.environment.variable("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => {
            let mut paths: Vec<PathBuf> = Vec::new();
            for path in std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
            Ok((paths, "KUBECONFIG"))
        }
        None => {
            let home = host.environment.home().ok_or_else(|| {
                let message = "there is no kubeconfig: neither `KUBECONFIG` nor a home folder is known";
                Fault::new(Kind::File, message).hint(REMEDY)
            })?;
            Ok((vec![home.join(".kube/config")], "the home folder"))
        }
    }
}

/// The files that nobody named, as far as they are there, as one.
///
/// # Errors
/// `file` if there are none, or one can't be read; `parse` if one is no kubeconfig.
pub fn found(host: &Host) -> Result<Kubeconfig, Fault> {
    let (paths, origin) = default_files(host)?;
    let mut texts = Vec::new();
    for path in &paths {
        match host.files.read_personal(path) {
            Ok(text) => texts.push((Source::File(path.clone()), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
    if texts.is_empty() {
        let tried: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let message = format!("there is no kubeconfig: {} (from {origin}) is not there", tried.join(", "));
        return Err(Fault::new(Kind::File, message).hint(REMEDY));
    }
    read(texts)
}

/// A file that somebody named, relative to the runbook's folder.
///
/// # Errors
/// `file`, if it can't be read.
pub fn named(host: &Host, path: &str) -> Result<(Source, String), Fault> {
    let path = host.files.root().join(path);
    let text = host.files.read_personal(&path).map_err(|error| unreadable(&path, &error))?;
    Ok((Source::File(path), text))
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Kind::File, format!("can't read kubeconfig `{}`: {error}", path.display()))
        .hint("check the path, and who may read the file")
}
