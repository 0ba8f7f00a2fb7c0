//! Chance: from the run's seed for names and orders, from the operating system for secrets.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use crate::{
    host::{clock::Clock, secrets::Secret},
    script::{
        binding::Binding,
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

pub const BINDING: Binding = Binding {
    name: "random",
    summary: "makes random names, numbers and secrets",
    functions: |module| {
        combine_with_exported_module!(module, "random", functions);
    },
    types: |_| {},
};

/// What may stand in the name of a Kubernetes object, without what is easily taken for another: no vowels, no 0, 1, 3.
const NAME: &str = "bcdfghjklmnpqrstvwxz2456789";

const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[export_module]
mod functions {
    /// Makes a text of random letters.
    #[rhai_fn(return_raw)]
    pub fn text(context: NativeCallContext, length: i64) -> Outcome<String> {
        letters(&context, length, Map::new())
    }

    /// Makes a text of random letters, such as for a name. It comes from the run's seed and is no secret: anybody who knows the
    /// seed knows it. For a password there is `random::secret`.
    ///
    /// # Parameters
    /// - `length` (integer): how many letters
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `alphabet` (text, `bcdfghjklmnpqrstvwxz2456789`): the letters to choose from
    ///
    /// # Returns
    /// The text.
    ///
    /// # Faults
    /// - `usage`: the length is less than none or more than a million, or there are no letters to choose from
    ///
    /// # Example
    /// ```rhai
    /// print(`backup-${random::text(5)}`);
    /// print(random::text(4, #{ alphabet: "0123456789" }));
    /// ```
    #[rhai_fn(name = "text", return_raw)]
    pub fn text_with_options(context: NativeCallContext, length: i64, options: Map) -> Outcome<String> {
        letters(&context, length, options)
    }

    /// Chooses a whole number, from the run's seed.
    ///
    /// # Parameters
    /// - `from` (integer): the least
    /// - `to` (integer): the greatest
    ///
    /// # Returns
    /// The number.
    ///
    /// # Faults
    /// - `usage`: the greatest is less than the least
    ///
    /// # Example
    /// ```rhai
    /// print(random::integer(30000, 32767));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn integer(context: NativeCallContext, from: i64, to: i64) -> Outcome<i64> {
        if to < from {
            let message = format!("there is no number from {from} to {to}");
            return Err(context.raise(Fault::new(Kind::Usage, message).hint("the least comes first")));
        }
        let span = to.abs_diff(from);
        Ok(from.wrapping_add_unsigned(up_to(&*context.host().clock, span)))
    }

    /// Chooses an item of a list, from the run's seed.
    ///
    /// # Parameters
    /// - `items` (list): what to choose from
    ///
    /// # Returns
    /// The item.
    ///
    /// # Faults
    /// - `usage`: the list is empty
    ///
    /// # Example
    /// ```rhai
    /// print(random::choice(["worker-1", "worker-2", "worker-3"]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn choice(context: NativeCallContext, items: Array) -> Outcome<Dynamic> {
        match items.len() {
            0 => Err(context.raise(Fault::new(Kind::Usage, "there is nothing to choose from"))),
            length => Ok(items[index(&*context.host().clock, length)].clone()),
        }
    }

    /// Puts a list into a random order, from the run's seed.
    ///
    /// # Parameters
    /// - `items` (list): the list
    ///
    /// # Returns
    /// Another list with the same items.
    ///
    /// # Example
    /// ```rhai
    /// for node in random::shuffle(["worker-1", "worker-2", "worker-3"]) {
    ///     print(node);
    /// }
    /// ```
    pub fn shuffle(context: NativeCallContext, items: Array) -> Array {
        let clock = context.host().clock;
        let mut items = items;
        for last in (1..items.len()).rev() {
            items.swap(last, index(&*clock, last + 1));
        }
        items
    }

    /// Makes an identifier that is like no other (a UUID of version 4), from the run's seed.
    ///
    /// # Returns
    /// Such as `0b9e4c1e-3f0c-4f5e-9d67-2a0f5f3b8a11`.
    ///
    /// # Example
    /// ```rhai
    /// print(random::uuid());
    /// ```
    pub fn uuid(context: NativeCallContext) -> String {
        let clock = context.host().clock;
        let draw = |bits: u32| up_to(&*clock, u64::MAX >> (64 - bits));
        let (first, second, third) = (draw(32), draw(16), draw(12));
        let (fourth, fifth) = (0x8000 | draw(14), draw(48));
        format!("{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{fifth:012x}")
    }

    /// Makes a secret that nobody can guess, of letters, digits, `-` and `_`.
    #[rhai_fn(return_raw)]
    pub fn secret(context: NativeCallContext, reference: &str) -> Outcome<Secret> {
        make_secret(&context, reference, Map::new())
    }

    /// Makes a secret that nobody can guess, of letters, digits, `-` and `_`. It comes from the operating system and never from the
    /// seed.
    ///
    /// The journal doesn't hold it: a step whose value it is runs again when the run is resumed, and makes another one. Put it
    /// where it is to be kept within the same step.
    ///
    /// # Parameters
    /// - `reference` (text): what is shown in its place
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `length` (integer, `32`): how many letters, each worth 6 bits; at least 8
    ///
    /// # Returns
    /// A `Secret`, shown as `[secret random:REFERENCE]`.
    ///
    /// # Faults
    /// - `usage`: the length is less than 8 or more than 4096
    ///
    /// # Example
    /// ```rhai
    /// let password = random::secret("admin's password", #{ length: 24 });
    /// print(password);
    /// ```
    #[rhai_fn(name = "secret", return_raw)]
    pub fn secret_with_options(context: NativeCallContext, reference: &str, options: Map) -> Outcome<Secret> {
        make_secret(&context, reference, options)
    }
}

fn letters(context: &NativeCallContext, length: i64, options: Map) -> Outcome<String> {
    const LONGEST: i64 = 1_000_000;
    let options = context.options("random::text", options)?;
    let alphabet: Vec<char> = options.text("alphabet").unwrap_or_else(|| NAME.to_owned()).chars().collect();
    if alphabet.is_empty() {
        return Err(context.raise(Fault::new(Kind::Usage, "option `alphabet` of `random::text` is empty")));
    }
    if !(0..=LONGEST).contains(&length) {
        let message = format!("a random text has 0 to {LONGEST} letters, and can't have {length}");
        return Err(context.raise(Fault::new(Kind::Usage, message)));
    }
    let clock = context.host().clock;
    Ok((0..length).map(|_| alphabet[index(&*clock, alphabet.len())]).collect())
}

fn make_secret(context: &NativeCallContext, reference: &str, options: Map) -> Outcome<Secret> {
    let length = context.options("random::secret", options)?.integer("length").unwrap_or_default();
    let length = usize::try_from(length).ok().filter(|length| (8..=4096).contains(length)).ok_or_else(|| {
        let fault = Fault::new(Kind::Usage, format!("a secret has 8 to 4096 letters, and can't have {length}"));
        context.raise(fault)
    })?;
    let host = context.host();
    let mut bytes = vec![0; length];
    host.entropy.fill(&mut bytes);
    // 64 letters, so that each is as likely as the others.
    let value = bytes.iter().map(|byte| char::from(SECRET[usize::from(byte % 64)])).collect();
    let secret = Secret::new(format!("random:{reference}"), value);
    host.secrets.remember(&secret);
    Ok(secret)
}

fn index(clock: &dyn Clock, length: usize) -> usize {
    let last = u64::try_from(length - 1).expect("a list fits into memory");
    usize::try_from(up_to(clock, last)).expect("it is less than the length")
}

/// A number from 0 to `greatest`, each as likely as the others as far as anybody can tell.
fn up_to(clock: &dyn Clock, greatest: u64) -> u64 {
    // A chance is worth some 50 bits; two halves make a whole number.
    let half = || (clock.chance() * (u64::from(u32::MAX) + 1) as f64) as u64;
    let drawn = half() << 32 | half();
    u64::try_from((u128::from(drawn) * (u128::from(greatest) + 1)) >> 64).expect("it is at most the greatest")
}
