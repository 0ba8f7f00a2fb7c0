//! The smallest sequence that still shows a difference.

use super::{
    bodies::{places, without},
    generate::{Request, WATCH},
    play::{Difference, Player},
};

/// Leaves requests out, then parameters and fields, while the difference stays; tells what is left.
pub fn smallest(player: &mut Player, seed: u64, mut sequence: Vec<Request>, first: &Difference) -> String {
    let mut attempt = 0;
    let mut differs = |sequence: &[Request]| {
        attempt += 1;
        let found = player.difference(&format!("seq-{seed}-{attempt}"), sequence);
        found.filter(|difference| difference.trait_of() == first.trait_of())
    };
    let mut index = sequence.len();
    while index > 0 {
        index -= 1;
        let mut fewer = sequence.clone();
        fewer.remove(index);
        if differs(&fewer).is_some() {
            sequence = fewer;
        }
    }
    for index in 0..sequence.len() {
        if sequence[index].method == WATCH {
            continue;
        }
        let path = sequence[index].path.clone();
        for parameter in path.split(['?', '&']).skip(1) {
            let mut fewer = sequence.clone();
            let left = fewer[index].path.replacen(&format!("&{parameter}"), "", 1);
            fewer[index].path = left.replacen(&format!("?{parameter}"), "?", 1).replace("?&", "?");
            if differs(&fewer).is_some() {
                sequence = fewer;
            }
        }
        let mut found = Vec::new();
        places(&sequence[index].body, "", &mut found);
        // The outermost first: what is in them goes with them.
        for place in found {
            let mut fewer = sequence.clone();
            if without(&mut fewer[index].body, &place) && differs(&fewer).is_some() {
                sequence = fewer;
            }
        }
    }
    match differs(&sequence) {
        Some(difference) => told(seed, &sequence, &difference),
        None => format!("now and then, {}", told(seed, &sequence, first)),
    }
}

fn told(seed: u64, sequence: &[Request], difference: &Difference) -> String {
    let mut text = format!("---- SEED={seed}\n");
    for request in sequence {
        let Request { method, path, content, accept, body, torn, .. } = request;
        text += &format!("  {method} {path} {content} as {accept}\n");
        let torn = if *torn { ", torn" } else { "" };
        text += &format!("      {body}{torn}\n");
    }
    text += &format!("at {}\n", difference.asked);
    let (ours, theirs) = (format!("{:#}", difference.ours), format!("{:#}", difference.theirs));
    let lines = similar::TextDiff::from_lines(&theirs, &ours);
    text + &lines.unified_diff().context_radius(4).header("real", "simulated").to_string()
}
