//! Archives in which files travel: tar, compressed.

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};

use super::tree::File;

/// The length of a block of a tar archive.
const BLOCK: usize = 512;

/// What stands before a file: its name, its permissions, its length, when it was changed, what it is, and where it leads.
fn head(name: &str, mode: u32, length: usize, modified: i64, kind: u8, link: &str) -> [u8; BLOCK] {
    let mut head = [0_u8; BLOCK];
    let mut put = |at: usize, field: &[u8]| head[at..at + field.len()].copy_from_slice(field);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{length:011o}\0").as_bytes());
    put(136, format!("{modified:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head
}

/// An archive of one file, which ends where the file does: nothing fills its last block, and no empty blocks follow.
pub fn torn(name: &str, text: &str) -> io::Result<Vec<u8>> {
    let mut archive = GzEncoder::new(Vec::new(), Compression::default());
    archive.write_all(&head(name, 0o600, text.len(), 0, b'0', ""))?;
    archive.write_all(text.as_bytes())?;
    archive.finish()
}

/// An archive of files, each with its name and when it was changed.
pub fn whole<'a>(files: impl Iterator<Item = (String, &'a File, i64)>) -> io::Result<Vec<u8>> {
    let mut archive = GzEncoder::new(Vec::new(), Compression::default());
    for (name, file, modified) in files {
        let mode = file.mode() & 0o777;
        match file {
            File::Folder => archive.write_all(&head(&format!("{name}/"), mode, 0, modified, b'5', ""))?,
            File::Link(to) => archive.write_all(&head(&name, mode, 0, modified, b'2', to))?,
            File::Regular(bytes) => {
                archive.write_all(&head(&name, mode, bytes.len(), modified, b'0', ""))?;
                archive.write_all(bytes)?;
                archive.write_all(&vec![0; bytes.len().next_multiple_of(BLOCK) - bytes.len()])?;
            }
        }
    }
    archive.write_all(&[0; 2 * BLOCK])?;
    archive.finish()
}
