//! The programs that ours is held against, where they are installed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// `just` on the path, or where `benches/README.md` puts it.
pub fn just() -> Result<PathBuf, String> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/just");
    on_path("just").or_else(|| ours.exists().then_some(ours)).ok_or_else(|| "`pip install rust-just`".to_owned())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The folder of the real control plane.
pub fn testbed() -> Result<PathBuf, String> {
    let scripts = match std::env::var_os("COZYSCRIPT_TESTBED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testbed"),
    };
    match scripts.join("cluster").exists() {
        true => Ok(scripts),
        false => Err("no testbed: set COZYSCRIPT_TESTBED".to_owned()),
    }
}

/// The folder of its programs.
pub fn programs() -> Result<PathBuf, String> {
    match std::env::var_os("KUBEBUILDER_ASSETS") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => output(&mut Command::new(testbed()?.join("unpack"))).map(|path| PathBuf::from(path.trim())),
    }
}

/// What a command prints.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
