//! Texts that are nearly right: a corpus of what operators write, damaged by chance that a seed repeats.

use fastrand::Rng;

/// A text of the corpus after one to eight mutations; equal seeds give equal texts.
pub fn mutated(corpus: &[&str], tokens: &[&str], seed: u64) -> String {
    let mut random = Rng::with_seed(seed);
    let mut text = random.choice(corpus).expect("a corpus has texts").as_bytes().to_vec();
    for _ in 0..random.usize(1..=8) {
        mutate(&mut text, corpus, tokens, &mut random);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn mutate(text: &mut Vec<u8>, corpus: &[&str], tokens: &[&str], random: &mut Rng) {
    let at = random.usize(..=text.len());
    match random.u8(0..8) {
        0 if !text.is_empty() => text[at.min(at.saturating_sub(1))] ^= 1 << random.u8(0..8),
        1 => text.insert(at, random.u8(..)),
        2 | 3 => splice(text, at, random.choice(tokens).expect("a grammar has tokens").as_bytes()),
        4 => text.truncate(at),
        5 => {
            let piece = piece(text, random);
            splice(text, at, &piece);
        }
        6 => {
            let piece = piece(random.choice(corpus).expect("a corpus has texts").as_bytes(), random);
            splice(text, at, &piece);
        }
        _ => {
            let until = (at + random.usize(0..16)).min(text.len());
            text.drain(at..until);
        }
    }
}

fn splice(text: &mut Vec<u8>, at: usize, piece: &[u8]) {
    text.splice(at..at, piece.iter().copied());
}

fn piece(text: &[u8], random: &mut Rng) -> Vec<u8> {
    let from = random.usize(..=text.len());
    let until = (from + random.usize(0..64)).min(text.len());
    text[from..until].to_vec()
}
