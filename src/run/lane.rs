//! The lane of a script thread: where in the tree of steps it is, and whether what the journal says still holds here.

use std::cell::RefCell;

/// A thread's place in the run.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// The path of the innermost step.
    pub step: String,
    /// The labels of the branches inside that step, which the next step takes into its path.
    pub labels: Vec<String>,
    /// A step before this point ran anew, so that nothing after it may be taken from the journal.
    pub changed: bool,
}

thread_local! {
    static LANE: RefCell<Lane> = RefCell::default();
}

impl Lane {
    /// The path of a step met here, before rounds of a loop are counted: `outer/name[label][key]`.
    pub fn path_of(&self, name: &str, key: Option<&str>) -> String {
        let mut path = if self.step.is_empty() { name.to_owned() } else { format!("{}/{name}", self.step) };
        for label in self.labels.iter().map(String::as_str).chain(key) {
            path.push_str(&format!("[{label}]"));
        }
        path
    }

    /// Where events and effects of this lane belong: the step's path and the labels of branches inside it.
    pub fn place(&self) -> String {
        let mut place = self.step.clone();
        for label in &self.labels {
            place.push_str(&format!("[{label}]"));
        }
        place
    }
}

pub fn current() -> Lane {
    LANE.with_borrow(Clone::clone)
}

pub fn is_changed() -> bool {
    LANE.with_borrow(|lane| lane.changed)
}

/// From here on, nothing is taken from the journal on this lane.
pub fn mark_changed() {
    LANE.with_borrow_mut(|lane| lane.changed = true);
}

/// Runs `body` on `lane`, and says whether the lane was changed at its end; the outer lane takes that over.
pub fn within<T>(lane: Lane, body: impl FnOnce() -> T) -> (T, bool) {
    struct Restore(Option<Lane>);
    impl Drop for Restore {
        fn drop(&mut self) {
            if let Some(mut outer) = self.0.take() {
                outer.changed |= is_changed();
                LANE.set(outer);
            }
        }
    }
    let restore = Restore(Some(LANE.replace(lane)));
    let value = body();
    let changed = is_changed();
    drop(restore);
    (value, changed)
}
