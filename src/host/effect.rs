//! Effects: a binding announces what it is about to change, the engine decides.

use serde_json::Value;

use crate::event::EffectEnd;

/// What is about to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The operator's word: `apply`, `create`, `delete`, `POST`.
    pub verb: String,
    /// The thing, so that a person recognises it: `testbed: deployment/web in guestbook`.
    pub object: String,
    /// A digest of what is sent, so that a changed request is another effect.
    pub digest: String,
    /// True if doing it twice is the same as doing it once.
    pub repeatable: bool,
    /// Set if it takes something away for good: what dies, a line each.
    pub destroys: Option<Vec<String>>,
}

/// What the engine decided.
#[derive(Debug)]
pub enum Decision {
    /// Do it; the intent is on disk.
    Go(Ticket),
    /// It was done earlier in this run: this is the outcome that was kept.
    Done(Value),
    /// It was begun earlier in this run and nobody knows whether it happened: find out, then close the ticket.
    Doubt(Ticket),
    /// It must not be done, and why.
    Refused(String),
}

/// An effect between its intent and its outcome. One that is dropped stays in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Where effects are announced and closed.
pub trait Effects: Send + Sync {
    fn announce(&self, effect: Effect) -> Decision;

    /// Closes the effect; `kept` is what a resume gets back, `detail` what is shown (`created`, `unchanged`).
    fn close(&self, ticket: Ticket, end: EffectEnd, kept: Value, detail: Option<String>);
}

/// A digest of a request for [`Effect::digest`].
pub fn digest(parts: &[&[u8]]) -> String {
    let mut digester = Digester::default();
    for part in parts {
        digester.begin(part.len() as u64);
        digester.feed(part);
    }
    digester.finish()
}

/// Makes a [`digest`] of what comes in pieces.
#[derive(Default)]
pub struct Digester(blake3::Hasher);

impl Digester {
    /// Begins a part of that many bytes.
    pub fn begin(&mut self, length: u64) {
        self.0.update(&length.to_le_bytes());
    }

    pub fn feed(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub fn finish(self) -> String {
        self.0.finalize().to_hex()[..16].to_owned()
    }
}
