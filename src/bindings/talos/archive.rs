//! The archive that a kubeconfig comes in: one file, and no end.

use std::io::Read;

use flate2::read::GzDecoder;

/// The length of a header, and what everything is padded to but the last.
const BLOCK: usize = 512;

/// The first file of a packed tar; what would follow it is not looked at, for Talos ends without saying so.
///
/// # Errors
/// What is wrong with it.
pub fn only_file(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = GzDecoder::new(packed);
    let mut header = [0; BLOCK];
    unpacked.read_exact(&mut header).map_err(|error| format!("its archive is cut off: {error}"))?;
    let digits = header[124..136].iter().take_while(|byte| !matches!(byte, 0 | b' ') || header[124] == b' ');
    let digits = String::from_utf8_lossy(&digits.copied().collect::<Vec<_>>()).trim().to_owned();
    let length = u64::from_str_radix(&digits, 8).map_err(|_| format!("its archive says a length of `{digits}`"))?;
    let mut file = Vec::new();
    unpacked.take(length).read_to_end(&mut file).map_err(|error| format!("its archive is cut off: {error}"))?;
    match file.len() as u64 == length {
        true => Ok(file),
        false => Err(format!("its archive is cut off: {} of {length} bytes are there", file.len())),
    }
}
