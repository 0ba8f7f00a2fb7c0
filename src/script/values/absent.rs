//! Reading below what is not there: the error, and the memory of where the chain of fields broke off.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Weak};

use rhai::{EvalAltResult, ImmutableString, NativeCallContext, Position};

use super::fields::Fields;
use crate::script::fault::Fault;

/// A field that was read or set below an absent value.
#[derive(Clone, Debug, PartialEq)]
pub struct Absent {
    /// What is absent, as far as the chain is known (`status.nope`); empty if it is not known at all.
    pub path: String,
    /// What was to be read or set below.
    pub below: String,
    /// The names that are there instead.
    pub keys: Vec<ImmutableString>,
    pub doing: Doing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doing {
    Reading,
    Setting,
}

/// How the sentence ends if it is not known what is absent; a report that has the source says it instead.
pub(in crate::script) const OF_UNKNOWN: &str = ": what it belongs to is absent";

/// Names alike enough to be meant.
const ALIKE: f64 = 0.85;

/// More names than these are only counted.
const SHOWN_KEYS: usize = 12;

impl Absent {
    /// The name that was probably meant.
    pub fn nearest(&self) -> Option<&ImmutableString> {
        nearest(self.missing(), &self.keys)
    }

    fn missing(&self) -> &str {
        self.path.rsplit('.').next().expect("a split has at least one part")
    }

    pub fn hint(&self) -> String {
        let way_out = match self.doing {
            Doing::Reading => "use `?.` or `??`",
            Doing::Setting => "use `set`, which makes the objects on the way",
        };
        hint(way_out, self.missing(), &self.keys)
    }
}

fn nearest<'k>(missing: &str, keys: &'k [ImmutableString]) -> Option<&'k ImmutableString> {
    let likeness = |key: &ImmutableString| strsim::jaro_winkler(missing, key);
    keys.iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right))).filter(|key| likeness(key) >= ALIKE)
}

/// A way out, with the name that was probably meant and those that are there.
pub(in crate::script) fn hint(way_out: &str, missing: &str, keys: &[ImmutableString]) -> String {
    let meant = nearest(missing, keys).map(|name| format!("did you mean `{name}`? otherwise "));
    let names: Vec<_> = keys.iter().take(SHOWN_KEYS).map(|key| key.as_str()).collect();
    let keys = match (names.is_empty(), keys.len().saturating_sub(SHOWN_KEYS)) {
        (true, _) => String::new(),
        (false, 0) => format!("; the keys here: {}", names.join(", ")),
        (false, more) => format!("; the keys here: {} and {more} more", names.join(", ")),
    };
    format!("{}{way_out}{keys}", meant.unwrap_or_default())
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, below, .. } = self;
        let done = match self.doing {
            Doing::Reading => "read",
            Doing::Setting => "set",
        };
        match path.is_empty() {
            true => write!(f, "`{below}` cannot be {done}{OF_UNKNOWN}"),
            false => write!(f, "`{path}` is absent, so `{below}` cannot be {done}"),
        }
    }
}

/// The one way an absent value becomes an error of the script.
pub fn absent_error(absent: Absent, context: &NativeCallContext) -> Box<EvalAltResult> {
    Fault::from(absent).raise(context)
}

/// The last field that was read on this thread. Rhai hands an absent value on as `()`, which knows nothing of where it came from.
#[derive(Default)]
struct Trail {
    /// The object read last, and its path: weak, so that nothing is kept alive or copied for an error's sake.
    object: Weak<Fields>,
    path: String,
    broke_off: Option<BrokeOff>,
}

struct BrokeOff {
    holder: Weak<Fields>,
    at: Position,
    name_length: usize,
}

thread_local! {
    static TRAIL: RefCell<Trail> = RefCell::default();
}

impl Trail {
    fn step(&mut self, holder: &Arc<Fields>, name: &str) {
        if self.broke_off.take().is_some() || !std::ptr::eq(self.object.as_ptr(), Arc::as_ptr(holder)) {
            self.path.clear();
        }
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }
}

/// Remembers that an object was read from an object.
pub(in crate::script) fn found(holder: &Arc<Fields>, name: &str, object: &Arc<Fields>) {
    TRAIL.with_borrow_mut(|trail| {
        trail.step(holder, name);
        trail.object = Arc::downgrade(object);
    });
}

/// Remembers that a field was not there.
pub(in crate::script) fn missed(holder: &Arc<Fields>, name: &str, at: Position) {
    TRAIL.with_borrow_mut(|trail| {
        trail.step(holder, name);
        trail.object = Weak::new();
        trail.broke_off = Some(BrokeOff { holder: Arc::downgrade(holder), at, name_length: name.chars().count() });
    });
}

/// What is known of an absent value below which `below` stands.
///
/// The memory counts only if the miss stands directly before it in the text: any other `()` has another reason.
pub(in crate::script) fn explain(below: &str, at: Position, doing: Doing) -> Absent {
    TRAIL.with_borrow_mut(|trail| {
        let broke_off = trail.broke_off.take().filter(|broke_off| broke_off.is_directly_before(at));
        let keys = broke_off.as_ref().and_then(|broke_off| broke_off.holder.upgrade());
        let path = broke_off.map(|_| trail.path.clone()).unwrap_or_default();
        trail.path.clear();
        let keys = keys.map(|fields| fields.names().cloned().collect()).unwrap_or_default();
        Absent { path, below: below.to_owned(), keys, doing }
    })
}

impl BrokeOff {
    /// Positions are those of the dots; behind brackets, or on another line, what stands between could be anything.
    fn is_directly_before(&self, at: Position) -> bool {
        let (Some(missed), Some(below)) = (self.at.position(), at.position()) else { return false };
        self.at.line() == at.line() && missed + 1 + self.name_length == below
    }
}
