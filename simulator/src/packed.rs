//! Data in this program, as JSON that is compressed with gzip.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;

/// Unpacks and reads it.
///
/// # Panics
/// If it is damaged, or of another form.
pub fn read<T: DeserializeOwned>(packed: &[u8]) -> T {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).expect("the data was packed whole");
    serde_json::from_str(&text).expect("the data is of the form that is read")
}
