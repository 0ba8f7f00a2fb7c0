//! The programs that ours is held against, where they are installed.

use std::path::{Path, PathBuf};

/// `just` on the path, or where `benches/README.md` puts it.
pub fn just() -> Result<PathBuf, String> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/just");
    on_path("just").or_else(|| ours.exists().then_some(ours)).ok_or_else(|| "`pip install rust-just`".to_owned())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
