//! Keys and their values, and when they expire.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// How many databases a server has.
pub const DATABASES: usize = 16;

/// All databases of a server.
#[derive(Default)]
pub struct Databases([Keys; DATABASES]);

impl Databases {
    pub fn of(&mut self, number: usize) -> &mut Keys {
        &mut self.0[number]
    }

    pub fn all(&mut self) -> impl Iterator<Item = (usize, &mut Keys)> {
        self.0.iter_mut().enumerate()
    }
}

/// One database.
#[derive(Default)]
pub struct Keys(BTreeMap<Vec<u8>, Kept>);

struct Kept {
    value: Vec<u8>,
    expires: Option<Instant>,
}

impl Keys {
    /// Forgets what has expired.
    fn now(&mut self) -> &mut BTreeMap<Vec<u8>, Kept> {
        let now = Instant::now();
        self.0.retain(|_, kept| kept.expires.is_none_or(|expires| expires > now));
        &mut self.0
    }

    pub fn get(&mut self, key: &[u8]) -> Option<&Vec<u8>> {
        self.now().get(key).map(|kept| &kept.value)
    }

    pub fn has(&mut self, key: &[u8]) -> bool {
        self.now().contains_key(key)
    }

    pub fn set(&mut self, key: &[u8], value: Vec<u8>, expires: Option<Instant>) {
        self.now().insert(key.to_vec(), Kept { value, expires });
    }

    /// Gives another value to a key, and leaves when it expires.
    pub fn change(&mut self, key: &[u8], value: Vec<u8>) {
        let expires = self.expires(key).flatten();
        self.set(key, value, expires);
    }

    pub fn remove(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.now().remove(key).map(|kept| kept.value)
    }

    /// When a key expires, if ever; nothing, if it is not there.
    pub fn expires(&mut self, key: &[u8]) -> Option<Option<Instant>> {
        self.now().get(key).map(|kept| kept.expires)
    }

    /// False, if the key is not there.
    pub fn expire(&mut self, key: &[u8], expires: Option<Instant>) -> bool {
        match self.now().get_mut(key) {
            Some(kept) => {
                kept.expires = expires;
                true
            }
            None => false,
        }
    }

    pub fn names(&mut self) -> Vec<Vec<u8>> {
        self.now().keys().cloned().collect()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many keys there are, how many of them expire, and in how many milliseconds on average.
    pub fn counts(&mut self) -> (usize, usize, u128) {
        let now = Instant::now();
        let keys = self.now();
        let left: Vec<Duration> = keys
            .values()
            .filter_map(|kept| kept.expires)
            .map(|expires| expires.saturating_duration_since(now))
            .collect();
        let sum: u128 = left.iter().map(Duration::as_millis).sum();
        (keys.len(), left.len(), sum.checked_div(left.len() as u128).unwrap_or_default())
    }
}

/// Whether a name is like a pattern with `*`, `?`, `[a-z]`, `[^a]` and `\`.
pub fn like(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => like(rest, name) || !name.is_empty() && like(pattern, &name[1..]),
        (Some((b'?', rest)), Some((_, others))) => like(rest, others),
        (Some((b'[', class)), Some((letter, others))) => {
            let end = class.iter().skip(1).position(|byte| *byte == b']').map_or(class.len(), |end| end + 1);
            let (class, rest) = (&class[..end], class.get(end + 1..).unwrap_or_default());
            let (not, class) = match class.split_first() {
                Some((b'^', class)) => (true, class),
                _ => (false, class),
            };
            within(class, *letter) != not && like(rest, others)
        }
        (Some((b'\\', rest)), Some((letter, others))) if !rest.is_empty() => {
            rest[0] == *letter && like(&rest[1..], others)
        }
        (Some((wanted, rest)), Some((letter, others))) => wanted == letter && like(rest, others),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn within(class: &[u8], letter: u8) -> bool {
    match class {
        [first, b'-', last, rest @ ..] => (*first..=*last).contains(&letter) || within(rest, letter),
        [one, rest @ ..] => *one == letter || within(rest, letter),
        [] => false,
    }
}
