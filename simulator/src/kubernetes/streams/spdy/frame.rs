//! The frames of SPDY/3.1, as bytes.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

const HEAD: usize = 8;
/// The first bits of a frame that is about streams: it is no data, and of version 3.
const CONTROL: u16 = 0x8003;
const FINISHED: u8 = 1;
/// The highest bit of a stream's number is none of it.
const NUMBER: u32 = 0x7fff_ffff;

const OPEN: u16 = 1;
const REPLY: u16 = 2;
const RESET: u16 = 3;
const PING: u16 = 6;
const HEADERS: u16 = 8;

/// What comes.
pub enum Frame {
    Open { stream: u32, block: Bytes, ended: bool },
    Headers { block: Bytes },
    Data { stream: u32, piece: Bytes, ended: bool },
    Reset { stream: u32 },
    Ping { number: u32 },
    Other,
}

impl Frame {
    /// Takes a frame out of what has come, if it is there as a whole.
    pub fn take(buffer: &mut BytesMut) -> Option<Self> {
        let head = buffer.get(..HEAD)?;
        let (flags, length) = (head[4], u32::from_be_bytes([0, head[5], head[6], head[7]]) as usize);
        if buffer.len() < HEAD + length {
            return None;
        }
        let mut head = buffer.split_to(HEAD);
        let mut body = buffer.split_to(length).freeze();
        let ended = flags & FINISHED != 0;
        if head[0] & 0x80 == 0 {
            return Some(Self::Data { stream: head.get_u32() & NUMBER, piece: body, ended });
        }
        head.advance(2);
        // What precedes the headers: the stream, and for a new one its parent and its weight.
        Some(match (head.get_u16(), length) {
            (OPEN, 10..) => {
                let stream = body.get_u32() & NUMBER;
                Self::Open { stream, block: body.split_off(6), ended }
            }
            (REPLY | HEADERS, 4..) => Self::Headers { block: body.split_off(4) },
            (RESET, 4..) => Self::Reset { stream: body.get_u32() & NUMBER },
            (PING, 4..) => Self::Ping { number: body.get_u32() },
            _ => Self::Other,
        })
    }
}

pub fn data(stream: u32, piece: &[u8], ended: bool) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD + piece.len());
    frame.put_u32(stream);
    put_length(&mut frame, if ended { FINISHED } else { 0 }, piece.len());
    frame.put_slice(piece);
    frame.freeze()
}

pub fn reply(stream: u32, block: &[u8]) -> Bytes {
    control(REPLY, &[&stream.to_be_bytes(), block].concat())
}

pub fn ping(number: u32) -> Bytes {
    control(PING, &number.to_be_bytes())
}

fn control(sort: u16, body: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD + body.len());
    frame.put_u16(CONTROL);
    frame.put_u16(sort);
    put_length(&mut frame, 0, body.len());
    frame.put_slice(body);
    frame.freeze()
}

fn put_length(frame: &mut BytesMut, flags: u8, length: usize) {
    let length = u32::try_from(length).expect("pieces are shorter than frames may be");
    frame.put_u32(u32::from(flags) << 24 | length);
}
