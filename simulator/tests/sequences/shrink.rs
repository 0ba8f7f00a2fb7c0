//! The smallest sequence that still shows a difference.

use serde_json::Value;

use super::{
    generate::{Request, WATCH},
    play::{Difference, Play},
};

/// Leaves requests out, then fields, while the difference stays; tells what is left.
pub fn smallest(play: &Play<'_>, mut sequence: Vec<Request>, first: &Difference) -> String {
    let mut attempt = 0;
    let mut differs = |sequence: &[Request]| {
        attempt += 1;
        play.difference(sequence, attempt).filter(|difference| difference.trait_of() == first.trait_of())
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
        let mut places = Vec::new();
        fields(&sequence[index].body, String::new(), &mut places);
        // The outermost first: what is in them goes with them.
        for place in places {
            let mut fewer = sequence.clone();
            if without(&mut fewer[index].body, &place) && differs(&fewer).is_some() {
                sequence = fewer;
            }
        }
    }
    match differs(&sequence) {
        Some(difference) => told(play.seed, &sequence, &difference),
        None => format!("now and then, {}", told(play.seed, &sequence, first)),
    }
}

fn told(seed: u64, sequence: &[Request], difference: &Difference) -> String {
    let mut text = format!("---- SEED={seed}\n");
    for request in sequence {
        text += &format!("  {} {} {}\n", request.method, request.path, request.content);
        let torn = if request.torn { ", torn" } else { "" };
        text += &format!("      {}{torn}\n", request.body);
    }
    text += &format!("at {}\n", difference.asked);
    let (ours, theirs) = (format!("{:#}", difference.ours), format!("{:#}", difference.theirs));
    let lines = similar::TextDiff::from_lines(&theirs, &ours);
    text + &lines.unified_diff().context_radius(4).header("real", "simulated").to_string()
}

/// Where fields and items are, the outer ones before the inner ones, the last items before the first.
fn fields(value: &Value, at: String, found: &mut Vec<String>) {
    let step = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    let mut below = |key: &str, value: &Value| {
        found.push(step(key));
        fields(value, step(key), found);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => {
            items.iter().enumerate().rev().for_each(|(index, item)| below(&index.to_string(), item));
        }
        _ => {}
    }
}

/// Takes out what is at this place, if it is there.
fn without(value: &mut Value, place: &str) -> bool {
    let Some((outer, key)) = place.rsplit_once('/') else { return false };
    let key = key.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(outer) {
        Some(Value::Object(map)) => map.shift_remove(&key).is_some(),
        Some(Value::Array(items)) => {
            let index = key.parse::<usize>().ok().filter(|index| *index < items.len());
            index.map(|index| items.remove(index)).is_some()
        }
        _ => false,
    }
}
