//! The headers of streams: names and values, packed by zlib with a dictionary of its own, one after the other.

use std::collections::BTreeMap;

use bytes::Buf as _;
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_HAS_MORE_INPUT},
};

use super::dictionary;

/// How far back zlib refers.
const WINDOW: usize = 32 << 10;
/// The mark, in the head of zlib, of a dictionary whose checksum follows.
const HAS_DICTIONARY: u8 = 0x20;

/// What the other side packs.
pub struct Unpacking {
    state: Box<DecompressorOxide>,
    window: Box<[u8]>,
    at: usize,
    begun: bool,
}

impl Default for Unpacking {
    fn default() -> Self {
        let dictionary = dictionary::bytes();
        let mut window = vec![0; WINDOW].into_boxed_slice();
        window[..dictionary.len()].copy_from_slice(&dictionary);
        Self { state: Box::default(), window, at: dictionary.len(), begun: false }
    }
}

impl Unpacking {
    /// The headers in a block; nothing, if they are malformed.
    pub fn headers(&mut self, block: &[u8]) -> Option<BTreeMap<String, String>> {
        let unpacked = self.unpack(block)?;
        let mut rest = unpacked.as_slice();
        let count = rest.try_get_u32().ok()?;
        let mut text = || {
            let length = rest.try_get_u32().ok()? as usize;
            let (text, after) = rest.split_at_checked(length)?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        (0..count).map(|_| Some((text()?, text()?))).collect()
    }

    fn unpack(&mut self, mut block: &[u8]) -> Option<Vec<u8>> {
        if !std::mem::replace(&mut self.begun, true) {
            let flags = *block.get(1)?;
            block = block.get(if flags & HAS_DICTIONARY == 0 { 2 } else { 6 }..)?;
        }
        let mut unpacked = Vec::new();
        loop {
            let (status, read, written) =
                decompress(&mut self.state, block, &mut self.window, self.at, TINFL_FLAG_HAS_MORE_INPUT);
            unpacked.extend_from_slice(&self.window[self.at..self.at + written]);
            self.at = (self.at + written) % WINDOW;
            block = &block[read..];
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput | TINFLStatus::Done => return Some(unpacked),
                _ => return None,
            }
        }
    }
}

/// What we pack: it is as short as it can be, so that it goes as it is.
#[derive(Default)]
pub struct Packed {
    begun: bool,
}

impl Packed {
    /// A block of no headers.
    pub fn none(&mut self) -> Vec<u8> {
        let mut block = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            block.extend([0x78, 0xbb]);
            block.extend(dictionary::CHECKSUM.to_be_bytes());
        }
        part(&mut block, &0_u32.to_be_bytes());
        // An empty part says that what came is to be read now.
        part(&mut block, &[]);
        block
    }
}

/// A part that is not packed, and not the last one.
fn part(block: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("it is short");
    block.push(0);
    block.extend(length.to_le_bytes());
    block.extend((!length).to_le_bytes());
    block.extend(bytes);
}
