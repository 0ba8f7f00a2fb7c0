//! Bech32, in which age writes its keys: letters that are hard to take for one another, and a sum.

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

/// The bytes of a key whose text begins so.
pub fn decode(prefix: &str, text: &str) -> Option<Vec<u8>> {
    let is_of_one_case = text == text.to_lowercase() || text == text.to_uppercase();
    let text = text.to_lowercase();
    let (begin, data) = text.rsplit_once('1')?;
    if !is_of_one_case || begin != prefix {
        return None;
    }
    let values: Vec<u8> = data.bytes().map(value).collect::<Option<_>>()?;
    if values.len() < 6 || sum(prefix, &values) != 1 {
        return None;
    }
    regroup(&values[..values.len() - 6], 5, 8).filter(|(_, rest)| *rest == 0).map(|(bytes, _)| bytes)
}

pub fn encode(prefix: &str, bytes: &[u8]) -> String {
    let (mut values, rest) = regroup(bytes, 8, 5).expect("bytes have eight bits");
    let left = bytes.len() * 8 % 5;
    if left > 0 {
        values.push(u8::try_from(rest << (5 - left)).expect("it has five bits"));
    }
    let sum = sum(prefix, &[values.as_slice(), &[0; 6]].concat()) ^ 1;
    values.extend((0..6).map(|place| u8::try_from((sum >> (5 * (5 - place))) & 31).expect("it has five bits")));
    let data: String = values.iter().map(|value| char::from(LETTERS[usize::from(*value)])).collect();
    format!("{prefix}1{data}")
}

fn value(letter: u8) -> Option<u8> {
    LETTERS.iter().position(|known| *known == letter).and_then(|place| u8::try_from(place).ok())
}

fn sum(prefix: &str, values: &[u8]) -> u32 {
    let high = prefix.bytes().map(|letter| letter >> 5);
    let low = prefix.bytes().map(|letter| letter & 31);
    high.chain([0]).chain(low).chain(values.iter().copied()).fold(1, |sum, value| {
        let top = sum >> 25;
        let next = ((sum & 0x01ff_ffff) << 5) ^ u32::from(value);
        (0..5).filter(|bit| top >> bit & 1 == 1).fold(next, |next, bit| next ^ GENERATORS[bit])
    })
}

/// Groups of bits as groups of another size, and what is left of them.
fn regroup(values: &[u8], from: u32, to: u32) -> Option<(Vec<u8>, u32)> {
    let (mut held, mut bits, mut groups) = (0_u32, 0, Vec::new());
    for value in values {
        held = held << from | u32::from(*value);
        bits += from;
        while bits >= to {
            bits -= to;
            groups.push(u8::try_from(held >> bits & ((1 << to) - 1)).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    Some((groups, held))
}
