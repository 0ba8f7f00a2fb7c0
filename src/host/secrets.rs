//! Secrets: values that a script may pass on but that nothing may show.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{Engine, engine::general_purpose as base64_forms};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::event::Event;

/// A value that is shown, journaled and reported only by its reference (`env:TOKEN`, `file:token.txt`, `prompt:name`).
#[derive(Clone)]
pub struct Secret {
    reference: Arc<str>,
    value: Arc<Zeroizing<String>>,
}

impl Secret {
    pub fn new(reference: impl Into<Arc<str>>, value: String) -> Self {
        Self { reference: reference.into(), value: Arc::new(Zeroizing::new(value)) }
    }

    /// Where the value came from, which is all that may be written down.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The value itself, for the wire only.
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[secret {}]", self.reference)
    }
}

/// Values shorter than this are not taken out of texts: too many innocent words hold them.
pub const SHORTEST: usize = 4;

/// All secret values of a run, to take them out of whatever is shown or written.
#[derive(Default)]
pub struct Vault {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    by_reference: BTreeMap<String, Secret>,
    /// Each form a value may take in a text, and what stands there instead.
    forms: BTreeMap<String, String>,
    /// Of all these forms; none until it is needed after something new was remembered.
    finder: Option<(AhoCorasick, Vec<String>)>,
}

impl Vault {
    /// Remembers a secret: from now on its value, and its base64 and URL-encoded forms, are taken out of every text.
    pub fn remember(&self, secret: &Secret) {
        self.remember_all([secret.clone()]);
    }

    /// Remembers many secrets.
    pub fn remember_all(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for secret in secrets {
            let value = secret.expose();
            if value.trim().len() >= SHORTEST {
                let shown = format!("[secret {}]", secret.reference());
                for form in forms(value) {
                    changed |= known.forms.insert(form, shown.clone()).is_none();
                }
            }
            known.by_reference.insert(secret.reference().to_owned(), secret);
        }
        if changed {
            known.finder = None;
        }
    }

    /// The secret that was remembered under this reference.
    pub fn known(&self, reference: &str) -> Option<Secret> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).by_reference.get(reference).cloned()
    }

    /// The text without secrets.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        loop {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            match &known.finder {
                None if known.forms.is_empty() => return Cow::Borrowed(text),
                Some((finder, shown)) if finder.is_match(text) => return Cow::Owned(finder.replace_all(text, shown)),
                Some(_) => return Cow::Borrowed(text),
                None => {}
            }
            drop(known);
            self.known.write().unwrap_or_else(PoisonError::into_inner).make_finder();
        }
    }

    /// The value with secrets taken out of every text in it, keys included.
    pub fn redact_value(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.redact(&text).into_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.redact_value(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(key, value)| (self.redact(&key).into_owned(), self.redact_value(value)))
                .collect(),
            plain => plain,
        }
    }

    pub(super) fn redacted(&self, event: Event) -> Event {
        if self.is_empty() {
            return event;
        }
        let value = serde_json::to_value(&event).expect("an event is plain data");
        serde_json::from_value(self.redact_value(value)).expect("texts are replaced by texts")
    }

    fn is_empty(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).forms.is_empty()
    }
}

impl Known {
    fn make_finder(&mut self) {
        if self.finder.is_some() {
            return;
        }
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.forms.keys())
            .expect("some thousands of short patterns fit");
        self.finder = Some((finder, self.forms.values().cloned().collect()));
    }
}

/// The forms in which a value may stand in a text.
fn forms(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned()];
    let trimmed = value.trim();
    forms.push(trimmed.to_owned());
    for text in [value, trimmed] {
        forms.push(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
        let quoted = Value::String(text.to_owned()).to_string();
        forms.push(quoted[1..quoted.len() - 1].to_owned());
        // Inside a longer base64 text the value starts at one of three offsets; the characters that depend on its
        // neighbours are left out.
        for lead in 0..3 {
            let mut padded = vec![0_u8; lead];
            padded.extend_from_slice(text.as_bytes());
            for encoded in
                [base64_forms::STANDARD_NO_PAD.encode(&padded), base64_forms::URL_SAFE_NO_PAD.encode(&padded)]
            {
                let from = [0, 2, 3][lead];
                let to = encoded.len() - usize::from(padded.len() % 3 != 0);
                if to > from {
                    forms.push(encoded[from..to].to_owned());
                }
            }
        }
    }
    // A multi-line value, such as a key, may be shown line by line.
    forms.extend(trimmed.lines().map(str::trim).filter(|line| line.len() >= 16).map(str::to_owned));
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort();
    forms.dedup();
    forms
}
