//! The lane of a script thread: where in the tree of steps it is, and what lies behind it.

use std::cell::RefCell;

/// A thread's place in the run.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// The path of the innermost step.
    pub step: String,
    /// The labels of the branches inside that step, which the next step takes into its path.
    pub labels: Vec<String>,
    pub behind: Behind,
}

/// What lies behind a point of a lane. Branches know nothing of each other: what is behind one of them is behind those that
/// come after it, and behind whatever follows the block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behind {
    /// A step that ran anew: nothing after it may be taken from the journal.
    pub changed: bool,
    /// The step that `--from` names.
    pub from: bool,
    /// The step that `--until` names.
    pub until: bool,
}

impl Behind {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { changed: self.changed || other.changed, from: self.from || other.from, until: self.until || other.until }
    }
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

pub fn behind() -> Behind {
    LANE.with_borrow(|lane| lane.behind)
}

/// From here on, this lies behind, too.
pub fn leave_behind(more: Behind) {
    LANE.with_borrow_mut(|lane| lane.behind = lane.behind.and(more));
}

pub fn is_changed() -> bool {
    behind().changed
}

/// From here on, nothing is taken from the journal on this lane.
pub fn mark_changed() {
    leave_behind(Behind { changed: true, ..Behind::default() });
}

/// Runs `body` on `lane`, and says what lies behind the lane at its end; the outer lane takes that over.
pub fn within<T>(lane: Lane, body: impl FnOnce() -> T) -> (T, Behind) {
    struct Restore(Option<Lane>);
    impl Drop for Restore {
        fn drop(&mut self) {
            if let Some(mut outer) = self.0.take() {
                outer.behind = outer.behind.and(behind());
                LANE.set(outer);
            }
        }
    }
    let restore = Restore(Some(LANE.replace(lane)));
    let value = body();
    let left = behind();
    drop(restore);
    (value, left)
}
